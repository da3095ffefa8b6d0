"""Records a build in MLflow, from one thread beside the stages.

All calls of MLflow go through one queue, in order: its import takes seconds, its first use migrates
a database, and neither may delay a stage. An error of MLflow never ends a build that trained for
twenty minutes: it is printed at once and again at the end, and the build then exits with an error
while its results stay.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from flows.tracking.mlflow_store import MlflowStore, output_tags, read_curve
from pipeline.core.paths import Paths
from pipeline.core.progress import say

CURVE_SECONDS = 5.0


class Tracking:
    """Records one build. No method raises; `error` holds MLflow's first error."""

    def __init__(self, root: Path, *, workspace: Path, experiment: str, title: str) -> None:
        self.error: str | None = None
        self.run_id: str | None = None
        self._workspace = workspace
        self._store: MlflowStore | None = None
        self._stages: dict[str, str] = {}
        self._rows: dict[str, int] = {}
        self._queue = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mlflow")

        def open_store() -> None:
            store = MlflowStore(root, workspace=workspace, experiment=experiment)
            self.run_id = store.start_build(title)
            self._store = store

        self._queue.submit(self._guarded, open_store)

    def start_stage(self, name: str) -> None:
        """Opens the run of a stage."""
        self._write(lambda store: self._stages.update({name: store.start_stage(name)}))

    @contextmanager
    def live_curve(self, name: str) -> Iterator[Callable[[], None]]:
        """Logs new rows of the stage's curve every few seconds, once the yielded function is called.

        Not earlier: before the stage starts, the file is that of the former build.
        """
        started, ended = threading.Event(), threading.Event()

        def watch() -> None:
            started.wait()
            while not ended.wait(CURVE_SECONDS):
                self._log_curve(name)

        thread = threading.Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield started.set
        finally:
            ended.set()
            started.set()
            thread.join()

    def finish_stage(self, name: str, *, state: str, seconds: float) -> None:
        """Logs the rest of the curve and the stage's results."""
        outputs = output_tags(Paths(self._workspace, name))  # now: the next stage's DVC rewrites it
        self._log_curve(name)
        self._write(
            lambda store: store.finish_stage(
                self._stages[name], name, state=state, seconds=seconds, outputs=outputs
            )
        )

    def fail_stage(self, name: str, message: str) -> None:
        """Closes the run of a stage that failed."""
        self._write(lambda store: store.fail_stage(self._stages[name], message))

    def finish_build(self, *, succeeded: bool) -> None:
        """Closes the parent run and waits until everything is written."""
        self._write(lambda store: store.finish_build(succeeded=succeeded))
        self._queue.shutdown(wait=True)

    def _log_curve(self, name: str) -> None:
        path = Paths(self._workspace, name).out / "curve.csv"

        def write(store: MlflowStore) -> None:
            rows = read_curve(path)
            store.log_rows(self._stages[name], rows[self._rows.get(name, 0) :])
            self._rows[name] = max(self._rows.get(name, 0), len(rows))

        self._write(write)

    def _write(self, write: Callable[[MlflowStore], None]) -> None:
        def with_store() -> None:
            if self._store is not None:
                write(self._store)

        self._queue.submit(self._guarded, with_store)

    def _guarded(self, work: Callable[[], None]) -> None:
        if self.error is not None:
            return  # a broken store would only repeat its error
        try:
            work()
        except Exception as error:  # whatever MLflow raises: the build's results matter more
            self.error = f"{type(error).__name__}: {error}"
            say(f"WARNING  MLflow cannot be written, this build will not be recorded: {self.error}")


@contextmanager
def tracked(root: Path, *, workspace: Path, experiment: str, title: str) -> Iterator[Tracking]:
    """Yields a Tracking, which is closed as failed where the block raises."""
    tracking = Tracking(root, workspace=workspace, experiment=experiment, title=title)
    try:
        yield tracking
    except BaseException:
        tracking.finish_build(succeeded=False)
        raise
    tracking.finish_build(succeeded=True)
