"""What our pretraining is worth: the same student with and without it, on the product's own labels.

    python -m benchmarks.pretraining_gain                 # after a build, which leaves rows and corpus

A BERT of `--layers` by `--width` is pretrained from nothing on the corpus (`--sequences` packed rows) and
then trained on the labelled rows; beside it, the same model from random weights is trained on the same
rows in the same order. Three seeds each. The gain is the difference of mean accuracies on the test rows,
with its 95 % paired bootstrap interval over rows.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

from flows.machine import describe_machine
from pipeline.core.params import Params, Schedule, load_params
from pipeline.core.stage import seed_everything
from pipeline.models.encoder import load_classifier, load_tokenizer, save_model
from pipeline.models.pretraining import new_language_model
from pipeline.text.batching import epoch_batches
from pipeline.text.packing import PackedRows, TokenFile, row_batches
from pipeline.training.checkpoint import Checkpoints
from pipeline.training.classification import Classification, predict_logits, tokenize
from pipeline.training.curve import Curve
from pipeline.training.loop import Training, train
from pipeline.training.pretraining import language_model_objective
from pipeline.training.splits import Split, read_split

ROOT = Path(__file__).resolve().parents[1]
_SEEDS = (1, 2, 3)
_RESAMPLES = 2000


def pretrain(
    params: Params, tokenizer: PreTrainedTokenizerBase, folder: Path, *, sequences: int
) -> None:
    """Leave two language models in `folder`: `pretrained`, and `random`, which has learned nothing."""
    settings = params.pretrain.model_copy(update={"start": "random", "learning_rate": 1e-3})
    packed = PackedRows(
        TokenFile(ROOT / "artifacts/prepare/corpus/train.npy"), settings.sequence_length
    )
    rows = min(sequences, packed.count)
    seed_everything(params.compute.seed)
    model = new_language_model(settings, tokenizer)
    save_model(model, tokenizer, folder / "random")
    training = Training(
        task="pretrain",
        schedule=settings,
        compute=params.compute,
        batches=lambda epoch: row_batches(
            rows, batch_size=settings.batch_size, seed=params.compute.seed, epoch=epoch
        ),
        checkpoints=Checkpoints(folder / "checkpoints"),
        curve=Curve(folder / "pretrain.csv"),
    )
    train(model, language_model_objective(packed, settings, tokenizer), training)
    save_model(model, tokenizer, folder / "pretrained")


def right_answers(
    params: Params, start: Path, folder: Path, *, rows: Split, test: Split, schedule: Schedule
) -> NDArray[np.float64]:
    """Train a classifier from `start`; whether each test row is answered rightly, `(rows,)`."""
    seed_everything(params.compute.seed)
    tokenizer = load_tokenizer(start)
    model = load_classifier(start, labels=params.product.labels, dropout=0.1)
    tokens = tokenize(tokenizer, rows.texts, max_length=params.prepare.max_length)
    training = Training(
        task=f"{start.name} seed {params.compute.seed}",
        schedule=schedule,
        compute=params.compute,
        batches=lambda epoch: epoch_batches(
            tokens.lengths,
            batch_size=schedule.batch_size,
            seed=params.compute.seed,
            epoch=epoch,
        ),
        checkpoints=Checkpoints(folder / "checkpoints"),
        curve=Curve(folder / "train.csv"),
    )
    train(model, Classification(tokens, rows.label_ids), training)
    asked = tokenize(tokenizer, test.texts, max_length=params.prepare.max_length)
    logits = predict_logits(model, asked, compute=params.compute, batch_size=64)
    right: NDArray[np.float64] = (logits.argmax(axis=1) == test.label_ids).astype(np.float64)
    return right


def gain_with_interval(
    first: NDArray[np.float64], second: NDArray[np.float64]
) -> tuple[float, tuple[float, float]]:
    """Difference of means in points, and its paired interval over rows; `(seeds, rows)` each."""
    differences = 100 * (first.mean(axis=0) - second.mean(axis=0))
    random = np.random.default_rng(0)
    drawn = [
        differences[random.integers(0, len(differences), len(differences))].mean()
        for _ in range(_RESAMPLES)
    ]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(differences.mean()), (float(low), float(high))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--width", type=int, default=192)
    parser.add_argument("--sequences", type=int, default=60_000)
    parser.add_argument("--epochs", type=int, default=4, help="on the labelled rows")
    options = parser.parse_args()
    params = load_params(ROOT / "params.yaml")
    shape = {
        "layers": options.layers,
        "hidden_size": options.width,
        "heads": options.width // 32,
        "feed_forward_size": 4 * options.width,
        "batch_size": 32,
    }
    params = params.model_copy(update={"pretrain": params.pretrain.model_copy(update=shape)})
    schedule = Schedule(
        epochs=options.epochs,
        batch_size=32,
        accumulation=1,
        learning_rate=5e-4,
        warmup_share=0.1,
        weight_decay=0.01,
    )
    records = ROOT / "artifacts/prepare/records.parquet"
    rows, test = read_split(records, "train"), read_split(records, "test")
    found: dict[str, NDArray[np.float64]] = {}
    with tempfile.TemporaryDirectory(prefix="gain-") as name:
        folder = Path(name)
        started = time.perf_counter()
        tokenizer = load_tokenizer(ROOT / "artifacts/prepare/student_tokenizer")
        pretrain(params, tokenizer, folder, sequences=options.sequences)
        seconds = time.perf_counter() - started
        for start in ("random", "pretrained"):
            answers = []
            for seed in _SEEDS:
                seeded = params.compute.model_copy(update={"seed": seed})
                answers.append(
                    right_answers(
                        params.model_copy(update={"compute": seeded}),
                        folder / start,
                        folder,
                        rows=rows,
                        test=test,
                        schedule=schedule,
                    )
                )
                print(f"{start}  seed {seed}  test accuracy {answers[-1].mean():.4f}", flush=True)
            found[start] = np.stack(answers)
    gain, interval = gain_with_interval(found["pretrained"], found["random"])
    print(
        json.dumps(
            {
                "benchmark": "pretraining_gain",
                "machine": describe_machine(),
                "ratios": {},
                "figures": {
                    "gain_points": gain,
                    "interval": interval,
                    "accuracy": {k: v.mean(axis=1).tolist() for k, v in found.items()},
                    "pretraining_seconds": seconds,
                    "sequences": options.sequences,
                },
            }
        )
    )


if __name__ == "__main__":
    main()
