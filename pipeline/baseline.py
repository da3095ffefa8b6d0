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
from pipeline.models.baselines import (
    Rows,
    fit_baselines,
    learning_curve,
    split_rows,
    verdict,
)
from pipeline.models.linear import Probabilities, accuracy

SCORED = ("validation", "test")
Predicted = Mapping[tuple[str, str], Probabilities]  # by model and split


def run(params: Params, paths: Paths) -> Metrics:
    """Fit the baselines, choose C on validation, say whether the problem can be learned."""
    labels = len(params.product.labels)
    rows = split_rows(read_table(paths.read("prepare", "records.parquet")))
    fitted, chosen = fit_baselines(rows, params.baseline, labels=labels)
    predicted = {
        (name, split): model.probabilities(rows[split].texts)
        for name, model in fitted.items()
        for split in SCORED
    }
    quality = _quality(predicted, rows)
    curve = learning_curve(rows, params.baseline, labels=labels, regularisation=chosen[NAIVE_BAYES])
    judged = verdict(quality, curve, min_gain=params.baseline.min_gain)
    lines = [",".join(curve[0]), *(",".join(str(value) for value in p.values()) for p in curve)]
    write_text(paths.out / "learning_curve.csv", "\n".join(lines) + "\n")
    _save_predictions(predicted, rows, paths, labels=labels)
    write_json(paths.out / "verdict.json", {**judged, "quality": quality, "regularisation": chosen})
    best = quality[judged["best"]]
    return {
        "worth_a_model": judged["worth_a_model"],
        **{name: dict(figures) for name, figures in quality.items()},
        "headline": f"{judged['best']} {best['validation']:.3f} validation, {best['test']:.3f} test",
    }


def _quality(predicted: Predicted, rows: Mapping[str, Rows]) -> dict[str, dict[str, float]]:
    """Accuracy of each baseline. No decision reads the figure of test."""
    quality: dict[str, dict[str, float]] = {}
    for (name, split), probabilities in predicted.items():
        quality.setdefault(name, {})[split] = accuracy(probabilities, rows[split].label_ids)
    return quality


def _save_predictions(
    predicted: Predicted, rows: Mapping[str, Rows], paths: Paths, *, labels: int
) -> None:
    names = [f"probability_{label}" for label in range(labels)]
    columns: dict[str, list[Any]] = {name: [] for name in ("id", "split", "model", *names)}
    for (model, split), probabilities in predicted.items():
        ids = rows[split].ids
        columns["id"] += ids
        columns["split"] += [split] * len(ids)
        columns["model"] += [model] * len(ids)
        for label, name in enumerate(names):
            columns[name] += probabilities[:, label].tolist()
    schema = text_schema("id", "split", "model", **dict.fromkeys(names, pa.float64()))
    write_table(paths.out / "predictions.parquet", columns, schema=schema)


if __name__ == "__main__":
    run_stage("baseline", run)
