"""Recognises rows that annotation tools export, and makes flat ones of those that are nested.

Label Studio (JSON) keeps the text in `data` and the answers in `annotations`; Argilla in `fields` and
`responses`; Prodigy says in `answer` whether its label was accepted, or in `accept` which options were;
spaCy's `cats` give each label a number. doccano's rows are flat already.
"""

from collections.abc import Mapping, Sequence
from typing import Any

LABEL_STUDIO, PRODIGY, DOCCANO = "Label Studio", "Prodigy", "doccano"
ARGILLA, SPACY = "Argilla", "spaCy"
_OF_A_TASK = {
    "id",
    "data",
    "annotations",
    "predictions",
    "meta",
    "created_at",
    "updated_at",
    "project",
}
_LEAST = 0.5
"""From which number on a category of spaCy is a label of the text."""
_VALUES = ("choices", "taxonomy", "rating", "number", "text")


def tool_of(row: Mapping[str, Any]) -> str | None:
    """The tool that exported the row; None where it is like none of them."""
    given = row.get("annotations", [] if {*row} <= _OF_A_TASK else None)
    if isinstance(row.get("data"), dict) and isinstance(given, list):
        return LABEL_STUDIO if all(isinstance(each, dict) for each in given) else None
    if isinstance(row.get("fields"), dict) and isinstance(row.get("responses"), dict):
        return ARGILLA
    cats = row.get("cats")
    if isinstance(cats, dict) and cats and all(isinstance(n, int | float) for n in cats.values()):
        return SPACY
    if "_task_hash" in row and "_input_hash" in row:
        return PRODIGY
    if isinstance(row.get("label"), list) and "Comments" in row and "id" in row:
        return DOCCANO
    return None


def flattened(row: dict[str, Any]) -> dict[str, Any]:
    """The row with its text and its label as columns; a row of no such tool as it is."""
    tool = tool_of(row)
    if tool == LABEL_STUDIO:
        return _of_label_studio(row)
    if tool == ARGILLA:
        return _of_argilla(row)
    if tool == SPACY:
        named = [name for name, number in row["cats"].items() if number >= _LEAST]
        return {"label": _single(named)} | {k: value for k, value in row.items() if k != "cats"}
    return _of_prodigy(row) if tool == PRODIGY else row


def answers_in(row: Mapping[str, Any]) -> list[Any]:
    """The answers of each person to the row, where the tool exports those of several; else none."""
    tool = tool_of(row)
    if tool == LABEL_STUDIO:
        kept = [each for each in row.get("annotations", []) if not each.get("was_cancelled")]
        return [[part.get("value") for part in each.get("result", [])] for each in kept]
    if tool == ARGILLA:
        return max(map(_submitted, row["responses"].values()), key=len, default=[])
    return []


def _submitted(responses: Any) -> list[Any]:
    """The values of the responses to one question that people have submitted."""
    given = responses if isinstance(responses, list) else []
    return [
        each.get("value")
        for each in given
        if isinstance(each, dict) and each.get("status") in (None, "submitted")
    ]


def _of_argilla(row: Mapping[str, Any]) -> dict[str, Any]:
    """The fields, and the first response that was submitted to each question. A single one is also `label`."""
    answers = {}
    if row.get("status") != "discarded":
        for question, responses in row["responses"].items():
            if values := _submitted(responses):
                answers[question] = _single(values[0])
    flat = {"id": row.get("id"), **row["fields"], **answers}
    if "label" not in flat:
        flat["label"] = next(iter(answers.values())) if len(answers) == 1 else None
    return flat


def _of_label_studio(row: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `data`, and the answers of the first annotation under the names of their controls.

    An annotation that was cancelled counts for nothing. A single control is also called `label`.
    """
    kept = [given for given in row.get("annotations", []) if not given.get("was_cancelled")]
    answers: dict[str, Any] = {}
    for result in kept[0].get("result", []) if kept else []:
        value = result.get("value", {})
        found = next((value[kind] for kind in _VALUES if kind in value), None)
        if found is not None and "start" not in value:
            answers[str(result.get("from_name", "label"))] = _single(found)
    flat = {"id": row.get("id"), **row["data"], **answers}
    if "label" not in flat:
        flat["label"] = next(iter(answers.values())) if len(answers) == 1 else None
    return flat


def _of_prodigy(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with the label that was accepted; without one where it was rejected or ignored."""
    flat = {key: value for key, value in row.items() if not key.startswith("_")}
    if isinstance(row.get("options"), list):
        flat["label"] = _single(row.get("accept", []))
        flat = {key: value for key, value in flat.items() if key not in ("options", "accept")}
    if row.get("answer", "accept") != "accept":
        flat["label"] = None
    return flat


def _single(values: Any) -> Any:
    """The one value of a list of one; no value of an empty list; several as they are."""
    if not isinstance(values, Sequence) or isinstance(values, str):
        return values
    return values[0] if len(values) == 1 else (list(values) or None)
