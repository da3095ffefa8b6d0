"""The registry, on a real MLflow database."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.core.paths import Paths
from pipeline.problem.decision import Decision
from pipeline.release.registry import Registry
from pipeline.runtime.bundle import Bundle, open_bundle
from tests.support.tiny_bundle import make_tiny_bundle, tiny_task

PRODUCT = "tiny-sentiment"
LOAD = """
import json, sys
import mlflow, pandas

mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model(f"models:/{sys.argv[2]}@champion")
asked = json.loads(sys.argv[3])
answer = model.predict(asked if isinstance(asked, list) else pandas.DataFrame(asked))
import pipeline
print(json.dumps({
    "rows": answer.to_dict("records"),
    "torch": "torch" in sys.modules,
    "code": pipeline.__file__,
    "signature": str(model.metadata.signature),
}))
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("project")


@pytest.fixture(scope="module")
def bundle(root: Path) -> Bundle:
    make_tiny_bundle(root / "bundle")
    return open_bundle(root / "bundle")


@pytest.fixture(name="registry")
def open_registry(root: Path) -> Registry:
    return Registry(root, PRODUCT)


def test_the_same_bundle_registers_one_version(registry: Registry, bundle: Bundle) -> None:
    version = registry.register(bundle, None)
    assert registry.register(bundle, None) == version == registry.version_of(bundle.hash)


def test_the_alias_can_be_set_and_removed(registry: Registry, bundle: Bundle) -> None:
    version = registry.register(bundle, None)
    registry.set_champion(version)
    assert registry.champion() == version
    registry.set_champion(None)
    registry.set_champion(None)
    assert registry.champion() is None


def test_an_unknown_product_has_no_champion(root: Path) -> None:
    assert Registry(root, "nobody-knows-it").champion() is None


def ask_champion(registry: Registry, uri: str, asked: object, *, folder: Path) -> Any:
    """What the champion answers in a process in another folder."""
    command = [sys.executable, "-W", "ignore", "-c", LOAD, uri, registry.name, json.dumps(asked)]
    loaded = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return json.loads(loaded.stdout)


def test_the_champion_loads_elsewhere_without_torch_pickle_or_the_repository(
    root: Path, registry: Registry, bundle: Bundle, tmp_path: Path
) -> None:
    registry.set_champion(registry.register(bundle, None))
    texts, uri = ["a warm funny film", "awful"], Paths(root).tracking_uri
    answer = ask_champion(registry, uri, texts, folder=tmp_path)
    first, second = answer["rows"]
    assert list(first) == ["label", "probability", "probabilities"]
    assert (first["label"], second["label"]) == ("positive", "negative")
    assert first["probability"] == first["probabilities"]["positive"]
    assert answer["torch"] is False
    assert Path(answer["code"]).is_relative_to(root / "mlartifacts")
    files = {path.suffix for path in (root / "mlartifacts").rglob("*") if path.is_file()}
    assert ".onnx" in files
    assert not files & {".pkl", ".pickle", ".bin", ".pt"}


@pytest.mark.parametrize(
    ("problem", "columns"),
    [
        ("classification", {"label", "probability", "probabilities"}),
        ("multi_label", {"labels", "probabilities", "abstained"}),
        ("regression", {"value"}),
    ],
)
def test_pairs_are_given_as_a_table_and_each_problem_has_its_columns(
    root: Path, tmp_path: Path, problem: str, columns: set[str]
) -> None:
    decision = Decision(abstain_below=0.2) if problem == "multi_label" else None
    task = tiny_task(problem, pairs=True, decision=decision)
    make_tiny_bundle(tmp_path / "bundle", task=task)
    registry = Registry(root, f"pairs-{problem}")
    registry.set_champion(registry.register(open_bundle(tmp_path / "bundle"), None))
    asked = {"text": ["the film", "a film"], "second": ["a warm funny film", "the film"]}
    answer = ask_champion(registry, Paths(root).tracking_uri, asked, folder=tmp_path)
    assert [set(row) for row in answer["rows"]] == [columns] * 2
    assert "'second': string" in answer["signature"]
    first = answer["rows"][0]
    assert first.get("label", "positive") == "positive"
    assert first.get("labels", ["positive"]) == ["positive"]
    assert first.get("value", 9.0) > 1
