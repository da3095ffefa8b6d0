"""Where training runs and in which arithmetic: decided by flags and by what the machine has, never by timing."""

import os
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import torch

from pipeline.core.params import Compute
from pipeline.training.fast.memory import keep_freed_memory

_BFLOAT16_INSTRUCTIONS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})


def prepare_device(compute: Compute) -> torch.device:
    """Set thread count, determinism and the allocator; return the device that `compute.device` names."""
    torch.set_num_threads(compute.threads)
    keep_freed_memory()
    torch.use_deterministic_algorithms(mode=True)
    # Filling fresh memory guards against reading it unwritten; it costs time and changes nothing here.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    device = compute.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device.startswith("cuda"):
        # cuBLAS is deterministic only with a workspace of fixed size; read when it is first used.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    return torch.device(device)


def autocast(compute: Compute, device: torch.device) -> AbstractContextManager[None]:
    """The arithmetic of the forward pass: bfloat16 autocast, or float32."""
    if uses_bfloat16(compute, device):
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return nullcontext()


def uses_bfloat16(compute: Compute, device: torch.device) -> bool:
    """Whether `compute.precision` says so, or leaves it to a device that has the instructions."""
    chosen = {"bfloat16": True, "float32": False}.get(compute.precision)
    return has_bfloat16(device) if chosen is None else chosen


def has_bfloat16(device: torch.device) -> bool:
    """Whether the processor multiplies bfloat16 in hardware. Without it, bfloat16 is 100 times slower."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.exists():
        return False
    return bool(_BFLOAT16_INSTRUCTIONS & set(cpuinfo.read_text(encoding="utf-8").split()))
