"""Run stages with DVC: their output is streamed, their processes supervised, failures undone.

Every command is a `dvc` process of its own under flows/execution/supervise.py. Lines that a stage
prints go to a log file and to a listener (console and Prefect); DVC's own remarks go to the log
alone.
"""

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, Literal

from flows.execution.dvc_output import Transcript, is_noise
from flows.execution.locks import WORKSPACE_VARIABLE, supervised
from pipeline.core.chosen_environment import chosen_environment
from pipeline.core.errors import PipelineError
from pipeline.core.failure import CRASH, StageFailure, load_failure
from pipeline.core.files import read_json
from pipeline.core.params import Params, load_params, parse_yaml
from pipeline.core.paths import Paths
from pipeline.core.stage import headline

Listener = Callable[[str], None]

SILENCE_SECONDS = 10.0


class StageFailedError(PipelineError):
    """A stage failed; its former outputs are restored."""

    def __init__(self, failure: StageFailure, *, log: Path) -> None:
        super().__init__(failure.got, expected=failure.expected, next_step=failure.next_step)
        self.failure = failure
        self.log = log

    def __str__(self) -> str:
        return f"{self.failure.stage} failed\n  {super().__str__()}\n  log: {self.log}"


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
    """Runs DVC in one workspace; supervisors inherit `lock`, the build lock's descriptor."""

    workspace: Path
    logs: Path
    environment: Mapping[str, str] = field(repr=False)
    lock: int

    def run(self, stage: str, listen: Listener = print, *, force: bool = False) -> StageResult:
        """Brings one stage up to date (its parents must be); `listen` is called with its lines.

        Raises:
            StageFailedError: it failed; its recorded outputs are checked out again.
        """
        started = time.monotonic()
        Paths(self.workspace, stage).failure.unlink(missing_ok=True)
        command = ["repro", "-s", *(["--force"] if force else []), stage]
        code, transcript = self._dvc(command, name=stage, listen=listen)
        if code:
            lock = Paths(self.workspace).dvc_lock
            recorded = parse_yaml(lock.read_text(encoding="utf-8")) if lock.exists() else {}
            if stage in recorded.get("stages", {}):
                self.checkout(stage)
            failure = load_failure(self.workspace, stage) or StageFailure(
                stage=stage,
                kind=CRASH,
                got=transcript.tail(),
                expected=f"stage {stage} to end without an error",
                next_step="read the log named below; it holds the whole traceback",
            )
            raise StageFailedError(failure, log=self.logs / f"{stage}.log")
        seconds, result = time.monotonic() - started, cached_result(self.workspace, stage)
        return replace(result, state="ran" if transcript.ran else "cached", seconds=seconds)

    def close(self) -> None:
        """Runs `dvc repro` over the whole DAG once more, which must find nothing to do."""
        code, transcript = self._dvc(["repro"], name="closing")
        if code or transcript.ran:
            raise PipelineError(
                f"the closing check found work: {', '.join(transcript.ran) or transcript.tail()}",
                expected="every stage up to date after the build",
                next_step="name all that the stage reads in its deps in dvc.yaml, then build again",
            )

    def checkout(self, *targets: str) -> None:
        """`dvc checkout`: outputs as dvc.lock records them; those not in the cache stay missing."""
        self._dvc(["checkout", "--force", "--allow-missing", *targets], name="checkout")

    def stale_stages(self) -> list[str]:
        """Stages whose parameters, code, inputs or outputs differ from what dvc.lock records.

        Their descendants may be stale too, which is known only after the stage has run.
        """
        command = [sys.executable, "-m", "dvc", "--wait-for-lock", "status", "--json"]
        workspace, env = self.workspace, self.environment
        answer = subprocess.run(
            command, cwd=workspace, env=env, capture_output=True, encoding="utf-8", check=False
        )
        try:
            status: dict[str, Any] = json.loads(answer.stdout)
        except ValueError as error:
            raise PipelineError(
                f"dvc status failed: {answer.stderr.strip() or answer.stdout.strip()}",
                expected="a dvc.yaml and a .dvc folder that DVC can read",
                next_step="run `dvc status -v` and mend what it names",
            ) from error
        return [name for name, changes in status.items() if changes != ["always changed"]]

    def _dvc(
        self, arguments: list[str], *, name: str, listen: Listener = lambda _: None
    ) -> tuple[int, Transcript]:
        """Runs a DVC command; returns exit code and output, which `<name>.log` keeps, too."""
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
                pass_fds=[self.lock],
            ) as process,
        ):
            assert process.stdout is not None  # noqa: S101 - PIPE was asked for
            for line in _with_heartbeat(process.stdout, name):
                transcript.add(line)
                stream.write(f"{line}\n")
                stream.flush()
                if not is_noise(line):
                    listen(line)
            return process.wait(), transcript


def _with_heartbeat(stream: IO[str], name: str) -> Iterator[str]:
    """Yields the lines of a stream, and a line of its own when the stream is silent for long."""
    lines: queue.Queue[str | None] = queue.Queue()

    def pump() -> None:
        with suppress(ValueError):  # the stream was closed under us: the build is being stopped
            for line in stream:
                lines.put(line.rstrip("\r\n"))
        lines.put(None)

    threading.Thread(target=pump, daemon=True).start()
    started = time.monotonic()
    while True:
        try:
            line = lines.get(timeout=SILENCE_SECONDS)
        except queue.Empty:
            yield f"{name}  still working ({time.monotonic() - started:.0f} s)"
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
    (_dvc_state(workspace) / "repo").mkdir(parents=True, exist_ok=True)
    return Runner(
        workspace=workspace,
        logs=logs if workspace == root else logs / workspace.name,
        environment=stage_environment(params, workspace=workspace),
        lock=lock,
    )


def _dvc_state(workspace: Path) -> Path:
    """The folder where DVC notes which files it has read."""
    return Paths(workspace).state / "dvc"


def stage_environment(params: Params, *, workspace: Path) -> dict[str, str]:
    """The stages' environment: our Python, no telemetry, no hub, a fixed number of threads."""
    environment = chosen_environment(os.environ)
    threads = str(params.compute.threads)
    libraries = ("OMP", "MKL", "OPENBLAS", "RAYON")
    environment |= {f"{library}_NUM_THREADS": threads for library in libraries}
    environment |= {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), environment.get("PATH", "")]),
        "SHELL": "/bin/sh",
        "DVC_SITE_CACHE_DIR": str(_dvc_state(workspace)),
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
