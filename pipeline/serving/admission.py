"""Decides which requests compute now, which wait, and which are refused.

Inference runs in a few threads, so that the event loop keeps answering. The queue before them is
bounded: once it is full, a quick 503 is better for everyone than a long wait.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from pipeline.serving.protocol import ProtocolError

Result = TypeVar("Result")


class Admission:
    """A thread pool with a bounded queue.

    Args:
        workers: requests that compute at the same time.
        queue: further requests that may wait.
    """

    def __init__(self, *, workers: int, queue: int) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="predict")
        self._limit = workers + queue
        self._admitted = 0

    async def run(self, work: Callable[[], Result]) -> Result:
        """Runs `work` in a thread and returns its result. All calls must come from one event loop.

        Raises:
            ProtocolError: 503, the queue is full.
        """
        if self._admitted >= self._limit:
            raise ProtocolError(
                503,
                got=f"{self._admitted} requests being computed or waiting",
                expected=f"fewer than {self._limit}",
                next_step="send the request again in a second",
                headers={"retry-after": "1"},
            )
        self._admitted += 1
        loop = asyncio.get_running_loop()
        future = self._pool.submit(work)
        # Counted until the work has ended, even if its caller has gone away.
        future.add_done_callback(lambda done: self._finish_in(loop))
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Waits for the running work and takes no more."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _finish_in(self, loop: asyncio.AbstractEventLoop) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._finish)

    def _finish(self) -> None:
        self._admitted -= 1
