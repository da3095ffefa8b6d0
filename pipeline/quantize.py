"""quantize: every exported model in int8, with proof that it happened, and what it changes.

Reads   artifacts/export/{teacher,student,pruned,language_model}/, artifacts/prepare/records.parquet
Writes  artifacts/quantize/{teacher/, student/, pruned/, language_model/, certificate.json,
        metrics.json}
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict
from fnmatch import fnmatchcase
from pathlib import Path

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
from pipeline.compression.sensitivity import Sensitivity, quantize_within, sensitivities
from pipeline.core.artifacts.certificates import (
    BitsPerToken,
    LanguageModelInt8,
    OperatorCertificate,
    OperatorSensitivity,
    QuantizeCertificates,
)
from pipeline.core.errors import ArtifactError, ParameterError
from pipeline.core.files import sha256_file
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
from pipeline.metrics.quality import agreement
from pipeline.problem.decision import Decision
from pipeline.problem.probabilities import Scores
from pipeline.problem.problem import Problem
from pipeline.problem.problems import problem_named
from pipeline.runtime.language_model import LanguageModel
from pipeline.runtime.task import Request, Task, requests_of
from pipeline.runtime.text_model import TextModel
from pipeline.training.labelled_rows import read_split

_COMPARED_TEXTS = 400
_COSTED_TEXTS = 60
_MOST_BITS_CHANGE = 0.05
"""Largest share by which int8 may change the language model's bits a token."""


def run(params: Params, paths: Paths) -> Metrics:
    """Quantize each model, inspect the graph, compare its answers."""
    validation = read_split(paths.read("prepare", "records.parquet"), "validation")
    requests = requests_of(validation.texts, validation.seconds)[:_COMPARED_TEXTS]
    certificates = {}
    for model in MODELS:
        source, target = paths.read("export", model), paths.out / model
        certificates[model] = _quantize(source, target, requests=requests, params=params)
        say(f"quantize  {model}: {_summary(certificates[model])}")
    texts = validation.texts[:_COSTED_TEXTS]
    language_model = _quantize_language_model(texts, params=params, paths=paths)
    every = (*certificates.values(), language_model)
    kept = [name for certificate in every for name in certificate.float_operators]
    _require_used(params.quantize.float_operators, kept)
    QuantizeCertificates(models=certificates, language_model=language_model).write(paths)
    return {
        "bytes": {model: found.bytes for model, found in certificates.items()},
        "zipped_bytes": {model: found.zipped_bytes for model, found in certificates.items()},
        "label_agreement": {model: found.label_agreement for model, found in certificates.items()},
        "headline": f"student {_summary(certificates['student'])}",
    }


def _quantize(
    source: Path, target: Path, *, requests: Sequence[Request], params: Params
) -> OperatorCertificate:
    """Write one model's folder and return its certificate."""
    target.mkdir(parents=True, exist_ok=True)
    tokenizer = target / TOKENIZER_FILE
    shutil.copyfile(source / TOKENIZER_FILE, tokenizer)

    def answer(model: Path) -> Scores:
        return _scores(model, tokenizer, requests, params=params)

    def agree(first: Scores, second: Scores) -> float:
        return _agreement(problem_named(params.product.problem), first, second)

    before, after = source / MODEL_FILE, target / MODEL_FILE
    float32 = answer(before)
    ranked = _ranked(before, answer, float32, params=params)
    kept, int8 = quantize_within(
        before,
        after,
        answer=answer,
        agree=agree,
        float32=float32,
        params=params.quantize,
        ranked=ranked,
    )
    old, new = inspect(before), inspect(after, kept)
    require_quantized(target.name, old, new, params=params.quantize)
    return OperatorCertificate(
        passed=True,
        **asdict(new),
        bytes_before=old.bytes,
        zipped_bytes=zipped_bytes(after),
        compared_texts=len(requests),
        label_agreement=agree(float32, int8),
        largest_probability_difference=float(np.max(np.abs(float32 - int8))),
        sensitivity=None if ranked is None else [_sensitivity(one) for one in ranked],
        made_from=sha256_file(before),
        sha256=sha256_file(after),
    )


def _ranked(
    model: Path, answer: Callable[[Path], Scores], float32: Scores, *, params: Params
) -> list[Sensitivity] | None:
    """Effect of quantizing each operator alone; None for the teacher, where it takes minutes."""
    if Variant(model.parent.name, TORCH).name == TEACHER:
        return None
    return sensitivities(model, answer, float32, params=params.quantize)


def _sensitivity(found: Sensitivity) -> OperatorSensitivity:
    operator = found.operator
    return OperatorSensitivity(operator=operator.name, change=found.change, bytes=operator.bytes)


def _require_used(patterns: Sequence[str], kept: Sequence[str]) -> None:
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in kept):
            raise ParameterError(
                f"quantize.float_operators: {pattern!r} fits no operator of any model",
                expected="names of operators, as `sensitivity` in artifacts/quantize/certificate.json has them",
                next_step="correct it in params.yaml",
            )


def _agreement(problem: Problem, first: Scores, second: Scores) -> float:
    """Agreement of the answers that both scores give without thresholds."""
    usual = Decision()
    return agreement(problem, problem.answers(first, usual), problem.answers(second, usual))


def _quantize_language_model(
    texts: Sequence[str], *, params: Params, paths: Paths
) -> LanguageModelInt8:
    """Write the language model in int8, for the bundle, and return its certificate.

    Raises:
        ArtifactError: int8 changes its bits a token by more than it may.
    """
    source, target = paths.read("export", LANGUAGE_MODEL), paths.out / LANGUAGE_MODEL
    target.mkdir(parents=True, exist_ok=True)
    exported, quantized = source / MODEL_FILE, target / MODEL_FILE
    with folded(exported) as ready:
        operators = quantizable(ready, params=params.quantize)
    kept = named(operators, params.quantize.float_operators)
    quantize_int8(exported, quantized, params=params.quantize, float_operators=kept)
    shutil.copyfile(source / TOKENIZER_FILE, target / TOKENIZER_FILE)
    before, after = inspect(exported), inspect(quantized, kept)
    require_quantized(target.name, before, after, params=params.quantize)
    fp32, int8 = (_bits_a_token(folder, texts, params=params) for folder in (source, target))
    _require_close(fp32, int8)
    return LanguageModelInt8(
        passed=True,
        **asdict(after),
        bytes_before=before.bytes,
        compared_texts=len(texts),
        bits_a_token=BitsPerToken(fp32=fp32, int8=int8),
        made_from=sha256_file(exported),
        sha256=sha256_file(quantized),
    )


def _require_close(fp32: float, int8: float) -> None:
    say(f"quantize  language model: {fp32:.3f} → {int8:.3f} bits a token")
    if abs(int8 / fp32 - 1) > _MOST_BITS_CHANGE:
        raise ArtifactError(
            f"the language model in int8: {int8:.3f} bits a token, {fp32:.3f} in float32",
            expected=f"a change of at most {_MOST_BITS_CHANGE:.0%}",
            next_step="keep operators in float32 with quantize.float_operators",
        )


def _bits_a_token(folder: Path, texts: Sequence[str], *, params: Params) -> float:
    """Mean bits of a token of the texts, as the runtime counts them."""
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
    task = Task.from_settings(params.product, params.prepare)
    runtime = TextModel(model, tokenizer, task=task, threads=1)
    return np.stack(list(runtime.scores_of_each(requests, workers=params.compute.threads)))


def _summary(certificate: OperatorCertificate) -> str:
    return (
        f"{certificate.bytes_before / 1e6:.1f} → {certificate.bytes / 1e6:.1f} MB, "
        f"{certificate.label_agreement:.1%} agreement"
    )


if __name__ == "__main__":
    run_stage("quantize", run)
