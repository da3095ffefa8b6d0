"""Signs released bundles in the format of OpenSSF model signing, so that its tool verifies them too.

    model_signing verify key releases/<hash> --signature releases/<hash>.sig --public_key bundles.pub

Signed is what was read and verified (`Bundle.digests`), not what lies in the folder a moment later. The
key is on the curve P-256, since model signing takes no Ed25519. docs/adr/0031 says what is trusted.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.core.errors import PipelineError, ReleaseError
from pipeline.core.files import write_text
from pipeline.core.paths import Paths
from pipeline.release.durable import Write, durable
from pipeline.release.keys import bundle_key, public_pem
from pipeline.release.state import ReleaseState, all_states
from pipeline.runtime.bundle import Bundle, open_bundle
from pipeline.runtime.signature import (
    MEDIA_TYPE,
    PAYLOAD_TYPE,
    PREDICATE_TYPE,
    PUBLIC_KEY,
    STATEMENT_TYPE,
    SignatureError,
    pre_authentication,
    require_signed,
    signature_path,
)

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey


def sign_release(state: ReleaseState, bundle: Bundle) -> None:
    """Signs the copy of a verified bundle; a signature of it by this key stays.

    The first one of a project makes the key, and signs what was released before there was one.

    Raises:
        ReleaseError: the folder has the name of another bundle: nobody released what lies there.
    """
    if bundle.hash != bundle.folder.name:
        raise ReleaseError(
            f"{bundle.folder} holds bundle {bundle.hash}",
            expected="the bundle that the folder is named after",
            next_step="move the folder away, and release again",
        )
    public = Paths(state.root).state / PUBLIC_KEY
    first = not public.with_suffix(".pem").exists()
    key = bundle_key(state.root)
    if not public.exists() or public.read_bytes() != public_pem(key):
        with durable(Write.BUNDLES_PUBLIC_KEY):
            write_text(public, public_pem(key).decode())
    _sign(bundle, key, public)
    for other in all_states(state.root) if first else []:
        for folder in _copies(other):
            try:
                copy = open_bundle(folder)
            except PipelineError:
                continue
            if copy.hash == folder.name:
                _sign(copy, key, public)


def signature_faults(state: ReleaseState) -> list[str]:
    """The faults in files and signatures of a product's releases; each begins with the file."""
    public, faults = Paths(state.root).state / PUBLIC_KEY, []
    for folder in _copies(state):
        signature = signature_path(folder)
        try:
            bundle = open_bundle(folder)
            if bundle.hash != folder.name:
                faults.append(f"{folder}: holds bundle {bundle.hash}")
            require_signed(signature, public, digests=bundle.digests)
        except PipelineError as error:
            faults.append(error.got)
        except SignatureError as error:
            faults.append(f"{signature}: {error}")
    return faults


def signature_of(
    digests: Mapping[str, str], *, name: str, key: "EllipticCurvePrivateKey"
) -> dict[str, Any]:
    """A Sigstore bundle with a signed statement that names these files.

    Args:
        digests: file → its SHA-256.
        name: what the statement calls the model; it has no other effect.
    """
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    payload = json.dumps(_statement(digests, name)).encode()
    signed = key.sign(pre_authentication(payload), ec.ECDSA(hashes.SHA256()))
    hint = hashlib.sha256(public_pem(key)).hexdigest()
    return {
        "mediaType": MEDIA_TYPE,
        "verificationMaterial": {"publicKey": {"hint": hint}, "tlogEntries": []},
        "dsseEnvelope": {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"sig": base64.b64encode(signed).decode(), "keyid": ""}],
        },
    }


def _statement(digests: Mapping[str, str], name: str) -> dict[str, Any]:
    """The in-toto statement that names every file; the subject's hash is over theirs, by name."""
    files = sorted(digests.items())
    root = hashlib.sha256(b"".join(bytes.fromhex(digest) for _, digest in files)).hexdigest()
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": name, "digest": {"sha256": root}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "serialization": {"method": "files", "hash_type": "sha256", "allow_symlinks": False},
            "resources": [
                {"name": file, "algorithm": "sha256", "digest": digest} for file, digest in files
            ],
        },
    }


def _sign(bundle: Bundle, key: "EllipticCurvePrivateKey", public: Path) -> None:
    """Writes the signature of a bundle beside its folder, unless one holds already."""
    path = signature_path(bundle.folder)
    try:
        require_signed(path, public, digests=bundle.digests)
    except SignatureError:
        signed = signature_of(bundle.digests, name=bundle.folder.name, key=key)
        with durable(Write.SIGNATURE):
            write_text(path, json.dumps(signed))


def _copies(state: ReleaseState) -> list[Path]:
    """The folders of a product's releases; the name of one that is being written begins with a dot."""
    return sorted(path for path in state.releases.glob("[!.]*") if path.is_dir())
