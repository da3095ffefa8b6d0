"""The answers of one trained GLUE model: the JSON file between `train` and `task_report`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from pipeline.core.files import read_json, write_json


@dataclass(frozen=True, kw_only=True)
class TaskAnswers:
    """The answers of a model that was trained on one task with one seed: label numbers or scores.

    Attributes:
        development: development set → an answer for each of its rows.
        test: file of the submission → an answer for each row of its test file.
        malformed: lines of the training file that were left out.
    """

    development: Mapping[str, Sequence[float]]
    test: Mapping[str, Sequence[float]]
    malformed: int

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the answers that `save` wrote."""
        return cls(**read_json(path))

    def save(self, path: Path) -> None:
        """Write the answers as JSON."""
        write_json(path, asdict(self))
