"""Swaps under load are measured on a real server that follows a pointer."""

import os
from pathlib import Path

import pytest

from benchmarks.support import serving_swaps
from benchmarks.support.serving_field import Conditions
from benchmarks.support.traffic import Traffic
from tests.support.repository import REPOSITORY
from tests.support.tiny_bundle import EXAMPLES, make_tiny_bundle


def conditions_of(bundle: Path) -> Conditions:
    core = min(os.sched_getaffinity(0))
    return Conditions(
        root=REPOSITORY,
        bundle=bundle,
        traffic=Traffic(mixed=EXAMPLES, short=EXAMPLES, long=EXAMPLES),
        rounds=1,
        seconds=0.2,
        server_core=core,
        generator_core=core,
    )


def test_every_answer_between_swaps_is_of_the_bundle_that_it_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_tiny_bundle(tmp_path)
    small = {"_SWAPS": 3, "_REQUESTS": 300, "_MEMORY_SWAPS": 4, "_MEMORY_FIRST": 2}
    for name, value in small.items():
        monkeypatch.setattr(serving_swaps, name, value)
    found = serving_swaps.measure(conditions_of(tmp_path))
    assert found.figures["requests"] >= 300
    assert found.figures["failed"] == found.figures["wrong_versions"] == 0
    # On a busy machine the load may end before the last swap is seen.
    assert 1 <= found.figures["swaps_seen"] <= 3
    assert {"p99_ratio", "memory_growth_mb"} <= found.figures.keys()
