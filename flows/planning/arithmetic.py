"""arithmetic.json: float32 or bfloat16, whichever trains faster here, decided once a machine.

`compute.precision: auto` becomes the arithmetic that won the race of pipeline/training/precision_race.py,
before DVC looks at the parameters: a machine that trains in another one trains anew, and on one
machine neither a second build nor a noisy hour changes the answer.
"""

import importlib.metadata
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypedDict

from filelock import FileLock

from flows.planning.machine import describe_machine
from pipeline.core.chosen_environment import chosen_environment
from pipeline.core.errors import PipelineError
from pipeline.core.files import read_json, write_json
from pipeline.core.instructions import BFLOAT16
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.product import Compute
from pipeline.core.progress import say

Precision = Literal["float32", "bfloat16"]

_GAIN = 1.1
"""bfloat16 is less exact, so it has to be faster by more than races differ."""
_GPU_DRIVERS = (Path("/dev/nvidiactl"), Path("/dev/kfd"), Path("/dev/dxg"))
_CODE = Path(__file__).resolve().parents[2]


class Race(TypedDict):
    """The content of arithmetic.json.

    Attributes:
        machine: processor, cores and instruction sets, version of torch, threads and device: the race
            is run anew where one of them differs.
        seconds: of a training step, by arithmetic; without `bfloat16` where nothing multiplies it, and empty where
            that is known without a race.
    """

    machine: dict[str, str | int | list[str]]
    seconds: dict[str, float]


def decided(root: Path, params: Params) -> Params:
    """Returns the parameters with `compute.precision: auto` decided for this machine.

    Args:
        root: the main root, which keeps arithmetic.json for all its worktrees.
    """
    precision = training_precision(root, params.compute)
    compute = params.compute.model_copy(update={"precision": precision})
    return params.model_copy(update={"compute": compute})


def training_precision(root: Path, compute: Compute) -> Precision:
    """The arithmetic of training: the one asked for, or for `auto` the faster one on this machine.

    The race takes some seconds, and is run if arithmetic.json is missing or of another machine. Where
    nothing multiplies bfloat16 there is none.
    """
    return faster(race_here(root, compute)) if compute.precision == "auto" else compute.precision


def explained(root: Path, compute: Compute) -> str:
    """The arithmetic that `auto` comes to on this machine, in one sentence."""
    return in_words(race_here(root, compute, tell=lambda _: None))


def race_here(root: Path, compute: Compute, *, tell: Callable[[str], None] = say) -> Race:
    """The race of this machine, run if it is not in arithmetic.json yet.

    Args:
        tell: takes the lines for the person who waits.
    """
    path, machine = Paths(root).arithmetic, _machine(compute)
    with FileLock(Paths(root).state / "arithmetic.lock"):
        if (kept := _kept(path)) is not None and kept["machine"] == machine:
            return kept
        race: Race = {"machine": machine, "seconds": {}}
        if _may_multiply_bfloat16(compute):
            tell(
                "Choosing the arithmetic of training by the time of a step, once for this machine …"
            )
            race["seconds"] = _run(compute)
        write_json(path, race)
        tell(f"{in_words(race)} Kept in {path.name}.")
        return race


def faster(race: Race) -> Precision:
    """bfloat16 where it is faster by more than races differ, else float32."""
    seconds = race["seconds"]
    quick = "bfloat16" in seconds and seconds["float32"] > _GAIN * seconds["bfloat16"]
    return "bfloat16" if quick else "float32"


def in_words(race: Race) -> str:
    """The outcome in one sentence."""
    seconds = race["seconds"]
    if "bfloat16" not in seconds:
        return "Training uses float32: nothing here multiplies bfloat16."
    times = " and ".join(f"{value:.3f} s in {name}" for name, value in seconds.items())
    return f"Training uses {faster(race)}: a step takes {times} here."


def _may_multiply_bfloat16(compute: Compute) -> bool:
    """Whether bfloat16 can win: without instructions for it and without a GPU it cannot.

    It is asked of the system and not of torch, whose import takes longer than the race.
    """
    if compute.device not in ("auto", "cpu"):
        return True
    instructions = set(describe_machine()["instruction_sets"])
    gpu = compute.device == "auto" and any(driver.exists() for driver in _GPU_DRIVERS)
    return gpu or not instructions.isdisjoint(BFLOAT16)


def _kept(path: Path) -> Race | None:
    return read_json(path) if path.exists() else None


def _machine(compute: Compute) -> dict[str, str | int | list[str]]:
    here = describe_machine()
    del here["onnxruntime"]
    asked = {"threads": compute.threads, "device": compute.device}
    return {**here, "torch": importlib.metadata.version("torch"), **asked}


def _run(compute: Compute) -> dict[str, float]:
    """Seconds of a step by arithmetic, from a process of its own: flows do not import torch."""
    arguments = [str(compute.threads), compute.device]
    command = [sys.executable, "-m", "pipeline.training.precision_race", *arguments]
    environment = chosen_environment(os.environ)
    ended = subprocess.run(
        command, cwd=_CODE, env=environment, capture_output=True, text=True, check=False
    )
    if ended.returncode:
        raise PipelineError(
            f"the race of arithmetics ended with exit code {ended.returncode}: {ended.stderr[-500:]}",
            expected="the seconds of a training step in float32 and bfloat16",
            next_step="run `python -m pipeline.training.precision_race 2 cpu`, or set compute.precision",
        )
    seconds: dict[str, float] = json.loads(ended.stdout.splitlines()[-1])
    return seconds
