"""pretrain: a language model that predicts held-out text better than it did before."""

import csv
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer, BertModel

from pipeline import pretrain
from pipeline.core.errors import ArtifactError, DataError
from tests.support.killed_stage import peak_of, python, run_killed
from tests.support.trained_workspace import changed, run_in, trained_workspace, untrained_workspace

STILL = "pretrain.learning_rate=1e-12"  # so small that no weight moves


@pytest.fixture
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return untrained_workspace(tmp_path_factory)


@pytest.mark.parametrize("start", ["random", "checkpoint"])
def test_training_lowers_the_held_out_loss(workspace: Path, start: str) -> None:
    begin, rate = f"pretrain.start={start}", "pretrain.learning_rate=3e-3"
    untrained, _ = run_in(workspace, "pretrain", pretrain.run, begin, STILL)
    trained, paths = run_in(workspace, "pretrain", pretrain.run, begin, rate)
    assert trained["heldout_loss"] < untrained["heldout_loss"] - 0.3
    assert trained["heldout_perplexity"] == pytest.approx(np.exp(trained["heldout_loss"]))
    with (paths.out / "curve.csv").open() as stream:
        points = list(csv.DictReader(stream))
    assert list(points[0]) == ["step", "loss", "learning_rate", "validation_loss"]
    assert float(points[-1]["validation_loss"]) == pytest.approx(trained["heldout_loss"])
    assert float(points[-1]["loss"]) < float(points[0]["loss"])


def test_a_start_from_the_checkpoint_takes_its_layers_and_a_random_one_does_not(
    workspace: Path,
) -> None:
    source = BertModel.from_pretrained(workspace / "checkpoint").encoder.layer[0].state_dict()
    for start, same in (("checkpoint", True), ("random", False)):
        begin = f"pretrain.start={start}"
        _, paths = run_in(workspace, "pretrain", pretrain.run, begin, STILL, "pretrain.epochs=1")
        saved = AutoModelForMaskedLM.from_pretrained(paths.out / "model")
        taken = saved.bert.encoder.layer[0].state_dict()
        name = "attention.self.query.weight"
        assert torch.allclose(taken[name], source[name], atol=1e-7) is same


def test_the_saved_model_has_the_students_shape_and_tokenizer(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = trained_workspace(tmp_path_factory) / "artifacts/pretrain/model"
    model = AutoModelForMaskedLM.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert model.config.num_hidden_layers == 1
    assert model.config.vocab_size == len(tokenizer)
    assert tokenizer.tokenize("the scene") == ["the", "scene"]


def test_a_checkpoint_of_another_width_is_refused_before_training(workspace: Path) -> None:
    with pytest.raises(ArtifactError, match="'hidden_size': 32"):
        run_in(workspace, "pretrain", pretrain.run, "pretrain.hidden_size=16")
    assert not (workspace / "artifacts/pretrain/model").exists()


def test_rows_are_limited_on_request(workspace: Path) -> None:
    limits = ["pretrain.max_sequences=5", "pretrain.epochs=1"]
    metrics, _ = run_in(workspace, "pretrain", pretrain.run, *limits)
    assert metrics["sequences"] == 5


def test_a_part_shorter_than_a_row_is_one_shorter_row(workspace: Path) -> None:
    for name in ("train", "heldout"):
        file = workspace / f"artifacts/prepare/corpus/{name}.npy"
        np.save(file, np.load(file)[:13])
    metrics, paths = run_in(workspace, "pretrain", pretrain.run, "pretrain.epochs=1")
    assert metrics["sequences"] == 1
    assert np.isfinite(metrics["heldout_loss"])
    assert (paths.out / "model/model.safetensors").is_file()


def test_a_corpus_with_nothing_held_out_is_refused_before_training(workspace: Path) -> None:
    np.save(workspace / "artifacts/prepare/corpus/heldout.npy", np.empty(0, np.uint16))
    with pytest.raises(DataError, match="0 tokens in the corpus's heldout part"):
        run_in(workspace, "pretrain", pretrain.run)
    assert not (workspace / "artifacts/pretrain/model").exists()


BILM = ["pretrain.model=bilm", "pretrain.start=random"]
BILM += ["pretrain.weight_drop=0.2", "pretrain.embedding_dropout=0.1"]
FAMILIES = {"bert": [], "bilm": BILM}


@pytest.mark.soak
@pytest.mark.parametrize("family", FAMILIES)
def test_killed_at_three_random_steps_it_ends_with_the_weights_of_an_unbroken_run(
    tmp_path_factory: pytest.TempPathFactory, family: str
) -> None:
    roots = [untrained_workspace(tmp_path_factory) for _ in range(2)]
    for root in roots:
        changed(root, *FAMILIES[family])
    whole, killed = roots
    assert python(whole, "-m", "pipeline.pretrain").returncode == 0
    curve = (whole / "artifacts/pretrain/curve.csv").read_text().splitlines()
    last = int(curve[-1].split(",")[0])
    every = 3  # most kills fall between two checkpoints
    steps = sorted(np.random.default_rng().choice(np.arange(every, last), 3, replace=False))
    for step in steps:
        done = run_killed(killed, "pretrain", step=int(step), every=every)
        assert done.returncode == -signal.SIGKILL, f"steps {steps}: {done.stderr}"
    again = python(killed, "-m", "pipeline.pretrain")
    assert f"resumed at step {steps[-1] // every * every}" in again.stdout, (
        f"steps {steps}: {again.stderr}"
    )
    for name in ("model/model.safetensors", "curve.csv"):
        first, second = (root / "artifacts/pretrain" / name for root in roots)
        assert first.read_bytes() == second.read_bytes(), f"steps {steps}"


@pytest.mark.soak
@pytest.mark.timeout(3600)  # minutes on a quiet machine
def test_a_corpus_ten_times_as_long_takes_no_more_memory(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    tiny = ["pretrain.start=random", "pretrain.hidden_size=8", "pretrain.feed_forward_size=8"]
    tiny += ["pretrain.batch_size=1024", "pretrain.epochs=1", "pretrain.mask_share=0.02"]
    tokens, peaks = 4_000_000, []
    for times in (1, 10):
        root = untrained_workspace(tmp_path_factory)
        changed(root, *tiny)
        # Wide numbers, as of a large vocabulary: 144 MB more, were the corpus read as a whole. A tenth of
        # the peak is some 62 MB, most of it torch.
        stream = np.random.default_rng(0).integers(5, 60, tokens * times).astype(np.uint32)
        np.save(root / "artifacts/prepare/corpus/train.npy", stream)
        peaks.append(peak_of(root, "pretrain"))
    assert peaks[1] < 1.1 * peaks[0], peaks
