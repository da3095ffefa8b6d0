"""Answers /predict: from the bytes of a request to those of its answer."""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from pipeline.core.errors import DataError
from pipeline.problem.prediction import Prediction
from pipeline.runtime.task import Request as TextRequest
from pipeline.serving.answer import Answer
from pipeline.serving.canary import Canary, is_the_models_fault, no_canary
from pipeline.serving.deadlines import DEADLINE, deadline_seconds
from pipeline.serving.hot_swap import ServedModel
from pipeline.serving.job import Job
from pipeline.serving.left import on_leaving
from pipeline.serving.notes import notes_of
from pipeline.serving.protocol import ProtocolError, read_requests, require_shape, unfit_text
from pipeline.serving.scheduler import Scheduler
from pipeline.serving.text_work import TextWork

Observer = Callable[[ServedModel, list[TextRequest], list[Prediction], float], None]
"""Told of each answer to /predict once it is sent, with the milliseconds that the model took."""
ANSWER_HEADERS = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]


Ended = Callable[[Answer | Exception], None]


class TextRoute:
    """The route /predict.

    Args:
        current: gives the model that answers a request, or raises.
        observers: are told of each answer.
        canary: gives the model that answers in place of `current`, where one does.
    """

    def __init__(
        self,
        current: Callable[[], ServedModel],
        scheduler: Scheduler,
        observers: Sequence[Observer] = (),
        canary: Canary = no_canary,
    ) -> None:
        self._current, self._scheduler = current, scheduler
        self._observers, self._canary = observers, canary

    def check_room(self, deadline: float) -> None:
        """Refuses a request before its body is read where what waits alone takes longer.

        Raises:
            ProtocolError: 503.
        """
        self._scheduler.check_room(deadline)

    def start(
        self,
        requests: list[TextRequest],
        *,
        deadline: float,
        ended: Ended,
        model: ServedModel | None = None,
    ) -> Job:
        """Lets texts wait for their turn; `ended` gets the answer, or the reason why there is none.

        Args:
            model: the one that answers; None for that which serves, or the canary for its share.

        Raises:
            ProtocolError: they are refused.
        """
        if model is not None:
            return self._start(requests, model=model, deadline=deadline, ended=ended)
        champion, candidate = self._current(), self._canary()
        by_champion = partial(self._start, requests, model=champion, deadline=deadline, ended=ended)
        if candidate is None:
            return by_champion()

        def end(found: Answer | Exception) -> None:
            if not (isinstance(found, Exception) and is_the_models_fault(found)):
                ended(found)
                return
            try:
                by_champion()
            except ProtocolError as error:
                ended(error)

        try:
            return self._start(requests, model=candidate, deadline=deadline, ended=end)
        except ProtocolError as error:
            if not is_the_models_fault(error):
                raise
            return by_champion()

    def _start(
        self, requests: list[TextRequest], *, model: ServedModel, deadline: float, ended: Ended
    ) -> Job:
        arrived = time.perf_counter()
        require_shape(requests, pairs=model.text_model.task.pairs)
        work = TextWork(model.text_model, model.costs, requests)
        try:
            work.read_if_short()
        except DataError as error:
            raise unfit_text(error) from None
        read_ms = 1000 * (time.perf_counter() - arrived)

        def finish(job: Job) -> None:
            self._scheduler.counts.texts += work.computed
            if job.error is not None:
                ended(job.error)
                return
            waited = (job.waited or 0.0) - read_ms
            ended(Answer(model, requests, job.result, read_ms, waited, job.spent))

        job = Job(
            work.runs(),
            ended=finish,
            arrived=arrived,
            deadline=deadline,
            remaining=work.cost(),
            longest_run=work.longest_run(),
        )
        self._scheduler.submit(job)
        return job

    async def answer(
        self,
        requests: list[TextRequest],
        *,
        deadline: float,
        model: ServedModel | None = None,
        scope: Scope | None = None,
    ) -> Answer:
        """The answer to texts.

        Args:
            model: as of `start`.
            scope: the request that they are of: the work ends when its client leaves.

        Raises:
            ProtocolError: they are refused.
            ClientDisconnect: nobody waits for the answer.
        """
        future: asyncio.Future[Answer | Exception] = asyncio.get_running_loop().create_future()
        job = self.start(
            requests,
            model=model,
            deadline=deadline,
            ended=lambda found: None if future.done() else future.set_result(found),
        )
        if scope is not None:
            on_leaving(scope, partial(self.cancel, job))
        try:
            found = await future
        finally:
            self.cancel(job)
        if isinstance(found, Exception):
            raise found
        if scope is not None:
            notes_of(scope).answer = found
        return found

    def cancel(self, job: Job) -> None:
        """Ends the work for a client that has gone."""
        self._scheduler.cancel(job)

    def tell(self, answer: Answer) -> None:
        """Tells the observers of an answer that is sent."""
        for observe in self._observers:
            observe(answer.model, answer.requests, answer.predictions, answer.model_ms)

    async def respond(self, request: Request, model: ServedModel | None = None) -> Response:
        """Answers over ASGI, as the protocol does without it (`http_protocol.py`); `model` as of `start`."""
        deadline = time.perf_counter() + deadline_seconds(request.headers.get(DEADLINE, ""))
        self.check_room(deadline)
        requests = await read_requests(request)
        answer = await self.answer(requests, model=model, deadline=deadline, scope=request.scope)
        response = Response(answer.body(), background=BackgroundTask(self.tell_later, answer))
        response.raw_headers += ANSWER_HEADERS
        return response

    async def tell_later(self, answer: Answer) -> None:
        self.tell(answer)
