"""The classifier gives one answer a text, whatever its neighbours are."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from pipeline.core.errors import ArtifactError
from pipeline.runtime.bundle import open_bundle
from pipeline.runtime.classifier import Classifier, softmax
from tests.support.tiny_bundle import make_tiny_bundle, make_tiny_model

TEXTS = ["a warm funny film", "awful", "the dull film " * 10, "", "naïve 映画 🎬"]


@pytest.fixture(name="classifier")
def make_classifier(tmp_path: Path) -> Classifier:
    make_tiny_bundle(tmp_path / "bundle")
    return Classifier.from_bundle(open_bundle(tmp_path / "bundle"), threads=1)


def test_words_of_praise_are_positive_and_words_of_blame_negative(classifier: Classifier) -> None:
    praise, blame = classifier.classify(["a warm funny film", "an awful dull film"])
    assert (praise.label, blame.label) == ("positive", "negative")
    assert praise.probability == praise.probabilities["positive"] > 0.9


def test_an_answer_does_not_depend_on_other_texts_of_the_request(classifier: Classifier) -> None:
    together = classifier.classify(TEXTS)
    assert together == [classifier.classify([text])[0] for text in TEXTS]


def test_probabilities_are_those_of_classify_and_sum_to_one(classifier: Classifier) -> None:
    matrix = classifier.probabilities(TEXTS)
    assert matrix.shape == (len(TEXTS), 2)
    assert matrix.dtype == np.float64
    np.testing.assert_allclose(matrix.sum(axis=1), 1.0, rtol=0, atol=1e-12)
    expected = [list(p.probabilities.values()) for p in classifier.classify(TEXTS)]
    np.testing.assert_array_equal(matrix, np.array(expected))


def test_texts_taken_side_by_side_get_the_same_probabilities_in_order(
    classifier: Classifier,
) -> None:
    texts = ["a warm funny film", "a bad film", "the awful dull film"] * 5
    rows = list(classifier.probabilities_of_each(texts, workers=3))
    assert np.array_equal(np.stack(rows), classifier.probabilities(texts))


def test_no_text_gives_no_answer(classifier: Classifier) -> None:
    assert classifier.classify([]) == []
    assert classifier.probabilities([]).shape == (0, 2)


def test_a_long_text_is_cut_at_max_length_and_says_so(classifier: Classifier) -> None:
    ids, truncated = classifier.encode("film " * 1000)
    assert len(ids) == 16
    assert truncated
    fits, longer = classifier.classify(["film " * 14, "film " * 15])
    assert (fits.truncated, longer.truncated) == (False, True)


def test_threads_of_the_caller_get_the_same_answers(classifier: Classifier) -> None:
    alone = classifier.classify(TEXTS)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(classifier.classify, [TEXTS] * 40))
    assert all(answer == alone for answer in answers)


def test_softmax_stands_large_logits_and_keeps_exact_halves() -> None:
    np.testing.assert_array_equal(softmax(np.array([1e4, 1e4], dtype=np.float32)), [0.5, 0.5])


def test_a_model_with_another_number_of_outputs_is_refused(tmp_path: Path) -> None:
    model, tokenizer = make_tiny_model(tmp_path)
    with pytest.raises(ArtifactError, match="logits of 3"):
        Classifier(model, tokenizer, labels=("a", "b", "c"), max_length=16, threads=1)


def test_a_file_that_is_no_model_or_no_tokenizer_is_refused_by_name(tmp_path: Path) -> None:
    model, tokenizer = make_tiny_model(tmp_path)
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x00")
    with pytest.raises(ArtifactError, match="broken does not load"):
        Classifier(broken, tokenizer, labels=("a", "b"), max_length=16, threads=1)
    with pytest.raises(ArtifactError, match="broken does not load"):
        Classifier(model, broken, labels=("a", "b"), max_length=16, threads=1)
