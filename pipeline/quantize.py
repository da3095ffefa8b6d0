"""quantize: every exported model in int8, with proof that it happened and of what it cost.

Reads   artifacts/export/{teacher,student,pruned,language_model}/, artifacts/prepare/records.parquet
Writes  artifacts/quantize/{teacher/, student/, pruned/, language_model/, certificate.json, metrics.json}
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.compression.int8 import inspect, quantize_int8, require_quantized, zipped_bytes
from pipeline.core.decision import Decision
from pipeline.core.files import write_json
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.progress import say
from pipeline.core.stage import Metrics, run_stage
from pipeline.core.variants import LANGUAGE_MODEL, MODEL_FILE, MODELS, TOKENIZER_FILE
from pipeline.metrics.quality import Scores, agreement
from pipeline.runtime.task import Request, Task, requests_of
from pipeline.runtime.text_model import TextModel
from pipeline.training.splits import read_split

_COMPARED_TEXTS = 400


def run(params: Params, paths: Paths) -> Metrics:
    """Quantize each model, inspect the graph, compare its answers."""
    records = paths.read("prepare", "records.parquet")
    validation = read_split(records, "validation")
    requests = requests_of(validation.texts, validation.seconds)[:_COMPARED_TEXTS]
    certificate = {}
    for model in MODELS:
        source, target = paths.read("export", model), paths.out / model
        certificate[model] = entry = _quantize(source, target, requests=requests, params=params)
        say(f"quantize  {model}: {_summary(entry)}")
    language_model = _quantize_language_model(params=params, paths=paths)
    write_json(
        paths.out / "certificate.json",
        {"models": certificate, LANGUAGE_MODEL: language_model},
    )
    return {
        "bytes": {model: entry["bytes"] for model, entry in certificate.items()},
        "zipped_bytes": {model: entry["zipped_bytes"] for model, entry in certificate.items()},
        "label_agreement": {model: e["label_agreement"] for model, e in certificate.items()},
        "headline": f"student {_summary(certificate['student'])}",
    }


def _quantize(
    source: Path, target: Path, *, requests: Sequence[Request], params: Params
) -> dict[str, Any]:
    """Write one model's folder and return its certificate."""
    target.mkdir(parents=True, exist_ok=True)
    quantize_int8(source / MODEL_FILE, target / MODEL_FILE, params=params.quantize)
    shutil.copyfile(source / TOKENIZER_FILE, target / TOKENIZER_FILE)
    before, after = inspect(source / MODEL_FILE), inspect(target / MODEL_FILE)
    require_quantized(target.name, before, after, params=params.quantize)
    float32 = _scores(source, requests, params=params)
    int8 = _scores(target, requests, params=params)
    return {
        "passed": True,
        **after.as_dict(),
        "bytes_before": before.bytes,
        "zipped_bytes": zipped_bytes(target / MODEL_FILE),
        "compared_texts": len(requests),
        "label_agreement": _agreement(params.product.problem, float32, int8),
        "largest_probability_difference": float(np.max(np.abs(float32 - int8))),
    }


def _agreement(problem: str, first: Scores, second: Scores) -> float:
    """Of the answers by the usual rule; see `pipeline.metrics.quality.agreement`."""
    usual = Decision()
    return agreement(problem, usual.answers(problem, first), usual.answers(problem, second))


def _quantize_language_model(*, params: Params, paths: Paths) -> dict[str, Any]:
    """The language model in int8: it goes into the bundle beside the classifier."""
    source, target = paths.read("export", LANGUAGE_MODEL), paths.out / LANGUAGE_MODEL
    target.mkdir(parents=True, exist_ok=True)
    quantize_int8(source / MODEL_FILE, target / MODEL_FILE, params=params.quantize)
    shutil.copyfile(source / TOKENIZER_FILE, target / TOKENIZER_FILE)
    before, after = inspect(source / MODEL_FILE), inspect(target / MODEL_FILE)
    require_quantized(target.name, before, after, params=params.quantize)
    return {"passed": True, **after.as_dict(), "bytes_before": before.bytes}


def _scores(folder: Path, requests: Sequence[Request], *, params: Params) -> Scores:
    """Answers one at a time: in a batch, dynamic int8 makes them depend on each other."""
    task = Task.asked(params.product, params.prepare)
    model = TextModel.in_folder(folder, task=task, threads=1)
    return np.stack(list(model.scores_of_each(requests, workers=params.compute.threads)))


def _summary(entry: dict[str, Any]) -> str:
    return (
        f"{entry['bytes_before'] / 1e6:.1f} → {entry['bytes'] / 1e6:.1f} MB, "
        f"{entry['label_agreement']:.1%} agreement"
    )


if __name__ == "__main__":
    run_stage("quantize", run)
