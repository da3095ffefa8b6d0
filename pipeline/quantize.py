"""quantize: every exported model in int8, with proof that it happened, and what it changes.

Reads   artifacts/export/{teacher,student,pruned,language_model}/, artifacts/prepare/records.parquet
Writes  artifacts/quantize/{teacher/, student/, pruned/, language_model/, certificate.json,
        metrics.json}
"""

import shutil
from collections.abc import Sequence
from dataclasses import asdict
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np

from pipeline.compression import int8
from pipeline.compression.sensitivity import Sensitivity, quantize_within, sensitivities
from pipeline.core.artifacts import certificates as certified
from pipeline.core.artifacts.adoption import Adoption
from pipeline.core.errors import ArtifactError, ParameterError
from pipeline.core.files import sha256_file
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.progress import say
from pipeline.core.stage import Metrics, run_stage
from pipeline.core.variants import LANGUAGE_MODEL, MODEL_FILE, TOKENIZER_FILE, models_in
from pipeline.metrics.quality import agreement
from pipeline.problem.decision import Decision
from pipeline.problem.probabilities import Scores
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
    for model in models_in(paths):
        source, target = paths.read("export", model), paths.out / model
        certificates[model] = _quantize(source, target, requests=requests, params=params)
        say(f"quantize  {model}: {_summary(certificates[model])}")
    texts = validation.texts[:_COSTED_TEXTS]
    language_model = None
    if Adoption.found(paths) is None:
        language_model = _quantize_language_model(texts, params=params, paths=paths)
    every = [*certificates.values(), *([] if language_model is None else [language_model])]
    kept = [name for certificate in every for name in certificate.float_operators]
    _require_used(params.quantize.float_operators, kept)
    certified.QuantizeCertificates(models=certificates, language_model=language_model).write(paths)
    shown = "student" if "student" in certificates else "teacher"
    return {
        "bytes": {model: found.bytes for model, found in certificates.items()},
        "zipped_bytes": {model: found.zipped_bytes for model, found in certificates.items()},
        "label_agreement": {model: found.label_agreement for model, found in certificates.items()},
        "headline": f"{shown} {_summary(certificates[shown])}",
    }


def _quantize(
    source: Path, target: Path, *, requests: Sequence[Request], params: Params
) -> certified.OperatorCertificate:
    """Write one model's folder and return its certificate."""
    problem = problem_named(params.product.problem)
    task = Task.from_settings(params.product, params.prepare)
    tokenizer = _copy_tokenizer(source, target)

    def answer(model: Path) -> Scores:
        # One at a time: in a batch, dynamic int8 makes answers depend on each other.
        runtime = TextModel(model, tokenizer, task=task, threads=1)
        return np.stack(list(runtime.scores_of_each(requests, workers=params.compute.threads)))

    def agree(first: Scores, second: Scores) -> float:
        return agreement(problem, *(problem.answers(s, Decision()) for s in (first, second)))

    before, settings = source / MODEL_FILE, params.quantize
    float32, ranked = answer(before), None
    if target.name != "teacher":  # for the teacher it would take minutes
        ranked = sensitivities(before, answer, float32, params=settings)
    kept, quantized = quantize_within(
        before,
        target / MODEL_FILE,
        answer=answer,
        agree=agree,
        float32=float32,
        params=settings,
        ranked=ranked,
    )
    return certified.OperatorCertificate(
        **dict(_structure(source, target, kept=kept, texts=len(requests), params=params)),
        zipped_bytes=int8.zipped_bytes(target / MODEL_FILE),
        label_agreement=agree(float32, quantized),
        largest_probability_difference=float(np.max(np.abs(float32 - quantized))),
        sensitivity=None if ranked is None else [_sensitivity(found) for found in ranked],
    )


def _sensitivity(found: Sensitivity) -> certified.OperatorSensitivity:
    name, size = found.operator.name, found.operator.bytes
    return certified.OperatorSensitivity(operator=name, change=found.change, bytes=size)


def _copy_tokenizer(source: Path, target: Path) -> Path:
    target.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copyfile(source / TOKENIZER_FILE, target / TOKENIZER_FILE))


def _structure(
    source: Path, target: Path, *, kept: Sequence[int8.Operator], texts: int, params: Params
) -> certified.Int8Structure:
    """Proof that the model in `target` is that in `source` with all but `kept` in int8."""
    exported, quantized = source / MODEL_FILE, target / MODEL_FILE
    before, after = int8.inspect(exported), int8.inspect(quantized, kept)
    int8.require_quantized(target.name, before, after, params=params.quantize)
    return certified.Int8Structure(
        passed=True,
        **asdict(after),
        bytes_before=before.bytes,
        compared_texts=texts,
        made_from=sha256_file(exported),
        sha256=sha256_file(quantized),
    )


def _require_used(patterns: Sequence[str], kept: Sequence[str]) -> None:
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in kept):
            raise ParameterError(
                f"quantize.float_operators: {pattern!r} fits no operator of any model",
                expected="names of operators, as `sensitivity` in artifacts/quantize/certificate.json has them",
                next_step="correct it in params.yaml or the product file",
            )


def _quantize_language_model(
    texts: Sequence[str], *, params: Params, paths: Paths
) -> certified.LanguageModelInt8:
    """Write the language model in int8, for the bundle, and return its certificate.

    Raises:
        ArtifactError: int8 changes its bits a token by more than it may.
    """
    source, target = paths.read("export", LANGUAGE_MODEL), paths.out / LANGUAGE_MODEL
    exported, settings = source / MODEL_FILE, params.quantize
    _copy_tokenizer(source, target)
    with int8.folded(exported) as ready:
        kept = int8.named(int8.quantizable(ready, params=settings), settings.float_operators)
    int8.quantize_int8(exported, target / MODEL_FILE, params=settings, float_operators=kept)
    structure = _structure(source, target, kept=kept, texts=len(texts), params=params)
    before, after = (_bits_a_token(folder, texts, params=params) for folder in (source, target))
    say(f"quantize  language model: {before:.3f} → {after:.3f} bits a token")
    if abs(after / before - 1) > _MOST_BITS_CHANGE:
        raise ArtifactError(
            f"the language model in int8: {after:.3f} bits a token, {before:.3f} in float32",
            expected=f"a change of at most {_MOST_BITS_CHANGE:.0%}",
            next_step="keep operators in float32 with quantize.float_operators",
        )
    bits = certified.BitsPerToken(fp32=before, int8=after)
    return certified.LanguageModelInt8(**dict(structure), bits_a_token=bits)


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


def _summary(certificate: certified.OperatorCertificate) -> str:
    return (
        f"{certificate.bytes_before / 1e6:.1f} → {certificate.bytes / 1e6:.1f} MB, "
        f"{certificate.label_agreement:.1%} agreement"
    )


if __name__ == "__main__":
    run_stage("quantize", run)
