"""The answers of trained GLUE models, and the submission to the leaderboard made from them."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.core.errors import DataError
from pipeline.core.files import atomic_path
from pipeline.glue.official_files import target_of
from pipeline.glue.tasks import SUBMISSIONS, GlueTask

HEADER = "index\tprediction"
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, kw_only=True)
class TaskAnswers:
    """The answers of a model that was trained on one task with one seed: label numbers or scores.

    Attributes:
        development: development set → an answer for each of its rows.
        test: file of the submission → an answer for each row of its test file.
        malformed: lines of the training file that were left out.
    """

    development: Mapping[str, Sequence[float]]
    test: Mapping[str, Sequence[float]]
    malformed: int


def answers_of(task: GlueTask, outputs: Sequence[float]) -> list[str]:
    """Label numbers, or scores cut to 0 to 5, as a submission spells them."""
    if task.is_regression:
        return [f"{min(max(value, 0.0), 5.0):.3f}" for value in outputs]
    return [task.labels[int(value)] for value in outputs]


def write_submission(path: Path, answers: Mapping[str, Sequence[str]]) -> None:
    """Write a zip with one file for each entry of `answers`; equal answers give equal bytes.

    Raises:
        DataError: as `check_submission`; a file at `path` is then unchanged.
    """
    with atomic_path(path) as temporary:
        with zipfile.ZipFile(temporary, "w") as archive:
            for name in sorted(answers):
                lines = [HEADER, *(f"{n}\t{text}" for n, text in enumerate(answers[name]))]
                entry = zipfile.ZipInfo(name, date_time=_EPOCH)
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, "\n".join(lines) + "\n")
        check_submission(temporary, {name: len(rows) for name, rows in answers.items()})


def check_submission(path: Path, rows: Mapping[str, int]) -> None:
    """Check each file of a submission against the official format; files may be missing.

    Args:
        rows: file name → number of rows that it must have.

    Raises:
        DataError: an unknown file, a wrong header, another number of rows, an index that is not the
            row's number, or an answer that is no label of the task.
    """
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name not in SUBMISSIONS:
                raise _wrong(name, "is not a file of the leaderboard", ", ".join(SUBMISSIONS))
            with io.TextIOWrapper(archive.open(name), encoding="utf-8", newline="") as stream:
                _check_lines(name, stream.read().split("\n"), rows[name])


def _check_lines(name: str, lines: list[str], rows: int) -> None:
    if lines[0] != HEADER:
        raise _wrong(name, f"begins with {lines[0][:40]!r}", f"the header {HEADER!r}")
    if lines[-1] != "" or len(lines) != rows + 2:
        raise _wrong(name, f"has {len(lines) - 2} rows", f"{rows}, each on a line of its own")
    for number, line in enumerate(lines[1:-1]):
        index, separator, answer = line.partition("\t")
        if not separator or index != str(number):
            raise _wrong(name, f"row {number} is {line[:40]!r}", f"the index {number}, then a tab")
        try:
            target_of(SUBMISSIONS[name], answer, where=name)
        except DataError as error:
            raise _wrong(name, f"row {number} answers {answer!r}", error.expected) from None


def _wrong(name: str, what: str, expected: str) -> DataError:
    return DataError(f"{name} {what}", expected=expected, next_step="write the submission again")
