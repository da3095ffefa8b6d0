"""Counts and logs every answer, whether it went through the application or past it (`http_protocol.py`)."""

from collections.abc import Mapping
from datetime import UTC, datetime

from pipeline.serving.access_log import AccessLog, trace_id
from pipeline.serving.answer import Answer
from pipeline.serving.exchange import Outcome
from pipeline.serving.hot_swap import ModelHolder, ServedModel
from pipeline.serving.prometheus_text import metrics_text, model_note
from pipeline.serving.scheduler import Scheduler
from pipeline.serving.tally import OTHER, Tally

_TRACE_PARENT = b"traceparent"
Headers = list[tuple[bytes, bytes]]


class Watch:
    """The counters, the access log, and the headers that name the model.

    Args:
        routes: id of a route's endpoint → its path; whatever meets none is counted as `other`.
        access_log: None writes none.
    """

    def __init__(
        self,
        *,
        holder: ModelHolder,
        scheduler: Scheduler,
        tally: Tally,
        routes: Mapping[int, str],
        access_log: AccessLog | None,
    ) -> None:
        self._holder, self._scheduler, self._tally = holder, scheduler, tally
        self._routes, self._log = routes, access_log
        self._texts_seen = scheduler.counts.texts
        self._described: str | None = None

    def names(self, answering: ServedModel | None) -> Headers:
        """The headers that name the model which answered, or which serves where none was asked."""
        model = answering or self._holder.current
        return [] if model is None else model.headers

    def route_of(self, endpoint: object) -> str:
        """The path of the route with this endpoint."""
        return self._routes.get(id(endpoint), OTHER)

    def direct(self, outcome: Outcome) -> None:
        """Counts and logs an answer to /predict that went past the application."""
        self.answered(
            "POST",
            "/predict",
            outcome.status,
            headers=[*outcome.head.headers],
            seconds=outcome.seconds,
            size=outcome.size,
            answer=outcome.answer,
        )

    def answered(
        self,
        method: str,
        route: str,
        status: int,
        *,
        headers: Headers,
        seconds: float,
        size: int,
        answer: Answer | None,
    ) -> None:
        """Counts and logs an answer.

        Args:
            headers: of the request.
            size: bytes of the answer's body.
        """
        tally, model = self._tally, self._holder.current
        tally.answered(route, status, seconds)
        if status in (503, 504):
            tally.refused(self._reason(status))
        self._look()
        if model is not None and model.bundle.hash != self._described:
            self._describe(model)
        if self._log is not None:
            line = _line(method, route, status, seconds=seconds, size=size, answer=answer)
            parent = next((value for name, value in headers if name == _TRACE_PARENT), b"")
            if trace := trace_id(parent.decode("latin-1")):
                line["trace"] = trace
            if not self._log.write(line):
                tally.count("log_lines_lost")

    def metrics(self) -> str:
        """The page of all counters."""
        self._look()
        ready = self._holder.current is not None and not self._holder.stopping
        return metrics_text(self._tally, ready=ready)

    def _reason(self, status: int) -> str:
        if status == 504:
            return "deadline"
        if self._holder.current is None:
            return "model"
        return "stopping" if self._holder.stopping else "queue"

    def _look(self) -> None:
        """Takes over what the scheduler knows: texts that were computed, sent or not, and who waits."""
        scheduler, tally = self._scheduler, self._tally
        if (texts := scheduler.counts.texts) != self._texts_seen:
            tally.count("texts_computed", texts - self._texts_seen)
            self._texts_seen = texts
        tally.set_level("requests_waiting", scheduler.waiting)
        tally.set_level("requests_running", scheduler.running)

    def _describe(self, model: ServedModel) -> None:
        """Tells the other workers which model serves here."""
        self._described = model.bundle.hash
        described = model.bundle.description
        self._tally.describe(
            model_note(
                product=described.product,
                variant=described.variant,
                version=model.version,
                bundle_hash=model.bundle.hash,
            )
        )


def _line(
    method: str, route: str, status: int, *, seconds: float, size: int, answer: Answer | None
) -> dict[str, object]:
    """A line of the access log; what is not known is left out."""
    line: dict[str, object] = {
        "time": datetime.now(UTC).isoformat(timespec="microseconds"),
        "method": method,
        "route": route,
        "status": status,
        "milliseconds": round(1000 * seconds, 3),
        "bytes": size,
    }
    if answer is not None:
        line |= {
            "texts": len(answer.requests),
            "queue": round(answer.waited_ms, 3),
            "tokens": round(answer.read_ms, 3),
            "model": round(answer.model_ms, 3),
            "version": answer.model.version,
        }
    return line
