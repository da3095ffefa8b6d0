"""Pairs, several labels and numbers, from trained models to a bundle that answers."""

from typing import Any

import pytest

from pipeline import evaluate, gate, measure
from pipeline.acceptance.predictions import read_answers
from pipeline.core.files import read_json
from pipeline.core.params import Params, override, parse_params
from pipeline.core.paths import Paths
from pipeline.problem.decision import Decision
from pipeline.runtime.bundle import open_bundle
from pipeline.runtime.text_model import TextModel
from tests.support.problems import MULTI_LABEL, PAIRS, REGRESSION
from tests.support.tiny_workspace import at, compressed_workspace

EASY = [
    "product.requirements.min_quality=0.0",
    "product.requirements.max_quality_drop=1.0",
    "product.requirements.latency_p95_ms=1000.0",
    "product.requirements.size_mb=50.0",
    "product.requirements.memory_mb=2000.0",
    "product.requirements.max_slice_gap=1.0",
    "product.requirements.max_swap_gap=1.0",
    "evaluate.resamples=20",
]
FITTED = ["evaluate.thresholds=fitted", "evaluate.abstain_quality=0.2"]
PRODUCTS = {
    "pairs": [*PAIRS, "product.requirements.quality_metric=macro_f1", "prepare.window_stride=6"],
    "multi_label": [*MULTI_LABEL, *FITTED],
    "regression": [*REGRESSION, "prepare.window_stride=8"],
}
Built = tuple[str, Params, Paths]


FORMS = [pytest.param(name, marks=[pytest.mark.soak] * (name != "regression")) for name in PRODUCTS]


@pytest.fixture(scope="module", params=FORMS, name="built")
def build(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """A workspace in which all stages from export to gate have run."""
    name: str = request.param
    params, paths = compressed_workspace(tmp_path_factory, PRODUCTS[name])
    values = override(params.model_dump(by_alias=True), EASY)
    params = parse_params(values)
    for stage, run in {"evaluate": evaluate.run, "measure": measure.run, "gate": gate.run}.items():
        run(params, at(paths, stage))
    return name, params, paths


def test_the_bundle_says_what_is_asked_and_answers_its_golden_requests(built: Built) -> None:
    _, params, paths = built
    bundle = open_bundle(paths.read("gate", "bundle"))
    described = bundle.description
    assert described.task.problem == params.product.problem
    assert described.task.pairs == params.product.pairs
    assert described.quality_metric == params.product.requirements.quality_metric
    model = TextModel.from_bundle(bundle, threads=1)
    assert described.segments == model.segments == params.product.pairs
    assert bundle.description.golden_differences(model.answer) == []
    assert model.predict(described.examples)
    assert (described.scale is not None) == (params.product.problem == "regression")


def test_every_variant_is_judged_by_the_products_figure(built: Built) -> None:
    _, params, paths = built
    metric = params.product.requirements.quality_metric
    entries = read_json(paths.read("gate", "scorecard.json"))["variants"]
    for entry in entries:
        low, high = entry["quality"]["validation"][f"{metric}_ci95"]
        assert low <= high
        assert -1 <= entry["quality"]["validation"][metric] <= 1
    by_name = {entry["name"]: entry for entry in entries}
    assert by_name["teacher-fp32"]["agreement"] == pytest.approx(1.0)
    assert by_name["teacher-torch"]["difference_to_teacher"]["value"] == 0.0
    verdict = read_json(paths.read("gate", "verdict.json"))
    assert verdict["checks"][0]["unit"] == metric
    assert metric in read_json(paths.output("evaluate") / "variants.json")["variants"][0]["quality"][
        "validation"
    ]  # fmt: skip


def test_torch_and_onnx_score_alike_windows_and_pairs_included(built: Built) -> None:
    _, _, paths = built
    answers = read_answers(paths.read("evaluate", "predictions.parquet"))
    for model in ("teacher", "student"):
        torch, onnx = (
            answers[f"{model}-{kind}", "validation"].scores for kind in ("torch", "fp32")
        )
        assert abs(torch - onnx).max() < 1e-4 * max(1.0, abs(torch).max() / 100)


def test_the_card_tells_the_answers_the_figure_and_how_it_decides(built: Built) -> None:
    name, params, paths = built
    card = (paths.read("gate", "bundle") / "MODEL_CARD.md").read_text(encoding="utf-8")
    parts = {
        "pairs": ["pair of short texts", "Macro F1 on test", "windows of that length, 6 tokens"],
        "multi_label": ["any of a, b, c, or none", "Micro F1", "## How it decides", "abstains"],
        "regression": ["a number: stars", "Pearson", "closeness", "windows of that length"],
    }[name]
    for part in parts:
        assert part in card, part
    assert ("## How it decides" in card) == (params.evaluate.thresholds == "fitted")


def test_each_problem_has_its_picture(built: Built) -> None:
    name, _, paths = built
    pictures = {file.name for file in (paths.output("evaluate") / "plots").iterdir()}
    own = {"pairs": "confusion.png", "multi_label": "labels.png", "regression": "found_by_gold.png"}
    assert pictures == {own[name], "slices.png", "quality_by_size.png"}
    table = (paths.output("evaluate") / "confusion.csv").read_text(encoding="utf-8")
    assert table.startswith("actual,predicted\n")
    assert len(table.splitlines()) > 30


def test_the_fitted_decision_is_that_of_evaluate_and_is_served(built: Built) -> None:
    name, params, paths = built
    bundle = open_bundle(paths.read("gate", "bundle"))
    evaluated: dict[str, Any] = {
        e["name"]: e for e in read_json(paths.read("evaluate", "variants.json"))["variants"]
    }
    decision = Decision.of(evaluated[bundle.description.variant]["decision"])
    assert bundle.task.decision == decision
    fitted = params.evaluate.thresholds == "fitted"
    assert (decision.thresholds is not None) == fitted == (name == "multi_label")
    if fitted:
        released = bundle.description.answered
        assert released is not None
        assert set(released) == {"validation", "test"}
        assert 0 < released["validation"]["share"] <= 1


def test_the_certificate_leaves_out_what_a_problem_does_not_have(built: Built) -> None:
    name, _, paths = built
    certificate = read_json(paths.read("gate", "bundle", "certificate.json"))
    invariance = certificate["batch_invariance"]
    assert (certificate["calibration"] is None) == (name == "regression")
    assert (invariance["batched"]["padded"]["flips"] is None) == (name == "regression")
    assert (invariance["passed"], invariance["served"]) == (True, "alone")
    # A pair cannot be made up from single sentences: validation stands in.
    corpus = 0 if name == "pairs" else 30
    assert invariance["from"] == {"corpus": corpus, "validation": 40 - corpus}
