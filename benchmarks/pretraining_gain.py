"""The gain of our pretraining: the same student with and without it, then fine-tuned.

    python -m benchmarks.pretraining_gain                 # after a build, which leaves rows and corpus
    python -m benchmarks.pretraining_gain --model bilm

A small student is pretrained from random weights on the corpus and then trained on the labelled
rows; the same model without pretraining is trained on the same rows in the same order. Three seeds
each. The gain is the difference of mean accuracies on the test rows, with its 95 % paired bootstrap
interval over rows. Accuracies on validation rows are printed too: choose recipes by those. `bert`
is a masked language model of 2 layers, 192 wide, with dropout only before its classifier; `bilm` is
the ELMo of profile `bilm`, with this product's tokenizer.
"""

import argparse
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.support.command_line import built_file, new_parser, print_result
from benchmarks.support.pretraining_runs import load_profile
from pipeline.core.params import Params, load_params
from pipeline.core.product import Compute
from pipeline.core.stage import seed_everything
from pipeline.core.training_sections import OptimisationParams, PretrainParams
from pipeline.metrics.intervals import paired_difference
from pipeline.models.encoder import load_classifier, load_tokenizer, save_model
from pipeline.models.language_models import new_language_model
from pipeline.text.batching import epoch_batches
from pipeline.text.packing import PackedRows, TokenFile, row_batches
from pipeline.training.curve import Curve
from pipeline.training.labelled_rows import Split, read_split
from pipeline.training.loop import Training, train
from pipeline.training.objectives.by_family import language_model_objective
from pipeline.training.objectives.gold import label_objective
from pipeline.training.predict import predict
from pipeline.training.resume import Checkpoints
from pipeline.training.token_rows import tokenize

ROOT = Path(__file__).resolve().parents[1]
_SEEDS = (1, 2, 3)
_RESAMPLES = 2000
_HELDOUT = ("validation", "test")


def student_settings(name: str) -> tuple[PretrainParams, float]:
    """A student's shape and pretraining, and its learning rate on the labelled rows."""
    if name == "bilm":
        params = load_profile(ROOT, "bilm")
        return params.pretrain, params.distill.learning_rate
    changed = {
        "start": "random",
        "layers": 2,
        "hidden_size": 192,
        "heads": 6,
        "feed_forward_size": 768,
        "dropout": 0.0,
        "sequence_length": 64,
        "batch_size": 16,
        "learning_rate": 1e-3,
    }
    return load_params(ROOT / "params.yaml").pretrain.model_copy(update=changed), 5e-4


def pretrain(
    settings: PretrainParams, compute: Compute, *, folder: Path, tokens: int | None
) -> None:
    """Writes two language models to `folder`: `pretrained`, and `random`, the same before training.

    Args:
        tokens: of the corpus to use in each epoch; None uses all.
    """
    tokenizer = load_tokenizer(ROOT / "artifacts/prepare/student_tokenizer")
    packed = PackedRows(
        TokenFile(ROOT / "artifacts/prepare/corpus/train.npy"), settings.sequence_length
    )
    rows = packed.count if tokens is None else min(tokens // settings.sequence_length, packed.count)
    seed_everything(compute.seed)
    model = new_language_model(settings, tokenizer)
    save_model(model, tokenizer, folder / "random")
    training = Training(
        task="pretrain",
        optimisation=settings,
        compute=compute,
        batches=partial(row_batches, rows),
        checkpoints=Checkpoints(folder / "checkpoints"),
        curve=Curve(folder / "pretrain.csv"),
    )
    train(model, language_model_objective(packed, settings, tokenizer), training)
    save_model(model, tokenizer, folder / "pretrained")


def right_answers(
    splits: dict[str, Split],
    start: Path,
    *,
    params: Params,
    optimisation: OptimisationParams,
    folder: Path,
) -> dict[str, NDArray[np.float64]]:
    """Trains a classifier from `start`; returns which held-out rows it labels correctly."""
    seed_everything(params.compute.seed)
    tokenizer = load_tokenizer(start)
    model = load_classifier(start, labels=params.product.labels, dropout=0.1)
    tokens = tokenize(tokenizer, splits["train"].texts, max_length=params.prepare.max_length)
    training = Training(
        task=f"{start.name} seed {params.compute.seed}",
        optimisation=optimisation,
        compute=params.compute,
        batches=partial(epoch_batches, tokens.lengths),
        checkpoints=Checkpoints(folder / "checkpoints"),
        curve=Curve(folder / "train.csv"),
    )
    train(model, label_objective(tokens, splits["train"].label_ids), training)
    found = {}
    for name in _HELDOUT:
        rows = tokenize(tokenizer, splits[name].texts, max_length=params.prepare.max_length)
        logits = predict(model, rows, compute=params.compute, batch_size=64).logits
        found[name] = (logits.argmax(axis=1) == splits[name].label_ids).astype(np.float64)
    shown = "  ".join(f"{name} accuracy {right.mean():.4f}" for name, right in found.items())
    print(f"{start.name}  seed {params.compute.seed}  {shown}", flush=True)
    return found


def over_seeds(
    splits: dict[str, Split],
    start: Path,
    *,
    params: Params,
    optimisation: OptimisationParams,
    folder: Path,
) -> dict[str, NDArray[np.float64]]:
    """The right answers of classifiers trained from `start`, by split, `(seeds, rows)`."""
    found = []
    for seed in _SEEDS:
        compute = params.compute.model_copy(update={"seed": seed})
        seeded = params.model_copy(update={"compute": compute})
        found.append(
            right_answers(splits, start, params=seeded, optimisation=optimisation, folder=folder)
        )
    return {name: np.stack([answers[name] for answers in found]) for name in _HELDOUT}


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = new_parser(__doc__)
    parser.add_argument("--model", choices=["bert", "bilm"], default="bert")
    parser.add_argument("--tokens", type=int, help="of the corpus to use (default: all)")
    parser.add_argument("--passes", type=int, default=1, help="over them, while pretraining")
    parser.add_argument("--epochs", type=int, default=4, help="on the labelled rows")
    return parser.parse_args()


def main() -> None:
    """Command line."""
    options = parse_arguments()
    params = load_params(ROOT / "params.yaml")
    settings, rate = student_settings(options.model)
    changed = {"learning_rate": rate, "batch_size": 32, "epochs": options.epochs}
    optimisation = settings.model_copy(update=changed)
    settings = settings.model_copy(update={"epochs": options.passes})
    records = built_file(ROOT, "prepare/records.parquet")
    splits = {name: read_split(records, name) for name in ("train", *_HELDOUT)}
    with tempfile.TemporaryDirectory(prefix="gain-") as name:
        folder = Path(name)
        started = time.perf_counter()
        pretrain(settings, params.compute, folder=folder, tokens=options.tokens)
        seconds = time.perf_counter() - started
        right = {
            start: over_seeds(
                splits, folder / start, params=params, optimisation=optimisation, folder=folder
            )
            for start in ("random", "pretrained")
        }
    points = [100 * right[start]["test"].mean(axis=0) for start in ("pretrained", "random")]
    gain = paired_difference(*points, confidence=0.95, resamples=_RESAMPLES, seed=0)
    accuracy = {
        start: {name: answers.mean(axis=1).tolist() for name, answers in by_split.items()}
        for start, by_split in right.items()
    }
    figures = {
        "model": options.model,
        "gain_points": gain.value,
        "interval": (gain.low, gain.high),
        "accuracy": accuracy,
        "pretraining_seconds": seconds,
        "passes": options.passes,
    }
    print_result("pretraining_gain", ratios={}, figures=figures)


if __name__ == "__main__":
    main()
