"""Reads GLUE's official files: columns separated by tabs, in which a quote has no meaning.

A few lines of the official training files have too few or too many columns: they are counted and
left out, up to a limit. No test row may be left out, so such a line of a test file is an error.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.core.errors import DataError
from pipeline.glue.tasks import GlueTask

_MAX_MALFORMED_SHARE = 0.01
_HIGHEST_SCORE = 5.0


@dataclass(kw_only=True)
class GlueRows:
    """The rows of one file, in its order.

    Attributes:
        seconds: the second text of each row; empty for single sentences.
        targets: number of each label, or score; empty where a file has none.
        indices: the file's own row numbers; empty where it has none.
        malformed: how many lines were left out.
    """

    texts: list[str] = field(default_factory=list)
    seconds: list[str] = field(default_factory=list)
    targets: list[float] = field(default_factory=list)
    indices: list[str] = field(default_factory=list)
    malformed: int = 0


def read_labelled(task: GlueTask, path: Path) -> GlueRows:
    """The rows of a training or development file.

    Raises:
        DataError: the file is missing, not UTF-8, lacks a column, has an unknown label, or too many
            lines have another number of columns than its header.
    """
    return _read(task, path, labelled=True)


def read_unlabelled(task: GlueTask, path: Path) -> GlueRows:
    """The rows of a test file. None may be missing or moved: a submission names a row by its place.

    Raises:
        DataError: as `read_labelled`, any line has another number of columns than its header, or an
            index is not the number of its row.
    """
    rows = _read(task, path, labelled=False)
    for number, index in enumerate(rows.indices):
        if index != str(number):
            raise DataError(
                f"{_short(path)}, row {number + 1}: index {index[:40]!r}",
                expected=f"{number}: every row to be answered, in its official place",
                next_step="take the official file, neither sorted nor filtered",
            )
    return rows


def _read(task: GlueTask, path: Path, *, labelled: bool) -> GlueRows:
    lines, header = _lines(path), list(task.header) if labelled else []
    if not header:
        header, lines = [name.strip() for name in lines[0].split("\t")], lines[1:]
    wanted = [*task.columns, *([task.label_column] if labelled else [])]
    places = {name: _place(header, name, path) for name in wanted}
    index = header.index("index") if "index" in header else None
    rows = GlueRows()
    for number, line in enumerate(lines, start=1):
        fields = line.split("\t")
        if len(fields) != len(header):
            rows.malformed += 1
            if not labelled or rows.malformed > max(1, _MAX_MALFORMED_SHARE * len(lines)):
                so_far = f"; {rows.malformed} such rows so far" if labelled else ""
                raise DataError(
                    f"{_short(path)}, row {number}: {len(fields)} columns{so_far}",
                    expected=f"{len(header)} columns, separated by tabs; quotes mean nothing here",
                    next_step="take the official file, unchanged",
                )
            continue
        if labelled:
            label = fields[places[task.label_column]]
            rows.targets.append(target_of(task, label, where=f"{_short(path)}, row {number}"))
        rows.texts.append(fields[places[task.columns[0]]])
        if len(task.columns) > 1:
            rows.seconds.append(fields[places[task.columns[1]]])
        if index is not None:
            rows.indices.append(fields[index])
    if not rows.texts:
        raise DataError(f"{path} has no rows", expected="rows", next_step="download it again")
    return rows


def _lines(path: Path) -> list[str]:
    try:
        data = path.read_bytes()
        text = data.decode("utf-8-sig")
    except FileNotFoundError as error:
        raise DataError(
            f"no {_short(path)}",
            expected="the official GLUE files, one folder a task",
            next_step="correct --data, or leave the task out with --tasks",
        ) from error
    except UnicodeDecodeError as error:
        raise DataError(
            f"{_short(path)}, line {data.count(10, 0, error.start) + 1}: byte"
            f" 0x{data[error.start]:02x} is not UTF-8",
            expected="text in UTF-8",
            next_step="download the file again",
        ) from error
    lines = text.replace("\r\n", "\n").split("\n")
    while lines and not lines[-1]:
        lines.pop()
    if not lines:
        raise DataError(f"{path} is empty", expected="rows", next_step="download it again")
    return lines


def _place(header: Sequence[str], name: str, path: Path) -> int:
    if name not in header:
        raise DataError(
            f"{_short(path)} has the columns {', '.join(header)}",
            expected=f"a column {name!r}",
            next_step="take the official file, unchanged",
        )
    return list(header).index(name)


def target_of(task: GlueTask, text: str, *, where: str) -> float:
    """The number of the label `text`, or the score that it gives.

    Args:
        where: file and row, for the message.

    Raises:
        DataError: the task has no such label, or the score is not from 0 to 5.
    """
    if task.is_regression:
        try:
            score = float(text)
        except ValueError:
            score = float("nan")
        if 0 <= score <= _HIGHEST_SCORE:
            return score
        expected = f"a score from 0 to {_HIGHEST_SCORE:g}"
    elif text in task.labels:
        return float(task.labels.index(text))
    else:
        expected = f"one of: {', '.join(task.labels)}"
    raise DataError(
        f"{where}: label {text[:40]!r}",
        expected=expected,
        next_step=f"take the rows of {task.name}, unchanged",
    )


def _short(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"
