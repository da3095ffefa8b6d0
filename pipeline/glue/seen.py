"""Tasks whose rows an encoder has met before: their figures flatter it."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from types import MappingProxyType

from pipeline.core.errors import ParameterError
from pipeline.core.params import Params
from pipeline.glue.tasks import TASKS

SEEN = MappingProxyType(
    {
        "MultiNLI": ("MNLI", "AX"),
        "SNLI": ("MNLI", "AX"),
        "QQP": ("QQP",),
        "SQuAD": ("QNLI",),
    }
)
"""Data set that a checkpoint says it was trained on → the tasks whose figures that flatters; a task's own
name means its own rows."""


def tasks_seen(names: Iterable[str]) -> set[str]:
    """The tasks whose figures are flattered by a checkpoint that was trained on data sets of these names."""
    return {task for name in names for task in SEEN.get(name, (name,) if name in TASKS else ())}


def data_sets_of(given: str) -> list[str]:
    """The names in a list with commas of data sets that an encoder was trained on; empty for none.

    Raises:
        ParameterError: one of them flatters no task of GLUE.
    """
    names = [name.strip() for name in given.split(",") if name.strip()]
    for name in names:
        if name not in (*SEEN, *TASKS):
            raise ParameterError(
                f"--seen {name!r}",
                expected=f"names among: {', '.join(dict.fromkeys((*SEEN, *TASKS)))}",
                next_step='correct --seen; --seen "" says that it has seen none of them',
            )
    return names


def data_sets_seen(
    params: Params, encoder: Path | None, *, artifacts: Path, given: Sequence[str] | None
) -> Sequence[str] | None:
    """The data sets that the encoder was trained on; None where nobody says.

    Args:
        encoder: its folder; None is `prepare.checkpoint`.
        artifacts: of this product, among whose models the encoder may be.
        given: what the user says of it.
    """
    if given is not None:
        return given
    if encoder is None:
        return params.prepare.checkpoint.seen
    artifacts = artifacts.resolve()
    if not encoder.resolve().is_relative_to(artifacts):
        return None
    # Our own pretraining has seen the corpus alone, unless it began with the checkpoint.
    own = encoder.resolve() == artifacts / "pretrain" / "model"
    return [] if own and params.pretrain.start == "random" else params.prepare.checkpoint.seen
