"""Shared parts of the benchmarks: the parser, the files of a build, rounds of timings, the JSON line."""

import argparse
import json
import statistics
from collections.abc import Callable, Mapping
from pathlib import Path

from flows.planning.machine import describe_machine
from pipeline.core.errors import DataError


def new_parser(documentation: str) -> argparse.ArgumentParser:
    """A parser that describes itself with the first line of a module's docstring."""
    return argparse.ArgumentParser(description=documentation.splitlines()[0])


def built_file(root: Path, name: str) -> Path:
    """The file `artifacts/<name>` of a clone.

    Raises:
        DataError: nothing was built yet.
    """
    path = root / "artifacts" / name
    if not path.is_file():
        raise DataError(
            f"no artifacts/{name}",
            expected="the files of a build",
            next_step="run `NO_RELEASE=1 make pipeline` first",
        )
    return path


def median_rates(
    engines: Mapping[str, Callable[[], float]], *, rounds: int, unit: str = "tokens/s"
) -> dict[str, float]:
    """The median rate of each engine, in `unit`, over rounds in which they take turns."""
    rates: dict[str, list[float]] = {name: [] for name in engines}
    for number in range(1, rounds + 1):
        for name, measure in engines.items():
            rates[name].append(measure())
            print(f"round {number}/{rounds}  {name}  {rates[name][-1]:,.4g} {unit}", flush=True)
    return {name: statistics.median(found) for name, found in rates.items()}


def print_result(
    benchmark: str,
    *,
    ratios: Mapping[str, float | None],
    figures: Mapping[str, object],
    machine: Mapping[str, object] | None = None,
) -> None:
    """Prints the benchmark's last line, one JSON object; `machine` defaults to this one."""
    found = {"machine": machine or describe_machine(), "ratios": ratios, "figures": figures}
    print(json.dumps({"benchmark": benchmark, **found}))
