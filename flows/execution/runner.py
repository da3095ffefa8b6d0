"""Run stages with DVC: their output is streamed, their processes supervised, failures undone.

Every command is a `dvc` process of its own under flows/execution/supervise.py. Lines that a stage
prints go to a log file and to a listener (console and Prefect); DVC's own remarks go to the log
alone. Where a `dvc` that somebody runs by hand is in the way, a command says so, waits and tries
again; after ten minutes it gives up.
"""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, Literal

from flows.execution.dvc_locks import holder_of_dvc_lock
from flows.execution.dvc_output import Transcript, is_noise
from flows.execution.locks import WORKSPACE_VARIABLE, clean_dvc_locks, supervised
from flows.execution.single_flight import single_flight
from pipeline.core.chosen_environment import chosen_environment
from pipeline.core.errors import PipelineError
from pipeline.core.failure import CRASH, StageFailure, load_failure
from pipeline.core.files import read_json
from pipeline.core.params import Params, load_params, parse_yaml
from pipeline.core.paths import Paths
from pipeline.core.progress import say
from pipeline.core.stage import headline

Listener = Callable[[str], None]

_RETRY_SECONDS = 2.0
_SIGNALLED = 128


class StageFailedError(PipelineError):
    """A stage failed, and its former outputs are restored; or it ended the build with an answer."""

    def __init__(self, failure: StageFailure, *, log: Path) -> None:
        super().__init__(failure.got, expected=failure.expected, next_step=failure.next_step)
        self.is_answer = failure.is_answer
        self.failure = failure
        self.log = log

    @property
    def how(self) -> str:
        """How the stage, or its build, ended: words that follow its name."""
        if self.failure.labels_needed:
            return "waits for labels"
        return "ends with an answer" if self.is_answer else "failed"

    def __str__(self) -> str:
        return f"{self.failure.stage} {self.how}\n  {super().__str__()}\n  log: {self.log}"


@dataclass(frozen=True, kw_only=True)
class StageResult:
    """The end of a stage that did not fail.

    Attributes:
        state: `cached` where DVC found it unchanged or took the outputs from its cache.
        headline: the figure that the stage names in its metrics.
        seconds: wall time of the stage with DVC's share, 0 where nothing was done.
    """

    name: str
    state: Literal["ran", "cached"]
    headline: str
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Runner:
    """Runs DVC in one workspace; supervisors inherit `lock`, the build lock's descriptor.

    Attributes:
        patience: seconds that a command waits for a `dvc` that is not ours.
        silence: seconds without a line after which one is said for the command.
        flight: the descriptor of the lock of the work that runs (single_flight.py).
    """

    workspace: Path
    logs: Path
    environment: Mapping[str, str] = field(repr=False)
    lock: int
    patience: float = 600.0
    silence: float = 10.0
    flight: int | None = None

    def run(self, stage: str, listen: Listener = print, *, force: bool = False) -> StageResult:
        """Brings one stage up to date (its parents must be); `listen` is called with its lines.

        Raises:
            StageFailedError: it failed, and its recorded outputs are checked out again; or it found that
                nothing can be told, and what it wrote stays.
        """
        started, ooms = time.monotonic(), _out_of_memory_kills()
        Paths(self.workspace, stage).failure.unlink(missing_ok=True)
        command = ["repro", "-s", *(["--force"] if force else []), stage]
        with single_flight(self.workspace, stage, listen=listen) as flight:
            under_lock = replace(self, flight=flight)
            code, transcript = under_lock._dvc(command, name=stage, listen=listen)
        if code:
            failure = (
                load_failure(self.workspace, stage)
                or _without_room(stage, transcript, self.workspace)
                or _crash(stage, code, transcript, out_of_memory=_out_of_memory_kills() > ooms)
            )
            lock = Paths(self.workspace).dvc_lock
            recorded = parse_yaml(lock.read_text(encoding="utf-8")) if lock.exists() else {}
            # The verdict of an earlier build would take the place of the one that was just found.
            if stage in recorded.get("stages", {}) and not failure.cannot_be_told:
                self.checkout(stage)
            raise StageFailedError(failure, log=self.logs / f"{stage}.log")
        seconds, result = time.monotonic() - started, cached_result(self.workspace, stage)
        return replace(result, state="ran" if transcript.ran else "cached", seconds=seconds)

    def close(self) -> None:
        """Asks DVC whether every stage is up to date after a build; runs nothing."""
        if stale := self.stale_stages():
            raise PipelineError(
                f"the closing check finds stages to run: {', '.join(stale)}",
                expected="every stage up to date after the build",
                next_step="name all that the stage reads in its deps in dvc.yaml, then build again",
            )

    def checkout(self, *targets: str) -> None:
        """`dvc checkout`: outputs as dvc.lock records them; those not in the cache stay missing.

        Args:
            targets: stages; none for all. Files that `dvc add` tracks are the user's and stay as they are.
        """
        wanted = targets or (Paths(self.workspace).dag.name,)
        self._dvc(["checkout", "--force", "--allow-missing", *wanted], name="checkout")

    def track(self, file: str) -> None:
        """`dvc add`: puts a file into DVC's cache, and writes `<file>.dvc`, which names it, beside it.

        Raises:
            PipelineError: DVC could not.
        """
        code, transcript = self._dvc(["add", file], name="add")
        if full := transcript.full_disk(self.workspace):
            raise full
        if code:
            raise PipelineError(
                f"dvc add {file} failed: {transcript.tail()}",
                expected="a .dvc folder that DVC can read and write",
                next_step=f"run `dvc add -v {file}` and mend what it names",
            )

    def stale_stages(self) -> list[str]:
        """Stages whose parameters, code, inputs or outputs differ from what dvc.lock records.

        Their descendants may be stale too, which is known only after the stage has run. Files that `dvc add`
        tracks are no stages: where one of them is an input, its stage is asked.
        """

        def listen(line: str) -> None:
            if not line.startswith("{"):
                say(line)

        dag = Paths(self.workspace).dag.name
        code, transcript = self._dvc(["status", "--json", dag], name="status", listen=listen)
        answers = [line for line in transcript.lines if line.startswith("{")]
        if full := transcript.full_disk(self.workspace):
            raise full
        if code or not answers:
            raise PipelineError(
                f"dvc status failed: {' '.join(transcript.lines[-5:]).strip() or f'exit code {code}'}",
                expected="a dvc.yaml and a .dvc folder that DVC can read",
                next_step="run `dvc status -v` and mend what it names",
            )
        status: dict[str, Any] = json.loads(answers[-1])
        return [name for name, changes in status.items() if changes != ["always changed"]]

    def _dvc(
        self, arguments: list[str], *, name: str, listen: Listener = lambda _: None
    ) -> tuple[int, Transcript]:
        """Runs a DVC command, again while a `dvc` of somebody else uses the same files.

        Returns exit code and output, which `<name>.log` keeps, too.
        """
        deadline = time.monotonic() + self.patience
        while True:
            code, transcript = self._dvc_once(arguments, name=name, listen=listen)
            blockers = transcript.blockers() if code else None
            if blockers is None:
                return code, transcript
            if time.monotonic() > deadline:
                raise _in_the_way(f"DVC's files are in use by {blockers}", self.patience)
            listen(f"{name}  waits: {blockers} uses the same files; trying again")
            time.sleep(_RETRY_SECONDS)
            clean_dvc_locks(self.workspace)

    def _dvc_once(
        self, arguments: list[str], *, name: str, listen: Listener
    ) -> tuple[int, Transcript]:
        transcript, log = Transcript(), self.logs / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "dvc", "--wait-for-lock", *arguments]
        with (
            log.open("w", encoding="utf-8") as stream,
            supervised(
                command,
                cwd=self.workspace,
                env=self.environment,
                stdout=subprocess.PIPE,
                pass_fds=[lock for lock in (self.lock, self.flight) if lock is not None],
            ) as process,
        ):
            assert process.stdout is not None  # noqa: S101 - PIPE was asked for
            silence = _Silence(name, self, process.pid)
            for line in _lines_or_silence(process.stdout, self.silence):
                if line is None:
                    listen(silence.remark())
                    continue
                silence.ends()
                transcript.add(line)
                stream.write(f"{line}\n")
                stream.flush()
                if not is_noise(line):
                    listen(line)
            return process.wait(), transcript


@dataclass
class _Silence:
    """Says why a command prints nothing: it works, or it waits for a `dvc` that is not ours."""

    name: str
    runner: Runner
    supervisor: int
    started: float = field(default_factory=time.monotonic)
    waits_since: float | None = None

    def ends(self) -> None:
        """Takes note that the command printed a line."""
        self.waits_since = None

    def remark(self) -> str:
        """A line for the listener.

        Raises:
            PipelineError: the command has waited for another `dvc` longer than the runner's patience.
        """
        now, workspace, patience = time.monotonic(), self.runner.workspace, self.runner.patience
        if (holder := holder_of_dvc_lock(workspace, ours=self.supervisor)) is None:
            self.waits_since = None
            return f"{self.name}  still working ({now - self.started:.0f} s)"
        self.waits_since = self.waits_since or now - self.runner.silence
        waited = now - self.waits_since
        if waited > patience:
            raise _in_the_way(f"{holder} holds DVC's lock on {workspace}", patience)
        return f"{self.name}  waits for {holder}, which holds DVC's lock on this folder ({waited:.0f} s)"


def _in_the_way(got: str, seconds: float) -> PipelineError:
    return PipelineError(
        got,
        expected=f"it to end within {seconds:.0f} s: a build and a `dvc` by hand use the same files",
        next_step="wait until it ends, or end it, then run the same command again",
    )


def _without_room(stage: str, transcript: Transcript, workspace: Path) -> StageFailure | None:
    """The failure of a stage, or of DVC around it, that a full disk kept from writing why it failed."""
    full = transcript.full_disk(workspace)
    return StageFailure.of(stage, full) if full else None


def _crash(stage: str, code: int, transcript: Transcript, *, out_of_memory: bool) -> StageFailure:
    """The failure of a stage that did not say why it ended."""
    said = transcript.exit_code()
    who, number = (stage, said) if said is not None else ("DVC, which ran the stage,", code)
    killed = -number if number < 0 else number - _SIGNALLED
    if killed not in signal.valid_signals():
        got, next_step = transcript.tail(), "read the log named below; it holds the whole traceback"
    else:
        peak = transcript.peak_megabytes()
        got = f"{who} was killed by signal {killed} ({signal.Signals(killed).name})"
        got += ", as the kernel does when memory runs out" if out_of_memory else ""
        got += f"; peak memory {peak:,} MB" if peak is not None else ""
        next_step = (
            "give it more memory (end other programs, take smaller batches), then run the same command: "
            "a training goes on from its last checkpoint"
            if killed == signal.SIGKILL
            else "read the log named below, then run the same command"
        )
    expected = f"stage {stage} to end without an error"
    return StageFailure(stage=stage, kind=CRASH, got=got, expected=expected, next_step=next_step)


def _out_of_memory_kills() -> int:
    """How many processes of this machine the kernel has killed for memory; 0 where it does not say."""
    try:
        counters = Path("/proc/vmstat").read_text(encoding="ascii").split()
        return int(counters[counters.index("oom_kill") + 1])
    except (OSError, ValueError):
        return 0


def _lines_or_silence(stream: IO[str], seconds: float) -> Iterator[str | None]:
    """Yields the lines of a stream, and None each time that it was silent for so long."""
    lines: queue.Queue[str | None] = queue.Queue()

    def pump() -> None:
        with suppress(ValueError):  # the stream was closed under us: the build is being stopped
            for line in stream:
                lines.put(line.rstrip("\r\n"))
        lines.put(None)

    threading.Thread(target=pump, daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=seconds)
        except queue.Empty:
            yield None
            continue
        if line is None:
            return
        yield line


def cached_result(workspace: Path, stage: str) -> StageResult:
    """The result of a stage that had nothing to do; it has no headline without metrics."""
    metrics = Paths(workspace).output(stage) / "metrics.json"
    text = headline(read_json(metrics)) if metrics.exists() else ""
    return StageResult(name=stage, state="cached", headline=text)


def open_runner(workspace: Path, *, root: Path, lock: int) -> Runner:
    """A runner for the workspace, with its parameters checked; logs are kept in the main root."""
    params, logs = load_params(Paths(workspace).build), Paths(root).logs
    # DVC would make it for everybody to write.
    (Paths(workspace).dvc_state / "repo").mkdir(parents=True, exist_ok=True)
    Paths(workspace).splits.mkdir(exist_ok=True)  # git keeps no empty folder, and DVC asks for it
    return Runner(
        workspace=workspace,
        logs=logs if workspace == root else logs / workspace.name,
        environment=stage_environment(params, workspace=workspace),
        lock=lock,
    )


def stage_environment(params: Params, *, workspace: Path) -> dict[str, str]:
    """The stages' environment: our Python, no telemetry, no hub, a fixed number of threads."""
    environment = chosen_environment(os.environ)
    threads = str(params.compute.threads)
    libraries = ("OMP", "MKL", "OPENBLAS", "RAYON")
    environment |= {f"{library}_NUM_THREADS": threads for library in libraries}
    environment |= {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), environment.get("PATH", "")]),
        "SHELL": "/bin/sh",
        "DVC_SITE_CACHE_DIR": str(Paths(workspace).dvc_state),
        "PYTHONHASHSEED": "0",
        "PYTHONUNBUFFERED": "1",
        "TOKENIZERS_PARALLELISM": "true",
        "VECLIB_MAXIMUM_THREADS": threads,
        # Libraries' bars and load reports: the stages show progress of their own.
        "TQDM_DISABLE": "1",
        "TRANSFORMERS_VERBOSITY": "error",
        WORKSPACE_VARIABLE: str(workspace),
    }
    if params.prepare.checkpoint.kind != "hub":
        environment |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    return environment
