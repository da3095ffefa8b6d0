"""Rounds count while the processor has its usual speed; patience with a slow one ends."""

import math
from pathlib import Path

import pytest

from pipeline.core.files import read_json, write_json
from pipeline.metrics.processor_speed import SteadySpeed, keep_speed, known_speed


class Processor:
    """A clock on which the arithmetic takes as long as a test says."""

    def __init__(self, *, best_ms: float = math.inf, patience: float = 10.0) -> None:
        self.now = 0.0
        self.milliseconds = 1.0
        self.said: list[str] = []
        self.speed = SteadySpeed(
            best_ms, patience, self.said.append, work=self.work, clock=lambda: self.now
        )

    def work(self) -> None:
        self.now += self.milliseconds / 1000

    def round(self, milliseconds: float, *, seconds: float = 2.0) -> bool:
        """A round at a speed: what is measured takes most of it."""
        self.milliseconds = milliseconds
        self.speed.request()
        self.now += seconds
        return self.speed.was_steady()


def test_rounds_of_one_speed_count_and_the_best_is_learned() -> None:
    processor = Processor()
    assert [processor.round(ms) for ms in (1.0, 1.04, 0.98, 1.02)] == [True] * 4
    assert math.isclose(processor.speed.best_ms, 0.98)
    assert processor.said == []


def test_a_slow_round_does_not_count_also_against_a_speed_of_an_earlier_measurement() -> None:
    processor = Processor(best_ms=1.0)
    assert [processor.round(ms) for ms in (1.2, 1.0, 1.1, 1.0)] == [False, True, False, True]
    assert "83% of the speed" in processor.said[0]


def test_patience_ends_and_its_start_and_end_are_said() -> None:
    processor = Processor(best_ms=1.0, patience=5.0)
    assert [processor.round(1.5) for _ in range(5)] == [False, False, True, True, True]
    assert "measured as it is" in processor.said[-1]
    assert len(processor.said) == 2


def test_a_known_speed_is_of_one_start_of_the_machine(tmp_path: Path) -> None:
    assert known_speed(tmp_path) == math.inf
    keep_speed(tmp_path, 0.5)
    assert known_speed(tmp_path) == 0.5
    file = tmp_path / "speed.json"
    write_json(file, read_json(file) | {"boot": "another"})
    assert known_speed(tmp_path) == math.inf


@pytest.mark.parametrize("kept", ["", "[]", "{}", '{"boot": 1, "arithmetic_ms": "fast"}'])
def test_a_file_that_holds_no_speed_is_none(tmp_path: Path, kept: str) -> None:
    (tmp_path / "speed.json").write_text(kept, encoding="utf-8")
    assert known_speed(tmp_path) == math.inf
