"""One table of several builds."""

import json
from pathlib import Path

import pytest

from flows.compare import comparison, read_builds
from flows.execution.workspace import kept_results
from pipeline.core.artifacts.variant_reports import Scorecard
from pipeline.core.errors import DataError
from tests.support.example_artifacts import scorecard_entry, verdict


def leave_build(folder: Path, *, released: str, test: float, family: str = "bert") -> None:
    """What a gate leaves, with one variant that was scored on test and one that was not."""
    gate = folder / "artifacts/gate"
    gate.mkdir(parents=True)
    product = {"name": "reviews", "requirements": {"quality_metric": "accuracy"}}
    stages = {
        name: {"params": {"build.yaml": values}}
        for name, values in (
            ("pretrain", {"pretrain": {"model": family}}),
            ("gate", {"product": product}),
        )
    }
    (folder / "dvc.lock").write_text(json.dumps({"stages": stages}))
    variants = [
        scorecard_entry("teacher-int8", quality=0.81, size_bytes=5_838_179, p95=0.67),
        scorecard_entry(released, quality=0.8, test=test, size_bytes=5_838_179, p95=0.67),
    ]
    Scorecard(variants=variants).save(gate / "scorecard.json")
    verdict(released=released).save(gate / "verdict.json")


def test_builds_here_and_builds_with_changes_stand_in_one_table(tmp_path: Path) -> None:
    leave_build(tmp_path, released="pruned-int8", test=0.79)
    leave_build(
        kept_results(tmp_path, "build-1"), released="student-int8", test=0.77, family="bilm"
    )
    text = comparison(read_builds(tmp_path), every=False)
    [first, second] = [line for line in text.splitlines() if "(released)" in line]
    assert "pruned-int8 (released)" in first
    assert "0.7900 [0.770, 0.810]" in first
    assert first.split()[-2:] == ["5.84", "0.67"]
    assert second.split()[:4] == ["reviews", "bilm", "student-int8", "(released)"]
    assert "teacher-int8" not in text


def test_every_variant_is_shown_where_that_is_asked_for(tmp_path: Path) -> None:
    leave_build(tmp_path, released="pruned-int8", test=0.79)
    assert "teacher-int8" in comparison(read_builds(tmp_path), every=True)


def test_one_product_alone_is_shown_by_its_name(tmp_path: Path) -> None:
    leave_build(tmp_path, released="pruned-int8", test=0.79)
    assert [build.product for build in read_builds(tmp_path, product="reviews")] == ["reviews"]
    with pytest.raises(DataError, match="no build of tickets") as caught:
        read_builds(tmp_path, product="tickets")
    assert caught.value.expected == "one of: reviews"


def test_without_a_build_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"scorecard\.json"):
        read_builds(tmp_path)
