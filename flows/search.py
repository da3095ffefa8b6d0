"""Search: try recipes of compression until one meets the product's requirements.

    modelyard search                                  # space and budget: params.yaml, compress
    modelyard search product.requirements.size_mb=2   # the same for every recipe
    modelyard search --product FILE                   # of another product

Optuna proposes recipes (tree of Parzen estimators; two goals: higher quality on validation, smaller
model file). Each recipe is a build in a worktree that shares DVC's cache, so a stage that two
recipes have in common runs once. The study is a file in `.modelyard/search/`: a search that was
killed continues after the finished trials and starts the broken one again. A second search of the same
recipes, started beside the first, tries others of them. A recipe with a stage
that fails ends the search; called again, the search continues with the others.

It ends at the first recipe that the gate passes, when the budget is spent, or when every recipe was
tried. The best recipe becomes `profiles/found.yaml`. Only validation rows decide: the gate scores
test rows for a recipe that passes, as in any build, and the search does not read them.
"""

import itertools
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import reduce
from operator import getitem
from pathlib import Path
from time import monotonic
from typing import Any

import optuna
from filelock import FileLock
from optuna.distributions import CategoricalDistribution
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import Study
from optuna.trial import Trial, TrialState

from flows.build import build_workspace
from flows.console.trials import Recipe, TrialResult, best, read_trial, report
from flows.execution.runner import StageFailedError
from flows.execution.workspace import keep_results, workspace_for
from flows.fetching.before_build import bring_sources
from flows.planning.codelock import refresh_code_lock
from flows.planning.machine import refresh_machine
from flows.planning.resolution import Variation, resolved, shared_values
from pipeline.core.errors import ParameterError
from pipeline.core.file_lock import try_lock, unlock
from pipeline.core.files import sha256_json, sha256_tree
from pipeline.core.params import Params, as_values, override, parse_params
from pipeline.core.paths import Paths
from pipeline.core.progress import say

_MAX_RECIPES = 2000
_MAX_REPEATS = 20
"""Proposals in a row that were tried before, after which the next untried recipe is taken."""

Build = Callable[[Recipe, int], TrialResult]
"""Builds a recipe, given its number, and returns the result."""


def run_search(root: Path, variation: Variation) -> list[TrialResult]:
    """Tries recipes, which all share a variation; prints, plots and saves the results.

    It fails where a stage other than the gate does, and where no recipe met the requirements.
    """
    params = resolved(root, variation)
    bring_sources(root, params)
    values = as_values(params)
    recipes = possible_recipes(values, params.compress.space)
    refresh_code_lock(root)
    refresh_machine(root)
    paths = Paths(root)
    # What figures depend on beside parameters: code, machine, data, annotations.
    named = (paths.code_lock, paths.machine, paths.data, paths.annotations)
    hashes = (sha256_tree(path) if path.exists() else "" for path in named)
    folder = paths.state / "search" / search_name(values, *hashes)

    def build(recipe: Recipe, number: int) -> TrialResult:
        return build_recipe(root, recipe, variation=variation, number=number)

    present = {name: reduce(getitem, name.split("."), values) for name in params.compress.space}
    trials = search(folder, params, recipes=recipes, build=build, first=present)
    shared, limits = shared_values(root, variation), params.product.requirements
    report(root, trials, folder=folder, limits=limits, shared=shared)
    return trials


def possible_recipes(
    values: dict[str, Any], space: Mapping[str, Sequence[Any]]
) -> list[dict[str, Any]]:
    """Every combination of values that the schema allows, one value for each parameter.

    Raises:
        ParameterError: a name or a value is wrong by itself, or there are too many combinations.
    """
    if (count := math.prod(map(len, space.values()))) > _MAX_RECIPES:
        raise ParameterError(
            f"compress.space of {count:,} recipes",
            expected=f"at most {_MAX_RECIPES:,}: no budget tries more",
            next_step="leave parameters or values out",
        )
    for name, choices in space.items():
        for value in choices:
            override(values, [_line(name, value)])
    allowed, refused = [], None
    for chosen in itertools.product(*space.values()):
        recipe = dict(zip(space, chosen, strict=True))
        try:
            parse_params(override(values, [_line(*item) for item in recipe.items()]))
        except ParameterError as error:
            refused = error
        else:
            allowed.append(recipe)
    if refused is not None and not allowed:
        raise refused
    return allowed


def search_name(values: Mapping[str, Any], *surroundings: str) -> str:
    """Name of the study for these parameters and surroundings; the budget is not part of it."""
    rest = {key: value for key, value in values.items() if key != "compress"}
    return sha256_json([rest, values["compress"]["space"], *surroundings])[:12]


def search(
    folder: Path, params: Params, *, recipes: Sequence[Recipe], build: Build, first: Recipe
) -> list[TrialResult]:
    """Runs trials until the search ends; returns those of earlier calls, too.

    The recipe of params.yaml is tried `first` where it is one of `recipes`.

    Raises:
        StageFailedError: a recipe could not be built. It is tried again in the next call only where
            the stage did not explain its failure: it was killed, or the machine failed.
    """
    budget = params.compress
    study = _open_study(folder, seed=params.compute.seed, trials=budget.trials)
    while True:
        # Alone for the moment of choosing; recipes are built side by side.
        with FileLock(folder / "search.lock"):
            _fail_dead_trials(study, folder)
            if not study.trials and first in recipes:
                study.enqueue_trial(dict(first))
            done = [trial for trial in study.trials if "tried" in trial.user_attrs]
            trials = [TrialResult(**trial.user_attrs["tried"]) for trial in done]
            minutes = sum(trial.user_attrs["seconds"] for trial in done) / 60
            under_way = len(study.get_trials(states=[TrialState.RUNNING]))
            if best(trials) is not None:
                say("search  a recipe meets the requirements")
                return trials
            if len(trials) + under_way >= budget.trials or minutes >= budget.minutes:
                say(f"search  the budget is spent: {len(trials)} trials, {minutes:.0f} minutes")
                return trials
            if (trial := _ask(study, budget.space, recipes)) is None:
                say(f"search  all {len(recipes)} recipes of the space are tried")
                return trials
            lock = _lock_of(folder, trial.number)
            held = try_lock(lock, what=f"trial {trial.number}")
        spent = f"{minutes:.0f} of {budget.minutes:g} minutes"
        say(f"search  trial {trial.number}: {_shown(trial.params)}; {spent}")
        try:
            _run(study, trial, build)
        finally:
            if held is not None:
                unlock(lock, held)


def _open_study(folder: Path, *, seed: int, trials: int) -> Study:
    """Opens or creates the study of a folder.

    `trials` is the budget, which may differ from call to call.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    folder.mkdir(parents=True, exist_ok=True)
    return optuna.create_study(
        storage=JournalStorage(JournalFileBackend(str(folder / "study.log"))),
        study_name=folder.name,
        directions=["maximize", "minimize"],
        # By its own default it draws ten by chance, which may be the whole budget.
        sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=max(2, trials // 3)),
        load_if_exists=True,
    )


def _fail_dead_trials(study: Study, folder: Path) -> None:
    """Begins the trials of ended processes again, from their stages' checkpoints; no other's."""
    for trial in study.get_trials(states=[TrialState.RUNNING]):
        lock = _lock_of(folder, trial.number)
        if (held := try_lock(lock, what="looking")) is not None:
            study.tell(trial.number, state=TrialState.FAIL)
            study.enqueue_trial(trial.params, skip_if_exists=False)
            unlock(lock, held)


def is_searching(folder: Path) -> bool:
    """Whether a process works on a trial of the study in this folder."""
    for lock in folder.glob("trial-*.lock"):
        if (held := try_lock(lock, what="looking")) is None:
            return True
        unlock(lock, held)
    return False


def _lock_of(folder: Path, number: int) -> Path:
    """The lock that the process of a trial holds as long as it lives."""
    return folder / f"trial-{number}.lock"


def _ask(study: Study, space: Mapping[str, Sequence[Any]], recipes: Sequence[Recipe]) -> Any:
    """The next trial, of a recipe that is neither done nor failed; None where all are."""
    choices = {name: CategoricalDistribution(list(values)) for name, values in space.items()}
    done = [t.params for t in study.trials if {"tried", "failed"} & set(t.user_attrs)]
    done += [t.params for t in study.get_trials(states=[TrialState.RUNNING])]
    open_recipes = [recipe for recipe in recipes if recipe not in done]
    if not open_recipes:
        return None
    for _ in range(_MAX_REPEATS):
        trial = study.ask(dict(choices))
        if trial.params in open_recipes:
            return trial
        study.tell(trial, state=TrialState.FAIL)
    study.enqueue_trial(dict(open_recipes[0]))
    return study.ask(dict(choices))


def _run(study: Study, trial: Trial, build: Build) -> None:
    """Builds the trial's recipe and tells the study how that ended."""
    started = monotonic()
    try:
        found = build(dict(trial.params), trial.number)
    except StageFailedError as error:
        if error.failure.explained:
            trial.set_user_attr("failed", str(error))
            study.tell(trial, state=TrialState.FAIL)
        raise
    trial.set_user_attr("seconds", monotonic() - started)
    trial.set_user_attr("tried", asdict(found))
    study.tell(trial, [found.quality, found.size_mb])


def build_recipe(root: Path, recipe: Recipe, *, variation: Variation, number: int) -> TrialResult:
    """Builds one recipe in a worktree; requirements that are missed are a result, not an error."""
    lines = (*variation.changes, *(_line(name, value) for name, value in recipe.items()))
    with workspace_for(root, replace(variation, changes=lines)) as workspace:
        refused = None
        try:
            build_workspace(workspace, root=root, title=f"search {number}: {_shown(recipe)}"[:100])
        except StageFailedError as error:
            if not error.failure.requirements_missed:
                raise
            refused = error.failure
            keep_results(root, workspace)
        return read_trial(workspace, number=number, recipe=recipe, refused=refused)


def _line(name: str, value: Any) -> str:
    return f"{name}={json.dumps(value, ensure_ascii=False)}"


def _shown(recipe: Recipe) -> str:
    return ", ".join(f"{name}={value}" for name, value in recipe.items())
