"""The benchmark of training: its goals, its times and its measurements."""

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch

from benchmarks.support.finetuning import Bench
from benchmarks.support.watch import Accuracy, ReachedError, Run, Watch
from benchmarks.training import race, times_faster
from pipeline.core.params import parse_params
from pipeline.training.token_rows import TokenRows
from tests.support.repository import parameter_values
from tests.support.tiny_models import tiny_classifier

NOTHING = torch.nn.Identity()


@pytest.mark.parametrize(
    ("ours", "theirs", "ratio"),
    [(50.0, 75.0, 1.5), (math.inf, 75.0, 0.0), (math.inf, math.inf, 0.0), (50.0, math.inf, None)],
    ids=["both reach the goal", "we never do", "nobody does", "they never do"],
)
def test_a_ratio_is_of_their_seconds_to_ours(
    ours: float, theirs: float, ratio: float | None
) -> None:
    assert times_faster(ours, theirs) == pytest.approx(ratio)


def figures(*accuracies: float) -> Accuracy:
    """An accuracy function that returns the given values in turn."""
    found = iter(accuracies)
    return lambda _: next(found)


def test_all_race_to_the_tuned_trainers_last_accuracy_less_half_a_point() -> None:
    curves = {
        "ours": [(10.0, 0.80), (20.0, 0.816), (30.0, 0.81)],
        "default": [(40.0, 0.817)],
        "tuned": [(15.0, 0.79), (35.0, 0.83), (55.0, 0.82)],
    }
    asked: dict[str, dict[str, Any]] = {}

    def engine(name: str) -> Any:
        def train(_: Bench, **settings: Any) -> Run:
            asked[name] = settings
            return Run(1.0, curves[name])

        return train

    engines = {name: engine(name) for name in ("ours", "default", "tuned")}
    bench = cast(Bench, SimpleNamespace(seed=1))
    reached, kept = race(engines, bench, epochs=2, evaluations=4)
    assert reached == {"ours": 20.0, "default": 40.0, "tuned": 35.0}
    assert kept == curves
    assert asked["ours"] == asked["tuned"] == {"epochs": 2, "evaluations": 4}
    assert asked["default"] == {"epochs": 3, "evaluations": 4, "until": pytest.approx(0.815)}


def test_a_training_is_stopped_at_the_first_look_that_is_good_enough() -> None:
    watch = Watch(figures(0.7, 0.8, 0.9), steps=6, evaluations=3, until=0.8)
    for _ in range(3):
        watch.after_step(NOTHING)
    with pytest.raises(ReachedError):
        watch.after_step(NOTHING)
    assert [accuracy for _, accuracy in watch.curve] == [0.7, 0.8]
    watch = Watch(figures(0.7, 0.8, 0.9), steps=6, evaluations=3)
    for _ in range(6):
        watch.after_step(NOTHING)
    assert [accuracy for _, accuracy in watch.curve] == [0.7, 0.8, 0.9]


def test_a_look_at_a_trainers_model_leaves_its_process_as_it_was(tmp_path: Path) -> None:
    rows = TokenRows([[2, 5, 3], [2, 3]], np.array([3, 2]), 0)
    shared = {"rows": rows, "validation": rows}
    labels = dict.fromkeys(("label_ids", "validation_label_ids"), np.array([0, 1]))
    bench = Bench(params=parse_params(parameter_values()), folder=tmp_path, **shared, **labels)
    kept = torch.are_deterministic_algorithms_enabled(), torch.get_num_threads()
    try:
        torch.use_deterministic_algorithms(mode=False)
        torch.set_num_threads(1)
        model = tiny_classifier().train()
        assert bench.accuracy(model) in {0.0, 0.5, 1.0}
        assert model.training
        assert not torch.are_deterministic_algorithms_enabled()
        assert torch.get_num_threads() == 1
    finally:
        torch.use_deterministic_algorithms(mode=kept[0])
        torch.set_num_threads(kept[1])
