"""baseline: what simple models reach on these rows; is a language model worth its cost?

Reads   artifacts/prepare/records.parquet
Writes  artifacts/baseline/{predictions.parquet, verdict.json, learning_curve.csv, metrics.json}
"""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from pipeline.core.files import write_json, write_text
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.stage import Metrics, run_stage
from pipeline.core.variants import NAIVE_BAYES
from pipeline.data.tables import read_table, text_schema, write_table
from pipeline.metrics.quality import quality_figure
from pipeline.models.baselines import (
    Rows,
    fit_baselines,
    learning_curve,
    split_rows,
    verdict,
)
from pipeline.models.linear import Task
from pipeline.problem.probabilities import Scores, Targets
from pipeline.problem.problems import problem_named

SCORED = ("validation", "test")
CURVE = ("step", "train_quality", "validation_quality")
Predicted = Mapping[tuple[str, str], Scores]  # by model and split


def run(params: Params, paths: Paths) -> Metrics:
    """Fit the baselines, choose C on validation, say whether the problem can be learned."""
    product, settings = params.product, params.baseline
    metric = product.requirements.quality_metric
    task = Task(
        problem=problem_named(product.problem),
        labels=len(product.labels),
        pairs=product.pairs,
        max_ngram=settings.max_ngram,
    )
    rows = split_rows(read_table(paths.read("prepare", "records.parquet")), pairs=task.pairs)

    def quality_of(targets: Targets, scores: Scores) -> float:
        return quality_figure(metric, problem=task.problem, targets=targets, scores=scores)

    fitted, chosen = fit_baselines(rows, settings, task=task, quality=quality_of)
    predicted = {
        (name, split): model.scores(rows[split].inputs)
        for name, model in fitted.items()
        for split in SCORED
    }
    quality: dict[str, dict[str, float]] = {}  # no decision reads the figure of test
    for (name, split), scores in predicted.items():
        quality.setdefault(name, {})[split] = quality_of(rows[split].targets, scores)
    curve = learning_curve(
        rows, settings, task=task, regularisation=chosen[NAIVE_BAYES], quality=quality_of
    )
    judged = verdict(
        quality, curve, min_gain=settings.min_gain, problem=task.problem, metric=metric
    )
    lines = [",".join(CURVE), *(",".join(str(p[name]) for name in CURVE) for p in curve)]
    write_text(paths.out / "learning_curve.csv", "\n".join(lines) + "\n")
    _save_predictions(predicted, rows, paths)
    write_json(paths.out / "verdict.json", {**judged, "quality": quality, "regularisation": chosen})
    best = quality[judged["best"]]
    return {
        "worth_a_model": judged["worth_a_model"],
        "quality_metric": metric,
        **quality,
        "headline": f"{judged['best']} {best['validation']:.3f} validation, {best['test']:.3f} test",
    }


def _save_predictions(predicted: Predicted, rows: Mapping[str, Rows], paths: Paths) -> None:
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
