"""Copies of a bundle are bundles that a server takes, with another hash and, where asked, other answers."""

from pathlib import Path

from benchmarks.support.bundle_copies import copy_with_labels_turned, copy_with_note
from pipeline.runtime.bundle import open_bundle
from pipeline.serving.hot_swap import open_model
from tests.support.tiny_bundle import make_tiny_bundle

TEXT = "a warm funny film"


def test_a_copy_with_a_note_answers_alike_under_another_hash(tmp_path: Path) -> None:
    first = make_tiny_bundle(tmp_path / "first")
    digest = copy_with_note(tmp_path / "first", tmp_path / "copy", "A note.")
    copy = open_model(tmp_path / "copy", expected_hash=digest)
    assert digest != first
    assert copy.model_card.endswith("A note.\n")
    assert copy.text_model.answer(TEXT).label == "positive"


def test_a_copy_with_its_labels_turned_is_accepted_and_answers_the_other_label(
    tmp_path: Path,
) -> None:
    first = make_tiny_bundle(tmp_path / "first")
    digest = copy_with_labels_turned(tmp_path / "first", tmp_path / "turned")
    turned = open_model(tmp_path / "turned", expected_hash=digest)
    assert digest != first
    assert turned.text_model.answer(TEXT).label == "negative"
    assert open_bundle(tmp_path / "turned").task.labels == ("positive", "negative")
