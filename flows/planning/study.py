"""A search as a study of Optuna in a file: its trials, the next one, and its lock."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
from filelock import FileLock, Timeout
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import Study
from optuna.trial import TrialState

from flows.console.trials import Recipe
from pipeline.core.errors import PipelineError

_MAX_REPEATS = 20
"""Proposals in a row that were tried before, after which the next untried recipe is taken."""


@contextmanager
def open_study(folder: Path, *, seed: int, trials: int) -> Iterator[Study]:
    """Opens or creates the study of a folder; holds its lock, which ends with the process.

    `trials` is the budget, which may differ from call to call.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        held = FileLock(folder / "search.lock", blocking=False).acquire()
    except Timeout:
        raise PipelineError(
            f"the same search is running already ({folder.name})",
            expected="one search of the same recipes at a time",
            next_step="wait until it ends, or stop it with Ctrl-C where it runs",
        ) from None
    with held:
        study = optuna.create_study(
            storage=JournalStorage(JournalFileBackend(str(folder / "study.log"))),
            study_name=folder.name,
            directions=["maximize", "minimize"],
            # By its own default it draws ten by chance, which may be the whole budget.
            sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=max(2, trials // 3)),
            load_if_exists=True,
        )
        for trial in study.get_trials(states=[TrialState.RUNNING]):
            # Its process is dead: what it had begun is begun again, from its stages' checkpoints.
            study.tell(trial.number, state=TrialState.FAIL)
            study.enqueue_trial(trial.params, skip_if_exists=False)
        yield study


def ask(study: Study, space: Mapping[str, Sequence[Any]], recipes: Sequence[Recipe]) -> Any:
    """The next trial, of a recipe that is neither done nor failed; None where all are."""
    distributions: dict[str, BaseDistribution] = {
        name: CategoricalDistribution(list(values)) for name, values in space.items()
    }
    done = [t.params for t in study.trials if {"tried", "failed"} & set(t.user_attrs)]
    open_recipes = [recipe for recipe in recipes if recipe not in done]
    if not open_recipes:
        return None
    for _ in range(_MAX_REPEATS):
        trial = study.ask(distributions)
        if trial.params in open_recipes:
            return trial
        study.tell(trial, state=TrialState.FAIL)
    study.enqueue_trial(dict(open_recipes[0]))
    return study.ask(distributions)
