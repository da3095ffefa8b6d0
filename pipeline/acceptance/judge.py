"""Judges every model of a product alike: turns its scores into answers and measures them.

A decision (thresholds, abstention) looks better than it is on the rows it was fitted on. So figures
of validation are cross-fitted: each half of the rows is answered by a decision fitted on the other
half. The decision that is released is fitted on all of validation.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.acceptance.predictions import Answers
from pipeline.core.artifacts.variant_reports import Answered
from pipeline.core.params import Params
from pipeline.core.sections import EvaluateParams
from pipeline.metrics.draws import Figure, drawn_figure
from pipeline.metrics.intervals import Draws
from pipeline.metrics.quality import figure_of
from pipeline.metrics.thresholds import fit_abstention, fit_thresholds, halves
from pipeline.problem.decision import Decision
from pipeline.problem.probabilities import Scores, Values
from pipeline.problem.problem import Problem
from pipeline.problem.problems import problem_named


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The answers of a model and the gold ones (see `Values`), and its scores `(rows, outputs)`.

    For rows that are not answered (`abstained`, `(rows,)`), metrics count the answer it would give.
    """

    gold: Values
    answers: Values
    scores: Scores
    abstained: NDArray[np.bool_]

    def figure(self, metric: str) -> float:
        """The metric on all rows."""
        return figure_of(metric, gold=self.gold, answers=self.answers, scores=self.scores)

    def drawn(self, metric: str) -> Figure:
        """The metric as a function of row numbers, for a bootstrap that draws rows."""
        return drawn_figure(metric, gold=self.gold, answers=self.answers, scores=self.scores)


@dataclass(frozen=True, kw_only=True)
class Judge:
    """Computes the figures that the product is judged by, above all its `metric`."""

    problem: Problem
    metric: str
    options: EvaluateParams
    seed: int

    @classmethod
    def of(cls, params: Params) -> "Judge":
        """The judge that the parameters describe."""
        return cls(
            problem=problem_named(params.product.problem),
            metric=params.product.requirements.quality_metric,
            options=params.evaluate,
            seed=params.compute.seed,
        )

    @property
    def abstains(self) -> bool:
        """Whether a model may abstain from an answer."""
        return self.options.abstain_quality is not None

    def fit(self, answers: Answers) -> Decision:
        """Fits the decision that is released, on all rows of validation."""
        return self._fit(self.problem.gold(answers.targets), answers.scores)

    def judge(self, answers: Answers, decision: Decision) -> Judged:
        """Judges rows that the decision was not fitted on."""
        return Judged(
            gold=self.problem.gold(answers.targets),
            answers=self.problem.answers(answers.scores, decision),
            scores=answers.scores,
            abstained=self.problem.abstains(answers.scores, decision),
        )

    def judge_fitted(self, answers: Answers) -> Judged:
        """Judges rows of validation, cross-fitted where any part of the decision is fitted."""
        found = self.judge(answers, Decision())
        if self.options.thresholds == "fixed" and not self.abstains:
            return found
        first = halves(len(answers.ids), self.seed)
        given, abstained = found.answers.copy(), found.abstained.copy()
        for half in (first, ~first):
            decision = self._fit(found.gold[~half], found.scores[~half])
            given[half] = self.problem.answers(found.scores[half], decision)
            abstained[half] = self.problem.abstains(found.scores[half], decision)
        return replace(found, answers=given, abstained=abstained)

    @property
    def draws(self) -> Draws:
        """How the intervals of its figures are drawn."""
        options = self.options
        return Draws(confidence=options.confidence, resamples=options.resamples, seed=self.seed)

    def row_scores(self, judged: Judged) -> NDArray[np.float64]:
        """How well each row is answered; see the problem's `row_scores`."""
        return self.problem.row_scores(judged.gold, judged.answers)

    def answered(self, judged: Judged) -> Answered:
        """Share of the rows that are answered, and share of right answers among them."""
        given = ~judged.abstained
        right = self.problem.right(judged.gold, judged.answers)[given]
        return Answered(
            share=float(given.mean()), right=float(right.mean()) if len(right) else None
        )

    def _fit(self, gold: Values, scores: Scores) -> Decision:
        decision = Decision()
        if self.options.thresholds == "fitted":
            decision = fit_thresholds(self.problem, self.metric, gold=gold, scores=scores)
        if (least := self.options.abstain_quality) is None:
            return decision
        return fit_abstention(self.problem, decision, gold=gold, scores=scores, least_right=least)
