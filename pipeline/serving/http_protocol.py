"""One connection: uvicorn's protocol with limits, and a short way for `POST /predict`.

A request for /predict is answered here, from its bytes to those of the answer, without a task, a scope
and two writes; that is most of what a server costs beside a model of half a millisecond (ADR 45). What
is unusual about it (`Expect`, requests sent before the answer to the one before) and every other
route take uvicorn's way to the same functions.
"""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from pipeline.serving.answer import Answer
from pipeline.serving.connection_limits import Phase
from pipeline.serving.exchange import Exchange, Outcome, Shared
from pipeline.serving.left import LEFT
from pipeline.serving.protocol import (
    MAX_BODY_BYTES,
    ProtocolError,
    inflate,
    parse_requests,
    too_large,
    too_slow,
)
from pipeline.serving.request_head import LENGTH, RequestHead, read_head
from pipeline.web.json_answers import RequestError, error_body, lines_of

_TARGET, _METHOD = b"/predict", b"POST"
_DISCARDED_BYTES = 16_000_000
"""Bytes of a refused body that are read and thrown away; after that the connection is closed."""


class ServingProtocol(HttpToolsProtocol):
    """A connection of the server."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        shared: Shared,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._shared, self._limits = shared, shared.limits
        self._exchange: Exchange | None = None  # that is read now
        self._answering: Exchange | None = (
            None  # that has no answer yet: while the next is read, too
        )
        self._phase: Phase = "busy"
        self._reading = False
        self._head: RequestHead | None = None
        self._left: list[Callable[[], None]] = []

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        crowded = len(self.connections) > self._limits.most
        if crowded and not self._limits.make_room():
            transport.abort()
            return
        self._enter("idle")

    def connection_lost(self, exc: Exception | None) -> None:
        self._enter("busy")
        exchange, self._answering = self._answering, None
        if exchange is not None:
            exchange.disconnected = True
            self._shared.running.direct.discard(self)
            if exchange.job is not None:
                self._shared.texts.cancel(exchange.job)
        cycle = self.cycle
        super().connection_lost(exc)
        if cycle is not None and not cycle.response_complete:
            for call in self._left:
                call()

    def end_waiting(self, phase: Phase) -> None:
        """Closes a connection that waited too long for its client, with the reason if it has a request."""
        self._phase = "busy"
        if phase == "body" and self._answering is not None:
            self._refuse(self._answering, too_slow())
        if self.transport.get_write_buffer_size():
            self.transport.abort()  # its client does not even read
        else:
            self.transport.close()

    def give_up(self, reason: RequestError) -> None:
        """Answers a request that is still computed with the reason why it gets no answer."""
        exchange = self._answering
        if exchange is not None:
            if exchange.job is not None:
                self._shared.texts.cancel(exchange.job)
            self._refuse(exchange, reason)

    def data_received(self, data: bytes) -> None:
        before, self._reading = self._phase, True
        try:
            super().data_received(data)
        finally:
            self._reading = False
            if self._phase != before or before == "idle":
                self._limits.move(self, before, self._phase)

    def on_message_begin(self) -> None:
        self.url, self.headers, self.expect_100_continue = b"", [], False
        self._enter("head")

    def on_headers_complete(self) -> None:
        self._enter("body")
        if self._is_direct():
            self._begin()
            return
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.headers, self.expect_100_continue = url, headers, expects
        self._exchange, self._left = None, []
        self.scope["headers"] = headers
        cast(dict[str, Any], self.scope)[LEFT] = self._left
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        exchange = self._exchange
        if exchange is None:
            super().on_body(body)
        elif exchange.response_complete:
            exchange.discarded += len(body)
            if exchange.discarded > _DISCARDED_BYTES:
                self.transport.close()
        else:
            exchange.body += body
            if len(exchange.body) > MAX_BODY_BYTES:
                got = f"a body of more than {MAX_BODY_BYTES:,} bytes"
                self._refuse(exchange, too_large(got, more=True))

    def on_message_complete(self) -> None:
        self._enter("busy")
        exchange = self._exchange
        if exchange is None:
            super().on_message_complete()
            if self.cycle.response_complete:  # before its request was read to the end
                self._enter("idle")
            return
        exchange.more_body = False
        if exchange.response_complete:
            self._finish(exchange)
        else:
            self._answer(exchange)

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
        else:
            self._enter("idle")

    def _enter(self, phase: Phase) -> None:
        """Notes what the connection waits for; within one piece of data, only what it comes to."""
        before, self._phase = self._phase, phase
        if not self._reading:
            self._limits.move(self, before, phase)

    def _is_direct(self) -> bool:
        parser = self.parser
        return (
            self.url == _TARGET
            and parser.get_method() == _METHOD
            and not self.expect_100_continue
            and not parser.should_upgrade()
            and not self.pipeline
            and (self.cycle is None or self.cycle.response_complete)
        )

    def _begin(self) -> None:
        """Decides by the headers alone whether the request is worth reading."""
        head, length = self._read_head(version := self.parser.get_http_version())
        keep_alive = version != "1.0" and self.parser.should_keep_alive()
        exchange = Exchange(keep_alive, head, time.perf_counter())
        self._exchange = self._answering = exchange
        self.cycle = cast(Any, exchange)
        self._shared.running.direct.add(self)
        try:
            if head.refusal is not None:
                raise head.refusal
            if length.isdigit() and int(length) > MAX_BODY_BYTES:
                raise too_large(f"a body of {int(length):,} bytes", more=True)
            self._shared.texts.check_room(exchange.arrived + head.deadline)
        except RequestError as error:
            self._refuse(exchange, error)

    def _read_head(self, version: str) -> tuple[RequestHead, bytes]:
        """The meaning of the headers, and the length that they declare; most clients send the same each time."""
        length, others = b"", []
        for header in self.headers:
            if header[0] == LENGTH:
                length = header[1]
            else:
                others.append(header)
        if self._head is None or others != self._head.headers:
            self._head = read_head(others, http_version=version, guard=self._shared.guard)
        return self._head, length

    def _answer(self, exchange: Exchange) -> None:
        """Lets the texts wait for their turn, or says at once why not."""
        try:
            body = inflate(bytes(exchange.body)) if exchange.head.inflates else exchange.body
            exchange.job = self._shared.texts.start(
                parse_requests(body),
                deadline=exchange.arrived + exchange.head.deadline,
                ended=partial(self._ended, exchange),
            )
        except RequestError as error:
            self._refuse(exchange, error)

    def _ended(self, exchange: Exchange, found: Answer | Exception) -> None:
        if exchange.response_complete or exchange.disconnected:
            return
        if isinstance(found, Answer):
            total = 1000 * (time.perf_counter() - exchange.arrived)
            timing = b"server-timing: %b, total;dur=%.3f\r\n" % (found.timing(), total)
            own = found.model.header_lines + timing
            self._send(exchange, 200, own, found.body(), answer=found)
            self._shared.texts.tell(found)
        elif isinstance(found, ProtocolError):
            self._refuse(exchange, found)

    def _refuse(self, exchange: Exchange, error: RequestError) -> None:
        if error.headers.get("connection") == "close":
            exchange.keep_alive = False
        own = [(k.encode(), v.encode()) for k, v in error.headers.items() if k != "connection"]
        total = 1000 * (time.perf_counter() - exchange.arrived)
        own.append((b"server-timing", b"total;dur=%.3f" % total))
        if exchange.head.trusted:
            own += self._shared.names()
        self._send(exchange, error.status, lines_of(own), error_body(error))

    def _send(
        self,
        exchange: Exchange,
        status: int,
        own: bytes,
        body: bytes,
        *,
        answer: Answer | None = None,
    ) -> None:
        """Writes an answer with its own headers; if its request is not read to the end, goes on reading."""
        if not exchange.keep_alive or self._shared.running.closing:
            exchange.keep_alive = False
            own += b"connection: close\r\n"
        head = self._shared.head(self.server_state.default_headers)
        length = b"content-length: %d\r\n\r\n" % len(body)
        self.transport.write(b"".join((STATUS_LINE[status], head, own, length, body)))
        exchange.response_complete = True
        self._answering = None
        self._shared.running.direct.discard(self)
        if self._shared.watchers:
            seconds = time.perf_counter() - exchange.arrived
            outcome = Outcome(status, exchange.head, answer, seconds, len(body))
            for watch in self._shared.watchers:
                watch(outcome)
        if not exchange.more_body:
            self._finish(exchange)

    def _finish(self, exchange: Exchange) -> None:
        """Ends an exchange that is read and answered."""
        if not exchange.keep_alive:
            self.transport.close()
        self.on_response_complete()
