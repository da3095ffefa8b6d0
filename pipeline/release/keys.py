"""The keys that releases are signed with: made once a project, private, never in git.

    .modelyard/keys/ledger.pem     Ed25519, signs the head of each product's ledger
    .modelyard/keys/bundles.pem    NIST P-256, signs released bundles (OpenSSF model signing takes no Ed25519)

Each is an unencrypted PKCS#8 file that its owner alone may read (mode 0600). Whoever has it can sign as
this project; a copy of the public key on another machine is what makes a signature worth something.
Nothing is imported before a key is needed: `cryptography` costs more than the rest of a command.
"""

import hashlib
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.core.errors import ReleaseError
from pipeline.core.files import sync
from pipeline.core.paths import Paths
from pipeline.release.durable import Write, durable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

    PrivateKey = Ed25519PrivateKey | EllipticCurvePrivateKey

_OWNER_ALONE = 0o600


def ledger_key(root: Path) -> "Ed25519PrivateKey":
    """The key that signs the heads of the project's ledgers; made where there is none."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = _kept(ledger_key_file(root), new=Ed25519PrivateKey.generate)
    if not isinstance(key, Ed25519PrivateKey):
        raise _unreadable(ledger_key_file(root), "a key of another kind")
    return key


def ledger_key_file(root: Path) -> Path:
    """Where the key of the ledgers is, or will be."""
    return _folder(root) / "ledger.pem"


def bundle_key(root: Path) -> "EllipticCurvePrivateKey":
    """The key that signs the project's bundles; made where there is none."""
    from cryptography.hazmat.primitives.asymmetric import ec

    file = _folder(root) / "bundles.pem"
    key = _kept(file, new=lambda: ec.generate_private_key(ec.SECP256R1()))
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise _unreadable(file, "a key of another kind")
    return key


def public_pem(private: "PrivateKey") -> bytes:
    """The public half of a key, as a PEM file holds it."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    public = private.public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def read_public(pem: bytes) -> "Ed25519PublicKey":
    """The Ed25519 key in a PEM file; ValueError where it holds none."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(pem)
    except UnsupportedAlgorithm as error:
        raise ValueError(str(error)) from error
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("a key of another kind than Ed25519")
    return key


def key_id(pem: bytes) -> str:
    """The name of a public key: the first 16 hex digits of the SHA-256 of its PEM file."""
    return hashlib.sha256(pem).hexdigest()[:16]


def _folder(root: Path) -> Path:
    return Paths(root).state / "keys"


def _kept(file: Path, *, new: Callable[[], "PrivateKey"]) -> object:
    """The private key in `file`, which is made first where it is missing."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if not file.exists():
        _write_private(file, new())
    if file.stat().st_mode & 0o077:
        # What unpacked or copied the folder did not keep the mode.
        file.chmod(_OWNER_ALONE)
    try:
        return load_pem_private_key(file.read_bytes(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _unreadable(file, str(error)) from error


def _write_private(file: Path, key: "PrivateKey") -> None:
    """Writes a new key whole, readable by its owner alone; a key that is there already stays."""
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = file.with_name(f".{file.name}.{secrets.token_hex(4)}.part")
    with durable(Write.KEY):
        _write_whole(part, file, pem)


def _write_whole(part: Path, file: Path, pem: bytes) -> None:
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ALONE)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(pem)
            stream.flush()
            os.fsync(stream.fileno())
        # A link, not a move: if another process was faster, its key stays.
        with suppress(FileExistsError):
            file.hardlink_to(part)
        sync(file.parent)
    finally:
        part.unlink(missing_ok=True)


def _unreadable(file: Path, reason: str) -> ReleaseError:
    return ReleaseError(
        f"{file} cannot be used as a key: {reason}",
        expected="the private key that the first release made there",
        next_step="put it back from a backup, or move it away: the next release makes a new one",
    )
