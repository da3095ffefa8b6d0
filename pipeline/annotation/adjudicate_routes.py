"""The API under the screen on which disputes are decided; for adjudicators and leads.

GET  /api/disputes       ?n=: disputes that are open, the dearest first
GET  /api/adjudications  ?n=&before=SEQ: decisions that the person made, the newest first

Decisions are sent to POST /api/events, as events of the kind `adjudicate`.
"""

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.annotation.api_requests import asked_number, asking_person
from pipeline.annotation.people import People, Person
from pipeline.annotation.store import Store
from pipeline.web.json_answers import RequestError, json_response

MOST_DISPUTES = 100
_USUAL_DISPUTES = 10


def routes(store: Store, people: People) -> list[Route]:
    """The routes of this file."""
    return [
        Route("/api/disputes", partial(_disputes, store, people)),
        Route("/api/adjudications", partial(_adjudications, store, people)),
    ]


async def _disputes(store: Store, people: People, request: Request) -> Response:
    person = _adjudicator(people, request)
    most = asked_number(request, "n", usual=_USUAL_DISPUTES, most=MOST_DISPUTES)
    shown = [_shown(store, row) for row in store.disputed(person, most)]
    return json_response({"disputes": shown, "counts": store.dispute_counts()})


async def _adjudications(store: Store, people: People, request: Request) -> Response:
    person = _adjudicator(people, request)
    most = asked_number(request, "n", usual=_USUAL_DISPUTES, most=MOST_DISPUTES)
    before = asked_number(request, "before", usual=0, most=2**53)
    found = store.decisions(person, most + 1, before=before or None)
    decisions = []
    for kept in found[:most]:
        event = kept.event
        own = {"uid": event.uid, "seq": kept.seq, "time": kept.time, "why": event.why}
        own |= {"labels": event.labels, "number": event.number, "comment": event.comment}
        decisions.append(own | {"dispute": _shown(store, event.row)})
    return json_response({"adjudications": decisions, "more": len(found) > most})


def _adjudicator(people: People, request: Request) -> Person:
    """The person who asks.

    Raises:
        RequestError: 401, or 403 for an annotator.
    """
    person = asking_person(people, request)
    if person.role == "annotator":
        raise RequestError(
            403,
            got=f"{request.url.path} by an annotator",
            expected="an adjudicator or the lead",
            next_step=f"ask whoever runs the server for the role: modelyard annotate --people {person.name}:adjudicator",
        )
    return person


def _shown(store: Store, row: str) -> dict[str, Any]:
    """A row with the votes on it; the texts are null where it is no longer in the data."""
    found, votes = store.row(row), store.blind_votes(row)
    return {
        "row": row,
        "text": found.text if found else None,
        "second": found.second if found else None,
        "votes": [asdict(vote) for vote in votes],
        "labels": _in_dispute([vote.labels for vote in votes]),
    }


def _in_dispute(votes: Sequence[Sequence[str]]) -> list[str]:
    """The labels that some of the votes have and others have not, in the order of the votes."""
    named = dict.fromkeys(label for labels in votes for label in labels)
    return [label for label in named if not all(label in labels for labels in votes)]
