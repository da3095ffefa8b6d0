"""Opens ONNX Runtime sessions with settings for small requests on a shared machine."""

import ctypes
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.core.cores import available_cores
from pipeline.core.errors import unusable
from pipeline.core.telemetry import switch_off_telemetry
from pipeline.runtime.file_bytes import FileBytes, bytes_of

if TYPE_CHECKING:
    import onnxruntime as ort

_DISABLED = ["SkipLayerNormFusion"]
"""On short texts the fused operator is five times slower than the addition and norm it replaces."""


def open_session(model: Path | FileBytes, threads: int | None = None) -> "ort.InferenceSession":
    """A CPU session of an ONNX file with `threads`, at most one for each core; None takes all."""
    model = bytes_of(model)
    switch_off_telemetry()
    import onnxruntime as ort  # it reports from its import on

    cores = available_cores()
    try:
        session = ort.InferenceSession(
            model.content,
            sess_options=_options(min(threads or cores, cores)),
            providers=["CPUExecutionProvider"],
            disabled_optimizers=_DISABLED,
        )
    # ONNX Runtime's exceptions have no common base but Exception.
    except Exception as error:
        raise unusable(
            f"{model.name} does not load: {str(error)[:300]}",
            expected="an ONNX model that ONNX Runtime can run",
        ) from error
    # It keeps the bytes in case the providers are changed, which nobody does here.
    session._model_bytes = None
    _return_freed_memory()
    return session


def _return_freed_memory() -> None:
    """Gives back what loading has freed; glibc would keep several times the model's size for later."""
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)


def _options(threads: int) -> "ort.SessionOptions":
    """Options that keep memory constant and the processor idle between requests."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    # The arena and the memory patterns would keep blocks for each length of text.
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    # Spinning threads answer microseconds sooner but occupy the core that the next request needs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    options.log_severity_level = 3
    return options
