"""gate: check every ONNX variant, choose one on validation, certify it, score it once on test, pack it.

The rule of the checks (passed, failed, inconclusive) and of the choice stands at the head of
pipeline/acceptance/requirements.py.

Reads   artifacts/evaluate/, artifacts/measure/, models and certificates of export and quantize,
        artifacts/{collect/manifest.json, validate/report.json, finetune/metrics.json},
        artifacts/prepare/{records.parquet, sentences.parquet}
Writes  artifacts/gate/{scorecard.json, verdict.json, bundle/, quality_by_size.csv, plots/, metrics.json}
"""

from pathlib import Path
from typing import Any

import onnxruntime
import tokenizers

from pipeline.acceptance.certificate import certify, certify_language_model, require_complete
from pipeline.acceptance.judge import Judge, Judged
from pipeline.acceptance.predictions import Answers, read_answers
from pipeline.acceptance.requirements import nothing_qualifies, qualifies
from pipeline.acceptance.scorecard import make_scorecard, summary
from pipeline.acceptance.verdict import Evidence, check_variant, choose, explain
from pipeline.core.decision import Decision
from pipeline.core.files import read_json, sha256_file, write_json
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.product import REGRESSION
from pipeline.core.progress import say
from pipeline.core.provenance import lineage
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
from pipeline.data.unlabelled import read_last
from pipeline.metrics.quality import unit_of
from pipeline.report.model_card import model_card
from pipeline.report.plots import plot_choice
from pipeline.runtime.batch_invariance import measure_batch_invariance
from pipeline.runtime.bundle import write_bundle
from pipeline.runtime.description import FORMAT, BundleDescription, TeacherFigures
from pipeline.runtime.golden import GoldenRequest
from pipeline.runtime.golden_check import golden_answers
from pipeline.runtime.task import Task, request_of, requests_of
from pipeline.runtime.text_model import TextModel
from pipeline.training.labelled_rows import Split, read_split

# Of a probability, or of the spread of a number.
# An activation that lies between two integers can round the other way on another processor.
_GOLDEN_TOLERANCE = {"int8": 0.02, "fp32": 0.001}


def run(params: Params, paths: Paths) -> Metrics:
    """Check, choose, certify, score, pack.

    Raises:
        PipelineError: no variant qualifies, or a certificate is missing or has not passed.
    """
    limits, judge = params.product.requirements, Judge.of(params)
    evidence = _evidence(judge, params, paths)
    variants = [variant for variant in all_variants() if variant.is_onnx]
    checks = {v.name: check_variant(v.name, evidence, limits, judge=judge) for v in variants}
    qualified = [variant for variant in variants if qualifies(checks[variant.name])]
    if not qualified:
        raise nothing_qualifies(checks)
    chosen, reason = choose(qualified, evidence, judge=judge)
    say(f"gate  {len(qualified)} of {len(variants)} ONNX variants qualify; {reason}")
    decision = Decision.of(evidence.evaluated[chosen.name]["decision"])
    task = Task.asked(params.product, params.prepare, decision)
    model = TextModel.in_folder(chosen.folder(paths), task=task, threads=1)
    certificate = _certificate(chosen, model, evidence, judge, params=params, paths=paths)
    test = _judge_on_test(model, judge, read_split(_records(paths), "test"))
    scorecard = make_scorecard(evidence, chosen.name, test, judge)
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
    bundle = _pack(
        chosen, model, scorecard, verdict, certificate=certificate, params=params, paths=paths
    )
    write_json(paths.out / "scorecard.json", {"variants": scorecard})
    write_json(paths.out / "verdict.json", verdict)
    plot_choice(paths.out, scorecard, limits, released=chosen.name)
    return summary(scorecard, chosen.name, judge.metric) | {
        "bundle": bundle,
        "qualified": len(qualified),
    }


def _evidence(judge: Judge, params: Params, paths: Paths) -> Evidence:
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
        validation={
            variant: judge.judge_fitted(answers)
            for (variant, split), answers in read_answers(
                paths.read("evaluate", "predictions.parquet")
            ).items()
            if split == "validation"
        },
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


def _records(paths: Paths) -> Path:
    return paths.read("prepare", "records.parquet")


def _judge_on_test(model: TextModel, judge: Judge, test: Split) -> Judged:
    """The one time that test rows meet the chosen model: after the choice, which they cannot sway."""
    scores = model.scores(requests_of(test.texts, test.seconds))
    answers = Answers("released", "test", test.ids, test.targets, scores)
    return judge.judge(answers, model.task.decision)


def _certificate(
    chosen: Variant,
    model: TextModel,
    evidence: Evidence,
    judge: Judge,
    *,
    params: Params,
    paths: Paths,
) -> dict[str, Any]:
    """Of the files that will be packed. Raises before anything of the last release is touched."""
    wanted, validation = params.gate.invariance_sentences, read_split(_records(paths), "validation")
    corpus = read_last(paths.read("prepare", "sentences.parquet"), wanted)
    others = requests_of(validation.texts, validation.seconds)[: wanted - len(corpus)]
    parity = evidence.certificates[chosen.name][0] or {}
    invariance = measure_batch_invariance(
        model,
        [*corpus, *others],
        pad_token_id=parity.get("pad_token_id", 0),
        workers=params.compute.threads,
    )
    told = {**invariance.as_dict(), "from": {"corpus": len(corpus), "validation": len(others)}}
    folder = chosen.folder(paths)
    certificate = certify(
        chosen,
        evidence,
        judge,
        batch_invariance=told,
        files={name: sha256_file(folder / name) for name in (MODEL_FILE, TOKENIZER_FILE)},
        language_model=certify_language_model(
            *(
                read_json(paths.read(stage, "certificate.json")).get(LANGUAGE_MODEL)
                for stage in ("export", "quantize")
            ),
            packed=sha256_file(paths.read("quantize", LANGUAGE_MODEL, MODEL_FILE)),
        ),
    )
    require_complete(certificate, problem=judge.problem, precision=chosen.precision)
    return certificate


def _pack(
    chosen: Variant,
    model: TextModel,
    scorecard: list[dict[str, Any]],
    verdict: dict[str, Any],
    *,
    certificate: dict[str, Any],
    params: Params,
    paths: Paths,
) -> str:
    """Write the bundle and return its hash."""
    by_name = {entry["name"]: entry for entry in scorecard}
    released, teacher = by_name[chosen.name], by_name[TEACHER]
    origin = lineage(params, paths)
    validation = read_split(_records(paths), "validation")
    unit = unit_of(params.product.problem, validation.targets)
    description = BundleDescription(
        format=FORMAT,
        product=params.product.name,
        audience=params.product.audience,
        variant=chosen.name,
        task=model.task,
        segments=model.segments,
        scale=_scale(params.product.problem, paths),
        quality_metric=params.product.requirements.quality_metric,
        pad_token_id=certificate["parity"]["pad_token_id"],
        quality=released["quality"],
        answered=released["answered"],
        teacher=TeacherFigures(
            name=teacher["name"],
            size_bytes=teacher["size_bytes"],
            latency_ms=teacher["latency_ms"],
            quality=teacher["quality"],
        ),
        size_bytes=released["size_bytes"],
        latency_ms=released["latency_ms"],
        examples=tuple(request_of(example) for example in params.product.examples),
        golden=_golden(model, validation, params),
        golden_tolerance=_GOLDEN_TOLERANCE[chosen.precision] * unit,
        versions={"onnxruntime": onnxruntime.__version__, "tokenizers": tokenizers.__version__},
        language_model={"family": certificate["language_model"]["parity"]["family"]},
        lineage=origin,
    )
    card = model_card(
        product=params.product.model_dump(),
        released=released,
        entries=scorecard,
        verdict=verdict,
        certificate=certificate,
        sources=read_json(paths.read("collect", "manifest.json"))["sources"],
        checkpoint=params.prepare.checkpoint.model_dump(),
        student_start="teacher" if params.distill.teacher_layers else params.pretrain.start,
        taught=read_json(paths.read("finetune", "metrics.json")),
        machine=read_json(paths.read("measure", "latency.json"))["machine"],
        lineage=origin,
        max_length=params.prepare.max_length,
        window_stride=params.prepare.window_stride,
    )
    return write_bundle(
        paths.out / "bundle",
        model=chosen.file(paths),
        tokenizer=chosen.folder(paths) / TOKENIZER_FILE,
        description=description,
        model_card=card,
        certificate=certificate,
        language_model=(
            paths.read("quantize", LANGUAGE_MODEL, MODEL_FILE),
            paths.read("quantize", LANGUAGE_MODEL, TOKENIZER_FILE),
        ),
    )


def _golden(model: TextModel, validation: Split, params: Params) -> tuple[GoldenRequest, ...]:
    """Requests with the runtime's own answers: the product's examples, then validation texts."""
    examples = [request_of(example) for example in params.product.examples]
    requests = [*examples, *requests_of(validation.texts, validation.seconds)]
    return golden_answers(model, requests[: params.gate.golden_requests])


def _scale(problem: str, paths: Paths) -> tuple[float, float] | None:
    """The least and the largest number that was learned from; None where the answer is no number."""
    if problem != REGRESSION:
        return None
    learned = read_split(_records(paths), "train").targets
    return float(learned.min()), float(learned.max())


if __name__ == "__main__":
    run_stage("gate", run)
