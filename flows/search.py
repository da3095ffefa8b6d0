"""compress-search: recipes of compression, one after another, until the product's requirements are met.

    make compress-search                            # the space and budget of params.yaml: compress
    make compress-search ARGS="--set product.requirements.size_mb=2"

Optuna proposes (a tree of Parzen estimators, two goals: quality on validation up, size of the model file
down); every recipe is a build in a worktree, which shares DVC's cache, so a stage that two recipes have in
common is run once and nothing is trained twice. The study is a file in `.modelyard/search/`: a search that
was killed goes on with the trials that are done, and begins the one that was under way again. A recipe of
which a stage fails ends the search; called again, it goes on with the others. Only validation rows decide;
whether a recipe passes is the gate's word.

It ends at the first recipe that passes, or when the budget is spent or the space is. The best recipe becomes
`profiles/found.yaml`. Test rows are scored by the gate for a recipe that passes, as in any build; the search
reads none of it.
"""

import argparse
import hashlib
import itertools
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from time import monotonic
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from flows.build import build_workspace, read_profile, workspace_name
from flows.codelock import refresh_code_lock
from flows.prefect_server import prefect_server
from flows.runner import StageFailedError
from flows.telemetry import switch_off_telemetry
from flows.trials import (
    Recipe,
    Tried,
    best,
    pareto,
    plot_trials,
    read_trial,
    trial_table,
    write_patch,
)
from flows.workspace import keep_results, open_workspace
from pipeline.core.errors import ParameterError, PipelineError
from pipeline.core.params import Params, override, parse_params, parse_yaml
from pipeline.core.paths import Paths
from pipeline.core.progress import say

_ASKED_AGAIN = 20
"""Proposals in a row that were tried before, after which the next untried recipe is taken."""

Build = Callable[[Recipe, int], Tried]
"""A recipe and its number to what it came to."""


def run_search(root: Path, *, changes: Sequence[str]) -> list[Tried]:
    """Try recipes; print, draw and keep what they came to. Call it inside a flow.

    Args:
        changes: `section.key=value` lines that all recipes share.

    Raises:
        ParameterError: a name or a value of the space is not one of params.yaml.
        PipelineError: a stage other than the gate failed, or no recipe met the requirements.
    """
    values = override(parse_yaml(Paths(root).params.read_text(encoding="utf-8")), changes)
    params = parse_params(values)
    recipes = possible_recipes(values, params.compress.space)
    refresh_code_lock(root)
    code = Paths(root).code_lock.read_text(encoding="utf-8")
    folder = Paths(root).state / "search" / search_name(values, code)

    def build(recipe: Recipe, number: int) -> Tried:
        return build_recipe(root, recipe, changes=changes, number=number)

    present = {name: _value(values, name) for name in params.compress.space}
    tried = search(folder, params, recipes=recipes, build=build, first=present)
    _report(root, folder, params, tried)
    return tried


def possible_recipes(
    values: dict[str, Any], space: Mapping[str, Sequence[Any]]
) -> list[dict[str, Any]]:
    """One value of each parameter, in every combination that the schema allows.

    Raises:
        ParameterError: a name or a value is wrong whatever the others are.
    """
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


def search_name(values: Mapping[str, Any], code: str) -> str:
    """One study for one set of parameters and code; its budget may be raised between two calls."""
    rest = {key: value for key, value in values.items() if key != "compress"}
    kept = [rest, values["compress"]["space"], code]
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:12]


def search(
    folder: Path, params: Params, *, recipes: Sequence[Recipe], build: Build, first: Recipe
) -> list[Tried]:
    """The trials of a study, those of earlier calls too.

    Args:
        folder: where the study is kept.
        recipes: that may be tried.
        first: the recipe of params.yaml, which is tried first where it is one of these.

    Raises:
        StageFailedError: a recipe could not be built; it is not tried again.
    """
    study = _open_study(folder, seed=params.compute.seed)
    budget = params.compress
    if not study.trials and first in recipes:
        study.enqueue_trial(dict(first))
    while True:
        tried = _completed(study)
        minutes = sum(trial.user_attrs["seconds"] for trial in _finished(study)) / 60
        if best(tried) is not None:
            say("search  a recipe meets the requirements")
            return tried
        if len(tried) >= budget.trials or minutes >= budget.minutes:
            say(f"search  the budget is spent: {len(tried)} trials, {minutes:.0f} minutes")
            return tried
        if (trial := _ask(study, budget.space, recipes)) is None:
            say(f"search  all {len(recipes)} recipes of the space are tried")
            return tried
        recipe = dict(trial.params)
        say(
            f"search  trial {trial.number}: {_shown(recipe)}; {minutes:.0f} of {budget.minutes:g} minutes"
        )
        started = monotonic()
        try:
            found = build(recipe, trial.number)
        except StageFailedError as error:
            trial.set_user_attr("failed", str(error))
            study.tell(trial, state=TrialState.FAIL)
            raise
        trial.set_user_attr("tried", asdict(found))
        trial.set_user_attr("seconds", monotonic() - started)
        study.tell(trial, [found.quality, found.size_mb])


def build_recipe(root: Path, recipe: Recipe, *, changes: Sequence[str], number: int) -> Tried:
    """Build one recipe in a worktree; the gate's refusal is a result, another stage's failure is not."""
    lines = [*changes, *(_line(name, value) for name, value in recipe.items())]
    with open_workspace(root, name=workspace_name(lines), overrides=lines) as workspace:
        missed = None
        try:
            build_workspace(workspace, root=root, title=f"search {number}: {_shown(recipe)}"[:100])
        except StageFailedError as error:
            if error.stage != "gate":
                raise
            missed = error.got
            keep_results(root, workspace)
        return read_trial(workspace, number=number, recipe=recipe, missed=missed)


def _open_study(folder: Path, *, seed: int) -> Study:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    folder.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        storage=JournalStorage(JournalFileBackend(str(folder / "study.log"))),
        study_name=folder.name,
        directions=["maximize", "minimize"],
        sampler=optuna.samplers.TPESampler(seed=seed),
        load_if_exists=True,
    )
    for trial in study.get_trials(states=[TrialState.RUNNING]):
        # Its process is dead: what it had begun is begun again, from its stages' checkpoints.
        study.tell(trial.number, state=TrialState.FAIL)
        study.enqueue_trial(trial.params, skip_if_exists=False)
    return study


def _ask(study: Study, space: Mapping[str, Sequence[Any]], recipes: Sequence[Recipe]) -> Any:
    """A trial of a recipe that is neither done nor failed; None where there is none left."""
    distributions: dict[str, BaseDistribution] = {
        name: CategoricalDistribution(list(values)) for name, values in space.items()
    }
    done = [t.params for t in study.trials if {"tried", "failed"} & set(t.user_attrs)]
    left = [recipe for recipe in recipes if recipe not in done]
    if not left:
        return None
    for _ in range(_ASKED_AGAIN):
        trial = study.ask(distributions)
        if trial.params in left:
            return trial
        study.tell(trial, state=TrialState.FAIL)
    study.enqueue_trial(dict(left[0]))
    return study.ask(distributions)


def _finished(study: Study) -> list[FrozenTrial]:
    return [trial for trial in study.trials if "tried" in trial.user_attrs]


def _completed(study: Study) -> list[Tried]:
    return [Tried(**trial.user_attrs["tried"]) for trial in _finished(study)]


def _report(root: Path, folder: Path, params: Params, tried: Sequence[Tried]) -> None:
    limits = params.product.requirements
    say(f"\n{trial_table(tried)}\n  * on the Pareto front of quality and size")
    plot_trials(
        folder / "pareto.png", tried, metric=limits.quality_metric, limits=limits.model_dump()
    )
    say(f"Plot: {(folder / 'pareto.png').relative_to(root)}")
    found = best(tried)
    if found is None:
        nearest = "; ".join(
            f"trial {t.number}: {t.quality:.4f}, {t.size_mb:.2f} MB, {t.missed}"
            for t in pareto(tried)
        )
        raise PipelineError(
            f"no recipe of {len(tried)} met the requirements; the Pareto front: {nearest or 'empty'}",
            expected="a recipe that passes the gate",
            next_step="widen compress.space, raise its budget, or ask for less in product.requirements",
        )
    patch = root / "profiles" / "found.yaml"
    write_patch(patch, found, metric=limits.quality_metric)
    say(
        f'Best: trial {found.number}. `make pipeline ARGS="--profile found"` builds and releases it.'
    )


def _line(name: str, value: Any) -> str:
    return f"{name}={json.dumps(value, ensure_ascii=False)}"


def _shown(recipe: Recipe) -> str:
    return ", ".join(f"{name}={value}" for name, value in recipe.items())


def _value(values: Mapping[str, Any], name: str) -> Any:
    found: Any = values
    for part in name.split("."):
        found = found[part]
    return found


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m flows.search", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="section.key=value", dest="changes"
    )
    parser.add_argument("--profile", help="name of a file in profiles/, for all recipes")
    options = parser.parse_args()
    switch_off_telemetry()
    root = Path.cwd().resolve()
    try:
        profile = read_profile(root, options.profile) if options.profile else []
        with prefect_server(root):
            from flows.search_flow import run_from_command_line

            run_from_command_line([*profile, *options.changes])
    except PipelineError as error:
        sys.exit(f"search failed\n  {error}")


if __name__ == "__main__":
    main()
