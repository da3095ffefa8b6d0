"""baseline: fits simple models, to see whether a language model is worth its cost.

Reads   artifacts/prepare/records.parquet
Writes  artifacts/baseline/{predictions.parquet, verdict.json, learning_curve.csv, metrics.json}
"""

from collections.abc import Sequence
from dataclasses import astuple, fields

from pipeline.acceptance.predictions import Answers, write_answers
from pipeline.core.artifacts.data_reports import BaselineQuality, BaselineVerdict
from pipeline.core.artifacts.table_columns import BaselinePredictions
from pipeline.core.files import write_text
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.stage import Metrics, run_stage
from pipeline.core.variants import NAIVE_BAYES
from pipeline.data.tables import read_table
from pipeline.metrics.quality import quality_figure
from pipeline.models.baselines import (
    BaselineRows,
    LearningPoint,
    fit_baselines,
    learning_curve,
    split_rows,
    verdict,
)
from pipeline.models.linear import Baseline, LinearTask
from pipeline.problem.probabilities import Scores, Targets
from pipeline.problem.problems import problem_named

SCORED = ("validation", "test")


def run(params: Params, paths: Paths) -> Metrics:
    """Fits the baselines, chooses C on validation and says whether the problem can be learned."""
    product, settings = params.product, params.baseline
    metric, problem = product.requirements.quality_metric, problem_named(product.problem)
    task = LinearTask.of(product, settings)
    rows = split_rows(read_table(paths.read("prepare", "records.parquet")), pairs=task.pairs)

    def quality_of(targets: Targets, scores: Scores) -> float:
        return quality_figure(metric, problem=problem, targets=targets, scores=scores)

    fitted, chosen = fit_baselines(rows, settings, task=task, quality=quality_of)
    answers = [
        _answers(name, model, split=split, rows=rows[split])
        for name, model in fitted.items()
        for split in SCORED
    ]
    # No decision reads the figure of test.
    figures: dict[str, dict[str, float]] = {name: {} for name in fitted}
    for found in answers:
        figures[found.variant][found.split] = quality_of(found.targets, found.scores)
    curve = learning_curve(
        rows, settings, task=task, regularisation=chosen[NAIVE_BAYES], quality=quality_of
    )
    judged = verdict(
        {name: BaselineQuality(**by_split) for name, by_split in figures.items()},
        curve,
        regularisation=chosen,
        min_gain=settings.min_gain,
        problem=problem,
        metric=metric,
    )
    _save_curve(curve, paths)
    write_answers(paths.out / "predictions.parquet", answers, BaselinePredictions.columns())
    judged.write(paths)
    return _metrics(judged)


def _answers(name: str, model: Baseline, *, split: str, rows: BaselineRows) -> Answers:
    scores = model.scores(rows.inputs)
    return Answers(variant=name, split=split, ids=rows.ids, targets=rows.targets, scores=scores)


def _metrics(judged: BaselineVerdict) -> Metrics:
    best = judged.quality[judged.best]
    return {
        "worth_a_model": judged.worth_a_model,
        "quality_metric": judged.quality_metric,
        **{name: figures.as_json() for name, figures in judged.quality.items()},
        "headline": f"{judged.best} {best.validation:.3f} validation, {best.test:.3f} test",
    }


def _save_curve(curve: Sequence[LearningPoint], paths: Paths) -> None:
    names = [field.name for field in fields(LearningPoint)]
    lines = [names, *([str(value) for value in astuple(point)] for point in curve)]
    write_text(paths.out / "learning_curve.csv", "\n".join(",".join(line) for line in lines) + "\n")


if __name__ == "__main__":
    run_stage("baseline", run)
