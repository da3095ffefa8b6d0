"""Decides which requests compute now, which wait, and which are refused.

Inference runs in a few threads, so that the event loop keeps answering. The queue before them is
bounded: once it is full, a quick 503 is better for everyone than a long wait.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from pipeline.core.errors import DataError
from pipeline.serving.protocol import ProtocolError

Result = TypeVar("Result")
_LOGGER = logging.getLogger("modelyard.server")


class Admission:
    """A thread pool: `workers` requests compute at the same time, and `queue` more may wait."""

    def __init__(self, *, workers: int, queue: int) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="predict")
        self._limit = workers + queue
        self._free = asyncio.Semaphore(self._limit)

    async def run(self, work: Callable[[], Result]) -> Result:
        """Runs `work` in a thread and returns its result. All calls must come from one event loop.

        Raises:
            ProtocolError: 503, the queue is full.
        """
        if self._free.locked():
            raise ProtocolError(
                503,
                got=f"{self._limit} requests being computed or waiting",
                expected=f"fewer than {self._limit}",
                next_step="send the request again in a second",
                headers={"retry-after": "1"},
            )
        await self._free.acquire()
        loop = asyncio.get_running_loop()

        def release(_: object) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._free.release)

        future = self._pool.submit(work)
        # Counted until the work has ended, even if its caller has gone away.
        future.add_done_callback(release)
        return await asyncio.wrap_future(future)

    async def compute(self, work: Callable[[], Result]) -> tuple[Result, float]:
        """The result of a model's `work`, and the milliseconds that it took without the queue.

        Raises:
            ProtocolError: 422, the text does not fit the model; 500, the model failed; 503, the
                queue is full.
        """

        def timed() -> tuple[Result, float]:
            start = time.perf_counter()
            return work(), round(1000 * (time.perf_counter() - start), 3)

        try:
            return await self.run(timed)
        except ProtocolError:
            raise
        except DataError as error:
            raise ProtocolError(
                422, got=error.got, expected=error.expected, next_step=error.next_step
            ) from None
        # The message could hold the text, which must not reach the log, so only the type is logged.
        except Exception as error:
            _LOGGER.error("the model failed: %s", type(error).__name__)
            raise ProtocolError(
                500,
                got="a failure of the model",
                expected="an answer",
                next_step="see the server's log",
            ) from None

    def close(self) -> None:
        """Takes no more work. What runs is not waited for: by now nobody waits for its answer."""
        self._pool.shutdown(wait=False, cancel_futures=True)
