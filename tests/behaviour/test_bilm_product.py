"""The ELMo line as a product: pretrained, taught, narrowed, exported, in int8, judged, packed and served."""

import random
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from pipeline.core.files import read_json
from pipeline.core.paths import Paths
from pipeline.core.stage import Metrics
from pipeline.models.bilm_classifier import BilmForSequenceClassification
from pipeline.models.encoder import load_classifier
from pipeline.serving.app import create_app
from pipeline.serving.hot_swap import ModelHolder
from pipeline.serving.scheduler import Scheduler
from tests.support.problems import product_of
from tests.support.whole_line import STAGES, Product, clause, corpus_of, rows_of, run_line

Line = tuple[Path, dict[str, Metrics]]
pytestmark = pytest.mark.soak  # its parts: models/test_bilm.py, compression/test_bilm_onnx.py
CHANGES = [
    "prepare.tokenizer=byte_bpe",
    "pretrain.model=bilm",
    "pretrain.start=random",
    "pretrain.layers=2",
    "pretrain.hidden_size=24",
    "pretrain.feed_forward_size=32",
    "pretrain.learning_rate=1e-2",
    "distill.learning_rate=1e-2",
    "distill.epochs=6",
]


def said_last(chance: random.Random) -> dict[str, Any]:
    """Of two clauses the second decides."""
    first, last = clause(chance), clause(chance)
    label = "positive" if last.value > 0 else "negative"
    return {"text": f"{first.text} but {last.text}", "label": label}


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Line:
    """A workspace in which a biLM went from raw rows to a bundle, and what each stage said."""
    root = tmp_path_factory.mktemp("bilm")
    rows = Product(rows_of(600, said_last), corpus_of(80), [*product_of(), *CHANGES])
    return root, run_line(root, rows, STAGES)


def test_it_learns_the_text_and_says_so_in_bits_a_byte(product: Line) -> None:
    said = product[1]["pretrain"]
    for direction in ("forward", "backward"):
        assert 0 < said[f"heldout_bits_per_byte_{direction}"] < 2.5


def test_the_student_and_its_narrow_copy_have_learned(product: Line) -> None:
    root, said = product
    assert said["distill"]["validation_accuracy"] > 0.9
    assert said["prune"]["validation_accuracy"] > 0.9
    assert said["prune"]["parameters"] < said["distill"]["parameters"]
    model = load_classifier(root / "artifacts/prune/model", labels=["negative", "positive"])
    assert isinstance(model, BilmForSequenceClassification)
    assert model.config.intermediate_size < 32


def test_onnx_and_int8_are_certified_with_integer_lstms(product: Line) -> None:
    paths = Paths(product[0])
    certificates = {
        stage: read_json(paths.read(stage, "certificate.json"))["models"]
        for stage in ("export", "quantize")
    }
    for model in ("student", "pruned"):
        assert certificates["export"][model]["largest_difference"] < 1e-4
        assert certificates["quantize"][model]["operators"]["DynamicQuantizeLSTM"] == 4
        assert certificates["quantize"][model]["label_agreement"] > 0.9


def test_the_bundle_answers_in_a_server_as_classifier_and_as_language_model(product: Line) -> None:
    root, said = product
    assert said["gate"]["released"].endswith("-int8")
    bundle = root / "artifacts/gate/bundle"
    certificate = read_json(bundle / "certificate.json")
    assert certificate["operators"]["operators"]["DynamicQuantizeLSTM"] == 4
    assert certificate["language_model"]["parity"]["family"] == "bilm"
    holder = ModelHolder()
    holder.load(bundle)
    app = create_app(holder, scheduler=Scheduler(cores=1), token=None)
    with TestClient(app, base_url="http://127.0.0.1") as client:

        def ask(path: str, **asked: Any) -> Any:
            return client.post(path, json=asked).json()

        texts = [
            "the plot is bad but the cast is not awful",
            "the cast is great but the story is dull",
        ]
        answers = ask("/predict", texts=texts)["predictions"]
        assert [answer["label"] for answer in answers] == ["positive", "negative"]
        cost = ask("/language/cost", text="the film is good")
        assert (cost["family"], cost["is_probability"]) == ("bilm", True)
        assert ask("/language/next", text="the film is")["words"]
