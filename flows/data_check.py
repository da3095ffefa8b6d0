"""Says what is in files, as collect and validate would read them; changes nothing.

    modelyard data check FILE… [--text COLUMN] [--label COLUMN] [--json]

Exit code 1 where a file would be refused. What a source of the product file can say (encoding, separator,
columns) is no reason to refuse.
"""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from flows.planning.resolution import resolved
from pipeline.core.errors import DataError
from pipeline.core.progress import say
from pipeline.data.file_check import FileFacts, check_file

_LABELS = 12


def run(root: Path, options: argparse.Namespace) -> int:
    """Says what is in the files; 1 where one of them would be refused, else 0."""
    limits = resolved(root).validate_
    checked = [
        check_file(path, text=options.text, label=options.label, limits=limits)
        for path in options.files
    ]
    say(as_json(checked) if options.json else "\n\n".join(map(_shown, checked)))
    return int(any(error for _, error in checked))


def as_json(checked: Sequence[tuple[FileFacts, DataError | None]]) -> str:
    """The facts of all files, and the first refusal: null, or `got`, `expected` and `next`.

    Of several refused files, each also has its refusal among its notes.
    """
    refusals = [error for _, error in checked if error]
    files = [
        asdict(facts.noted(f"refused: {error.got}") if error and len(checked) > 1 else facts)
        for facts, error in checked
    ]
    told = {"files": files, "refused": _parts(refusals[0]) if refusals else None}
    # Half of a character, as in a file name that is not UTF-8, is written as JSON escapes it.
    return json.dumps(told, indent=2, ensure_ascii=False).encode(errors="backslashreplace").decode()


def _parts(error: DataError) -> dict[str, str]:
    return {"got": error.got, "expected": error.expected, "next": error.next_step}


def _shown(checked: tuple[FileFacts, DataError | None]) -> str:
    facts, error = checked
    return "\n".join([facts.path, *(f"  {line}" for line in _lines(facts, error))])


def _lines(facts: FileFacts, error: DataError | None) -> Iterator[str]:
    if facts.format:
        between = f", {facts.separator!r} between columns" if facts.separator else ""
        encoding = f", {facts.encoding}" if facts.encoding else ""
        yield f"{'format':<14}{facts.format}{encoding}{between}"
    if facts.rows:
        yield f"{'rows':<14}{facts.rows:,}, of which {facts.labelled:,} have a label"
    for name, counts in (
        ("labels", facts.labels),
        ("taken out", facts.rejects),
        ("personal data", {k: n for k, n in facts.personal_data.items() if n}),
    ):
        if counts:
            yield f"{name:<14}{_counted(counts)}"
    if facts.language:
        yield f"{'language':<14}{facts.language}"
    yield from (f"{'note':<14}{note}" for note in facts.notes)
    if error:
        yield "would be refused"
        yield from (f"  {line}" for line in str(error).splitlines())


def _counted(counts: Mapping[str, int]) -> str:
    shown = [f"{name}: {count:,}" for name, count in counts.items()]
    more = f" and {len(shown) - _LABELS} more" if len(shown) > _LABELS else ""
    return ", ".join(shown[:_LABELS]) + more
