"""Counts the processor cores that this process may really use.

ONNX Runtime and `os.cpu_count()` see every core of the machine. A container is often allowed less,
by affinity or by a cgroup quota; threads beyond that limit only wait for each other.
"""

import math
import os
from pathlib import Path

CGROUP_FILE = Path("/proc/self/cgroup")
CGROUP_ROOT = Path("/sys/fs/cgroup")


def available_cores(cgroup_file: Path = CGROUP_FILE, cgroup_root: Path = CGROUP_ROOT) -> int:
    """Whole cores by affinity and cgroup quota (version 1 or 2), at least 1.

    A quota of 1.5 cores counts as 2: one thread would leave a third of it unused.
    """
    # macOS has no affinity call.
    has_affinity = hasattr(os, "sched_getaffinity")
    cores = len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1
    quota = quota_cores(cgroup_file, cgroup_root)
    return cores if quota is None else max(1, min(cores, math.ceil(quota)))


def quota_cores(cgroup_file: Path, cgroup_root: Path) -> float | None:
    """The cores that the strictest cgroup above this process grants; None without a limit."""
    quotas = map(_read_quota, _cgroup_folders(cgroup_file, cgroup_root))
    return min((quota for quota in quotas if quota is not None), default=None)


def _cgroup_folders(cgroup_file: Path, root: Path) -> list[Path]:
    """The cgroup of this process and all its parents, in both versions' trees."""
    folders: list[Path] = []
    for line in (_read(cgroup_file) or "").splitlines():
        _, controllers, name = line.split(":", 2)
        if controllers == "":
            base = root
        elif "cpu" in controllers.split(","):
            base = root / "cpu"
        else:
            continue
        folder = base / name.lstrip("/")
        # In a container the named folder may not be mounted; the root still shows the limit.
        folders += [folder, *(p for p in folder.parents if p == base or base in p.parents)]
    return folders


def _read_quota(folder: Path) -> float | None:
    """The cores that one cgroup folder grants, quota / period; None without a limit."""
    text = _read(folder / "cpu.max")
    if text is None:
        quota, period = _read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us")
        text = None if quota is None or period is None else f"{quota} {period}"
    if text is None:
        return None
    quota, period = text.split()
    return None if quota in ("max", "-1") else int(quota) / int(period)


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return None
