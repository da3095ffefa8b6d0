"""Search: try recipes of compression until one meets the product's requirements.

    modelyard search                                  # space and budget: params.yaml, compress
    modelyard search product.requirements.size_mb=2   # the same for every recipe

Optuna proposes recipes (tree of Parzen estimators; two goals: higher quality on validation, smaller
model file). Each recipe is a build in a worktree that shares DVC's cache, so a stage that two
recipes have in common runs once. The study is a file in `.modelyard/search/`: a search that was
killed continues after the finished trials and starts the broken one again. A recipe with a stage
that fails ends the search; called again, the search continues with the others.

It ends at the first recipe that the gate passes, when the budget is spent, or when every recipe was
tried. The best recipe becomes `profiles/found.yaml`. Only validation rows decide: the gate scores
test rows for a recipe that passes, as in any build, and the search does not read them.
"""

import itertools
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import reduce
from operator import getitem
from pathlib import Path
from time import monotonic
from typing import Any

from optuna.study import Study
from optuna.trial import Trial, TrialState

from flows.build import build_workspace, workspace_name
from flows.console.trials import (
    Recipe,
    TrialResult,
    best,
    pareto,
    plot_trials,
    read_trial,
    trial_table,
    write_profile,
)
from flows.execution.runner import StageFailedError
from flows.execution.workspace import keep_results, open_workspace
from flows.planning.codelock import refresh_code_lock
from flows.planning.machine import refresh_machine
from flows.planning.study import ask, open_study
from pipeline.core.errors import ParameterError, PipelineError
from pipeline.core.files import sha256_json, sha256_tree
from pipeline.core.params import Params, override, parse_params, parse_yaml
from pipeline.core.paths import Paths
from pipeline.core.product import Requirements
from pipeline.core.progress import say

_MAX_RECIPES = 2000

Build = Callable[[Recipe, int], TrialResult]
"""Builds a recipe, given its number, and returns the result."""


def run_search(root: Path, *, changes: Sequence[str]) -> list[TrialResult]:
    """Tries recipes, which all share `changes`; prints, plots and saves the results.

    It fails where a stage other than the gate does, and where no recipe met the requirements.
    """
    values = override(parse_yaml(Paths(root).params.read_text(encoding="utf-8")), changes)
    params = parse_params(values)
    recipes = possible_recipes(values, params.compress.space)
    refresh_code_lock(root)
    refresh_machine(root)
    paths = Paths(root)
    # What figures depend on beside parameters: code, machine, data, annotations.
    named = (paths.code_lock, paths.machine, paths.data, paths.annotations)
    hashes = (sha256_tree(path) if path.exists() else "" for path in named)
    folder = paths.state / "search" / search_name(values, *hashes)

    def build(recipe: Recipe, number: int) -> TrialResult:
        return build_recipe(root, recipe, changes=changes, number=number)

    present = {name: reduce(getitem, name.split("."), values) for name in params.compress.space}
    trials = search(folder, params, recipes=recipes, build=build, first=present)
    _report(root, trials, folder=folder, limits=params.product.requirements, changes=changes)
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
    with open_study(folder, seed=params.compute.seed, trials=budget.trials) as study:
        if not study.trials and first in recipes:
            study.enqueue_trial(dict(first))
        while True:
            done = [trial for trial in study.trials if "tried" in trial.user_attrs]
            trials = [TrialResult(**trial.user_attrs["tried"]) for trial in done]
            minutes = sum(trial.user_attrs["seconds"] for trial in done) / 60
            if best(trials) is not None:
                say("search  a recipe meets the requirements")
                return trials
            if len(trials) >= budget.trials or minutes >= budget.minutes:
                say(f"search  the budget is spent: {len(trials)} trials, {minutes:.0f} minutes")
                return trials
            if (trial := ask(study, budget.space, recipes)) is None:
                say(f"search  all {len(recipes)} recipes of the space are tried")
                return trials
            spent = f"{minutes:.0f} of {budget.minutes:g} minutes"
            say(f"search  trial {trial.number}: {_shown(trial.params)}; {spent}")
            _run(study, trial, build)


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


def build_recipe(root: Path, recipe: Recipe, *, changes: Sequence[str], number: int) -> TrialResult:
    """Builds one recipe in a worktree; requirements that are missed are a result, not an error."""
    lines = [*changes, *(_line(name, value) for name, value in recipe.items())]
    with open_workspace(root, name=workspace_name(lines), overrides=lines) as workspace:
        refused = None
        try:
            build_workspace(workspace, root=root, title=f"search {number}: {_shown(recipe)}"[:100])
        except StageFailedError as error:
            if not error.failure.requirements_missed:
                raise
            refused = error.failure
            keep_results(root, workspace)
        return read_trial(workspace, number=number, recipe=recipe, refused=refused)


def _report(
    root: Path,
    trials: Sequence[TrialResult],
    *,
    folder: Path,
    limits: Requirements,
    changes: Sequence[str],
) -> None:
    say(f"\n{trial_table(trials)}\n  * on the Pareto front of quality and size")
    plot_trials(folder / "pareto.png", trials, limits=limits)
    say(f"Plot: {(folder / 'pareto.png').relative_to(root)}")
    found = best(trials)
    if found is None:
        front = "; ".join(
            f"trial {t.number}: {t.quality:.4f}, {t.size_mb:.2f} MB, misses {', '.join(t.missed)}"
            for t in pareto(trials)
        )
        raise PipelineError(
            f"no recipe of {len(trials)} met the requirements; the Pareto front: {front or 'empty'}",
            expected="a recipe that passes the gate",
            next_step="widen compress.space, raise its budget, or ask for less in product.requirements",
        )
    profile = root / "profiles" / "found.yaml"
    write_profile(profile, found, changes=changes, metric=limits.quality_metric)
    say(f"Best: trial {found.number}. `modelyard build --profile found` builds and releases it.")


def _line(name: str, value: Any) -> str:
    return f"{name}={json.dumps(value, ensure_ascii=False)}"


def _shown(recipe: Recipe) -> str:
    return ", ".join(f"{name}={value}" for name, value in recipe.items())
