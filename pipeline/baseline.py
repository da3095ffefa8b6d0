"""baseline: fits simple models, to see whether a language model is worth its cost.

Reads   artifacts/prepare/records.parquet
Writes  artifacts/baseline/{predictions.parquet, verdict.json, learning_curve.csv, metrics.json}
"""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, fields
from functools import partial
from typing import Any

import pyarrow as pa

from pipeline.core.artifacts.data_reports import BaselineQuality, BaselineVerdict
from pipeline.core.files import write_text
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.stage import Metrics, run_stage
from pipeline.core.variants import NAIVE_BAYES
from pipeline.data.tables import read_table, text_schema, write_table
from pipeline.metrics.quality import quality_figure
from pipeline.models.baselines import (
    BaselineRows,
    LearningPoint,
    fit_baselines,
    learning_curve,
    split_rows,
    verdict,
)
from pipeline.models.linear import LinearTask
from pipeline.problem.probabilities import Scores, Targets
from pipeline.problem.problem import Problem
from pipeline.problem.problems import problem_named

SCORED = ("validation", "test")
Predicted = Mapping[tuple[str, str], Scores]  # by model and split


def run(params: Params, paths: Paths) -> Metrics:
    """Fits the baselines, chooses C on validation and says whether the problem can be learned."""
    product, settings = params.product, params.baseline
    metric, problem = product.requirements.quality_metric, problem_named(product.problem)
    task = LinearTask.of(product, settings)
    rows = split_rows(read_table(paths.read("prepare", "records.parquet")), pairs=task.pairs)
    quality_of = partial(_quality, metric, problem)
    fitted, chosen = fit_baselines(rows, settings, task=task, quality=quality_of)
    predicted = {
        (name, split): model.scores(rows[split].inputs)
        for name, model in fitted.items()
        for split in SCORED
    }
    # No decision reads the figure of test.
    quality = {
        name: BaselineQuality(
            **{s: quality_of(rows[s].targets, predicted[name, s]) for s in SCORED}
        )
        for name in fitted
    }
    curve = learning_curve(
        rows, settings, task=task, regularisation=chosen[NAIVE_BAYES], quality=quality_of
    )
    judged = verdict(
        quality,
        curve,
        regularisation=chosen,
        min_gain=settings.min_gain,
        problem=problem,
        metric=metric,
    )
    _save_curve(curve, paths)
    _save_predictions(predicted, rows, paths)
    judged.write(paths)
    return _metrics(judged)


def _quality(metric: str, problem: Problem, targets: Targets, scores: Scores) -> float:
    return quality_figure(metric, problem=problem, targets=targets, scores=scores)


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


def _save_predictions(predicted: Predicted, rows: Mapping[str, BaselineRows], paths: Paths) -> None:
    outputs = next(iter(predicted.values())).shape[1]
    names = [f"score_{output}" for output in range(outputs)]
    columns: dict[str, list[Any]] = {
        name: [] for name in ("id", "split", "model", "target", *names)
    }
    for (model, split), scores in predicted.items():
        ids = rows[split].ids
        columns["id"] += ids
        columns["split"] += [split] * len(ids)
        columns["model"] += [model] * len(ids)
        columns["target"] += rows[split].targets.tolist()
        for name, column in zip(names, scores.T, strict=True):
            columns[name] += column.tolist()
    types = {"target": pa.list_(pa.float64()), **dict.fromkeys(names, pa.float64())}
    write_table(
        paths.out / "predictions.parquet",
        columns,
        schema=text_schema("id", "split", "model", **types),
    )


if __name__ == "__main__":
    run_stage("baseline", run)
