"""Linear models over word n-grams: the bar that a language model must clear.

Two of each kind. Over TF-IDF: logistic regression; for numbers, ridge regression. Over the presence of
n-grams: logistic regression weighted by naive Bayes (NB-LR: Wang and Manning 2012, "Baselines and
Bigrams"), one label against the rest; for numbers, ridge regression again. Of a pair, n-grams count by
the text they stand in, and once more where both texts have them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge

from pipeline.core.product import CLASSIFICATION, MULTI_LABEL, REGRESSION

Scores = NDArray[np.float64]
Targets = NDArray[np.float64]
Inputs = Sequence[str] | Sequence[tuple[str, str]]

_WORD = r"\w+"
_SMOOTHING = 1.0
_MAX_ITERATIONS = 1000


@dataclass(frozen=True)
class Task:
    """What a baseline is to learn.

    Attributes:
        labels: how many; of regression, one.
        max_ngram: words of the longest n-gram.
    """

    problem: str
    labels: int
    pairs: bool
    max_ngram: int


@dataclass(frozen=True)
class Baseline:
    """Features of texts, and an answer to them."""

    features: Callable[[Inputs], Any]
    answer: Callable[[Any], Scores]

    def scores(self, inputs: Inputs) -> Scores:
        """Probability of each label, or the number, `(rows, outputs)`."""
        return self.answer(self.features(inputs))


def majority(targets: Targets, task: Task) -> Baseline:
    """Says the same of every text: the shares of the labels in the training rows, or the mean."""
    if task.problem == CLASSIFICATION:
        counts = np.bincount(targets[:, 0].astype(np.int64), minlength=task.labels)
        answer = counts / len(targets)
    else:
        answer = targets.mean(axis=0)
    return Baseline(len, lambda rows: np.tile(answer, (rows, 1)))


def tfidf_regression(
    inputs: Inputs, targets: Targets, task: Task, *, regularisation: float
) -> Baseline:
    """Over TF-IDF of word n-grams. `regularisation` is C: a larger one lets weights grow."""
    vectorizer = TfidfVectorizer(**_analysis(task), sublinear_tf=True, min_df=1)
    table = vectorizer.fit_transform(inputs)
    if task.problem == REGRESSION:
        return Baseline(vectorizer.transform, _ridge(table, targets, regularisation))
    if task.problem == MULTI_LABEL:
        answers = [_logistic(table, column > 0, regularisation) for column in targets.T]
        return Baseline(
            vectorizer.transform,
            lambda rows: np.stack([answer(rows) for answer in answers], axis=1),
        )
    model = LogisticRegression(C=regularisation, max_iter=_MAX_ITERATIONS)
    model.fit(table, targets[:, 0].astype(np.int64))
    return Baseline(vectorizer.transform, model.predict_proba)


def naive_bayes_regression(
    inputs: Inputs, targets: Targets, task: Task, *, regularisation: float
) -> Baseline:
    """Over the presence of word n-grams, times their log-count ratio where there are labels."""
    vectorizer = CountVectorizer(**_analysis(task), binary=True)
    counts = vectorizer.fit_transform(inputs)
    if task.problem == REGRESSION:
        return Baseline(vectorizer.transform, _ridge(counts, targets, regularisation))
    one_of = task.problem == CLASSIFICATION
    # Two labels of which one holds are one question: the answer to the second is the rest.
    asked = range(1, 2) if one_of and task.labels == 2 else range(task.labels)
    answers = [
        _weighted(
            counts, targets[:, 0] == label if one_of else targets[:, label] > 0, regularisation
        )
        for label in asked
    ]

    def answer(table: Any) -> Scores:
        found = np.stack([one(table) for one in answers], axis=1)
        if not one_of:
            return found
        if len(answers) == 1:
            return np.concatenate([1 - found, found], axis=1)
        return np.asarray(found / found.sum(axis=1, keepdims=True), dtype=np.float64)

    return Baseline(vectorizer.transform, answer)


def _analysis(task: Task) -> dict[str, Any]:
    """How a vectorizer takes n-grams from a text, or from a pair."""
    single = {"ngram_range": (1, task.max_ngram), "token_pattern": _WORD}
    if not task.pairs:
        return single
    ngrams = CountVectorizer(**single).build_analyzer()

    def of_pair(pair: tuple[str, str]) -> list[str]:
        first, second = ngrams(pair[0]), ngrams(pair[1])
        both = sorted({*first} & {*second})
        sides = (("1", first), ("2", second), ("=", both))
        return [f"{side} {ngram}" for side, found in sides for ngram in found]

    return {"analyzer": of_pair}


def _weighted(
    counts: Any, positive: NDArray[np.bool_], regularisation: float
) -> Callable[[Any], NDArray[np.float64]]:
    """Probability that a label holds, `(rows,)`, by naive-Bayes-weighted counts."""
    if positive.all() or not positive.any():
        return _constant(positive)
    ratio = log_count_ratio(counts, positive)
    model = LogisticRegression(
        C=regularisation, solver="liblinear", max_iter=_MAX_ITERATIONS, random_state=0
    ).fit(counts.multiply(ratio).tocsr(), positive)
    return lambda rows: model.predict_proba(rows.multiply(ratio).tocsr())[:, 1]


def _logistic(
    table: Any, positive: NDArray[np.bool_], regularisation: float
) -> Callable[[Any], NDArray[np.float64]]:
    """Probability that a label holds, `(rows,)`."""
    if positive.all() or not positive.any():
        return _constant(positive)
    model = LogisticRegression(C=regularisation, max_iter=_MAX_ITERATIONS).fit(table, positive)
    return lambda rows: model.predict_proba(rows)[:, 1]


def _constant(positive: NDArray[np.bool_]) -> Callable[[Any], NDArray[np.float64]]:
    """A label that all training rows have, or none: there is nothing to tell it by."""
    return lambda rows: np.full(rows.shape[0], float(positive[0]))


def _ridge(table: Any, targets: Targets, regularisation: float) -> Callable[[Any], Scores]:
    """The number, `(rows, 1)`."""
    model = Ridge(alpha=1 / regularisation, solver="sparse_cg").fit(table, targets[:, 0])
    return lambda rows: np.asarray(model.predict(rows), dtype=np.float64)[:, None]


def log_count_ratio(counts: Any, positive: NDArray[np.bool_]) -> Scores:
    """R = log((p / ‖p‖₁) / (q / ‖q‖₁)) with p, q the smoothed counts of the two sides, `(ngrams,)`.

    Args:
        counts: sparse 0/1 table `(texts, ngrams)`.
        positive: which texts are on the side of p, `(texts,)`.
    """
    p = _SMOOTHING + np.asarray(counts[positive].sum(axis=0)).ravel()
    q = _SMOOTHING + np.asarray(counts[~positive].sum(axis=0)).ravel()
    ratios: Scores = np.log(p / p.sum()) - np.log(q / q.sum())
    return ratios
