"""pretrain: trains a language model of the domain, masked or bidirectional: the student's encoder.

Reads   artifacts/prepare/{corpus/, student_tokenizer/, teacher_tokenizer/}; the checkpoint
Writes  artifacts/pretrain/{model/, curve.csv, metrics.json}
"""

import math
from functools import partial
from typing import Any

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from pipeline.core.errors import DataError
from pipeline.core.files import read_json
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.stage import Metrics, run_stage
from pipeline.core.training_sections import PretrainParams
from pipeline.models.checkpoint_check import OTHER_CHECKPOINT
from pipeline.models.encoder import load_tokenizer, parameter_count, save_model
from pipeline.models.language_models import new_language_model
from pipeline.models.new_vocabulary import has_new_words
from pipeline.models.own_tokenizer import own_tokenizer
from pipeline.models.pretrained import resolve_checkpoint
from pipeline.models.student_start import start_from_checkpoint
from pipeline.text.batching import Ids
from pipeline.text.packing import PackedRows, TokenFile, documents_of, row_batches
from pipeline.training.curve import Curve
from pipeline.training.heldout import document_nats, heldout_loss, pseudo_nats
from pipeline.training.loop import Training, Validate, train
from pipeline.training.objectives.by_family import language_model_objective
from pipeline.training.resume import Checkpoints

_HELDOUT_ROWS = 256
_SAMPLE_ROWS = 32
_PSEUDO_ROWS = 8
_FEWEST_TOKENS = 8


def run(params: Params, paths: Paths) -> Metrics:
    """Pretrains and saves the student's encoder."""
    settings = params.pretrain
    tokenizer = load_tokenizer(paths.read("prepare", "student_tokenizer"))
    corpus = paths.read("prepare", "corpus")
    packed = _rows("train", TokenFile(corpus / "train.npy"), settings)
    heldout = _rows("heldout", np.load(corpus / "heldout.npy"), settings)
    model = _new_model(packed, tokenizer, params, paths=paths)
    rows = min(packed.count, settings.max_sequences or packed.count)
    score = _heldout_score(heldout, settings, tokenizer)
    training = Training(
        task="pretrain",
        optimisation=settings,
        compute=params.compute,
        batches=partial(row_batches, rows),
        checkpoints=Checkpoints(paths.checkpoints),
        curve=Curve(paths.out / "curve.csv", figures=["validation_loss"]),
        validate=score,
    )
    train(model, language_model_objective(packed, settings, tokenizer), training)
    loss = score(model)["validation_loss"]
    bits = _bits_per_byte(model, heldout.stream, tokenizer, params=params, paths=paths)
    save_model(model, tokenizer, paths.out / "model")
    return {
        "heldout_loss": loss,
        "heldout_perplexity": math.exp(loss),
        **bits,
        **_pseudo_perplexity(model, heldout, tokenizer, family=settings.model),
        "parameters": parameter_count(model),
        "sequences": rows,
        "headline": _headline(loss, bits),
    }


def _new_model(
    packed: PackedRows, tokenizer: PreTrainedTokenizerBase, params: Params, *, paths: Paths
) -> PreTrainedModel:
    """The model before training: random, or started from the checkpoint's lowest layers."""
    model = new_language_model(params.pretrain, tokenizer)
    if params.pretrain.start == "checkpoint":
        sample = torch.from_numpy(_first_rows(packed, _SAMPLE_ROWS, tokenizer))
        checkpoint = resolve_checkpoint(params.prepare.checkpoint)
        start_from_checkpoint(
            model,
            checkpoint,
            tokenizer=tokenizer,
            checkpoint_tokenizer=own_tokenizer(checkpoint, next_step=OTHER_CHECKPOINT)
            if has_new_words(params.prepare)
            else load_tokenizer(paths.read("prepare", "teacher_tokenizer")),
            params=params.pretrain,
            sample={"input_ids": sample, "attention_mask": torch.ones_like(sample)},
        )
    return model


def _heldout_score(
    heldout: PackedRows, settings: PretrainParams, tokenizer: PreTrainedTokenizerBase
) -> Validate:
    """A function from a model to its loss on the first held-out rows."""
    objective = language_model_objective(heldout, settings, tokenizer)
    rows = min(heldout.count, _HELDOUT_ROWS)

    def score(model: torch.nn.Module) -> dict[str, float]:
        device = next(model.parameters()).device
        return {"validation_loss": heldout_loss(model, objective, device=device, rows=rows)}

    return score


def _first_rows(packed: PackedRows, most: int, tokenizer: PreTrainedTokenizerBase) -> Ids:
    """The first rows as the model reads them, each starting as downstream texts do."""
    rows = packed.read(np.arange(min(packed.count, most)))
    rows[:, 0] = tokenizer.cls_token_id
    return rows


def _rows(name: str, stream: Ids | TokenFile, settings: PretrainParams) -> PackedRows:
    """The rows of a part of the corpus; a part that is shorter than one is a shorter row.

    Raises:
        DataError: the part has no token to predict.
    """
    if len(stream) < _FEWEST_TOKENS:
        raise DataError(
            f"{len(stream)} tokens in the corpus's {name} part",
            expected="some text to learn a language from, and some to judge it on",
            next_step="add texts to the corpus, raise prepare.heldout_share if only the held-out part"
            " is short, or leave the corpus out: the labelled rows then stand for it",
        )
    return PackedRows(stream, min(settings.sequence_length, len(stream)))


def _bits_per_byte(
    model: PreTrainedModel, stream: Any, tokenizer: Any, *, params: Params, paths: Paths
) -> dict[str, float]:
    """Bits per byte of the held-out documents, in both directions.

    Empty unless the model is bidirectional and its tokens preserve every byte of the text.
    """
    if params.pretrain.model != "bilm" or params.prepare.tokenizer != "byte_bpe":
        return {}
    index = read_json(paths.read("prepare", "corpus") / "index.json")["heldout"]
    bits = math.log(2) * (index["bytes"] + index["documents"])
    documents = documents_of(stream, end=tokenizer.sep_token_id)
    device = next(model.parameters()).device
    nats = document_nats(model, documents, boundary=tokenizer.sep_token_id, device=device)
    both = zip(("forward", "backward"), nats, strict=True)
    return {f"heldout_bits_per_byte_{name}": float(found.sum()) / bits for name, found in both}


def _pseudo_perplexity(
    model: PreTrainedModel, heldout: PackedRows, tokenizer: Any, *, family: str
) -> dict[str, float]:
    """A masked model's pseudo-perplexity on a few held-out rows; empty for others."""
    if family != "bert":
        return {}
    nats = pseudo_nats(
        model,
        _first_rows(heldout, _PSEUDO_ROWS, tokenizer),
        mask_token_id=int(tokenizer.mask_token_id),
        ordinary_from=max(tokenizer.all_special_ids) + 1,
    )
    return {"heldout_pseudo_perplexity": math.exp(nats)}


def _headline(loss: float, bits: dict[str, float]) -> str:
    if not bits:
        return f"held-out perplexity {math.exp(loss):,.1f}"
    forward, backward = bits.values()
    return f"{forward:.3f} bits a byte forward, {backward:.3f} backward, held out"


if __name__ == "__main__":
    run_stage("pretrain", run)
