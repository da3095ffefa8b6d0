"""The folder is written whole, names every file with its hash, and holds nothing of another origin."""

import base64
import gzip
import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.core.errors import ArtifactError
from pipeline.edge.browser_folder import (
    HEADERS,
    nginx_settings,
    verify_browser_folder,
    write_browser_folder,
)
from pipeline.edge.npm_packages import PACKAGES
from pipeline.runtime.bundle import Bundle, open_bundle
from tests.support.node import needs_node
from tests.support.packed_package import packed_package
from tests.support.tiny_bundle import make_tiny_bundle

WASM = b"\0asm" * 1000
pytestmark = needs_node


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Small packages in the place of npm's, pinned to their own hashes."""
    folder = tmp_path / "kept"
    folder.mkdir()
    pinned = []
    for package in PACKAGES:
        content = packed_package(dict.fromkeys((*package.files, "LICENSE"), WASM))
        digest = base64.b64encode(hashlib.sha512(content).digest()).decode()
        (folder / package.file_name).write_bytes(content)
        pinned.append(replace(package, integrity=f"sha512-{digest}"))
    monkeypatch.setattr("pipeline.edge.browser_folder.PACKAGES", pinned)
    return folder


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    make_tiny_bundle(tmp_path / "bundle")
    return open_bundle(tmp_path / "bundle")


def test_every_file_is_named_with_its_hash(tmp_path: Path, bundle: Bundle, kept: Path) -> None:
    written = write_browser_folder(bundle, tmp_path / "out", kept_packages=kept)
    out = written.folder
    listed = json.loads((out / "files.js").read_text().removeprefix("self.RELEASE = ")[:-2])
    for name, file in listed["files"].items():
        content = (out / name).read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (
            file["sha256"],
            file["bytes"],
        )
    assert len(listed["files"]) == written.files
    others = {"files.js", "offline_files.js", "nginx.conf", "manifest.json"}
    plain = {path.name for path in out.iterdir() if path.suffix not in (".br", ".gz")}
    assert plain == {*listed["files"], *others}
    assert (out / "model.onnx").read_bytes() == bundle.model.content
    assert verify_browser_folder(out) == bundle.hash


def test_compressed_files_are_those_files(tmp_path: Path, bundle: Bundle, kept: Path) -> None:
    written = write_browser_folder(bundle, tmp_path / "out", kept_packages=kept)
    packed = [*written.folder.glob("*.gz")]
    assert packed
    for path in packed:
        assert gzip.decompress(path.read_bytes()) == path.with_suffix("").read_bytes()
        assert path.stat().st_size < path.with_suffix("").stat().st_size
    assert written.sent < written.bytes


def test_the_page_names_its_scripts_and_styles_by_their_hash(
    tmp_path: Path, bundle: Bundle, kept: Path
) -> None:
    out = write_browser_folder(bundle, tmp_path / "out", kept_packages=kept).folder
    page = (out / "index.html").read_text()
    named = re.findall(r'(?:href|src)="([\w.]+)"[^>]* integrity="sha256-([^"]+)"', page)
    assert {name for name, _ in named} == {"style.css", "device_page.css", "first_load.js"}
    for name, digest in named:
        assert hashlib.sha256((out / name).read_bytes()).digest() == base64.b64decode(digest)
    assert "{" not in page


def test_no_file_of_ours_names_another_origin(tmp_path: Path, bundle: Bundle, kept: Path) -> None:
    out = write_browser_folder(bundle, tmp_path / "out", kept_packages=kept).folder
    pages = [path for path in out.iterdir() if path.suffix in (".js", ".css", ".html")]
    assert [
        path.name for path in pages if re.search(r"https?://\w|//\w+\.\w", path.read_text())
    ] == []


def test_the_same_bundle_gives_the_same_folder(tmp_path: Path, bundle: Bundle, kept: Path) -> None:
    one, two = (
        write_browser_folder(bundle, tmp_path / name, kept_packages=kept).folder
        for name in ("one", "two")
    )
    assert (one / "manifest.json").read_bytes() == (two / "manifest.json").read_bytes()
    write_browser_folder(bundle, one, kept_packages=kept)
    assert verify_browser_folder(one) == bundle.hash


def test_a_folder_of_somebody_else_is_left_alone(
    tmp_path: Path, bundle: Bundle, kept: Path
) -> None:
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(ArtifactError, match="which holds other files"):
        write_browser_folder(bundle, tmp_path, kept_packages=kept)
    assert (tmp_path / "note.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ["model.onnx", "engine.js.br", "files.js"])
def test_an_altered_file_is_found(tmp_path: Path, bundle: Bundle, kept: Path, name: str) -> None:
    out = write_browser_folder(bundle, tmp_path / "out", kept_packages=kept).folder
    (out / name).write_bytes(b"altered")
    with pytest.raises(ArtifactError, match=re.escape(name)):
        verify_browser_folder(out)


def test_the_settings_for_nginx_send_the_same_headers() -> None:
    settings = nginx_settings()
    for name, value in HEADERS.items():
        assert f'add_header {name} "{value}" always;' in settings
    assert "application/wasm wasm;" in settings
