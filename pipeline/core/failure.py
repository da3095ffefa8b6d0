"""Why a stage failed, as a file: the stage writes it, the flow that started the stage reads it.

`.modelyard/failures/<stage>.json` in the workspace. Nobody has to find the reason in printed lines.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.core.errors import (
    BusyError,
    CannotBeToldError,
    LabelsNeededError,
    PipelineError,
    RequirementsMissedError,
)
from pipeline.core.files import read_json, write_json
from pipeline.core.paths import Paths
from pipeline.core.typed_json import read_as

CRASH = "crash"
"""Kind of a failure that the stage did not explain: a kill, or a fault of the program."""


@dataclass(frozen=True, kw_only=True)
class StageFailure:
    """One failed run of a stage.

    Attributes:
        kind: name of the error's class, as `DataError`; or CRASH.
        nearest: of the gate: the variant that falls short least.
        missed: of the gate: names of the requirements that the nearest variant misses.
    """

    stage: str
    kind: str
    got: str
    expected: str
    next_step: str
    nearest: str | None = None
    missed: tuple[str, ...] = ()

    @classmethod
    def of(cls, stage: str, error: PipelineError) -> "StageFailure":
        """The failure that an error describes."""
        return cls(
            stage=stage,
            kind=type(error).__name__,
            got=error.got,
            expected=error.expected,
            next_step=error.next_step,
            nearest=getattr(error, "nearest", None),
            missed=getattr(error, "missed", ()),
        )

    @property
    def explained(self) -> bool:
        """Whether the reason lies in the stage's input; else running it again may end otherwise."""
        return self.kind not in (CRASH, BusyError.__name__)

    @property
    def requirements_missed(self) -> bool:
        """Whether the gate let nothing pass: a result of the recipe, not a fault."""
        return self.kind == RequirementsMissedError.__name__

    @property
    def labels_needed(self) -> bool:
        """Whether the build waits for people to label rows: an answer, not a fault."""
        return self.kind == LabelsNeededError.__name__

    @property
    def cannot_be_told(self) -> bool:
        """Whether the texts do not tell the labels: an answer, and the stage's verdict.json stays."""
        return self.kind == CannotBeToldError.__name__

    @property
    def is_answer(self) -> bool:
        """Whether the stage ended the build with something that it found out, rather than a fault."""
        return self.labels_needed or self.cannot_be_told

    def save(self, root: Path) -> None:
        """Writes the file of the stage."""
        write_json(Paths(root, self.stage).failure, asdict(self))


def load_failure(root: Path, stage: str) -> StageFailure | None:
    """The failure of the stage's last run; None where it did not fail."""
    path = Paths(root, stage).failure
    return read_as(StageFailure, read_json(path)) if path.exists() else None
