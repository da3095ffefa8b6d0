"""prepare: splits that never move, token arrays, distinct sentences, and the right checkpoint only."""

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.core.errors import DataError
from pipeline.data.tables import read_table
from tests.support.small_reviews import (
    NOUNS,
    labelled,
    labelled_workspace,
    prepared,
    prepared_workspace,
    texts,
)


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def splits(prepare: Path) -> dict[str, str]:
    table = read_table(prepare / "records.parquet")
    return dict(zip(table["id"], table["split"], strict=True))


def test_prepare_repeats_to_the_byte(tmp_path_factory: pytest.TempPathFactory) -> None:
    first = files(prepared_workspace(tmp_path_factory) / "artifacts/prepare")
    second = files(prepared(labelled_workspace(tmp_path_factory)).out)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


def test_more_rows_move_no_row_to_another_split(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    before = splits(prepared_workspace(tmp_path_factory) / "artifacts/prepare")
    after = splits(prepared(labelled(tmp_path, texts(180))).out)
    shared = before.keys() & after.keys()
    assert len(after) > len(before)
    assert len(shared) > 100
    assert all(before[row] == after[row] for row in shared)


def test_token_arrays_map_into_memory_and_sentences_are_distinct(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    out = prepared_workspace(tmp_path_factory) / "artifacts/prepare"
    index = json.loads((out / "corpus/index.json").read_text())
    for name in ("train", "heldout"):
        tokens = np.load(out / f"corpus/{name}.npy", mmap_mode="r")
        assert len(tokens) == index[name]["tokens"]
        assert (tokens == 3).sum() == index[name]["documents"]
    sentences = read_table(out / "sentences.parquet")
    assert sentences["id"] == sorted(set(sentences["id"]))
    assert sum("kept me awake" in text for text in sentences["text"]) == len(NOUNS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (f"prepare.checkpoint.sha256='{'0' * 64}'", "has sha256"),
        ("prepare.checkpoint.licence=GPL-3.0", "licence_waivers.all-minilm-l6-v2"),
        ("prepare.checkpoint.path=nowhere", "there is no folder nowhere"),
        ("prepare.shares={train: 1.0, validation: 0.0, test: 0.0}", "validation split is empty"),
    ],
)
def test_prepare_refuses_what_it_cannot_stand_on(
    tmp_path_factory: pytest.TempPathFactory, change: str, message: str
) -> None:
    workspace = labelled_workspace(tmp_path_factory)
    with pytest.raises(DataError, match=message):
        prepared(workspace, change)
