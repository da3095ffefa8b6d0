"""Fine-tuning the teacher: what every seed has in common, and how one seed is trained."""

import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.progress import say
from pipeline.models.encoder import freeze_lowest, load_classifier, reads_segments, require_layers
from pipeline.models.new_vocabulary import has_new_words, read_by
from pipeline.models.numbers import scale_output
from pipeline.models.pretrained import resolve_checkpoint
from pipeline.problem.problems import problem_named
from pipeline.text.batching import epoch_batches
from pipeline.training.curve import Curve
from pipeline.training.fast.tokens_in_use import tokens_in_use
from pipeline.training.labelled_rows import Split, read_split
from pipeline.training.loop import Training, train
from pipeline.training.objectives.by_problem import gold_objective
from pipeline.training.optimizer import LayerRates
from pipeline.training.phases.domain_adaptation import DomainAdaptation
from pipeline.training.phases.related_labels import RelatedLabels
from pipeline.training.resume import Checkpoints
from pipeline.training.token_rows import TokenRows, tokenize
from pipeline.training.validation import QUALITY, Validation


@dataclass(frozen=True, kw_only=True)
class FineTuning:
    """The rows, the starting checkpoint and the settings that all seeds share.

    Attributes:
        rows: the training split in the teacher's tokens.
        adaptation: what comes before anything else; None without it.
        related: what comes after it; None without it.
        curve: file of the learning curve: of the seed under way, at the end of the best one.
    """

    params: Params
    tokenizer: PreTrainedTokenizerBase
    rows: TokenRows
    train: Split
    validation: Validation
    adaptation: DomainAdaptation | None
    related: RelatedLabels | None
    checkpoint: Path
    curve: Path

    @classmethod
    def read(cls, params: Params, paths: Paths, tokenizer: PreTrainedTokenizerBase) -> "FineTuning":
        """Reads what prepare wrote."""
        records = paths.read("prepare", "records.parquet")
        checkpoint = resolve_checkpoint(params.prepare.checkpoint)
        segments = params.product.pairs and reads_segments(_load(params, checkpoint, tokenizer))

        def rows_of(split: Split) -> TokenRows:
            return tokenize(
                tokenizer,
                split.texts,
                seconds=split.seconds,
                max_length=params.prepare.max_length,
                window_stride=params.prepare.window_stride,
                segments=segments,
            )

        train, held = read_split(records, "train"), read_split(records, "validation")
        validation = Validation(rows_of(held), held.targets, params=params)
        return cls(
            params=params,
            tokenizer=tokenizer,
            rows=rows_of(train),
            train=train,
            validation=validation,
            adaptation=DomainAdaptation.read(
                params,
                checkpoint=checkpoint,
                tokenizer=tokenizer,
                own=[*train.texts, *train.seconds],
                sentences=paths.read("prepare", "sentences.parquet"),
                folder=paths.checkpoints,
            ),
            related=RelatedLabels.read(params, paths, tokenizer=tokenizer, validation=validation),
            checkpoint=checkpoint,
            curve=paths.out / "curve.csv",
        )

    def load(self) -> PreTrainedModel:
        """The start of each seed: the checkpoint after the earlier phases, partly frozen."""
        settings = self.params.finetune
        model = _load(self.params, self.checkpoint, self.tokenizer)
        require_layers(model, settings.frozen_layers)  # before minutes of training
        if self.adaptation is not None:
            self.adaptation.apply(model)
        freeze_lowest(model, settings.frozen_layers)
        if self.related is not None:
            quality = self.related.apply(
                model, later_tokens=self._later_tokens(seeds=settings.seeds)
            )
            say(
                f"finetune  after {len(self.related.targets):,} related rows: validation {quality:.3f}"
            )
        return model

    def _later_tokens(self, *, seeds: int) -> int:
        """Tokens that so many seeds read in all their passes."""
        settings = self.params.finetune
        steps = math.ceil(len(self.rows.ids) / (settings.batch_size * settings.accumulation))
        passes = max(settings.epochs, math.ceil(settings.min_steps / steps))
        return seeds * passes * int(self.rows.lengths.sum())

    def _seeds_after(self, seed: int) -> int:
        return self.params.compute.seed + self.params.finetune.seeds - 1 - seed

    def clear(self) -> None:
        """Deletes what the earlier phases kept for the seeds: the stage has ended well."""
        for phase in (self.adaptation, self.related):
            if phase is not None:
                phase.phase.clear()

    def run(
        self, model: PreTrainedModel, seed: int, checkpoints: Checkpoints
    ) -> list[dict[str, float]]:
        """Trains `model` in place on the training rows; returns the points of its curve."""
        curve, settings = Curve(self.curve, figures=[QUALITY]), self.params.finetune
        training = Training(
            task="finetune" if settings.seeds == 1 else f"finetune seed {seed}",
            optimisation=settings,
            compute=self.params.compute.model_copy(update={"seed": seed}),
            batches=partial(epoch_batches, self.rows.lengths),
            checkpoints=checkpoints,
            curve=curve,
            validate=self.validation.quality,
            patience=settings.patience,
            average=settings.average,
            layer_rates=LayerRates(
                model, settings.layer_decay, new_words=has_new_words(self.params.prepare)
            ),
            row_ids=self.rows.names(self.train.ids),
            min_steps=settings.min_steps,
            later_tokens=self._later_tokens(seeds=self._seeds_after(seed)),
        )
        product, targets = self.params.product, self.train.targets
        problem, weights = problem_named(product.problem), None
        if settings.class_weights == "balanced":
            weights = problem.balanced_weights(targets, labels=len(product.labels))
        scale = problem.scale(targets)
        learned = targets if scale is None else scale.standard(targets)
        objective = gold_objective(
            self.rows, learned, problem=product.problem, weights=weights, soft=self.train.soft
        )
        with tokens_in_use(model, self.rows, self.validation.rows):
            train(model, objective, training)
        if scale is not None:
            scale_output(model, factor=scale.deviation, shift=scale.mean)
        return curve.points


def _load(params: Params, checkpoint: Path, tokenizer: PreTrainedTokenizerBase) -> PreTrainedModel:
    model = load_classifier(
        checkpoint,
        labels=params.product.labels,
        problem=params.product.problem,
        revision=params.prepare.checkpoint.revision,
        dropout=params.finetune.dropout,
    )
    read_by(model, tokenizer, checkpoint=checkpoint, prepare=params.prepare)
    return model
