"""distill: trains the student, our encoder or layers of the teacher, on its outputs.

Reads   artifacts/transfer/, artifacts/{pretrain,finetune}/model/,
        artifacts/prepare/{records.parquet, student_tokenizer/}
Writes  artifacts/distill/{model/, curve.csv, metrics.json}
"""

import numpy as np
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from pipeline.compression.distillation import Features, feature_maps
from pipeline.compression.low_rank import factorise, fuse_factors
from pipeline.compression.student_training import read_transfer_set, student_training
from pipeline.core.errors import ParameterError
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.stage import Metrics, run_stage
from pipeline.models.encoder import load_classifier, load_tokenizer, parameter_count, save_model
from pipeline.models.features import encoder_layers
from pipeline.models.narrowing import Batch
from pipeline.models.student_start import start_from_teacher
from pipeline.training.labelled_rows import read_split
from pipeline.training.loop import train
from pipeline.training.validation import QUALITY

_SAMPLE_TEXTS = 64


def run(params: Params, paths: Paths) -> Metrics:
    """Trains the student on the transfer set and saves it."""
    tokenizer = load_tokenizer(paths.read("prepare", "student_tokenizer"))
    model = _student(params, paths, tokenizer)
    features = _features(model, params, paths)
    data = read_transfer_set(
        params, paths, tokenizer, max_sentences=params.distill.max_sentences, features=features
    )
    if params.distill.teacher_layers is not None:
        data.standardise(model)  # the teacher's head answers in the product's unit
    if (rank := params.distill.embedding_rank) is not None:
        counts = np.bincount(np.concatenate(data.rows.ids), minlength=model.config.vocab_size)
        factorise(model, counts, rank=rank)
    training = student_training(data, optimisation=params.distill, params=params, paths=paths)
    with feature_maps(model, data.objective.features):
        train(model, data.objective, training)
    data.unstandardise(model)
    report, parameters = data.validation.report(model), parameter_count(model)
    fuse_factors(model)
    save_model(model, tokenizer, paths.out / "model")
    return {
        **report,
        "parameters": parameters,
        "rows": len(data.rows.ids),
        "headline": f"validation {report['quality_metric']} {report[QUALITY]:.3f}",
    }


def _student(params: Params, paths: Paths, tokenizer: PreTrainedTokenizerBase) -> PreTrainedModel:
    """The student before training."""

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
            sample=_sample(params, paths, tokenizer),
        )
    return model


def _sample(params: Params, paths: Paths, tokenizer: PreTrainedTokenizerBase) -> Batch:
    """The student's inputs for the first training texts."""
    train = read_split(paths.read("prepare", "records.parquet"), "train")
    columns = (train.texts, train.seconds) if params.product.pairs else (train.texts,)
    encoded = tokenizer(
        *(column[:_SAMPLE_TEXTS] for column in columns),
        truncation=True,
        max_length=params.prepare.max_length,
        padding=True,
        return_token_type_ids=False,
        return_tensors="pt",
    )
    return dict(encoded)


def _features(model: PreTrainedModel, params: Params, paths: Paths) -> list[Features]:
    """The teacher's features, memory-mapped: the inputs of its last layer, then its mean states.

    Empty if neither has a weight.

    Raises:
        ParameterError: the student does not have one layer below its last for each kept teacher
            layer.
    """
    settings, path = params.distill, paths.read("transfer", "features.npy")
    if not settings.feature_weight and not settings.hidden_weight:
        return []
    values = np.load(path, mmap_mode="r")
    weights = [settings.feature_weight]
    if settings.hidden_weight:
        layers, kept = len(encoder_layers(model)) - 1, values.shape[1] - 1
        if layers != kept or not kept:
            raise ParameterError(
                f"distill.hidden_weight for a student with {layers} layers below its last, and states of"
                f" {kept} teacher layers",
                expected="one number in transfer.hidden_layers for each of those layers",
                next_step="correct transfer.hidden_layers, or set distill.hidden_weight: 0",
            )
        weights += [settings.hidden_weight] * kept
    return [Features.of(values[:, place], weight=weight) for place, weight in enumerate(weights)]


if __name__ == "__main__":
    run_stage("distill", run)
