"""Answers a share of the requests with the candidate; no caller sees it fail."""

from collections.abc import Callable

from pipeline.serving.hot_swap import ServedModel

Canary = Callable[[], ServedModel | None]
"""Chooses the candidate for its share of the requests, None for all others."""


def no_canary() -> ServedModel | None:
    """Chooses the champion always."""
    return None


def is_the_models_fault(error: Exception) -> bool:
    """Whether another model may answer where one did not: it failed, or could not read the text."""
    return getattr(error, "status", None) in (422, 500)
