"""machine.json: the properties of this machine that decide how fast a model answers.

Stage `measure` depends on it: it runs again on another processor, and not on the same one.
"""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

from pipeline.core.chosen_environment import chosen_environment
from pipeline.core.cores import available_cores
from pipeline.core.files import read_json, write_json
from pipeline.core.paths import Paths

_FLAGS = {
    *("avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_int8", "amx_bf16"),
    *("asimd", "asimddp", "i8mm", "bf16", "sve"),
}


def describe_machine() -> dict[str, Any]:
    """Processor, architecture, usable cores, instruction sets that matter, runtime version."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        name, flags = parse_cpuinfo(information.read_text(encoding="utf-8", errors="replace"))
    else:
        name = _sysctl("machdep.cpu.brand_string") or platform.processor()
        flags = _mac_flags()
    return {
        "processor": name,
        "architecture": platform.machine(),
        "system": platform.system(),
        "cores": available_cores(),
        "instruction_sets": sorted(flags.intersection(_FLAGS)),
        "onnxruntime": importlib.metadata.version("onnxruntime"),
    }


def refresh_machine(root: Path) -> bool:
    """Writes machine.json where it is missing or of another machine; True when it was written."""
    path, now = Paths(root).machine, describe_machine()
    if path.exists() and read_json(path) == now:
        return False
    write_json(path, now)
    return True


def parse_cpuinfo(text: str) -> tuple[str, set[str]]:
    """Name and flags of the first processor in /proc/cpuinfo of x86 or arm64."""
    fields: dict[str, str] = {}
    for line in text.splitlines():
        key, separator, value = line.partition(":")
        if separator:
            fields.setdefault(key.strip(), value.strip())
    flags = set(f"{fields.get('flags', '')} {fields.get('Features', '')}".split())
    arm = f"arm {fields.get('CPU implementer', '')} {fields.get('CPU part', '')}".strip()
    return fields.get("model name") or arm, flags


def _mac_flags() -> set[str]:
    """Instruction sets of a Mac: Apple Silicon has a key for each, Intel one line for all."""
    if platform.machine() == "arm64":
        features = {"FEAT_DotProd": "asimddp", "FEAT_I8MM": "i8mm", "FEAT_BF16": "bf16"}
        found = {flag for key, flag in features.items() if _sysctl(f"hw.optional.arm.{key}") == "1"}
        return {"asimd", *found}
    return set(_sysctl("machdep.cpu.leaf7_features").lower().split())


def _sysctl(name: str) -> str:
    """A value of macOS's sysctl; empty where it has none."""
    command = ["/usr/sbin/sysctl", "-n", name]
    answer = subprocess.run(
        command, env=chosen_environment(os.environ), capture_output=True, text=True, check=False
    )
    return answer.stdout.strip()
