"""A certificate that lacks a part, or in which one has not passed, is refused by name."""

from typing import Any

import pytest

from pipeline.acceptance.certificate import certify_language_model, require_complete
from pipeline.core.artifacts.certificates import Certificate, LanguageModelInt8
from pipeline.core.errors import ArtifactError
from pipeline.problem.problems import problem_named
from tests.support.example_artifacts import (
    INT8,
    language_model_int8,
    language_model_parity,
    operators,
    parity,
)

WAYS = {"equal length": {"largest_change": 0.01, "flips": 3, "flip_share": 0.00015}}
LOST = {"value": 0.2, "interval": [-0.1, 0.5]}
WHOLE: dict[str, Any] = {
    "variant": "student-int8",
    "parity": parity().as_json(),
    "operators": operators().as_json(),
    "agreement": {"with": "teacher-torch", "value": 0.97, "of": "share", "rows": 900},
    "quality_drop": {"to_teacher": LOST, "to_own_fp32": LOST, "rows": 900}
    | {"metric": "accuracy", "unit": "points", "confidence": 0.95},
    "calibration": {"temperature": 1.4, "error_before": 0.06, "error_after": 0.02}
    | {"loss_before": 0.4, "loss_after": 0.3, "rows": 900},
    "batch_invariance": {"passed": True, "served": "alone", "texts": 20_000, "batch_size": 32}
    | {"batched": WAYS, "most_flips": 0.001, "from": {"corpus": 20_000, "validation": 0}}
    | {"one_request": {"texts": 1000, "largest_change": 0.0, "flips": 0, "flip_share": 0.0}},
    "files": {"model.onnx": "0" * 64, "tokenizer.json": "1" * 64},
    "language_model": {
        "passed": True,
        "parity": language_model_parity().as_json(),
        "int8": language_model_int8().as_json(),
    },
}
PARTS = sorted(WHOLE.keys() - {"variant"})


def require(
    certificate: dict[str, Any], *, problem: str = "classification", to: str = "int8"
) -> None:
    found = Certificate.parse(certificate, file="certificate.json")
    require_complete(found, problem=problem_named(problem), precision=to)


def changed(part: str, **values: Any) -> dict[str, Any]:
    return {**WHOLE, part: WHOLE[part] | values}


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


def test_beside_an_adopted_model_there_is_no_language_model() -> None:
    alone = Certificate.parse({**WHOLE, "language_model": None}, file="certificate.json")
    problem = problem_named("classification")
    require_complete(alone, problem=problem, precision="int8", adopted=True)
    with pytest.raises(ArtifactError, match="language_model: missing"):
        require_complete(alone, problem=problem, precision="int8")


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(ArtifactError, match=r"parity: missing; files: missing"):
        require({**WHOLE, "parity": None, "files": None})


def test_a_whole_certificate_is_taken_and_what_means_nothing_for_a_model_may_be_null() -> None:
    floating = {**changed("parity", sha256="0" * 64), "operators": None}
    numbers = {**WHOLE, "calibration": None}
    require(WHOLE)
    require(floating, to="fp32")
    require(numbers, problem="regression")
    for certificate, lacks in ((floating, "operators"), (numbers, "calibration")):
        with pytest.raises(ArtifactError, match=f"{lacks}: missing"):
            require(certificate)


@pytest.mark.parametrize(
    ("part", "values", "fault"),
    [
        ("parity", {"largest_difference": float("nan")}, "largest_difference is no finite number"),
        ("parity", {"largest_difference": 1e-3}, "a difference over its tolerance"),
        ("agreement", {"value": None}, "value is no finite number"),
        ("calibration", {"error_after": float("inf")}, "error_after is no finite number"),
        ("quality_drop", {"to_teacher": {}}, "to_teacher without value"),
        ("quality_drop", {"to_own_fp32": None}, "to_own_fp32 without a value"),
        ("quality_drop", {"to_teacher": {"value": 1.0, "interval": [0.5]}}, "at least 2 items"),
        ("batch_invariance", {"texts": 0}, "of no text"),
        ("batch_invariance", {"batched": {}}, "of no way to batch"),
        ("parity", {"guessed": True}, "unknown key guessed"),
        *(
            (part, {"passed": False}, "not passed")
            for part in ("parity", "operators", "batch_invariance", "language_model")
        ),
    ],
)
def test_a_part_that_says_nothing_or_the_impossible_or_has_not_passed_is_refused(
    part: str, values: dict[str, Any], fault: str
) -> None:
    with pytest.raises(ArtifactError, match=rf"{part}[:.] ?.*{fault}"):
        require(changed(part, **values))


def test_certificates_of_other_files_than_those_that_are_packed_are_refused() -> None:
    with pytest.raises(ArtifactError, match=r"operators: of another model\.onnx"):
        require(changed("files", **{"model.onnx": "2" * 64}))
    with pytest.raises(ArtifactError, match="made from another export"):
        require(changed("operators", made_from="b" * 64))
    floating = {**WHOLE, "operators": None}
    with pytest.raises(ArtifactError, match=r"parity: of another model\.onnx"):
        require(floating, to="fp32")


def test_the_language_model_is_certified_by_both_stages_and_as_the_file_that_is_packed() -> None:
    def passed(parity: dict[str, Any], int8: dict[str, Any], packed: str) -> bool:
        proofs = language_model_parity(**parity), language_model_int8(**int8)
        return certify_language_model(*proofs, packed=packed).passed

    assert passed({}, {}, "0" * 64)
    assert not passed({"passed": False}, {}, "0" * 64)
    assert not passed({}, {"passed": False}, "0" * 64)
    assert not passed({}, {}, "c" * 64)
    assert not passed({"sha256": "c" * 64}, {}, "0" * 64)
    silent = {key: value for key, value in INT8.items() if key != "passed"}
    with pytest.raises(ArtifactError, match="passed: missing"):
        LanguageModelInt8.parse(silent, file="certificate.json")
