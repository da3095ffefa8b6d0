"""A search tries each recipe once, keeps what it has, and ends when it should. Real Optuna; builds are made up."""

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from flows.console import trials
from flows.console.trials import Recipe, TrialResult
from flows.execution.runner import StageFailedError
from flows.planning.resolution import Variation, read_profile
from flows.search import Build, build_recipe, possible_recipes, search, search_name
from pipeline.core.artifacts.variant_reports import Timings, VariantReports
from pipeline.core.errors import ParameterError, RequirementsMissedError
from pipeline.core.failure import CRASH, StageFailure
from pipeline.core.params import override, parse_params, with_values
from tests.support.example_artifacts import timing, variant_report
from tests.support.repository import parameter_values

SPACE = {"prune.keep_share": [0.25, 0.5, 0.75], "prune.layers": [None, 1]}
FIRST = {"prune.keep_share": 0.5, "prune.layers": None}
VALUES = parameter_values()
RECIPES = possible_recipes(VALUES, SPACE)


def search_in(folder: Path, build: Build, **budget: int) -> list[TrialResult]:
    """Searches among RECIPES, with a budget that is large unless it is given."""
    values = VALUES | {"compress": {"space": SPACE, "trials": 20, "minutes": 60} | budget}
    params = parse_params(values)
    return search(folder / "study", params, build=build, recipes=RECIPES, first=FIRST)


def outcome(recipe: Recipe, number: int, **found: Any) -> TrialResult:
    size = recipe["prune.keep_share"] * (recipe["prune.layers"] or 2)
    made_up = {"quality": 0.7 + size / 10, "size_mb": size, "latency_p95_ms": 1.0, "passed": False}
    return TrialResult(number=number, recipe=dict(recipe), variant="pruned-int8", **made_up | found)


def counting(seen: list[Recipe], passes: Callable[[Recipe], bool] = lambda _: False) -> Build:
    def build(recipe: Recipe, number: int) -> TrialResult:
        seen.append(dict(recipe))
        return outcome(recipe, number, passed=passes(recipe))

    return build


def breaking(seen: list[Recipe], error: BaseException, *, when: Callable[[Recipe], bool]) -> Build:
    def build(recipe: Recipe, number: int) -> TrialResult:
        if when(recipe):
            raise error
        return counting(seen)(recipe, number)

    return build


def test_every_recipe_of_the_space_is_tried_once_and_that_of_params_first(tmp_path: Path) -> None:
    seen: list[Recipe] = []
    tried = search_in(tmp_path, counting(seen))
    assert seen[0] == FIRST
    assert len(seen) == len(tried) == 6
    assert len({tuple(sorted(recipe.items())) for recipe in seen}) == 6


def test_it_ends_at_the_first_recipe_that_passes(tmp_path: Path) -> None:
    seen: list[Recipe] = []
    build = counting(seen, passes=lambda recipe: recipe["prune.keep_share"] == 0.25)
    tried = search_in(tmp_path, build)
    assert [trial.passed for trial in tried] == [False] * (len(tried) - 1) + [True]
    assert trials.best(tried) == tried[-1]


def test_a_budget_of_trials_counts_those_of_earlier_calls_and_may_be_raised(tmp_path: Path) -> None:
    seen: list[Recipe] = []
    for budget in (2, 2, 4):
        tried = search_in(tmp_path, counting(seen), trials=budget)
        assert len(tried) == len(seen) == budget


def test_no_trial_begins_after_the_budget_of_minutes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(0, 10_000, 90))
    monkeypatch.setattr("flows.search.monotonic", lambda: float(next(clock)))
    seen: list[Recipe] = []
    search_in(tmp_path, counting(seen), minutes=4)
    assert len(seen) == 3  # of 90 seconds each: the third begins within four minutes


def test_a_killed_search_begins_the_broken_trial_again_and_no_other(tmp_path: Path) -> None:
    seen: list[Recipe] = []
    begun: list[Recipe] = []

    def third(recipe: Recipe) -> bool:
        begun.append(dict(recipe))
        return len(begun) == 3

    with pytest.raises(KeyboardInterrupt):
        search_in(tmp_path, breaking(seen, KeyboardInterrupt(), when=third))
    tried = search_in(tmp_path, counting(seen))
    assert seen[:3] == begun
    assert len(seen) == len(tried) == 6


def test_other_parameters_are_another_search_and_another_budget_is_not() -> None:
    more = override(VALUES, ["compress.trials=99"])
    other = override(VALUES, ["distill.temperature=3.0"])
    assert search_name(VALUES, "code") == search_name(more, "code")
    assert search_name(VALUES, "code") != search_name(other, "code")
    assert search_name(VALUES, "code") != search_name(VALUES, "other code")


def failed(stage: str, kind: str, **more: Any) -> StageFailedError:
    told = {"got": "a loss of nan", "expected": "finite", "next_step": "look", **more}
    return StageFailedError(StageFailure(stage=stage, kind=kind, **told), log=Path("stage.log"))


def test_a_recipe_whose_stage_was_killed_is_tried_again(tmp_path: Path) -> None:
    seen: list[Recipe] = []
    killed = iter([True])
    build = breaking(seen, failed("distill", CRASH), when=lambda _: next(killed, False))
    with pytest.raises(StageFailedError):
        search_in(tmp_path, build)
    tried = search_in(tmp_path, build)
    assert seen[0] == FIRST
    assert len(tried) == 6


def test_a_second_search_of_the_same_recipes_tries_others_and_leaves_the_first_alone(
    tmp_path: Path,
) -> None:
    seen: list[Recipe] = []
    others: list[TrialResult] = []

    def build(recipe: Recipe, number: int) -> TrialResult:
        if not seen:
            others.extend(search_in(tmp_path, counting(seen)))
        return outcome(recipe, number)

    assert len(search_in(tmp_path, build)) == 6  # the first's own trial was not failed meanwhile
    assert len(others) == len(seen) == 5
    assert FIRST not in seen


@pytest.fixture
def gate_ends(monkeypatch: pytest.MonkeyPatch) -> Callable[[StageFailedError], None]:
    """Makes every build end at the gate with an error."""
    monkeypatch.setattr("flows.search.workspace_for", lambda root, _: nullcontext(root))

    def end_with(error: StageFailedError) -> None:
        def build(*_: Any, **__: Any) -> None:
            raise error

        monkeypatch.setattr("flows.search.build_workspace", build)

    return end_with


def test_a_failure_of_the_gate_that_is_no_refusal_is_no_result(
    tmp_path: Path, gate_ends: Callable[[StageFailedError], None]
) -> None:
    gate_ends(failed("gate", CRASH))
    with pytest.raises(StageFailedError, match="a loss of nan"):
        build_recipe(tmp_path, FIRST, variation=Variation(), number=0)


def test_the_gates_refusal_is_a_result_whatever_its_message_says(
    tmp_path: Path, gate_ends: Callable[[StageFailedError], None]
) -> None:
    names, artifacts = ("teacher-int8", "student-int8"), tmp_path / "artifacts"
    reports = [variant_report(name, quality=0.8, size_bytes=2_000_000) for name in names]
    VariantReports(variants=reports).save(artifacts / VariantReports.FILE)
    timings = [timing(name, p95=1.5) for name in names]
    Timings(machine={}, variants=timings).save(artifacts / Timings.FILE)
    kind = RequirementsMissedError.__name__
    gate_ends(failed("gate", kind, nearest="student-int8", missed=("size_mb",)))
    found = build_recipe(tmp_path, FIRST, variation=Variation(), number=7)
    assert (found.variant, found.quality, found.size_mb) == ("student-int8", 0.8, 2.0)
    assert (found.passed, found.missed) == (False, ("size_mb",))


def test_a_recipe_that_fails_ends_the_search_and_is_left_out_of_the_next(tmp_path: Path) -> None:
    seen: list[Recipe] = []
    build = breaking(seen, failed("distill", "TrainingError"), when=lambda found: found == FIRST)
    with pytest.raises(StageFailedError, match="a loss of nan"):
        search_in(tmp_path, build)
    tried = search_in(tmp_path, build)
    assert FIRST not in seen
    assert len(tried) == len(seen) == 5


def test_combinations_that_the_schema_refuses_are_not_tried() -> None:
    space = {"pretrain.heads": [12, 7], "pretrain.hidden_size": [384, 140]}
    assert possible_recipes(VALUES, space) == [
        {"pretrain.heads": 12, "pretrain.hidden_size": 384},
        {"pretrain.heads": 7, "pretrain.hidden_size": 140},
    ]


@pytest.mark.parametrize("space", [{"prune.keep_shore": [0.5]}, {"prune.keep_share": [7]}])
def test_a_name_or_value_that_is_wrong_by_itself_is_refused(space: dict[str, Any]) -> None:
    with pytest.raises(ParameterError, match="keep_sh"):
        possible_recipes(VALUES, space)


def test_a_space_of_more_recipes_than_anyone_tries_is_refused_at_once() -> None:
    space = {f"{stage}.epochs": list(range(1, 12)) for stage in ("distill", "prune", "pretrain")}
    space["finetune.epochs"] = [1, 2]
    with pytest.raises(ParameterError, match="2,662 recipes"):
        possible_recipes(VALUES, space)


def test_the_pareto_front_has_what_nothing_beats() -> None:
    figures = [(0.80, 5.0), (0.78, 2.0), (0.77, 3.0), (0.80, 6.0)]
    tried = [
        outcome(FIRST, number, quality=quality, size_mb=size)
        for number, (quality, size) in enumerate(figures)
    ]
    assert [t.number for t in trials.pareto(tried)] == [1, 0]
    table = trials.trial_table(tried)
    assert [line.split()[0] for line in table.splitlines()[2:6]] == ["1*", "2", "0*", "3"]


def test_the_best_recipe_is_a_profile_that_a_build_reads(tmp_path: Path) -> None:
    path = tmp_path / "profiles" / "found.yaml"
    shared = {"distill.epochs": 4, "product.requirements.size_mb": 1.5, "compress.trials": 2}
    found = outcome({"prune.keep_share": 0.25, "prune.layers": 1}, 3, passed=True)
    trials.write_profile(path, found, shared=shared, metric="accuracy")
    changed = parse_params(with_values(VALUES, read_profile(tmp_path, "found")))
    assert changed.prune.keep_share == 0.25
    assert changed.prune.layers == 1
    assert changed.distill.epochs == 4  # what all recipes shared is a part of what was found
    assert changed.product.requirements.size_mb == 1.5
    assert changed.compress == parse_params(VALUES).compress
    assert "trial 3" in path.read_text(encoding="utf-8")


def test_the_plot_is_a_picture(tmp_path: Path) -> None:
    tried = [outcome(FIRST, 0), outcome({"prune.keep_share": 0.25, "prune.layers": 1}, 1)]
    limits = parse_params(VALUES).product.requirements
    trials.plot_trials(tmp_path / "a" / "pareto.png", tried, limits=limits)
    assert (tmp_path / "a" / "pareto.png").read_bytes().startswith(b"\x89PNG")
