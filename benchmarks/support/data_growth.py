"""Memory and processor time of collect, validate and label as the data grow, each stage in its own process.

    python -m benchmarks.support.data_growth                                  # 1 and 10 million rows, and 1 GB
    python -m benchmarks.support.data_growth --rows 100000 1000000 --megabytes 0 --stages collect

A CSV of drawn English-like words (about 60 characters a row, two labels, every tenth row without one) is
written into a workspace of its own, and the stages run there one after the other as `dvc repro` runs
them. `…_mb` is the most memory that a stage held, `…_us_a_row` its processor time in microseconds a
row, and `…_us_ratio` that time at the most rows over that at the fewest. A gigabyte of texts of about
600 characters goes through collect alone. The last line is JSON.
"""

import argparse
import csv
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from flows.planning.resolution import Layers, Written, resolve, write_build_file
from pipeline.core.errors import DataError
from pipeline.core.params import read_mapping
from pipeline.core.paths import Paths

ROWS = (1_000_000, 10_000_000)
MEGABYTES = 1_000
STAGES = ("collect", "validate", "label")

_REPOSITORY = Path(__file__).resolve().parents[2]
_SHORT, _LONG = 60, 600
"""Characters of a text, about."""
_WORDS = 50_000
_LETTER_WEIGHTS = {
    **dict.fromkeys("etaoinshr", 6),
    **dict.fromkeys("dlucmfwygpb", 2),
    **dict.fromkeys("vkxqjz", 1),
}
_UNLABELLED = 10
"""One row of so many has no label."""
_CHUNK = 10_000


@dataclass(frozen=True, slots=True)
class StageCost:
    """The most memory of a stage in megabytes, and its processor time in seconds."""

    megabytes: float
    seconds: float


def measure(
    rows: Sequence[int] = ROWS, *, megabytes: int = MEGABYTES, stages: Sequence[str] = STAGES
) -> dict[str, float]:
    """Most memory (MB) and processor time (microseconds a row) of each stage, by number of rows.

    Args:
        megabytes: size of a CSV that goes through collect alone; 0 leaves it out.
    """
    found: dict[str, float] = {}
    for count in rows:
        for stage, cost in _costs(stages, rows=count, characters=_SHORT).items():
            found[f"{stage}_{count}_mb"] = cost.megabytes
            found[f"{stage}_{count}_us_a_row"] = cost.seconds / count * 1e6
    few, many = min(rows), max(rows)
    for stage in stages if few < many else ():
        later, before = (found[f"{stage}_{count}_us_a_row"] for count in (many, few))
        found[f"{stage}_us_ratio"] = later / before
    if megabytes:
        large = _costs(("collect",), rows=megabytes * 1_000_000 // _LONG, characters=_LONG)
        found[f"collect_of_{megabytes}_mb_mb"] = large["collect"].megabytes
    return found


def _costs(stages: Sequence[str], *, rows: int, characters: int) -> dict[str, StageCost]:
    """The cost of each stage in a new workspace with so many rows."""
    with tempfile.TemporaryDirectory(prefix="modelyard-growth-") as place:
        root = Path(place)
        _write_workspace(root, rows=rows, characters=characters)
        costs = {}
        for stage in stages:
            costs[stage] = _run(root, stage)
            told = f"{costs[stage].megabytes:,.0f} MB, {costs[stage].seconds:,.1f} s"
            print(f"{stage:<9} {rows:>11,} rows  {told}", flush=True)
        return costs


def _write_workspace(root: Path, *, rows: int, characters: int) -> None:
    for name in ("dvc.yaml", "code.lock.json", "params.yaml"):
        shutil.copy(_REPOSITORY / name, root / name)
    for folder in (Paths(root).data, Paths(root).annotations, Paths(root).splits):
        folder.mkdir()
    product = {
        "product": {"name": "growth", "labels": ["bad", "good"]},
        "sources": [
            {"name": "drawn", "path": "drawn.csv", "text_column": "text", "label_column": "label"}
        ],
    }
    recipe = read_mapping(root / "params.yaml", next_step="restore it")
    layers = Layers(
        recipe=Written(place="params.yaml", values=recipe),
        product=Written(place="product.yaml", values=product),
        changes=[Written(place="the benchmark", values={"compute.precision": "float32"})],
    )
    write_build_file(root, resolve(layers))
    with (Paths(root).data / "drawn.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["text", "label"])
        writer.writerows(_rows(rows, characters))


def _rows(count: int, characters: int) -> Iterator[tuple[str, str]]:
    """Texts of different words with a label, or with none; the same for the same arguments."""
    chance = random.Random(17)  # noqa: S311 - a sample, no secret
    letters, weights = [*_LETTER_WEIGHTS], [*_LETTER_WEIGHTS.values()]
    words = [
        "".join(chance.choices(letters, weights, k=chance.randrange(2, 10))) for _ in range(_WORDS)
    ]
    length = characters * _WORDS // sum(len(word) + 1 for word in words)
    for first in range(0, count, _CHUNK):
        drawn = chance.choices(words, k=_CHUNK * length)
        for row in range(min(_CHUNK, count - first)):
            label = "" if row % _UNLABELLED == 0 else chance.choice(("bad", "good"))
            yield " ".join(drawn[row * length : (row + 1) * length]), label


def _run(root: Path, stage: str) -> StageCost:
    """Runs a stage in the workspace; `DataError` with what it printed where it fails."""
    process = subprocess.run(
        [sys.executable, "-m", "benchmarks.support.stage_cost", stage],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(_REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode:
        raise DataError(
            f"{stage} failed: {process.stderr[-2000:]}",
            expected="a stage that runs through",
            next_step="run the benchmark with fewer `--rows`",
        )
    return StageCost(**json.loads(process.stdout))


def main() -> None:
    """Measures and prints one JSON line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[*ROWS])
    parser.add_argument("--megabytes", type=int, default=MEGABYTES)
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=[*STAGES])
    asked = parser.parse_args()
    found = measure(asked.rows, megabytes=asked.megabytes, stages=asked.stages)
    print(json.dumps({name: round(value, 3) for name, value in found.items()}))


if __name__ == "__main__":
    main()
