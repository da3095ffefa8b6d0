"""The baselines learn what words tell, and stop the line where words tell nothing."""

import csv
import json
import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline import baseline
from pipeline.core.artifacts.data_reports import BaselineVerdict
from pipeline.core.artifacts.table_columns import BaselinePredictions
from pipeline.core.errors import CannotBeToldError
from pipeline.core.variants import BASELINES
from pipeline.data.tables import read_table
from tests.support import small_reviews
from tests.support.problems import product_of
from tests.support.small_reviews import at, checkpoint_of, labelled, params, prepared


@pytest.fixture
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_reviews.prepared_workspace(tmp_path_factory)


def give_labels_by_chance(records: Path) -> None:
    table = pq.read_table(records)
    chance = random.Random(5)  # noqa: S311 - test data, not a secret
    drawn = [[float(chance.randrange(2))] for _ in range(table.num_rows)]
    labels = pa.array(drawn, pa.list_(pa.float64()))
    position = table.column_names.index("target")
    pq.write_table(table.set_column(position, "target", labels), records)


def test_the_baselines_learn_and_say_that_a_model_is_worth_it(workspace: Path) -> None:
    paths = at(workspace, "baseline")
    metrics = baseline.run(
        params("product.requirements.min_quality=0.0", *checkpoint_of(workspace)), paths
    )
    assert metrics["baseline-nblr"]["test"] > 0.9
    table = read_table(paths.out / "predictions.parquet")
    assert np.allclose(np.add(table["score_0"], table["score_1"]), 1)
    assert set(table["split"]) == {"validation", "test"}
    assert set(table["model"]) == set(BASELINES)
    judged = BaselineVerdict.read(paths)
    assert judged.verdict == "yes"
    assert judged.worth_a_model
    assert judged.outlook is not None
    assert len(judged.outlook.measured) >= 6
    curve = (paths.out / "learning_curve.csv").read_text()
    assert curve.startswith("step,train_quality,validation_quality\n")


def test_planted_wrong_labels_are_listed_for_people_to_look_at(workspace: Path) -> None:
    records = workspace / "artifacts/prepare/records.parquet"
    table = pq.read_table(records).to_pylist()
    train = [row for row in table if row["split"] == "train"]
    wrong = train[::20]
    for row in wrong:
        row["target"] = [1 - row["target"][0]]
        row["label"] = ("negative", "positive")[int(row["target"][0])]
    pq.write_table(pa.Table.from_pylist(table, schema=pq.read_schema(records)), records)
    paths = at(workspace, "baseline")
    metrics = baseline.run(params(*checkpoint_of(workspace)), paths)
    with (paths.out / "suspect_labels.csv").open(encoding="utf-8-sig", newline="") as stream:
        lines = [*csv.DictReader(stream)]
    assert len(lines) == metrics["suspect_labels"] >= 1
    turned = {row["id"]: row["label"] for row in wrong}
    assert {line["id"]: line["label_now"] for line in lines}.items() <= turned.items()
    assert all(line["suggested"] != line["label_now"] for line in lines)


def test_labels_of_several_people_say_how_good_a_model_can_look(workspace: Path) -> None:
    ids = read_table(workspace / "artifacts/prepare/records.parquet")["id"][:40]
    lines = ["id,annotator,label"]
    for number, row in enumerate(ids):
        second = "positive" if number % 10 else "negative"
        lines += [f"{row},kim,positive", f"{row},lee,{second}"]
    (workspace / "annotations" / "votes.csv").write_text("\n".join(lines), encoding="utf-8")
    paths = at(workspace, "baseline")
    baseline.run(params(*checkpoint_of(workspace)), paths)
    found = BaselineVerdict.read(paths).noise_ceiling
    assert found is not None
    assert found.rows == 40
    assert found.accuracy == pytest.approx((1 + 0.8**0.5) / 2)  # of 0.9 agreement


def test_labels_that_words_cannot_tell_are_an_answer_that_ends_the_build(workspace: Path) -> None:
    give_labels_by_chance(workspace / "artifacts/prepare/records.parquet")
    paths = at(workspace, "baseline")
    with pytest.raises(
        CannotBeToldError, match=r"no: cannot be told: .* from the majority"
    ) as told:
        baseline.run(params("baseline.min_gain=0.4", *checkpoint_of(workspace)), paths)
    assert told.value.is_answer
    judged = BaselineVerdict.read(paths)
    assert judged.verdict == "no: cannot be told"
    assert not judged.worth_a_model
    assert not (paths.out / "predictions.parquet").exists()


def test_a_rule_that_is_good_enough_is_told_and_the_build_may_go_on(tmp_path: Path) -> None:
    said = {"refund": "complaint", "thanks": "praise"}
    rows = [
        (f"{word} for order {number} of a {noun}", label)
        for number in range(60)
        for noun, (word, label) in zip(("lamp", "desk"), said.items(), strict=True)
    ]
    product = product_of(labels="[complaint, praise]")
    prepared(labelled(tmp_path, rows, *product), *product)
    paths = at(tmp_path, "baseline")
    metrics = baseline.run(
        params(*product, *checkpoint_of(tmp_path), "product.requirements.min_quality=0.9"), paths
    )
    judged = BaselineVerdict.read(paths)
    assert judged.verdict == metrics["verdict"] == "no: a rule does it"
    assert judged.rule is not None
    assert judged.rule.validation == 1.0
    assert (paths.out / "predictions.parquet").exists()


def words_of(text: str) -> set[str]:
    return set(text.replace(":", "").replace(".", "").split())


def warmth(text: str) -> int:
    return sum((w in small_reviews.PRAISE) - (w in small_reviews.BLAME) for w in words_of(text)) + (
        "cast" in text
    )


LINES = [text for text, _ in small_reviews.texts(160)]
NAMES = ("warm", "dull", "cast")
ROWS = {
    "multi_label": [(t, "|".join(name for name in NAMES if name in words_of(t))) for t in LINES],
    "regression": [(text, repr(float(warmth(text)))) for text in LINES],
}
LABELS = {"multi_label": "[warm, dull, cast]", "regression": "[warmth]"}


@pytest.mark.parametrize("problem", ROWS)
def test_every_problem_has_baselines_judged_by_its_own_figure(tmp_path: Path, problem: str) -> None:
    product = product_of(problem=problem, labels=LABELS[problem])
    product += ["baseline.regularisation=[1.0, 100.0]"]
    prepared(labelled(tmp_path, ROWS[problem], *product), *product)
    paths = at(tmp_path, "baseline")
    metrics = baseline.run(params(*product, *checkpoint_of(tmp_path)), paths)
    judged = json.loads((paths.out / "verdict.json").read_text())
    assert metrics["quality_metric"] == params(*product).product.requirements.quality_metric
    assert metrics["baseline-majority"]["validation"] == 0
    assert metrics["baseline-nblr"]["validation"] > 0.7
    assert metrics["quality_metric"] in judged["reason"]
    table = read_table(paths.out / "predictions.parquet")
    assert tuple(table)[:4] == BaselinePredictions.columns()
    assert {len(target) for target in table["target"]} == {3 if problem == "multi_label" else 1}
    assert ("score_2" in table) == (problem == "multi_label")
