"""Where the demonstration product's build lies: benchmarks measure that one, whatever the user's is."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from flows.execution.locks import build_lock
from flows.execution.runner import open_runner
from flows.execution.workspace import last_build
from flows.planning.arithmetic import decided
from flows.planning.resolution import DEMONSTRATION, Variation, resolved
from pipeline.core.params import Params
from pipeline.core.paths import Paths


def demonstration_with(root: Path, changes: Sequence[str] = ()) -> Variation:
    """The variation that builds the demonstration product with changes, beside a user's product."""
    own = Paths(root).product.exists()
    return Variation(product=DEMONSTRATION.product if own else "", changes=changes)


def demonstration_params(root: Path, variation: Variation = DEMONSTRATION) -> Params:
    """Its parameters as a build would take them: the arithmetic of training is decided for this machine."""
    return decided(root, resolved(root, variation))


@contextmanager
def demonstration(root: Path) -> Iterator[Path]:
    """Yields the folder of its last build: the clone or, where that builds another product, a worktree.

    Raises:
        PipelineError: it was never built beside the user's product.
    """
    with last_build(root, demonstration_with(root)) as folder:
        if folder != root:
            with build_lock(folder) as lock:
                open_runner(folder, root=root, lock=lock).checkout()
        yield folder
