"""gate: check every ONNX variant, choose one on validation, certify, score once on test, pack.

pipeline/acceptance/requirements.py opens with the rule of the checks (passed, failed, inconclusive)
and of the choice.

Reads   artifacts/evaluate/, artifacts/measure/, models and certificates of export and quantize,
        artifacts/{collect/manifest.json, validate/report.json, finetune/metrics.json; where a model
        was adopted adopt/adoption.json in place of the last},
        artifacts/prepare/{records.parquet, sentences.parquet}
Writes  artifacts/gate/{scorecard.json, verdict.json, bundle/, answers.parquet, quality_by_size.csv,
        plots/, metrics.json}
"""

from collections.abc import Sequence
from functools import partial

import onnxruntime
import tokenizers

from pipeline.acceptance.certificate import certify, certify_language_model, require_complete
from pipeline.acceptance.judge import Judge
from pipeline.acceptance.predictions import Answers, read_answers
from pipeline.acceptance.released_answers import SplitAnswers, write_released_answers
from pipeline.acceptance.requirements import nothing_qualifies, qualifies
from pipeline.acceptance.row_slices import row_slices
from pipeline.acceptance.scorecard import make_scorecard, summary
from pipeline.acceptance.verdict import Evidence, check_variant, choose, explain
from pipeline.core.artifacts import certificates
from pipeline.core.artifacts.adoption import Adoption
from pipeline.core.artifacts.data_reports import DataReport, Manifest, TeacherTraining
from pipeline.core.artifacts.part import by_name
from pipeline.core.artifacts.variant_reports import Timings, VariantReports
from pipeline.core.artifacts.verdicts import ConsideredVariant, Verdict
from pipeline.core.files import sha256_file
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.progress import say
from pipeline.core.provenance import lineage
from pipeline.core.stage import Metrics, run_stage
from pipeline.core.variants import (
    LANGUAGE_MODEL,
    MODEL_FILE,
    TEACHER,
    TOKENIZER_FILE,
    Variant,
    variants_in,
)
from pipeline.data.tables import last_sentences
from pipeline.problem.decision import Decision
from pipeline.problem.problems import problem_named
from pipeline.report.bill_of_materials import bill_of_materials
from pipeline.report.model_card import Release, model_card
from pipeline.report.plots import plot_choice
from pipeline.runtime.batch_invariance import measure_batch_invariance
from pipeline.runtime.bundle import write_bundle
from pipeline.runtime.description import FORMAT, BundleDescription, GoldenRequest, TeacherFigures
from pipeline.runtime.task import Task, examples_of, requests_of
from pipeline.runtime.text_model import TextModel
from pipeline.training.labelled_rows import Split, read_split

# How far a golden answer may differ on another machine: of a probability, or as a share of the
# numbers' spread. Int8 gets more, for an activation halfway between two integers may round up on
# one processor and down on another.
_GOLDEN_TOLERANCE = {"int8": 0.02, "fp32": 0.001}
_TEACHER_KEYS = {"name", "size_bytes", "latency_ms", "quality"}
_RELEASED_KEYS = {"quality", "answered", "size_bytes", "latency_ms"}


def run(params: Params, paths: Paths) -> Metrics:
    """Checks, chooses, certifies, scores and packs.

    Raises:
        PipelineError: no variant qualifies, or a certificate is missing or has not passed.
    """
    judge = Judge.of(params)
    evidence = _evidence(judge, params, paths)
    chosen, verdict = _judge_variants(evidence, judge, params, paths)
    decision = Decision.of(evidence.evaluated[chosen.name].decision.as_json())
    task = Task.from_settings(params.product, params.prepare, decision)
    model = TextModel.in_folder(chosen.folder(paths), task=task, threads=1)
    certificate = _certificate(chosen, evidence, judge, model=model, params=params, paths=paths)
    test = _answers_on_test(model, _split("test", paths))
    judged = judge.judge(test, decision)
    scorecard = make_scorecard(evidence, chosen.name, test=judged, judge=judge)
    release = Release(
        params=params,
        variant=chosen,
        scorecard=scorecard,
        verdict=verdict,
        certificate=certificate,
        sources=Manifest.read(paths).sources,
        has_corpus=evidence.data_report.corpus.rows_out > 0,
        origin=Adoption.found(paths) or TeacherTraining.read(paths),
        machine=Timings.read(paths).machine,
        lineage=lineage(params, paths),
    )
    bundle = _pack(release, model, paths)
    scorecard.write(paths)
    verdict.write(paths)
    _write_answers([_validation_answers(chosen, paths), test], decision, judge, params, paths)
    plot_choice(paths.out, scorecard.variants, params.product.requirements, released=chosen.name)
    qualified = sum(found.qualifies for found in verdict.considered.values())
    figures = summary(scorecard, chosen.name, judge.metric)
    return figures | {"bundle": bundle, "qualified": qualified}


def _evidence(judge: Judge, params: Params, paths: Paths) -> Evidence:
    """Reads the results of the earlier stages."""
    sources = Manifest.read(paths).sources
    answers = read_answers(paths.read("evaluate", "predictions.parquet"))
    return Evidence(
        evaluated=by_name(VariantReports.read(paths).variants),
        measured=by_name(Timings.read(paths).variants),
        validation={
            variant: judge.judge_fitted(found)
            for (variant, split), found in answers.items()
            if split == "validation"
        },
        exported=certificates.ExportCertificates.read(paths).models,
        quantized=certificates.QuantizeCertificates.read(paths).models,
        licences={source.name: source.licence for source in sources}
        | _licence_of_origin(params, paths),
        data_report=DataReport.read(paths),
    )


def _licence_of_origin(params: Params, paths: Paths) -> dict[str, str]:
    """Name → licence of the checkpoint that was trained, or of the model that was adopted with one."""
    if (adopted := Adoption.found(paths)) is None:
        checkpoint = params.prepare.checkpoint
        return {checkpoint.name: checkpoint.licence}
    return {} if adopted.licence is None else {adopted.name: adopted.licence}


def _judge_variants(
    evidence: Evidence, judge: Judge, params: Params, paths: Paths
) -> tuple[Variant, Verdict]:
    """Checks every ONNX variant and chooses one of those that qualify."""
    limits = params.product.requirements
    variants = [variant for variant in variants_in(paths) if variant.is_onnx]
    checks = {v.name: check_variant(v, evidence, limits, judge=judge) for v in variants}
    considered = {
        name: ConsideredVariant(qualifies=qualifies(found), checks=found)
        for name, found in checks.items()
    }
    qualified = [variant for variant in variants if considered[variant.name].qualifies]
    if not qualified:
        raise nothing_qualifies(checks)
    chosen, reason = choose(qualified, evidence, judge=judge)
    say(f"gate  {len(qualified)} of {len(variants)} ONNX variants qualify; {reason}")
    own = checks[chosen.name]
    return chosen, Verdict(
        passed=True,
        released=chosen.name,
        reason=explain(own, reason),
        checks=own,
        considered=considered,
    )


def _split(name: str, paths: Paths) -> Split:
    return read_split(paths.read("prepare", "records.parquet"), name)


def _answers_on_test(model: TextModel, test: Split) -> Answers:
    """Asks the chosen model the test rows: once, after the choice, which they cannot sway."""
    scores = model.scores(requests_of(test.texts, test.seconds))
    return Answers(
        variant="released", split="test", ids=test.ids, targets=test.targets, scores=scores
    )


def _validation_answers(chosen: Variant, paths: Paths) -> Answers:
    """The answers that the chosen variant gave in evaluate."""
    return read_answers(paths.read("evaluate", "predictions.parquet"))[chosen.name, "validation"]


def _write_answers(
    found: Sequence[Answers], decision: Decision, judge: Judge, params: Params, paths: Paths
) -> None:
    """Keeps the released model's answers to each row, for people who look for mistakes and for the next build."""
    splits = {answers.split: _split(answers.split, paths) for answers in found}
    labels = params.product.labels
    write_released_answers(
        paths.out / "answers.parquet",
        [
            SplitAnswers(
                answers=answers,
                judged=judge.judge(answers, decision),
                slices=row_slices(
                    splits[answers.split].texts,
                    splits[answers.split].seconds,
                    answers.targets,
                    problem=judge.problem,
                    labels=labels,
                ),
            )
            for answers in found
        ],
        decision=decision,
        problem=judge.problem,
        labels=labels,
    )


def _certificate(
    chosen: Variant,
    evidence: Evidence,
    judge: Judge,
    *,
    model: TextModel,
    params: Params,
    paths: Paths,
) -> certificates.Certificate:
    """Certifies the files that will be packed, before any file of the former bundle is changed."""
    pad_token_id, folder = evidence.exported[chosen.model].pad_token_id, chosen.folder(paths)
    certificate = certify(
        chosen,
        evidence,
        judge,
        batch_invariance=_batch_invariance(model, pad_token_id, params=params, paths=paths),
        files=certificates.CertifiedFiles(
            model=sha256_file(folder / MODEL_FILE), tokenizer=sha256_file(folder / TOKENIZER_FILE)
        ),
        language_model=_language_model_certificate(paths),
    )
    require_complete(
        certificate,
        problem=judge.problem,
        precision=chosen.precision,
        adopted=Adoption.found(paths) is not None,
    )
    return certificate


def _language_model_certificate(paths: Paths) -> certificates.LanguageModelCertificate | None:
    """Proofs of the language model; None where export and quantize had none, beside an adopted model."""
    parity = certificates.ExportCertificates.read(paths).language_model
    int8 = certificates.QuantizeCertificates.read(paths).language_model
    if parity is None or int8 is None:
        return None
    packed = sha256_file(paths.read("quantize", LANGUAGE_MODEL, MODEL_FILE))
    return certify_language_model(parity, int8, packed=packed)


def _batch_invariance(
    model: TextModel, pad_token_id: int, *, params: Params, paths: Paths
) -> certificates.BatchInvariance:
    """Measures on corpus sentences; if they are too few, validation texts fill the rest."""
    wanted, validation = params.gate.invariance_sentences, _split("validation", paths)
    corpus = last_sentences(paths.read("prepare", "sentences.parquet"), wanted)
    others = requests_of(validation.texts, validation.seconds)[: wanted - len(corpus)]
    found = measure_batch_invariance(
        model, [*corpus, *others], pad_token_id=pad_token_id, workers=params.compute.threads
    )
    origins = certificates.TextOrigins(corpus=len(corpus), validation=len(others))
    return certificates.BatchInvariance(**found.as_dict(), from_=origins)


def _pack(release: Release, model: TextModel, paths: Paths) -> str:
    """Writes the bundle and returns its hash."""
    chosen, language_model = release.variant, None
    if release.certificate.language_model is not None:
        language_model = (
            paths.read("quantize", LANGUAGE_MODEL, MODEL_FILE),
            paths.read("quantize", LANGUAGE_MODEL, TOKENIZER_FILE),
        )
    return write_bundle(
        paths.out / "bundle",
        model=chosen.file(paths),
        tokenizer=chosen.folder(paths) / TOKENIZER_FILE,
        description=_description(release, model, paths),
        model_card=model_card(release),
        certificate=release.certificate.as_json(),
        language_model=language_model,
        bill_of_materials=partial(bill_of_materials, release),
    )


def _description(release: Release, model: TextModel, paths: Paths) -> BundleDescription:
    """The content of bundle.json."""
    product, certificate = release.params.product, release.certificate
    beside = certificate.language_model
    released = release.scorecard.entry(release.variant.name).as_json()
    teacher = release.scorecard.entry(TEACHER).as_json()
    validation = _split("validation", paths)
    problem = problem_named(product.problem)
    unit = problem.tolerance_unit(validation.targets)
    examples = tuple(examples_of(product.examples, validation.texts, validation.seconds))
    requests = [*examples, *requests_of(validation.texts, validation.seconds)]
    requests = requests[: release.params.gate.golden_requests]
    golden = zip(requests, model.predict(requests), strict=True)
    return BundleDescription(
        format=FORMAT,
        product=product.name,
        audience=product.audience,
        variant=release.variant.name,
        task=model.task,
        segments=model.segments,
        scale=problem.number_range(_split("train", paths).targets),
        quality_metric=product.requirements.quality_metric,
        pad_token_id=certificate.parity.pad_token_id,
        **{key: released[key] for key in _RELEASED_KEYS},
        teacher=TeacherFigures(**{key: teacher[key] for key in _TEACHER_KEYS}),
        examples=examples,
        golden=tuple(GoldenRequest(request=request, answer=answer) for request, answer in golden),
        golden_tolerance=_GOLDEN_TOLERANCE[release.variant.precision] * unit,
        versions={"onnxruntime": onnxruntime.__version__, "tokenizers": tokenizers.__version__},
        language_model=None if beside is None else {"family": beside.parity.family},
        lineage=dict(release.lineage),
    )


if __name__ == "__main__":
    run_stage("gate", run)
