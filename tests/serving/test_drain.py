"""The end of a server in this process: what runs too long, and what runs to its end."""

import asyncio
from typing import Any

import httpx
import uvicorn
from starlette.types import Receive, Scope, Send

from pipeline.serving.drain import DrainingServer, RunningRequests
from pipeline.serving.server import bind


async def _slow(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers after as many seconds as the path says."""
    if scope["type"] == "lifespan":
        return
    await asyncio.sleep(float(scope["path"][1:]))
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"done"})


def answers_at_the_end(*paths: str, grace: float, **state: Any) -> list[httpx.Response]:
    """The answers to requests that run when the server is told to end."""

    async def run() -> list[httpx.Response]:
        listener = bind("127.0.0.1", 0)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        running, started = RunningRequests(_slow), asyncio.Event()
        server = DrainingServer(
            uvicorn.Config(running, log_config=None, lifespan="off"),
            requests=running,
            drain=0,
            grace=grace,
            started=started.set,
            leaving=lambda: None,
        )
        for name, value in state.items():
            setattr(server, name, value)
        ended = asyncio.create_task(server.serve([listener]))
        await started.wait()
        async with httpx.AsyncClient(base_url=url) as client:
            asked = [asyncio.create_task(client.get(path)) for path in paths]
            while len(running) < len(paths):
                await asyncio.sleep(0.01)
            server.should_exit = True
            answers = await asyncio.gather(*asked)
        await ended
        return answers

    return asyncio.run(run())


def test_a_request_that_runs_is_answered_and_one_that_takes_too_long_gets_a_reason() -> None:
    short, long = answers_at_the_end("/0.3", "/60", grace=1.0, stopping=True)
    assert (short.status_code, short.text) == (200, "done")
    assert long.status_code == 503
    assert "still running" in long.json()["error"]["got"]
    assert long.headers["connection"] == "close"


def test_the_end_of_the_supervisor_leaves_running_requests_their_answer() -> None:
    (answer,) = answers_at_the_end("/0.3", grace=5.0, deserted=True)
    assert answer.status_code == 200
