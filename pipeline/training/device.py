"""The device and the precision of training, as the parameters ask for them."""

import os
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import torch

from pipeline.core.errors import ParameterError
from pipeline.core.instructions import BFLOAT16
from pipeline.core.product import Compute
from pipeline.training.fast.memory import keep_freed_memory


def prepare_device(compute: Compute) -> torch.device:
    """Sets thread count, determinism and the allocator; returns the device of `compute.device`."""
    torch.set_num_threads(compute.threads)
    keep_freed_memory()
    torch.use_deterministic_algorithms(mode=True)
    # Filling new tensors guards against reading uninitialised memory, which nothing here does.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    device = compute.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device.startswith("cuda"):
        # cuBLAS is deterministic only with a workspace of fixed size; read at its first use.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    return torch.device(device)


def autocast(compute: Compute, device: torch.device) -> AbstractContextManager[None]:
    """The context of forward passes: bfloat16 autocast, or none for float32."""
    bfloat16 = uses_bfloat16(compute)
    return torch.autocast(device.type, dtype=torch.bfloat16) if bfloat16 else nullcontext()


def uses_bfloat16(compute: Compute) -> bool:
    """Whether training multiplies bfloat16.

    Raises:
        ParameterError: `compute.precision` is still `auto`, which flows decide before a stage starts.
    """
    if compute.precision == "auto":
        raise ParameterError(
            "compute.precision: auto inside a training",
            expected="float32 or bfloat16, as flows/planning/arithmetic.py decides for `auto`",
            next_step="start the stage with `modelyard stage NAME`, or name the precision",
        )
    return compute.precision == "bfloat16"


def has_bfloat16(device: torch.device) -> bool:
    """Whether the device multiplies bfloat16 in hardware; in software it is 100 times slower."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    cpuinfo = Path("/proc/cpuinfo")
    flags = cpuinfo.read_text(encoding="utf-8").split() if cpuinfo.exists() else []
    return not BFLOAT16.isdisjoint(flags)
