"""A certificate that lacks a part, or in which one has not passed, is refused by name."""

from typing import Any

import pytest

from pipeline.core.errors import ArtifactError
from pipeline.metrics.certificate import require_complete

PARITY = {"differences": {"longest": 1e-7}, "largest_difference": 1e-7, "tolerance": 1e-4}
OPERATORS = {"operators": {"MatMulInteger": 7}, "float_matrix_products": 0}
WHOLE: dict[str, Any] = {
    "variant": "student-int8",
    "parity": {"passed": True, "pad_token_id": 0} | PARITY,
    "operators": {"passed": True, "large_float_weights": []} | OPERATORS,
    "agreement": {"value": 0.97, "rows": 900},
    "quality_drop": {"to_teacher": {}, "to_own_fp32": {}, "rows": 900},
    "calibration": {"temperature": 1.4, "error_before": 0.06, "error_after": 0.02, "rows": 900},
    "batch_invariance": {"passed": True, "served": "alone", "texts": 20_000, "batched": {}},
    "files": {"model.onnx": "0" * 64, "tokenizer.json": "1" * 64},
}
PARTS = sorted(WHOLE.keys() - {"variant"})


def require(
    certificate: dict[str, Any], *, problem: str = "classification", to: str = "int8"
) -> None:
    require_complete(certificate, problem=problem, precision=to)


def is_taken(certificate: dict[str, Any], *, problem: str = "classification", to: str) -> bool:
    try:
        require(certificate, problem=problem, to=to)
    except ArtifactError:
        return False
    return True


def test_a_whole_certificate_is_taken() -> None:
    assert is_taken(WHOLE, to="int8")


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("left", [None, "nothing", "one key less"])
def test_each_part_is_needed_with_all_that_it_must_say(part: str, left: str | None) -> None:
    certificate = {**WHOLE, part: None}
    if left == "nothing":
        del certificate[part]
    if left == "one key less":
        certificate[part] = dict(list(WHOLE[part].items())[1:])
    with pytest.raises(ArtifactError, match=f"{part}: (missing|without)"):
        require(certificate)


@pytest.mark.parametrize("part", ["parity", "operators", "batch_invariance"])
def test_a_part_that_has_not_passed_is_refused(part: str) -> None:
    with pytest.raises(ArtifactError, match=f"{part}: not passed"):
        require({**WHOLE, part: WHOLE[part] | {"passed": False}})


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(ArtifactError, match=r"parity: missing; files: missing"):
        require({**WHOLE, "parity": None, "files": None})


def test_what_means_nothing_for_a_model_may_be_null() -> None:
    floating, numbers = {**WHOLE, "operators": None}, {**WHOLE, "calibration": None}
    assert is_taken(floating, to="fp32")
    assert not is_taken(floating, to="int8")
    assert is_taken(numbers, problem="regression", to="int8")
    assert not is_taken(numbers, to="int8")
