"""Compresses files as web servers send them: a `.br` (Brotli) and a `.gz` beside each that gets smaller.

Node.js brings Brotli; Python has none of its own.
"""

import gzip
import os
import subprocess
from pathlib import Path

from pipeline.core.chosen_environment import chosen_environment
from pipeline.core.errors import ArtifactError

BROTLI_SECONDS = 600
_WORTH_IT = 0.95
"""A file that is hardly smaller stays as it is."""
_SCRIPT = Path(__file__).parent / "static" / "brotli_files.mjs"


def compress(folder: Path) -> None:
    """Writes the compressed files of all files directly in a folder.

    Raises:
        ArtifactError: Node.js failed.
    """
    files = sorted(path for path in folder.iterdir() if path.is_file())
    _write_brotli(files)
    for file in files:
        content = file.read_bytes()
        _keep_smaller(file, ".br")
        packed = file.with_name(f"{file.name}.gz")
        packed.write_bytes(gzip.compress(content, mtime=0))
        _keep_smaller(file, ".gz")


def sent_bytes(file: Path) -> int:
    """Bytes that travel to a browser which takes Brotli."""
    packed = file.with_name(f"{file.name}.br")
    return (packed if packed.exists() else file).stat().st_size


def _keep_smaller(file: Path, ending: str) -> None:
    packed = file.with_name(f"{file.name}{ending}")
    if packed.stat().st_size >= _WORTH_IT * file.stat().st_size:
        packed.unlink()


def _write_brotli(files: list[Path]) -> None:
    done = subprocess.run(
        ["node", str(_SCRIPT), *map(str, files)],
        env=chosen_environment(os.environ) | {"NODE_OPTIONS": ""},
        check=False,
        capture_output=True,
        text=True,
        timeout=BROTLI_SECONDS,
    )
    if done.returncode:
        raise ArtifactError(
            f"Node.js did not compress: {done.stderr.strip()[-400:]}",
            expected=f"a .br of each of {len(files)} files",
            next_step="see that `node --version` says 18 or more",
        )
