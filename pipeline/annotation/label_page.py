"""The web application people label with: the page, and the API under it, over a `Store`.

GET  /              the page; the fragment of a person's link holds the token and is never sent
GET  /api/me        who asks, the labels with their keys, counts, the guide
GET  /api/next      ?n=20: rows to answer next            POST /api/events   a list of events, saved before
GET  /api/history   ?n=50&before=SEQ: answers given       they are answered

Other screens have files of their own, with the routes under them: guide_routes.py, start_routes.py. The API wants `Authorization: Bearer TOKEN`; docs/guide/annotation.md describes it.
"""

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, cast

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from pipeline.annotation import (
    adjudicate_routes,
    board_routes,
    guide_routes,
    mistakes_routes,
    start_routes,
)
from pipeline.annotation.api_requests import asked_number, asking_person
from pipeline.annotation.door import Door, json_of
from pipeline.annotation.events import Kept
from pipeline.annotation.guide_offers import WHY as OFFERED
from pipeline.annotation.people import People, Person
from pipeline.annotation.row_file import LabellingRow
from pipeline.annotation.store import Accepted, NotSavedError, Outcome, Store
from pipeline.core.disk import DiskFullError
from pipeline.web.browser_safety import SecurityHeaders
from pipeline.web.json_answers import RequestError, error_response, json_response, told

STATIC = Path(__file__).parent / "static"
SCREENS = {
    "/": "page.html",
    "/adjudicate": "adjudicate.html",
    "/board": "board.html",
    "/guide": "guide.html",
    "/mistakes": "mistakes.html",
    "/start": "start.html",
}
"""Path → the file of a screen; static/server.js has the links to them."""
MOST_ROWS = 100
MOST_EVENTS = 500
_ROUTES = "GET /, /api/me, /api/next, /api/history, POST /api/events"
_USUAL_ROWS = 20
_ALLOWED = {"worker-src": "'self'"}
_FRESH = {"cache-control": "no-cache"}
"""Asked for again each time, so that an updated server never meets an old page."""


def label_page(store: Store, people: People, *, loopback_only: bool = True) -> Starlette:
    """Makes the application; the caller closes the store.

    Args:
        loopback_only: as of `Door`.
    """
    routes = [
        *(Route(path, _file(name)) for path, name in SCREENS.items()),
        # At the root, for a service worker is in charge of the folder that it comes from.
        Route("/offline.js", _file("offline.js")),
        Route("/api/me", partial(_me, store, people)),
        Route("/api/next", partial(_next, store, people)),
        Route("/api/history", partial(_history, store, people)),
        Route("/api/events", partial(_events, store, people), methods=["POST"]),
        *guide_routes.routes(store, people),
        *start_routes.routes(store, people),
        *adjudicate_routes.routes(store, people),
        *mistakes_routes.routes(store, people),
        *board_routes.routes(store, people),
        Mount("/static", _Static(directory=STATIC)),
    ]
    app = Starlette(
        routes=routes,
        middleware=[
            Middleware(SecurityHeaders, allowed=_ALLOWED),
            Middleware(Door, loopback_only=loopback_only),
        ],
        exception_handlers={
            RequestError: _on_request_error,
            DiskFullError: lambda _, error: told(cast(DiskFullError, error), 507),
            NotSavedError: lambda _, error: told(cast(NotSavedError, error), 503),
            HTTPException: _on_http_error,
            ClientDisconnect: lambda *_: Response(status_code=400),
        },
    )
    app.router.redirect_slashes = False
    return app


class _Static(StaticFiles):
    """The page's files, asked for again each time."""

    def file_response(self, *arguments: Any, **options: Any) -> Response:
        response = super().file_response(*arguments, **options)
        response.headers.update(_FRESH)
        return response


def _file(name: str) -> Callable[[Request], Any]:
    async def send_file(request: Request) -> Response:
        return FileResponse(STATIC / name, headers=_FRESH)

    return send_file


async def _me(store: Store, people: People, request: Request) -> Response:
    person, asked = asking_person(people, request), store.assignment
    await run_in_threadpool(store.look_at_guide)
    text, digest = store.guide.newest
    guide = {"text": text, "hash": digest} if digest else None
    gold = start_routes.gold_standing(store, person)
    return json_response(
        {
            "person": person.name,
            "published": person.published,
            "role": person.role,
            "product": asked.product,
            "problem": asked.problem,
            "pairs": asked.pairs,
            "labels": asked.keys,
            "counts": _counts(store, person),
            "guide": guide,
            "may_edit_guide": guide_routes.may_edit(person),
            "start": gold and gold.as_json(),
            "goal": None if store.goal is None else store.goal.as_json(),
            "suggestions": store.suggestions.are_on,
        }
    )


async def _next(store: Store, people: People, request: Request) -> Response:
    person = asking_person(people, request)
    count = asked_number(request, "n", usual=_USUAL_ROWS, most=MOST_ROWS)
    shown: list[dict[str, Any]] = []
    gold = start_routes.gold_standing(store, person)
    if gold is None or gold.passed:
        for row, vote in store.offered_rows(person, count):
            shown.append(_given(store, person, row, OFFERED) | {"earlier": _vote(vote)})
        rows = store.next_rows(person, count - len(shown))
        shown += [_given(store, person, row, store.why(row.id)) for row in rows]
    return _answered(store, person, {"rows": shown})


def _given(store: Store, person: Person, row: LabellingRow, why: str) -> dict[str, Any]:
    given = {"row": row.id, "text": row.text, "second": row.second, "why": why}
    return given | store.notes(person, row.id) | _suggested(store, person, row.id)


def _vote(kept: Kept) -> dict[str, Any]:
    """The vote that a row had when it was offered again."""
    event = kept.event
    return {"uid": event.uid, "labels": [*event.labels], "number": event.number}


def _answered(store: Store, person: Person, found: dict[str, Any]) -> Response:
    """The answer, with counts and the hash of the guide, by which a page sees that there is a newer one."""
    return json_response(found | {"counts": _counts(store, person), "guide": store.guide.hash})


def _suggested(store: Store, person: Person, row: str) -> dict[str, Any]:
    """The arm of a row and, in the shown one, the suggestion; nothing where no model has an answer to show."""
    given = store.suggestions.give(person, row)
    if given is None:
        return {}
    arm, suggestion = given
    return {"arm": arm, "suggestion": asdict(suggestion) if suggestion else None}


async def _events(store: Store, people: People, request: Request) -> Response:
    person, events = asking_person(people, request), await json_of(request)
    if not isinstance(events, list) or len(events) > MOST_EVENTS:
        given = f"{len(events)} events" if isinstance(events, list) else "no list"
        raise RequestError(
            422,
            got=given,
            expected=f"a list of at most {MOST_EVENTS} events",
            next_step="send the events in several requests",
        )
    # Shielded: what was handed in is written, whether or not the client waits.
    outcomes = await asyncio.shield(asyncio.wrap_future(store.submit(person, events)))
    said = [_said(outcome) for outcome in outcomes]
    return _answered(store, person, {"events": said})


def _said(outcome: Outcome) -> dict[str, Any]:
    """An event's uid, with its number in the log or why it is not taken."""
    if isinstance(outcome, Accepted):
        return {"uid": outcome.uid, "seq": outcome.seq}
    told = {"got": outcome.got, "expected": outcome.expected, "next_step": outcome.next_step}
    return {"uid": outcome.uid, "refused": told}


async def _history(store: Store, people: People, request: Request) -> Response:
    person = asking_person(people, request)
    count = asked_number(request, "n", usual=_USUAL_ROWS, most=MOST_ROWS)
    before = asked_number(request, "before", usual=0, most=2**53)
    found = store.history(person, count + 1, before=before or None)
    answers = [_answer(store, person, kept) for kept in found[:count]]
    return json_response({"answers": answers, "more": len(found) > count})


def _answer(store: Store, person: Person, kept: Kept) -> dict[str, Any]:
    event, row = kept.event, store.row(kept.event.row)
    return {
        "uid": event.uid,
        "seq": kept.seq,
        "event": event.event,
        "row": event.row,
        "labels": list(event.labels),
        "number": event.number,
        "time": kept.time,
        "why": event.why,
        "text": row.text if row else None,
        "second": row.second if row else None,
        **store.notes(person, event.row),
    }


def _counts(store: Store, person: Person) -> dict[str, int]:
    return {
        "answered": store.answered(person),
        "queue": store.unlabelled,
        "labelled": store.labelled,
    }


async def _on_request_error(request: Request, error: Exception) -> Response:
    return error_response(cast(RequestError, error))


async def _on_http_error(request: Request, error: Exception) -> Response:
    refused = cast(HTTPException, error)
    return error_response(
        RequestError(
            refused.status_code,
            got=f"{request.method} {request.url.path[:80]}",
            expected=f"one of {_ROUTES}",
            next_step="check the address and the method",
            headers=refused.headers,
        )
    )
