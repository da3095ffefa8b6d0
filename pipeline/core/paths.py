"""Every path of the project, spelled once.

`Paths` is relative to a workspace root: the repository, or a git worktree of it in which a run
with other parameters happens.
"""

from dataclasses import dataclass
from pathlib import Path

from pipeline.core.errors import ArtifactError

STATE_FOLDER = ".modelyard"


@dataclass(frozen=True)
class Paths:
    """Where one stage (or, with an empty `stage`, a flow) reads and writes.

    Attributes:
        root: the workspace: the folder that holds `dvc.yaml`.
        stage: the name of the stage whose output folder `out` is.
    """

    root: Path
    stage: str = ""

    @property
    def params(self) -> Path:
        return self.root / "params.yaml"

    @property
    def dag(self) -> Path:
        return self.root / "dvc.yaml"

    @property
    def code_lock(self) -> Path:
        return self.root / "code.lock.json"

    @property
    def machine(self) -> Path:
        return self.root / "machine.json"

    @property
    def data(self) -> Path:
        """The user's own files, versioned with the project."""
        return self.root / "data"

    @property
    def annotations(self) -> Path:
        return self.root / "annotations"

    @property
    def artifacts(self) -> Path:
        return self.root / "artifacts"

    @property
    def out(self) -> Path:
        """The running stage's own folder."""
        return self.artifacts / self.stage

    @property
    def state(self) -> Path:
        """What git and DVC ignore: releases, checkpoints, logs, pid files."""
        return self.root / STATE_FOLDER

    @property
    def checkpoints(self) -> Path:
        """Training checkpoints of the running stage: outside DVC's outputs, so they outlive a kill."""
        return self.state / "checkpoints" / self.stage

    def output(self, stage: str) -> Path:
        """The folder that another stage wrote."""
        return self.artifacts / stage

    def read(self, stage: str, *parts: str) -> Path:
        """A file or folder that an earlier stage left.

        Raises:
            ArtifactError: it is not there.
        """
        path = self.artifacts.joinpath(stage, *parts)
        if not path.exists():
            raise ArtifactError(
                f"{path.relative_to(self.root)} is missing",
                expected=f"the output of stage {stage}",
                next_step="run `make pipeline`, which builds what is missing",
            )
        return path
