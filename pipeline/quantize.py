"""quantize: every exported model in int8, with proof that it happened, of what it cost, and where.

Reads   artifacts/export/{teacher,student,pruned,language_model}/, artifacts/prepare/records.parquet
Writes  artifacts/quantize/{teacher/, student/, pruned/, language_model/, certificate.json, metrics.json}
"""

import shutil
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.compression.int8 import (
    folded,
    inspect,
    named,
    quantizable,
    quantize_int8,
    require_quantized,
    zipped_bytes,
)
from pipeline.compression.sensitivity import quantize_within, sensitivities
from pipeline.core.decision import Decision
from pipeline.core.errors import ArtifactError, ParameterError
from pipeline.core.files import sha256_file, write_json
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.progress import say
from pipeline.core.stage import Metrics, run_stage
from pipeline.core.variants import (
    LANGUAGE_MODEL,
    MODEL_FILE,
    MODELS,
    TEACHER,
    TOKENIZER_FILE,
    TORCH,
    Variant,
)
from pipeline.metrics.quality import Scores, agreement
from pipeline.runtime.language_model import LanguageModel
from pipeline.runtime.task import Request, Task, requests_of
from pipeline.runtime.text_model import TextModel
from pipeline.training.labelled_rows import read_split

_COMPARED_TEXTS = 400
_COSTED_TEXTS = 60
_MOST_BITS_CHANGE = 0.05
"""Share by which int8 may change what the language model says of texts."""


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
    language_model = _quantize_language_model(
        validation.texts[:_COSTED_TEXTS], params=params, paths=paths
    )
    _require_used(
        params.quantize.float_operators,
        [
            name
            for entry in (*certificate.values(), language_model)
            for name in entry["float_operators"]
        ],
    )
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
    tokenizer = target / TOKENIZER_FILE
    shutil.copyfile(source / TOKENIZER_FILE, tokenizer)

    def answer(model: Path) -> Scores:
        return _scores(model, tokenizer, requests, params=params)

    def agree(first: Scores, second: Scores) -> float:
        return _agreement(params.product.problem, first, second)

    before = source / MODEL_FILE
    float32 = answer(before)
    # Of the teacher they would take minutes: it is there to be learned from.
    ranked = (
        sensitivities(before, answer, float32, params=params.quantize)
        if Variant(source.name, TORCH).name != TEACHER
        else None
    )
    kept, int8 = quantize_within(
        before,
        target / MODEL_FILE,
        answer,
        agree,
        float32=float32,
        params=params.quantize,
        ranked=ranked,
    )
    old, new = inspect(before), inspect(target / MODEL_FILE, kept)
    require_quantized(target.name, old, new, params=params.quantize)
    return {
        "passed": True,
        **new.as_dict(),
        "bytes_before": old.bytes,
        "zipped_bytes": zipped_bytes(target / MODEL_FILE),
        "compared_texts": len(requests),
        "label_agreement": agree(float32, int8),
        "largest_probability_difference": float(np.max(np.abs(float32 - int8))),
        "sensitivity": None if ranked is None else [one.as_dict() for one in ranked],
        **_files(before, target / MODEL_FILE),
    }


def _require_used(patterns: Sequence[str], kept: Sequence[str]) -> None:
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in kept):
            raise ParameterError(
                f"quantize.float_operators: {pattern!r} fits no operator of any model",
                expected="names of operators, as `sensitivity` in artifacts/quantize/certificate.json has them",
                next_step="correct it in params.yaml",
            )


def _agreement(problem: str, first: Scores, second: Scores) -> float:
    """Of the answers by the usual rule; see `pipeline.metrics.quality.agreement`."""
    usual = Decision()
    return agreement(problem, usual.answers(problem, first), usual.answers(problem, second))


def _files(before: Path, after: Path) -> dict[str, str]:
    """What the certificate is of: the int8 model, and the export that it was made from."""
    return {"made_from": sha256_file(before), "sha256": sha256_file(after)}


def _quantize_language_model(
    texts: Sequence[str], *, params: Params, paths: Paths
) -> dict[str, Any]:
    """The language model in int8: it goes into the bundle beside the classifier.

    Raises:
        ArtifactError: int8 makes texts dearer, or cheaper, by more than it may.
    """
    source, target = paths.read("export", LANGUAGE_MODEL), paths.out / LANGUAGE_MODEL
    target.mkdir(parents=True, exist_ok=True)
    with folded(source / MODEL_FILE) as ready:
        operators = quantizable(ready, params=params.quantize)
    kept = named(operators, params.quantize.float_operators)
    quantize_int8(
        source / MODEL_FILE, target / MODEL_FILE, params=params.quantize, float_operators=kept
    )
    shutil.copyfile(source / TOKENIZER_FILE, target / TOKENIZER_FILE)
    before, after = inspect(source / MODEL_FILE), inspect(target / MODEL_FILE, kept)
    require_quantized(target.name, before, after, params=params.quantize)
    bits = [_bits_a_token(folder, texts, params=params) for folder in (source, target)]
    say(f"quantize  language model: {bits[0]:.3f} → {bits[1]:.3f} bits a token")
    if abs(bits[1] / bits[0] - 1) > _MOST_BITS_CHANGE:
        raise ArtifactError(
            f"the language model in int8: {bits[1]:.3f} bits a token, {bits[0]:.3f} in float32",
            expected=f"a change of at most {_MOST_BITS_CHANGE:.0%}",
            next_step="keep operators in float32 with quantize.float_operators",
        )
    return {
        "passed": True,
        **after.as_dict(),
        "bytes_before": before.bytes,
        "compared_texts": len(texts),
        "bits_a_token": {"fp32": bits[0], "int8": bits[1]},
        **_files(source / MODEL_FILE, target / MODEL_FILE),
    }


def _bits_a_token(folder: Path, texts: Sequence[str], *, params: Params) -> float:
    """What the runtime says that the texts cost, their ends included where the model has them."""
    model = LanguageModel(
        folder / MODEL_FILE,
        folder / TOKENIZER_FILE,
        max_length=params.prepare.max_length,
        threads=params.compute.threads,
    )
    costs = [model.cost(text) for text in texts]
    return sum(cost.bits for cost in costs) / sum(len(cost.tokens) for cost in costs)


def _scores(model: Path, tokenizer: Path, requests: Sequence[Request], *, params: Params) -> Scores:
    """Answers one at a time: in a batch, dynamic int8 makes them depend on each other."""
    task = Task.asked(params.product, params.prepare)
    runtime = TextModel(model, tokenizer, task=task, threads=1)
    return np.stack(list(runtime.scores_of_each(requests, workers=params.compute.threads)))


def _summary(entry: dict[str, Any]) -> str:
    return (
        f"{entry['bytes_before'] / 1e6:.1f} → {entry['bytes'] / 1e6:.1f} MB, "
        f"{entry['label_agreement']:.1%} agreement"
    )


if __name__ == "__main__":
    run_stage("quantize", run)
