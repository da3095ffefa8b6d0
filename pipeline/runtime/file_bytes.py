"""Reads a file once, so that the bytes that were checked are the bytes that are loaded."""

import errno
import hashlib
import os
import stat
import weakref
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from pipeline.core.errors import unusable

_CHUNK = 1_000_000


@dataclass(frozen=True)
class FileBytes:
    """A file as it was read: its name, for messages, and its bytes."""

    name: str
    content: bytes = field(repr=False)

    @cached_property
    def sha256(self) -> str:
        """Hex SHA-256 of the bytes."""
        return hashlib.sha256(self.content).hexdigest()


class HeldFile:
    """A file that stays open until its bytes are wanted, so that they take no memory before.

    Its path may lead to another file by then: this is still the one that was hashed. If somebody
    wrote into it, `content` refuses.
    """

    def __init__(self, descriptor: int, name: str) -> None:
        self.name, self._descriptor = name, descriptor
        weakref.finalize(self, os.close, descriptor)
        with os.fdopen(os.dup(descriptor), "rb", buffering=0) as stream:
            self.sha256 = hashlib.file_digest(stream, "sha256").hexdigest()

    @property
    def content(self) -> bytes:
        """The bytes, read now and compared with those that were hashed at first.

        Raises:
            ArtifactError: they are others.
        """
        found = _all_bytes(self._descriptor)
        if hashlib.sha256(found).hexdigest() != self.sha256:
            raise unusable(
                f"{self.name} was written into after it had been verified",
                expected="a release that nobody changes",
            )
        return found


Stored = FileBytes | HeldFile
"""A file of a bundle: what it holds was hashed, and `content` gives those very bytes."""


def bytes_of(file: Path | Stored) -> FileBytes:
    """The bytes of a file, read here unless they were read before."""
    if isinstance(file, FileBytes):
        return file
    return FileBytes(file.name, file.content if isinstance(file, HeldFile) else file.read_bytes())


def hold_plain_file(path: Path) -> HeldFile:
    """Opens and hashes a file for later, as `read_plain_file` does."""
    return HeldFile(_open_plain_file(path), path.name)


def read_plain_file(path: Path) -> FileBytes:
    """Reads a file that is neither a link nor a device, looking at the very file that it opened.

    Raises:
        OSError: it is missing, or something else than a plain file.
    """
    descriptor = _open_plain_file(path)
    try:
        return FileBytes(path.name, _all_bytes(descriptor))
    finally:
        os.close(descriptor)


def _open_plain_file(path: Path) -> int:
    # Without O_NONBLOCK, opening a pipe would wait for somebody to write into it.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, "not a plain file", str(path))


def _all_bytes(descriptor: int) -> bytes:
    """All bytes of an open file, wherever another thread is reading in it."""
    found = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
    while more := os.pread(descriptor, _CHUNK, len(found)):
        found += more
    return found
