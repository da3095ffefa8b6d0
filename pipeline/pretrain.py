"""pretrain: a masked language model of the domain: the student's encoder.

Reads   artifacts/prepare/{corpus/, student_tokenizer/, teacher_tokenizer/}; the checkpoint
Writes  artifacts/pretrain/{model/, curve.csv, metrics.json}
"""

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipeline.core.params import Params, PretrainParams
from pipeline.core.paths import Paths
from pipeline.core.stage import Metrics, run_stage
from pipeline.models.checkpoint import resolve_checkpoint
from pipeline.models.encoder import (
    load_tokenizer,
    new_language_model,
    parameter_count,
    save_model,
)
from pipeline.models.student import start_from_checkpoint
from pipeline.text.batching import Ids
from pipeline.training.checkpoint import Checkpoints
from pipeline.training.curve import Curve
from pipeline.training.loop import Training, train
from pipeline.training.masked_lm import MaskedLanguageModelling, heldout_loss

_HELDOUT_ROWS = 256


def run(params: Params, paths: Paths) -> Metrics:
    """Pretrain and save the student's encoder."""
    tokenizer = load_tokenizer(paths.read("prepare", "student_tokenizer"))
    corpus = paths.read("prepare", "corpus")
    training_set = _objective(corpus / "train.npy", params.pretrain, tokenizer)
    heldout = _objective(corpus / "heldout.npy", params.pretrain, tokenizer)
    model = new_language_model(
        params.pretrain,
        vocabulary_size=len(tokenizer),
        max_length=tokenizer.model_max_length,
        pad_token_id=tokenizer.pad_token_id,
    )
    if params.pretrain.start == "checkpoint":
        start_from_checkpoint(
            model,
            resolve_checkpoint(params.prepare.checkpoint),
            tokenizer=tokenizer,
            teacher_tokenizer=load_tokenizer(paths.read("prepare", "teacher_tokenizer")),
            params=params.pretrain,
        )
    rows = min(training_set.rows, params.pretrain.max_sequences or training_set.rows)

    def score(trained: torch.nn.Module) -> dict[str, float]:
        device = next(trained.parameters()).device
        count = min(heldout.rows, _HELDOUT_ROWS)
        return {"validation_loss": heldout_loss(trained, heldout, device=device, rows=count)}

    training = Training(
        task="pretrain",
        schedule=params.pretrain,
        compute=params.compute,
        batches=lambda epoch: _batches(rows, params.pretrain, params.compute.seed, epoch),
        checkpoints=Checkpoints(paths.checkpoints),
        curve=Curve(paths.out / "curve.csv", figures=["validation_loss"]),
        validate=score,
    )
    train(model, training_set, training)
    save_model(model, tokenizer, paths.out / "model")
    return _metrics(score(model)["validation_loss"], model, training_set, params)


def _objective(path: Path, params: PretrainParams, tokenizer: Any) -> MaskedLanguageModelling:
    return MaskedLanguageModelling(
        np.load(path, mmap_mode="r"),
        sequence_length=params.sequence_length,
        mask_share=params.mask_share,
        first_token_id=tokenizer.cls_token_id,
        mask_token_id=tokenizer.mask_token_id,
        ordinary_from=max(tokenizer.all_special_ids) + 1,
        vocabulary_size=len(tokenizer),
    )


def _batches(rows: int, params: PretrainParams, seed: int, epoch: int) -> list[Ids]:
    order = np.random.default_rng([seed, epoch]).permutation(rows)
    return [order[i : i + params.batch_size] for i in range(0, rows, params.batch_size)]


def _metrics(
    loss: float, model: torch.nn.Module, data: MaskedLanguageModelling, params: Params
) -> Metrics:
    return {
        "heldout_loss": loss,
        "heldout_perplexity": math.exp(loss),
        "parameters": parameter_count(model),
        "sequences": min(data.rows, params.pretrain.max_sequences or data.rows),
        "headline": f"masked-token perplexity {math.exp(loss):,.1f} held out",
    }


if __name__ == "__main__":
    run_stage("pretrain", run)
