"""`modelyard edge`: which bundle it takes, what it says at the end, and how it exits."""

import argparse
import json
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from flows import edge
from flows.cli import parse_arguments
from pipeline.core.errors import ArtifactError, ReleaseError
from pipeline.core.files import sha256_file, write_json
from pipeline.edge import edge_build
from pipeline.edge.browser_folder import WrittenFolder
from pipeline.edge.edge_build import NO_BROWSER, EdgeRequest, build_edge
from pipeline.release.state import ReleaseState
from tests.edge.test_parity_report import PARITY
from tests.support.tiny_bundle import make_tiny_bundle

PRODUCT = "tiny-sentiment"


def options(out: Path, *more: str) -> argparse.Namespace:
    return parse_arguments(["edge", "--out", str(out), "--product", PRODUCT, *more])


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Node.js is not asked; the folder is as if it had been written."""

    def write(bundle: object, folder: Path, *, kept_packages: Path) -> WrittenFolder:
        folder.mkdir()
        return WrittenFolder(folder, files=25, bytes=15_000_000, sent=3_500_000)

    monkeypatch.setattr(edge_build, "require_node", lambda: None)
    monkeypatch.setattr(edge_build, "write_browser_folder", write)


def test_the_bundle_in_production_is_taken(tmp_path: Path) -> None:
    state = ReleaseState(tmp_path, PRODUCT)
    bundle_hash = make_tiny_bundle(tmp_path / "bundle")
    state.releases.mkdir(parents=True)
    (tmp_path / "bundle").rename(state.release(bundle_hash))
    state.point_to(bundle_hash)
    assert edge.released_bundle(tmp_path, PRODUCT) == state.release(bundle_hash)


def test_without_a_release_it_is_said_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="no released model of tiny-sentiment"):
        edge.write_edge(tmp_path, options(tmp_path / "out"))


def test_without_a_browser_the_report_says_that_nothing_was_compared(
    tmp_path: Path,
    written: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_tiny_bundle(tmp_path / "bundle")
    monkeypatch.setattr(edge_build, "find_chromium", lambda: None)
    asked = options(tmp_path / "out", "--bundle", str(tmp_path / "bundle"))
    assert edge.write_edge(tmp_path, asked) == 0
    assert f"NOT CHECKED, {NO_BROWSER}" in capsys.readouterr().out
    report = json.loads((tmp_path / "out" / "parity.json").read_text())
    assert report == {"checked": False, "why": NO_BROWSER}


@pytest.mark.parametrize(
    ("golden", "code", "words"), [((3, 3), 0, "the same"), ((2, 3), 1, "IT DIFFERS")]
)
def test_a_browser_that_answers_otherwise_is_exit_code_1(
    tmp_path: Path,
    written: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    golden: tuple[int, int],
    code: int,
    words: str,
) -> None:
    make_tiny_bundle(tmp_path / "bundle")
    monkeypatch.setattr(edge_build, "find_chromium", lambda: "/a/browser")
    found = replace(PARITY, golden=golden)
    monkeypatch.setattr(edge_build, "check_parity", lambda *args, **named: found)
    asked = options(tmp_path / "out", "--bundle", str(tmp_path / "bundle"))
    assert edge.write_edge(tmp_path, asked) == code
    said = capsys.readouterr().out
    assert words in said
    assert "3.50 MB travel" in said
    assert json.loads((tmp_path / "out" / "parity.json").read_text())["passed"] is (code == 0)


def test_a_machine_without_node_is_told_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    request = EdgeRequest(
        bundle=tmp_path,
        out=tmp_path / "out",
        kept_packages=tmp_path / "npm",
        texts=None,
        sentences=1,
        hostile=1,
        check=True,
    )
    with pytest.raises(ArtifactError, match="no node and no npm"):
        build_edge(request)
    assert not (tmp_path / "out").exists()


def test_a_folder_is_checked_before_it_is_served_and_a_port_in_use_is_named(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("page")
    digest = sha256_file(tmp_path / "index.html")
    write_json(tmp_path / "manifest.json", {"bundle": "0" * 64, "files": {"index.html": digest}})
    with socket.create_server(("127.0.0.1", 0)) as taken:
        with pytest.raises(ReleaseError, match="port"):
            edge.serve_folder(tmp_path, taken.getsockname()[1])
        (tmp_path / "index.html").write_text("altered")
        with pytest.raises(ArtifactError, match="missing or altered"):
            edge.serve_folder(tmp_path, taken.getsockname()[1])


@pytest.mark.parametrize("word", ["0", "-1", "many"])
def test_a_number_that_is_none_is_refused(tmp_path: Path, word: str) -> None:
    with pytest.raises(SystemExit):
        options(tmp_path, "--sentences", word)
