"""A running server's note about itself: its address, its workers and what each serves.

The server writes it (`pipeline/serving/supervisor.py`); a release reads it, for a new bundle is in
production only when every worker serves it.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from pipeline.core.errors import ArtifactError
from pipeline.core.files import read_json, write_json
from pipeline.core.process_identity import ProcessIdentity
from pipeline.core.typed_json import MismatchError, read_as

Phase = Literal["starting", "serving", "leaving"]


@dataclass(frozen=True, kw_only=True)
class WorkerNote:
    """One worker of a server.

    Attributes:
        code: `served_code` of the folder when it was started.
        phase: `leaving` once it takes no new work and finishes what it has.
        hash: the bundle that it serves; None before the first.
        refused: the bundle that it was told to serve and could not; None if it could.
        reason: why, or why it cannot read its pointer; None if all is well.
    """

    process: ProcessIdentity
    code: str
    phase: Phase = "starting"
    hash: str | None = None
    refused: str | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class ServerNote:
    """A server: its supervisor's process, its address and its workers.

    Attributes:
        troubles: how often a worker was lost, or new code did not start.
        trouble: the last of these.
    """

    process: ProcessIdentity
    host: str
    port: int
    url: str
    workers: tuple[WorkerNote, ...] = ()
    troubles: int = 0
    trouble: str | None = None

    @property
    def staying(self) -> tuple[WorkerNote, ...]:
        """The workers that answer, or soon will."""
        return tuple(worker for worker in self.workers if worker.phase != "leaving")

    def serves(self, bundle_hash: str) -> bool:
        """Whether every worker serves the bundle."""
        return bool(self.staying) and all(w.hash == bundle_hash for w in self.staying)

    def refusal(self, bundle_hash: str) -> str | None:
        """Why a worker refused the bundle; None if none did."""
        reasons = (w.reason for w in self.staying if w.refused == bundle_hash)
        return next(reasons, None)

    def save(self, path: Path) -> None:
        write_json(path, asdict(self))

    @classmethod
    def load(cls, path: Path) -> "ServerNote":
        """Reads a note.

        Raises:
            ArtifactError: it is missing, or of another shape.
        """
        try:
            return read_as(cls, read_json(path))
        except MismatchError as error:
            raise ArtifactError(
                f"{path} with {error}",
                expected="what a server of this version writes",
                next_step="`make stop`, then `make serve`",
            ) from error
