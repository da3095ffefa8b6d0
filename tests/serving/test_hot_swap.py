"""A new bundle serves only after it has passed its checks; otherwise the old one stays."""

import json
from collections.abc import Callable
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


class Followed:
    """A pointer below a folder, and a holder that follows it."""

    def __init__(self, root: Path) -> None:
        self.first, self.holder = release(root, seed=0), ModelHolder()
        self._follower = PointerFollower(self.holder, root / "current.json")
        assert self.check() == self.first

    def check(self) -> str | None:
        """Looks at the pointer; the hash of the bundle that serves then."""
        self._follower.check()
        return None if self.holder.current is None else self.holder.current.bundle.hash


@pytest.fixture(name="followed")
def make_followed(tmp_path: Path) -> Followed:
    return Followed(tmp_path)


def test_a_changed_pointer_swaps_to_the_next_bundle(followed: Followed, tmp_path: Path) -> None:
    digest = release(tmp_path, seed=1)
    assert followed.check() == digest
    assert followed.holder.last_error is None


def test_the_model_before_serves_again_at_once_even_where_its_files_are_gone(
    followed: Followed, tmp_path: Path
) -> None:
    second = release(tmp_path, seed=1)
    assert followed.check() == second
    for digest in (followed.first, second):
        (tmp_path / "releases" / digest).rename(tmp_path / digest)
    for digest in (followed.first, second, followed.first):
        point(tmp_path, digest)
        assert followed.check() == digest
    # One is kept, not every one.
    third = release(tmp_path, seed=2)
    assert followed.check() == third
    point(tmp_path, second)
    assert followed.check() == third
    assert followed.holder.refused == second


def test_an_unchanged_pointer_loads_nothing_again(followed: Followed, tmp_path: Path) -> None:
    before = followed.holder.current
    followed.check()
    point(tmp_path, followed.first)
    followed.check()
    assert followed.holder.current is before


def altered_after_its_release(root: Path, old: str) -> None:
    with (root / "releases" / release(root, seed=1) / "model.onnx").open("ab") as stream:
        stream.write(b"x")


def of_other_golden_answers(root: Path, old: str) -> None:
    first = open_bundle(root / "releases" / old).description.golden[0]
    wrong = replace(first, answer=replace(first.answer, label="negative"))
    release_changed(root, old, golden=(wrong,))


def with_a_model_that_is_none(root: Path, old: str) -> None:
    (root / "noise").write_bytes(b"\x00noise")
    release_changed(root, old, model=root / "noise")


def of_another_hash_than_the_pointer_names(root: Path, old: str) -> None:
    make_tiny_bundle(root / "releases" / "other", seed=1)
    point(root, "0" * 64, "releases/other")


def without_a_pointer(root: Path, old: str) -> None:
    (root / "current.json").unlink()


def release_changed(root: Path, old: str, model: Path | None = None, **changes: object) -> None:
    """Points at a changed copy of a bundle."""
    bundle = open_bundle(root / "releases" / old)
    digest = write_bundle(
        root / "releases" / "changed",
        model=model or bundle.folder / "model.onnx",
        tokenizer=bundle.folder / "tokenizer.json",
        description=replace(bundle.description, **changes),
        model_card="",
        certificate=certify(
            model or bundle.folder / "model.onnx", bundle.folder / "tokenizer.json"
        ),
    )
    point(root, digest, "releases/changed")


@pytest.mark.parametrize(
    ("release_bad", "reason"),
    [
        (altered_after_its_release, "model.onnx"),
        (of_other_golden_answers, "golden request 1"),
        (with_a_model_that_is_none, "no ONNX model"),
        (of_another_hash_than_the_pointer_names, "which the pointer names"),
        (without_a_pointer, "pointer current.json"),
    ],
)
def test_a_bad_bundle_keeps_the_old_and_says_why(
    followed: Followed, tmp_path: Path, release_bad: Callable[[Path, str], None], reason: str
) -> None:
    release_bad(tmp_path, followed.first)
    assert followed.check() == followed.first
    assert reason in str(followed.holder.last_error)
    point(tmp_path, followed.first)
    assert followed.check() == followed.first
    assert followed.holder.last_error is None


def test_a_touched_pointer_tries_a_repaired_bundle(followed: Followed, tmp_path: Path) -> None:
    digest = make_tiny_bundle(tmp_path / "late", seed=1)
    point(tmp_path, digest)
    assert followed.check() == followed.first
    (tmp_path / "late").rename(tmp_path / "releases" / digest)
    point(tmp_path, digest)
    assert followed.check() == digest


def test_a_bundle_whose_folder_comes_late_is_tried_again_without_a_touch_and_ever_more_seldom(
    tmp_path: Path,
) -> None:
    digest = release(tmp_path, seed=0)
    (tmp_path / "releases").rename(tmp_path / "not yet mounted")
    now, holder, tries = [0.0], ModelHolder(), []
    follower = PointerFollower(holder, tmp_path / "current.json", clock=lambda: now[0])
    load = holder.load
    holder.load = lambda *a, **k: tries.append(now[0]) or load(*a, **k)  # type: ignore[method-assign, func-returns-value]
    for second in range(200):
        now[0] = float(second)
        follower.check()
    assert tries == [0, 1, 3, 7, 15, 31, 63, 123, 183]
    assert holder.current is None
    (tmp_path / "not yet mounted").rename(tmp_path / "releases")
    now[0] = 243.0
    follower.check()
    assert holder.current is not None
    assert (holder.current.bundle.hash, holder.last_error) == (digest, None)


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
def test_a_pointer_to_the_outside_or_of_another_shape_fails(tmp_path: Path, value: object) -> None:
    (tmp_path / "current.json").write_text(json.dumps(value))
    with pytest.raises(ArtifactError, match="pointer"):
        read_pointer(tmp_path / "current.json")
