"""One fine-tuning task for our engine and for the transformers Trainer."""

import dataclasses
import math
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray

from benchmarks.support.command_line import built_file
from benchmarks.support.demonstration import demonstration_params
from benchmarks.support.trainings import train_on_labels
from benchmarks.support.watch import ReachedError, Run, StepCallback, Watch
from pipeline.core.params import Params
from pipeline.core.product import Compute
from pipeline.core.stage import seed_everything
from pipeline.core.training_sections import OptimisationParams
from pipeline.models.encoder import load_classifier, load_tokenizer
from pipeline.models.pretrained import resolve_checkpoint
from pipeline.text.batching import sorted_batches
from pipeline.training.device import autocast, prepare_device, uses_bfloat16
from pipeline.training.fast.tokens_in_use import tokens_in_use
from pipeline.training.labelled_rows import read_split
from pipeline.training.optimizer import LayerRates
from pipeline.training.token_rows import TokenRows, tokenize

OPTIMISATION: dict[str, Any] = {"epochs": 1, "learning_rate": 2e-4, "batch_size": 16}
"""The settings of our engine and of the tuned Trainer, which start from the plain checkpoint;
chosen on seeds 11 to 13, which are used nowhere else. Those of params.yaml suit a checkpoint
after intermediate training."""
QUIET: dict[str, Any] = {
    "use_cpu": True,
    "save_strategy": "no",
    "logging_strategy": "no",
    "report_to": [],
    "disable_tqdm": True,
}
"""A Trainer that trains and does nothing else."""
_ANSWERED_AT_ONCE = 64


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Rows and parameters that all engines share."""

    params: Params
    folder: Path
    rows: TokenRows
    label_ids: NDArray[np.int64]
    validation: TokenRows
    validation_label_ids: NDArray[np.int64]

    def part(self, count: int) -> "Bench":
        """A copy of the task with only its first `count` rows, which are a random sample."""
        ids, lengths = self.rows.ids[:count], self.rows.lengths[:count]
        rows = dataclasses.replace(self.rows, ids=ids, lengths=lengths)
        return dataclasses.replace(self, rows=rows, label_ids=self.label_ids[:count])

    def with_seed(self, seed: int) -> "Bench":
        """A copy of the task with another seed."""
        compute = self.params.compute.model_copy(update={"seed": seed})
        return dataclasses.replace(self, params=self.params.model_copy(update={"compute": compute}))

    @property
    def seed(self) -> int:
        """The seed of the head, the order of the rows and dropout."""
        return self.params.compute.seed

    def model(self) -> transformers.PreTrainedModel:
        """The checkpoint with a new head, as `finetune` loads it."""
        seed_everything(self.params.compute.seed)
        return load_classifier(
            resolve_checkpoint(self.params.prepare.checkpoint),
            labels=self.params.product.labels,
            dropout=self.params.finetune.dropout,
        )

    def plain_model(self) -> transformers.PreTrainedModel:
        """The checkpoint with the same head in transformers' own class, as its users load it."""
        seed_everything(self.params.compute.seed)
        kind = transformers.AutoModelForSequenceClassification
        model: transformers.PreTrainedModel = kind.from_pretrained(
            resolve_checkpoint(self.params.prepare.checkpoint),
            num_labels=len(self.params.product.labels),
            # As in ours: the peer has no more to draw than we have.
            hidden_dropout_prob=self.params.finetune.dropout,
            attention_probs_dropout_prob=self.params.finetune.dropout,
            classifier_dropout=self.params.finetune.dropout,
            use_safetensors=True,
            dtype=torch.float32,
        )
        return model

    def accuracy(self, model: torch.nn.Module) -> float:
        """The accuracy on the validation rows, in the precision of training.

        Changes no global setting: the Trainer must not run with our allocator and deterministic
        kernels.
        """
        training, device = model.training, next(model.parameters()).device
        model.eval()
        right = 0
        with torch.inference_mode(), autocast(self.params.compute, device):
            for batch in sorted_batches(self.validation.lengths, batch_size=_ANSWERED_AT_ONCE):
                logits = model(**self.validation.batch(batch, device)).logits.float()
                answers = logits.argmax(dim=1).numpy()
                right += int((answers == self.validation_label_ids[batch]).sum())
        model.train(training)
        return right / len(self.validation_label_ids)

    def flops_per_token(self) -> float:
        """The operations of our forward and backward pass: six per token and weight it meets.

        In the last layer all tokens meet keys and values only; the rest of it and the head are
        computed for one token per text.
        """
        model = self.model()
        last = f".layer.{model.config.num_hidden_layers - 1}."
        all_tokens, first_token = 0, 0
        for name, weights in model.named_parameters():
            if ".layer." in name and (last not in name or ".key." in name or ".value." in name):
                all_tokens += weights.numel()
            elif "embeddings" not in name:
                first_token += weights.numel()
        return 6.0 * (all_tokens + first_token / float(self.rows.lengths.mean()))


Engine = Callable[..., Run]
"""Trains a new model on a bench's rows: `(bench, *, epochs, evaluations)`."""


def open_bench(root: Path, folder: Path, *, built: Path) -> Bench:
    """Reads the rows that prepare left in `built`; `folder` is for the files of training.

    Raises:
        DataError: nothing was built yet.
    """
    records = built_file(built, "prepare/records.parquet")
    params = demonstration_params(root)
    settings = params.finetune.model_copy(update=OPTIMISATION)
    params = params.model_copy(update={"finetune": settings})
    tokenizer = load_tokenizer(records.with_name("teacher_tokenizer"))
    train, validation = (read_split(records, name) for name in ("train", "validation"))
    length = params.prepare.max_length
    return Bench(
        params=params,
        folder=folder,
        rows=tokenize(tokenizer, train.texts, max_length=length),
        label_ids=train.label_ids,
        validation=tokenize(tokenizer, validation.texts, max_length=length),
        validation_label_ids=validation.label_ids,
    )


def train_ours(bench: Bench, *, epochs: int, evaluations: int) -> Run:
    """Trains with the engine of `finetune`, its parameters and `OPTIMISATION`, nothing frozen."""
    model = bench.model()
    settings = bench.params.finetune.model_copy(update={"epochs": epochs})
    steps = epochs * -(-len(bench.rows.ids) // settings.batch_size)
    watch = Watch(bench.accuracy, steps=steps, evaluations=epochs * evaluations)
    with tokens_in_use(model, bench.rows, bench.validation):
        train_on_labels(
            model,
            bench.rows,
            bench.label_ids,
            task="ours",
            optimisation=settings,
            compute=bench.params.compute,
            folder=bench.folder,
            after_step=watch.after_step,
            average=settings.average,
            layer_rates=LayerRates(model, settings.layer_decay),
        )
    return watch.run(epochs * int(bench.rows.lengths.sum()))


def train_ours_otherwise(bench: Bench, *, epochs: int, evaluations: int) -> Run:
    """Trains as `train_ours` does, in the arithmetic that was not chosen for this machine."""
    compute = bench.params.compute
    other = "float32" if compute.precision == "bfloat16" else "bfloat16"
    params = bench.params.model_copy(
        update={"compute": compute.model_copy(update={"precision": other})}
    )
    return train_ours(
        dataclasses.replace(bench, params=params), epochs=epochs, evaluations=evaluations
    )


def tuned(settings: OptimisationParams, compute: Compute) -> dict[str, Any]:
    """The Trainer's documented options for speed here, with our learning rate and batches.

    Its arithmetic is the one in which this machine trains sooner.
    """
    return {
        "per_device_train_batch_size": settings.batch_size,
        "train_sampling_strategy": "group_by_length",
        "bf16": uses_bfloat16(compute),
        "optim": "adamw_torch_fused",
        "learning_rate": settings.learning_rate,
        "warmup_steps": settings.warmup_share,
        "weight_decay": settings.weight_decay,
        "lr_scheduler_type": "linear",
    }


def train_with_trainer(
    bench: Bench,
    *,
    epochs: int,
    evaluations: int,
    settings: Mapping[str, Any],
    until: float = math.inf,
) -> Run:
    """Trains with the Trainer and `settings`, until validation accuracy is `until`."""
    model = bench.plain_model()
    arguments = transformers.TrainingArguments(
        output_dir=str(bench.folder / "trainer"),
        num_train_epochs=epochs,
        seed=bench.params.compute.seed,
        **QUIET,
        **settings,
    )
    steps = epochs * -(-len(bench.rows.ids) // arguments.per_device_train_batch_size)
    watch = Watch(bench.accuracy, steps=steps, evaluations=epochs * evaluations, until=until)
    torch.set_num_threads(bench.params.compute.threads)
    rows = zip(rows_of_ids(bench.rows.ids), bench.label_ids.tolist(), strict=True)
    tokenizer = load_tokenizer(Path("artifacts/prepare/teacher_tokenizer"))
    trainer = transformers.Trainer(
        model=model,
        args=arguments,
        train_dataset=[row | {"labels": label} for row, label in rows],
        data_collator=transformers.DataCollatorWithPadding(tokenizer),
        callbacks=[StepCallback(watch.after_step)],
    )
    with suppress(ReachedError):
        trainer.train()
    return watch.run(epochs * int(bench.rows.lengths.sum()))


def rows_of_ids(ids: list[list[int]]) -> list[dict[str, list[int]]]:
    """Token ids as the Trainer reads them."""
    return [{"input_ids": row, "attention_mask": [1] * len(row)} for row in ids]


def peak_flops(compute: Compute) -> float:
    """Operations a second of a large matrix product in training's precision, best of five."""
    prepare_device(compute)
    size = 2048
    first, second = torch.randn(size, size), torch.randn(size, size)
    if uses_bfloat16(compute):
        first, second = first.bfloat16(), second.bfloat16()
    best = 0.0
    for _ in range(5):
        before = time.perf_counter()
        first @ second
        best = max(best, 2 * size**3 / (time.perf_counter() - before))
    return best
