"""The API of the screen on which people read and edit the guide.

GET  /api/guide               the newest text, its hash, and the versions, the newest first
GET  /api/guide/version       ?hash=: a version, its diff, and for editors the votes that it puts in question
POST /api/guide/diff          {text}: the lines that differ from the newest version, and the labels they are about
POST /api/guide               {text, base, why}: makes the text the newest version
POST /api/guide/examples      {row, label, belongs}: adds the text of a row to the examples of a label
POST /api/guide/offers        {version}: offers the votes near its change again to the people who gave them

Everybody may read; an adjudicator or lead may change.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.annotation.api_requests import asking_person
from pipeline.annotation.door import json_of
from pipeline.annotation.guide_changes import Change, GivenVote, change_of, line_diff
from pipeline.annotation.guide_text import (
    MOST_EXAMPLES,
    MOST_GUIDE,
    changed_labels,
    section_of,
    with_example,
)
from pipeline.annotation.guide_versions import MOST_WHY, GuideChangedError, Version
from pipeline.annotation.people import People, Person
from pipeline.annotation.standing_answers import Answers
from pipeline.annotation.store import Store
from pipeline.core.errors import DataError
from pipeline.problem.problems import REGRESSION
from pipeline.web.json_answers import RequestError, json_response, told

MOST_VERSIONS = 200
Body = dict[str, Any]
Act = Callable[[Store, People, Person, Body], Any]


def routes(store: Store, people: People) -> list[Route]:
    """The routes of the guide."""
    changes: dict[str, Act] = {
        "/api/guide/diff": _diff,
        "/api/guide": _save,
        "/api/guide/examples": _example,
        "/api/guide/offers": _offer,
    }
    return [
        Route("/api/guide", partial(_guide, store, people), methods=["GET"]),
        Route("/api/guide/version", partial(_version, store, people), methods=["GET"]),
        *(
            Route(path, partial(_change, store, people, act), methods=["POST"])
            for path, act in changes.items()
        ),
    ]


def may_edit(person: Person) -> bool:
    """Whether the person may change the guide."""
    return person.role != "annotator"


def rules_of(store: Store, labels: tuple[str, ...]) -> list[dict[str, str]]:
    """The rules of some labels: each with its section."""
    found = [(label, section_of(store.guide.text, label).text.strip()) for label in labels]
    return [{"label": label, "text": text} for label, text in found if text]


async def _guide(store: Store, people: People, request: Request) -> Response:
    person = asking_person(people, request)
    await run_in_threadpool(store.look_at_guide)
    guide = store.guide
    newest_first = [*reversed(guide.versions)][:MOST_VERSIONS]
    return json_response(
        {
            "text": guide.text,
            "hash": guide.hash,
            "may_edit": may_edit(person),
            "labels": [_label(store, label) for label in store.assignment.labels],
            "most_examples": MOST_EXAMPLES,
            "versions": [_shown(store, people, version) for version in newest_first],
            "unseen": _unseen(store),
        }
    )


async def _version(store: Store, people: People, request: Request) -> Response:
    person = asking_person(people, request)
    version = _known(store, request.query_params.get("hash", ""))
    return json_response(await run_in_threadpool(_with_change, store, people, person, version))


async def _change(store: Store, people: People, act: Act, request: Request) -> Response:
    person = asking_person(people, request)
    if not may_edit(person):
        raise RequestError(
            403,
            got=f"a change of the guide by {person.name}, an annotator",
            expected="an adjudicator or the lead",
            next_step="flag the text or comment on it: they see that",
        )
    body = await json_of(request)
    if not isinstance(body, dict):
        raise _refused("a body that is no object", "a JSON object")
    try:
        return json_response(await run_in_threadpool(act, store, people, person, body))
    except GuideChangedError as error:
        return await run_in_threadpool(_conflict, store, people, error, body)
    except DataError as error:
        return told(error, 422)


def _diff(store: Store, people: People, person: Person, body: Body) -> Body:
    text = _text(body, "text", most=MOST_GUIDE)
    labels = changed_labels(store.guide.text, text, store.assignment.labels)
    return {"diff": line_diff(store.guide.text, text), "labels": [*labels]}


def _save(store: Store, people: People, person: Person, body: Body) -> Body:
    text, why = _text(body, "text", most=MOST_GUIDE), _text(body, "why", most=MOST_WHY).strip()
    base = body.get("base")
    if base is not None and not isinstance(base, str):
        raise _refused(f"base={base!r:.40}", "the hash of the version that was edited, or null")
    if not why:
        raise _refused("a change without a reason", "`why`, a sentence that tells others")
    version = store.guide.save(text, base=base, who=person.published, why=why)
    return _with_change(store, people, person, version)


def _example(store: Store, people: People, person: Person, body: Body) -> Body:
    label, belongs = _text(body, "label", most=200), body.get("belongs")
    row = store.row(_text(body, "row", most=200))
    if label not in store.assignment.labels or not isinstance(belongs, bool):
        raise _refused(
            f"label={label!r:.60}, belongs={belongs!r:.20}", "a label, and true or false"
        )
    if row is None:
        raise _refused("a row that is not in the data", "the id of a row")
    example = " ↔ ".join(filter(None, [row.text, row.second]))
    kind = "an example" if belongs else "an example that is not"
    version = store.guide.changed(
        lambda text: with_example(text, label=label, example=example, belongs=belongs),
        who=person.published,
        why=f"{kind} of {label}, from the row {row.id}",
    )
    return {"version": _shown(store, people, version), "label": _label(store, label)}


def _offer(store: Store, people: People, person: Person, body: Body) -> Body:
    version = _known(store, _text(body, "version", most=200))
    near = _change_by(store, people, version).near
    waiting = {(name, row) for name, row, _ in _open_offers(store, people)}
    fresh = [each.vote for each in near if (each.vote.person, each.vote.row) not in waiting]
    if fresh:
        store.offer_again(fresh, version=version.hash, person=person)
    return _with_change(store, people, person, version) | {"added": len(fresh)}


def _conflict(store: Store, people: People, error: GuideChangedError, body: Body) -> Response:
    """The answer to an edit of an old version: both changes, so that the person can bring them together."""
    base, mine, current = body.get("base"), str(body.get("text", "")), store.guide.text
    was = store.guide.text_of(base if isinstance(base, str) else None)
    both = {"theirs": line_diff(was, current), "yours": line_diff(was, mine)}
    version = error.current and _shown(store, people, error.current)
    error_body = {"got": error.got, "expected": error.expected, "next_step": error.next_step}
    answer = {"error": error_body, "current": version, "text": current, **both}
    return json_response(answer, 409)


def _with_change(store: Store, people: People, person: Person, version: Version) -> Body:
    """A version with its diff, and for editors with the votes that it puts in question."""
    before, after = (store.guide.text_of(each) for each in (version.base, version.hash))
    found = {
        "version": _shown(store, people, version),
        "text": after,
        "diff": line_diff(before, after),
        "labels": [*changed_labels(before, after, store.assignment.labels)],
    }
    if not may_edit(person):
        return found
    change = _change_by(store, people, version)
    offered = [
        vote
        for offer in store.offers.offers
        if offer.version == version.hash
        for vote in offer.votes
    ]
    still = {(name, uid) for name, _, uid in _open_offers(store, people)}
    votes = {
        "old": change.old,
        "near": len(change.near),
        "offered": len(offered),
        "unanswered": sum((name, uid) in still for name, _, uid in offered),
    }
    return found | {"votes": votes}


def _change_by(store: Store, people: People, version: Version) -> Change:
    """The change from the version before, which need not be the one that the person had edited."""
    guide, assignment = store.guide, store.assignment

    def text_of_row(row: str) -> str | None:
        found = store.row(row)
        return None if found is None else "\n".join(filter(None, [found.text, found.second]))

    return change_of(
        given_votes(store, people),
        before=guide.text_of(version.base),
        after=guide.text_of(version.hash),
        labels=assignment.labels,
        text_of_version=guide.text_of,
        text_of_row=text_of_row,
    )


def given_votes(store: Store, people: People) -> list[GivenVote]:
    """The votes of all people that stand: the last answer of each to each row, without skips."""
    is_number, labels = store.assignment.problem == REGRESSION, store.assignment.labels

    def of_person(name: str, answers: Answers) -> list[GivenVote]:
        last = ((row, answers.last(row)) for row in answers)
        return [
            GivenVote(
                person=name,
                row=row,
                uid=kept.event.uid,
                answer=float(kept.event.number or 0) if is_number else kept.event.labels,
                labels=labels if is_number else kept.event.labels,
                guide=kept.event.guide,
                noted=bool(answers.flag(row) or answers.comment(row)),
            )
            for row, kept in last
            if kept is not None and kept.event.event == "vote"
        ]

    return [
        vote
        for person in people
        for vote in store.read(person, partial(of_person, person.published))
    ]


def _open_offers(store: Store, people: People) -> list[tuple[str, str, str]]:
    """The offers that wait for an answer: each as published name, row, and uid of the vote."""

    def of_person(name: str, answers: Answers) -> list[tuple[str, str, str]]:
        rows = store.offers.open(name, answers, len(answers))
        return [(name, row, kept.event.uid) for row in rows if (kept := answers.last(row))]

    return [
        offer
        for person in people
        for offer in store.read(person, partial(of_person, person.published))
    ]


def _shown(store: Store, people: People, version: Version) -> Body:
    """A version as a list of versions has it."""
    names = {person.published: person.name for person in people}
    return {
        "hash": version.hash,
        "time": version.time,
        "who": names.get(version.who),
        "why": version.why,
    }


def _unseen(store: Store) -> str | None:
    """Hash of the version whose change the newest one does not have, as it was written from an older one."""
    versions = store.guide.versions
    if len(versions) < 2 or versions[-1].base == versions[-2].hash:
        return None
    return versions[-2].hash


def _label(store: Store, label: str) -> Body:
    section = section_of(store.guide.text, label)
    return {"name": label, "are": len(section.are), "are_not": len(section.are_not)}


def _known(store: Store, digest: str) -> Version:
    version = store.guide.version(digest)
    if version is None:
        raise RequestError(
            404,
            got=f"the version {digest[:70]!r}",
            expected="the hash of a version of the guide",
            next_step="reload the page",
        )
    return version


def _text(body: Body, name: str, *, most: int) -> str:
    value = body.get(name)
    if not isinstance(value, str) or len(value) > most:
        raise _refused(f"{name}={value!r:.40}", f"a text of at most {most:,} characters")
    return value.replace("\r\n", "\n")


def _refused(got: str, expected: str) -> RequestError:
    return RequestError(422, got=got, expected=expected, next_step="correct the request")
