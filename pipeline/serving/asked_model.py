"""The model that a request asks: the champion, or with ?model=candidate the one that is tried beside it."""

from dataclasses import asdict
from typing import Any

from starlette.requests import Request

from pipeline.serving.hot_swap import ServedModel
from pipeline.serving.protocol import ProtocolError

CHAMPION, CANDIDATE = "champion", "candidate"


def asked_model(
    request: Request, *, champion: ServedModel, candidate: ServedModel | None
) -> ServedModel:
    """The model that the query's `model` names; the champion where it names none.

    Raises:
        ProtocolError: 404, there is no candidate; 422, there is no such model.
    """
    name = request.query_params.get("model", CHAMPION)
    if name not in (CHAMPION, CANDIDATE):
        raise ProtocolError(
            422,
            got=f"model={name[:40]!r}",
            expected=f"{CHAMPION} or {CANDIDATE}",
            next_step="leave it out to ask the champion",
        )
    if name == CHAMPION:
        return champion
    if candidate is None:
        raise ProtocolError(
            404,
            got="a request for the candidate",
            expected="a server that tries one beside the champion",
            next_step="leave `model` out to ask the champion; GET /model tells a candidate",
        )
    return candidate


def described(model: ServedModel) -> dict[str, Any]:
    """Returns what GET /model tells of a model: its description, its whole task, its hash."""
    bundle = model.bundle
    # The file of a bundle of format 1 lacks a part of the task.
    shown = {**asdict(bundle.task), **bundle.description.as_dict(), "hash": bundle.hash}
    del shown["golden"]  # long, and for machines
    return shown
