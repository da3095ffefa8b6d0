"""Reads only newer rows of a database, where a source has `since_column` and rows of it are here already."""

from pathlib import Path

from flows.fetching.high_water import KEY, Mark, mark_in
from flows.fetching.partial_file import PartialFile
from pipeline.core.progress import say
from pipeline.core.sections import Source
from pipeline.data.newer_rows import join_newer
from pipeline.data.tables import column_names

_JOINED = "joined.parquet"


def mark_of(source: Source, target: Path) -> Mark | None:
    """The mark of the rows that are here; None where all have to be read."""
    return None if source.since_column is None else mark_in(target, source.since_column)


def has_other_columns(part: PartialFile, target: Path) -> bool:
    """Whether the rows that came have other columns than those that are here; the database's table changed."""
    return column_names(part.path) != column_names(target)


def has_joined(source: Source, part: PartialFile, target: Path, mark: Mark) -> bool:
    """Puts the rows that came behind those that are here; False where none of them is new."""
    newest, whole = mark_in(part.path, mark.column) or mark, part.path.with_name(_JOINED)
    joined = join_newer(
        target,
        part.path,
        whole,
        since=mark.column,
        key=source.id_column,
        note={KEY: newest.as_note()},
    )
    if not joined.new:
        say(f"fetch  {source.name}: no newer rows")
        return False
    whole.replace(part.path)
    say(
        f"fetch  {source.name}: {joined.new:,} newer rows, {joined.replaced:,} of them in the place of older"
        f" ones; {joined.rows:,} in all"
    )
    return True
