"""The two packages of npm that run in the browser, fetched by npm at build and checked before use.

Their versions and SHA-512 stand here and nowhere else. No file of theirs is kept in this repository.
"""

import base64
import hashlib
import io
import os
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from pipeline.core.chosen_environment import chosen_environment
from pipeline.core.errors import ArtifactError
from pipeline.core.files import atomic_path
from pipeline.core.progress import say

NPM_SECONDS = 600
_INSTALL = "install Node.js 18 or newer with npm (Debian, Ubuntu: apt-get install nodejs npm)"


@dataclass(frozen=True)
class NpmPackage:
    """A package of npm in one version; `integrity` is npm's: `sha512-` and the hash in base64.

    Attributes:
        files: those that a browser needs; they have no name in common.
        licence: an SPDX identifier; `licence_file`: its text in the package, "" where that has none.
    """

    name: str
    version: str
    integrity: str
    files: tuple[str, ...]
    licence: str
    licence_file: str

    @property
    def file_name(self) -> str:
        """The name that `npm pack` gives the package's file."""
        return f"{self.name.removeprefix('@').replace('/', '-')}-{self.version}.tgz"


ONNX_RUNTIME_WEB = NpmPackage(
    name="onnxruntime-web",
    version="1.30.0",
    integrity="sha512-q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ==",
    # The build for the processor alone: half as large as those with WebGPU, which answers otherwise in int8.
    files=(
        "dist/ort.wasm.min.mjs",
        "dist/ort-wasm-simd-threaded.mjs",
        "dist/ort-wasm-simd-threaded.wasm",
    ),
    licence="MIT",
    licence_file="",
)
TOKENIZERS = NpmPackage(
    name="@huggingface/tokenizers",
    version="0.2.0",
    integrity="sha512-LidMHe1FpcSYH4vcSjXooda34pC0M8m1gmDOv7SQi6Iv+ib1zX7J3sHBCC9/3FPCkn2k1b55FneVqMRxrr99pg==",
    files=("dist/tokenizers.min.mjs",),
    licence="Apache-2.0",
    licence_file="LICENSE",
)
PACKAGES = (ONNX_RUNTIME_WEB, TOKENIZERS)


def require_node() -> None:
    """Raises ArtifactError where Node.js or npm is not installed."""
    if missing := [tool for tool in ("node", "npm") if shutil.which(tool) is None]:
        raise ArtifactError(
            f"no {' and no '.join(missing)} on this machine",
            expected="Node.js and npm, which fetch the browser's libraries and compress files",
            next_step=_INSTALL,
        )


def package_bytes(package: NpmPackage, kept: Path) -> bytes:
    """The package's file (a gzipped tar), from the folder `kept` or else from npm's registry.

    Raises:
        ArtifactError: npm does not give it, or its SHA-512 is another one.
    """
    file = kept / package.file_name
    if not file.exists():
        _fetch(package, file)
    content = file.read_bytes()
    digest = base64.b64encode(hashlib.sha512(content).digest()).decode()
    if f"sha512-{digest}" == package.integrity:
        return content
    file.unlink()
    raise ArtifactError(
        f"{package.name} {package.version} with the SHA-512 {digest}",
        expected=f"the integrity {package.integrity}",
        next_step="run it again, which fetches the file anew; if that does not help, the registry that npm "
        "is set to gives another file of that name: ask who keeps it",
    )


def files_of(package: NpmPackage, content: bytes) -> dict[str, bytes]:
    """The files that a browser needs: name without folder → bytes.

    Args:
        content: a gzipped tar that `package_bytes` has checked.
    """
    return {name.rpartition("/")[2]: _member(content, name) for name in package.files}


def licence_of(package: NpmPackage, content: bytes) -> str:
    """The text of the licence in the package; "" where it has none."""
    return _member(content, package.licence_file).decode() if package.licence_file else ""


def _member(content: bytes, name: str) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        stream = archive.extractfile(f"package/{name}")
        return b"" if stream is None else stream.read()


def _fetch(package: NpmPackage, file: Path) -> None:
    """Asks npm for the package, as the user has set it up: registry, proxy and token are its own."""
    require_node()
    said = f"{package.name}@{package.version}"
    say(f"edge  fetching {said}")
    file.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(file) as temporary:
        folder = temporary.with_suffix(".npm")
        folder.mkdir()
        try:
            command = ["npm", "pack", said, "--silent", "--ignore-scripts"]
            done = subprocess.run(
                [*command, "--pack-destination", str(folder)],
                env=chosen_environment(os.environ),
                cwd=folder,
                check=False,
                capture_output=True,
                text=True,
                timeout=NPM_SECONDS,
            )
            if done.returncode or not (folder / package.file_name).is_file():
                raise ArtifactError(
                    f"`npm pack {said}` failed: {(done.stderr or done.stdout).strip()[-400:]}",
                    expected=f"{package.file_name} from npm's registry",
                    next_step="see that `npm ping` answers (registry, proxy), then run it again",
                )
            (folder / package.file_name).replace(temporary)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
