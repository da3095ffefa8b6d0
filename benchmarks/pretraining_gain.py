"""The gain of our pretraining: the same student with and without it, then fine-tuned.

    python -m benchmarks.pretraining_gain                 # after a build, which leaves rows and corpus
    python -m benchmarks.pretraining_gain --model bilm

A small student is pretrained from random weights on the corpus and then trained on the labelled
rows; the same model without pretraining is trained on the same rows in the same order. Three seeds
each. The gain is the difference of mean accuracies on the test rows, with its 95 % paired bootstrap
interval over rows. Accuracies on validation rows are printed too: choose recipes by those. `bert`
is a masked language model of 2 layers, 192 wide, with dropout only in fine-tuning; `bilm` is the ELMo of profile `bilm`, with this product's tokenizer.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.support.command_line import built_file, new_parser, print_result
from benchmarks.support.demonstration import demonstration, demonstration_params
from benchmarks.support.pretraining_runs import load_profile
from benchmarks.support.trainings import train_language_model, train_on_labels
from pipeline.core.params import Params
from pipeline.core.product import Compute
from pipeline.core.stage import seed_everything
from pipeline.core.training_sections import OptimisationParams, PretrainParams
from pipeline.metrics.intervals import paired_difference
from pipeline.models.encoder import load_classifier, load_tokenizer, save_model
from pipeline.models.language_models import new_language_model
from pipeline.text.packing import PackedRows, TokenFile
from pipeline.training.labelled_rows import Split, read_split
from pipeline.training.predict import predict
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
    return demonstration_params(ROOT).pretrain.model_copy(update=changed), 5e-4


def pretrain(
    settings: PretrainParams, compute: Compute, *, prepared: Path, folder: Path, tokens: int | None
) -> None:
    """Writes two language models to `folder`: `pretrained`, and `random`, the same before training.

    Args:
        prepared: what stage prepare left.
        tokens: of the corpus to use in each epoch; None uses all.
    """
    tokenizer = load_tokenizer(prepared / "student_tokenizer")
    packed = PackedRows(TokenFile(prepared / "corpus" / "train.npy"), settings.sequence_length)
    rows = packed.count if tokens is None else min(tokens // settings.sequence_length, packed.count)
    seed_everything(compute.seed)
    model = new_language_model(settings, tokenizer)
    save_model(model, tokenizer, folder / "random")
    train_language_model(
        model, packed, tokenizer, optimisation=settings, rows=rows, compute=compute, folder=folder
    )
    save_model(model, tokenizer, folder / "pretrained")


def right_answers(
    splits: dict[str, Split],
    start: Path,
    *,
    params: Params,
    optimisation: OptimisationParams,
    folder: Path,
) -> dict[str, NDArray[np.float64]]:
    """Trains classifiers from `start`; returns their right answers by split, `(seeds, rows)`."""
    tokenizer = load_tokenizer(start)
    rows = {
        name: tokenize(tokenizer, split.texts, max_length=params.prepare.max_length)
        for name, split in splits.items()
    }
    found: dict[str, list[NDArray[np.float64]]] = {name: [] for name in _HELDOUT}
    for seed in _SEEDS:
        compute = params.compute.model_copy(update={"seed": seed})
        seed_everything(seed)
        model = load_classifier(start, labels=params.product.labels, dropout=0.1)
        train_on_labels(
            model,
            rows["train"],
            splits["train"].label_ids,
            task=f"{start.name} seed {seed}",
            optimisation=optimisation,
            compute=compute,
            folder=folder,
        )
        for name, answers in found.items():
            logits = predict(model, rows[name], compute=compute, batch_size=64).logits
            right = logits.argmax(axis=1) == splits[name].label_ids
            answers.append(right.astype(np.float64))
        shown = "  ".join(f"{name} accuracy {each[-1].mean():.4f}" for name, each in found.items())
        print(f"{start.name}  seed {seed}  {shown}", flush=True)
    return {name: np.stack(answers) for name, answers in found.items()}


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
    params = demonstration_params(ROOT)
    settings, rate = student_settings(options.model)
    changed = {"learning_rate": rate, "batch_size": 32, "epochs": options.epochs}
    optimisation = settings.model_copy(update=changed)
    settings = settings.model_copy(update={"epochs": options.passes})
    with tempfile.TemporaryDirectory(prefix="gain-") as name, demonstration(ROOT) as built:
        records = built_file(built, "prepare/records.parquet")
        splits = {name: read_split(records, name) for name in ("train", *_HELDOUT)}
        folder = Path(name)
        started = time.perf_counter()
        places = {"prepared": records.parent, "folder": folder}
        pretrain(settings, params.compute, **places, tokens=options.tokens)
        seconds = time.perf_counter() - started
        right = {
            start: right_answers(
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
