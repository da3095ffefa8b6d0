"""The certificate of a release: what was proved or measured of the one model that goes into the bundle.

Every part must be there, and those that can pass must have passed, or the gate releases nothing. Figures
without a limit of their own are told, not judged: product.requirements says what a product insists on.
"""

import math
from collections.abc import Mapping
from typing import Any

from pipeline.acceptance.judge import Judge, Judged
from pipeline.acceptance.teacher_comparison import difference_interval
from pipeline.acceptance.verdict import Evidence
from pipeline.core.errors import ArtifactError
from pipeline.core.product import CLASSIFICATION, MULTI_LABEL, REGRESSION
from pipeline.core.variants import MODEL_FILE, TEACHER, TOKENIZER_FILE, Variant
from pipeline.metrics.temperature import calibrate

Certificate = Mapping[str, Any]

_POINTS = 100
"""In one unit of a figure of quality."""

_AGREEMENT = {
    CLASSIFICATION: "share of equal labels",
    MULTI_LABEL: "share of equal label decisions",
    REGRESSION: "rank correlation (Spearman)",
}

_PARTS: Mapping[str, tuple[str, ...]] = {
    "parity": (
        "passed",
        "differences",
        "largest_difference",
        "tolerance",
        "pad_token_id",
        "sha256",
    ),
    "operators": (
        "passed",
        "operators",
        "float_matrix_products",
        "large_float_weights",
        "made_from",
        "sha256",
    ),
    "agreement": ("value", "rows"),
    "quality_drop": ("to_teacher", "to_own_fp32", "rows"),
    "calibration": ("temperature", "error_before", "error_after", "rows"),
    "batch_invariance": ("passed", "served", "texts", "batched"),
    "files": (MODEL_FILE, TOKENIZER_FILE),
    "language_model": ("passed", "parity", "int8"),
}
"""Part → what it must say."""

_NUMBERS: Mapping[str, tuple[str, ...]] = {
    "parity": ("largest_difference", "tolerance"),
    "agreement": ("value", "rows"),
    "calibration": ("temperature", "error_before", "error_after", "rows"),
    "batch_invariance": ("texts",),
}
"""Part → which of it must be finite numbers."""


def certify(
    chosen: Variant,
    evidence: Evidence,
    judge: Judge,
    *,
    batch_invariance: Mapping[str, Any],
    files: Mapping[str, str],
    language_model: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """All parts, of the chosen variant on validation; null where a part means nothing for it.

    Args:
        batch_invariance: what the runtime measured.
        language_model: of the one beside it in the bundle, what export and quantize certify.
        files: SHA-256 of the model and the tokenizer that all of it was measured on.
    """
    # In the order of `Evidence.certificates`: of the export, then of the quantization.
    parity, *operators = evidence.certificates[chosen.name]
    found = evidence.validation[chosen.name]
    calibration = calibrate(judge.problem, gold=found.gold, scores=found.scores, seed=judge.seed)
    return {
        "variant": chosen.name,
        "parity": parity,
        "operators": operators[0] if operators else None,
        "agreement": {
            "with": TEACHER,
            "value": evidence.evaluated[chosen.name]["agreement"],
            "of": _AGREEMENT[judge.problem],
            "rows": len(found.gold),
        },
        "quality_drop": _quality_drop(chosen, evidence, judge),
        "calibration": calibration.as_dict() if calibration else None,
        "batch_invariance": dict(batch_invariance),
        "files": dict(files),
        "language_model": language_model,
    }


def certify_language_model(
    parity: Certificate | None, int8: Certificate | None, *, packed: str
) -> dict[str, Any] | None:
    """What export and quantize certify of the language model in the bundle; None where one of them is silent.

    Args:
        packed: SHA-256 of the model that is packed.
    """
    if not parity or not int8:
        return None
    bound = int8.get("sha256") == packed and int8.get("made_from") == parity.get("sha256")
    passed = parity.get("passed") is True and int8.get("passed") is True
    return {"passed": passed and bound, "parity": dict(parity), "int8": dict(int8)}


def require_complete(certificate: Certificate, *, problem: str, precision: str) -> None:
    """Refuse a certificate that lacks a part, or in which one has not passed.

    Args:
        precision: of the variant: only int8 has operators to count.

    Raises:
        ArtifactError: naming every part that is missing or has not passed.
    """
    needless = {"calibration": problem == REGRESSION, "operators": precision != "int8"}
    faults = [
        f"{name}: {fault}"
        for name, keys in _PARTS.items()
        if not needless.get(name)
        and (fault := _fault(certificate.get(name), keys, _NUMBERS.get(name, ())))
    ]
    faults = faults or _contradictions(certificate, quantized=precision == "int8")
    if faults:
        raise ArtifactError(
            f"certificates of {certificate.get('variant')}: {'; '.join(faults)}",
            expected="every part there and passed: nothing is released without its certificate",
            next_step="build the stage that leaves it again: export (parity), quantize (operators), "
            "evaluate (agreement, quality_drop, calibration), gate (batch_invariance, files), export and "
            "quantize (language_model)",
        )


def _fault(part: Any, keys: tuple[str, ...], numbers: tuple[str, ...]) -> str | None:
    if not isinstance(part, Mapping):
        return "missing"
    if missing := [key for key in keys if key not in part]:
        return f"without {', '.join(missing)}"
    if part.get("passed", True) is not True:
        return "not passed"
    if strange := [key for key in numbers if not _is_number(part[key])]:
        return f"{', '.join(strange)} is no finite number"
    return None


def _contradictions(certificate: Certificate, *, quantized: bool) -> list[str]:
    """What a whole certificate says that cannot be so, or is of other files than those that are packed."""
    faults = []
    parity, drop, files = (certificate[name] for name in ("parity", "quality_drop", "files"))
    if parity["largest_difference"] > parity["tolerance"]:
        faults.append("parity: passed with a difference over its tolerance")
    for name in ("to_teacher", *(("to_own_fp32",) if quantized else ())):
        if not _is_estimate(drop[name]):
            faults.append(
                f"quality_drop: {name} without a value and an interval of two finite numbers"
            )
    invariance = certificate["batch_invariance"]
    if invariance["texts"] < 1 or not invariance["batched"]:
        faults.append("batch_invariance: of no text, or of no way to batch")
    measured = certificate["operators"] if quantized else parity
    if measured["sha256"] != files[MODEL_FILE]:
        faults.append(f"{'operators' if quantized else 'parity'}: of another {MODEL_FILE}")
    if quantized and measured["made_from"] != parity["sha256"]:
        faults.append("operators: of a model that was made from another export")
    return faults


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_estimate(found: Any) -> bool:
    if not isinstance(found, Mapping) or not _is_number(found.get("value")):
        return False
    ends = found.get("interval") or ()
    return len(ends) == 2 and all(map(_is_number, ends))


def _quality_drop(chosen: Variant, evidence: Evidence, judge: Judge) -> dict[str, Any]:
    """In points (hundredths) of the product's figure; positive is worse than what it is held against."""
    found, own = evidence.validation[chosen.name], Variant(chosen.model, "fp32").name
    quantized = chosen.name != own
    return {
        "metric": judge.metric,
        "unit": "points",
        "confidence": judge.options.confidence,
        "rows": len(found.gold),
        "to_teacher": _drop(found, evidence.validation[TEACHER], judge),
        "to_own_fp32": _drop(found, evidence.validation[own], judge) if quantized else None,
    }


def _drop(found: Judged, reference: Judged, judge: Judge) -> dict[str, Any]:
    lost = difference_interval(reference, found, judge)
    return {
        "value": lost.value * _POINTS,
        "interval": [lost.low * _POINTS, lost.high * _POINTS],
    }
