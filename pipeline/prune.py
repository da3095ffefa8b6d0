"""prune: keep the feed-forward units, or an LSTM's cells, that matter most, then let the rest recover.

Reads   artifacts/distill/model/, artifacts/transfer/, artifacts/prepare/{records.parquet, student_tokenizer/}
Writes  artifacts/prune/{model/, curve.csv, metrics.json}
"""

import numpy as np
import torch

from pipeline.compression.cells import cell_importance, narrow_cells
from pipeline.compression.structured import narrow_feed_forward, unit_importance
from pipeline.compression.student import read_lesson, train_student
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.stage import Metrics, run_stage
from pipeline.models.bilm_classifier import BilmForSequenceClassification
from pipeline.models.encoder import (
    load_classifier,
    load_tokenizer,
    parameter_count,
    save_model,
)
from pipeline.runtime.scores import scores_of
from pipeline.text.batching import epoch_batches
from pipeline.training.device import prepare_device
from pipeline.training.validation import QUALITY

_IMPORTANCE_BATCHES = 40


def run(params: Params, paths: Paths) -> Metrics:
    """Cut units by importance on training rows, then train what is left."""
    tokenizer = load_tokenizer(paths.read("prepare", "student_tokenizer"))
    lesson = read_lesson(
        params, paths, tokenizer, scores=scores_of, max_sentences=params.prune.max_sentences
    )
    model = load_classifier(paths.read("distill", "model"), labels=params.product.labels)
    lesson.standardise(model)
    torch.nn.Module.to(model, prepare_device(params.compute))
    labelled = np.flatnonzero(lesson.labelled)
    batches = epoch_batches(
        lesson.rows.lengths[labelled],
        batch_size=params.prune.batch_size,
        seed=params.compute.seed,
        epoch=0,
    )[:_IMPORTANCE_BATCHES]
    before = parameter_count(model)
    rows, share = (labelled[batch] for batch in batches), params.prune.keep_share
    if isinstance(model, BilmForSequenceClassification):
        units = "cells"
        importance = cell_importance(model, lesson.objective, rows)
        width = narrow_cells(model, importance, keep_share=share)
    else:
        units = "feed-forward units"
        importance = unit_importance(model, lesson.objective, rows)
        width = narrow_feed_forward(model, importance, keep_share=share)
    report = train_student(model, lesson, schedule=params.prune, params=params, paths=paths)
    save_model(model, tokenizer, paths.out / "model")
    return {
        **report,
        "feed_forward_size": width,
        "parameters": parameter_count(model),
        "parameters_removed": before - parameter_count(model),
        "headline": f"validation {report['quality_metric']} {report[QUALITY]:.3f}, {width} {units}",
    }


if __name__ == "__main__":
    run_stage("prune", run)
