"""A package as `npm pack` writes one."""

import io
import tarfile
from collections.abc import Mapping


def packed_package(files: Mapping[str, bytes]) -> bytes:
    """A gzipped tar of the files, below `package/`."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()
