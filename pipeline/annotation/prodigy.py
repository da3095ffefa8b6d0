"""Prodigy's JSON lines: one task a line, with the options shown, those accepted, and whether the task was.

Prodigy keeps every other key of a task and exports it again. A task without `answer` is one that nobody has
answered; `reject` and `ignore` are skips.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.annotation.foreign_votes import (
    ROW_ID,
    AnsweredRow,
    ForeignVote,
    Question,
    ids_in,
    notes_in,
    notes_of,
    values_of,
    whole_text,
)
from pipeline.annotation.published_votes import PublishedVote, as_utc
from pipeline.core.errors import DataError
from pipeline.data.annotations import instant
from pipeline.data.json_file import as_written
from pipeline.data.layout import Layout

_ACCEPT, _IGNORE = "accept", "ignore"
_ANSWERS = (_ACCEPT, "reject", _IGNORE)
_NUMBER = "user_input"


def write_prodigy(path: Path, rows: Iterable[AnsweredRow], question: Question) -> None:
    """Writes a task for each answer, and one for each row without any, for the interface `choice`.

    A number is the input of the interface `text_input`.
    """
    with path.open("w", encoding="utf-8", newline="") as stream:
        for answered in rows:
            task = _task(answered, question)
            for line in [task | _answer(vote, question) for vote in answered.votes] or [task]:
                stream.write(json.dumps(line, ensure_ascii=False) + "\n")


def read_prodigy(path: Path, question: Question) -> Iterator[ForeignVote]:
    """The answers in JSON lines; those to tasks of one label each are put together, row by row.

    Raises:
        DataError: a line is no task with a text.
    """
    binary: dict[tuple[str, str, tuple[str, ...]], list[dict[str, Any]]] = {}
    for number, task in as_written(path, Layout()):
        where = f"{path.name}, line {number}"
        _require_task(task, where)
        if _is_binary(task) and question.problem.many_labels:
            known = _vote(task, question, where=where)
            key = (known.annotator, known.id, known.texts)
            binary.setdefault(key, []).append(task | {"_where": where})
        else:
            yield _vote(task, question, where=where)
    for tasks in binary.values():
        yield _vote(_put_together(tasks), question, where=tasks[-1]["_where"])


def _task(answered: AnsweredRow, question: Question) -> dict[str, Any]:
    row = answered.row
    task: dict[str, Any] = {"text": whole_text(row), "meta": {ROW_ID: row.id}}
    if question.is_number:
        return task | {"_view_id": "text_input"}
    options = [{"id": label, "text": label} for label in question.labels]
    style = "multiple" if question.problem.many_labels else "single"
    return task | {"options": options, "config": {"choice_style": style}, "_view_id": "choice"}


def _answer(vote: PublishedVote, question: Question) -> dict[str, Any]:
    who = {"_annotator_id": vote.annotator, "_session_id": vote.annotator}
    answer = {"answer": _IGNORE if vote.skipped else _ACCEPT}
    if vote.number is not None:
        answer[_NUMBER] = repr(vote.number)
    given = {} if question.is_number else {"accept": values_of(vote)}
    return given | answer | who | _stamp(vote.time) | notes_of(vote)


def _stamp(time: str | None) -> dict[str, int]:
    found = instant(time or "", "a vote")
    return {} if found is None else {"_timestamp": int(found.timestamp())}


def _vote(task: Mapping[str, Any], question: Question, *, where: str) -> ForeignVote:
    answer, meta = task.get("answer"), task.get("meta") or {}
    return ForeignVote(
        where=where,
        ids=ids_in(meta.get(ROW_ID), task.get(ROW_ID), meta.get("id"), task.get("id")),
        texts=(task["text"],),
        annotator=str(task.get("_annotator_id") or task.get("_session_id") or ""),
        values=_values(task, question) if answer == _ACCEPT else None,
        skipped=answer in _ANSWERS and answer != _ACCEPT,
        notes=_notes(task, where),
    )


def _values(task: Mapping[str, Any], question: Question) -> tuple[str, ...] | None:
    if question.is_number and _NUMBER in task:
        return (str(task[_NUMBER]).strip(),)
    if isinstance(task.get("accept"), list):
        names = [each if isinstance(each, str) else json.dumps(each) for each in task["accept"]]
        return (*names,) if names or question.problem.many_labels else None
    return (str(task["label"]),) if task.get("label") is not None else None


def _notes(task: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The fields of a vote; where Prodigy has a later time than they, its time alone, for they are of an older answer."""
    notes, stamp = notes_in(task, where=where), task.get("_timestamp")
    if stamp is None:
        return notes
    found = instant(notes.get("time", ""), where)
    if found is not None and int(found.timestamp()) == int(stamp):
        return notes
    fresh = {"time": as_utc(datetime.fromtimestamp(stamp, UTC))}
    return fresh if "time" in notes else notes | fresh


def _is_binary(task: Mapping[str, Any]) -> bool:
    """Whether the task asks of one label whether it holds."""
    return "accept" not in task and "options" not in task and task.get("label") is not None


def _put_together(tasks: list[dict[str, Any]]) -> dict[str, Any]:
    """One task with the labels that were accepted; a skip where all were ignored."""
    answered = [task for task in tasks if task.get("answer") in (_ACCEPT, "reject")]
    accepted = [task["label"] for task in answered if task["answer"] == _ACCEPT]
    answer = {"answer": _ACCEPT if answered else tasks[-1].get("answer")}
    return tasks[-1] | {"accept": accepted} | answer


def _require_task(task: Mapping[str, Any], where: str) -> None:
    if isinstance(task.get("text"), str) and task.get("answer") in (None, *_ANSWERS):
        return
    raise DataError(
        f"{where}: an object with {', '.join(task) or 'no keys'}"
        + (f" and the answer {task['answer']!r}" if "answer" in task else ""),
        expected=f"a task with a `text`, and one of {', '.join(_ANSWERS)} as `answer`, as `prodigy db-out` writes it",
        next_step="export the data set with `prodigy db-out` again",
    )
