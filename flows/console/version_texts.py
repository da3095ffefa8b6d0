"""Shows data versions, and how two of them differ, as text and as JSON."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flows.console.table import figure, render
from flows.execution.data_versions import Comparison
from pipeline.data.version_diff import ANNOTATORS, SOURCE
from pipeline.data.versions import VersionNote

_SHOWN = 20
"""How many kinds of changed labels are shown."""

_WORDS = {ANNOTATORS: "annotator", SOURCE: "source"}


def listed(notes: Mapping[str, VersionNote]) -> str:
    """One line a version, oldest first: name, product, rows, labels, splits, when it was made."""
    if not notes:
        return "No data version was made here yet: `modelyard data version NAME` makes one."
    rows = [
        (
            name,
            note.product,
            f"{note.rows:,}",
            f"{note.voted_rows:,}",
            _counts(note.balance),
            _counts(note.splits),
            f"{datetime.fromisoformat(note.made).astimezone():%Y-%m-%d %H:%M}",
        )
        for name, note in notes.items()
    ]
    head = ("name", "product", "rows", "annotated", "labels", "splits", "made")
    return render(head, rows, right=(2, 3))


def listed_as_json(notes: Mapping[str, VersionNote]) -> list[dict[str, Any]]:
    """The notes with their names, oldest first."""
    return [{"name": name, **asdict(note)} for name, note in notes.items()]


def described(comparison: Comparison) -> str:
    """How many rows differ, in which labels and splits and by whom, and the balance before and after."""
    before, after, found = comparison.before, comparison.after, comparison.difference
    title = f"{before.name} ({before.product}) → {after.name} ({after.product})"
    head = ("", before.name, after.name)
    names = dict.fromkeys([*before.balance, *after.balance])
    rows = [
        ("rows", f"{len(before.rows):,}", f"{len(after.rows):,}"),
        *(
            (name, *(figure(side.balance.get(name, 0)) for side in (before, after)))
            for name in names
        ),
    ]
    if "rows" in names:  # numbers have no labels, and say how many rows they are themselves
        rows = rows[1:]
    parts = [title, "", render(head, rows, right=(1, 2)), ""]
    parts += [f"{kind:<11} {count:>10,}" for kind, count in found.counts.items()]
    parts += ["", *_lines("relabelled", found.relabelled)] if len(found.relabelled) else []
    parts += ["", *_lines("moved", found.moved)] if len(found.moved) else []
    return "\n".join(parts)


def _lines(kind: str, rows: pa.Table) -> list[str]:
    """The commonest changes, and of labels who made them."""
    changes = rows.group_by(["before", "after"]).aggregate([([], "count_all")]).to_pylist()
    changes.sort(key=lambda change: (-change["count_all"], str(change)))
    lines = [
        f"{kind}  {change['before'] or '(none)'} → {change['after'] or '(none)'}: {change['count_all']:,}"
        for change in changes[:_SHOWN]
    ]
    if len(changes) > _SHOWN:
        lines.append(f"{kind}  and {len(changes) - _SHOWN:,} other changes (--json shows each row)")
    return [*lines, *(_people(rows) if "who" in rows.column_names else [])]


def _people(rows: pa.Table) -> list[str]:
    """Who gave the new labels, each with the number of rows."""
    who = rows["who"].combine_chunks()
    by = rows["by"].combine_chunks().take(pc.list_parent_indices(who))
    given = pa.table({"by": by, "name": pc.list_flatten(who)})
    counted = given.group_by(["by", "name"]).aggregate([([], "count_all")])
    return [
        f"by {_WORDS[each['by']]} {each['name']}: {each['count_all']:,}"
        for each in counted.sort_by([("by", "ascending"), ("name", "ascending")]).to_pylist()
    ]


def _counts(counted: Mapping[str, int | float]) -> str:
    return ", ".join(f"{name} {figure(count)}" for name, count in counted.items())
