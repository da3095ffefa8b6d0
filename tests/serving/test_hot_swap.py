"""A new bundle serves only after it has passed its checks; otherwise the old one stays."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.core.errors import ArtifactError
from pipeline.core.files import write_json
from pipeline.runtime.bundle import open_bundle, write_bundle
from pipeline.serving.hot_swap import ModelHolder, PointerFollower, read_pointer
from tests.support.tiny_bundle import certify, make_tiny_bundle


def release(root: Path, *, seed: int) -> str:
    """Makes a bundle below `root`, points at it and returns its hash."""
    digest = make_tiny_bundle(root / "new", seed=seed)
    (root / "releases").mkdir(exist_ok=True)
    (root / "new").rename(root / "releases" / digest)
    point(root, digest)
    return digest


def point(root: Path, digest: str, folder: str | None = None) -> None:
    """Writes the pointer file."""
    value = {"bundle": digest, "folder": folder or f"releases/{digest}"}
    write_json(root / "current.json", value)


def serving(holder: ModelHolder) -> str | None:
    """The hash of the bundle that serves."""
    return None if holder.current is None else holder.current.bundle.hash


@pytest.fixture(name="followed")
def make_followed(tmp_path: Path) -> tuple[ModelHolder, PointerFollower, str]:
    digest = release(tmp_path, seed=0)
    holder = ModelHolder()
    follower = PointerFollower(holder, tmp_path / "current.json")
    follower.check()
    assert serving(holder) == digest
    return holder, follower, digest


Followed = tuple[ModelHolder, PointerFollower, str]


def test_a_changed_pointer_swaps_to_the_next_bundle(followed: Followed, tmp_path: Path) -> None:
    holder, follower, _ = followed
    digest = release(tmp_path, seed=1)
    follower.check()
    assert serving(holder) == digest
    assert holder.last_error is None


def test_an_unchanged_pointer_loads_nothing_again(followed: Followed, tmp_path: Path) -> None:
    holder, follower, digest = followed
    before = holder.current
    follower.check()
    point(tmp_path, digest)
    follower.check()
    assert holder.current is before


def test_an_altered_bundle_keeps_the_old_and_says_why(followed: Followed, tmp_path: Path) -> None:
    holder, follower, old = followed
    digest = release(tmp_path, seed=1)
    with (tmp_path / "releases" / digest / "model.onnx").open("ab") as stream:
        stream.write(b"x")
    follower.check()
    assert serving(holder) == old
    assert "model.onnx" in str(holder.last_error)
    point(tmp_path, old)
    follower.check()
    assert (serving(holder), holder.last_error) == (old, None)


def test_golden_answers_that_differ_keep_the_old(followed: Followed, tmp_path: Path) -> None:
    holder, follower, old = followed
    first = open_bundle(tmp_path / "releases" / old).description.golden[0]
    wrong = replace(first, answer=replace(first.answer, label="negative"))
    release_changed(tmp_path, old, golden=(wrong,))
    follower.check()
    assert serving(holder) == old
    assert "golden request 1" in str(holder.last_error)


def test_a_model_that_is_no_model_keeps_the_old(followed: Followed, tmp_path: Path) -> None:
    holder, follower, old = followed
    (tmp_path / "noise").write_bytes(b"\x00noise")
    release_changed(tmp_path, old, model=tmp_path / "noise")
    follower.check()
    assert serving(holder) == old
    assert "does not load" in str(holder.last_error)


def release_changed(root: Path, old: str, model: Path | None = None, **changes: object) -> None:
    """Points at a changed copy of a bundle."""
    bundle = open_bundle(root / "releases" / old)
    digest = write_bundle(
        root / "releases" / "changed",
        model=model or bundle.model,
        tokenizer=bundle.tokenizer,
        description=replace(bundle.description, **changes),
        model_card="",
        certificate=certify(model or bundle.model, bundle.tokenizer),
    )
    point(root, digest, "releases/changed")


def test_a_bundle_of_another_hash_than_the_pointer_names_is_refused(
    followed: Followed, tmp_path: Path
) -> None:
    holder, follower, old = followed
    make_tiny_bundle(tmp_path / "releases" / "other", seed=1)
    point(tmp_path, "0" * 64, "releases/other")
    follower.check()
    assert serving(holder) == old
    assert "which the pointer names" in str(holder.last_error)


def test_touching_the_pointer_tries_a_repaired_bundle_again(
    followed: Followed, tmp_path: Path
) -> None:
    holder, follower, old = followed
    digest = make_tiny_bundle(tmp_path / "late", seed=1)
    point(tmp_path, digest)
    follower.check()
    assert serving(holder) == old
    (tmp_path / "late").rename(tmp_path / "releases" / digest)
    point(tmp_path, digest)
    follower.check()
    assert serving(holder) == digest


def test_a_pointer_that_vanishes_keeps_the_old(followed: Followed, tmp_path: Path) -> None:
    holder, follower, old = followed
    (tmp_path / "current.json").unlink()
    follower.check()
    assert serving(holder) == old
    assert "pointer current.json" in str(holder.last_error)


@pytest.mark.parametrize(
    "value",
    [
        [],
        {},
        {"bundle": "a"},
        {"bundle": 1, "folder": "x"},
        {"bundle": "a", "folder": 3},
        {"bundle": "a", "folder": "../x"},
        {"bundle": "a", "folder": "/etc"},
    ],
)
def test_a_pointer_of_another_shape_or_to_the_outside_is_refused(
    tmp_path: Path, value: object
) -> None:
    (tmp_path / "current.json").write_text(json.dumps(value))
    with pytest.raises(ArtifactError, match="pointer"):
        read_pointer(tmp_path / "current.json")
