"""evaluate: quality of every variant on the same validation rows: figures that any machine repeats.

Test rows are scored here for the baselines and the teacher alone; the gate scores the chosen model.
ONNX variants run through the runtime that serves them, one text at a time.

Reads   artifacts/{finetune,distill,prune}/model/, artifacts/{export,quantize}/*/,
        artifacts/baseline/predictions.parquet, artifacts/prepare/records.parquet
Writes  artifacts/evaluate/{variants.json, predictions.parquet, confusion.csv, plots/, metrics.json}
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.core.files import write_json
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.progress import say, track
from pipeline.core.stage import Metrics, run_stage
from pipeline.core.variants import (
    BASELINES,
    NAIVE_BAYES,
    TEACHER,
    TOKENIZER_FILE,
    Variant,
    all_variants,
)
from pipeline.metrics.comparison import describe_variant, difference_interval
from pipeline.metrics.plots import plot_evaluation
from pipeline.metrics.predictions import Answers, read_baselines, write_answers
from pipeline.metrics.slices import slice_masks
from pipeline.models.encoder import load_classifier, load_tokenizer, parameter_count
from pipeline.runtime.classifier import Classifier, softmax
from pipeline.training.classification import predict_logits, tokenize
from pipeline.training.splits import Split, read_split

_BATCH_SIZE = 64
_SHOWN = (TEACHER, "student-int8")


def run(params: Params, paths: Paths) -> Metrics:
    """Answer, compare, draw."""
    records = paths.read("prepare", "records.parquet")
    splits = {name: read_split(records, name) for name in ("validation", "test")}
    answers = read_baselines(
        paths.read("baseline", "predictions.parquet"),
        {name: split.ids for name, split in splits.items()},
        {name: split.label_ids for name, split in splits.items()},
    )
    for variant in all_variants():
        for name in ("validation", "test") if variant.name == TEACHER else ("validation",):
            answers.append(_answer(variant, name, splits[name], params=params, paths=paths))
    entries = _compare(answers, splits["validation"], params=params, paths=paths)
    write_json(paths.out / "variants.json", {"variants": entries})
    write_answers(paths.out / "predictions.parquet", answers)
    shown = [a for name in _SHOWN for a in answers if (a.variant, a.split) == (name, "validation")]
    plot_evaluation(paths.out, entries, shown, labels=params.product.labels)
    metric = params.product.requirements.quality_metric
    figures = {entry["name"]: entry["quality"]["validation"][metric] for entry in entries}
    gain = _gain_over_baseline(answers, metric, params)
    headline = "  ".join(f"{name} {figures[name]:.3f}" for name in _SHOWN)
    return {
        "validation": figures,
        "quality_metric": metric,
        "teacher_over_baseline": gain,
        "headline": f"{metric}: {headline}",
    }


def _gain_over_baseline(
    answers: list[Answers], metric: str, params: Params
) -> dict[str, dict[str, Any]]:
    """By split: what the teacher gains over NB-LR, the strongest baseline, with its paired interval."""
    found = {(a.variant, a.split): a for a in answers}
    gains = {}
    for split in ("validation", "test"):
        gain = difference_interval(
            found[TEACHER, split],
            found[NAIVE_BAYES, split],
            metric=metric,
            options=params.evaluate,
            seed=params.compute.seed,
        )
        low, high = gain.as_list()
        say(f"evaluate  teacher over NB-LR on {split}: {gain.value:+.3f} [{low:+.3f}, {high:+.3f}]")
        gains[split] = {"value": gain.value, "interval": [low, high]}
    return gains


def _answer(variant: Variant, name: str, split: Split, *, params: Params, paths: Paths) -> Answers:
    """One variant on one split."""
    predict = _predict_onnx if variant.is_onnx else _predict_torch
    probabilities = predict(variant, split.texts, params=params, paths=paths)
    return Answers(variant.name, name, split.ids, split.label_ids, probabilities)


def _predict_onnx(
    variant: Variant, texts: list[str], *, params: Params, paths: Paths
) -> NDArray[np.float64]:
    # One thread: sums in another order would make the figures depend on the machine.
    classifier = Classifier(
        variant.file(paths),
        variant.folder(paths) / TOKENIZER_FILE,
        labels=params.product.labels,
        max_length=params.prepare.max_length,
        threads=1,
    )
    rows = classifier.probabilities_of_each(texts, workers=params.compute.threads)
    return np.stack(list(track(rows, f"evaluate {variant.name}", len(texts))))


def _predict_torch(
    variant: Variant, texts: list[str], *, params: Params, paths: Paths
) -> NDArray[np.float64]:
    folder = variant.folder(paths)
    rows = tokenize(load_tokenizer(folder), texts, max_length=params.prepare.max_length)
    logits = predict_logits(
        load_classifier(folder, labels=params.product.labels),
        rows,
        compute=params.compute.model_copy(update={"precision": "float32", "device": "cpu"}),
        batch_size=_BATCH_SIZE,
        task=f"evaluate {variant.name}",
    )
    return softmax(logits)


def _compare(
    answers: list[Answers], validation: Split, *, params: Params, paths: Paths
) -> list[dict[str, Any]]:
    """The entry of each variant and baseline in variants.json."""
    by_variant: dict[str, dict[str, Answers]] = {}
    for entry in answers:
        by_variant.setdefault(entry.variant, {})[entry.split] = entry
    masks = slice_masks(validation.texts, validation.label_ids, labels=params.product.labels)
    sizes: dict[str, dict[str, int | None]] = {
        name: {"size_bytes": None, "parameters": None} for name in BASELINES
    }
    sizes |= {
        variant.name: _size(variant, params=params, paths=paths) for variant in all_variants()
    }
    return [
        {"name": name, **sizes[name]}
        | describe_variant(
            by_split,
            by_variant[TEACHER]["validation"],
            masks,
            metric=params.product.requirements.quality_metric,
            options=params.evaluate,
            seed=params.compute.seed,
        )
        for name, by_split in by_variant.items()
    ]


def _size(variant: Variant, *, params: Params, paths: Paths) -> dict[str, int | None]:
    """Bytes of the file with the weights, and parameters of the model it came from."""
    torch_folder = Variant(variant.model, "torch").folder(paths)
    model = load_classifier(torch_folder, labels=params.product.labels)
    return {
        "size_bytes": variant.file(paths).stat().st_size,
        "parameters": parameter_count(model),
    }


if __name__ == "__main__":
    run_stage("evaluate", run)
