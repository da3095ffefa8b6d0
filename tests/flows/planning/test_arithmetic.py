"""arithmetic.json: the faster arithmetic of training, decided once a machine."""

import sys
from pathlib import Path

import pytest

from flows.planning import arithmetic
from flows.planning.arithmetic import faster, in_words, race_here, training_precision
from flows.planning.machine import describe_machine
from pipeline.core.errors import PipelineError
from pipeline.core.files import read_json, write_json
from pipeline.core.product import Compute


def compute(precision: str = "auto", *, threads: int = 1) -> Compute:
    values = {"seed": 1, "threads": threads, "device": "cpu", "precision": precision}
    return Compute.model_validate(values)


def race(**seconds: float) -> arithmetic.Race:
    return {"machine": {}, "seconds": seconds}


@pytest.fixture
def raced(monkeypatch: pytest.MonkeyPatch) -> list[Compute]:
    """The races that were run; bfloat16 wins each."""
    runs: list[Compute] = []

    def run(asked: Compute) -> dict[str, float]:
        runs.append(asked)
        return {"float32": 0.2, "bfloat16": 0.1}

    monkeypatch.setattr(arithmetic, "_run", run)
    monkeypatch.setattr(arithmetic, "_may_multiply_bfloat16", lambda _: True)
    return runs


def test_bfloat16_is_chosen_only_where_it_is_clearly_faster() -> None:
    assert faster(race(float32=0.2, bfloat16=0.1)) == "bfloat16"
    assert faster(race(float32=0.105, bfloat16=0.1)) == "float32"
    assert faster(race(float32=0.1, bfloat16=0.16)) == "float32"
    assert faster(race(float32=0.1)) == "float32"


def test_the_outcome_is_one_line_with_both_times() -> None:
    assert in_words(race(float32=0.1, bfloat16=0.16)) == (
        "Training uses float32: a step takes 0.100 s in float32 and 0.160 s in bfloat16 here."
    )
    assert "nothing here multiplies bfloat16" in in_words(race(float32=0.1))


@pytest.mark.soak
def test_the_race_is_real_and_its_outcome_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arithmetic, "_may_multiply_bfloat16", lambda _: True)
    chosen = training_precision(tmp_path, compute())
    kept = read_json(tmp_path / "arithmetic.json")
    assert kept["seconds"]["float32"] > 0
    assert chosen == faster(kept)


def test_a_second_build_asks_the_file_and_not_the_clock(
    tmp_path: Path, raced: list[Compute]
) -> None:
    assert training_precision(tmp_path, compute()) == "bfloat16"
    kept = read_json(tmp_path / "arithmetic.json")
    write_json(tmp_path / "arithmetic.json", kept | {"seconds": {"float32": 0.1, "bfloat16": 0.3}})
    assert training_precision(tmp_path, compute()) == "float32"
    assert len(raced) == 1


def test_another_machine_and_another_number_of_threads_race_again(
    tmp_path: Path, raced: list[Compute]
) -> None:
    training_precision(tmp_path, compute())
    training_precision(tmp_path, compute(threads=2))
    kept = read_json(tmp_path / "arithmetic.json")
    write_json(
        tmp_path / "arithmetic.json", kept | {"machine": kept["machine"] | {"processor": "another"}}
    )
    training_precision(tmp_path, compute(threads=2))
    assert len(raced) == 3


def test_a_machine_that_does_not_multiply_bfloat16_needs_no_race(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = {**describe_machine(), "instruction_sets": ["avx2", "avx512f"]}
    monkeypatch.setattr(arithmetic, "describe_machine", lambda: dict(here))
    monkeypatch.setattr(sys, "executable", "/bin/false")  # a race would fail
    said: list[str] = []
    found = race_here(tmp_path, compute(), tell=said.append)
    assert (faster(found), found["seconds"]) == ("float32", {})
    assert "nothing here multiplies bfloat16" in " ".join(said)
    here["instruction_sets"] = ["avx2", "avx512_bf16"]
    with pytest.raises(PipelineError, match="exit code 1"):
        race_here(tmp_path, compute(), tell=said.append)


def test_an_arithmetic_that_was_asked_for_is_not_raced(
    tmp_path: Path, raced: list[Compute]
) -> None:
    assert training_precision(tmp_path, compute("float32")) == "float32"
    assert training_precision(tmp_path, compute("bfloat16")) == "bfloat16"
    assert raced == []


def test_a_race_that_fails_is_one_message_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arithmetic, "_may_multiply_bfloat16", lambda _: True)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(PipelineError, match="exit code 1"):
        race_here(tmp_path, compute())
    assert not (tmp_path / "arithmetic.json").exists()
