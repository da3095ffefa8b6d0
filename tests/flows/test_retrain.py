"""Retraining: nothing built where nothing changed, a fair comparison, a reason for either end."""

import json
import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from flows.console.summary import BuildResult
from flows.execution.git import git
from flows.execution.runner import StageFailedError
from flows.execution.workspace import open_workspace
from flows.planning.resolution import Variation, refresh_build_file, resolved, write_build_file
from flows.planning.retrain_plan import Order
from flows.planning.snapshot import changed_parts, pinned, planned_origin, take_snapshot
from flows.planning.standing import Standing, keep_standing, standing_of
from flows.release import TrainRows
from flows.retrain import NOTHING_CHANGED, Outcome, comparable_rows, run_retrain
from flows.tracking.runs import read_runs
from flows.why import as_text
from pipeline.core.errors import DataError, PipelineError
from pipeline.core.failure import StageFailure
from pipeline.core.files import read_json, write_json
from pipeline.core.params import Params, as_values, load_params, override, parse_params
from pipeline.monitoring.bundle_comparison import ComparedRows, compare
from pipeline.monitoring.decide import Comparison
from pipeline.release import ledger
from pipeline.release.state import ReleaseState
from pipeline.runtime.task import Task
from tests.support.example_artifacts import check, verdict
from tests.support.problems import product_of
from tests.support.repository import REPOSITORY, commit_all, parameter_values, write_files
from tests.support.retraining import (
    PRODUCT,
    TARGETS,
    TEXTS,
    Made,
    last_run,
    make_project,
    measured,
    new_rows,
    retrained,
    set_value,
)
from tests.support.tiny_bundle import make_tiny_bundle, tiny_task


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_project(tmp_path)


@pytest.fixture
def made(root: Path) -> Made:
    return Made(root)


def test_where_nothing_changed_nothing_is_built(root: Path, made: Made) -> None:
    outcome = retrained(made)
    assert outcome.reason == NOTHING_CHANGED
    assert not made.titles
    assert not made.orders
    state = ReleaseState(root, PRODUCT)
    last = ledger.read(state.ledger)[-1]
    assert (last.event, last.hash) == ("kept", state.current())
    assert last.why == (
        f"retrain (a test; the files as they were in the folder): {NOTHING_CHANGED}"
    )


def test_a_changed_source_is_built_compared_and_released(root: Path, made: Made) -> None:
    new_rows(root)
    outcome = retrained(made)
    assert made.titles == ["retrain (a test)"]
    assert outcome.released
    assert "Changed: sources" in outcome.reason
    assert "400 rows" in outcome.reason
    assert outcome.reason in made.orders[0]["why"]


def test_a_model_that_the_gate_stopped_is_not_released(root: Path, made: Made) -> None:
    (root / "data" / "reviews.csv").write_text("text,label\nbad,0\n")
    missed = check("min_quality", value=0.6, limit=0.78, outcome="failed")
    made.verdict = verdict(missed, passed=False)
    outcome = retrained(made)
    assert not outcome.released
    assert "min_quality: 0.6, limit 0.78" in outcome.reason
    assert not made.orders


def test_without_a_champion_the_first_model_is_released(root: Path, made: Made) -> None:
    ReleaseState(root, PRODUCT).point_back_to(None)
    outcome = retrained(made)
    assert outcome.released
    assert "first release" in outcome.reason


def test_a_champion_of_unknown_training_rows_stays(root: Path, made: Made) -> None:
    state = ReleaseState(root, PRODUCT)
    state.rows(str(state.current())).unlink()
    state.origin(str(state.current())).unlink()
    outcome = retrained(made)
    assert not outcome.released
    assert "not known which rows" in outcome.reason


def test_rows_that_the_champion_trained_on_are_left_out(tmp_path: Path) -> None:
    splits = {
        "a": "validation",
        "b": "validation",
        "c": "validation",
        "d": "validation",
        "e": "train",
    }
    rows = [
        {"id": name, "text": f"text {name}", "second": f"second {name}", "target": [1.0]}
        | {"cluster": name.replace("c", "b"), "split": split}
        for name, split in splits.items()
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "records.parquet")
    trained_on = TrainRows(ids=["a"], clusters=["b"])
    found = comparable_rows(tmp_path / "records.parquet", trained_on)
    assert found == ComparedRows(texts=["text d"], seconds=["second d"], targets=[[1.0]])


def compared(
    folder: Path, metric: str, tasks: tuple[Task, Task], targets: list[list[float]]
) -> Comparison:
    """The comparison of two tiny models that were made for these tasks."""
    for name, task in zip(("old", "new"), tasks, strict=True):
        make_tiny_bundle(folder / name, task=task)
    changes = [
        *product_of(problem=tasks[0].problem, labels=f"[{', '.join(tasks[0].labels)}]"),
        f"product.requirements.quality_metric={metric}",
        "evaluate.resamples=100",
    ]
    params = parse_params(override(parameter_values(), changes))
    rows = ComparedRows(texts=TEXTS, seconds=[], targets=targets)
    (found,) = compare({"old": folder / "old"}, folder / "new", rows=rows, params=params)
    return found


@pytest.mark.parametrize(
    ("problem", "metric", "targets", "most", "high"),
    [
        ("classification", "accuracy", TARGETS, 0.0, -1.0),
        ("multi_label", "average_precision", [[0.0, 1.0]] * 2 + [[1.0, 0.0]] * 2, 0.6, 0.0),
    ],
)
def test_labels_are_compared_by_name_row_by_row_in_the_products_figure(
    tmp_path: Path, problem: str, metric: str, targets: list[list[float]], most: float, high: float
) -> None:
    wrong = tiny_task(problem, labels=("positive", "negative"))  # the wrong way round
    comparison = compared(tmp_path, metric, (tiny_task(problem), wrong), targets)
    assert comparison.former == 1.0
    assert comparison.candidate <= most
    assert comparison.difference.high <= high
    assert metric in str(comparison)


def test_numbers_are_compared_by_correlation(tmp_path: Path) -> None:
    tasks = (tiny_task("regression"), tiny_task("regression"))
    comparison = compared(tmp_path, "spearman", tasks, [[4.0], [5.0], [2.0], [1.0]])
    assert comparison.former == comparison.candidate > 0.7
    assert comparison.difference.value == 0.0


def test_a_champion_that_answers_another_question_stays(root: Path, made: Made) -> None:
    values = as_values(resolved(root))
    values["product"] |= {"problem": "multi_label"}
    values["product"]["requirements"]["quality_metric"] = "micro_f1"
    values["collect"]["sources"][0] |= {"label_separator": "|"}
    write_files(root, values)
    refresh_build_file(root)
    outcome = retrained(made)
    assert not outcome.released
    assert "another kind of question" in outcome.reason


def test_an_origin_tells_what_changed_and_not_that_a_hash_was_pinned(root: Path) -> None:
    params = resolved(root)
    snapshot = take_snapshot(root, params)
    before = planned_origin(root, snapshot)
    found = pinned(params, snapshot)
    assert found.collect.sources[0].sha256 == snapshot.sources["rotten-tomatoes"]
    write_build_file(root, found)
    assert changed_parts(before, planned_origin(root, snapshot)) == []
    write_build_file(root, resolved(root, Variation(changes=["finetune.epochs=9"])))
    assert changed_parts(before, planned_origin(root, snapshot)) == ["params"]


def test_a_missing_source_is_said(root: Path) -> None:
    (root / "data" / "reviews.csv").unlink()
    with pytest.raises(DataError, match=r"data/reviews\.csv is not there"):
        take_snapshot(root, resolved(root))


# A commit, not what stands in an editor (O15).


def commit(root: Path) -> str:
    git(root, "add", "-A")
    git(root, "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "more")
    return git(root, "rev-parse", "HEAD").strip()


@pytest.fixture
def clone(root: Path, made: Made) -> Made:
    """The project as a git repository; what is built is looked at before its workspace is removed."""
    shutil.copyfile(REPOSITORY / ".gitignore", root / ".gitignore")
    (root / ".dvc").mkdir()
    (root / ".dvc" / "config").touch()
    commit_all(root)
    return made


def built(made: Made, **more: Any) -> tuple[dict[str, str], Params, Outcome]:
    """The files and parameters of what a retraining built, and its end."""
    seen: dict[str, str] = {}

    def build(workspace: Path, *, root: Path, title: str) -> BuildResult:
        for path in workspace.rglob("*"):
            if path.is_file() and path.suffix in (".yaml", ".csv", ".txt"):
                seen[path.relative_to(workspace).as_posix()] = path.read_text()
        return made.build(workspace, root=root, title=title)

    work = replace(made.work, open_workspace=open_workspace, build=build)
    outcome = run_retrain(made.root, Order(reason="a test", **more), work=work)
    return seen, parse_params(yaml.safe_load(seen["build.yaml"])), outcome


def test_what_is_not_committed_is_not_built(clone: Made) -> None:
    root = clone.root
    clone.figures = measured(0.05, 0.01)
    newest = git(root, "rev-parse", "HEAD").strip()
    branch = git(root, "branch", "--show-current").strip()
    product = yaml.safe_load((root / "product.yaml").read_text())
    product["product"]["requirements"]["min_quality"] = 0.001
    (root / "product.yaml").write_text(yaml.safe_dump(product))
    set_value(root, "finetune", "epochs", 77)
    (root / "notes.txt").write_text("new")
    new_rows(root)
    files, params, outcome = built(clone)
    assert params.product.requirements.min_quality != 0.001
    assert params.finetune.epochs != 77
    assert "notes.txt" not in files
    assert "bad,0" in files["data/reviews.csv"]  # data are taken as they lie there
    run = last_run(root)
    assert (run.commit, run.branch) == (newest, branch)
    assert set(run.left_out) >= {"notes.txt", "params.yaml", "product.yaml"}
    assert outcome.released
    why = ledger.read(ReleaseState(root, PRODUCT).ledger)[-1].why
    assert f"commit {newest[:10]} of {branch}" in why


def test_a_named_branch_is_built_whatever_is_checked_out(clone: Made) -> None:
    root = clone.root
    git(root, "branch", "steady")
    set_value(root, "finetune", "epochs", 77)
    commit(root)
    new_rows(root)
    _, params, _ = built(clone, branch="steady")
    assert params.finetune.epochs != 77
    assert last_run(root).branch == "steady"
    with pytest.raises(PipelineError, match="no branch 'absent'"):
        built(clone, branch="absent")
    assert last_run(root).end == "failed"
    assert "no branch 'absent'" in last_run(root).why


def test_a_developer_may_build_the_files_as_they_are(clone: Made) -> None:
    set_value(clone.root, "finetune", "epochs", 77)
    _, params, _ = built(clone, working_tree=True)
    assert params.finetune.epochs == 77
    with pytest.raises(PipelineError, match="--working-tree"):
        built(clone, working_tree=True, branch="main")


def test_a_product_file_that_is_not_committed_is_asked_for(clone: Made) -> None:
    root = clone.root
    git(root, "rm", "-q", "--cached", "product.yaml")
    commit_without = ("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "less")
    git(root, *commit_without)
    with pytest.raises(PipelineError, match=r"product\.yaml is not in commit"):
        built(clone)
    (root / "other").mkdir()
    shutil.copy(root / "product.yaml", root / "other" / "mine.yaml")
    with pytest.raises(PipelineError, match=r"other/mine\.yaml is not in commit"):
        built(clone, variation=Variation(product=str(root / "other" / "mine.yaml")))


def test_a_folder_of_a_larger_repository_is_built_from_its_commit(
    clone: Made, tmp_path_factory: pytest.TempPathFactory
) -> None:
    larger = tmp_path_factory.mktemp("larger")
    shutil.rmtree(clone.root / ".git")
    shutil.move(clone.root, larger / "project")
    (larger / "README").write_text("of the larger one")
    commit_all(larger)
    clone.root = larger / "project"
    set_value(clone.root, "finetune", "epochs", 77)
    (clone.root / "notes.txt").write_text("new")
    new_rows(clone.root)
    files, params, _ = built(clone)
    assert params.finetune.epochs != 77
    assert "notes.txt" not in files
    assert {"params.yaml", "product.yaml"} <= files.keys()


# Changes that were released stay (O17).


def test_changes_that_were_released_are_kept_by_the_next_run(root: Path, made: Made) -> None:
    made.figures = measured(0.08, 0.01)
    asked = Variation(changes=["finetune.epochs=9"])
    assert retrained(made, variation=asked).released
    assert retrained(made).reason == NOTHING_CHANGED
    assert last_run(root).changes == ["finetune.epochs=9"]
    new_rows(root)
    made.seed = 6
    assert "Changed: sources." in retrained(made).reason
    assert load_params(root / "build.yaml").finetune.epochs == 9
    assert retrained(made).reason == NOTHING_CHANGED  # the second release has them as well


def test_a_kept_change_ends_where_somebody_writes_the_value_anew(root: Path, made: Made) -> None:
    made.figures = measured(0.08, 0.01)
    retrained(made, variation=Variation(changes=["finetune.epochs=9", "prune.keep_share=0.4"]))
    set_value(root, "finetune", "epochs", 5)
    retrained(made)
    params = load_params(root / "build.yaml")
    assert (params.finetune.epochs, params.prune.keep_share) == (5, 0.4)


def test_kept_changes_are_forgotten_when_asked_and_after_a_release_by_hand(
    root: Path, made: Made
) -> None:
    first = str(ReleaseState(root, PRODUCT).current())
    made.figures = measured(0.08, 0.01)
    retrained(made, variation=Variation(changes=["finetune.epochs=9"]))
    made.figures, made.seed = measured(-0.08, 0.01), 6
    assert "Changed: parameters" in retrained(made, as_written=True).reason
    ReleaseState(root, PRODUCT).point_to(first)
    assert retrained(made).reason == NOTHING_CHANGED


# The guard: no sliding downhill (O16); pipeline/monitoring/decide.py has the rule.


def test_the_loss_budget_is_spent_once(root: Path, made: Made) -> None:
    state = ReleaseState(root, PRODUCT)
    first = str(state.current())
    made.figures = measured(0.005, 0.013)
    new_rows(root)
    released = retrained(made)
    assert "the loss budget is spent by this" in released.reason
    assert standing_of(state, released.hash).guard == [first]
    made.seed = 6
    new_rows(root, "worse,0")
    kept = retrained(made)
    assert (kept.ending, kept.hash) == ("kept", released.hash)
    assert "The loss budget is spent" in kept.reason
    assert {one["against"] for one in last_run(root).comparisons} == {first, released.hash}
    assert retrained(made, accept_champion=True).released


def test_a_failed_release_leaves_the_guard_as_it_was(root: Path, made: Made) -> None:
    made.figures = measured(0.05, 0.01)
    made.before_release = _stop
    new_rows(root)
    with pytest.raises(KeyboardInterrupt):
        retrained(made)
    assert not list(ReleaseState(root, PRODUCT).releases.glob("*.retrain.json"))
    run = last_run(root)
    assert (run.end, run.why) == ("cancelled", "stopped (KeyboardInterrupt)")


def _stop() -> None:
    raise KeyboardInterrupt


def test_a_model_of_the_guard_that_is_gone_is_passed_over(root: Path, made: Made) -> None:
    state = ReleaseState(root, PRODUCT)
    keep_standing(state, str(state.current()), Standing(guard=["gone"]))
    made.figures = measured(0.05, 0.01)
    new_rows(root)
    assert retrained(made).released


# Compare and set (O18).


def test_a_release_by_somebody_else_meanwhile_is_compared_with(root: Path, made: Made) -> None:
    state = ReleaseState(root, PRODUCT)
    other = make_tiny_bundle(root / "other", seed=9)
    made.figures = measured(0.05, 0.01)

    def quicker() -> None:
        if state.current() != other:
            shutil.copytree(root / "other", state.release(other))
            write_json(state.rows(other), {"ids": [], "clusters": []})
            state.point_to(other)

    made.before_release = quicker
    new_rows(root)
    outcome = retrained(made)
    assert outcome.released
    assert [order["expected_previous"] for order in made.orders] == [other]
    assert f"against 0.8000 of {other[:12]}" in outcome.reason


def test_who_is_overtaken_again_and_again_leaves_the_champion(root: Path, made: Made) -> None:
    state, hashes = ReleaseState(root, PRODUCT), iter(range(50, 60))
    made.figures = measured(0.05, 0.01)

    def quicker() -> None:
        folder = root / f"other-{(number := next(hashes))}"
        bundle_hash = make_tiny_bundle(folder, seed=number)
        shutil.copytree(folder, state.release(bundle_hash))
        write_json(state.rows(bundle_hash), {"ids": [], "clusters": []})
        state.point_to(bundle_hash)

    made.before_release = quicker
    new_rows(root)
    outcome = retrained(made)
    assert outcome.ending == "kept"
    assert "Somebody else released 3 times" in outcome.reason
    assert outcome.hash == state.current()


# Whatever the end, its reason stands (O21), and a key is worked for once.


def test_a_failed_stage_leaves_its_reason_in_record_and_ledger(root: Path, made: Made) -> None:
    def build(*_: Any, **__: Any) -> BuildResult:
        raise DataError("rows.csv is empty", expected="rows", next_step="bring them")

    new_rows(root)
    work = replace(made.work, build=build)
    with pytest.raises(DataError):
        run_retrain(root, Order(reason="nightly", working_tree=True), work=work)
    run = last_run(root)
    assert (run.end, run.why) == ("failed", "rows.csv is empty; next: bring them")
    assert (run.reason, run.changed) == ("nightly", ["sources"])
    entry = ledger.read(ReleaseState(root, PRODUCT).ledger)[-1]
    assert (entry.event, entry.hash) == ("refused", None)
    assert entry.previous == ReleaseState(root, PRODUCT).current()
    assert "retrain (nightly" in entry.why
    assert "rows.csv is empty" in entry.why


ANSWERS = {
    "labels needed": StageFailure(
        stage="label",
        kind="LabelsNeededError",
        got="none of 2 rows has a label",
        expected="some",
        next_step="annotate: about 2 labels",
    ),
    "cannot be told": StageFailure(
        stage="baseline",
        kind="CannotBeToldError",
        got="no: cannot be told",
        expected="a gain",
        next_step="look whether labels fit",
    ),
}


def answered(made: Made, ending: str, **order: Any) -> Outcome:
    """The end of a retraining of new rows, whose build ends with an answer."""

    def build(*_: Any, **__: Any) -> BuildResult:
        raise StageFailedError(ANSWERS[ending], log=made.root / "log")

    new_rows(made.root)
    work = replace(made.work, build=build)
    return run_retrain(made.root, Order(reason="nightly", working_tree=True, **order), work=work)


@pytest.mark.parametrize("ending", ANSWERS, ids=lambda name: name.replace(" ", "-"))
def test_a_build_that_ends_with_an_answer_is_no_failure_and_the_champion_stays(
    root: Path, made: Made, ending: str
) -> None:
    state = ReleaseState(root, PRODUCT)
    champion = state.current()
    outcome = answered(made, ending)
    failure = ANSWERS[ending]
    why = f"{failure.got}: champion stays. Next: {failure.next_step}"
    assert (outcome.ending, outcome.reason, outcome.hash) == (ending, why, champion)
    assert not outcome.released
    run = last_run(root)
    assert (run.end, run.why, run.now) == (ending, why, champion)
    assert ending.upper() in as_text([run])
    last = ledger.read(state.ledger)[-1]
    assert (last.event, last.hash, last.previous) == ("kept", champion, champion)
    assert last.why.endswith(why)
    assert state.current() == champion


def test_the_work_of_a_key_goes_on_when_the_labels_it_waits_for_are_there(
    root: Path, made: Made
) -> None:
    made.figures = measured(0.05, 0.01)
    assert answered(made, "labels needed", key="row 17").ending == "labels needed"
    assert retrained(made, key="row 17").released


def test_the_work_of_a_key_is_done_where_nothing_can_be_told(root: Path, made: Made) -> None:
    assert answered(made, "cannot be told", key="row 17").ending == "cannot be told"
    again = retrained(made, key="row 17")
    assert again.ending == "done before"
    assert "no: cannot be told" in again.reason


def test_a_wrong_parameter_leaves_its_reason_too(root: Path, made: Made) -> None:
    with suppress(PipelineError):
        retrained(made, variation=Variation(changes=["finetune.epoch=9"]))
    assert last_run(root).end == "failed"
    assert "finetune.epoch" in last_run(root).why


def test_the_work_of_a_key_is_done_once(root: Path, made: Made) -> None:
    made.figures = measured(0.05, 0.01)
    new_rows(root)
    first = retrained(made, key="row 17")
    second = retrained(made, key="row 17")
    assert first.released
    assert (second.ending, second.hash) == ("done before", first.hash)
    assert last_run(root).id in second.reason
    assert (len(made.titles), len(list(read_runs(root)))) == (1, 1)
    assert retrained(made, key="row 18").ending == "unchanged"


def test_the_work_of_a_key_that_failed_is_done_again(root: Path, made: Made) -> None:
    made.figures = measured(0.05, 0.01)
    made.before_release = _stop
    new_rows(root)
    with suppress(KeyboardInterrupt):
        retrained(made, key="row 17")
    made.before_release = lambda: None
    assert retrained(made, key="row 17").released


# Results on a branch.


def test_results_are_committed_to_a_branch_and_nothing_else_moves(clone: Made) -> None:
    root = clone.root
    clone.figures = measured(0.05, 0.01)
    new_rows(root)
    (root / "staged.txt").write_text("of the user")
    git(root, "add", "staged.txt")
    before = git(root, "status", "--porcelain"), git(root, "rev-parse", "HEAD")
    files, _, outcome = built(clone, commit_to="retrain/results")
    assert (git(root, "status", "--porcelain"), git(root, "rev-parse", "HEAD")) == before
    assert git(root, "rev-parse", "retrain/results").strip() == outcome.results
    shown = git(root, "show", f"retrain/results:retrain/{PRODUCT}/decision.json")
    decision = json.loads(shown)
    assert (decision["ending"], decision["now"]) == ("released", outcome.hash)
    assert decision["commit"] == git(root, "rev-parse", "HEAD").strip()
    assert last_run(root).results == outcome.results
    assert files


def test_a_branch_that_is_checked_out_is_refused_before_anything_is_built(clone: Made) -> None:
    branch = git(clone.root, "branch", "--show-current").strip()
    with pytest.raises(PipelineError, match="which is checked out"):
        built(clone, commit_to=branch)
    assert not clone.titles


def test_a_record_is_read_as_it_was_written(root: Path, made: Made) -> None:
    retrained(made)
    run = last_run(root)
    assert read_json(root / ".modelyard" / "retrains" / f"{run.id}.json")["ending"] == "unchanged"
    assert run.minutes is not None
