"""What our pretraining is worth: the same student with and without it, on the product's own labels.

    python -m benchmarks.pretraining_gain                 # after a build, which leaves rows and corpus
    python -m benchmarks.pretraining_gain --model bilm

A small student is pretrained from nothing on the corpus and then trained on the labelled rows; beside it,
the same model from random weights is trained on the same rows in the same order. Three seeds each. The
gain is the difference of mean accuracies on the test rows, with its 95 % paired bootstrap interval over
rows; the accuracies on validation rows stand beside it, for whoever changes a recipe. `bert` is a masked
language model of 2 layers, 192 wide, with no dropout but its classifier's; `bilm` is profile `bilm`'s ELMo, with this tokenizer.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

from benchmarks.support.pretraining_runs import load_profile
from flows.planning.machine import describe_machine
from pipeline.core.params import Compute, OptimisationParams, Params, PretrainParams, load_params
from pipeline.core.stage import seed_everything
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
from pipeline.training.predict import predict_logits
from pipeline.training.resume import Checkpoints
from pipeline.training.token_rows import tokenize

ROOT = Path(__file__).resolve().parents[1]
_SEEDS = (1, 2, 3)
_RESAMPLES = 2000


@dataclass(frozen=True)
class Student:
    """A language model's shape and pretraining, and its training on the labelled rows."""

    pretraining: PretrainParams
    optimisation: OptimisationParams


def bert_student(root: Path) -> Student:
    """2 layers, 192 wide."""
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
    settings = load_params(root / "params.yaml").pretrain.model_copy(update=changed)
    return Student(settings, _optimisation(settings, learning_rate=5e-4))


def bilm_student(root: Path) -> Student:
    """Profile `bilm`'s."""
    params = load_profile(root, "bilm")
    rate = params.distill.learning_rate
    return Student(params.pretrain, _optimisation(params.pretrain, learning_rate=rate))


STUDENTS = {"bert": bert_student, "bilm": bilm_student}


def _optimisation(settings: PretrainParams, *, learning_rate: float) -> OptimisationParams:
    kept = {name: getattr(settings, name) for name in OptimisationParams.model_fields}
    return OptimisationParams(**kept | {"learning_rate": learning_rate, "batch_size": 32})


def pretrain(
    settings: PretrainParams,
    compute: Compute,
    tokenizer: PreTrainedTokenizerBase,
    folder: Path,
    *,
    tokens: int | None,
) -> None:
    """Leave two language models in `folder`: `pretrained`, and `random`, which has learned nothing.

    Args:
        tokens: of the corpus that are read in each epoch; None reads them all.
    """
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
    params: Params,
    start: Path,
    folder: Path,
    *,
    rows: Split,
    asked: Sequence[Split],
    optimisation: OptimisationParams,
) -> list[NDArray[np.float64]]:
    """Train a classifier from `start`; whether each row of each split is answered rightly, `(rows,)`."""
    seed_everything(params.compute.seed)
    tokenizer = load_tokenizer(start)
    model = load_classifier(start, labels=params.product.labels, dropout=0.1)
    tokens = tokenize(tokenizer, rows.texts, max_length=params.prepare.max_length)
    training = Training(
        task=f"{start.name} seed {params.compute.seed}",
        optimisation=optimisation,
        compute=params.compute,
        batches=partial(epoch_batches, tokens.lengths),
        checkpoints=Checkpoints(folder / "checkpoints"),
        curve=Curve(folder / "train.csv"),
    )
    train(model, label_objective(tokens, rows.label_ids), training)
    found = []
    for split in asked:
        read = tokenize(tokenizer, split.texts, max_length=params.prepare.max_length)
        logits = predict_logits(model, read, compute=params.compute, batch_size=64)
        found.append((logits.argmax(axis=1) == split.label_ids).astype(np.float64))
    return found


def gain_with_interval(
    first: NDArray[np.float64], second: NDArray[np.float64]
) -> tuple[float, tuple[float, float]]:
    """Difference of means in points, and its paired interval over rows; `(seeds, rows)` each."""
    found = paired_difference(
        first.mean(axis=0), second.mean(axis=0), confidence=0.95, resamples=_RESAMPLES, seed=0
    )
    return 100 * found.value, (100 * found.low, 100 * found.high)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=sorted(STUDENTS), default="bert")
    parser.add_argument(
        "--tokens", type=int, help="of the corpus; all of them where it is left out"
    )
    parser.add_argument("--passes", type=int, default=1, help="over them, while pretraining")
    parser.add_argument("--epochs", type=int, default=4, help="on the labelled rows")
    options = parser.parse_args()
    params = load_params(ROOT / "params.yaml")
    student = STUDENTS[options.model](ROOT)
    settings = student.pretraining.model_copy(update={"epochs": options.passes})
    optimisation = student.optimisation.model_copy(update={"epochs": options.epochs})
    records = ROOT / "artifacts/prepare/records.parquet"
    rows, validation, test = (read_split(records, name) for name in ("train", "validation", "test"))
    right: dict[str, NDArray[np.float64]] = {}
    accuracy: dict[str, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory(prefix="gain-") as name:
        folder = Path(name)
        started = time.perf_counter()
        tokenizer = load_tokenizer(ROOT / "artifacts/prepare/student_tokenizer")
        pretrain(settings, params.compute, tokenizer, folder, tokens=options.tokens)
        seconds = time.perf_counter() - started
        for start in ("random", "pretrained"):
            answers = []
            for seed in _SEEDS:
                seeded = params.model_copy(
                    update={"compute": params.compute.model_copy(update={"seed": seed})}
                )
                answers.append(
                    right_answers(
                        seeded,
                        folder / start,
                        folder,
                        rows=rows,
                        asked=(validation, test),
                        optimisation=optimisation,
                    )
                )
                shown = "  ".join(
                    f"{split} accuracy {found.mean():.4f}"
                    for split, found in zip(("validation", "test"), answers[-1], strict=True)
                )
                print(f"{start}  seed {seed}  {shown}", flush=True)
            on_validation, on_test = zip(*answers, strict=True)
            right[start] = np.stack(on_test)
            accuracy[start] = {
                "validation": [float(found.mean()) for found in on_validation],
                "test": [float(found.mean()) for found in on_test],
            }
    gain, interval = gain_with_interval(right["pretrained"], right["random"])
    print(
        json.dumps(
            {
                "benchmark": "pretraining_gain",
                "machine": describe_machine(),
                "ratios": {},
                "figures": {
                    "model": options.model,
                    "gain_points": gain,
                    "interval": interval,
                    "accuracy": accuracy,
                    "pretraining_seconds": seconds,
                    "passes": options.passes,
                },
            }
        )
    )


if __name__ == "__main__":
    main()
