"""What peers serve is the bundle's model: the labels are those of the product's runtime."""

from pathlib import Path

import pytest

from benchmarks.peers.raw_model import RawModel
from pipeline.runtime.bundle import open_bundle
from pipeline.runtime.text_model import TextModel
from tests.support.tiny_bundle import EXAMPLES, make_tiny_bundle


def test_the_raw_model_answers_as_the_runtime_does(tmp_path: Path) -> None:
    make_tiny_bundle(tmp_path)
    raw, ours = RawModel(tmp_path), TextModel.from_bundle(open_bundle(tmp_path))
    texts = [*EXAMPLES, "a warm funny film " * 40]
    for text, expected in zip(texts, ours.predict(texts), strict=True):
        answer = raw.answer(text)
        assert answer["label"] == expected.label
        assert answer["probability"] == pytest.approx(expected.probability, abs=1e-6)
