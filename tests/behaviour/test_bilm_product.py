"""The ELMo line as a product: pretrained, taught, narrowed, exported, in int8, judged, packed and served."""

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from pipeline import distill, export, pretrain, prune, quantize
from pipeline.core.files import read_json
from pipeline.core.paths import Paths
from pipeline.core.stage import Metrics
from pipeline.models.bilm_classifier import BilmForSequenceClassification
from pipeline.models.encoder import load_classifier
from pipeline.runtime.task import Task
from pipeline.runtime.text_model import TextModel
from pipeline.serving.admission import Admission
from pipeline.serving.app import create_app
from pipeline.serving.hot_swap import ModelHolder
from pipeline.text.tokenizer import save_for_transformers, token_array, train_byte_bpe
from tests.support.problems import product_of
from tests.support.trained_workspace import MAX_LENGTH, changed, run_in, texts, trained_workspace
from tests.support.whole_line import (
    LEARNING,
    SERVING,
    Product,
    clause,
    corpus_of,
    rows_of,
    run_line,
)

Line = tuple[Path, dict[str, Metrics]]
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


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Line:
    """A workspace in which a biLM went all the way, and what each stage said."""
    root = trained_workspace(tmp_path_factory)
    _byte_tokens(root)
    said: dict[str, Metrics] = {}
    for stage, run in (
        ("pretrain", pretrain.run),
        ("distill", distill.run),
        ("prune", prune.run),
        ("export", export.run),
        ("quantize", quantize.run),
    ):
        said[stage], _ = run_in(root, stage, run, *CHANGES)
    return root, said


def _byte_tokens(root: Path) -> None:
    """What prepare leaves under `prepare.tokenizer: byte_bpe`."""
    prepare, documents = root / "artifacts/prepare", texts(80, seed=2, sentences=6)
    tokenizer = train_byte_bpe(documents, vocabulary_size=320)
    save_for_transformers(tokenizer, prepare / "student_tokenizer", max_length=2 * MAX_LENGTH)
    for name, part in (("train", documents[:64]), ("heldout", documents[64:])):
        np.save(prepare / "corpus" / f"{name}.npy", token_array(tokenizer, part))
    size = sum(len(text.encode()) for text in documents[64:])
    index = {"heldout": {"documents": 16, "bytes": size}}
    (prepare / "corpus" / "index.json").write_text(json.dumps(index))


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


def test_the_runtime_answers_without_knowing_what_it_runs(product: Line) -> None:
    root, _ = product
    folder = root / "artifacts/quantize/pruned"
    params = changed(root)
    task = Task.from_settings(params.product, params.prepare)
    model = TextModel.in_folder(folder, task=task, threads=1)
    praise, blame = model.predict(
        ["the film is great and this cast was warm .", "the film is dull and this cast was slow ."]
    )
    assert (praise.label, blame.label) == ("positive", "negative")


def said_last(chance: random.Random) -> dict[str, Any]:
    """Of two clauses the second decides."""
    first, last = clause(chance), clause(chance)
    label = "positive" if last.value > 0 else "negative"
    return {"text": f"{first.text} but {last.text}", "label": label}


def test_from_raw_rows_to_a_server_that_answers_as_classifier_and_as_language_model(
    tmp_path: Path,
) -> None:
    product = Product(rows_of(600, said_last), corpus_of(80), [*product_of(), *CHANGES])
    said = run_line(tmp_path, product, {**LEARNING, **SERVING})
    assert said["distill"]["validation_accuracy"] > 0.9
    assert said["gate"]["released"].endswith("-int8")
    bundle = tmp_path / "artifacts/gate/bundle"
    certificate = read_json(bundle / "certificate.json")
    assert certificate["operators"]["operators"]["DynamicQuantizeLSTM"] == 4
    assert certificate["language_model"]["parity"]["family"] == "bilm"
    holder = ModelHolder()
    holder.load(bundle)
    app = create_app(holder, admission=Admission(workers=1, queue=4), token=None)
    with TestClient(app, base_url="http://127.0.0.1") as client:

        def ask(path: str, text: str) -> Any:
            return client.post(path, json={"text": text}).json()

        praised = ask("/predict", "the plot is bad but the cast is not awful")
        assert praised["predictions"][0]["label"] == "positive"
        cost = ask("/language/cost", "the film is good")
        assert (cost["family"], cost["is_probability"]) == ("bilm", True)
        assert ask("/language/next", "the film is")["words"]
