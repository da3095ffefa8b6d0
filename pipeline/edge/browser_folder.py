"""Writes the static folder in which a bundle runs in the browser: page, model, libraries, and their hashes.

`files.js` names every file with its SHA-256, for the service worker that compares them; `manifest.json`
names every file of the folder, for whoever copies it. docs/guide/browser.md describes both.
"""

import base64
import html
import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import onnxruntime

from pipeline.core.errors import ArtifactError
from pipeline.core.files import atomic_folder, sha256_file, write_json
from pipeline.edge.compressed_files import compress, sent_bytes
from pipeline.edge.folder_server import INDEX, content_type
from pipeline.edge.model_files import model_files
from pipeline.edge.npm_packages import PACKAGES, files_of, licence_of, package_bytes
from pipeline.runtime.bundle import Bundle

MANIFEST = "manifest.json"
WORKER_FILES = "files.js"
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'"
)
"""The content security policy: nothing of another origin, and WebAssembly allowed."""
HEADERS: Mapping[str, str] = {
    "content-security-policy": f"{POLICY}; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "public, max-age=3600",
}
"""What a server should send with each file; the service worker does, once it has them."""
_STATIC = Path(__file__).parent / "static"
_DEMO_PAGE = Path(__file__).parents[1] / "serving" / "static"
_PAGE = "device_page.html"
_SERVICE_WORKER = "offline_files.js"
_OURS = (
    *("first_load.js", "device_page.js", "device_page.css", "device_phrases.js", "engine.js"),
    *("predictions.js", "text_cleaning.js", "markup_patterns.js", "joiners.js", "token_rows.js"),
    "word_parts.js",
)
_ENDINGS = ("html", "css", "js", "mjs", "json", "wasm", "svg", "txt", "md", "onnx")
_SHARED = ("style.css", "icon.svg")
_CHECKED_BY_PAGE = ("style.css", "device_page.css", "first_load.js")


@dataclass(frozen=True)
class WrittenFolder:
    """A folder that was written.

    Attributes:
        bytes: of all files that a browser keeps; `sent`: as they travel in Brotli.
    """

    folder: Path
    files: int
    bytes: int
    sent: int


def write_browser_folder(bundle: Bundle, folder: Path, *, kept_packages: Path) -> WrittenFolder:
    """Writes the folder, whole or not at all; one that an earlier call wrote is replaced.

    Args:
        kept_packages: where the packages of npm are kept between two calls.

    Raises:
        ArtifactError: there is another folder, npm or Node.js is missing, or the model cannot run.
    """
    _refuse_foreign(folder)
    files = {**model_files(bundle), **_page_files(), **_library_files(kept_packages)}
    with atomic_folder(folder) as temporary:
        for name, content in files.items():
            (temporary / name).write_bytes(content)
        compress(temporary)
        sent = sum(sent_bytes(temporary / name) for name in files)
        sizes = {
            "files": len(files) + 1,
            "bytes": sum(map(len, files.values())),
            "compressed": sent,
        }
        files["sizes.json"] = json.dumps(sizes).encode()
        (temporary / "sizes.json").write_bytes(files["sizes.json"])
        for name, content in _worker_files(files).items():
            (temporary / name).write_bytes(content)
        (temporary / "nginx.conf").write_text(nginx_settings(), encoding="utf-8")
        written = {path.name: sha256_file(path) for path in sorted(temporary.iterdir())}
        write_json(temporary / MANIFEST, {"bundle": bundle.hash, "files": written})
    return WrittenFolder(folder, len(files), sum(map(len, files.values())), sent)


def nginx_settings() -> str:
    """The part of an nginx server that sends the folder as it should be sent."""
    headers = "".join(
        f'    add_header {name} "{value}" always;\n' for name, value in HEADERS.items()
    )
    types = "".join(
        f"        {content_type(f'.{ending}').partition(';')[0]} {ending};\n" for ending in _ENDINGS
    )
    return (
        "# Put this inside `server { … }`; the address must begin with https:// (docs/guide/browser.md).\n"
        "location / {\n    root /srv/model;  # this folder\n    index index.html;\n    charset utf-8;\n"
        "    gzip_static on;      # sends FILE.gz where there is one\n"
        "    # brotli_static on;  # and FILE.br, with the module ngx_brotli\n"
        f"    types {{\n{types}    }}\n{headers}}}\n"
    )


def verify_browser_folder(folder: Path) -> str:
    """The hash of the bundle in a folder whose files are as its manifest says.

    Raises:
        ArtifactError: a file is missing, or was altered.
    """
    manifest = json.loads((folder / MANIFEST).read_bytes())
    wrong = [
        name
        for name, digest in manifest["files"].items()
        if not (folder / name).is_file() or sha256_file(folder / name) != digest
    ]
    if wrong:
        raise ArtifactError(
            f"{folder} with {', '.join(sorted(wrong))} missing or altered",
            expected=f"every file as {MANIFEST} names it",
            next_step=f"write it again: modelyard edge --out {folder}",
        )
    return str(manifest["bundle"])


def _refuse_foreign(folder: Path) -> None:
    """Refuses to replace what `modelyard edge` has not written."""
    if folder.exists() and not (folder / WORKER_FILES).is_file() and any(folder.iterdir()):
        raise ArtifactError(
            f"{folder}, which holds other files",
            expected="a new folder, or one that `modelyard edge` wrote",
            next_step="name another folder with --out",
        )


def _page_files() -> dict[str, bytes]:
    """The page with its parts; its own scripts and styles are named by their SHA-256."""
    files = {name: (_STATIC / name).read_bytes() for name in _OURS}
    files |= {name: (_DEMO_PAGE / name).read_bytes() for name in _SHARED}
    page = (_STATIC / _PAGE).read_text(encoding="utf-8")
    page = page.replace("{policy}", html.escape(POLICY))
    for name in _CHECKED_BY_PAGE:
        digest = base64.b64encode(sha256(files[name]).digest()).decode()
        page = page.replace(f"{{{name}}}", f"sha256-{digest}")
    return {**files, INDEX: page.encode()}


def _library_files(kept: Path) -> dict[str, bytes]:
    """The files of the packages of npm, and one with their licences."""
    packed = {package: package_bytes(package, kept) for package in PACKAGES}
    files: dict[str, bytes] = {}
    for package, content in packed.items():
        files |= files_of(package, content)
    texts = [
        f"{package.name} {package.version} ({package.licence})\n\n{licence_of(package, content)}"
        for package, content in packed.items()
    ]
    return {**files, "THIRD_PARTY.txt": "\n\n".join([*texts, _runtime_notices()]).encode()}


def _runtime_notices() -> str:
    """The licence of ONNX Runtime and of what is compiled into it, which its npm package leaves out."""
    folder = Path(onnxruntime.__file__).parent
    return "\n\n".join(
        (folder / name).read_text(encoding="utf-8") for name in ("LICENSE", "ThirdPartyNotices.txt")
    )


def _worker_files(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The service worker, and the list of the files that it keeps: `self.RELEASE`."""
    listed: dict[str, Any] = {
        name: {
            "sha256": sha256(content).hexdigest(),
            "bytes": len(content),
            "type": content_type(name),
        }
        for name, content in sorted(files.items())
    }
    version = sha256(json.dumps(listed, sort_keys=True).encode()).hexdigest()
    headers = {name: value for name, value in HEADERS.items() if name != "cache-control"}
    release = {"version": version, "headers": headers, "files": listed}
    return {
        WORKER_FILES: f"self.RELEASE = {json.dumps(release, indent=1)};\n".encode(),
        _SERVICE_WORKER: (_STATIC / _SERVICE_WORKER).read_bytes(),
    }
