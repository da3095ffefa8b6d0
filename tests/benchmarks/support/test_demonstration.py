"""Benchmarks train the demonstration product, in an arithmetic that is decided and not `auto`."""

import shutil
from pathlib import Path

import pytest

from benchmarks.support.demonstration import demonstration_params
from flows.planning import arithmetic
from flows.planning.resolution import Variation
from tests.support.repository import PARAMS, REPOSITORY


@pytest.mark.parametrize(
    "variation", [Variation(product="movie-review-sentiment"), Variation(profile="bilm")]
)
def test_their_parameters_name_the_arithmetic_of_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variation: Variation
) -> None:
    for name in ("products", "profiles"):
        shutil.copytree(REPOSITORY / name, tmp_path / name)
    text = PARAMS.read_text(encoding="utf-8").replace("precision: float32", "precision: auto", 1)
    (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(arithmetic, "_may_multiply_bfloat16", lambda _: True)
    monkeypatch.setattr(arithmetic, "_run", lambda _: {"float32": 0.2, "bfloat16": 0.1})
    assert demonstration_params(tmp_path, variation).compute.precision == "bfloat16"
