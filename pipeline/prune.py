"""prune: removes parts of the student, and trains the rest to recover.

Reads   artifacts/distill/model/, artifacts/transfer/, artifacts/prepare/{records.parquet, student_tokenizer/}
Writes  artifacts/prune/{model/, curve.csv, metrics.json}
"""

from dataclasses import replace

import numpy as np
import torch
from transformers import PreTrainedModel

from pipeline.compression.cells import cell_importance, narrow_cells
from pipeline.compression.distillation import Features, feature_maps
from pipeline.compression.importance import head_importance, layer_importance, unit_importance
from pipeline.compression.low_rank import fuse_factors, split_into_factors
from pipeline.compression.structured import (
    fill_heads,
    narrow_feed_forward,
    remove_heads,
    remove_layers,
)
from pipeline.compression.student_training import TransferSet, read_transfer_set, student_training
from pipeline.compression.surgery import Surgery
from pipeline.core.errors import ParameterError
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.stage import Metrics, run_stage
from pipeline.core.training_sections import PruneParams
from pipeline.models.bilm_classifier import BilmForSequenceClassification
from pipeline.models.encoder import load_classifier, load_tokenizer, parameter_count, save_model
from pipeline.text.batching import Ids, epoch_batches
from pipeline.training.device import prepare_device
from pipeline.training.loop import Objective, Training, train
from pipeline.training.validation import QUALITY

_IMPORTANCE_BATCHES = 40


def run(params: Params, paths: Paths) -> Metrics:
    """Prunes by `prune.method`, trains, and saves the smaller model."""
    tokenizer = load_tokenizer(paths.read("prepare", "student_tokenizer"))
    data = read_transfer_set(
        params,
        paths,
        tokenizer,
        max_sentences=params.prune.max_sentences,
        features=_features(params, paths),
    )
    model = load_classifier(paths.read("distill", "model"), labels=params.product.labels)
    split_into_factors(model)
    data.standardise(model)
    torch.nn.Module.to(model, prepare_device(params.compute))
    training = student_training(data, optimisation=params.prune, params=params, paths=paths)
    prune = {"structured": _structured, "dynamic": _dynamic}[params.prune.method]
    before = parameter_count(model)
    figures, summary = prune(model, data, training=training, params=params)
    data.unstandardise(model)
    report, parameters = data.validation.report(model), parameter_count(model)
    fuse_factors(model)
    fill_heads(model)
    save_model(model, tokenizer, paths.out / "model")
    return {
        **report,
        **figures,
        "parameters": parameters,
        "parameters_removed": before - parameters,
        "headline": f"validation {report['quality_metric']} {report[QUALITY]:.3f}, {summary}",
    }


def _features(params: Params, paths: Paths) -> list[Features]:
    """The inputs of the teacher's last layer, memory-mapped; empty if they have no weight."""
    if not params.prune.feature_weight:
        return []
    values = np.load(paths.read("transfer", "features.npy"), mmap_mode="r")
    return [Features.of(values[:, 0], weight=params.prune.feature_weight)]


def _recover(model: PreTrainedModel, data: TransferSet, training: Training) -> None:
    with feature_maps(model, data.objective.features):
        train(model, data.objective, training)


def _structured(
    model: PreTrainedModel, data: TransferSet, *, training: Training, params: Params
) -> tuple[Metrics, str]:
    """Removes layers, heads and units by importance on training rows, then trains the rest."""
    labelled = np.flatnonzero(data.labelled)
    batches = epoch_batches(
        data.rows.lengths[labelled],
        batch_size=params.prune.batch_size,
        seed=params.compute.seed,
        epoch=0,
    )[:_IMPORTANCE_BATCHES]
    cut = _cut_bilm if isinstance(model, BilmForSequenceClassification) else _cut_bert
    answers = data.objective.without_features()
    chosen = [labelled[batch] for batch in batches]
    figures, summary = cut(model, answers, batches=chosen, settings=params.prune)
    _recover(model, data, training)
    return figures, summary


def _cut_bilm(
    model: BilmForSequenceClassification,
    objective: Objective,
    *,
    batches: list[Ids],
    settings: PruneParams,
) -> tuple[Metrics, str]:
    if settings.keep_heads != 1 or settings.layers is not None:
        raise ParameterError(
            "prune.keep_heads or prune.layers with a bilm, which only has cells to remove",
            expected="prune.keep_heads: 1.0 and prune.layers: null",
            next_step="correct it in params.yaml or the product file, or use pretrain.model: bert",
        )
    importance = cell_importance(model, objective, batches)
    width = narrow_cells(model, importance, keep_share=settings.keep_share)
    return {"feed_forward_size": width}, f"{width} cells"


def _cut_bert(
    model: PreTrainedModel, objective: Objective, *, batches: list[Ids], settings: PruneParams
) -> tuple[Metrics, str]:
    """Removes layers, then heads, then units; importance is measured anew before each."""
    config = model.config
    if settings.layers is not None:
        by_layer = layer_importance(model, objective, batches)
        remove_layers(model, by_layer, keep=settings.layers)
    heads = config.num_attention_heads
    if settings.keep_heads != 1:
        by_head = head_importance(model, objective, batches)
        heads = remove_heads(model, by_head, keep_share=settings.keep_heads)
    by_unit = unit_importance(model, objective, batches)
    width = narrow_feed_forward(model, by_unit, keep_share=settings.keep_share)
    layers = config.num_hidden_layers
    figures = {"layers": layers, "heads": heads, "feed_forward_size": width}
    return figures, f"{layers} layers of {heads} heads, {width} feed-forward units"


def _dynamic(
    model: PreTrainedModel, data: TransferSet, *, training: Training, params: Params
) -> tuple[Metrics, str]:
    """Cuts and splices single weights while the model is trained."""
    surgery = Surgery(model, keep_share=params.prune.keep_share, steps=training.steps)
    _recover(model, data, replace(training, after_step=surgery.after_step))
    done = surgery.finish(model)
    share = done.cut / parameter_count(model)
    figures = {"weights_cut": done.cut, "weights_spliced": done.spliced, "cut_share": share}
    return figures, f"{share:.0%} of the weights cut, {done.spliced:,} spliced back"


if __name__ == "__main__":
    run_stage("prune", run)
