"""Says which code a server runs, by content: a changed clock or a fresh checkout changes nothing."""

import hashlib
from pathlib import Path

from pipeline.core.files import sha256_file

CODE = Path(__file__).resolve().parents[2]
FOLDERS = (
    "pipeline/core",
    "pipeline/judge",
    "pipeline/problem",
    "pipeline/runtime",
    "pipeline/serving",
    "pipeline/web",
)
"""Folders with the code that a server runs."""
_ENDINGS = (".py", ".html", ".js", ".css")


def served_code(code: Path = CODE) -> str:
    """SHA-256 over the code that a server runs, and the versions of its libraries."""
    digest = hashlib.sha256()
    files = [p for f in FOLDERS for p in (code / f).rglob("*") if p.suffix in _ENDINGS]
    for path in sorted([*files, *code.glob("constraints.txt")]):
        name = path.relative_to(code).as_posix()
        digest.update(f"{name}\0{sha256_file(path)}\n".encode())
    return digest.hexdigest()
