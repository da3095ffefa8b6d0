"""The retrainings that were started here, one file each in `.modelyard/retrains/`: why, what, how it ended.

A file is written when a run starts and again when it ends, so that a killed run is there too.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from flows.execution.runner import StageFailedError
from pipeline.core.errors import ArtifactError, PipelineError
from pipeline.core.files import read_json, write_json
from pipeline.core.paths import Paths
from pipeline.core.process_identity import Presence, ProcessIdentity, presence, this_process
from pipeline.core.typed_json import MismatchError, read_as

Answer = Literal["labels needed", "cannot be told"]
"""Endings of a build that found out that there is no model to train: neither is a failure."""
Ending = Literal["", "released", "kept", "unchanged", "failed", "cancelled"] | Answer
DONE: tuple[Ending, ...] = ("released", "kept", "unchanged", "cannot be told")
"""Endings after which the work of a key is done. Where labels are needed, it goes on when they are there."""
_KEPT = 1_000


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """One retraining.

    Attributes:
        started: UTC, ISO 8601; `ended` is empty while it runs, and where it was killed.
        reason: why it was started; `key`: of the trigger that asked for it, if it gave one.
        branch: with `commit`, what was built; empty for files as they were in the folder.
        left_out: files in the folder that differed from the commit.
        changes: `section.key=value` lines that the files do not say, of this run or kept.
        changed: what differs from the champion's build; None where that is not known.
        ending: empty while it runs.
        why: the reason of the ending.
        before: hash of the champion at the start; `now`: at the end; `candidate`: of the new model.
        comparisons: figures of the candidate against each model of the guard.
        results: commit that holds the results, where one was asked for.
    """

    id: str
    started: str
    reason: str
    process: ProcessIdentity
    key: str = ""
    product: str = ""
    branch: str = ""
    commit: str = ""
    left_out: list[str] = field(default_factory=list)
    snapshot: str = ""
    changes: list[str] = field(default_factory=list)
    changed: list[str] | None = None
    ended: str = ""
    ending: Ending = ""
    why: str = ""
    before: str | None = None
    now: str | None = None
    candidate: str | None = None
    comparisons: list[dict[str, Any]] = field(default_factory=list)
    results: str = ""

    @property
    def minutes(self) -> float | None:
        """How long it took; None where it has not ended."""
        if not self.ended:
            return None
        lasted = datetime.fromisoformat(self.ended) - datetime.fromisoformat(self.started)
        return lasted.total_seconds() / 60

    @property
    def end(self) -> str:
        """How it ended, in a word, killed and running ones too."""
        if self.ending:
            return self.ending
        words = {Presence.RUNNING: "running", Presence.ENDED: "killed"}
        return words.get(presence(self.process), f"on {self.process.host}")


class Run:
    """The record of a run that is under way; each note is on the disk when the call returns."""

    def __init__(self, folder: Path, record: RunRecord) -> None:
        self._folder, self.record = folder, record
        self.note()

    def note(self, **known: Any) -> None:
        """Writes down what is known now."""
        self.record = replace(self.record, **known)
        write_json(self._folder / f"{self.record.id}.json", asdict(self.record))

    def end(self, ending: Ending, why: str, **known: Any) -> None:
        """Writes down how the run ended and why."""
        self.note(ending=ending, why=why, ended=_now(), **known)


@contextmanager
def recorded(root: Path, *, reason: str, key: str = "") -> Iterator[Run]:
    """The record of a run. An error that leaves the block ends it as failed, or as cancelled."""
    folder, now = _folder(root), _now()
    folder.mkdir(parents=True, exist_ok=True)
    for old in sorted(folder.glob("*.json"))[: -_KEPT + 1]:
        old.unlink(missing_ok=True)
    process = this_process()
    name = f"{now[:-6].replace(':', '-')}-{process.pid}"
    run = Run(folder, RunRecord(id=name, started=now, reason=reason, process=process, key=key))
    try:
        yield run
    except BaseException as error:
        ending: Ending = "failed" if isinstance(error, Exception) else "cancelled"
        with suppress(OSError):  # the error itself is worth more than that it could not be noted
            run.end(ending, in_one_line(error))
        raise


@contextmanager
def once(root: Path, key: str) -> Iterator[RunRecord | None]:
    """The run that did the work of a key already; None where it is to be done now, within the block.

    Raises:
        PipelineError: another process is doing it.
    """
    if not key:
        yield None
        return
    name = hashlib.sha256(key.encode()).hexdigest()[:16]
    _folder(root).mkdir(parents=True, exist_ok=True)
    try:
        held = FileLock(_folder(root) / f"{name}.lock", blocking=False).acquire()
    except Timeout as error:
        raise PipelineError(
            f"the work of the key {key!r} is under way in another process",
            expected="one run of a key at a time",
            next_step="nothing: `modelyard why` shows how it ends",
        ) from error
    with held:
        yield done_before(root, key)


def done_before(root: Path, key: str) -> RunRecord | None:
    """The run that answered a key; a failed, cancelled or killed one did not, nor one
    that waits for labels.
    """
    return next((run for run in read_runs(root) if run.key == key and run.ending in DONE), None)


def read_runs(root: Path) -> Iterator[RunRecord]:
    """The runs, newest first. What is no record is passed over."""
    for path in sorted(_folder(root).glob("*.json"), reverse=True):
        with suppress(ArtifactError, MismatchError):
            yield read_as(RunRecord, read_json(path))


def in_one_line(error: BaseException) -> str:
    """Says what went wrong, and what to do where that is known."""
    if isinstance(error, PipelineError):
        stage = f"{error.failure.stage}: " if isinstance(error, StageFailedError) else ""
        return f"{stage}{error.got}; next: {error.next_step}"
    if not isinstance(error, Exception):
        return f"stopped ({type(error).__name__})"
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _folder(root: Path) -> Path:
    return Paths(root).state / "retrains"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
