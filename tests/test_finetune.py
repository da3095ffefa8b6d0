"""finetune: a teacher that beats the baseline, the same each time, even after a kill."""

import signal
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file
from transformers import (
    AutoModelForSequenceClassification,
    DistilBertConfig,
    DistilBertModel,
    ViTConfig,
    ViTModel,
)

from pipeline import finetune
from pipeline.core.errors import ArtifactError, TrainingError
from pipeline.core.files import read_json, sha256_file
from pipeline.core.params import override
from pipeline.core.variants import MAJORITY, NAIVE_BAYES, TFIDF
from pipeline.models.encoder import load_classifier, load_tokenizer, save_model
from tests.support import tiny_models
from tests.support.killed_stage import python, run_killed
from tests.support.problems import MULTI_LABEL, PAIRS, REGRESSION
from tests.support.repository import parameter_values
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


def test_the_teacher_learns_more_than_the_baseline_knows(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    metrics, paths = run_in(untrained_workspace(tmp_path_factory), "finetune", finetune.run)
    assert metrics["validation_accuracy"] > 0.95
    assert metrics["baseline_validation_quality"] == pytest.approx(0.6, abs=0.02)
    model = AutoModelForSequenceClassification.from_pretrained(paths.out / "model")
    assert model.config.id2label == {0: "negative", 1: "positive"}
    header = (paths.out / "curve.csv").read_text().splitlines()[0]
    assert header == "step,loss,learning_rate,validation_quality"


def test_a_teacher_no_better_than_the_baseline_is_refused(workspace: Path) -> None:
    rows = pq.read_table(workspace / "artifacts/prepare/records.parquet").to_pydict()
    write_baseline(workspace, rows, {NAIVE_BAYES: 1.0})
    with pytest.raises(TrainingError, match=r"more than the baseline-nblr's 1\.000"):
        run_in(workspace, "finetune", finetune.run, "finetune.epochs=1")
    assert not (workspace / WEIGHTS).exists()


def test_the_strongest_of_the_baselines_is_the_bar(workspace: Path) -> None:
    rows = pq.read_table(workspace / "artifacts/prepare/records.parquet").to_pydict()
    write_baseline(workspace, rows, {MAJORITY: 0.5, TFIDF: 1.0, NAIVE_BAYES: 0.6})
    with pytest.raises(TrainingError, match=r"more than the baseline-tfidf's 1\.000"):
        run_in(workspace, "finetune", finetune.run, "finetune.epochs=1")


def test_a_checkpoint_that_classifies_no_text_is_refused_by_name(
    workspace: Path, tmp_path: Path
) -> None:
    config = ViTConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=1, intermediate_size=16
    )
    ViTModel(config).save_pretrained(tmp_path / "images")
    change = f"prepare.checkpoint.path={tmp_path / 'images'}"
    with pytest.raises(ArtifactError, match="an encoder checkpoint") as caught:
        run_in(workspace, "finetune", finetune.run, change)
    assert str(tmp_path / "images") in caught.value.got
    assert caught.value.next_step == "correct prepare.checkpoint in params.yaml"


def test_two_runs_leave_the_same_bytes(
    workspace: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    first = trained_workspace(tmp_path_factory)
    run_in(workspace, "finetune", finetune.run)
    for name in (WEIGHTS, "artifacts/finetune/curve.csv"):
        assert sha256_file(workspace / name) == sha256_file(first / name)


def test_another_seed_leaves_other_weights(
    workspace: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    first = trained_workspace(tmp_path_factory)
    run_in(workspace, "finetune", finetune.run, "compute.seed=2")
    assert sha256_file(workspace / WEIGHTS) != sha256_file(first / WEIGHTS)


def test_a_killed_stage_run_again_leaves_the_bytes_of_an_unbroken_run(
    workspace: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole = trained_workspace(tmp_path_factory)
    killed = run_killed(workspace, "finetune", step=17)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not (workspace / WEIGHTS).exists()
    assert not (workspace / "artifacts/finetune/metrics.json").exists()
    again = python(workspace, "-m", "pipeline.finetune")
    assert again.returncode == 0, again.stderr
    assert "resumed at step 17" in again.stdout
    for name in (WEIGHTS, "artifacts/finetune/curve.csv"):
        assert sha256_file(workspace / name) == sha256_file(whole / name)
    assert not list((workspace / ".modelyard").rglob("*.safetensors"))


THREE = ["finetune.seeds=3", "finetune.epochs=3", "finetune.learning_rate=1e-3"]


def with_weak_baseline(workspace: Path) -> Path:
    """The workspace with a baseline that is always wrong, for teachers trained briefly."""
    rows = pq.read_table(workspace / "artifacts/prepare/records.parquet").to_pydict()
    write_baseline(workspace, rows, {NAIVE_BAYES: 0.0})
    return workspace


def test_the_best_of_several_seeds_is_kept_and_all_are_told(workspace: Path) -> None:
    metrics, paths = run_in(
        with_weak_baseline(workspace), "finetune", finetune.run, *THREE, "finetune.keep=best"
    )
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
    alone = [f"compute.seed={best}", "finetune.seeds=1"]
    run_in(workspace, "finetune", finetune.run, *alone)
    assert sha256_file(workspace / WEIGHTS) == kept


def test_the_mean_of_several_seeds_is_saved_beside_the_curve_of_the_best(workspace: Path) -> None:
    few = ["finetune.seeds=2", "finetune.epochs=2", "finetune.learning_rate=1e-3"]
    run_in(with_weak_baseline(workspace), "finetune", finetune.run, *few, "finetune.keep=best")
    best = load_file(workspace / WEIGHTS)
    metrics, paths = run_in(workspace, "finetune", finetune.run, *few, "finetune.keep=mean")
    mean = load_file(workspace / WEIGHTS)
    assert mean.keys() == best.keys()
    assert not any(torch.equal(mean[name], best[name]) for name in mean if "dense.weight" in name)
    assert metrics["kept"] == "mean"
    last = (paths.out / "curve.csv").read_text().splitlines()[-1]
    assert float(last.split(",")[-1]) == max(metrics["seeds"].values())


@pytest.mark.parametrize("keep", ["best", "mean"])
def test_a_killed_stage_trains_no_seed_twice(
    workspace: Path, tmp_path_factory: pytest.TempPathFactory, keep: str
) -> None:
    asked = [*THREE, f"finetune.keep={keep}"]
    whole = with_weak_baseline(untrained_workspace(tmp_path_factory))
    metrics, _ = run_in(whole, "finetune", finetune.run, *asked)
    changed(with_weak_baseline(workspace), *asked)
    killed = run_killed(workspace, "finetune", step=5, seed=2)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    again = python(workspace, "-m", "pipeline.finetune")
    assert again.returncode == 0, again.stderr
    assert "seed 1 is trained already" in again.stdout
    assert "resumed at step 5" in again.stdout
    found = read_json(workspace / "artifacts/finetune/metrics.json")
    assert found["seeds"] == metrics["seeds"]
    for name in (WEIGHTS, "artifacts/finetune/curve.csv"):
        assert sha256_file(workspace / name) == sha256_file(whole / name)
    assert not list((workspace / ".modelyard").rglob("*.*"))


def test_balanced_weights_leave_other_weights(workspace: Path) -> None:
    few = "finetune.epochs=2"
    run_in(with_weak_baseline(workspace), "finetune", finetune.run, few)
    plain = sha256_file(workspace / WEIGHTS)
    records = workspace / "artifacts/prepare/records.parquet"
    table = pq.read_table(records)
    rare = [row["split"] != "train" or row["label"] == "positive" or i % 4 == 0
            for i, row in enumerate(table.to_pylist())]  # fmt: skip
    pq.write_table(table.filter(rare), records)
    run_in(workspace, "finetune", finetune.run, few)
    unweighted = sha256_file(workspace / WEIGHTS)
    run_in(workspace, "finetune", finetune.run, few, "finetune.class_weights=balanced")
    assert len({plain, unweighted, sha256_file(workspace / WEIGHTS)}) == 3


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
    metrics, _ = run_in(workspace, "finetune", finetune.run, *asked)
    assert capsys.readouterr().out.count("finetune adapt  0/") == 1
    assert len(metrics["seeds"]) == 2
    assert metrics["validation_accuracy"] > 0.95
    assert not list((workspace / ".modelyard").rglob("*.*"))


def test_a_checkpoint_of_another_family_is_not_adapted(workspace: Path, tmp_path: Path) -> None:
    config = DistilBertConfig(
        vocab_size=len(tiny_models.VOCABULARY), dim=32, n_layers=2, n_heads=2, hidden_dim=64
    )
    DistilBertModel(config).save_pretrained(tmp_path / "distilbert")
    with pytest.raises(
        ArtifactError, match=r"finetune\.adapt with a checkpoint of the family distilbert"
    ):
        run_in(
            workspace, "finetune", finetune.run, "finetune.adapt.max_sentences=200",
            f"prepare.checkpoint.path={tmp_path / 'distilbert'}",
        )  # fmt: skip


def test_related_labels_are_learned_first_and_their_rows_are_counted(workspace: Path) -> None:
    """With the product's own rows made useless, what the teacher knows it has from the related ones."""
    few = ("finetune.epochs=1", "finetune.learning_rate=1e-9")
    metrics, _ = run_in(
        workspace, "finetune", finetune.run, *few, "finetune.related.epochs=8",
        "finetune.related.learning_rate=3e-3",
    )  # fmt: skip
    assert metrics["related_rows"] == RELATED
    assert metrics["validation_accuracy"] > 0.9
    with pytest.raises(TrainingError, match="more than"):
        run_in(workspace, "finetune", finetune.run, *few, "finetune.related=null")
