"""prepare: token arrays, distinct sentences, only the right checkpoint."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline import prepare
from pipeline.core.errors import DataError
from pipeline.data.tables import read_table
from pipeline.training.labelled_rows import read_split
from tests.support.korean import reviews
from tests.support.problems import PAIRS
from tests.support.small_reviews import (
    CORPUS,
    NOUNS,
    at,
    checkpoint_of,
    labelled,
    labelled_workspace,
    params,
    prepared,
    prepared_workspace,
    texts,
)


@pytest.fixture
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What prepare left."""
    return prepared_workspace(tmp_path_factory) / "artifacts/prepare"


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_prepare_repeats_to_the_byte(out: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    first = files(out)
    second = files(prepared(labelled_workspace(tmp_path_factory)).out)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


def test_soft_labels_go_through_to_finetune(tmp_path_factory: pytest.TempPathFactory) -> None:
    root = labelled_workspace(tmp_path_factory)
    records = root / "artifacts/label/records.parquet"
    table = pq.read_table(records)
    soft = [[0.25, 0.75] if number % 3 else None for number in range(len(table))]
    pq.write_table(table.append_column("soft", pa.array(soft, pa.list_(pa.float64()))), records)
    left = prepared(root).out / "records.parquet"
    assert read_table(left)["soft"] == soft
    split = read_split(left, "train")
    assert split.soft is not None
    places = [number for number, name in enumerate(table["split"].to_pylist()) if name == "train"]
    expected = [soft[place] or [np.nan, np.nan] for place in places]
    assert np.array_equal(split.soft, expected, equal_nan=True)


def test_token_arrays_map_into_memory_and_sentences_are_distinct(out: Path) -> None:
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
        ("prepare.max_length=513", "max_length = 513, .* positions for 512 tokens"),
    ],
)
def test_prepare_refuses_what_it_cannot_stand_on(
    tmp_path_factory: pytest.TempPathFactory, change: str, message: str
) -> None:
    workspace = labelled_workspace(tmp_path_factory)
    with pytest.raises(DataError, match=message):
        prepared(workspace, change)


@pytest.mark.parametrize("pairs", [False, True])
def test_without_a_corpus_the_language_is_that_of_the_training_rows(
    tmp_path: Path, pairs: bool
) -> None:
    rows, changes = (PAIRED, PAIRS) if pairs else (texts(120), [])
    out = prepared(labelled(tmp_path, rows, *changes, corpus=[]), *changes).out
    table = read_table(out / "records.parquet")
    index = json.loads((out / "corpus/index.json").read_text())
    columns = ("text", "second") if pairs else ("text",)
    for part, split in (("train", "train"), ("heldout", "validation")):
        own = [
            text
            for name in columns
            for text, of in zip(table[name], table["split"], strict=True)
            if of == split
        ]
        assert index[part]["documents"] == len(own)
        assert index[part]["bytes"] == sum(len(text.encode()) for text in own)
    assert read_table(out / "sentences.parquet")["id"] == []


def test_a_corpus_without_a_usable_sentence_is_told_before_anything_trains(tmp_path: Path) -> None:
    labelled(tmp_path, texts(120), corpus=["Much too short.", "This, too."])
    with pytest.raises(DataError, match="2 documents of the corpus without a sentence"):
        prepared(tmp_path)


def test_nothing_is_written_for_a_checkpoint_that_is_refused(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    workspace = labelled_workspace(tmp_path_factory)
    with pytest.raises(DataError, match=r"prepare\.window_stride"):
        prepared(workspace, "prepare.max_length=1024", "pretrain.start=random")
    assert not list((workspace / "artifacts").glob("prepare/*"))


def test_what_the_checkpoint_is_stands_in_the_metrics(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    found = metrics(labelled_workspace(tmp_path_factory))
    assert found["checkpoint"]["family"] == "bert"
    assert found["checkpoint"]["positions"] == 512
    assert 0 < found["teacher_unknown_share"] < 0.2  # its few words have no digits
    assert found["unknown_share"] == 0.0


def test_a_checkpoint_of_another_language_is_refused(tmp_path: Path) -> None:
    labelled(tmp_path, korean())
    with pytest.raises(DataError, match=r"checkpoint all-minilm.* does not know .*%") as caught:
        prepared(tmp_path, "prepare.tokenizer=byte_bpe")
    assert "multilingual" in caught.value.next_step
    assert "teacher_tokenizer: student" in caught.value.next_step
    assert metrics(tmp_path, "prepare.tokenizer=byte_bpe", "prepare.max_unknown_share=1.0")


def test_such_a_checkpoint_may_learn_the_words_with_the_students_tokenizer(tmp_path: Path) -> None:
    labelled(tmp_path, korean())
    changes = ["prepare.teacher_tokenizer=student", "prepare.tokenizer=byte_bpe"]
    found, out = metrics(tmp_path, *changes), at(tmp_path, "prepare").out
    assert found["teacher_unknown_share"] == found["unknown_share"] == 0.0
    teacher, student = (out / f"{name}_tokenizer/tokenizer.json" for name in ("teacher", "student"))
    assert teacher.read_bytes() == student.read_bytes()


def test_a_student_that_does_not_know_the_texts_is_refused(tmp_path: Path) -> None:
    rare = [f"a warm film {chr(0x4E00 + number)}" for number in range(240)]
    rows = [(text, ("positive", "negative")[number % 2]) for number, text in enumerate(rare)]
    labelled(tmp_path, rows, "validate.near_duplicate_similarity=1.0")
    with pytest.raises(DataError, match=r"a student's vocabulary of .* does not know") as caught:
        prepared(tmp_path)
    assert "byte_bpe" in caught.value.next_step
    assert metrics(tmp_path, "prepare.tokenizer=byte_bpe")["unknown_share"] == 0.0


def metrics(workspace: Path, *changes: str) -> Mapping[str, Any]:
    """What prepare says of a workspace."""
    return prepare.run(params(*checkpoint_of(workspace), *changes), at(workspace, "prepare"))


def korean() -> list[tuple[str, str]]:
    return [(row["text"], row["label"]) for row in reviews()]


PAIRED = [(f"Is number {n} any good?", text, name) for n, (text, name) in enumerate(texts(120))]


def test_pairs_keep_both_texts_and_take_no_sentence_of_the_corpus(tmp_path: Path) -> None:
    out = prepared(labelled(tmp_path, PAIRED, *PAIRS), *PAIRS).out
    table = read_table(out / "records.parquet")
    assert {*zip(table["text"], table["second"], strict=True)} == {row[:2] for row in PAIRED}
    assert read_table(out / "sentences.parquet") == {"id": [], "document": [], "text": []}
    tokenizer = json.loads((out / "student_tokenizer/tokenizer.json").read_text())
    assert {"any", "lovely"} <= tokenizer["model"]["vocab"].keys()


LONG = {
    "spaces": "a" + " " * 1_000_000 + "b",
    "dots": "a" + "." * 1_000_000,
    "tags": "a<br>" * 200_000,
    "one word": "a" * 1_000_000,
    "few words": "a funny story " * 71_428,
}


@pytest.mark.parametrize("kind", LONG)
def test_a_line_of_a_million_characters_neither_hangs_nor_stops_the_line(
    tmp_path: Path, kind: str
) -> None:
    rows = [*texts(120), (LONG[kind] + " and one more", "positive")]
    labelled(tmp_path, rows, corpus=[*CORPUS, LONG[kind]])
    prepared(tmp_path)
    report = json.loads((tmp_path / "artifacts/validate/report.json").read_text())
    counts = {} if kind == "spaces" else {"too long": 1}
    assert report["labelled"]["rejects"] == counts
    assert report["corpus"]["rejects"] == counts
    assert len(read_table(tmp_path / "artifacts/prepare/records.parquet")["id"]) >= 120


def test_a_line_of_a_million_characters_may_be_let_in(tmp_path: Path) -> None:
    let_in = "validate.max_characters=2000000"
    rows = [*texts(120), (LONG["few words"], "positive")]
    labelled(tmp_path, rows, let_in, corpus=[*CORPUS, LONG["few words"] + " twice"])
    prepared(tmp_path, let_in)
    report = json.loads((tmp_path / "artifacts/validate/report.json").read_text())
    assert report["labelled"]["characters"]["most"] > 900_000
    assert report["corpus"]["rejects"] == {"holds a labelled text": 1}
