"""distill: the student: our own pretrained encoder, or layers of the teacher, taught by its outputs.

Reads   artifacts/transfer/, artifacts/{pretrain,finetune}/model/,
        artifacts/prepare/{records.parquet, student_tokenizer/}
Writes  artifacts/distill/{model/, curve.csv, metrics.json}
"""

import numpy as np
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from pipeline.compression.distillation import Features, attach_map, detach_map
from pipeline.compression.low_rank import factorise, merge
from pipeline.compression.student import read_lesson, student_training
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.stage import Metrics, run_stage
from pipeline.models.encoder import (
    load_classifier,
    load_tokenizer,
    parameter_count,
    save_model,
)
from pipeline.models.student import start_from_teacher
from pipeline.runtime.scores import scores_of
from pipeline.training.loop import train
from pipeline.training.validation import QUALITY


def run(params: Params, paths: Paths) -> Metrics:
    """Train the student on the transfer set."""
    tokenizer = load_tokenizer(paths.read("prepare", "student_tokenizer"))
    features = _features(params, paths)
    lesson = read_lesson(params, paths, tokenizer, scores=scores_of, features=features)
    model = _student(params, paths, tokenizer)
    if params.distill.teacher_layers is not None:
        lesson.standardise(model)  # its head is the teacher's, which speaks in the product's unit
    if (rank := params.distill.embedding_rank) is not None:
        counts = np.bincount(np.concatenate(lesson.rows.ids), minlength=model.config.vocab_size)
        factorise(model, counts, rank=rank)
    training = student_training(lesson, schedule=params.distill, params=params, paths=paths)
    if features is None:
        train(model, lesson.objective, training)
    else:
        attach_map(model, features.values.shape[1])
        train(model, lesson.objective, training)
        detach_map(model)
    lesson.unstandardise(model)
    report, parameters = lesson.validation.report(model), parameter_count(model)
    merge(model)
    save_model(model, tokenizer, paths.out / "model")
    return {
        **report,
        "parameters": parameters,
        "rows": len(lesson.rows.ids),
        "headline": f"validation {report['quality_metric']} {report[QUALITY]:.3f}",
    }


def _student(params: Params, paths: Paths, tokenizer: PreTrainedTokenizerBase) -> PreTrainedModel:
    """The student before it learns."""

    def load(stage: str) -> PreTrainedModel:
        return load_classifier(
            paths.read(stage, "model"),
            labels=params.product.labels,
            problem=params.product.problem,
            dropout=params.distill.dropout,
        )

    model = load("pretrain")
    if (layers := params.distill.teacher_layers) is not None:
        start_from_teacher(
            model,
            load("finetune"),
            layers=layers,
            tokenizer=tokenizer,
            teacher_tokenizer=load_tokenizer(paths.read("finetune", "model")),
        )
    return model


def _features(params: Params, paths: Paths) -> Features | None:
    """The teacher's, mapped into memory; None where they weigh nothing."""
    weight, path = params.distill.feature_weight, paths.read("transfer", "features.npy")
    return Features.of(np.load(path, mmap_mode="r"), weight=weight) if weight else None


if __name__ == "__main__":
    run_stage("distill", run)
