"""Reads the label cells of data files as labels of the product."""

import json
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Labels = Sequence[str]
"""Labels of the product, in the order of the model's outputs, or the labels of rows."""
BETWEEN_LABELS = "|"
"""Between the labels of a row, in tables of a multi_label product."""
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


class RefusedError(ValueError):
    """Data that do not fit the problem. Callers outside this folder raise it as their own error.

    Args:
        got: what was found.
        expected: what should have been there.
        next_step: one thing to do now.
    """

    def __init__(self, got: str, *, expected: str, next_step: str) -> None:
        super().__init__(got, expected, next_step)
        self.got = got
        self.expected = expected
        self.next_step = next_step


@dataclass(frozen=True, slots=True)
class Labelling:
    """How the label column of one file is read.

    Labels are compared in Unicode's composed form (NFC): on a screen, others look the same.

    Attributes:
        labels: the product's labels; for regression, the number's name.
        values: value in the file → label of the product; empty where the file holds the labels.
        separator: between the labels of a cell (multi_label). A JSON list is read, too.
    """

    labels: Labels
    values: Mapping[str, str] = field(default_factory=dict)
    separator: str = BETWEEN_LABELS
    _spelled: Mapping[str, str] = field(init=False, repr=False, compare=False)
    _stands_for: Mapping[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        own = {_composed(label): label for label in self.labels}
        stands_for = {_composed(value): label for value, label in self.values.items()}
        object.__setattr__(self, "_spelled", own)
        object.__setattr__(self, "_stands_for", stands_for)

    def label_of(self, value: str) -> str | None:
        """The label that the value stands for, as the product spells it; None where `values` lacks it."""
        label = self._stands_for.get(_composed(value)) if self.values else value
        return label if label is None else self._spelled.get(_composed(label), label)

    def one(self, value: str, *, where: str) -> str:
        """The product's label that the value stands for.

        Args:
            where: file and line, for the message.

        Raises:
            RefusedError: it stands for no label of the product.
        """
        label = self.label_of(value)
        if label is not None and label in self.labels:
            return label
        known = list(self.values) if self.values else self.labels
        meaning = f" stands for {label!r}" if label is not None and self.values else ""
        raise RefusedError(
            f"{where}: the label value {value!r}{meaning}",
            expected=f"one of: {', '.join(known)}; and a label of the product: "
            f"{', '.join(self.labels)}",
            next_step="correct the row, or `label_values` of the source, or product.labels",
        )


def number_in(value: str) -> float | None:
    """The finite number that a cell holds; None for any other text.

    Digits of ASCII with a point: Python would also take `1_000`, digits of other scripts, `nan` and `inf`.
    """
    number = float(value) if _NUMBER.fullmatch(value.strip(" \t")) else math.nan
    return number if math.isfinite(number) else None


def _composed(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def split_cell(value: str, separator: str) -> list[str]:
    """The labels that one cell names; a list in JSON lines or Parquet comes as JSON."""
    if value.startswith("["):
        try:
            return [str(part) for part in json.loads(value) if part is not None]
        except ValueError:
            pass  # a label may begin with a bracket
    return [part for piece in value.split(separator) if (part := piece.strip())]
