"""Linear classifiers over word n-grams: the bar that a language model must clear.

TF-IDF logistic regression, and logistic regression on naive-Bayes-weighted counts (NB-LR: Wang and
Manning 2012, "Baselines and Bigrams"), one label against the rest.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression

Probabilities = NDArray[np.float64]
LabelIds = NDArray[np.int64]

_WORD = r"\w+"
_SMOOTHING = 1.0
_MAX_ITERATIONS = 1000


class Classifier(Protocol):
    """What the three baselines share."""

    def probabilities(self, texts: Sequence[str]) -> Probabilities:
        """Probability of each label, `(texts, labels)`, rows adding up to 1."""
        ...


class Majority:
    """Gives every text the label shares of the training rows."""

    def __init__(self, label_ids: LabelIds, *, labels: int) -> None:
        self._shares = np.bincount(label_ids, minlength=labels) / len(label_ids)

    def probabilities(self, texts: Sequence[str]) -> Probabilities:
        return np.tile(self._shares, (len(texts), 1))


class TfidfRegression:
    """Multinomial logistic regression over TF-IDF of word n-grams."""

    def __init__(
        self, texts: Sequence[str], label_ids: LabelIds, *, max_ngram: int, regularisation: float
    ) -> None:
        self._vectorizer = TfidfVectorizer(
            ngram_range=(1, max_ngram), token_pattern=_WORD, sublinear_tf=True, min_df=1
        )
        self._model = LogisticRegression(C=regularisation, max_iter=_MAX_ITERATIONS)
        self._model.fit(self._vectorizer.fit_transform(texts), label_ids)

    def probabilities(self, texts: Sequence[str]) -> Probabilities:
        found: Probabilities = self._model.predict_proba(self._vectorizer.transform(texts))
        return found


class NaiveBayesRegression:
    """NB-LR: presence of word n-grams times their log-count ratio, one label against the rest."""

    def __init__(
        self,
        texts: Sequence[str],
        label_ids: LabelIds,
        *,
        labels: int,
        max_ngram: int,
        regularisation: float,
    ) -> None:
        self._vectorizer = CountVectorizer(
            ngram_range=(1, max_ngram), token_pattern=_WORD, binary=True
        )
        counts = self._vectorizer.fit_transform(texts)
        # Two labels are one question: the answer to the second is the rest.
        asked = range(1, 2) if labels == 2 else range(labels)
        self._ratios = [log_count_ratio(counts, label_ids == label) for label in asked]
        self._models = [
            LogisticRegression(
                C=regularisation, solver="liblinear", max_iter=_MAX_ITERATIONS, random_state=0
            ).fit(counts.multiply(ratio).tocsr(), label_ids == label)
            for label, ratio in zip(asked, self._ratios, strict=True)
        ]

    def probabilities(self, texts: Sequence[str]) -> Probabilities:
        counts = self._vectorizer.transform(texts)
        answers = [
            model.predict_proba(counts.multiply(ratio).tocsr())[:, 1]
            for model, ratio in zip(self._models, self._ratios, strict=True)
        ]
        if len(answers) == 1:
            return np.stack([1 - answers[0], answers[0]], axis=1)
        table = np.stack(answers, axis=1)
        return np.asarray(table / table.sum(axis=1, keepdims=True), dtype=np.float64)


def log_count_ratio(counts: Any, positive: NDArray[np.bool_]) -> Probabilities:
    """R = log((p / ‖p‖₁) / (q / ‖q‖₁)) with p, q the smoothed counts of the two sides, `(ngrams,)`.

    Args:
        counts: sparse 0/1 table `(texts, ngrams)`.
        positive: which texts are on the side of p, `(texts,)`.
    """
    p = _SMOOTHING + np.asarray(counts[positive].sum(axis=0)).ravel()
    q = _SMOOTHING + np.asarray(counts[~positive].sum(axis=0)).ravel()
    ratios: Probabilities = np.log(p / p.sum()) - np.log(q / q.sum())
    return ratios


def accuracy(probabilities: Probabilities, label_ids: LabelIds) -> float:
    """Share of rows whose most probable label is right."""
    return float((probabilities.argmax(axis=1) == label_ids).mean())
