"""Linear models over word n-grams: the bar that a language model must clear.

Two of each kind. Over TF-IDF: logistic regression; for numbers, ridge regression. Over the presence of
n-grams: logistic regression weighted by naive Bayes (NB-LR: Wang and Manning 2012, "Baselines and
Bigrams"), one label against the rest; for numbers, ridge regression again. Of a pair, n-grams count by
the text they stand in, and once more where both texts have them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge

from pipeline.core.params import BaselineParams, Product
from pipeline.problem.probabilities import Scores, Targets
from pipeline.problem.problem import Problem
from pipeline.problem.problems import CLASSIFICATION, MULTI_LABEL, REGRESSION, problem_named

Inputs = Sequence[str] | Sequence[tuple[str, str]]
Table = Any
"""A sparse table of features, `(texts, ngrams)`."""
Fit = Callable[[Table, Targets, int, float], Callable[[Table], Scores]]

_WORD = r"\w+"
_SMOOTHING = 1.0
_MAX_ITERATIONS = 1000


@dataclass(frozen=True, kw_only=True)
class Task:
    """The task of a baseline.

    Attributes:
        labels: how many; of regression, one.
        max_ngram: words of the longest n-gram.
    """

    problem: Problem
    labels: int
    pairs: bool
    max_ngram: int

    @classmethod
    def of(cls, product: Product, settings: BaselineParams) -> "Task":
        """The task that the parameters describe."""
        return cls(
            problem=problem_named(product.problem),
            labels=len(product.labels),
            pairs=product.pairs,
            max_ngram=settings.max_ngram,
        )


@dataclass(frozen=True)
class Baseline:
    """Features of texts, and an answer to them."""

    features: Callable[[Inputs], Any]
    answer: Callable[[Any], Scores]

    def scores(self, inputs: Inputs) -> Scores:
        """Probability of each label, or the number, `(rows, outputs)`."""
        return self.answer(self.features(inputs))


def majority(targets: Targets, task: Task) -> Baseline:
    """A baseline that gives the same scores to every text: the labels' shares in training, or the mean."""
    answer = task.problem.constant_scores(targets, labels=task.labels)
    return Baseline(len, lambda rows: np.tile(answer, (rows, 1)))


def tfidf_regression(
    inputs: Inputs, targets: Targets, task: Task, *, regularisation: float
) -> Baseline:
    """A linear model of TF-IDF of word n-grams. `regularisation` is C: a larger one lets weights grow."""
    vectorizer = TfidfVectorizer(**_analysis(task), sublinear_tf=True, min_df=1)
    table = vectorizer.fit_transform(inputs)
    fit = LINEAR_MODELS[task.problem.name].tfidf
    return Baseline(vectorizer.transform, fit(table, targets, task.labels, regularisation))


def naive_bayes_regression(
    inputs: Inputs, targets: Targets, task: Task, *, regularisation: float
) -> Baseline:
    """A linear model of which word n-grams occur, each times its log-count ratio where there are labels."""
    vectorizer = CountVectorizer(**_analysis(task), binary=True)
    counts = vectorizer.fit_transform(inputs)
    fit = LINEAR_MODELS[task.problem.name].presence
    return Baseline(vectorizer.transform, fit(counts, targets, task.labels, regularisation))


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


def _ridge(
    table: Table, targets: Targets, _labels: int, regularisation: float
) -> Callable[[Table], Scores]:
    """The number, `(rows, 1)`."""
    model = Ridge(alpha=1 / regularisation, solver="sparse_cg").fit(table, targets[:, 0])
    return lambda rows: np.asarray(model.predict(rows), dtype=np.float64)[:, None]


def _multinomial(
    table: Table, targets: Targets, _labels: int, regularisation: float
) -> Callable[[Table], Scores]:
    """Probabilities of labels of which one holds."""
    model = LogisticRegression(C=regularisation, max_iter=_MAX_ITERATIONS)
    model.fit(table, targets[:, 0].astype(np.int64))
    return lambda rows: np.asarray(model.predict_proba(rows))


def _logistic_each(
    table: Table, targets: Targets, _labels: int, regularisation: float
) -> Callable[[Table], Scores]:
    """Probabilities of labels of which any may hold."""
    return _together([_logistic(table, column > 0, regularisation) for column in targets.T])


def _weighted_each(
    table: Table, targets: Targets, _labels: int, regularisation: float
) -> Callable[[Table], Scores]:
    """Probabilities of labels of which any may hold, by naive-Bayes-weighted counts."""
    return _together([_weighted(table, column > 0, regularisation) for column in targets.T])


def _weighted_one(
    table: Table, targets: Targets, labels: int, regularisation: float
) -> Callable[[Table], Scores]:
    """Probabilities of labels of which one holds, by naive-Bayes-weighted counts, one against the rest."""
    # Two labels of which one holds are one question: the answer to the second is the rest.
    asked = range(1, 2) if labels == 2 else range(labels)
    each = _together([_weighted(table, targets[:, 0] == label, regularisation) for label in asked])

    def answer(rows: Table) -> Scores:
        found = each(rows)
        if labels == 2:
            return np.concatenate([1 - found, found], axis=1)
        return np.asarray(found / found.sum(axis=1, keepdims=True), dtype=np.float64)

    return answer


def _together(
    answers: Sequence[Callable[[Table], NDArray[np.float64]]],
) -> Callable[[Table], Scores]:
    return lambda rows: np.stack([answer(rows) for answer in answers], axis=1)


@dataclass(frozen=True)
class LinearModels:
    """How the two linear models of a problem are fitted: table, targets, labels, C → answer.

    Attributes:
        tfidf: on TF-IDF of n-grams.
        presence: on 1 for each n-gram that occurs, else 0.
    """

    tfidf: Fit
    presence: Fit


LINEAR_MODELS: Mapping[str, LinearModels] = MappingProxyType(
    {
        CLASSIFICATION: LinearModels(_multinomial, _weighted_one),
        MULTI_LABEL: LinearModels(_logistic_each, _weighted_each),
        REGRESSION: LinearModels(_ridge, _ridge),
    }
)
"""Problem → its linear models."""


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
