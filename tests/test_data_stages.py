"""validate, label, prepare and baseline, one after another on a small table written here."""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import BertConfig, BertModel, BertTokenizerFast

from pipeline import baseline, label, prepare, validate
from pipeline.core.errors import DataError
from pipeline.core.files import write_json
from pipeline.core.params import Params, override, parse_params, parse_yaml
from pipeline.core.paths import Paths
from pipeline.data.records import Record, read_records, record_id, write_records
from pipeline.data.tables import read_table

PRAISE = ["warm", "lovely", "brilliant", "moving", "funny"]
BLAME = ["dull", "tedious", "awful", "clumsy", "stale"]
NOUNS = ["story", "cast", "script", "camera", "score", "ending", "dialogue", "pace"]


def texts(count: int) -> list[tuple[str, str]]:
    chance = random.Random(7)  # noqa: S311 - test data, not a secret
    rows = []
    for number in range(count):
        words, name = ((PRAISE, "positive"), (BLAME, "negative"))[number % 2]
        first, second, noun, other = *chance.sample(words, 2), *chance.sample(NOUNS, 2)
        rows.append(
            (f"Take {number}: a {first} {noun} and, {number} times, a {second} {other}.", name)
        )
    return rows


def params(*changes: str) -> Params:
    path = Path(__file__).parents[1] / "params.yaml"
    values = parse_yaml(path.read_text(encoding="utf-8"))
    small = ["validate.min_rows_per_label=10", "prepare.vocabulary_size=200"]
    small += ["prepare.heldout_share=0.3", "baseline.regularisation=[1.0]"]
    return parse_params(override(values, [*small, *changes]))


def collected(paths: Paths, rows: list[tuple[str, str]], corpus: list[str]) -> None:
    out = paths.output("collect")
    records = [Record(record_id("mine", t), "mine", t, name) for t, name in rows]
    write_records(out / "records.parquet", records, "id", "source", "text", "label")
    others = [Record(record_id("web", t), "web", t) for t in corpus]
    write_records(out / "corpus.parquet", others, "id", "source", "text")
    entry = {"name": "mine", "kind": "file", "origin": "data/mine.csv", "licence": "unknown"}
    entry |= {"waiver": "for a test", "sha256": "0" * 64, "rows": len(rows), "bytes": 1}
    write_json(out / "manifest.json", {"sources": [entry]})


def at(root: Path, stage: str) -> Paths:
    return Paths(root=root, stage=stage)


def validated(root: Path, rows: list[tuple[str, str]], *changes: str, corpus: Any = ()) -> Paths:
    paths = at(root, "validate")
    collected(paths, rows, [*corpus])
    validate.run(params(*changes), paths)
    return paths


ROWS = texts(120)


def test_validate_takes_out_what_must_not_be_learned_from(tmp_path: Path) -> None:
    held = "Nobody asked, yet here we are with a film."
    rows = [*ROWS, ("<br />", "negative"), ("ok", "negative"), (ROWS[0][0].upper(), "positive")]
    rows += [("This one has two labels", "positive"), ("this one has two labels!", "negative")]
    rows += [(held, "negative"), (ROWS[1][0] + " ok", "negative")]
    corpus = [
        "A review of mine. NOBODY asked, yet here we are with a film. Write me: a@b.org",
        "A clean review &amp; long enough, see www.example.org",
        "here we are with a film",
    ]
    paths = validated(tmp_path, rows, corpus=corpus)
    rejects = read_table(paths.out / "rejects.parquet")
    assert sorted(rejects["reason"]) == [
        "copies with different labels",
        "copies with different labels",
        "copy of another row",
        "empty",
        "holds a labelled text",
        "is part of a labelled text",
        "too short",
    ]
    [clean] = read_records(paths.out / "corpus.parquet")
    assert clean.text == "A clean review & long enough, see www.example.org"
    records = read_records(paths.out / "records.parquet")
    near = [r for r in records if r.text.startswith(ROWS[1][0])]
    assert {r.cluster for r in near} == {min(r.id for r in near)}
    report = json.loads((paths.out / "report.json").read_text())
    assert report["personal_data"]["corpus"] == {"email": 0, "url": 1, "phone": 0}
    card = (paths.out / "data_card.md").read_text()
    for said in ("data/mine.csv", "for a test", "positive", "near copies", "url in 1"):
        assert said in card


@pytest.mark.parametrize(
    ("rows", "changes", "message"),
    [
        ([r for r in ROWS if r[1] == "positive"], [], "one class only"),
        ([r for r in ROWS if r[1] == "positive"] + ROWS[1:8:2], [], "'negative' has 4 rows"),
        ([*ROWS, *(("?!" * n, "positive") for n in range(1, 20))], [], "max_reject_share"),
        ([*ROWS, *((t + "!" * 3, name) for t, name in ROWS[:20])], [], "max_duplicate_share"),
        (ROWS[::2] + ROWS[1:40:2], ["validate.max_label_share=0.7"], "max_label_share"),
    ],
)
def test_a_broken_limit_stops_the_line(
    tmp_path: Path, rows: list[tuple[str, str]], changes: list[str], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        validated(tmp_path, rows, *changes)
    assert not (tmp_path / "artifacts" / "validate" / "report.json").exists()


def annotate(root: Path, lines: list[tuple[str, str, str]]) -> Paths:
    folder = at(root, "label").annotations
    folder.mkdir(exist_ok=True)
    (folder / ".gitkeep").touch()
    rows = [",".join(line) for line in lines]
    (folder / "mine.csv").write_text("\n".join(["id,annotator,label", *rows]))
    return at(root, "label")


def test_labels_pass_through_and_the_annotators_majority_wins(tmp_path: Path) -> None:
    validated(tmp_path, ROWS)
    (tmp_path / "annotations").mkdir()
    label.run(params(), at(tmp_path, "label"))
    before = read_table(tmp_path / "artifacts/label/records.parquet")
    assert [("negative", "positive").index(name) for name in before["label"]] == before["label_id"]
    row = before["id"][0]
    other = {"negative": "positive", "positive": "negative"}[before["label"][0]]
    paths = annotate(tmp_path, [(row, "ann", other), (row, "bo", other), ("gone", "bo", other)])
    metrics = label.run(params(), paths)
    assert read_table(paths.out / "records.parquet")["label"][0] == other
    agreement = json.loads((paths.out / "agreement.json").read_text())
    assert agreement | {"alpha": None} == {
        "annotated_rows": 1,
        "unknown_rows": 1,
        "annotators": 2,
        "alpha": None,
        "changed_labels": 1,
    }
    assert "1 by annotators" in metrics["headline"]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([("0", "ann", "positive"), ("0", "bo", "negative")], "alpha of the annotations is"),
        ([("0", "ann", "great")], "line 2: label 'great'"),
        ([("nowhere", "ann", "positive")], "none of the 1 annotated ids"),
    ],
)
def test_annotations_that_cannot_be_trusted_are_refused(
    tmp_path: Path, labels: list[tuple[str, str, str]], message: str
) -> None:
    ids = [r.id for r in read_records(validated(tmp_path, ROWS).out / "records.parquet")]
    lines = [(ids[0] if row == "0" else row, who, what) for row, who, what in labels]
    with pytest.raises(DataError, match=message):
        label.run(params(), annotate(tmp_path, lines))


def checkpoint(folder: Path) -> list[str]:
    """A tiny BERT on disk, and the parameters that name it."""
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz"]
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(words))
    BertTokenizerFast(vocab={word: i for i, word in enumerate(words)}).save_pretrained(folder)
    size = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1}
    BertModel(BertConfig(vocab_size=len(words), intermediate_size=8, **size)).save_pretrained(
        folder
    )
    named = ["kind=folder", "package=null", f"path={folder}", "sha256=null"]
    return [f"prepare.checkpoint.{change}" for change in named]


def prepared(root: Path, rows: list[tuple[str, str]], *changes: str) -> Paths:
    corpus = [
        f"A long review, number {n}. The {noun} kept me awake all night. {rows[n][0]}"
        for n, noun in enumerate(NOUNS * 3)
    ]
    corpus = [text.replace(rows[n][0], "It was fine.") for n, text in enumerate(corpus)]
    validated(root, rows, corpus=corpus)
    (root / "annotations").mkdir(exist_ok=True)
    label.run(params(), at(root, "label"))
    paths = at(root, "prepare")
    prepare.run(params(*changes), paths)
    return paths


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def test_prepare_repeats_to_the_byte_and_never_moves_a_row(tmp_path: Path) -> None:
    changes = checkpoint(tmp_path / "bert")
    first = files(prepared(tmp_path, ROWS, *changes).out)
    paths = prepared(tmp_path, ROWS, *changes)
    assert files(paths.out) == first
    table = read_table(paths.out / "records.parquet")
    before = dict(zip(table["id"], table["split"], strict=True))
    table = read_table(prepared(tmp_path, texts(180), *changes).out / "records.parquet")
    after = dict(zip(table["id"], table["split"], strict=True))
    shared = before.keys() & after.keys()
    assert len(shared) > 100
    assert all(before[row] == after[row] for row in shared)


def test_token_arrays_map_into_memory_and_sentences_are_distinct(tmp_path: Path) -> None:
    paths = prepared(tmp_path, ROWS, *checkpoint(tmp_path / "bert"))
    index = json.loads((paths.out / "corpus/index.json").read_text())
    for name in ("train", "heldout"):
        tokens = np.load(paths.out / f"corpus/{name}.npy", mmap_mode="r")
        assert len(tokens) == index[name]["tokens"]
        assert (tokens == 3).sum() == index[name]["documents"]
    sentences = read_table(paths.out / "sentences.parquet")
    assert sentences["id"] == sorted(set(sentences["id"]))
    assert sum("kept me awake" in text for text in sentences["text"]) == len(NOUNS)


def test_prepare_refuses_another_checkpoint_and_one_without_a_licence(tmp_path: Path) -> None:
    changes = checkpoint(tmp_path / "bert")
    zeros = "0" * 64
    for change, message in (
        (f"prepare.checkpoint.sha256='{zeros}'", "has sha256"),
        ("prepare.checkpoint.licence=GPL-3.0", "licence_waivers.all-minilm-l6-v2"),
        ("prepare.checkpoint.path=nowhere", "there is no folder nowhere"),
        ("prepare.shares={train: 1.0, validation: 0.0, test: 0.0}", "validation split is empty"),
    ):
        with pytest.raises(DataError, match=message):
            prepared(tmp_path, ROWS, *changes, change)


def test_the_baselines_learn_and_say_that_a_model_is_worth_it(tmp_path: Path) -> None:
    prepared(tmp_path, ROWS, *checkpoint(tmp_path / "bert"))
    paths = at(tmp_path, "baseline")
    metrics = baseline.run(params(), paths)
    assert metrics["baseline-nblr"]["test"] > 0.9
    table = read_table(paths.out / "predictions.parquet")
    totals = np.array(table["probability_0"]) + np.array(table["probability_1"])
    assert np.allclose(totals, 1)
    assert set(table["split"]) == {"validation", "test"}
    assert len(set(table["model"])) == 3
    assert json.loads((paths.out / "verdict.json").read_text())["worth_a_model"]
    curve = (paths.out / "learning_curve.csv").read_text().splitlines()
    assert curve[0] == "step,train_accuracy,validation_accuracy"


def test_labels_that_words_cannot_tell_stop_the_line(tmp_path: Path) -> None:
    chance = random.Random(5)  # noqa: S311 - test data, not a secret
    rows = [(text, chance.choice(["negative", "positive"])) for text, _ in texts(200)]
    prepared(tmp_path, rows, *checkpoint(tmp_path / "bert"))
    with pytest.raises(DataError, match="from the majority class"):
        baseline.run(params("baseline.min_gain=0.4"), at(tmp_path, "baseline"))
