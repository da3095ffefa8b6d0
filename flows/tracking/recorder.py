"""Notes what happens in a run into its outbox; two tellers pass it on to Prefect and MLflow.

Nothing here waits for either, and no failure of theirs reaches the run. `recorded` is called once for a
flow, and what runs inside finds the recorder by `current_recorder`.
"""

import base64
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flows.tracking.facts import (
    BuildEnded,
    BuildStarted,
    Curve,
    Document,
    Fact,
    Page,
    Picture,
    Progress,
    RunEnded,
    RunStarted,
    Said,
    StageEnded,
    StageStarted,
    State,
    Table,
)
from flows.tracking.last_build import fill_run_ids
from flows.tracking.outbox import Outbox, untold_folder, untold_outboxes
from flows.tracking.stage_outputs import curve_points, left_by_stage, numbers_of, read_curve
from flows.tracking.teller import Teller
from pipeline.core.errors import PipelineError
from pipeline.core.paths import Paths
from pipeline.core.process_identity import this_process
from pipeline.core.progress import say

CURVE_SECONDS = 5.0
PROGRESS_SECONDS = 3.0
_RUN_ID_SECONDS = 20.0
_SHARE = re.compile(r"\s(\d{1,3})%(\s|$)")
_DOCUMENTS = (
    ("validate", "report.html"),
    ("gate", "scorecard.json"),
    ("gate", "verdict.json"),
    ("gate", "bundle/MODEL_CARD.md"),
)
_current: ContextVar["Recorder"] = ContextVar("recorder")


@dataclass
class Recorder:
    """One run of a flow; `message` is shown with its end, `mlflow` tells what MLflow calls its builds."""

    run: str
    outbox: Outbox
    mlflow: Teller
    message: str = ""
    builds: int = 0

    def note(self, fact: Fact) -> None:
        """Adds a fact to the outbox."""
        self.outbox.append(fact)

    def table(self, key: str, rows: Sequence[Mapping[str, Any]], *, about: str) -> None:
        """Shows a table on the run's page."""
        shown = [dict(row) for row in rows]
        self.note(Table(time=time.time(), key=key, rows=shown, description=about))

    def page(self, key: str, markdown: str) -> None:
        """Shows a text on the run's page."""
        self.note(Page(time=time.time(), key=key, markdown=markdown))

    @contextmanager
    def build(
        self, workspace: Path, *, experiment: str, title: str, tags: Mapping[str, str], kept: str
    ) -> Iterator["BuildRecord"]:
        """Yields the record of a build, which ends as the block does."""
        number, self.builds = self.builds, self.builds + 1
        started = BuildStarted(
            time=time.time(),
            build=number,
            experiment=experiment,
            title=title,
            tags=dict(tags),
            kept=kept,
        )
        self.note(started)
        record = BuildRecord(self, number=number, workspace=workspace)
        try:
            yield record
        except BaseException as error:
            self.note(BuildEnded(time=time.time(), build=number, state=state_of(error)))
            raise
        record.end()


@dataclass
class BuildRecord:
    """One build of a run."""

    recorder: Recorder
    number: int
    workspace: Path
    _shown: dict[str, float] = field(default_factory=dict)
    _rows: dict[str, int] = field(default_factory=dict)

    @property
    def mark(self) -> str:
        """Names this build among all."""
        return f"{self.recorder.run}/{self.number}"

    def run_id(self) -> str | None:
        """The id of the build's MLflow run, for which it waits a little; None while MLflow fails."""
        return self.recorder.mlflow.wait_for(str(self.number), seconds=_RUN_ID_SECONDS)

    def start_stage(self, name: str) -> None:
        """Notes that a stage begins."""
        self.recorder.note(StageStarted(time=time.time(), build=self.number, stage=name))

    def line(self, name: str, text: str) -> None:
        """Notes a line of a stage, and how far it is where the line says so."""
        now = time.time()
        self.recorder.note(Said(time=now, text=text, build=self.number, stage=name))
        match = _SHARE.search(text)
        if match and now - self._shown.get(name, 0.0) >= PROGRESS_SECONDS:
            self._shown[name] = now
            self._progress(name, min(float(match.group(1)), 100.0))

    @contextmanager
    def live_curve(self, name: str) -> Iterator[Callable[[], None]]:
        """Notes new rows of the stage's curve every few seconds, once the yielded function is called.

        Not earlier: before the stage starts, the file is that of the former build.
        """
        started, ended = threading.Event(), threading.Event()

        def watch() -> None:
            started.wait()
            while not ended.wait(CURVE_SECONDS):
                with suppress(OSError):
                    self._note_curve(name)

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield started.set
        finally:
            ended.set()
            started.set()
            thread.join()

    def finish_stage(self, name: str, *, ran: bool, headline: str, seconds: float) -> None:
        """Notes the rest of the curve and what the stage left. Call it while no stage runs.

        Raises:
            ArtifactError: its metrics.json cannot be read.
        """
        if name in self._shown:
            self._progress(name, 100.0)
        self._note_curve(name)
        paths = Paths(self.workspace, name)
        for plot in sorted(paths.out.glob("plots/*.png")):
            data = base64.b64encode(plot.read_bytes()).decode()
            picture = Picture(
                time=time.time(), build=self.number, stage=name, name=plot.stem, data=data
            )
            self.recorder.note(picture)
        self.recorder.note(
            StageEnded(
                time=time.time(),
                build=self.number,
                stage=name,
                state="completed",
                name="Completed" if ran else "Cached",
                message=headline,
                seconds=seconds,
                **left_by_stage(paths),
            )
        )

    def fail_stage(self, name: str, error: BaseException) -> None:
        """Notes how a stage ended that left no result; an answer is noted as no error."""
        now, state = time.time(), state_of(error)
        message, is_error = said_of(error), state != "completed"
        self.recorder.note(
            Said(time=now, text=message, build=self.number, stage=name, is_error=is_error)
        )
        ended = StageEnded(
            time=now,
            build=self.number,
            stage=name,
            state=state,
            name=state.capitalize(),
            message=message,
        )
        self.recorder.note(ended)

    def end(self) -> None:
        """Notes that the build ended well, with the gate's figures, and the documents for people."""
        now, gate = time.time(), Paths(self.workspace, "gate")
        for stage, name in _DOCUMENTS:
            file = Paths(self.workspace, stage).out / name
            if file.exists():
                text = file.read_text(encoding="utf-8")
                document = Document(time=now, build=self.number, name=file.name, text=text)
                self.recorder.note(document)
        figures = numbers_of(gate.out / "metrics.json")
        ended = BuildEnded(time=now, build=self.number, state="completed", figures=figures)
        self.recorder.note(ended)

    def _progress(self, name: str, share: float) -> None:
        fact = Progress(time=time.time(), build=self.number, stage=name, share=share)
        self.recorder.note(fact)

    def _note_curve(self, name: str) -> None:
        rows = read_curve(Paths(self.workspace, name).out / "curve.csv")
        new = rows[self._rows.get(name, 0) :]
        self._rows[name] = max(self._rows.get(name, 0), len(rows))
        if points := list(curve_points(new)):
            noted = Curve(time=time.time(), build=self.number, stage=name, points=points)
            self.recorder.note(noted)


def current_recorder() -> Recorder:
    """The recorder of the run that is going on."""
    return _current.get()


@contextmanager
def recorded(
    root: Path,
    tellers: Sequence[Teller],
    *,
    flow: str,
    title: str,
    parameters: Mapping[str, Any],
    flow_run: str | None = None,
) -> Iterator[Recorder]:
    """Yields the recorder of a new run, which ends as the block does.

    The tellers begin with what earlier runs could not tell. The last of them is MLflow's.
    """
    earlier = untold_outboxes(root)
    run = f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{uuid.uuid4().hex[:8]}"
    outbox = Outbox(untold_folder(root) / f"{run}.jsonl")
    outbox.reserve()
    outbox.append(
        RunStarted(
            time=time.time(),
            run=run,
            flow=flow,
            title=title,
            parameters=dict(parameters),
            process=this_process(),
            flow_run=flow_run,
        )
    )
    for teller in tellers:
        teller.start([*earlier, outbox])
    recorder = Recorder(run, outbox, tellers[-1])
    token = _current.set(recorder)
    try:
        yield recorder
    except BaseException as error:
        outbox.append(RunEnded(time=time.time(), state=state_of(error), message=said_of(error)))
        raise
    else:
        outbox.append(RunEnded(time=time.time(), state="completed", message=recorder.message))
    finally:
        _current.reset(token)
        _finish(root, tellers, [*earlier, outbox])


def tell_untold(root: Path, tellers: Sequence[Teller]) -> None:
    """Tells what earlier runs could not."""
    if earlier := untold_outboxes(root):
        say("Telling Prefect and MLflow what they could not be told before …")
        for teller in tellers:
            teller.start(earlier)
        _finish(root, tellers, earlier)


def _finish(root: Path, tellers: Sequence[Teller], outboxes: Sequence[Outbox]) -> None:
    """Waits for the tellers, says what they could not tell, and removes what is told."""
    for teller in tellers:
        if left := teller.finish():
            say(
                f"NOTE  {teller.name} was not told everything ({left} entries; {teller.error or 'slow'})."
                f" It is kept in {untold_folder(root).relative_to(root)} and told at the next start."
            )
    for outbox in outboxes:
        fill_run_ids(root, outbox, tellers[-1].ids(outbox))
        outbox.close([teller.name for teller in tellers])


def state_of(error: BaseException) -> State:
    """The state in which an error leaves what it ends."""
    if isinstance(error, PipelineError) and error.is_answer:
        return "completed"
    return "failed" if isinstance(error, Exception) else "cancelled"


def said_of(error: BaseException) -> str:
    """The error in words, for a person who did not see the terminal."""
    if isinstance(error, PipelineError):
        return str(error)
    if isinstance(error, Exception):
        return f"{type(error).__name__}: {error}"
    return "stopped: by Ctrl-C, `modelyard stop` or Cancel in Prefect"
