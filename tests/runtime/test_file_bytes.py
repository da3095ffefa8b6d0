"""A file of a bundle is read once, and only if it is a plain file."""

import os
from pathlib import Path

import pytest

from pipeline.core.files import sha256_file
from pipeline.runtime.file_bytes import FileBytes, bytes_of, read_plain_file


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
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors


def test_bytes_do_not_appear_in_messages() -> None:
    assert "weights" not in repr(FileBytes("model.onnx", b"weights"))
