"""Keep one interpreter with torch and transformers imported while a build runs (docs/adr/0009).

They take about eight seconds to import on two cores, and nine stages need them.
"""

import sys
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from flows.execution import stage_shell, warm_host
from flows.execution.locks import supervised
from flows.execution.runner import Runner

SOCKET_VARIABLE = "MODELYARD_WARM_SOCKET"
HEAVY_STAGES = {
    *("prepare", "pretrain", "finetune", "transfer", "distill"),
    *("prune", "export", "evaluate", "measure"),
}
LIBRARIES = (
    "torch",
    "transformers.modeling_layers",
    "transformers.models.auto.modeling_auto",
    "transformers.models.auto.tokenization_auto",
    "transformers.models.bert.modeling_bert",
    "sklearn.metrics",
    "scipy.stats",
    "pydantic",
    "pyarrow.parquet",
    "onnxruntime",
    "onnx",
    "matplotlib.backends.backend_agg",
)


def saves_time(stages: Collection[str]) -> bool:
    """Whether two or more of the stages are heavy. Forking torch is safe on Linux only."""
    return sys.platform == "linux" and len(HEAVY_STAGES.intersection(stages)) > 1


@contextmanager
def warm_runner(runner: Runner, libraries: Sequence[str] = LIBRARIES) -> Iterator[Runner]:
    """Starts a host; yields a runner whose stages use it. It ends with the block.

    It does not listen before it has imported everything; until then stages start their own
    interpreter.
    """
    # The system limits the length of a socket's path: a folder of the project may lie too deep.
    with tempfile.TemporaryDirectory(prefix="modelyard-") as folder:
        path = str(Path(folder) / "warm")
        runner.logs.mkdir(parents=True, exist_ok=True)
        own = {"SHELL": str(stage_shell.__file__), SOCKET_VARIABLE: path}
        with (
            (runner.logs / "warm.log").open("wb") as output,
            supervised(
                [sys.executable, "-P", str(warm_host.__file__), path, *libraries],
                cwd=runner.workspace,
                env=runner.environment,
                stdout=output,
                pass_fds=[runner.lock],
            ),
        ):
            yield replace(runner, environment={**runner.environment, **own})
