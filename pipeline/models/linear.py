"""Linear models of n-grams: the baselines that a language model must beat.

There are three for each problem. On TF-IDF of word n-grams, and on that of character n-grams within
words, which also know a word by its stem (Korean particles, inflections, typing errors): logistic
regression; for numbers, ridge regression. On the presence of word n-grams: logistic regression
weighted by naive Bayes (NB-LR: Wang and Manning 2012, "Baselines and Bigrams"), one label against
the rest; for numbers, ridge regression again. The n-grams of a pair are counted for each of its
texts, and once more if both texts have them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression, Ridge

from pipeline.core.letters import word_pattern
from pipeline.core.product import Product
from pipeline.core.sections import BaselineParams
from pipeline.core.variants import CHARACTERS, NAIVE_BAYES, TFIDF
from pipeline.models.character_ngrams import CharacterNgrams
from pipeline.problem.probabilities import Scores, Targets
from pipeline.problem.problem import Problem
from pipeline.problem.problems import CLASSIFICATION, MULTI_LABEL, REGRESSION, problem_named

Inputs = Sequence[str] | Sequence[tuple[str, str]]
Table = Any
"""A sparse table of features, `(texts, ngrams)`."""
Fit = Callable[[Table, Targets, int, float], Callable[[Table], Scores]]
"""From table, targets, the number of labels and C to a function from a table to scores."""

_CHARACTERS = (1, 4)
_SMOOTHING = 1.0
_MAX_ITERATIONS = 1000


@dataclass(frozen=True, kw_only=True)
class LinearTask:
    """The problem that a baseline learns.

    Attributes:
        labels: how many outputs; one for a number.
        max_ngram: words in the longest n-gram.
    """

    problem: Problem
    labels: int
    pairs: bool
    max_ngram: int

    @classmethod
    def of(cls, product: Product, settings: BaselineParams) -> "LinearTask":
        """The task that the parameters describe."""
        return cls(
            problem=problem_named(product.problem),
            labels=len(product.labels),
            pairs=product.pairs,
            max_ngram=settings.max_ngram,
        )


@dataclass(frozen=True)
class Baseline:
    """A fitted baseline: features of texts, and scores from them."""

    features: Callable[[Inputs], Any]
    answer: Callable[[Any], Scores]

    def scores(self, inputs: Inputs) -> Scores:
        """Probability of each label, or the number, `(rows, outputs)`."""
        return self.answer(self.features(inputs))


def majority(targets: Targets, task: LinearTask) -> Baseline:
    """A baseline with the same scores for every text: the labels' shares, or the mean."""
    answer = task.problem.constant_scores(targets, labels=task.labels)
    return Baseline(len, lambda rows: np.tile(answer, (rows, 1)))


class Kind(NamedTuple):
    """One kind of linear baseline.

    Attributes:
        characters: whether n-grams are of characters; else of words.
        presence: whether an n-gram counts once a text, weighted by naive Bayes; else TF-IDF.
        min_texts: an n-gram of fewer training texts is left out.
    """

    characters: bool
    presence: bool
    min_texts: int


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        TFIDF: Kind(characters=False, presence=False, min_texts=1),
        NAIVE_BAYES: Kind(characters=False, presence=True, min_texts=1),
        CHARACTERS: Kind(characters=True, presence=False, min_texts=2),
    }
)
"""Baseline → its kind."""


@dataclass(frozen=True)
class Counted:
    """The n-grams of training texts, counted once for every model that learns from them.

    Attributes:
        table: how often each text has each n-gram, `(texts, ngrams)`, sparse.
        count: from texts to such a table of the same n-grams.
    """

    kind: Kind
    table: Table
    count: Callable[[Inputs], Table]

    @classmethod
    def of(cls, name: str, inputs: Inputs, task: LinearTask) -> "Counted":
        """The n-grams that the baseline of this name counts."""
        kind = KINDS[name]
        vectorizer: Any
        if kind.characters and not task.pairs:
            vectorizer = CharacterNgrams(longest=_CHARACTERS[1], min_texts=kind.min_texts)
        else:
            vectorizer = CountVectorizer(
                **_analysis(task, characters=kind.characters),
                binary=kind.presence,
                min_df=kind.min_texts,
                dtype=np.float32 if kind.characters else np.float64,
            )
        return cls(kind, vectorizer.fit_transform(inputs), vectorizer.transform)

    def rows(self, chosen: NDArray[np.int64]) -> "Counted":
        """Counts of some of the texts, by their numbers."""
        return replace(self, table=self.table[chosen])

    def fit(self, targets: Targets, task: LinearTask, *, regularisation: float) -> Baseline:
        """A linear model of the n-grams that enough of these texts have.

        Args:
            targets: of the texts, `(texts, width)`.
            regularisation: C; a larger one lets weights grow.
        """
        holders = np.bincount(self.table.indices, minlength=self.table.shape[1])
        kept = np.flatnonzero(holders >= self.kind.min_texts)
        weigh, models = self._weights(self.table[:, kept]), LINEAR_MODELS[task.problem.name]
        learn = models.presence if self.kind.presence else models.tfidf
        answer = learn(weigh(self.table[:, kept]), targets, task.labels, regularisation)
        return Baseline(self.count, lambda counts: answer(weigh(counts[:, kept])))

    def _weights(self, table: Table) -> Callable[[Table], Table]:
        if self.kind.presence:
            return lambda counts: counts
        weigh: Callable[[Table], Table] = TfidfTransformer(sublinear_tf=True).fit(table).transform
        return weigh


def linear_baseline(
    name: str, inputs: Inputs, targets: Targets, task: LinearTask, *, regularisation: float
) -> Baseline:
    """The linear baseline of this name, one of `KINDS`, fitted to texts or pairs."""
    counted = Counted.of(name, inputs, task)
    return counted.fit(targets, task, regularisation=regularisation)


def _analysis(task: LinearTask, *, characters: bool) -> dict[str, Any]:
    """Options with which a vectorizer takes n-grams from a text, or from a pair."""
    words = {"ngram_range": (1, task.max_ngram), "token_pattern": word_pattern().pattern}
    single = {"ngram_range": _CHARACTERS, "analyzer": "char_wb"} if characters else words
    if not task.pairs:
        return single
    ngrams = CountVectorizer(**single).build_analyzer()

    def of_pair(pair: tuple[str, str]) -> list[str]:
        first, second = ngrams(pair[0]), ngrams(pair[1])
        both = sorted({*first} & {*second})
        sides = (("1", first), ("2", second), ("=", both))
        return [f"{side} {ngram}" for side, found in sides for ngram in found]

    return {"analyzer": of_pair}


def _logistic(
    table: Table, positive: NDArray[np.bool_], regularisation: float, *, weighted: bool
) -> Callable[[Table], NDArray[np.float64]]:
    """Probability that a text has the label, `(rows,)`, from features or weighted ones."""
    if positive.all() or not positive.any():
        return lambda rows: np.full(rows.shape[0], float(positive[0]))
    model = LogisticRegression(C=regularisation, max_iter=_MAX_ITERATIONS)
    if not weighted:
        model.fit(table, positive)
        return lambda rows: np.asarray(model.predict_proba(rows)[:, 1], dtype=np.float64)
    ratio = log_count_ratio(table, positive)
    model.set_params(solver="liblinear", random_state=0)
    model.fit(table.multiply(ratio).tocsr(), positive)
    return lambda rows: model.predict_proba(rows.multiply(ratio).tocsr())[:, 1]


def _ridge(
    table: Table, targets: Targets, _labels: int, regularisation: float
) -> Callable[[Table], Scores]:
    """The number, `(rows, 1)`."""
    model = Ridge(alpha=1 / regularisation, solver="sparse_cg").fit(table, targets[:, 0])
    return lambda rows: np.asarray(model.predict(rows), dtype=np.float64)[:, None]


def _multinomial(
    table: Table, targets: Targets, _labels: int, regularisation: float
) -> Callable[[Table], Scores]:
    """Probabilities of labels, one of which a text has."""
    model = LogisticRegression(C=regularisation, max_iter=_MAX_ITERATIONS)
    model.fit(table, targets[:, 0].astype(np.int64))
    return lambda rows: np.asarray(model.predict_proba(rows), dtype=np.float64)


def _each_label(
    table: Table, targets: Targets, _labels: int, regularisation: float, *, weighted: bool
) -> Callable[[Table], Scores]:
    """Probabilities of labels, any of which a text may have."""
    answers = [
        _logistic(table, column > 0, regularisation, weighted=weighted) for column in targets.T
    ]
    return lambda rows: np.stack([answer(rows) for answer in answers], axis=1)


def _one_against_the_rest(
    table: Table, targets: Targets, labels: int, regularisation: float
) -> Callable[[Table], Scores]:
    """Probabilities of labels, one of which a text has, from naive-Bayes-weighted counts."""
    # Of two labels only the second is asked: the first has the rest.
    asked = np.arange(1 if labels == 2 else 0, labels)
    each = _each_label(table, targets == asked, labels, regularisation, weighted=True)

    def answer(rows: Table) -> Scores:
        found = each(rows)
        if labels == 2:
            return np.concatenate([1 - found, found], axis=1)
        return np.asarray(found / found.sum(axis=1, keepdims=True), dtype=np.float64)

    return answer


class LinearModels(NamedTuple):
    """How the linear models of a problem are fitted, to TF-IDF and to 1 for what occurs, else 0."""

    tfidf: Fit
    presence: Fit


LINEAR_MODELS: Mapping[str, LinearModels] = MappingProxyType(
    {
        CLASSIFICATION: LinearModels(_multinomial, _one_against_the_rest),
        MULTI_LABEL: LinearModels(
            partial(_each_label, weighted=False), partial(_each_label, weighted=True)
        ),
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
