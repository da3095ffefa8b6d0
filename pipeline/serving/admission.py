"""Who may compute now, who waits, and who is told to come again.

Inference runs in a few threads, so that the event loop keeps answering. The queue before them is
bounded: past it a quick 503 serves everyone better than a long wait.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from pipeline.serving.protocol import ProtocolError

Result = TypeVar("Result")


class Admission:
    """A thread pool with a bounded queue.

    Args:
        workers: requests that compute at once.
        queue: requests that wait beside them.
    """

    def __init__(self, *, workers: int, queue: int) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="predict")
        self._limit = workers + queue
        self._admitted = 0

    async def run(self, work: Callable[[], Result]) -> Result:
        """Do `work` in a thread. To be called from one event loop.

        Raises:
            ProtocolError: 503, the queue is full.
        """
        if self._admitted >= self._limit:
            raise ProtocolError(
                503,
                got=f"{self._admitted} requests in work or waiting",
                expected=f"fewer than {self._limit}",
                next_step="send the request again in a second",
                headers={"retry-after": "1"},
            )
        self._admitted += 1
        loop = asyncio.get_running_loop()
        future = self._pool.submit(work)
        # Counted until the work has ended, even when its caller has gone away.
        future.add_done_callback(lambda done: self._leave_in(loop))
        return await _wrap(future)

    def close(self) -> None:
        """Wait for what is in work and take no more."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _leave_in(self, loop: asyncio.AbstractEventLoop) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._leave)

    def _leave(self) -> None:
        self._admitted -= 1


async def _wrap(future: "Future[Result]") -> Result:
    return await asyncio.wrap_future(future)
