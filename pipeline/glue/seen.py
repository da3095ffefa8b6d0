"""Which tasks an encoder was trained on before: its figures on them are too good."""

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
"""Data set that a checkpoint may have been trained on → the tasks with the same texts. A task's own
name stands for its own rows."""


def tasks_seen(names: Iterable[str]) -> set[str]:
    """The tasks whose figures are too good for a checkpoint that was trained on these data sets."""
    return {task for name in names for task in SEEN.get(name, (name,) if name in TASKS else ())}


def data_sets_of(given: str) -> list[str]:
    """The data sets that `--seen` names, separated by commas.

    Raises:
        ParameterError: one of them has nothing to do with a task of GLUE.
    """
    names = [name.strip() for name in given.split(",") if name.strip()]
    for name in names:
        if name not in (*SEEN, *TASKS):
            raise ParameterError(
                f"--seen {name!r}",
                expected=f"names among: {', '.join(dict.fromkeys((*SEEN, *TASKS)))}",
                next_step='correct --seen; --seen "" means that it was trained on none',
            )
    return names


def data_sets_seen(
    params: Params, encoder: Path | None, *, artifacts: Path, given: Sequence[str] | None
) -> Sequence[str] | None:
    """The data sets that the encoder was trained on; None where that is unknown.

    Args:
        encoder: its folder; None is `prepare.checkpoint`.
        artifacts: this product's artifacts folder, where the encoder may come from.
        given: the data sets that the user named with `--seen`; None without it.
    """
    if given is not None:
        return given
    if encoder is None:
        return params.prepare.checkpoint.seen
    artifacts = artifacts.resolve()
    if not encoder.resolve().is_relative_to(artifacts):
        return None
    # Our own pretraining reads the corpus alone, unless it starts from the checkpoint.
    own = encoder.resolve() == artifacts / "pretrain" / "model"
    return [] if own and params.pretrain.start == "random" else params.prepare.checkpoint.seen
