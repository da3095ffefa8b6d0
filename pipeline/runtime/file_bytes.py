"""Reads a file once, so that the bytes that were checked are the bytes that are loaded."""

import errno
import hashlib
import os
import stat
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path


@dataclass(frozen=True)
class FileBytes:
    """A file as it was read: its name, for messages, and its bytes."""

    name: str
    content: bytes = field(repr=False)

    @cached_property
    def sha256(self) -> str:
        """Hex SHA-256 of the bytes."""
        return hashlib.sha256(self.content).hexdigest()


def bytes_of(file: Path | FileBytes) -> FileBytes:
    """The bytes of a file, read here unless they were read before."""
    return file if isinstance(file, FileBytes) else FileBytes(file.name, file.read_bytes())


def read_plain_file(path: Path) -> FileBytes:
    """Reads a file that is neither a link nor a device, looking at the very file that it opened.

    Raises:
        OSError: it is missing, or something else than a plain file.
    """
    # Without O_NONBLOCK, opening a pipe would wait for somebody to write into it.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a plain file", str(path))
        with open(descriptor, "rb", closefd=False) as stream:
            return FileBytes(path.name, stream.read())
    finally:
        os.close(descriptor)
