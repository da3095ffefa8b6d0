"""The linear baselines."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from pipeline.core.variants import CHARACTERS, NAIVE_BAYES
from pipeline.models.linear import (
    KINDS,
    Counted,
    LinearTask,
    linear_baseline,
    log_count_ratio,
    majority,
)
from pipeline.problem.problems import problem_named

RED_BLUE = ["red apple", "blue sky", "red and blue", "a plain thing", "no colour"] * 4


def test_the_log_count_ratio_equals_an_example_worked_by_hand() -> None:
    # Smoothed counts: p = (3, 1), q = (1, 2); r = log(3/4 / (1/3)), log(1/4 / (2/3)).
    counts = csr_matrix([[1, 0], [1, 0], [0, 1]])
    ratios = log_count_ratio(counts, np.array([True, True, False]))
    assert ratios == pytest.approx([np.log(9 / 4), np.log(3 / 8)])


def test_three_labels_are_asked_one_against_the_rest() -> None:
    texts = ["red apple", "red berry", "blue sky", "blue sea", "green leaf", "green tree"] * 3
    targets = np.array([[0.0], [0.0], [1.0], [1.0], [2.0], [2.0]] * 3)
    task = LinearTask(problem=problem_named("classification"), labels=3, pairs=False, max_ngram=2)
    model = linear_baseline(NAIVE_BAYES, texts, targets, task, regularisation=10.0)
    probabilities = model.scores(["a red thing", "blue", "green", "unseen"])
    assert probabilities.shape == (4, 3)
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(4))
    assert probabilities[:3].argmax(axis=1).tolist() == [0, 1, 2]


@pytest.mark.parametrize("name", KINDS)
def test_labels_are_asked_one_by_one_and_one_that_all_have_is_certain(name: str) -> None:
    targets = np.array([[1.0, 0, 1], [0, 1, 1], [1, 1, 1], [0, 0, 1], [0, 0, 1]] * 4)
    task = LinearTask(problem=problem_named("multi_label"), labels=3, pairs=False, max_ngram=1)
    found = linear_baseline(name, RED_BLUE, targets, task, regularisation=100.0).scores(
        ["blue", "red blue", "plain"]
    )
    assert (found > 0.5).tolist() == [[False, True, True], [True, True, True], [False, False, True]]
    assert majority(targets, task).scores(["any"]).tolist() == [[0.4, 0.4, 1.0]]


@pytest.mark.parametrize("name", KINDS)
def test_numbers_are_learned_by_ridge_regression(name: str) -> None:
    targets = np.array([[3.0], [-3.0], [0.0], [0.0], [0.0]] * 4)
    task = LinearTask(problem=problem_named("regression"), labels=1, pairs=False, max_ngram=1)
    found = linear_baseline(name, RED_BLUE, targets, task, regularisation=100.0).scores(
        ["red", "blue"]
    )
    assert found.shape == (2, 1)
    assert found[0, 0] > 1 > -1 > found[1, 0]
    assert majority(targets, task).scores(["any", "two"]).tolist() == [[0.0], [0.0]]


@pytest.mark.parametrize("name", KINDS)
def test_a_pair_is_told_by_the_side_of_a_word_and_by_what_both_share(name: str) -> None:
    words = ["ash", "bay", "elm", "fir", "oak", "yew"]
    pairs = [(f"one {a}", f"other {b}") for a in words for b in words] * 2
    same = np.array([[float(a.split()[1] == b.split()[1])] for a, b in pairs])
    task = LinearTask(problem=problem_named("classification"), labels=2, pairs=True, max_ngram=1)
    found = linear_baseline(name, pairs, same, task, regularisation=1000.0).scores(pairs)
    assert (found.argmax(axis=1) == same[:, 0]).all()
    sided = [("red", "blue"), ("blue", "red")] * 3
    told = linear_baseline(
        name, sided, np.array([[0.0], [1.0]] * 3), task, regularisation=10.0
    ).scores(sided)
    assert told.argmax(axis=1).tolist() == [0, 1] * 3


def test_characters_tell_a_word_by_its_stem_whatever_particle_follows() -> None:
    # Each form of a word is seen once: with its particle it is no word of the others.
    good, bad = ["배송이", "배송은", "배송도", "배송만"], ["환불이", "환불은", "환불도", "환불만"]
    targets = np.array([[1.0]] * 4 + [[0.0]] * 4)
    task = LinearTask(problem=problem_named("classification"), labels=2, pairs=False, max_ngram=2)
    asked = ["배송까지", "환불까지"]
    right = {
        name: linear_baseline(name, [*good, *bad], targets, task, regularisation=10.0)
        .scores(asked)
        .argmax(axis=1)
        .tolist()
        for name in KINDS
    }
    assert right.pop(CHARACTERS) == [1, 0]
    assert [1, 0] not in right.values()


@pytest.mark.parametrize("name", KINDS)
def test_learning_from_some_of_the_counted_texts_is_learning_from_those_alone(name: str) -> None:
    texts = ["red apple", "blue sky", "red sea", "blue red blue", "green leaf", "red tree"]
    targets = np.array([[1.0], [0.0], [1.0], [0.0], [0.0], [1.0]])
    task = LinearTask(problem=problem_named("classification"), labels=2, pairs=False, max_ngram=2)
    some = np.array([0, 1, 3, 5])
    part = Counted.of(name, texts, task).rows(some).fit(targets[some], task, regularisation=1.0)
    alone = linear_baseline(name, [texts[i] for i in some], targets[some], task, regularisation=1.0)
    asked = ["a green apple", "blue", "red leaf"]
    assert np.allclose(part.scores(asked), alone.scores(asked), atol=1e-12)


@pytest.mark.parametrize("name", KINDS)
def test_words_that_differ_in_a_vowel_sign_are_two_features(name: str) -> None:
    texts = ["खाना मिला", "खाना मैला"] * 10
    task = LinearTask(problem=problem_named("classification"), labels=2, pairs=False, max_ngram=1)
    model = linear_baseline(name, texts, np.array([[0.0], [1.0]] * 10), task, regularisation=100.0)
    assert model.scores(["मिला", "मैला"]).argmax(axis=1).tolist() == [0, 1]
