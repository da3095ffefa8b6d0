"""transfer: the teacher's answers, row for row, without the sentences it is unsure of."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from pipeline import transfer
from pipeline.core.artifacts.table_columns import TransferRows
from pipeline.core.errors import DataError
from pipeline.core.paths import Paths
from pipeline.models.encoder import load_classifier, load_tokenizer
from pipeline.problem.problems import problem_named
from tests.support.trained_workspace import MAX_LENGTH, SENTENCES, SPLITS, run_in, trained_workspace


@pytest.fixture
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained_workspace(tmp_path_factory)


def left_by(paths: Paths) -> tuple[Mapping[str, list[Any]], np.ndarray]:
    rows = pq.read_table(paths.out / "rows.parquet").to_pydict()
    assert tuple(rows) == TransferRows.columns()
    return rows, np.load(paths.out / "logits.npy")


def answers(workspace: Path, texts: list[str]) -> np.ndarray:
    """The teacher's logits, one text at a time."""
    folder = workspace / "artifacts/finetune/model"
    model = load_classifier(folder, labels=["negative", "positive"]).eval()
    tokenizer = load_tokenizer(folder)
    read = partial(tokenizer, truncation=True, max_length=MAX_LENGTH, return_tensors="pt")
    with torch.inference_mode():
        return np.concatenate([model(**read(text)).logits.numpy() for text in texts])


def test_logits_stand_in_the_order_of_the_rows(workspace: Path) -> None:
    _, paths = run_in(workspace, "transfer", transfer.run, "transfer.min_confidence=0.5")
    rows, logits = left_by(paths)
    assert logits.dtype == np.float32
    assert np.allclose(logits, answers(workspace, rows["text"]), atol=1e-4)
    gold = [target[0] for target in rows["target"][: SPLITS["train"]]]
    assert rows["kind"] == ["labelled"] * SPLITS["train"] + ["corpus"] * SENTENCES
    assert set(rows["target"][SPLITS["train"] :]) == {None}
    assert np.mean(logits[: SPLITS["train"]].argmax(axis=1) == gold) > 0.95


def test_only_train_rows_are_in_the_lesson(workspace: Path) -> None:
    records = pq.read_table(workspace / "artifacts/prepare/records.parquet").to_pydict()
    rows, _ = left_by(Paths(root=workspace, stage="transfer"))
    train = [i for i, part in zip(records["id"], records["split"], strict=True) if part == "train"]
    labelled = [i for i, kind in zip(rows["id"], rows["kind"], strict=True) if kind == "labelled"]
    assert labelled == train


def test_unsure_sentences_are_left_out_and_labelled_rows_never(workspace: Path) -> None:
    _, paths = run_in(workspace, "transfer", transfer.run, "transfer.min_confidence=0.5")
    rows, logits = left_by(paths)
    corpus = np.array([kind == "corpus" for kind in rows["kind"]])
    shares = np.exp(logits)
    sureness = (shares / shares.sum(axis=1, keepdims=True)).max(axis=1)
    limit = float(np.median(sureness[corpus]))
    expected = ~corpus | (sureness >= limit)
    metrics, _ = run_in(workspace, "transfer", transfer.run, f"transfer.min_confidence={limit}")
    kept, kept_logits = left_by(paths)
    wanted = [row for row, keep in zip(rows["id"], expected, strict=True) if keep]
    # The median itself may fall to either side of its own rounding.
    assert len(set(kept["id"]) ^ set(wanted)) <= 1
    assert kept["kind"].count("labelled") == SPLITS["train"]
    assert len(kept_logits) == len(kept["id"]) < len(rows["id"])
    assert metrics["corpus_sentences_kept"] == kept["kind"].count("corpus")
    assert metrics["corpus_sentences_scored"] == SENTENCES


def test_no_more_sentences_are_scored_than_asked_for(workspace: Path) -> None:
    changes = ["transfer.max_sentences=7", "transfer.min_confidence=0.5"]
    metrics, _ = run_in(workspace, "transfer", transfer.run, *changes)
    assert metrics["corpus_sentences_scored"] == 7


@pytest.mark.parametrize(("share", "copies"), [(0.0, 6), (0.2, 1)])
def test_sentences_like_the_rows_are_chosen_and_those_that_repeat_others_passed_over(
    workspace: Path, share: float, copies: int
) -> None:
    """Six say almost the same of a film; six of them and six others are of the domain, the rest is not."""
    same = [f"the film is good and this story was great {word}" for word in "abcdef"]
    others = [
        "the plot is dull and this cast was slow", "the cast is warm and this scene was funny",
        "the story is awful and this film was bad", "the scene is slow and this plot was dull",
        "the cast is great and this plot was good", "this scene is bad and the story was awful",
    ]  # fmt: skip
    far = [f"he walks {number} miles to a river" for number in range(40)]
    path = workspace / "artifacts/prepare/sentences.parquet"
    names = [f"{number:016x}" for number in range(2000, 2052)]
    table = {"id": names, "document": names, "text": [*far, *same, *others]}
    pq.write_table(pa.table(table), path)
    asked = 12 if share == 0 else 7
    changes = [f"transfer.max_sentences={asked}", f"transfer.min_new_pairs={share}"]
    _, paths = run_in(workspace, "transfer", transfer.run, *changes, "transfer.min_confidence=0.5")
    rows, _ = left_by(paths)
    chosen = set(rows["text"]) & {*far, *same, *others}
    assert not chosen & set(far)
    assert len(chosen & set(same)) == copies


def without_corpus(workspace: Path) -> None:
    """Leave no sentence of a corpus in the workspace."""
    sentences = workspace / "artifacts/prepare/sentences.parquet"
    empty: dict[str, Any] = {name: pa.array([], pa.string()) for name in ("id", "document", "text")}
    pq.write_table(pa.table(empty), sentences)


def test_a_corpus_that_the_teacher_is_unsure_of_stops_the_line(workspace: Path) -> None:
    before = (workspace / "artifacts/transfer/logits.npy").read_bytes()
    with pytest.raises(DataError, match="150 corpus sentences, and the teacher is unsure"):
        run_in(workspace, "transfer", transfer.run, "transfer.min_confidence=1.0")
    assert (workspace / "artifacts/transfer/logits.npy").read_bytes() == before


@pytest.mark.parametrize(
    ("asked", "fewest"),
    [
        (["transfer.augmentations=0"], 0),
        (["transfer.augmentations=2"], 150),
        (["transfer.augmentations=2", "transfer.min_texts=600"], 600),
    ],
)
def test_without_a_corpus_the_rows_and_texts_made_from_them_are_the_lesson(
    workspace: Path, asked: list[str], fewest: int
) -> None:
    without_corpus(workspace)
    metrics, paths = run_in(
        workspace, "transfer", transfer.run, *asked, "transfer.min_confidence=0.5"
    )
    rows, _ = left_by(paths)
    assert set(rows["kind"]) <= {"labelled", "augmented"}
    assert metrics["corpus_sentences_scored"] == 0
    made = metrics["augmented_scored"]
    assert made >= 0.9 * (fewest - SPLITS["train"])  # a few of the made texts are equal
    assert made == 0 or fewest


def test_enough_sentences_need_no_more_texts_made(workspace: Path) -> None:
    few = ["transfer.augmentations=0", f"transfer.min_texts={SPLITS['train'] + SENTENCES}"]
    metrics, _ = run_in(workspace, "transfer", transfer.run, *few, "transfer.min_confidence=0.5")
    assert metrics["augmented_scored"] == 0


def test_no_text_is_made_that_is_one_of_validation_or_test(workspace: Path) -> None:
    """A piece of a training text may be a text of its own elsewhere."""
    records = workspace / "artifacts/prepare/records.parquet"
    made = ["transfer.augmentations=30", "transfer.min_confidence=0.5"]
    _, paths = run_in(workspace, "transfer", transfer.run, *made)
    rows, _ = left_by(paths)
    taken = [t for t, k in zip(rows["text"], rows["kind"], strict=True) if k == "augmented"][:2]
    table = pq.read_table(records).to_pydict()
    for text, split in zip(taken, ("validation", "test"), strict=True):
        table["text"][table["split"].index(split)] = f"{text.upper()} !"
    pq.write_table(pa.table(table), records)
    _, paths = run_in(workspace, "transfer", transfer.run, *made)
    again, _ = left_by(paths)
    assert not set(taken) & set(again["text"])
    assert len(set(rows["text"]) - set(again["text"])) < 5


def test_the_teacher_is_sure_of_labels_one_by_one_and_of_numbers_always() -> None:
    logits = np.array([[0.0, 4.0], [-4.0, 4.0]], dtype=np.float32)
    sure = 1 / (1 + np.exp(-4.0))
    found = problem_named("multi_label").teacher_confidence(logits)
    assert found == pytest.approx([(0.5 + sure) / 2, sure])
    assert problem_named("regression").teacher_confidence(logits[:, :1]).tolist() == [1.0, 1.0]
