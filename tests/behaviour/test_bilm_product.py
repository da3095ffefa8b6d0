"""The ELMo line as a product: pretrained, taught, narrowed, exported, in int8, answering as torch does."""

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline import distill, export, pretrain, prune, quantize
from pipeline.core.files import read_json
from pipeline.core.paths import Paths
from pipeline.core.stage import Metrics
from pipeline.models.bilm_classifier import BilmForSequenceClassification
from pipeline.models.encoder import load_classifier
from pipeline.runtime.task import Task
from pipeline.runtime.text_model import TextModel
from pipeline.text.tokenizer import save_for_transformers, token_array, train_byte_bpe
from tests.support.trained_workspace import MAX_LENGTH, changed, run_in, texts, trained_workspace

Product = tuple[Path, dict[str, Metrics]]
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
def product(tmp_path_factory: pytest.TempPathFactory) -> Product:
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


def test_it_learns_the_text_and_says_so_in_bits_a_byte(product: Product) -> None:
    said = product[1]["pretrain"]
    for direction in ("forward", "backward"):
        assert 0 < said[f"heldout_bits_per_byte_{direction}"] < 2.5


def test_the_student_and_its_narrow_copy_have_learned(product: Product) -> None:
    root, said = product
    assert said["distill"]["validation_accuracy"] > 0.9
    assert said["prune"]["validation_accuracy"] > 0.9
    assert said["prune"]["parameters"] < said["distill"]["parameters"]
    model = load_classifier(root / "artifacts/prune/model", labels=["negative", "positive"])
    assert isinstance(model, BilmForSequenceClassification)
    assert model.config.intermediate_size < 32


def test_onnx_and_int8_are_certified_with_integer_lstms(product: Product) -> None:
    paths = Paths(product[0])
    certificates = {
        stage: read_json(paths.read(stage, "certificate.json"))["models"]
        for stage in ("export", "quantize")
    }
    for model in ("student", "pruned"):
        assert certificates["export"][model]["largest_difference"] < 1e-4
        assert certificates["quantize"][model]["operators"]["DynamicQuantizeLSTM"] == 4
        assert certificates["quantize"][model]["label_agreement"] > 0.9


def test_the_runtime_answers_without_knowing_what_it_runs(product: Product) -> None:
    root, _ = product
    folder = root / "artifacts/quantize/pruned"
    params = changed(root)
    task = Task.asked(params.product, params.prepare)
    model = TextModel.in_folder(folder, task=task, threads=1)
    praise, blame = model.predict(
        ["the film is great and this cast was warm .", "the film is dull and this cast was slow ."]
    )
    assert (praise.label, blame.label) == ("positive", "negative")
