"""The whole line on real rows, small: raw text to a served model; killed and resumed; then idle."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from flows.execution.network import free_port
from pipeline.release.state import all_states
from tests.support.prefect_database import put_database
from tests.support.whole_repo import (
    build_with_kills,
    copy_cache,
    copy_repository,
    description,
    result_of,
    run_build,
    stop,
)

PRODUCT = "movie-review-sentiment-quickstart"
KILLED_DURING = ("finetune", "gate")
ASK_MLFLOW = f"""
import json, sys, mlflow
mlflow.set_tracking_uri("sqlite:///mlflow.db")
frame = mlflow.pyfunc.load_model("models:/{PRODUCT}@champion").predict(["a fine film"])
row = frame.iloc[0].to_dict()
print(json.dumps([list(frame.columns), row, "torch" in sys.modules]))
"""

pytestmark = pytest.mark.timeout(1500)


@pytest.fixture(scope="module")
def unbroken(
    tmp_path_factory: pytest.TempPathFactory, prefect_database: Path
) -> Iterator[tuple[Path, str, int]]:
    """A clone, what its build printed, and the port of its server."""
    root, port = copy_repository(tmp_path_factory.mktemp("unbroken")), free_port()
    put_database(prefect_database, root)
    yield root, run_build(root, port=port), port
    stop(root)


def test_the_released_model_has_learned(unbroken: tuple[Path, str, int]) -> None:
    root, _, _ = unbroken
    quality = description(root)["quality"]["test"]
    assert description(root)["variant"].endswith("-int8")
    assert quality["accuracy"] > 0.56  # the majority class has about half of the rows
    assert quality["accuracy_ci95"][0] > 0.5


def test_the_server_answers_as_the_golden_requests_say(unbroken: tuple[Path, str, int]) -> None:
    root, printed, port = unbroken
    bundle = description(root)
    assert f"http://127.0.0.1:{port}" in printed
    answer = httpx.post(
        f"http://127.0.0.1:{port}/predict",
        json={"texts": [golden["text"] for golden in bundle["golden"]]},
    ).raise_for_status()
    for found, golden in zip(answer.json()["predictions"], bundle["golden"], strict=True):
        assert found["label"] == golden["label"]
        for label, probability in golden["probabilities"].items():
            assert abs(found["probabilities"][label] - probability) <= bundle["golden_tolerance"]


def test_mlflow_serves_the_champion_without_torch(unbroken: tuple[Path, str, int]) -> None:
    root, _, _ = unbroken
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ASK_MLFLOW],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    columns, row, imported_torch = json.loads(done.stdout.splitlines()[-1])
    assert columns == ["label", "probability", "probabilities"]
    assert row["probabilities"][row["label"]] == pytest.approx(row["probability"])
    assert not imported_torch
    assert not list((root / "mlartifacts").rglob("*.pkl"))


def test_mlflow_has_the_documents_of_the_build(unbroken: tuple[Path, str, int]) -> None:
    root, _, _ = unbroken
    names = {path.name for path in (root / "mlartifacts").rglob("*") if path.is_file()}
    assert {"report.html", "scorecard.json", "verdict.json", "MODEL_CARD.md"} <= names


def test_a_second_build_runs_nothing(unbroken: tuple[Path, str, int]) -> None:
    root, _, port = unbroken
    [state] = all_states(root)
    before = state.ledger.read_bytes()
    printed = run_build(root, port=port)
    assert "15 cached" in printed
    assert "Starting Prefect" not in printed
    assert state.ledger.read_bytes() == before


@pytest.mark.soak  # how a search goes is in tests/flows/test_search.py
def test_a_search_tries_recipes_on_what_is_built_and_leaves_the_best(
    unbroken: tuple[Path, str, int],
) -> None:
    root, _, _ = unbroken
    # Two recipes that differ in the last stage alone: what is searched is not compression here.
    command = [sys.executable, "-m", "flows", "search", "--profile", "quickstart"]
    command += ['compress.space={"gate.golden_requests": [6, 4]}']
    hopeless = subprocess.run(
        [*command, "product.requirements.size_mb=0.01"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert hopeless.returncode != 0
    assert "no recipe of 2 met the requirements" in hopeless.stderr
    assert "size_mb" in hopeless.stderr
    assert not (root / "profiles" / "found.yaml").exists()
    found = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    assert "passed" in found.stdout
    assert (root / "profiles" / "found.yaml").is_file()
    assert len([*(root / ".modelyard" / "search").glob("*/pareto.png")]) == 2


@pytest.mark.soak  # a small build is killed in tests/flows/test_build.py
def test_a_build_killed_twice_ends_with_the_same_result(
    unbroken: tuple[Path, str, int], prefect_database: Path, tmp_path: Path
) -> None:
    root = copy_repository(tmp_path / "killed")
    # Stages that are not killed find their results, unless a killed one has written other bytes.
    copy_cache(unbroken[0], root, without=KILLED_DURING)
    try:
        build_with_kills(KILLED_DURING, root, database=prefect_database)
        assert result_of(root) == result_of(unbroken[0])
    finally:
        stop(root)
    printed = [log.read_text() for log in (root / ".modelyard").glob("killed-*.log")]
    worked = re.findall(r"^(\w+)  started$", "\n".join(printed), re.MULTILINE)
    assert set(worked) == set(KILLED_DURING)
