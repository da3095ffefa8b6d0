"""Scores rows without a label in a process beside the annotation server, which ends with it.

The process imports torch and ONNX Runtime, which the server does not; it runs at a lower priority, and what it prints
is told line by line.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Protocol, cast

from flows.execution.rows_to_label import annotation_folder, build_artifacts
from pipeline.annotation.order_keeper import Rescore
from pipeline.annotation.score_file import SCORES_FILE
from pipeline.annotation.score_request import ScoreRequest
from pipeline.core.chosen_environment import chosen_environment
from pipeline.core.errors import PipelineError
from pipeline.core.params import Params
from pipeline.release.state import ReleaseState

MODULE = "pipeline.active_learning.score_rows"
_POLL_SECONDS = 0.2
_STOP_SECONDS = 5.0


class Scorer(Protocol):
    """Makes the function that scores rows; `rescoring` is one."""

    def __call__(
        self, request: ScoreRequest, *, root: Path, tell: Callable[[str], None]
    ) -> Rescore: ...


def rescoring(request: ScoreRequest, *, root: Path, tell: Callable[[str], None]) -> Rescore:
    """The function that runs the process and returns the file that it wrote.

    Args:
        tell: takes each line that the process prints.
    """

    def rescore(ends: threading.Event) -> Path:
        with subprocess.Popen(
            [sys.executable, "-m", MODULE],
            cwd=root,
            env=chosen_environment(os.environ) | _own(request),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        ) as process:
            return _followed(process, request, ends, tell)

    return rescore


def score_request(root: Path, params: Params, rows: Path) -> ScoreRequest:
    """The request to score the rows of a file, by the model that is released, if any.

    Args:
        root: the project's folder.
    """
    product = params.product.name
    artifacts = build_artifacts(root, product)
    state = ReleaseState(root, product)
    released = state.current()
    return ScoreRequest(
        folder=str(annotation_folder(root, product).resolve()),
        rows=str(rows.resolve()),
        problem=params.product.problem,
        labels=tuple(params.product.labels),
        pairs=params.product.pairs,
        checkpoint=params.prepare.checkpoint.model_dump(mode="json"),
        max_length=params.prepare.max_length,
        bundle=str(state.release(released).resolve()) if released else None,
        artifacts=str(artifacts.resolve()) if artifacts else None,
        seed=params.compute.seed,
        threads=1,
    )


def _followed(
    process: "subprocess.Popen[str]",
    request: ScoreRequest,
    ends: threading.Event,
    tell: Callable[[str], None],
) -> Path:
    """Waits for the process and tells what it prints; ends it where it is asked to.

    Raises:
        PipelineError: it failed, or was ended.
    """
    stdin, stdout, stderr = (cast(IO[str], end) for end in _pipes(process))
    said: list[str] = []
    readers = [
        threading.Thread(target=_read, args=(stdout, tell), daemon=True),
        threading.Thread(target=_read, args=(stderr, said.append), daemon=True),
    ]
    for reader in readers:
        reader.start()
    with suppress(BrokenPipeError):  # it has ended already; what it said tells why
        stdin.write(request.as_line() + "\n")
        stdin.flush()
    while process.poll() is None:
        if ends.wait(_POLL_SECONDS):
            process.terminate()
            process.wait(_STOP_SECONDS)
    for reader in readers:
        reader.join(_STOP_SECONDS)
    if process.returncode != 0:
        last = "\n".join(said).strip() or f"exit code {process.returncode}"
        raise PipelineError(
            f"the rows could not be scored: {last[-600:]}",
            expected="scores of rows without a label",
            next_step="mend that and start again, or choose `--order random`",
        )
    return Path(request.folder) / SCORES_FILE


def _pipes(process: "subprocess.Popen[str]") -> tuple[object, object, object]:
    return process.stdin, process.stdout, process.stderr


def _read(lines: IO[str], take: Callable[[str], object]) -> None:
    for line in lines:
        take(line.rstrip("\n"))


def _own(request: ScoreRequest) -> dict[str, str]:
    """Variables with which the process finds our code and runs as many threads as the request says."""
    return {
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "OMP_NUM_THREADS": str(request.threads),
        "TOKENIZERS_PARALLELISM": "false",
        "TRANSFORMERS_VERBOSITY": "error",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    }
