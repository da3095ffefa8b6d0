"""evaluate compares every variant on validation, and scores test only where it may."""

import csv

import pyarrow.parquet as pq
import pytest

from pipeline import evaluate
from pipeline.core.artifacts.table_columns import VariantPredictions
from pipeline.core.files import read_json, sha256_tree
from pipeline.core.variants import BASELINES, variants_in
from tests.support.tiny_workspace import at, compressed_workspace

KINDS = {"works": {"film": ["film"], "story": ["story"]}, "rare": {"a": ["nowhere"], "b": ["here"]}}


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory):
    params, paths = compressed_workspace(tmp_path_factory)
    # The tiny models know few words: these stand for groups of people.
    product = params.product.model_copy(update={"identity_terms": {"English": KINDS}})
    params = params.model_copy(update={"product": product})
    metrics = evaluate.run(params, at(paths, "evaluate"))
    return params, paths, metrics


def test_test_rows_are_scored_for_baselines_and_teacher_alone(evaluated) -> None:
    _, paths, _ = evaluated
    entries = read_json(paths.read("evaluate", "variants.json"))["variants"]
    assert {e["name"] for e in entries} == {*BASELINES, *(v.name for v in variants_in(paths))}
    scored = {entry["name"] for entry in entries if "test" in entry["quality"]}
    assert scored == {*BASELINES, "teacher-torch"}
    table = pq.read_table(paths.read("evaluate", "predictions.parquet"))
    assert (*table.column_names,)[:4] == VariantPredictions.columns()
    rows = table.to_pylist()
    assert {row["variant"] for row in rows if row["split"] == "test"} == scored


def test_the_teacher_agrees_with_itself_and_onnx_with_torch(evaluated) -> None:
    _, paths, _ = evaluated
    by_name = {e["name"]: e for e in read_json(paths.read("evaluate", "variants.json"))["variants"]}
    assert by_name["teacher-torch"]["agreement"] == 1.0
    assert by_name["teacher-torch"]["difference_to_teacher"]["interval"] == [0.0, 0.0]
    for model in ("teacher", "student", "pruned"):
        torch, onnx = by_name[f"{model}-torch"], by_name[f"{model}-fp32"]
        assert onnx["quality"]["validation"] == torch["quality"]["validation"]
        assert by_name[f"{model}-int8"]["size_bytes"] < onnx["size_bytes"]
    assert by_name["baseline-nblr"]["size_bytes"] is None


def test_small_slices_are_listed_without_figures(evaluated) -> None:
    _, paths, _ = evaluated
    entry = read_json(paths.read("evaluate", "variants.json"))["variants"][0]
    for part in entry["slices"]:
        assert (part["gap"] is None) == (part["rows"] < 5)
        if part["gap"] is not None:
            low, high = part["interval"]
            assert low <= part["gap"] <= high


def test_onnx_variants_are_asked_again_with_groups_of_people_exchanged(evaluated) -> None:
    _, paths, _ = evaluated
    for entry in read_json(paths.read("evaluate", "variants.json"))["variants"]:
        kinds = {(swap["language"], swap["kind"]) for swap in entry["swaps"]}
        is_served = entry["name"].endswith(("-fp32", "-int8"))
        assert kinds == ({("English", "works")} if is_served else set())
        for swap in entry["swaps"]:
            assert swap["rows"] > 20
            assert 0 < swap["interval"][0] < swap["gap"] < swap["interval"][1] < 1
            assert 0 <= swap["changed"] <= swap["rows"]


def test_the_confusion_table_has_one_line_a_validation_row(evaluated) -> None:
    _, paths, _ = evaluated
    with paths.read("evaluate", "confusion.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 60
    assert {row["predicted"] for row in rows} <= {"negative", "positive"}


def test_a_second_run_has_the_same_bytes_pictures_included(evaluated) -> None:
    params, paths, metrics = evaluated
    before = sha256_tree(paths.output("evaluate"))
    assert evaluate.run(params, at(paths, "evaluate")) == metrics
    assert sha256_tree(paths.output("evaluate")) == before
    pictures = sorted(file.name for file in (paths.output("evaluate") / "plots").iterdir())
    assert pictures == ["confusion.png", "quality_by_size.png", "slices.png"]
