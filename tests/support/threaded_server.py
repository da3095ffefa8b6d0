"""A server in a thread of the test's own process, for what no command line sets up, such as a candidate."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from pipeline.serving.app import create_app
from pipeline.serving.hot_swap import ModelHolder
from pipeline.serving.scheduler import Scheduler
from tests.support.server import wait_until


@contextmanager
def serve_holder(holder: ModelHolder, **options: Any) -> Iterator[str]:
    """The address of an application over `holder`, on a free port; see `create_app` for the options."""
    app = create_app(holder, **{"scheduler": Scheduler(cores=1), **options})
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        wait_until(lambda: server.started or not thread.is_alive())
        assert thread.is_alive()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()
