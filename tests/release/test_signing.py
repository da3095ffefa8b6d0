"""Releases are signed so that OpenSSF's own tool verifies them, with a key made at the first one."""

import json
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from flows.releases import verify_releases
from pipeline.core.errors import ReleaseError
from pipeline.core.files import sha256_file
from pipeline.release.signing import sign_release, signature_faults
from pipeline.release.state import ReleaseState
from pipeline.runtime.bundle import open_bundle
from pipeline.runtime.signature import SignatureError, signature_path, signed_digests
from tests.support.tiny_bundle import make_tiny_bundle


def copied(root: Path, *, product: str = "tiny", seed: int = 0) -> tuple[ReleaseState, Path]:
    """A product's state, and the copy of a bundle in it that is not signed yet."""
    state = ReleaseState(root, product)
    digest = make_tiny_bundle(state.releases / ".new", seed=seed, product=product)
    return state, (state.releases / ".new").rename(state.release(digest))


def released(root: Path, *, product: str = "tiny", seed: int = 0) -> tuple[ReleaseState, Path]:
    state, copy = copied(root, product=product, seed=seed)
    sign_release(state, open_bundle(copy))
    return state, copy


def public_key(root: Path) -> Path:
    return root / ".modelyard" / "keys" / "bundles.pub"


def test_a_signature_names_every_file_with_its_hash(tmp_path: Path) -> None:
    _, copy = released(tmp_path)
    signed = signed_digests(signature_path(copy).read_bytes(), public_key(tmp_path).read_bytes())
    assert signed == {path.name: sha256_file(path) for path in copy.iterdir()}
    assert "manifest.json" in signed


def test_the_private_key_is_the_owners_alone_and_made_once(tmp_path: Path) -> None:
    _, first = released(tmp_path)
    private = public_key(tmp_path).with_suffix(".pem")
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    before, signature = private.read_bytes(), signature_path(first).read_bytes()
    released(tmp_path, seed=1)
    released(tmp_path, product="other")
    sign_release(ReleaseState(tmp_path, "tiny"), open_bundle(first))
    assert private.read_bytes() == before
    assert signature_path(first).read_bytes() == signature


def test_the_first_release_signs_what_was_released_before_there_was_a_key(tmp_path: Path) -> None:
    older, unsigned = copied(tmp_path, product="older")
    _, damaged = copied(tmp_path, product="older", seed=1)
    (damaged / "model.onnx").write_bytes(b"changed")
    released(tmp_path)
    assert signature_path(unsigned).exists()
    assert not signature_path(damaged).exists()
    # From then on only a release signs.
    signature_path(unsigned).unlink()
    released(tmp_path, seed=2)
    assert not signature_path(unsigned).exists()
    assert len(signature_faults(older)) == 2


def test_what_was_cut_changed_or_swapped_is_named_by_its_file(tmp_path: Path) -> None:
    state, copy = released(tmp_path)
    _, second = released(tmp_path, seed=1)
    assert signature_faults(state) == []
    signature_path(second).unlink()
    assert [fault.split(":")[0] for fault in signature_faults(state)] == [
        str(signature_path(second))
    ]
    shutil.copy(signature_path(copy), signature_path(second))
    assert "made for other files than these: bundle.json" in signature_faults(state)[0]
    sign_release(state, open_bundle(second))
    assert signature_faults(state) == []
    (second / "MODEL_CARD.md").write_text("better")
    (fault,) = signature_faults(state)
    assert fault.startswith(str(second))
    assert "MODEL_CARD.md" in fault


def test_a_bundle_under_the_name_of_another_is_a_fault(tmp_path: Path) -> None:
    state, copy = released(tmp_path)
    _, second = released(tmp_path, seed=1)
    shutil.rmtree(copy)
    shutil.copytree(second, copy)
    shutil.copy(signature_path(second), signature_path(copy))
    (fault,) = signature_faults(state)
    assert fault == f"{copy}: holds bundle {second.name}"
    signature_path(copy).unlink()
    with pytest.raises(ReleaseError, match=f"holds bundle {second.name}"):
        sign_release(state, open_bundle(copy))
    assert not signature_path(copy).exists()


def test_a_lost_public_key_is_written_again_and_its_absence_is_a_fault(tmp_path: Path) -> None:
    state, copy = released(tmp_path)
    before = public_key(tmp_path).read_bytes()
    public_key(tmp_path).unlink()
    assert "bundles.pub" in signature_faults(state)[0]
    sign_release(state, open_bundle(copy))
    assert public_key(tmp_path).read_bytes() == before


@pytest.mark.parametrize("key", [b"", b"no key", b"-----BEGIN PUBLIC KEY-----\n"])
def test_a_public_key_that_is_none_is_said_in_words(tmp_path: Path, key: bytes) -> None:
    _, copy = released(tmp_path)
    with pytest.raises(SignatureError, match="public key"):
        signed_digests(signature_path(copy).read_bytes(), key)


def verify_by_the_public_tool(copy: Path, key: Path) -> subprocess.CompletedProcess[str]:
    """Runs `model_signing verify key` of the package model-signing."""
    command = [sys.executable, "-m", "model_signing", "verify", "key", str(copy)]
    command += ["--signature", str(signature_path(copy)), "--public_key", str(key)]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False)


def test_the_public_tool_verifies_a_release_and_refuses_a_changed_one(tmp_path: Path) -> None:
    _, copy = released(tmp_path)
    done = verify_by_the_public_tool(copy, public_key(tmp_path))
    assert done.returncode == 0, done.stderr
    (copy / "MODEL_CARD.md").write_text("better")
    done = verify_by_the_public_tool(copy, public_key(tmp_path))
    assert done.returncode != 0
    assert "MODEL_CARD.md" in done.stdout + done.stderr


def test_a_signature_of_the_public_tool_holds_here(tmp_path: Path) -> None:
    state, copy = released(tmp_path)
    signature_path(copy).unlink()
    private = public_key(tmp_path).with_suffix(".pem")
    command = [sys.executable, "-m", "model_signing", "sign", "key", str(copy)]
    command += ["--signature", str(signature_path(copy)), "--private_key", str(private)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(signature_path(copy).read_bytes())
    assert signature_faults(state) == []


def test_verify_names_a_damaged_bundle_and_what_to_do_about_it(tmp_path: Path) -> None:
    state, copy = released(tmp_path)
    (copy / "MODEL_CARD.md").write_text("another card")
    with pytest.raises(ReleaseError, match=r"MODEL_CARD\.md") as refused:
        verify_releases(tmp_path, state.product)
    assert "the bundle's folder as evidence" in refused.value.next_step
    assert "ledger.jsonl" not in refused.value.next_step
