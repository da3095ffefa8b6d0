"""Whoever can write the folder of a release cannot make the server load what was not signed.

The bundles are opened as the server opens them, in a process of its own: after the refusals ONNX
Runtime has not even been imported there.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from pipeline.core.chosen_environment import chosen_environment
from pipeline.core.errors import ArtifactError
from pipeline.core.files import read_json, sha256_file, write_json
from pipeline.release.keys import bundle_key
from pipeline.release.signing import sign_release, signature_of
from pipeline.release.state import ReleaseState
from pipeline.runtime.bundle import open_bundle
from pipeline.runtime.signature import KEY_VARIABLE, POLICY_VARIABLE, signature_path
from pipeline.serving.hot_swap import open_model
from tests.support.repository import REPOSITORY
from tests.support.tiny_bundle import certify, make_tiny_bundle

OPEN_THEM = """
import json, sys
from pathlib import Path
from pipeline.core.errors import ArtifactError
from pipeline.serving.hot_swap import open_model
found = {}
for name in sys.argv[1:]:
    try:
        open_model(Path(name))
        found[name] = "served"
    except ArtifactError as error:
        found[name] = error.got
print(json.dumps([found, "onnxruntime" in sys.modules]))
"""


def opened(*folders: Path, policy: str) -> tuple[list[str], bool]:
    """What a server says of each folder, and whether it came as far as importing ONNX Runtime."""
    done = subprocess.run(
        [sys.executable, "-c", OPEN_THEM, *map(str, folders)],
        cwd=REPOSITORY,
        env={**chosen_environment(os.environ), POLICY_VARIABLE: policy},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found, imported = json.loads(done.stdout)
    return [found[str(folder)] for folder in folders], imported


def named_again(folder: Path, *names: str) -> None:
    """Puts the SHA-256 of changed files into the manifest, as someone who forges it would."""
    files = read_json(folder / "manifest.json")["files"]
    files |= {name: sha256_file(folder / name) for name in names}
    write_json(folder / "manifest.json", {"files": files})


def changed_byte(folder: Path, other: Path) -> None:
    content = bytearray((folder / "model.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "model.onnx").write_bytes(content)


def swapped_file(folder: Path, other: Path) -> None:
    for name in ("model.onnx", "certificate.json"):
        shutil.copy(other / name, folder / name)
    named_again(folder, "model.onnx", "certificate.json")


def swapped_bundle(folder: Path, other: Path) -> None:
    shutil.rmtree(folder)
    shutil.copytree(other, folder)


def extra_file(folder: Path, other: Path) -> None:
    (folder / "weights.bin").write_bytes(b"more")


def extra_file_in_the_manifest(folder: Path, other: Path) -> None:
    extra_file(folder, other)
    named_again(folder, "weights.bin")


def link(folder: Path, other: Path) -> None:
    (folder / "tokenizer.json").rename(folder.parent / "elsewhere.json")
    (folder / "tokenizer.json").symlink_to(folder.parent / "elsewhere.json")


def external_data(folder: Path, other: Path) -> None:
    """Forged in all parts and then signed with the right key: the model itself is refused."""
    model, tokenizer = folder / "model.onnx", folder / "tokenizer.json"
    weights = {"location": "weights.bin", "save_as_external_data": True, "size_threshold": 0}
    onnx.save(onnx.load(model), model, **weights)
    (folder / "weights.bin").rename(folder.parent / "weights.bin")
    write_json(folder / "certificate.json", certify(model, tokenizer))
    named_again(folder, "model.onnx", "certificate.json")
    sign(folder, bundle_key(folder.parents[4]))


def another_key(folder: Path, other: Path) -> None:
    sign(folder, ec.generate_private_key(ec.SECP256R1()))


def sign(folder: Path, key: ec.EllipticCurvePrivateKey) -> None:
    digests = {path.name: sha256_file(path) for path in folder.iterdir()}
    signed = signature_of(digests, name=folder.name, key=key)
    signature_path(folder).write_text(json.dumps(signed))


def another_key_by_the_right_name(folder: Path, other: Path) -> None:
    """A signature by another key that says it is by ours."""
    before = read_json(signature_path(folder))
    another_key(folder, other)
    forged = read_json(signature_path(folder))
    forged["verificationMaterial"] = before["verificationMaterial"]
    signature_path(folder).write_text(json.dumps(forged))


def signature_of_another(folder: Path, other: Path) -> None:
    shutil.copy(signature_path(other), signature_path(folder))


def no_statement(folder: Path, other: Path) -> None:
    signature_path(folder).write_text('{"mediaType": 1}')


def no_signature(folder: Path, other: Path) -> None:
    signature_path(folder).unlink()


TAMPERINGS: dict[Callable[[Path, Path], None], str] = {
    changed_byte: "model.onnx",
    swapped_file: "other files than these: certificate.json, manifest.json, model.onnx",
    swapped_bundle: "other files than these: ",
    extra_file: "weights.bin",
    extra_file_in_the_manifest: "other files than these: manifest.json, weights.bin",
    link: "tokenizer.json",
    external_data: "model.onnx with weights in another file",
    another_key: "by another key",
    another_key_by_the_right_name: "does not hold",
    signature_of_another: "other files than these: ",
    no_statement: "no signature of a model",
}


def released(root: Path, name: str, *, seed: int = 0) -> Path:
    """The signed copy of a bundle in the state folder of a project."""
    state = ReleaseState(root, name)
    digest = make_tiny_bundle(state.releases / "new", seed=seed, product=name)
    copy = (state.releases / "new").rename(state.release(digest))
    sign_release(state, open_bundle(copy))
    return copy


@pytest.mark.parametrize("policy", ["warn", "require"])
def test_every_tampering_is_refused_before_the_runtime_is_touched(
    tmp_path: Path, policy: str
) -> None:
    expected = TAMPERINGS if policy == "warn" else {**TAMPERINGS, no_signature: "no signature"}
    other = released(tmp_path, "other", seed=1)
    folders: list[Path] = []
    for tamper in expected:
        folder = released(tmp_path, f"product-{len(folders)}")
        tamper(folder, other)
        folders.append(folder)
    answers, imported = opened(*folders, policy=policy)
    for tamper, answer in zip(expected, answers, strict=True):
        assert expected[tamper] in answer, tamper
    assert not imported


def test_what_was_signed_is_served_where_a_signature_is_required(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = released(tmp_path, "product")
    monkeypatch.setenv(POLICY_VARIABLE, "require")
    assert open_model(folder).bundle.hash == folder.name
    # Elsewhere, too, with the public key alone.
    moved = tmp_path / "elsewhere" / "bundle"
    shutil.copytree(folder, moved)
    shutil.copy(signature_path(folder), signature_path(moved))
    with pytest.raises(ArtifactError, match="no public key"):
        open_model(moved)
    monkeypatch.setenv(KEY_VARIABLE, str(tmp_path / ".modelyard" / "keys" / "bundles.pub"))
    assert open_model(moved).bundle.hash == folder.name


def test_without_a_signature_warn_serves_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = released(tmp_path, "product")
    open_model(folder)
    assert "unsigned" not in caplog.text
    signature_path(folder).unlink()
    open_model(folder)
    assert f"unsigned: bundle {folder.name[:12]}, no signature" in caplog.text


def test_off_looks_at_no_signature_but_still_at_every_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = (released(tmp_path, name) for name in ("one", "two"))
    another_key(one, two)
    changed_byte(two, one)
    monkeypatch.setenv(POLICY_VARIABLE, "off")
    assert open_model(one).bundle.hash == one.name
    with pytest.raises(ArtifactError, match=r"model\.onnx"):
        open_model(two)


def test_a_policy_that_does_not_exist_serves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = released(tmp_path, "product")
    monkeypatch.setenv(POLICY_VARIABLE, "requrie")
    with pytest.raises(ArtifactError, match="MODELYARD_SIGNATURES=requrie"):
        open_model(folder)
