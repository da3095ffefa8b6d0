"""Keep an interpreter with the heavy libraries warm for as long as a build runs (docs/adr/0009).

torch and transformers take about eight seconds to import on two cores, and nine stages need them.
"""

import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from flows.execution import stage_shell, supervise, warm_host
from flows.execution.locks import stop_supervised
from flows.execution.runner import Runner

SOCKET_VARIABLE = "MODELYARD_WARM_SOCKET"
HEAVY_STAGES = frozenset(
    ("prepare", "pretrain", "finetune", "transfer", "distill", "prune", "export", "evaluate")
) | {"measure"}
LIBRARIES = (
    "torch",
    "transformers.modeling_layers",
    "transformers.models.auto.modeling_auto",
    "transformers.models.auto.tokenization_auto",
    "transformers.models.bert.modeling_bert",
    "sklearn.metrics",
    "scipy.stats",
)


def pays(stages: Collection[str]) -> bool:
    """Whether a warm interpreter saves time: two stages that need it. Forking it is safe on Linux only."""
    return sys.platform == "linux" and len(HEAVY_STAGES.intersection(stages)) > 1


@contextmanager
def warm_runner(runner: Runner, stages: Collection[str]) -> Iterator[Runner]:
    """The runner, with a warm interpreter for its stages where that saves time."""
    if not pays(stages):
        yield runner
        return
    log = runner.logs / "warm.log"
    with warm_interpreter(
        runner.workspace, runner.environment, lock=runner.lock, log=log
    ) as environment:
        yield replace(runner, environment=environment)


@contextmanager
def warm_interpreter(
    workspace: Path,
    environment: Mapping[str, str],
    *,
    lock: int,
    log: Path,
    libraries: Sequence[str] = LIBRARIES,
) -> Iterator[dict[str, str]]:
    """Start a host; yields the environment under which DVC's stages use it. It ends with the block.

    Until it has imported everything it does not listen, and stages start an interpreter of their own.
    """
    # A socket's path is short by law of the system: a folder of the project may lie too deep.
    with tempfile.TemporaryDirectory(prefix="modelyard-") as folder:
        path = str(Path(folder) / "warm")
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-P", str(supervise.__file__)),
                    *(sys.executable, "-P", str(warm_host.__file__), path, *libraries),
                ],
                cwd=workspace,
                env=dict(environment),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
                pass_fds=[lock],
            )
        try:
            yield {**environment, "SHELL": str(stage_shell.__file__), SOCKET_VARIABLE: path}
        finally:
            stop_supervised(process)
