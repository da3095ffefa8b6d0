"""A build in MLflow, written from one thread beside the stages.

Everything that MLflow is told goes through one queue, in order: its first use migrates a database,
its import takes seconds, and neither may hold a stage up. Trouble with MLflow never ends a build
that trained for twenty minutes; it is said at once and again at the end, and the build then exits
with an error though its results stay.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from flows.tracking.mlflow_store import MlflowStore, output_tags, read_curve
from pipeline.core.paths import Paths
from pipeline.core.progress import say

CURVE_SECONDS = 5.0


class Tracking:
    """One build's way to MLflow. No method raises; `error` holds the first trouble."""

    def __init__(self, root: Path, *, workspace: Path, experiment: str, title: str) -> None:
        self.error: str | None = None
        self.run_id: str | None = None
        self._workspace = workspace
        self._store: MlflowStore | None = None
        self._stages: dict[str, str] = {}
        self._rows: dict[str, int] = {}
        self._queue = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mlflow")
        self._tell(lambda: self._open(root, experiment, title))

    def start_stage(self, name: str) -> None:
        """Open the run of a stage."""

        def tell(store: MlflowStore) -> None:
            self._stages[name] = store.start_stage(name)

        self._write(tell)

    @contextmanager
    def live_curve(self, name: str) -> Iterator[Callable[[], None]]:
        """Log new rows of the stage's curve every few seconds, from the moment the yielded call is made.

        Not earlier: until the stage has started, the file is the one of the build before.
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
        """Log the rest of the curve and all the stage left."""
        outputs = output_tags(Paths(self._workspace, name))  # now: the next stage's DVC rewrites it
        self._log_curve(name)
        self._write(
            lambda store: store.finish_stage(
                self._stages[name], name, state=state, seconds=seconds, outputs=outputs
            )
        )

    def fail_stage(self, name: str, message: str) -> None:
        """Close the run of a stage that failed."""
        self._write(lambda store: store.fail_stage(self._stages[name], message))

    def finish_build(self, *, succeeded: bool) -> None:
        """Close the parent run and wait until everything is written."""
        self._write(lambda store: store.finish_build(succeeded=succeeded))
        self._queue.shutdown(wait=True)

    def _open(self, root: Path, experiment: str, title: str) -> None:
        store = MlflowStore(root, workspace=self._workspace, experiment=experiment)
        self.run_id = store.start_build(title)
        self._store = store

    def _log_curve(self, name: str) -> None:
        path = Paths(self._workspace, name).out / "curve.csv"

        def tell(store: MlflowStore) -> None:
            rows = read_curve(path)
            store.log_rows(self._stages[name], rows[self._rows.get(name, 0) :])
            self._rows[name] = max(self._rows.get(name, 0), len(rows))

        self._write(tell)

    def _write(self, tell: Callable[[MlflowStore], None]) -> None:
        def with_store() -> None:
            if self._store is not None:
                tell(self._store)

        self._tell(with_store)

    def _tell(self, work: Callable[[], None]) -> Future[None]:
        return self._queue.submit(self._guarded, work)

    def _guarded(self, work: Callable[[], None]) -> None:
        if self.error is not None:
            return  # one trouble is told once; a store that is broken would only repeat it
        try:
            work()
        except Exception as error:  # whatever MLflow raises: the build's results matter more
            self.error = f"{type(error).__name__}: {error}"
            say(f"WARNING  MLflow cannot be written, this build will not be recorded: {self.error}")


@contextmanager
def tracked(root: Path, *, workspace: Path, experiment: str, title: str) -> Iterator[Tracking]:
    """A Tracking that is closed as failed when the block raises."""
    tracking = Tracking(root, workspace=workspace, experiment=experiment, title=title)
    try:
        yield tracking
    except BaseException:
        tracking.finish_build(succeeded=False)
        raise
    tracking.finish_build(succeeded=True)
