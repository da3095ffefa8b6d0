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
from pipeline.data.tables import read_table, text_schema, write_table
from pipeline.models.linear import Classifier, accuracy
from pipeline.models.baselines import (
    NAIVE_BAYES,
    Rows,
    fit_baselines,
    learning_curve,
    split_rows,
    verdict,
)


def run(params: Params, paths: Paths) -> Metrics:
    """Fit the baselines, choose C on validation, say whether the problem can be learned."""
    labels = len(params.product.labels)
    rows = split_rows(read_table(paths.read("prepare", "records.parquet")))
    fitted, chosen = fit_baselines(rows, params.baseline, labels=labels)
    quality = _quality(fitted, rows)
    curve = learning_curve(
        rows, params.baseline, labels=labels, regularisation=chosen[NAIVE_BAYES]
    )
    judged = verdict(quality, curve, min_gain=params.baseline.min_gain)
    lines = [",".join(curve[0]), *(",".join(str(value) for value in p.values()) for p in curve)]
    write_text(paths.out / "learning_curve.csv", "\n".join(lines) + "\n")
    _save_predictions(fitted, rows, paths, labels=labels)
    write_json(paths.out / "verdict.json", {**judged, "quality": quality, "regularisation": chosen})
    best = quality[judged["best"]]
    return {
        "worth_a_model": judged["worth_a_model"],
        **{name: dict(figures) for name, figures in quality.items()},
        "headline": f"{judged['best']} {best['validation']:.3f} validation, {best['test']:.3f} test",
    }


def _quality(
    fitted: Mapping[str, Classifier], rows: Mapping[str, Rows]
) -> dict[str, dict[str, float]]:
    """Accuracy of each baseline. No decision reads the figure of test."""
    return {
        name: {
            split: accuracy(model.probabilities(rows[split].texts), rows[split].label_ids)
            for split in ("validation", "test")
        }
        for name, model in fitted.items()
    }


def _save_predictions(
    fitted: Mapping[str, Classifier], rows: Mapping[str, Rows], paths: Paths, *, labels: int
) -> None:
    names = [f"probability_{label}" for label in range(labels)]
    columns: dict[str, list[Any]] = {name: [] for name in ("id", "split", "model", *names)}
    for model, classifier in fitted.items():
        for split in ("validation", "test"):
            part = rows[split]
            columns["id"] += part.ids
            columns["split"] += [split] * len(part.ids)
            columns["model"] += [model] * len(part.ids)
            probabilities = classifier.probabilities(part.texts)
            for label, name in enumerate(names):
                columns[name] += probabilities[:, label].tolist()
    schema = text_schema("id", "split", "model", **dict.fromkeys(names, pa.float64()))
    write_table(paths.out / "predictions.parquet", columns, schema=schema)


if __name__ == "__main__":
    run_stage("baseline", run)
