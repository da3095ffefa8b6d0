"""The API of the first screen that a person sees, where the project has gold items.

GET  /api/start       the items, which of them the person has answered and how, and what is needed
POST /api/start       {row, uid, labels or number, seconds}: answers an item; the right answer and the rule come back
"""

import asyncio
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.annotation.api_requests import asking_person
from pipeline.annotation.door import json_of
from pipeline.annotation.events import Event
from pipeline.annotation.gold_items import GoldItem, Standing, items_for, standing_of
from pipeline.annotation.guide_routes import rules_of
from pipeline.annotation.people import People, Person
from pipeline.annotation.standing_answers import Answers
from pipeline.annotation.store import Accepted, Store
from pipeline.web.json_answers import RequestError, json_response


def routes(store: Store, people: People) -> list[Route]:
    """The routes of the first screen."""
    return [
        Route("/api/start", partial(_items, store, people), methods=["GET"]),
        Route("/api/start", partial(_answer, store, people), methods=["POST"]),
    ]


def gold_standing(store: Store, person: Person) -> Standing | None:
    """How far the person has come with the gold items; None where the project has none."""
    if not store.gold:
        return None
    items = items_for(person.published, store.gold)
    return standing_of(items, store.read(person, Answers.gold))


async def _items(store: Store, people: People, request: Request) -> Response:
    person = asking_person(people, request)
    return json_response(_state(store, person))


async def _answer(store: Store, people: People, request: Request) -> Response:
    person, body = asking_person(people, request), await json_of(request)
    standing = gold_standing(store, person)
    asked = [item.id for item in standing.items] if standing else []
    if not isinstance(body, dict) or body.get("row") not in asked:
        raise RequestError(
            422,
            got="no answer to a gold item",
            expected="an object with `uid`, `row` of an item of GET /api/start, and the answer",
            next_step="reload the page",
        )
    event = body | {"event": "gold", "guide": store.guide.hash}
    (outcome,) = await asyncio.shield(asyncio.wrap_future(store.submit(person, [event])))
    if not isinstance(outcome, Accepted):
        raise RequestError(
            422, got=outcome.got, expected=outcome.expected, next_step=outcome.next_step
        )
    return json_response(_state(store, person))


def _state(store: Store, person: Person) -> dict[str, Any]:
    standing = gold_standing(store, person)
    if standing is None:
        return {"items": [], "standing": None}
    shown = [_shown(store, item, standing.answers.get(item.id)) for item in standing.items]
    return {"items": shown, "standing": standing.as_json()}


def _shown(store: Store, item: GoldItem, answer: Event | None) -> dict[str, Any]:
    """An item as the screen has it; the right answer only once the person has given one."""
    row = store.row(item.id)
    found = {"row": item.id, "text": row and row.text, "second": row and row.second}
    if answer is None:
        return found | {"answer": None}
    about = item.given or store.assignment.labels[:1]
    given = {"labels": [*answer.labels], "number": answer.number, "right": item.is_right(answer)}
    right = {"labels": [*item.given], "number": item.number, "why": item.why}
    return found | {"answer": given, "gold": right, "rules": rules_of(store, (*about,))}
