"""A file of a bundle is read once, and only if it is a plain file."""

import os
from pathlib import Path

import pytest

from pipeline.core.errors import ArtifactError
from pipeline.core.files import sha256_file
from pipeline.runtime.file_bytes import FileBytes, bytes_of, hold_plain_file, read_plain_file


def test_a_plain_file_is_read_with_its_name_and_hash(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"weights")
    found = read_plain_file(path)
    assert found == FileBytes("model.onnx", b"weights")
    assert found.sha256 == sha256_file(path)
    assert bytes_of(found) is found
    assert bytes_of(path) == found


def test_links_folders_pipes_and_devices_are_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    for path in (*(tmp_path / name for name in ("link", "folder", "pipe")), Path("/dev/zero")):
        with pytest.raises(OSError, match=path.name):
            read_plain_file(path)
        with pytest.raises(OSError, match=path.name):
            hold_plain_file(path)
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors


def test_bytes_do_not_appear_in_messages() -> None:
    assert "weights" not in repr(FileBytes("model.onnx", b"weights"))


def test_a_held_file_gives_what_was_hashed_whatever_its_path_leads_to(tmp_path: Path) -> None:
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    path = tmp_path / "language_model.onnx"
    path.write_bytes(b"weights")
    held = hold_plain_file(path)
    assert held.sha256 == sha256_file(path)
    (tmp_path / "other").write_bytes(b"others")
    (tmp_path / "other").replace(path)
    assert held.content == held.content == b"weights"
    assert bytes_of(held) == FileBytes("language_model.onnx", b"weights")
    del held
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors


def test_a_held_file_that_was_written_into_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "language_model.onnx"
    path.write_bytes(b"weights")
    held = hold_plain_file(path)
    path.write_bytes(b"Weights")
    with pytest.raises(ArtifactError, match="was written into"):
        _ = held.content
