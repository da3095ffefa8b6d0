"""Label Studio's JSON: one array of tasks, each with its `data` and the annotations of each person.

A labelling configuration of two controls that people use, `label` and `comment`, and a hidden one, `annotator`,
goes with the file. Label Studio refuses an import whose `completed_by` is none of its users, so who gave an
answer is held by that hidden control, which it keeps and exports as it came.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from pipeline.annotation.foreign_votes import (
    ROW_ID,
    AnsweredRow,
    ForeignVote,
    Question,
    ids_in,
    seconds_in,
)
from pipeline.annotation.published_votes import PublishedVote
from pipeline.core.errors import DataError
from pipeline.data.exports import LABEL_STUDIO, tool_of
from pipeline.data.json_file import as_written
from pipeline.data.layout import Layout

_LABEL, _COMMENT, _ANNOTATOR = "label", "comment", "annotator"
_KINDS = ("choices", "rating", "number", "taxonomy")


def write_label_studio(path: Path, rows: Iterable[AnsweredRow], question: Question) -> None:
    """Writes tasks with annotations, as Label Studio imports them."""
    with path.open("w", encoding="utf-8") as stream:
        between = "[\n"
        for answered in rows:
            stream.write(between + json.dumps(_task(answered, question), ensure_ascii=False))
            between = ",\n"
        stream.write("\n]\n" if between == ",\n" else "[]\n")


def labelling_configuration(question: Question) -> str:
    """The XML that Label Studio asks for under Labeling Interface > Code."""
    texts = ["text", "second"] if question.pairs else ["text"]
    shown = [f'  <Text name="{name}" value="${name}"/>' for name in texts]
    if question.is_number:
        control = [f"  <Header value={quoteattr(question.labels[0])}/>"]
        control += ['  <Number name="label" toName="text" required="true"/>']
    else:
        many = question.problem.many_labels
        required = 'choice="multiple"' if many else 'choice="single" required="true"'
        choices = [f"    <Choice value={quoteattr(label)}/>" for label in question.labels]
        control = [f'  <Choices name="label" toName="text" {required}>', *choices, "  </Choices>"]
    comment = '  <TextArea name="comment" toName="text" maxSubmissions="1" placeholder="Comment"/>'
    hidden = [
        '  <View style="display: none">',
        '    <TextArea name="annotator" toName="text" maxSubmissions="1"/>',
        "  </View>",
    ]
    return "\n".join(["<View>", *shown, *control, comment, *hidden, "</View>", ""])


def read_label_studio(path: Path, question: Question) -> Iterator[ForeignVote]:
    """The annotations of each task; predictions and drafts are none.

    Raises:
        DataError: the file is no array of tasks, or a task has answers of several controls.
    """
    for number, task in as_written(path, Layout()):
        where = f"{path.name}, task {number}"
        if tool_of(task) != LABEL_STUDIO:
            raise _no_task(where, task)
        for annotation in task.get("annotations") or [{}]:
            yield _vote(annotation, task["data"], question, where=where)


def _task(answered: AnsweredRow, question: Question) -> dict[str, Any]:
    row = answered.row
    data = {"text": row.text, ROW_ID: row.id}
    if row.second is not None:
        data["second"] = row.second
    annotations = [_annotation(vote, question) for vote in answered.votes]
    return {"data": data, "annotations": annotations, "predictions": []}


def _annotation(vote: PublishedVote, question: Question) -> dict[str, Any]:
    result: list[dict[str, Any]] = []
    if vote.number is not None:
        result.append(_result(_LABEL, "number", vote.number))
    elif vote.labels:
        result.append(_result(_LABEL, "choices", [*vote.labels]))
    if vote.comment is not None:
        result.append(_result(_COMMENT, "text", [vote.comment], kind="textarea"))
    result.append(_result(_ANNOTATOR, "text", [vote.annotator], kind="textarea"))
    found: dict[str, Any] = {"result": result, "was_cancelled": vote.skipped}
    if vote.seconds is not None:
        found["lead_time"] = vote.seconds
    if vote.time is not None:
        found["created_at"] = vote.time
    return found


def _result(control: str, key: str, value: object, *, kind: str = "") -> dict[str, Any]:
    return {"from_name": control, "to_name": "text", "type": kind or key, "value": {key: value}}


def _vote(
    annotation: Mapping[str, Any], data: Mapping[str, Any], question: Question, *, where: str
) -> ForeignVote:
    results = annotation.get("result") or []
    notes: dict[str, Any] = {}
    if comment := _words(results, _COMMENT):
        notes["comment"] = comment
    if annotation.get("lead_time") is not None:
        notes["seconds"] = seconds_in(annotation["lead_time"], where=where)
    if time := annotation.get("updated_at") or annotation.get("created_at"):
        notes["time"] = str(time)
    is_skip = bool(annotation.get("was_cancelled"))
    values = _values(results, where=where)
    if values is None and annotation and not is_skip and question.problem.many_labels:
        values = ()
    return ForeignVote(
        where=where,
        ids=ids_in(data.get(ROW_ID), data.get("id")),
        texts=_texts(data),
        annotator=_words(results, _ANNOTATOR) or _person(annotation.get("completed_by")),
        values=None if is_skip else values,
        skipped=is_skip,
        notes=notes,
    )


def _values(results: Iterable[Mapping[str, Any]], *, where: str) -> tuple[str, ...] | None:
    """The labels, or the number as text, that an annotation has; None where it has none."""
    found: dict[str, list[str]] = {}
    for part in results:
        value = part.get("value") or {}
        kind = next((kind for kind in _KINDS if kind in value), None)
        if kind is None or "start" in value:
            continue
        given = value[kind] if isinstance(value[kind], list) else [value[kind]]
        named = [each[-1] if isinstance(each, list) else each for each in given]
        texts = [each if isinstance(each, str) else json.dumps(each) for each in named]
        found.setdefault(str(part.get("from_name", _LABEL)), []).extend(texts)
    if not found:
        return None
    if len(found) > 1 and _LABEL not in found:
        raise DataError(
            f"{where}: answers of the controls {', '.join(sorted(found))}",
            expected="those of one control, or of one whose name is `label`",
            next_step="give the control of the product's labels the name `label` in the labelling"
            " configuration and in the file, or take the others out",
        )
    return tuple(found.get(_LABEL) or next(iter(found.values())))


def _words(results: Iterable[Mapping[str, Any]], control: str) -> str:
    """The text that somebody entered into a control; empty where there is none."""
    for part in results:
        text = (part.get("value") or {}).get("text")
        if part.get("from_name") == control and text:
            return "\n".join(map(str, text)) if isinstance(text, list) else str(text)
    return ""


def _person(completed_by: Any) -> str:
    if isinstance(completed_by, Mapping):
        return str(completed_by.get("email") or completed_by.get("id") or "")
    return "" if completed_by is None else str(completed_by)


def _texts(data: Mapping[str, Any]) -> tuple[str, ...]:
    """The texts of a task: `text` and `second`, or else the longest value that is text."""
    if isinstance(data.get("text"), str):
        return data["text"], str(data.get("second") or "")
    others = [value for key, value in data.items() if isinstance(value, str) and key != ROW_ID]
    return (max(others, key=len, default=""),)


def _no_task(where: str, task: Mapping[str, Any]) -> DataError:
    return DataError(
        f"{where}: no task, but an object with {', '.join(task) or 'no keys'}",
        expected="an object with `data` and `annotations`, as Label Studio's export `JSON` has them",
        next_step="export as JSON, not as JSON-MIN, CSV or another format",
    )
