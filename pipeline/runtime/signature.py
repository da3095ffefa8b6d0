"""Checks the signature of a bundle before anything in it is parsed.

A release is signed in the format of OpenSSF model signing
(https://github.com/sigstore/model-transparency, version 1.0 of its predicate): a Sigstore bundle
around a DSSE envelope around an in-toto statement that names the SHA-256 of every file. It lies
beside the bundle's folder, as `<folder>.sig`. docs/adr/0031 says what is trusted and why.

Needs the standard library alone; `elliptic_signature.py` does the arithmetic.
"""

import base64
import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from pipeline.core.errors import ArtifactError
from pipeline.runtime.elliptic_signature import holds, read_key
from pipeline.runtime.file_bytes import read_plain_file

Policy = Literal["require", "warn", "off"]
POLICY_VARIABLE = "MODELYARD_SIGNATURES"
KEY_VARIABLE = "MODELYARD_PUBLIC_KEY"
STATE_FOLDER = ".modelyard"
PUBLIC_KEY = Path("keys", "bundles.pub")
"""Where a release leaves the public key, below the state folder."""

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://model_signing/signature/v1.0"
_LOGGER = logging.getLogger("modelyard.signature")


class SignatureError(ValueError):
    """A signature that does not hold; the text says what is wrong, as the end of a sentence."""


@dataclass(frozen=True, kw_only=True)
class Trust:
    """Which bundles may be served.

    Attributes:
        policy: `require` refuses a bundle that has no signature of `key`; `warn` serves one without a
            signature, with a warning, and refuses one whose signature does not hold; `off` looks at
            none.
        key: file with the public key; None where no place for it is known.
    """

    policy: Policy
    key: Path | None

    def check(self, folder: Path, digests: Mapping[str, str]) -> None:
        """Refuses a bundle whose signature is not as the policy asks.

        Args:
            digests: the SHA-256 of every file in `folder`, of the bytes that will be loaded.

        Raises:
            ArtifactError: it is refused.
        """
        if self.policy == "off":
            return
        path = signature_path(folder)
        missing = [
            f"no {what}"
            for what, file in ((f"signature {path}", path), (f"public key {self.key}", self.key))
            if file is None or not file.exists()
        ]
        if not missing and self.key is not None:
            try:
                require_signed(path, self.key, digests=digests)
            except SignatureError as error:
                raise _refused(f"{path}: {error}") from error
            return
        if self.policy == "require":
            raise _refused(f"{folder.name[:12]}: {', '.join(missing)}")
        _LOGGER.warning("unsigned: bundle %s, %s", folder.name[:12], ", ".join(missing))


def signature_path(folder: Path) -> Path:
    """Where the signature of the bundle in a folder lies: beside it, outside its manifest."""
    return folder.with_name(f"{folder.name}.sig")


def chosen_trust(place: Path, environment: Mapping[str, str]) -> Trust:
    """The trust of a server of the bundle at `place`.

    The variable MODELYARD_SIGNATURES is the policy, `warn` where it is not set, and
    MODELYARD_PUBLIC_KEY the file of the key: else that of the state folder in which `place` lies.

    Raises:
        ArtifactError: there is no such policy.
    """
    given = environment.get(POLICY_VARIABLE) or "warn"
    for policy in get_args(Policy):
        if given == policy:
            return Trust(policy=policy, key=_key_for(place, environment))
    raise ArtifactError(
        f"{POLICY_VARIABLE}={given}",
        expected=f"one of {', '.join(get_args(Policy))}",
        next_step="correct the variable, or leave it out for `warn`",
    )


def _key_for(place: Path, environment: Mapping[str, str]) -> Path | None:
    if named := environment.get(KEY_VARIABLE):
        return Path(named)
    state = [folder for folder in place.resolve().parents if folder.name == STATE_FOLDER]
    return state[0] / PUBLIC_KEY if state else None


def require_signed(signature: Path, key: Path, *, digests: Mapping[str, str]) -> None:
    """Requires that a signature is by this key and names exactly these files.

    Raises:
        SignatureError: it is not, or it cannot be read.
    """
    try:
        signed = signed_digests(read_plain_file(signature).content, key.read_bytes())
    except OSError as error:
        raise SignatureError(f"cannot be read ({error})") from error
    names = sorted(signed.keys() | digests.keys())
    if others := [name for name in names if signed.get(name) != digests.get(name)]:
        raise SignatureError(f"was made for other files than these: {', '.join(others)}")


def signed_digests(signature: bytes, public_key: bytes) -> dict[str, str]:
    """The files that a signature vouches for, with the SHA-256 of each.

    Args:
        signature: the content of a `.sig` file.
        public_key: an elliptic curve's public key as PEM; model signing takes P-256, P-384, P-521.

    Raises:
        SignatureError: it is not by this key, or not of this format.
    """
    try:
        bundle = json.loads(signature)
        envelope = bundle["dsseEnvelope"]
        payload = base64.b64decode(envelope["payload"], validate=True)
        (only,) = envelope["signatures"]
        found = base64.b64decode(only["sig"], validate=True)
        hint = bundle["verificationMaterial"]["publicKey"]["hint"]
        kinds = bundle["mediaType"], envelope["payloadType"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise SignatureError(f"is no signature of a model ({error!r})") from error
    if kinds != (MEDIA_TYPE, PAYLOAD_TYPE):
        raise SignatureError(f"is of another format: {kinds}")
    _verify(found, payload, public_key=public_key, hint=hint)
    return _named_files(payload)


def _verify(signature: bytes, payload: bytes, *, public_key: bytes, hint: object) -> None:
    """Requires an ECDSA signature of a DSSE payload by this key."""
    try:
        key = read_key(public_key)
    except ValueError as error:
        raise SignatureError(f"cannot be checked: {error}") from error
    if hint != hashlib.sha256(key.pem).hexdigest():
        raise SignatureError("is by another key")
    if not holds(signature, pre_authentication(payload), key=key):
        raise SignatureError("does not hold for what it names")


def pre_authentication(payload: bytes) -> bytes:
    """The bytes that DSSE signs in place of the payload: its type and length before it."""
    return f"DSSEv1 {len(PAYLOAD_TYPE)} {PAYLOAD_TYPE} {len(payload)} ".encode() + payload


def _named_files(payload: bytes) -> dict[str, str]:
    """The files that a signed statement names, with the SHA-256 of each."""
    try:
        statement = json.loads(payload)
        (subject,) = statement["subject"]
        predicate = statement["predicate"]
        how = predicate["serialization"]
        kinds = statement["_type"], statement["predicateType"], how["method"], how["hash_type"]
        names = [resource["name"] for resource in predicate["resources"]]
        algorithms = {resource["algorithm"] for resource in predicate["resources"]}
        digests = [bytes.fromhex(resource["digest"]) for resource in predicate["resources"]]
        root = subject["digest"]["sha256"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise SignatureError(f"signs no statement about a model ({error!r})") from error
    if kinds != (STATEMENT_TYPE, PREDICATE_TYPE, "files", "sha256") or algorithms != {"sha256"}:
        raise SignatureError(f"signs a statement of another kind: {kinds}, {sorted(algorithms)}")
    if len(set(names)) < len(names) or root != hashlib.sha256(b"".join(digests)).hexdigest():
        raise SignatureError("signs a statement that contradicts itself")
    return {name: digest.hex() for name, digest in zip(names, digests, strict=True)}


def _refused(got: str) -> ArtifactError:
    return ArtifactError(
        got,
        expected="a bundle signed, file for file, with the key of this installation",
        next_step="`modelyard verify` names what is wrong; release the bundle again from where it "
        f"was built, which signs it ({POLICY_VARIABLE} is the policy)",
    )
