"""Reads the label cells of data files as labels of the product."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Labels = Sequence[str]
"""Labels of the product, in the order of the model's outputs, or the labels of rows."""
BETWEEN_LABELS = "|"
"""Between the labels of a row, in tables of a multi_label product."""


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

    Attributes:
        labels: the product's labels; for regression, the number's name.
        values: value in the file → label of the product; empty where the file holds the labels.
        separator: between the labels of a cell (multi_label). A JSON list is read, too.
    """

    labels: Labels
    values: Mapping[str, str] = field(default_factory=dict)
    separator: str = BETWEEN_LABELS

    def label_of(self, value: str) -> str | None:
        """The label that the value stands for; None where `values` lacks it."""
        return self.values.get(value) if self.values else value

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


def split_cell(value: str, separator: str) -> list[str]:
    """The labels that one cell names; a list in JSON lines or Parquet comes as JSON."""
    if value.startswith("["):
        try:
            return [str(part) for part in json.loads(value)]
        except ValueError:
            pass  # a label may begin with a bracket
    return [part for piece in value.split(separator) if (part := piece.strip())]
