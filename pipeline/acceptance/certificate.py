"""The certificate of a release: what was proved or measured of the model in the bundle.

Figures without a limit of their own are reported, not judged: product.requirements says what a
product insists on.
"""

from pipeline.acceptance.judge import Judge, Judged
from pipeline.acceptance.teacher_comparison import difference_interval
from pipeline.acceptance.verdict import Evidence
from pipeline.core.artifacts import certificates
from pipeline.core.artifacts.certificates import Certificate, LanguageModelCertificate
from pipeline.core.errors import ArtifactError
from pipeline.core.variants import MODEL_FILE, TEACHER, Variant
from pipeline.metrics.temperature import calibrate
from pipeline.problem.problem import Problem

_POINTS = 100
"""Points in one unit of a metric."""


def certify(
    chosen: Variant,
    evidence: Evidence,
    judge: Judge,
    *,
    batch_invariance: certificates.BatchInvariance,
    files: certificates.CertifiedFiles,
    language_model: LanguageModelCertificate | None,
) -> Certificate:
    """The certificate of the chosen variant, which has qualified; its figures are of validation."""
    found = evidence.validation[chosen.name]
    return Certificate(
        variant=chosen.name,
        parity=evidence.exported[chosen.model],
        operators=evidence.quantized[chosen.model] if chosen.precision == "int8" else None,
        agreement=certificates.Agreement(
            with_=TEACHER,
            value=evidence.evaluated[chosen.name].agreement,
            of=judge.problem.words.agreement,
            rows=len(found.gold),
        ),
        quality_drop=_quality_drop(chosen, evidence, judge),
        calibration=calibrate(judge.problem, gold=found.gold, scores=found.scores, seed=judge.seed),
        batch_invariance=batch_invariance,
        files=files,
        language_model=language_model,
    )


def certify_language_model(
    parity: certificates.LanguageModelParity, int8: certificates.LanguageModelInt8, *, packed: str
) -> LanguageModelCertificate:
    """Joins both certificates of the language model; `packed` is the SHA-256 of the packed file."""
    bound = int8.sha256 == packed and int8.made_from == parity.sha256
    passed = parity.passed and int8.passed and bound
    return LanguageModelCertificate(passed=passed, parity=parity, int8=int8)


def require_complete(
    certificate: Certificate, *, problem: Problem, precision: str, adopted: bool = False
) -> None:
    """Refuse a certificate with a part that is missing, has not passed, or contradicts another.

    Args:
        precision: of the variant: only int8 has operators to count.
        adopted: whether the model was trained elsewhere, so that there is no language model beside it.

    Raises:
        ArtifactError: naming every part that is missing or has not passed.
    """
    quantized = precision == "int8"
    missing = _missing(
        certificate, calibrated=problem.has_probabilities, quantized=quantized, beside=not adopted
    )
    if faults := missing or _contradictions(certificate, quantized=quantized):
        raise ArtifactError(
            f"certificates of {certificate.variant}: {'; '.join(faults)}",
            expected="every part there and passed: nothing is released without its certificate",
            next_step="build the stage that leaves it again: export (parity), quantize (operators), "
            "evaluate (agreement, quality_drop, calibration), gate (batch_invariance, files), export and "
            "quantize (language_model)",
        )


def _missing(
    certificate: Certificate, *, calibrated: bool, quantized: bool, beside: bool
) -> list[str]:
    """Parts that this variant needs and lacks, and parts that have not passed.

    Args:
        beside: whether it needs a language model beside it.
    """
    operators, language_model = certificate.operators, certificate.language_model
    faults = {
        "operators: missing": quantized and operators is None,
        "calibration: missing": calibrated and certificate.calibration is None,
        "language_model: missing": beside and language_model is None,
        "parity: not passed": not certificate.parity.passed,
        "operators: not passed": operators is not None and not operators.passed,
        "batch_invariance: not passed": not certificate.batch_invariance.passed,
        "language_model: not passed": language_model is not None and not language_model.passed,
    }
    return [fault for fault, found in faults.items() if found]


def _contradictions(certificate: Certificate, *, quantized: bool) -> list[str]:
    """Statements of a complete certificate that are impossible, or about files not packed."""
    faults = []
    parity, invariance = certificate.parity, certificate.batch_invariance
    operators = certificate.operators if quantized else None
    if parity.largest_difference > parity.tolerance:
        faults.append("parity: passed with a difference over its tolerance")
    if quantized and certificate.quality_drop.to_own_fp32 is None:
        faults.append("quality_drop: to_own_fp32 without a value and an interval")
    if invariance.texts < 1 or not invariance.batched:
        faults.append("batch_invariance: of no text, or of no way to batch")
    if (operators or parity).sha256 != certificate.files.model:
        faults.append(f"{'operators' if operators else 'parity'}: of another {MODEL_FILE}")
    if operators and operators.made_from != parity.sha256:
        faults.append("operators: of a model that was made from another export")
    return faults


def _quality_drop(chosen: Variant, evidence: Evidence, judge: Judge) -> certificates.QualityDrop:
    """Quality lost against the teacher and, in int8, against the same model in float32."""
    found, own = evidence.validation[chosen.name], Variant(chosen.model, "fp32").name
    quantized = chosen.name != own
    return certificates.QualityDrop(
        metric=judge.metric,
        unit="points",
        confidence=judge.options.confidence,
        rows=len(found.gold),
        to_teacher=_drop(found, evidence.validation[TEACHER], judge),
        to_own_fp32=_drop(found, evidence.validation[own], judge) if quantized else None,
    )


def _drop(found: Judged, reference: Judged, judge: Judge) -> certificates.Estimate:
    lost = difference_interval(reference, found, judge)
    return certificates.Estimate(
        value=lost.value * _POINTS, interval=[lost.low * _POINTS, lost.high * _POINTS]
    )
