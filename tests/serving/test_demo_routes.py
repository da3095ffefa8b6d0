"""The certificate and the version for a browser, as the demo page links to them."""

import json
from pathlib import Path

import pytest

from pipeline.serving.demo_routes import DemoExtras
from pipeline.serving.options import read_options
from tests.support.server import client_of, holder_of
from tests.support.tiny_bundle import make_tiny_bundle


def test_the_certificate_is_the_bundles_own_byte_for_byte(tmp_path: Path) -> None:
    make_tiny_bundle(tmp_path / "bundle")
    with client_of(holder_of(tmp_path / "bundle")) as client:
        answer = client.get("/model/certificate")
    assert answer.headers["content-type"] == "application/json"
    assert answer.content == (tmp_path / "bundle/certificate.json").read_bytes()
    assert "model.onnx" in json.loads(answer.content)["files"]


def test_a_bundle_of_an_older_format_has_none(tmp_path: Path) -> None:
    make_tiny_bundle(tmp_path / "bundle", bundle_format=2)
    with client_of(holder_of(tmp_path / "bundle")) as client:
        answer = client.get("/model/certificate")
    assert answer.status_code == 404
    assert "certificate" in answer.json()["error"]["got"]


@pytest.fixture(name="pages")
def make_pages(tmp_path: Path) -> Path:
    folder = tmp_path / "edge"
    folder.mkdir()
    (folder / "index.html").write_text("<!doctype html><title>In your browser</title>")
    (folder / "run.wasm").write_bytes(b"\0asm")
    return folder


def test_the_browser_version_may_compile_wasm_and_no_other_page_may(
    tmp_path: Path, pages: Path
) -> None:
    make_tiny_bundle(tmp_path / "bundle")
    with client_of(holder_of(tmp_path / "bundle"), extras=DemoExtras(browser=pages)) as client:
        assert client.get("/model").json()["browser"] is True
        page, wasm, demo = (client.get(path) for path in ("/browser/", "/browser/run.wasm", "/"))
        outside = client.get("/browser/../bundle/bundle.json")
    assert "In your browser" in page.text
    assert wasm.headers["content-type"] == "application/wasm"
    ours, theirs = (each.headers["content-security-policy"] for each in (demo, page))
    assert "wasm-unsafe-eval" in theirs
    assert "default-src 'none'" in theirs
    assert "wasm-unsafe-eval" not in ours
    assert outside.status_code == 404


def test_without_the_option_there_is_no_such_folder(tmp_path: Path) -> None:
    make_tiny_bundle(tmp_path / "bundle")
    with client_of(holder_of(tmp_path / "bundle")) as client:
        assert client.get("/browser/").status_code == 404
        assert client.get("/model").json()["browser"] is False


def test_a_folder_without_a_page_is_refused_at_the_start(
    tmp_path: Path, pages: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = ["--bundle", "b"]
    assert read_options([*source, "--browser", str(pages)]).browser == pages
    with pytest.raises(SystemExit):
        read_options([*source, "--browser", str(tmp_path / "nowhere")])
    assert "index.html" in capsys.readouterr().err
