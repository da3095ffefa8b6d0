"""A function in a process of its own, for engines that set up the process they run in."""

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar, cast

_Function = TypeVar("_Function", bound=Callable[..., Any])


@contextmanager
def in_own_process(function: _Function) -> Iterator[_Function]:
    """`function`, called in one new process that ends with the block; while it waits it costs nothing."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=context) as pool:

        def call(*arguments: Any, **named: Any) -> Any:
            return pool.submit(function, *arguments, **named).result()

        yield cast(_Function, call)
