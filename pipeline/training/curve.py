"""A learning curve: one CSV row a point, written while training goes on, for DVC plots and MLflow.

The first row fixes the columns: `step`, `loss`, `learning_rate` and the validation figures, which
are empty but at an epoch's end.
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path


class Curve:
    """Appends points to `path`; `points` is the curve so far."""

    def __init__(self, path: Path, *, figures: Sequence[str] = ()) -> None:
        self._path = path
        self._columns = ["step", "loss", "learning_rate", *figures]
        self.points: list[dict[str, float]] = []
        self._write("w", [])

    def add(self, point: Mapping[str, float]) -> None:
        """One more point; its keys are `step` and any of the columns."""
        self.points.append(dict(point))
        self._write("a", [point])

    def restore(self, points: Sequence[Mapping[str, float]]) -> None:
        """Begin again from the curve that a checkpoint kept."""
        self.points = [dict(point) for point in points]
        self._write("w", self.points)

    def _write(self, mode: str, points: Sequence[Mapping[str, float]]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open(mode, encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, self._columns)
            if mode == "w":
                writer.writeheader()
            writer.writerows(points)
