"""One worker of a server: answers requests on a socket that its supervisor holds.

    python -m pipeline.serving.worker SOCKET CHANNEL model --pointer .. (the options of the server)

SOCKET and CHANNEL are descriptors that it inherits; `model` means that it ends if it cannot load the
released bundle, `any` that it then says so to callers. It takes no request before it has tried, so
that a new worker answers as well as the one before it.
"""

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import cast

import uvicorn

from pipeline.core.access_token import access_token
from pipeline.core.addresses import is_loopback
from pipeline.core.cores import available_cores
from pipeline.core.errors import PipelineError, ReleaseError
from pipeline.core.output import forgive_output
from pipeline.core.server_note import Phase
from pipeline.serving.access_log import AccessLog
from pipeline.serving.app import create_serving
from pipeline.serving.canary import no_canary
from pipeline.serving.channel import NEEDS_MODEL, REPLACED, STOP, Report, send_report
from pipeline.serving.connection_limits import ConnectionLimits, most_connections
from pipeline.serving.demo_routes import DemoExtras
from pipeline.serving.drain import DrainingServer, RunningRequests
from pipeline.serving.exchange import Shared
from pipeline.serving.hot_swap import ModelHolder, PointerFollower
from pipeline.serving.http_protocol import ServingProtocol
from pipeline.serving.options import ServerOptions, read_options
from pipeline.serving.scheduler import Scheduler
from pipeline.serving.shadow import Shadow
from pipeline.serving.surroundings import Surroundings

_SWITCH_SECONDS = 0.0005
"""How long a thread that cleans a long text keeps the interpreter from the one that answers probes."""


def main(arguments: Sequence[str]) -> int:
    """Serves until SIGTERM, or until the supervisor is gone. Returns the exit code."""
    forgive_output()
    sys.setswitchinterval(_SWITCH_SECONDS)
    # Until it answers there is nothing to finish; then uvicorn takes the signal, and raises it again
    # once it is done. Ctrl-C goes to the supervisor too, which decides.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    listener, channel = (socket.socket(fileno=int(number)) for number in arguments[:2])
    # Not for children, should a library ever start one: they would hold the port.
    listener.set_inheritable(False)
    channel.set_inheritable(False)
    needs_model, options = arguments[2] == NEEDS_MODEL, read_options(arguments[3:])
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        Worker(options, channel, needs_model=needs_model).serve(listener)
    except PipelineError as error:
        print(f"serve failed\n  {error}", file=sys.stderr)
        return 1
    return 0


class Worker:
    """A model, the application over it, and the server that answers with it."""

    def __init__(
        self, options: ServerOptions, channel: socket.socket, *, needs_model: bool
    ) -> None:
        self._options, self._channel, self._needs_model = options, channel, needs_model
        self._phase: Phase = "starting"
        self._reported = Report()
        self._holder = ModelHolder(changed=self._report)

    def serve(self, listener: socket.socket) -> None:
        """Loads the model, then answers until told to end."""
        options, follower = self._options, self._load()
        scheduler = Scheduler(cores=available_cores(), order=options.order)
        shadow = self._shadow(idle=lambda: scheduler.idle)
        limits = ConnectionLimits(most=most_connections(), clock=time.monotonic)
        serving = create_serving(
            self._holder,
            scheduler=scheduler,
            background=[limits.watch, *([follower.follow] if follower else [])],
            token=access_token(os.environ),
            loopback_only=is_loopback(options.host),
            observers=[shadow.observe] if shadow else [],
            canary=shadow.canary if shadow else no_canary,
            extras=DemoExtras(feedback=options.feedback, browser=options.browser),
            surroundings=Surroundings(
                environment=os.environ,
                root_path=options.root_path,
                trusted=options.trusted_proxy,
                access_log=AccessLog(options.access_log) if options.access_log else None,
            ),
        )
        requests = RunningRequests(serving.app)
        shared = Shared(
            texts=serving.texts,
            guard=serving.guard,
            running=requests,
            limits=limits,
            headers=[(k.encode(), v.encode()) for k, v in serving.headers.items()],
            names=lambda: serving.watch.names(None),
            watchers=[serving.watch.direct],
        )
        server = DrainingServer(
            server_config(requests, shared),
            requests=requests,
            drain=options.drain,
            started=lambda: self._started(server),
            leaving=lambda: self._enter("leaving"),
        )
        if shadow is not None:
            shadow.start()
        server.run(sockets=[listener])
        if shadow is not None:
            shadow.stop()

    def _shadow(self, *, idle: Callable[[], bool]) -> Shadow | None:
        """The thread that tries a candidate, not started yet; None where none is named."""
        source, pairs = self._options.candidate, self._options.pairs
        if source is None or pairs is None:
            return None
        return Shadow(self._holder, source=source, pairs=pairs, idle=idle)

    def _load(self) -> PointerFollower | None:
        """Loads the bundle, or what the pointer names; returns what follows the pointer."""
        options = self._options
        if options.bundle is not None:
            self._holder.load(options.bundle)
        if options.pointer is None:
            return None
        follower = PointerFollower(self._holder, options.pointer)
        follower.check()
        if self._needs_model and self._holder.current is None:
            raise ReleaseError(
                f"no model: {self._holder.last_error}",
                expected="the bundle that the pointer names, which other workers serve",
                next_step="release it again, or another: `modelyard release`",
            )
        return follower

    def _started(self, server: DrainingServer) -> None:
        self._channel.setblocking(False)
        # What is loaded now stays; a collection that walks through all of it would hold every answer up.
        gc.collect()
        gc.freeze()
        asyncio.get_running_loop().add_reader(self._channel, self._obey, server)
        self._enter("serving")

    def _obey(self, server: DrainingServer) -> None:
        """Takes the supervisor's orders, and ends with it."""
        try:
            order = self._channel.recv(64)
        except BlockingIOError:
            return
        except OSError:
            order = b""
        server.replaced |= REPLACED in order
        if STOP in order:
            server.stop()
            self._holder.stopping = True
        if not order:
            asyncio.get_running_loop().remove_reader(self._channel)
            server.deserted = server.should_exit = True

    def _enter(self, phase: Phase) -> None:
        self._phase = phase
        self._report()

    def _report(self) -> None:
        holder = self._holder
        model = holder.current
        report = Report(
            phase=self._phase,
            hash=None if model is None else model.bundle.hash,
            refused=holder.refused,
            reason=holder.last_error,
        )
        if report != self._reported:
            self._reported = report
            send_report(self._channel, report)


def server_config(application: RunningRequests, shared: Shared) -> uvicorn.Config:
    """The settings of uvicorn; its fast parser and loop are a must, not what happens to be installed."""
    return uvicorn.Config(
        application,
        http=cast(type[asyncio.Protocol], partial(ServingProtocol, shared=shared)),
        loop="uvloop",
        lifespan="on",
        log_config=None,
        # Our own says more, and costs less (access_log.py).
        access_log=False,
        # It would put what a header says in the place of the address that the connection has.
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )


def run() -> None:
    """Serves and ends this process, even where a thread still computes what nobody waits for."""
    code = main(sys.argv[1:])
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    run()
