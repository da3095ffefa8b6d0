"""A small table of reviews, and workspaces in which the data stages have run on it.

`texts` gives reviews whose words tell the label. `labelled_workspace` and `prepared_workspace` run
their stages once a session and hand out copies, which a test may write into.
"""

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from transformers import BertModel

from pipeline import label, prepare, validate
from pipeline.core.files import write_json
from pipeline.core.params import Params, override, parse_params
from pipeline.core.paths import Paths
from pipeline.data.records import Record, record_id, write_records
from tests.support import tiny_models
from tests.support.repository import parameter_values
from tests.support.session_copy import session_copy

Reviews = Sequence[tuple[str, str] | tuple[str, str, str]]  # text, second text of a pair, label

PRAISE = ["warm", "lovely", "brilliant", "moving", "funny"]
BLAME = ["dull", "tedious", "awful", "clumsy", "stale"]
NOUNS = ["story", "cast", "script", "camera", "score", "ending", "dialogue", "pace"]
_CHECKPOINT = "bert"


def texts(count: int) -> list[tuple[str, str]]:
    """`count` reviews, every second one positive; the first of them are the same for any count."""
    chance = random.Random(7)  # noqa: S311 - test data, not a secret
    rows = []
    for number in range(count):
        words, name = ((PRAISE, "positive"), (BLAME, "negative"))[number % 2]
        first, second, noun, other = *chance.sample(words, 2), *chance.sample(NOUNS, 2)
        rows.append(
            (f"Take {number}: a {first} {noun} and, {number} times, a {second} {other}.", name)
        )
    return rows


ROWS = texts(120)
CORPUS = [
    f"A long review, number {number}. The {noun} kept me awake all night. It was fine."
    for number, noun in enumerate(NOUNS * 3)
]


def params(*changes: str) -> Params:
    """The tests' params.yaml with limits that a small table meets, and `section.key=value` changes."""
    small = ["validate.min_rows_per_label=10", "prepare.vocabulary_size=200"]
    small += ["prepare.tokenizer=wordpiece"]
    small += ["prepare.heldout_share=0.3", "baseline.regularisation=[1.0]"]
    return parse_params(override(parameter_values(), [*small, *changes]))


def at(root: Path, stage: str) -> Paths:
    """The paths of a stage in the workspace `root`."""
    return Paths(root=root, stage=stage)


def collected(root: Path, rows: Reviews, corpus: Sequence[str]) -> None:
    """What collect leaves."""
    out = at(root, "collect").out
    records = []
    for text, *seconds, label_name in rows:
        second = seconds[0] if seconds else None
        identifier = record_id("mine", text, second=second)
        records.append(
            Record(id=identifier, source="mine", text=text, second=second, label=label_name)
        )
    names = ("id", "source", "text", "second", "label")
    write_records(out / "records.parquet", records, names)
    others = [Record(id=record_id("web", t), source="web", text=t) for t in corpus]
    write_records(out / "corpus.parquet", others, ("id", "source", "text", "label"))
    named = {"name": "mine", "kind": "file", "origin": "data/mine.csv", "licence": "unknown"}
    found = {"waiver": "for a test", "sha256": "0" * 64, "rows": len(rows), "bytes": 1}
    write_json(out / "manifest.json", {"sources": [named | found]})


def validated(root: Path, rows: Reviews, *changes: str, corpus: Sequence[str] = ()) -> Paths:
    """Run validate; returns its paths."""
    collected(root, rows, corpus)
    paths = at(root, "validate")
    validate.run(params(*changes), paths)
    return paths


def labelled(root: Path, rows: Reviews, *changes: str, corpus: Sequence[str] = CORPUS) -> Path:
    """Run validate and label; returns the workspace."""
    validated(root, rows, *changes, corpus=corpus)
    (root / "annotations").mkdir(exist_ok=True)
    label.run(params(*changes), at(root, "label"))
    return root


def prepared(root: Path, *changes: str) -> Paths:
    """Run prepare on what label left, with a tiny checkpoint; returns its paths."""
    paths = at(root, "prepare")
    prepare.run(params(*checkpoint_of(root), *changes), paths)
    return paths


def labelled_workspace(factory: pytest.TempPathFactory) -> Path:
    """A copy of a workspace in which validate and label have run."""
    return session_copy(factory, "labelled", lambda root: labelled(root, ROWS))


def prepared_workspace(factory: pytest.TempPathFactory) -> Path:
    """A copy of a workspace in which validate, label and prepare have run."""
    return session_copy(factory, "prepared", lambda root: prepared(labelled(root, ROWS)))


def checkpoint_of(root: Path) -> list[str]:
    """A tiny BERT in the workspace, and the parameters that name it."""
    folder = root / _CHECKPOINT
    if not folder.exists():
        tiny_models.write_tokenizer(folder)
        BertModel(tiny_models.bert_config(width=8, layers=1)).save_pretrained(folder)
    named = ["kind=folder", "package=null", f"path={folder}", "sha256=null"]
    return [f"prepare.checkpoint.{change}" for change in named]
