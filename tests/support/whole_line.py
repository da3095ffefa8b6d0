"""All stages in one process on rows of our own making, with models so tiny that seconds teach them.

What a text says hangs on a word and on whether "not" stands before it: single words alone, which the
baselines count here, tell three rows of four.
"""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.core.params import override
from pipeline.core.stage import Metrics
from pipeline.text.tokenizer import save_for_transformers, train_byte_bpe, train_wordpiece
from tests.support.repository import parameter_values
from tests.support.tiny_workspace import write_settings
from tests.support.trained_workspace import run_in, runs, write_checkpoint

LEARNING = ["collect", "validate", "label", "prepare", "baseline", "pretrain", "finetune"]
LEARNING += ["transfer", "distill", "prune"]
STAGES = [*LEARNING, "export", "quantize", "evaluate", "measure", "gate"]
MAX_LENGTH = 28
NOUNS = ["cast", "plot", "score", "camera", "story", "ending"]
OTHER_NOUNS = ["film", "scene", "pace", "script"]
STRENGTH = {"good": 1, "warm": 1, "great": 2, "bad": -1, "dull": -1, "awful": -2}
_SHARE_OF_NOT = 0.35
SMALL = {
    "compute": {"seed": 1, "threads": 1, "device": "cpu", "precision": "float32"},
    "validate": {"near_duplicate_similarity": 1.0, "min_rows_per_label": 20},
    "prepare": {"max_length": MAX_LENGTH, "vocabulary_size": 800, "heldout_share": 0.1}
    | {"tokenizer": "wordpiece"},
    "baseline": {"max_ngram": 1, "regularisation": [0.1, 1.0, 10.0], "min_gain": 0.01},
    "pretrain": {"start": "checkpoint", "layers": 2, "hidden_size": 32, "heads": 2, "epochs": 3}
    | {"feed_forward_size": 64, "sequence_length": MAX_LENGTH, "learning_rate": 3e-3},
    "finetune": {"seeds": 1, "frozen_layers": 0, "learning_rate": 2e-3, "epochs": 12}
    | {"batch_size": 16, "layer_decay": 1.0, "dropout": 0.0},
    "transfer": {"min_confidence": 0.5, "augmentations": 2},
    "distill": {"learning_rate": 3e-3, "epochs": 8, "batch_size": 16, "dropout": 0.0}
    | {"embedding_rank": None, "teacher_layers": None},
    "prune": {"learning_rate": 2e-3, "epochs": 4, "batch_size": 16, "keep_heads": 1.0},
    "evaluate": {"resamples": 50, "min_slice_rows": 20},
    "measure": {"tokens": 8, "threads": 1, "rounds": 1, "requests_per_round": 5},
}
EASY = {"min_quality": 0.3, "max_quality_drop": 0.9, "latency_p95_ms": 1000.0, "size_mb": 50.0}
EASY |= {"memory_mb": 2000.0, "max_slice_gap": 1.0, "max_swap_gap": 1.0}


@dataclass(frozen=True)
class Product:
    """Rows of a file, the texts of a corpus (none without one), and the changes that ask for the product."""

    rows: Sequence[Mapping[str, Any]]
    corpus: Sequence[str]
    changes: Sequence[str]
    byte_tokens: bool = False


@dataclass(frozen=True)
class Clause:
    """`the <noun> is [not] <adjective>`."""

    noun: str
    adjective: str
    negated: bool

    @property
    def text(self) -> str:
        return f"the {self.noun} is {'not ' if self.negated else ''}{self.adjective}"

    @property
    def value(self) -> int:
        return STRENGTH[self.adjective] * (-1 if self.negated else 1)


def clause(chance: random.Random, nouns: Sequence[str] = NOUNS) -> Clause:
    """One of them by chance."""
    negated = chance.random() < _SHARE_OF_NOT
    return Clause(chance.choice(nouns), chance.choice([*STRENGTH]), negated)


def rows_of(
    count: int, row: Callable[[random.Random], Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """`count` different rows."""
    chance = random.Random(5)  # noqa: S311 - test data, not a secret
    found: dict[str, Mapping[str, Any]] = {}
    for _ in range(20 * count):
        made = row(chance)
        found[json.dumps([made["text"], made.get("second")])] = made
    if len(found) < count:
        raise ValueError(f"{len(found)} different rows, {count} wanted: give `row` more to say")
    return list(found.values())[:count]


def corpus_of(count: int) -> list[str]:
    """Documents of three sentences about other things than the rows are about."""
    chance = random.Random(6)  # noqa: S311 - test data, not a secret
    return [
        " ".join(f"{clause(chance, OTHER_NOUNS).text.capitalize()} ." for _ in range(3))
        for _ in range(count)
    ]


def run_line(root: Path, product: Product, stages: Sequence[str]) -> dict[str, Metrics]:
    """Run `stages` in order in a new workspace; what each said."""
    _make_workspace(root, product)
    return {stage: run_in(root, stage, run)[0] for stage, run in runs(*stages).items()}


def _make_workspace(root: Path, product: Product) -> None:
    for folder in ("data", "annotations", "splits"):
        (root / folder).mkdir(parents=True)
    texts = [{"text": text} for text in product.corpus]
    for name, rows in {"mine": product.rows, "corpus": texts}.items():
        lines = [json.dumps(row, ensure_ascii=False) for row in rows]
        (root / f"data/{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    _write_checkpoint(root / "checkpoint", product)
    values = parameter_values()
    for section, changes in SMALL.items():
        values[section] |= changes
    values["product"]["requirements"] |= EASY
    values = override(values, product.changes)
    place = {"kind": "folder", "package": None, "path": str(root / "checkpoint"), "sha256": None}
    values["prepare"]["checkpoint"] |= place
    [mine] = values["collect"]["sources"]
    mine["path"] = "mine.jsonl"
    named = {"name": "corpus", "path": "corpus.jsonl", "role": "corpus", "label_column": None}
    named |= {"second_text_column": None, "label_separator": None}
    if product.corpus:
        values["collect"]["sources"].append(mine | named)
    write_settings(root, values)


def _write_checkpoint(folder: Path, product: Product) -> None:
    """A tiny random BERT over a vocabulary of the product's own texts."""
    texts = [row[name] for row in product.rows for name in ("text", "second") if name in row]
    write_line_checkpoint(folder, [*texts, *product.corpus], byte_tokens=product.byte_tokens)


def write_line_checkpoint(folder: Path, texts: Sequence[str], *, byte_tokens: bool = False) -> None:
    """Writes a tiny random BERT over a vocabulary of the texts."""
    learn = train_byte_bpe if byte_tokens else train_wordpiece
    tokenizer = learn(texts, vocabulary_size=800)
    folder.mkdir()
    save_for_transformers(tokenizer, folder, max_length=MAX_LENGTH)
    size = tokenizer.get_vocab_size()
    write_checkpoint(folder, layers=2, max_length=MAX_LENGTH, vocab_size=size)
