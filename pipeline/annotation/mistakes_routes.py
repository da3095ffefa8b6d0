"""The API under the screen on which leads and adjudicators look through the model's mistakes.

GET  /api/mistakes          mistakes on validation rows, and what they may be filtered by
POST /api/mistakes/ask      {"row", "uid"}: one more person is to label the row, and a control row with it
POST /api/mistakes/forget   {"row", "uid"}: takes that back
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.annotation.api_requests import asked_number, asking_person
from pipeline.annotation.asked_again import WHYS
from pipeline.annotation.assignment import Refused
from pipeline.annotation.door import json_of
from pipeline.annotation.mistakes import (
    ANSWERS_FILE,
    Mistake,
    ValidationAnswers,
    Wanted,
    choices,
    fits,
    read_answers,
)
from pipeline.annotation.people import People, Person
from pipeline.annotation.row_file import LabellingRow
from pipeline.annotation.store import SecondOpinion, Store
from pipeline.web.json_answers import RequestError, json_response

MOST_ROWS = 100
_USUAL_ROWS = 20
_MOST_UID = 180
"""Characters of a client's id, to which ours add an ending."""
_CONTROL = "/control"


@dataclass
class _Answers:
    """The answers in a file, read again where a build has written it anew."""

    path: Path
    _read: ValidationAnswers | None = None
    _stamp: tuple[int, int] = (0, 0)

    def now(self) -> ValidationAnswers | None:
        """The answers in the file; None where no model has passed the gate yet."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        stamp = (found.st_mtime_ns, found.st_size)
        if self._read is None or stamp != self._stamp:
            self._read, self._stamp = read_answers(self.path), stamp
        return self._read


def routes(store: Store, people: People) -> list[Route]:
    """The routes; the answers lie in the store's folder."""
    answers = _Answers(store.folder / ANSWERS_FILE)
    return [
        Route("/api/mistakes", partial(_mistakes, store, people, answers)),
        Route("/api/mistakes/ask", partial(_ask, store, people, answers), methods=["POST"]),
        Route("/api/mistakes/forget", partial(_forget, store, people, answers), methods=["POST"]),
    ]


async def _mistakes(store: Store, people: People, answers: _Answers, request: Request) -> Response:
    _looking_person(people, request)
    most = asked_number(request, "n", usual=_USUAL_ROWS, most=MOST_ROWS)
    start = asked_number(request, "from", usual=0, most=2**31)
    wanted = _wanted(request)
    return json_response(await run_in_threadpool(_shown, store, answers, wanted, start, most))


def _shown(
    store: Store, answers: _Answers, wanted: Wanted, start: int, most: int
) -> dict[str, Any]:
    """The answer to a request; not on the server's own thread, for many rows may be looked at."""
    found = answers.now()
    if found is None:
        return {"rows": [], "found": 0, "mistakes": 0, "validation": 0, "built": False}
    # A row that the data have no more cannot be shown.
    rows = {each.row: row for each in found.mistakes if (row := store.row(each.row)) is not None}
    sources = {name: row.source for name, row in rows.items()}
    there = [each for each in found.mistakes if each.row in rows]
    chosen = [each for each in there if fits(each, wanted, source=sources[each.row])]
    opinions = store.second_opinions()
    return {
        "rows": [
            _row(each, rows[each.row], opinions.get(each.row), store)
            for each in chosen[start : start + most]
        ],
        "found": len(chosen),
        "mistakes": len(there),
        "validation": len(found.labels),
        "has_confidence": found.has_confidence,
        "built": True,
        "filters": choices(there, sources),
        "opinions": _counts(found.labels, opinions, store),
    }


def _row(
    mistake: Mistake, row: LabellingRow, opinion: SecondOpinion | None, store: Store
) -> dict[str, Any]:
    answer = opinion.answer if opinion else None
    return {
        "row": mistake.row,
        "text": row.text,
        "second": row.second,
        "source": row.source,
        "label": mistake.label,
        "answer": mistake.answer,
        "confidence": mistake.confidence,
        "slices": [*mistake.slices],
        "asked": opinion is not None,
        "opinion": None
        if answer is None
        else store.assignment.stored(answer.labels, answer.number),
    }


def _counts(
    labels: Mapping[str, str], opinions: Mapping[str, SecondOpinion], store: Store
) -> dict[str, dict[str, int]]:
    """Why → rows that were sent, those that somebody has labelled, and those of them with another label than before."""
    counts: dict[str, dict[str, int]] = {
        why: {"sent": 0, "answered": 0, "differ": 0} for why in WHYS
    }
    for row, opinion in opinions.items():
        own = counts[str(opinion.asked.why)]
        own["sent"] += 1
        if opinion.answer is not None and row in labels:
            own["answered"] += 1
            own["differ"] += (
                store.assignment.stored(opinion.answer.labels, opinion.answer.number) != labels[row]
            )
    return counts


async def _ask(store: Store, people: People, answers: _Answers, request: Request) -> Response:
    person, (row, uid) = _looking_person(people, request), await _named(request)
    found = await run_in_threadpool(answers.now)
    mistake = found.mistake(row) if found else None
    if found is None or mistake is None:
        raise RequestError(
            422,
            got=f"the row {row[:40]!r}",
            expected="a validation row that the model answers wrongly",
            next_step="send one of those that GET /api/mistakes gives",
        )
    opinions = store.second_opinions()
    if row not in opinions:
        events = [_event(uid, row, "error")]
        if (control := found.control(mistake, taken=opinions.keys())) is not None:
            events.append(_event(f"{uid}{_CONTROL}", control, "control"))
        await _give(store, person, events)
    return _standing(store, found, asked=True)


async def _forget(store: Store, people: People, answers: _Answers, request: Request) -> Response:
    person, (row, uid) = _looking_person(people, request), await _named(request)
    found, opinions = await run_in_threadpool(answers.now), store.second_opinions()
    if (opinion := opinions.get(row)) is None:
        return _standing(store, found, asked=False)
    if opinion.person != person.published:
        raise RequestError(
            409,
            got="a row that somebody else sent",
            expected="one that you sent yourself",
            next_step="ask whoever sent it to take it back",
        )
    sent = (opinion.asked.uid, f"{opinion.asked.uid}{_CONTROL}")
    both = [(name, each.asked.uid) for name, each in opinions.items() if each.asked.uid in sent]
    events = [
        {"uid": f"{uid}/{number}", "event": "undo", "row": name, "undoes": undone}
        for number, (name, undone) in enumerate(both)
    ]
    await _give(store, person, events)
    return _standing(store, found, asked=False)


def _standing(store: Store, found: ValidationAnswers | None, *, asked: bool) -> Response:
    """The answer after a row was sent or taken back."""
    opinions = store.second_opinions()
    counts = _counts(found.labels if found else {}, opinions, store)
    return json_response({"asked": asked, "waiting": store.asked_again, "opinions": counts})


def _event(uid: str, row: str, why: str) -> dict[str, Any]:
    return {"uid": uid, "event": "queue", "row": row, "why": why}


async def _give(store: Store, person: Person, events: list[dict[str, Any]]) -> None:
    """Waits until the events are on the disk.

    Raises:
        RequestError: 422, an event is refused.
    """
    for outcome in await asyncio.shield(asyncio.wrap_future(store.submit(person, events))):
        if isinstance(outcome, Refused):
            raise RequestError(
                422, got=outcome.got, expected=outcome.expected, next_step=outcome.next_step
            )


def _looking_person(people: People, request: Request) -> Person:
    """The person who asks, who may see the model's answers.

    Raises:
        RequestError: 401, 403.
    """
    person = asking_person(people, request)
    if person.role == "annotator":
        raise RequestError(
            403,
            got="a link of an annotator",
            expected="that of an adjudicator or lead, for who labels must not see what the model answers",
            next_step="ask the lead; a start with --people NAME:adjudicator gives that role",
        )
    return person


async def _named(request: Request) -> tuple[str, str]:
    """The row and the client's id in a request's body.

    Raises:
        RequestError: 422.
    """
    body = await json_of(request)
    given = [body.get(name) for name in ("row", "uid")] if isinstance(body, dict) else [None, None]
    row, uid = given
    if not (isinstance(row, str) and isinstance(uid, str) and 0 < len(uid) <= _MOST_UID):
        raise RequestError(
            422,
            got=f"{str(body)[:80]}",
            expected=f'{{"row", "uid"}}, the uid of at most {_MOST_UID} characters',
            next_step="send the row's id, and an id of your own for this request",
        )
    return row, uid


def _wanted(request: Request) -> Wanted:
    """The filters in a request's address.

    Raises:
        RequestError: 422.
    """
    given = request.query_params
    names = {name: given.get(name, "") for name in ("slice", "source", "label", "answer")}
    least = asked_number(request, "least", usual=0, most=100)
    most = asked_number(request, "most", usual=100, most=100)
    return Wanted(**names, least=least / 100, most=most / 100)
