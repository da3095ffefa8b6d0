"""gate: check every ONNX variant, choose one on validation, score it once on test, pack it.

The rule of the checks (passed, failed, inconclusive) and of the choice stands at the head of
pipeline/metrics/requirements.py.

Reads   artifacts/evaluate/, artifacts/measure/, models and certificates of export and quantize,
        artifacts/{collect/manifest.json, validate/report.json, prepare/records.parquet}
Writes  artifacts/gate/{scorecard.json, verdict.json, bundle/, quality_by_size.csv, plots/, metrics.json}
"""

import hashlib
import json
from typing import Any

import onnxruntime
import tokenizers

from pipeline.core.files import read_json, sha256_file, write_json
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.progress import say
from pipeline.core.stage import Metrics, run_stage
from pipeline.core.variants import (
    LANGUAGE_MODEL,
    MODEL_FILE,
    ONNX_STAGES,
    TEACHER,
    TOKENIZER_FILE,
    Variant,
    all_variants,
)
from pipeline.data.model_card import model_card
from pipeline.metrics.classification import quality
from pipeline.metrics.plots import plot_choice
from pipeline.metrics.predictions import read_answers
from pipeline.metrics.requirements import nothing_qualifies, qualifies
from pipeline.metrics.verdict import Evidence, check_variant, choose, explain
from pipeline.runtime.bundle import FORMAT, write_bundle
from pipeline.runtime.classifier import Classifier
from pipeline.training.splits import read_split

# An activation that lies between two integers can round the other way on another processor.
_GOLDEN_TOLERANCE = {"int8": 0.02, "fp32": 0.001}


def run(params: Params, paths: Paths) -> Metrics:
    """Check, choose, score, pack; raises PipelineError when no variant qualifies."""
    evidence, limits = _evidence(params, paths), params.product.requirements
    variants = [variant for variant in all_variants() if variant.is_onnx]
    seed, options = params.compute.seed, params.evaluate
    checks = {
        v.name: check_variant(v.name, evidence, limits, options=options, seed=seed)
        for v in variants
    }
    qualified = [variant for variant in variants if qualifies(checks[variant.name])]
    if not qualified:
        raise nothing_qualifies(checks)
    chosen, reason = choose(
        qualified, evidence, metric=limits.quality_metric, options=options, seed=seed
    )
    say(f"gate  {len(qualified)} of {len(variants)} ONNX variants qualify; {reason}")
    classifier = _classifier(chosen, params=params, paths=paths)
    scorecard = _scorecard(evidence, chosen, _test_quality(classifier, params, paths))
    verdict = {
        "passed": True,
        "released": chosen.name,
        "reason": explain(checks[chosen.name], reason),
        "checks": [check.as_dict() for check in checks[chosen.name]],
        "considered": {
            name: {"qualifies": qualifies(found), "checks": [check.as_dict() for check in found]}
            for name, found in checks.items()
        },
    }
    write_json(paths.out / "scorecard.json", {"variants": scorecard})
    write_json(paths.out / "verdict.json", verdict)
    plot_choice(paths.out, scorecard, limits, released=chosen.name)
    bundle = _pack(chosen, classifier, scorecard, verdict, params=params, paths=paths)
    return _metrics(scorecard, chosen.name) | {"bundle": bundle, "qualified": len(qualified)}


def _evidence(params: Params, paths: Paths) -> Evidence:
    """What the earlier stages left."""
    certificates = {
        precision: read_json(paths.read(stage, "certificate.json"))["models"]
        for precision, stage in ONNX_STAGES.items()
    }
    # An int8 model stands on the export it was made from: it needs both certificates.
    needed = {"fp32": ["fp32"], "int8": ["fp32", "int8"]}
    checkpoint = params.prepare.checkpoint
    sources = read_json(paths.read("collect", "manifest.json"))["sources"]
    return Evidence(
        evaluated=_by_name(read_json(paths.read("evaluate", "variants.json"))),
        measured=_by_name(read_json(paths.read("measure", "latency.json"))),
        answers=read_answers(paths.read("evaluate", "predictions.parquet")),
        certificates={
            v.name: [certificates[precision].get(v.model) for precision in needed[v.precision]]
            for v in all_variants()
            if v.is_onnx
        },
        licences={s["name"]: s["licence"] for s in sources} | {checkpoint.name: checkpoint.licence},
        data_report=read_json(paths.read("validate", "report.json")),
    )


def _by_name(file: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {entry["name"]: entry for entry in file["variants"]}


def _classifier(variant: Variant, *, params: Params, paths: Paths) -> Classifier:
    return Classifier(
        variant.file(paths),
        variant.folder(paths) / TOKENIZER_FILE,
        labels=params.product.labels,
        max_length=params.prepare.max_length,
        threads=1,
    )


def _test_quality(classifier: Classifier, params: Params, paths: Paths) -> dict[str, Any]:
    """The one time that test rows meet the chosen model: after the choice, which they cannot sway."""
    test = read_split(paths.read("prepare", "records.parquet"), "test")
    probabilities = classifier.probabilities(test.texts)
    return quality(test.label_ids, probabilities, params.evaluate.confidence)


def _scorecard(evidence: Evidence, chosen: Variant, test: dict[str, Any]) -> list[dict[str, Any]]:
    """One entry a variant: what evaluate and measure found, and the test quality of the chosen one."""
    empty = {"latency_ms": None, "throughput_per_s": None, "memory_mb": None}
    entries = []
    for name, evaluated in evidence.evaluated.items():
        entry = {**evaluated, **empty, **evidence.measured.get(name, {})}
        if name == chosen.name:
            entry["quality"] = entry["quality"] | {"test": test}
        entries.append(entry)
    return entries


def _pack(
    chosen: Variant,
    classifier: Classifier,
    scorecard: list[dict[str, Any]],
    verdict: dict[str, Any],
    *,
    params: Params,
    paths: Paths,
) -> str:
    """Write the bundle and return its hash."""
    by_name = {entry["name"]: entry for entry in scorecard}
    released, teacher = by_name[chosen.name], by_name[TEACHER]
    certificate = read_json(paths.read("export", "certificate.json"))["models"][chosen.model]
    lineage = _lineage(params, paths)
    description = {
        "format": FORMAT,
        "product": params.product.name,
        "audience": params.product.audience,
        "variant": chosen.name,
        "problem": params.product.problem,
        "labels": params.product.labels,
        "max_length": params.prepare.max_length,
        "pad_token_id": certificate["pad_token_id"],
        "quality": released["quality"],
        "teacher": {key: teacher[key] for key in ("name", "size_bytes", "latency_ms", "quality")},
        "size_bytes": released["size_bytes"],
        "latency_ms": released["latency_ms"],
        "examples": params.product.examples,
        "golden": _golden(classifier, params, paths),
        "golden_tolerance": _GOLDEN_TOLERANCE[chosen.precision],
        "versions": {
            "onnxruntime": onnxruntime.__version__,
            "tokenizers": tokenizers.__version__,
        },
        "language_model": {
            "family": read_json(paths.read("export", "certificate.json"))[LANGUAGE_MODEL]["family"]
        },
        "lineage": lineage,
    }
    card = model_card(
        product=params.product.model_dump(),
        released=released,
        entries=scorecard,
        verdict=verdict,
        sources=read_json(paths.read("collect", "manifest.json"))["sources"],
        checkpoint=params.prepare.checkpoint.model_dump(),
        student_start=params.pretrain.start,
        machine=read_json(paths.read("measure", "latency.json"))["machine"],
        lineage=lineage,
        max_length=params.prepare.max_length,
    )
    return write_bundle(
        paths.out / "bundle",
        model=chosen.file(paths),
        tokenizer=chosen.folder(paths) / TOKENIZER_FILE,
        description=description,
        model_card=card,
        language_model=(
            paths.read("quantize", LANGUAGE_MODEL, MODEL_FILE),
            paths.read("quantize", LANGUAGE_MODEL, TOKENIZER_FILE),
        ),
    )


def _golden(classifier: Classifier, params: Params, paths: Paths) -> list[dict[str, Any]]:
    """Requests with the runtime's own answers: the product's examples, then validation texts."""
    validation = read_split(paths.read("prepare", "records.parquet"), "validation").texts
    texts = [*params.product.examples, *validation][: params.gate.golden_requests]
    return [
        {"text": text, "label": answer.label, "probabilities": answer.probabilities}
        for text, answer in zip(texts, classifier.classify(texts), strict=True)
    ]


def _lineage(params: Params, paths: Paths) -> dict[str, str]:
    """Hashes of the rows, of the code that the gate reaches, and of what the gate may read of params."""
    declared = [
        params.product.model_dump(mode="json"),
        params.prepare.checkpoint.model_dump(mode="json"),
        params.prepare.max_length,
    ]
    lock = read_json(paths.code_lock)["gate"]
    return {
        "records_sha256": sha256_file(paths.read("prepare", "records.parquet")),
        "code_lock_sha256": _digest(lock),
        "params_sha256": _digest(declared),
    }


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _metrics(scorecard: list[dict[str, Any]], released: str) -> dict[str, Any]:
    by_name = {entry["name"]: entry for entry in scorecard}
    entry, teacher = by_name[released], by_name[TEACHER]
    found = {split: entry["quality"][split]["accuracy"] for split in ("validation", "test")}
    p95, size = entry["latency_ms"]["p95"], entry["size_bytes"] / 1e6
    return {
        "released": released,
        "validation_accuracy": found["validation"],
        "test_accuracy": found["test"],
        "teacher_test_accuracy": teacher["quality"]["test"]["accuracy"],
        "size_mb": size,
        "latency_p95_ms": p95,
        "headline": f"{released}: test accuracy {found['test']:.3f}, {size:.1f} MB, p95 {p95:.2f} ms",
    }


if __name__ == "__main__":
    run_stage("gate", run)
