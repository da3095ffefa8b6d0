"""One worker of a server: answers requests on a socket that its supervisor holds.

    python -m pipeline.serving.worker SOCKET CHANNEL model --pointer .. (the options of the server)

SOCKET and CHANNEL are descriptors that it inherits; `model` means that it ends if it cannot load the
released bundle, `any` that it then says so to callers. It takes no request before it has tried, so
that a new worker answers as well as the one before it.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress

import uvicorn

from pipeline.core.access_token import access_token
from pipeline.core.addresses import is_loopback
from pipeline.core.cores import available_cores
from pipeline.core.errors import PipelineError, ReleaseError
from pipeline.core.output import forgive_output
from pipeline.core.server_note import Phase
from pipeline.serving.admission import Admission
from pipeline.serving.app import create_app
from pipeline.serving.channel import NEEDS_MODEL, REPLACED, STOP, Report, send_report
from pipeline.serving.drain import IDLE_SECONDS, DrainingServer, RunningRequests
from pipeline.serving.hot_swap import ModelHolder, PointerFollower
from pipeline.serving.options import ServerOptions, read_options

QUEUE = 64
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
        application = create_app(
            self._holder,
            admission=Admission(workers=available_cores(), queue=QUEUE),
            background=follower.follow if follower else None,
            token=access_token(os.environ),
            loopback_only=is_loopback(options.host),
        )
        requests = RunningRequests(application)
        server = DrainingServer(
            _config(requests),
            requests=requests,
            drain=options.drain,
            started=lambda: self._started(server),
            leaving=lambda: self._enter("leaving"),
        )
        server.run(sockets=[listener])

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


def _config(application: RunningRequests) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        lifespan="on",
        log_config=None,
        # The access log costs a third of a small request's time and says nothing about the answer.
        access_log=False,
        server_header=False,
        timeout_keep_alive=IDLE_SECONDS,
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
