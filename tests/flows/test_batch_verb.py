"""`modelyard batch`: what it answers with, where it finds the texts, and what it says."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from flows import cli
from flows.batch_verb import request_of
from pipeline.core.errors import ReleaseError
from pipeline.release.state import ReleaseState
from tests.support.repository import PARAMS, REPOSITORY
from tests.support.tiny_bundle import make_tiny_bundle

Run = Callable[..., tuple[int, str, str]]
SHORT = """
product: {name: tiny-sentiment, labels: [negative, positive]}
sources: [{name: tickets, path: tickets.csv, text_column: body, label_column: label}]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose product reads its texts from the column `body`."""
    root = tmp_path / "project"
    root.mkdir()
    for name in ("pipeline", "flows", "dvc.yaml"):
        (root / name).symlink_to(REPOSITORY / name)
    (root / "params.yaml").symlink_to(PARAMS)
    (root / "product.yaml").write_text(SHORT, encoding="utf-8")
    return root


@pytest.fixture
def modelyard(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Runs a verb in the project; gives the exit code and what was printed."""
    monkeypatch.chdir(project)
    return lambda *arguments: (cli.main(arguments), *capsys.readouterr())


def released(root: Path) -> str:
    """Makes a bundle the one that the product's pointer names; returns its hash."""
    state = ReleaseState(root, "tiny-sentiment")
    digest = make_tiny_bundle(root / "bundle")
    state.releases.mkdir(parents=True)
    (root / "bundle").rename(state.release(digest))
    state.point_to(digest)
    return digest


def test_the_released_model_answers_the_column_that_the_product_file_names(
    project: Path, modelyard: Run
) -> None:
    released(project)
    (project / "in.csv").write_text("body,label\na good film,x\n,y\n", encoding="utf-8")
    code, out, _ = modelyard("batch", "in.csv", "out.csv", "--columns", "label")
    assert code == 0
    assert "2 rows, 1 of them without an answer: the column predicted_error says why" in out
    assert "the answers begin with predicted_" in out
    head, first, second = (project / "out.csv").read_text(encoding="utf-8").splitlines()
    assert head.split(",")[:2] == ["label", "predicted_label"]
    assert first.startswith("x,positive,")
    assert second.startswith("y,,,,,an empty text")


def test_without_a_release_it_says_what_to_do(project: Path, modelyard: Run) -> None:
    (project / "in.csv").write_text("body\ngood\n", encoding="utf-8")
    code, _, said = modelyard("batch", "in.csv", "out.csv")
    assert code == 1
    assert "no released model of tiny-sentiment" in said
    assert "--bundle" in said


def test_columns_of_the_texts_are_tried_in_the_order_of_the_product_file(project: Path) -> None:
    def texts(*arguments: str) -> object:
        options = cli.parse_arguments(["batch", "in.csv", "o.csv", "--bundle", "b", *arguments])
        return request_of(project, options).texts

    assert texts() == [("body",), ("text",), ("text", "second")]
    assert texts("--second", "reply") == [("body", "reply"), ("text",), ("text", "reply")]
    assert texts("--text", "a", "--second", "b") == [("a", "b")]
    options = cli.parse_arguments(["batch", "in.csv", "o.csv"])
    with pytest.raises(ReleaseError, match="no released model"):
        request_of(project, options)


def test_ctrl_c_leaves_what_is_done_and_says_how_to_go_on(tmp_path: Path) -> None:
    make_tiny_bundle(tmp_path / "bundle")
    lines = [f"the warm film {number}" for number in range(30_000)]
    (tmp_path / "in.csv").write_text("\n".join(["text", *lines]), encoding="utf-8")
    command = [sys.executable, "-m", "flows", "batch", "in.csv", "out.csv"]
    command += ["--bundle", "bundle", "--text", "text"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    while process.poll() is None and not [*(tmp_path / "out.csv.parts").glob("*.rows")]:
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    out, said = process.communicate()
    assert process.returncode == 130
    assert "What is answered stays in out.csv.parts; the same command goes on from there." in out
    assert "Stopped. Run the same command to go on." in said
    assert [*(tmp_path / "out.csv.parts").glob("*.rows")]
    assert not (tmp_path / "out.csv").exists()
