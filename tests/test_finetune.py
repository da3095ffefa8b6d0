"""finetune: a teacher that beats the baseline, the same each time, even after a kill."""

import signal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModel, AutoModelForSequenceClassification, DistilBertConfig, ViTConfig

from pipeline import finetune
from pipeline.core.errors import ArtifactError, TrainingError
from pipeline.core.files import read_json, sha256_file
from pipeline.core.params import override
from pipeline.core.paths import Paths
from pipeline.core.stage import Metrics
from pipeline.core.variants import MAJORITY, NAIVE_BAYES, TFIDF
from pipeline.models.encoder import load_classifier, load_tokenizer, save_model
from tests.support import tiny_models
from tests.support.killed_stage import python, run_killed
from tests.support.problems import MULTI_LABEL, PAIRS, REGRESSION
from tests.support.repository import parameter_values
from tests.support.small_disk import small_disk
from tests.support.trained_workspace import (
    RELATED,
    changed,
    run_in,
    trained_workspace,
    untrained_workspace,
    write_baseline,
)

WEIGHTS = "artifacts/finetune/model/model.safetensors"


@pytest.fixture
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return untrained_workspace(tmp_path_factory)


def tuned(workspace: Path, *changes: str) -> tuple[Metrics, Paths]:
    """Fine-tunes in a workspace, with changes to its parameters."""
    return run_in(workspace, "finetune", finetune.run, *changes)


def with_baselines(workspace: Path, shares: dict[str, float]) -> Path:
    """The workspace with baselines that are right in these shares; none, for teachers trained briefly."""
    rows = pq.read_table(workspace / "artifacts/prepare/records.parquet").to_pydict()
    write_baseline(workspace, rows, shares)
    return workspace


def same_bytes(first: Path, second: Path) -> bool:
    """Whether two workspaces have the same teacher and learning curve."""
    names = (WEIGHTS, "artifacts/finetune/curve.csv")
    return all(sha256_file(first / name) == sha256_file(second / name) for name in names)


def test_the_teacher_learns_more_than_the_baseline_knows(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = trained_workspace(tmp_path_factory) / "artifacts/finetune"
    metrics = read_json(folder / "metrics.json")
    assert metrics["validation_accuracy"] > 0.95
    assert metrics["baseline_validation_quality"] == pytest.approx(0.6, abs=0.02)
    model = AutoModelForSequenceClassification.from_pretrained(folder / "model")
    assert model.config.id2label == {0: "negative", 1: "positive"}
    header = (folder / "curve.csv").read_text().splitlines()[0]
    assert header == "step,loss,learning_rate,validation_quality"


@pytest.mark.parametrize(
    ("shares", "bar"),
    [
        ({NAIVE_BAYES: 1.0}, "baseline-nblr"),
        ({MAJORITY: 0.5, TFIDF: 1.0, NAIVE_BAYES: 0.6}, "baseline-tfidf"),
    ],
    ids=["one", "the strongest of three"],
)
def test_a_teacher_that_is_worse_than_the_baselines_is_refused(
    workspace: Path, shares: dict[str, float], bar: str
) -> None:
    with pytest.raises(TrainingError, match=rf"more than the {bar}'s 1\.000"):
        tuned(with_baselines(workspace, shares), "finetune.epochs=1")
    assert not (workspace / WEIGHTS).exists()


def test_a_teacher_that_ties_with_the_baseline_is_kept_and_that_is_said(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As on texts that single words tell apart, some of them with a wrong label."""
    alone, _ = tuned(with_baselines(workspace, {NAIVE_BAYES: 0.0}), "finetune.epochs=1")
    near = alone["validation_quality"] + 0.03
    metrics, _ = tuned(with_baselines(workspace, {NAIVE_BAYES: near}), "finetune.epochs=1")
    assert metrics["validation_quality"] == alone["validation_quality"] < 1.0
    assert metrics["baseline_validation_quality"] >= metrics["validation_quality"]
    assert "the difference may be chance" in capsys.readouterr().out


def test_a_checkpoint_that_classifies_no_text_is_refused_by_name(
    workspace: Path, tmp_path: Path
) -> None:
    size = {"hidden_size": 16, "intermediate_size": 16}
    config = ViTConfig(num_hidden_layers=1, num_attention_heads=1, **size)
    AutoModel.from_config(config).save_pretrained(tmp_path / "images")
    change = f"prepare.checkpoint.path={tmp_path / 'images'}"
    with pytest.raises(ArtifactError, match="an encoder checkpoint") as caught:
        tuned(workspace, change)
    assert str(tmp_path / "images") in caught.value.got
    assert caught.value.next_step == "correct prepare.checkpoint in params.yaml or the product file"


def test_the_same_seed_leaves_the_same_bytes_and_another_seed_other_weights(
    workspace: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    first = trained_workspace(tmp_path_factory)
    tuned(workspace)
    assert same_bytes(workspace, first)
    tuned(workspace, "compute.seed=2")
    assert sha256_file(workspace / WEIGHTS) != sha256_file(first / WEIGHTS)


THREE = ["finetune.seeds=3", "finetune.epochs=3", "finetune.learning_rate=1e-3"]


def killed_and_run_again(workspace: Path, *, step: int, seed: int | None = None) -> str:
    """What the stage said that ran after one that was killed when a step was done."""
    killed = run_killed(workspace, "finetune", step=step, seed=seed)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not (workspace / WEIGHTS).exists()
    assert not (workspace / "artifacts/finetune/metrics.json").exists()
    again = python(workspace, "-m", "pipeline.finetune")
    assert again.returncode == 0, again.stderr
    assert f"resumed at step {step}" in again.stdout
    assert not list((workspace / ".modelyard").rglob("*.*"))
    return again.stdout


@pytest.mark.soak
def test_a_killed_stage_run_again_leaves_the_bytes_of_an_unbroken_run(
    workspace: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    killed_and_run_again(workspace, step=17)
    assert same_bytes(workspace, trained_workspace(tmp_path_factory))


@pytest.mark.soak
@pytest.mark.parametrize("keep", ["best", "mean"])
def test_a_killed_stage_trains_no_seed_twice(
    workspace: Path, tmp_path_factory: pytest.TempPathFactory, keep: str
) -> None:
    asked = [*THREE, f"finetune.keep={keep}"]
    whole = with_baselines(untrained_workspace(tmp_path_factory), {NAIVE_BAYES: 0.0})
    metrics, _ = tuned(whole, *asked)
    changed(with_baselines(workspace, {NAIVE_BAYES: 0.0}), *asked)
    assert "seed 1 is trained already" in killed_and_run_again(workspace, step=5, seed=2)
    found = read_json(workspace / "artifacts/finetune/metrics.json")
    assert found["seeds"] == metrics["seeds"]
    assert same_bytes(workspace, whole)


def test_the_best_of_several_seeds_is_kept_and_all_are_told(workspace: Path) -> None:
    with_baselines(workspace, {NAIVE_BAYES: 0.0})
    metrics, paths = tuned(workspace, *THREE, "finetune.keep=best")
    figures = metrics["seeds"]
    assert list(figures) == ["1", "2", "3"]
    assert metrics["validation_quality"] == max(figures.values())
    low, high = metrics["mean_validation_quality_ci95"]
    mean = metrics["mean_validation_quality"]
    assert mean == pytest.approx(sum(figures.values()) / 3)
    # Student's t of three figures reaches 4.303 standard errors.
    error = np.std([*figures.values()], ddof=1) / 3**0.5
    assert (low, high) == pytest.approx((mean - 4.3027 * error, mean + 4.3027 * error), abs=1e-4)
    best = max(figures, key=lambda seed: figures[seed])
    last = (paths.out / "curve.csv").read_text().splitlines()[-1]
    assert float(last.split(",")[-1]) == figures[best]
    kept = sha256_file(workspace / WEIGHTS)
    tuned(workspace, f"compute.seed={best}", "finetune.seeds=1")
    assert sha256_file(workspace / WEIGHTS) == kept


def test_the_mean_of_several_seeds_is_saved_beside_the_curve_of_the_best(workspace: Path) -> None:
    few = ["finetune.seeds=2", "finetune.epochs=2", "finetune.learning_rate=1e-3"]
    tuned(with_baselines(workspace, {NAIVE_BAYES: 0.0}), *few, "finetune.keep=best")
    best = load_file(workspace / WEIGHTS)
    metrics, paths = tuned(workspace, *few, "finetune.keep=mean")
    mean = load_file(workspace / WEIGHTS)
    assert mean.keys() == best.keys()
    assert not any(torch.equal(mean[name], best[name]) for name in mean if "dense.weight" in name)
    assert metrics["kept"] == "mean"
    last = (paths.out / "curve.csv").read_text().splitlines()[-1]
    assert float(last.split(",")[-1]) == max(metrics["seeds"].values())


def test_balanced_weights_leave_other_weights(workspace: Path) -> None:
    few = "finetune.epochs=2"
    tuned(with_baselines(workspace, {NAIVE_BAYES: 0.0}), few)
    plain = sha256_file(workspace / WEIGHTS)
    records = workspace / "artifacts/prepare/records.parquet"
    table = pq.read_table(records)
    rare = [row["split"] != "train" or row["label"] == "positive" or i % 4 == 0
            for i, row in enumerate(table.to_pylist())]  # fmt: skip
    pq.write_table(table.filter(rare), records)
    tuned(workspace, few)
    unweighted = sha256_file(workspace / WEIGHTS)
    tuned(workspace, few, "finetune.class_weights=balanced")
    assert len({plain, unweighted, sha256_file(workspace / WEIGHTS)}) == 3


def with_soft_labels(workspace: Path, split: str, shares: list[float] | None) -> None:
    """Gives every second row of a split these shares of the labels."""
    records = workspace / "artifacts/prepare/records.parquet"
    rows = [
        row | {"soft": shares if row["split"] == split and number % 2 else None}
        for number, row in enumerate(pq.read_table(records).to_pylist())
    ]
    schema = pq.read_schema(records)
    if "soft" not in schema.names:
        schema = schema.append(pa.field("soft", pa.list_(pa.float64())))
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), records)


def test_soft_labels_of_train_rows_alone_leave_other_weights(workspace: Path) -> None:
    few = "finetune.epochs=2"
    found = []
    tuned(with_baselines(workspace, {NAIVE_BAYES: 0.0}), few)
    found.append(sha256_file(workspace / WEIGHTS))
    given = [("train", None), ("validation", [0.5, 0.5]), ("train", [0.5, 0.5])]
    for split, shares in given:
        with_soft_labels(workspace, split, shares)
        tuned(workspace, few)
        found.append(sha256_file(workspace / WEIGHTS))
    hard, none, held_out, soft = found
    assert hard == none == held_out
    assert soft != hard


@pytest.mark.parametrize(
    ("product", "named"),
    [
        (PAIRS, "single_label_classification"),
        (MULTI_LABEL, "multi_label_classification"),
        (REGRESSION, "regression"),
    ],
)
def test_transformers_loads_a_teacher_as_what_it_is(
    tmp_path: Path, product: list[str], named: str
) -> None:
    config = override(parameter_values(), product)["product"]
    tiny_models.write_model(tmp_path / "start", labels=tuple(config["labels"]))
    model = load_classifier(tmp_path / "start", labels=config["labels"], problem=config["problem"])
    save_model(model, load_tokenizer(tmp_path / "start"), tmp_path / "model")
    loaded = AutoModelForSequenceClassification.from_pretrained(tmp_path / "model")
    assert loaded.config.problem_type == named
    assert list(loaded.config.id2label.values()) == config["labels"]


def test_every_seed_starts_from_the_one_adapted_checkpoint(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("finetune.adapt.max_sentences=200", "finetune.related=null", "finetune.seeds=2")
    metrics, _ = tuned(workspace, *asked)
    assert capsys.readouterr().out.count("finetune adapt  0/") == 1
    assert len(metrics["seeds"]) == 2
    assert metrics["validation_accuracy"] > 0.95
    assert not list((workspace / ".modelyard").rglob("*.*"))


def test_a_checkpoint_of_another_family_is_not_adapted(workspace: Path, tmp_path: Path) -> None:
    config = DistilBertConfig(vocab_size=100, dim=32, n_layers=2, n_heads=2, hidden_dim=64)
    AutoModel.from_config(config).save_pretrained(tmp_path / "distilbert")
    path = f"prepare.checkpoint.path={tmp_path / 'distilbert'}"
    with pytest.raises(ArtifactError, match=r"finetune\.adapt with .* of the family distilbert"):
        tuned(workspace, "finetune.adapt.max_sentences=200", path)


def test_related_labels_are_learned_first_and_their_rows_are_counted(workspace: Path) -> None:
    """With the product's own rows made useless, what the teacher knows it has from the related ones."""
    few = ("finetune.epochs=1", "finetune.learning_rate=1e-9")
    more = ("finetune.related.epochs=8", "finetune.related.learning_rate=3e-3")
    metrics, _ = tuned(workspace, *few, *more)
    assert metrics["related_rows"] == RELATED
    assert metrics["validation_accuracy"] > 0.9
    with pytest.raises(TrainingError, match="more than"):
        tuned(with_baselines(workspace, {NAIVE_BAYES: 0.95}), *few, "finetune.related=null")


@pytest.mark.soak
@pytest.mark.parametrize("full", ["artifacts/finetune", ".modelyard/checkpoints"])
def test_a_full_disk_is_one_message_and_with_room_the_teacher_is_the_same(
    tmp_path_factory: pytest.TempPathFactory, workspace: Path, full: str
) -> None:
    undisturbed = untrained_workspace(tmp_path_factory)
    tuned(undisturbed)
    with small_disk(workspace / full, kilobytes=40) as disk:
        failed = python(workspace, "-m", "pipeline.finetune")
        assert failed.returncode == 1, failed.stdout + failed.stderr
        assert "finetune failed\n  got: the disk is full: " in failed.stderr
        assert str(workspace / full) in failed.stderr
        assert "Traceback" not in failed.stderr
        disk.grow()
        done = python(workspace, "-m", "pipeline.finetune")
        assert done.returncode == 0, done.stderr
        assert same_bytes(workspace, undisturbed)
