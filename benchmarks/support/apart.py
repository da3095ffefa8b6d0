"""A function in a process of its own, for engines that set up the process they run in."""

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
    """`function`, called in one new process; while it waits it costs nothing.

    The process ends with the block, or with the caller's, however that one ends.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        max_workers=1, mp_context=context, initializer=_end_with_the_caller
    ) as pool:

        def call(*arguments: Any, **named: Any) -> Any:
            return pool.submit(function, *arguments, **named).result()

        yield cast(_Function, call)


def _end_with_the_caller() -> None:
    threading.Thread(target=_await_callers_end, daemon=True).start()


def _await_callers_end() -> None:
    if (caller := multiprocessing.parent_process()) is not None:
        caller.join()
        os._exit(1)  # whatever is being computed: nobody will read it
