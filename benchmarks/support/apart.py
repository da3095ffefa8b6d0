"""Runs a function in its own process, for engines that change settings of their process."""

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar, cast

_Function = TypeVar("_Function", bound=Callable[..., Any])


@contextmanager
def in_own_process(function: _Function) -> Iterator[_Function]:
    """Yields a function that calls `function` in one new process, which uses no CPU while it waits.

    The process ends with the block, or with the calling process, however that ends.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        max_workers=1, mp_context=context, initializer=_end_with_the_caller
    ) as pool:

        def call(*arguments: Any, **named: Any) -> Any:
            return pool.submit(function, *arguments, **named).result()

        yield cast(_Function, call)


def _end_with_the_caller() -> None:
    def wait() -> None:
        if (caller := multiprocessing.parent_process()) is not None:
            caller.join()
            os._exit(1)  # even in the middle of a computation: nobody will read its result

    threading.Thread(target=wait, daemon=True).start()
