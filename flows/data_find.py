"""Says which rows have ids that a source gave, or that we gave, and where these rows are.

    modelyard data find ID… [--product FILE] [--json]

Looks at the last build and at all data versions whose files are here. Exit code 1 where an id is of no row.
"""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from flows.console.table import render
from flows.execution.locks import build_lock
from flows.execution.runner import open_runner
from flows.execution.workspace import last_build
from flows.planning.resolution import Variation
from pipeline.core.errors import DataError
from pipeline.core.paths import Paths
from pipeline.core.progress import say
from pipeline.data.found_rows import FoundRow, has_source_ids, rows_of_build, rows_of_version
from pipeline.data.versions import NOW, load, version_names

_READ = ("collect", "validate", "label")
"""The stages in whose tables rows are looked for."""

Found = Mapping[str, Sequence[FoundRow]]
"""Version, or `now` for the last build → its rows."""


def run(root: Path, options: argparse.Namespace) -> int:
    """Says where the rows are; 1 where an id is of no row, else 0."""
    wanted = [*dict.fromkeys(options.ids)]
    found = {NOW: _of_build(root, wanted, Variation(product=options.product))}
    away = []
    folder = Paths(root).versions
    for name in version_names(folder):
        if (folder / f"{name}.parquet").is_file():
            found[name] = rows_of_version(load(name, root=root), wanted)
        else:
            away.append(name)
    missing = _missing(wanted, found)
    say(_as_json(found, missing, away) if options.json else "\n".join(_lines(found, missing, away)))
    return int(bool(missing))


def _of_build(root: Path, wanted: Sequence[str], variation: Variation) -> list[FoundRow]:
    """The rows of a product's last build.

    Raises:
        DataError: none has one of the ids, and no source has ids of its own.
    """
    with last_build(root, variation) as workspace, build_lock(workspace) as lock:
        if workspace != root:
            open_runner(workspace, root=root, lock=lock).checkout(*_READ)
        paths = Paths(workspace)
        rows = rows_of_build(paths, wanted)
        if rows or has_source_ids(paths):
            return rows
    raise DataError(
        f"no row has the id {wanted[0]!r}, and no source of the last build has ids of its own",
        expected="a source with `id_column`, or ids of artifacts/validate/records.parquet",
        next_step="name the column of the ids as `id_column` of the source, then run `make pipeline`",
    )


def _missing(wanted: Sequence[str], found: Found) -> list[str]:
    """The ids that no row has."""
    known = {name for rows in found.values() for row in rows for name in (row.id, row.source_id)}
    return [name for name in wanted if name not in known]


def _as_json(found: Found, missing: Sequence[str], away: Sequence[str]) -> str:
    rows = [{"version": name, **asdict(row)} for name, of in found.items() for row in of]
    told = {"rows": rows, "not_found": missing, "versions_not_here": away}
    return json.dumps(told, ensure_ascii=False, indent=2)


def _lines(found: Found, missing: Sequence[str], away: Sequence[str]) -> Iterator[str]:
    head = ("source's id", "id", "source", "version", "where", "label")
    rows = [
        (
            row.source_id or "-",
            row.id,
            row.source,
            name,
            f"{row.place}: {row.reason}" if row.reason else row.place,
            row.label or "-",
        )
        for name, of in found.items()
        for row in of
    ]
    if rows:
        yield render(head, rows)
    yield from (f"{name}: no row has this id" for name in missing)
    if away:
        yield f"Not looked at, for they are not on this machine (`dvc pull`): {', '.join(away)}"
