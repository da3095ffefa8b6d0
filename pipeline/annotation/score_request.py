"""The request to score rows of a product, which the annotation server hands to a process beside it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.core.typed_json import read_as

MOST_ROWS = 10_000
"""Rows without a label that a model answers at most; of more, these are the first by id, which is a fair sample."""


@dataclass(frozen=True, kw_only=True)
class ScoreRequest:
    """The rows and models of one run of pipeline/active_learning/score_rows.py.

    Attributes:
        folder: of what people answer about the product.
        rows: file of rows, of `pipeline.annotation.row_file`.
        labels: of the product.
        checkpoint: `prepare.checkpoint`, whose embeddings a light model learns from.
        max_length: tokens of a text that are read.
        bundle: folder of the released model; None before there is one.
        artifacts: folder of the product's last build, for rows whose label may be wrong; None where it is gone.
        threads: of the models.
        most_rows: rows without a label that are scored.
    """

    folder: str
    rows: str
    problem: str
    labels: tuple[str, ...]
    pairs: bool
    checkpoint: Mapping[str, Any]
    max_length: int
    bundle: str | None
    artifacts: str | None
    seed: int
    threads: int
    most_rows: int = MOST_ROWS

    def as_line(self) -> str:
        """The request as one line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_line(cls, line: str) -> "ScoreRequest":
        """Reads what `as_line` gave."""
        return read_as(cls, json.loads(line))
