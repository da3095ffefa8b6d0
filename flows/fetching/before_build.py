"""Asks for the sources that a build needs and that are not below `data/` yet; imports nothing heavy."""

from pathlib import Path

from pipeline.core.params import Params
from pipeline.core.sections import Source


def remote_sources(params: Params) -> list[Source]:
    """The sources that lie at an address or in a database."""
    return [source for source in params.collect.sources if source.url is not None]


def bring_sources(root: Path, params: Params, *, again: bool = False) -> None:
    """Fetches what is missing; `again` also fetches anew what has no pin.

    Raises:
        DataError: a source cannot be fetched.
    """
    if remote_sources(params):
        from flows.fetching.fetch import fetch_sources  # most products need none of its libraries

        fetch_sources(root, params, again=again)
