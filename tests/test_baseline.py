"""The baselines learn what words tell, and stop the line where words tell nothing."""

import json
import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline import baseline
from pipeline.core.errors import DataError
from pipeline.data.tables import read_table
from tests.support.small_reviews import at, params, prepared_workspace


@pytest.fixture
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared_workspace(tmp_path_factory)


def give_labels_by_chance(records: Path) -> None:
    table = pq.read_table(records)
    chance = random.Random(5)  # noqa: S311 - test data, not a secret
    labels = pa.array([chance.randrange(2) for _ in range(table.num_rows)], pa.int64())
    position = table.column_names.index("label_id")
    pq.write_table(table.set_column(position, "label_id", labels), records)


def test_the_baselines_learn_and_say_that_a_model_is_worth_it(workspace: Path) -> None:
    paths = at(workspace, "baseline")
    metrics = baseline.run(params(), paths)
    assert metrics["baseline-nblr"]["test"] > 0.9
    table = read_table(paths.out / "predictions.parquet")
    totals = np.array(table["probability_0"]) + np.array(table["probability_1"])
    assert np.allclose(totals, 1)
    assert set(table["split"]) == {"validation", "test"}
    assert len(set(table["model"])) == 3
    assert json.loads((paths.out / "verdict.json").read_text())["worth_a_model"]
    curve = (paths.out / "learning_curve.csv").read_text().splitlines()
    assert curve[0] == "step,train_accuracy,validation_accuracy"


def test_labels_that_words_cannot_tell_stop_the_line(workspace: Path) -> None:
    give_labels_by_chance(workspace / "artifacts/prepare/records.parquet")
    with pytest.raises(DataError, match="from the majority class"):
        baseline.run(params("baseline.min_gain=0.4"), at(workspace, "baseline"))
    assert not (workspace / "artifacts/baseline/verdict.json").exists()
