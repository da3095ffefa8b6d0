"""prune: network surgery on the student, with training in which the rest makes up for what is cut.

Reads   artifacts/distill/model/, artifacts/transfer/, artifacts/prepare/{records.parquet, student_tokenizer/}
Writes  artifacts/prune/{model/, curve.csv, metrics.json}
"""

from dataclasses import replace

import numpy as np
import torch
from transformers import PreTrainedModel

from pipeline.compression.cells import cell_importance, narrow_cells
from pipeline.compression.low_rank import merge, take_apart
from pipeline.compression.structured import narrow_feed_forward, unit_importance
from pipeline.compression.student import Lesson, read_lesson, student_training
from pipeline.compression.surgery import Surgery
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
from pipeline.training.loop import Training, train
from pipeline.training.validation import QUALITY

_IMPORTANCE_BATCHES = 40


def run(params: Params, paths: Paths) -> Metrics:
    """Cut by `prune.method`, train, and save what is left."""
    tokenizer = load_tokenizer(paths.read("prepare", "student_tokenizer"))
    lesson = read_lesson(
        params, paths, tokenizer, scores=scores_of, max_sentences=params.prune.max_sentences
    )
    model = load_classifier(paths.read("distill", "model"), labels=params.product.labels)
    take_apart(model)
    lesson.standardise(model)
    torch.nn.Module.to(model, prepare_device(params.compute))
    training = student_training(lesson, schedule=params.prune, params=params, paths=paths)
    operate = {"structured": _structured, "dynamic": _dynamic}[params.prune.method]
    before = parameter_count(model)
    figures, summary = operate(model, lesson, training, params)
    lesson.unstandardise(model)
    report, parameters = lesson.validation.report(model), parameter_count(model)
    merge(model)
    save_model(model, tokenizer, paths.out / "model")
    return {
        **report,
        **figures,
        "parameters": parameters,
        "parameters_removed": before - parameters,
        "headline": f"validation {report['quality_metric']} {report[QUALITY]:.3f}, {summary}",
    }


def _structured(
    model: PreTrainedModel, lesson: Lesson, training: Training, params: Params
) -> tuple[Metrics, str]:
    """Cut units by importance on training rows, then train what is left."""
    labelled = np.flatnonzero(lesson.labelled)
    batches = epoch_batches(
        lesson.rows.lengths[labelled],
        batch_size=params.prune.batch_size,
        seed=params.compute.seed,
        epoch=0,
    )[:_IMPORTANCE_BATCHES]
    rows, share = (labelled[batch] for batch in batches), params.prune.keep_share
    if isinstance(model, BilmForSequenceClassification):
        units = "cells"
        importance = cell_importance(model, lesson.objective, rows)
        width = narrow_cells(model, importance, keep_share=share)
    else:
        units = "feed-forward units"
        importance = unit_importance(model, lesson.objective, rows)
        width = narrow_feed_forward(model, importance, keep_share=share)
    train(model, lesson.objective, training)
    return {"feed_forward_size": width}, f"{width} {units}"


def _dynamic(
    model: PreTrainedModel, lesson: Lesson, training: Training, params: Params
) -> tuple[Metrics, str]:
    """Cut and splice single weights while the model trains."""
    surgery = Surgery(model, keep_share=params.prune.keep_share, steps=training.steps)
    train(model, lesson.objective, replace(training, after_step=surgery.after_step))
    done = surgery.finish(model)
    share = done.cut / parameter_count(model)
    figures = {"weights_cut": done.cut, "weights_spliced": done.spliced, "cut_share": share}
    return figures, f"{share:.0%} of the weights cut, {done.spliced:,} spliced back"


if __name__ == "__main__":
    run_stage("prune", run)
