"""How long `modelyard data diff A B --json` takes for large versions, and whether it finds what a loop finds.

    python -m benchmarks.support.data_diff              # a million rows
    python -m benchmarks.support.data_diff --rows 1000

Two versions are made of drawn rows: of the second, some rows are gone, new, in another split, or have
another label, by votes or by the source. The time is that from the names to the JSON, the check of both files' hashes
included.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import yaml

from flows.execution.data_versions import compare_versions
from flows.planning.resolution import PLAIN
from pipeline.core.paths import Paths
from pipeline.data.versions import (
    SCHEMA,
    VOTES,
    VersionNote,
    add_note,
    figures_of,
    load,
    write_rows,
)
from pipeline.problem.problems import problem_named
from pipeline.text.split_assignment import SPLITS

ROWS = 1_000_000
_LABELS, _PEOPLE = ("bad", "good", "mixed"), ("ann", "bo", "cy")
_VOTED, _CHANGED = 0.1, 0.05
"""Share of rows with votes, and share of rows that differ in each way."""


def measure(rows: int = ROWS) -> dict[str, float]:
    """Rows, seconds of a comparison to JSON, rows that differ, and whether a loop finds the same (1 or 0)."""
    with tempfile.TemporaryDirectory(prefix="modelyard-diff-") as place:
        root = Path(place)
        before = _drawn(rows, seed=1)
        for name, table in (("a", before), ("b", _altered(before, seed=2))):
            _write_version(root, name, table)
        started = time.perf_counter()
        found = compare_versions(root, "a", "b", PLAIN).as_json()
        json.dumps(found)
        seconds = time.perf_counter() - started
        equal = {kind: found[kind] for kind in found["counts"]} == _by_loop(root)
    return {
        "rows": float(rows),
        "seconds": seconds,
        "differing": float(sum(found["counts"].values())),
        "equal_to_a_loop": float(equal),
    }


def _drawn(rows: int, *, seed: int) -> pa.Table:
    """Drawn rows, with texts of some 60 characters."""
    draw = np.random.default_rng(seed)
    numbers = pa.array(np.arange(rows)).cast(pa.string())
    ids = pc.utf8_lpad(numbers, 16, "0")
    labels = pa.array(_LABELS).take(pa.array(draw.integers(0, len(_LABELS), rows)))
    return pa.table(
        {
            "id": ids,
            "source": pa.array(["mail", "web"]).take(pa.array(draw.integers(0, 2, rows))),
            "text": pc.binary_join_element_wise(
                "a text of the row with the number", numbers, ids, " "
            ),
            "second": pa.nulls(rows, pa.string()),
            "label": labels,
            "target": _lists(np.ones(rows, dtype=np.int64), pa.array(draw.random(rows))),
            "cluster": ids,
            "split": pa.array(SPLITS).take(pa.array(draw.integers(0, len(SPLITS), rows))),
            "votes": _votes(draw.random(rows) < _VOTED, draw),
        },
        schema=SCHEMA,
    )


def _votes(voted: np.ndarray[Any, Any], draw: np.random.Generator) -> pa.ListArray:
    """A vote of every annotator on each row that is `voted`."""
    counts = np.where(voted, len(_PEOPLE), 0)
    given = pa.array(_LABELS).take(pa.array(draw.integers(0, len(_LABELS), counts.sum())))
    names = pa.array(_PEOPLE * int(voted.sum()), pa.string())
    pairs = pa.StructArray.from_arrays([names, given], fields=[*VOTES.value_type])
    return _lists(counts, pairs).cast(VOTES)


def _lists(counts: np.ndarray[Any, Any], values: pa.Array) -> pa.ListArray:
    ends = np.concatenate([[0], np.cumsum(counts)])
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), values)


def _altered(table: pa.Table, *, seed: int) -> pa.Table:
    """The rows in another order, some of them gone, new, moved, relabelled, or with other votes."""
    draw, rows = np.random.default_rng(seed), len(table)
    other = _drawn(rows, seed=seed + 1)
    for name in ("label", "split", "votes"):
        changed = draw.random(rows) < _CHANGED
        # Row by row: the old value, or that of the other table.
        both = pa.concat_arrays([t[name].combine_chunks() for t in (table, other)])
        chosen = np.arange(rows) + rows * changed
        table = table.set_column(
            SCHEMA.get_field_index(name), SCHEMA.field(name), both.take(pa.array(chosen))
        )
    new = draw.random(rows) < _CHANGED
    fresh = pc.if_else(pa.array(new), pc.utf8_replace_slice(table["id"], 0, 1, "f"), table["id"])
    table = table.set_column(0, SCHEMA.field(0), fresh)
    kept = draw.permutation(rows)[: int(rows * (1 - _CHANGED))]
    return table.take(pa.array(kept))


def _write_version(root: Path, name: str, table: pa.Table) -> None:
    """Writes a version as `modelyard data version` does, without DVC's cache."""
    folder = Paths(root).versions
    path, labels = folder / f"{name}.parquet", [*_LABELS]
    write_rows(path, table.to_batches(max_chunksize=16_384))
    path.with_name(f"{path.name}.dvc").write_text(yaml.safe_dump({"outs": [{"path": path.name}]}))
    figures = figures_of(path, problem=problem_named("classification"), labels=labels)
    note = VersionNote(
        product="reviews",
        problem="classification",
        labels=labels,
        made="2026-01-01T00:00:00+00:00",
        commit="",
        uncommitted=False,
        sources=[],
        **figures,
    )
    add_note(folder, name, note)


def _by_loop(root: Path) -> dict[str, list[Any]]:
    """The rows that differ, found one by one."""
    old, new = (dict(_rows(root, name)) for name in ("a", "b"))
    found: dict[str, list[Any]] = {
        "added": [row for row in new if row not in old],
        "removed": [row for row in old if row not in new],
        "relabelled": [],
        "moved": [],
    }
    for row, (source, label, split, votes) in new.items():
        if row not in old:
            continue
        _, old_label, old_split, old_votes = old[row]
        if old_split != split:
            found["moved"].append({"id": row, "before": old_split, "after": split})
        if old_label != label:
            who = sorted(p for p in _PEOPLE if votes.get(p) != old_votes.get(p))
            by = "annotators" if who else "source"
            change = {"id": row, "before": old_label, "after": label, "by": by}
            found["relabelled"].append(change | {"who": who or [source]})
    return found


def _rows(root: Path, name: str) -> Iterator[tuple[str, tuple[str, str, str, dict[str, str]]]]:
    for batch in load(name, root=root).batches():
        for row in batch.to_pylist():
            votes = {vote["annotator"]: vote["label"] for vote in row["votes"]}
            yield row["id"], (row["source"], row["label"], row["split"], votes)


def main() -> None:
    """Prints the figures as one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    print(json.dumps(measure(parser.parse_args().rows)))


if __name__ == "__main__":
    main()
