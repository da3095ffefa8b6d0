"""The routes of the board: figures of all labels for the lead, one's own pace for everybody.

GET /api/board            figures of all labels, at most some seconds old       the lead
GET /api/board/matrix     ?first=p1&second=p2: who confuses what with whom      the lead
GET /api/board/rows       ?kind=disputed&…: rows with their votes               the lead
GET /api/pace             one's own labels over time, and seconds a label       everybody

A look at the board is one computation at a time in a thread of its own, which works on a copy of the answers: labels are
taken and saved meanwhile. Its result serves all looks until something was answered and some time has passed.
"""

import asyncio
import gc
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any, cast, get_args

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.annotation.api_requests import asked_number, asking_person
from pipeline.annotation.board_votes import AnsweredRow, BoardVotes, Kind, RowFilter
from pipeline.annotation.pace import over_time, pace
from pipeline.annotation.people import People, Person
from pipeline.annotation.store import Store
from pipeline.web.json_answers import RequestError, json_response

if TYPE_CHECKING:
    from pipeline.annotation.board_figures import Board

FRESH_SECONDS = 5.0
"""For how long figures serve further looks."""
SHARE_OF_TIME = 5.0
"""Figures that took long serve for so many times as long, so that looks cannot fill a processor."""
SWITCH_SECONDS = 0.0005
"""For how long at most the board's thread keeps the interpreter while a label waits for it, unless NumPy holds it."""
MOST_ROWS = 100
_USUAL_ROWS = 20
_MOST_PLACE = 2**31


def routes(store: Store, people: People) -> list[Route]:
    """The routes, over a store; the first look loads what the figures need."""
    board = CachedBoard(partial(_computed, store, people))
    return [
        Route("/api/board", partial(_board, board, people)),
        Route("/api/board/matrix", partial(_matrix, board, people)),
        Route("/api/board/rows", partial(_rows, board, store, people)),
        Route("/api/pace", partial(_pace, board, store, people)),
    ]


class CachedBoard:
    """The last board, and one thread that computes the next.

    Args:
        compute: makes a board.
        clock: seconds.
    """

    def __init__(
        self, compute: Callable[[], "Board"], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._compute, self._clock = compute, clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="annotation-board")
        self._task: asyncio.Task[Board] | None = None
        self._until = 0.0

    async def get(self) -> "Board":
        """A board of the last seconds; those who ask while one is computed get that one."""
        if self._task is None or (self._task.done() and not self._serves(self._task)):
            self._task = asyncio.create_task(self._computed())
        return await asyncio.shield(self._task)

    async def run(self, work: Callable[[], Any]) -> Any:
        """Does some other work in the board's thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, partial(_giving_way, work))

    def _serves(self, task: "asyncio.Task[Board]") -> bool:
        failed = task.cancelled() or task.exception() is not None
        return not failed and self._clock() < self._until

    async def _computed(self) -> "Board":
        started = self._clock()
        try:
            return cast("Board", await self.run(self._compute))
        finally:
            ended = self._clock()
            self._until = ended + max(FRESH_SECONDS, SHARE_OF_TIME * (ended - started))


def _giving_way(work: Callable[[], Any]) -> Any:
    """Does some work, and lets other threads have the interpreter soon whenever they want it.

    A collection of garbage would stop them all while it looks through every answer, so there is none meanwhile.
    """
    usual, collects = sys.getswitchinterval(), gc.isenabled()
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.disable()
    try:
        return work()
    finally:
        sys.setswitchinterval(usual)
        if collects:
            gc.enable()


def _computed(store: Store, people: People) -> "Board":
    # Loaded here: SciPy is no part of what a label needs.
    from pipeline.annotation.board_figures import Situation, board_of

    votes = BoardVotes.of(
        store.standing(), people=people, assignment=store.assignment, rows=store.rows
    )
    effect = store.suggestion_effect()
    situation = Situation(
        suggestions=asdict(effect) if effect.shown or effect.hidden else None,
        assignment=store.assignment,
        labelled=store.labelled,
        waiting=store.unlabelled,
        double_share=store.double_share,
        goal=store.goal,
    )
    return board_of(votes, situation)


async def _board(board: CachedBoard, people: People, request: Request) -> Response:
    _lead(people, request)
    found = await board.get()
    return json_response({**found.figures, "matrix": await board.run(partial(found.matrix, None))})


async def _matrix(board: CachedBoard, people: People, request: Request) -> Response:
    _lead(people, request)
    found = await board.get()
    pair = (request.query_params.get("first", ""), request.query_params.get("second", ""))
    matrix = await board.run(partial(found.matrix, pair))
    if matrix is None:
        raise RequestError(
            422,
            got=f"first={pair[0][:40]}, second={pair[1][:40]}",
            expected="published names of two people who labelled, such as p1 and p2",
            next_step="take names that GET /api/board gives in `shared`",
        )
    return json_response({"matrix": matrix})


async def _rows(board: CachedBoard, store: Store, people: People, request: Request) -> Response:
    _lead(people, request)
    wanted = _filter(request)
    count = asked_number(request, "n", usual=_USUAL_ROWS, most=MOST_ROWS)
    first = asked_number(request, "from", usual=0, most=_MOST_PLACE)
    votes = (await board.get()).votes
    return json_response(await board.run(partial(_listed, store, votes, wanted, first, count)))


async def _pace(board: CachedBoard, store: Store, people: People, request: Request) -> Response:
    person = asking_person(people, request)
    return json_response(await board.run(partial(_own_pace, store, person)))


def _own_pace(store: Store, person: Person) -> dict[str, Any]:
    answers = store.standing_of(person.published).answers
    votes = [kept for kept in answers if kept.event.event == "vote"]
    found = pace(votes)
    return {
        "votes": len(votes),
        "skips": len(answers) - len(votes),
        "pace": None if found is None else asdict(found),
        "over_time": over_time(votes),
    }


def _listed(
    store: Store, votes: BoardVotes, wanted: RowFilter, first: int, count: int
) -> dict[str, Any]:
    """A part of the rows that are wanted, and how many there are."""
    found = votes.found(wanted)
    shown = [_row(store, name, votes.row(name)) for name in found[first : first + count]]
    return {"rows": shown, "total": len(found)}


def _row(store: Store, name: str, answered: AnsweredRow) -> dict[str, Any]:
    row, decision = store.row(name), answered.decision
    return {
        "row": name,
        "text": row.text if row else None,
        "second": row.second if row else None,
        "votes": [
            {
                "person": person,
                "labels": [*kept.event.labels],
                "number": kept.event.number,
                "why": kept.event.why,
                "guide": kept.event.guide,
            }
            for person, kept in answered.votes.items()
        ],
        "skips": answered.skips,
        "flags": answered.flags,
        "comments": answered.comments,
        "decision": None
        if decision is None
        else {"labels": [*decision.event.labels], "number": decision.event.number},
    }


def _filter(request: Request) -> RowFilter:
    """The filter of the address.

    Raises:
        RequestError: 422.
    """
    given = request.query_params
    kind = given.get("kind", "all")
    if kind not in get_args(Kind):
        raise RequestError(
            422,
            got=f"kind={kind[:40]}",
            expected=f"one of: {', '.join(get_args(Kind))}",
            next_step="leave kind out for all rows that somebody answered",
        )
    return RowFilter(
        kind=cast(Kind, kind),
        person=given.get("person"),
        other=given.get("other"),
        apart=given.get("apart") == "1",
        label=given.get("label"),
        other_label=given.get("other_label"),
        guide=given.get("guide"),
        why=given.get("why"),
    )


def _lead(people: People, request: Request) -> None:
    """Lets the lead alone pass.

    Raises:
        RequestError: 401 or 403.
    """
    person = asking_person(people, request)
    if person.role != "lead":
        raise RequestError(
            403,
            got=f"the role {person.role}",
            expected="the lead: the board tells of all people's labels",
            next_step="ask for your own pace at GET /api/pace, or have the role changed: --people NAME:lead",
        )
