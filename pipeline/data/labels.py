"""Labels as people write them, as tables hold them, and the numbers that models learn from.

| problem | in a table | target |
|---|---|---|
| classification | the label | its number in `product.labels` |
| multi_label | the labels that hold, `|` between them, in the product's order; may be empty | 1 or 0 a label |
| regression | the number as text | the number |
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.core.errors import DataError
from pipeline.core.product import BETWEEN_LABELS, MULTI_LABEL, REGRESSION

_COMMON_SEPARATORS = ("|", ";", ",", "/", "+")


@dataclass(frozen=True, slots=True)
class Labelling:
    """How the label column of one file is read.

    Attributes:
        labels: those of the product; of regression, the number's name.
        values: value in the file → label of the product; empty where the file holds the labels.
        separator: multi_label: what stands between the labels of a row. A JSON list is read too.
    """

    problem: str
    labels: Sequence[str]
    values: Mapping[str, str] = field(default_factory=dict)
    separator: str = BETWEEN_LABELS

    def read(self, value: str, *, where: str) -> str:
        """The label as tables hold it.

        Args:
            where: file and line, for the message.

        Raises:
            DataError: no label of the product, several where one is wanted, or no finite number.
        """
        if self.problem == REGRESSION:
            return self._number(value, where)
        if self.problem == MULTI_LABEL:
            held = {self._one(part, where) for part in _parts(value, self.separator)}
            return BETWEEN_LABELS.join(label for label in self.labels if label in held)
        if self._label(value) not in self.labels:
            self._refuse_several(value, where)
        return self._one(value, where)

    def _label(self, value: str) -> str | None:
        return self.values.get(value) if self.values else value

    def _one(self, value: str, where: str) -> str:
        label = self._label(value)
        if label is not None and label in self.labels:
            return label
        known = list(self.values) if self.values else self.labels
        stands = f" stands for {label!r}" if label is not None and self.values else ""
        raise DataError(
            f"{where}: the label value {value!r}{stands}",
            expected=f"one of: {', '.join(known)}; and a label of the product: "
            f"{', '.join(self.labels)}",
            next_step="correct the row, or `label_values` of the source, or product.labels",
        )

    def _refuse_several(self, value: str, where: str) -> None:
        """Say it where a product of one label a row meets a row of several."""
        for separator in _COMMON_SEPARATORS:
            parts = _parts(value, separator)
            if len(parts) > 1 and all(self._label(part) in self.labels for part in parts):
                raise DataError(
                    f"{where}: several labels in one row ({', '.join(parts)})",
                    expected="one label a row, for product.problem is classification",
                    next_step="set product.problem: multi_label and the source's "
                    f"`label_separator: {separator!r}`, or keep one label in the row",
                )

    def _number(self, value: str, where: str) -> str:
        try:
            number = float(self._label(value) or "")
        except ValueError:
            number = math.nan
        if math.isfinite(number):
            return repr(number)
        raise DataError(
            f"{where}: the label value {value!r}",
            expected=f"a finite number, the {self.labels[0]} of the row (product.problem: regression)",
            next_step="correct the row, or `label_values` of the source",
        )


def target_of(label: str, *, problem: str, labels: Sequence[str]) -> list[float]:
    """What a model should say where a table has `label`; one number, or one a label."""
    if problem == REGRESSION:
        return [float(label)]
    if problem == MULTI_LABEL:
        held = held_labels(label)
        return [float(name in held) for name in labels]
    return [float(labels.index(label))]


def held_labels(label: str) -> list[str]:
    """The labels that a table's entry of a multi_label product names."""
    return [name for name in label.split(BETWEEN_LABELS) if name]


def _parts(value: str, separator: str) -> list[str]:
    """The labels that one cell names; a list in JSON lines or Parquet comes as JSON."""
    if value.startswith("["):
        try:
            return [str(part) for part in json.loads(value)]
        except ValueError:
            pass  # a label may begin with a bracket
    return [part for piece in value.split(separator) if (part := piece.strip())]
