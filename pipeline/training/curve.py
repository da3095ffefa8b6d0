"""A learning curve: a CSV file written during training, for DVC plots and MLflow.

Columns are `step`, `loss`, `learning_rate` and the validation figures, which are empty except at
the end of an epoch.
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path


class Curve:
    """Appends points to the file `path`; `points` holds all so far."""

    def __init__(self, path: Path, *, figures: Sequence[str] = ()) -> None:
        self._path = path
        self._columns = ["step", "loss", "learning_rate", *figures]
        self.points: list[dict[str, float]] = []
        self._write("w", [])

    def add(self, point: Mapping[str, float]) -> None:
        """Adds a point; its keys are `step` and any of the other columns."""
        self.points.append(dict(point))
        self._write("a", [point])

    def restore(self, points: Sequence[Mapping[str, float]]) -> None:
        """Replaces the curve by the points of a checkpoint."""
        self.points = [dict(point) for point in points]
        self._write("w", self.points)

    def _write(self, mode: str, points: Sequence[Mapping[str, float]]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open(mode, encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, self._columns)
            if mode == "w":
                writer.writeheader()
            writer.writerows(points)
