"""The lesson of `finetune`: a checkpoint, rows in its tokens, and how one seed of it is trained."""

from dataclasses import dataclass
from pathlib import Path

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.progress import say
from pipeline.models.encoder import (
    freeze_lowest,
    layer_from_top,
    load_classifier,
    reads_segments,
)
from pipeline.models.numbers import scale_output
from pipeline.models.pretrained import resolve_checkpoint
from pipeline.text.batching import epoch_batches
from pipeline.training.curve import Curve
from pipeline.training.fast.tokens_in_use import tokens_in_use
from pipeline.training.labelled_rows import Split, read_split
from pipeline.training.loop import Training, train
from pipeline.training.objectives.by_problem import balanced_weights, gold_objective, scale_of
from pipeline.training.objectives.gold import TokenRows, tokenize
from pipeline.training.phases.domain_adaptation import Adaptation
from pipeline.training.phases.related_labels import RelatedLesson
from pipeline.training.resume import Checkpoints
from pipeline.training.validation import QUALITY, ScoresOf, Validation


@dataclass(frozen=True)
class Teaching:
    """What every seed learns from, and how.

    Attributes:
        adaptation: of the checkpoint to the domain, before anything else; None where it is not asked for.
        related: what the checkpoint learns before it; None where there is nothing of the kind.
        curve: file of the best seed's learning curve; while training goes on, of the one under way.
    """

    params: Params
    rows: TokenRows
    train: Split
    validation: Validation
    adaptation: Adaptation | None
    related: RelatedLesson | None
    checkpoint: Path
    curve: Path

    @classmethod
    def of(
        cls, params: Params, paths: Paths, tokenizer: PreTrainedTokenizerBase, *, scores: ScoresOf
    ) -> "Teaching":
        """Rows in tokens; with segments where pairs meet a model that has them.

        Args:
            scores: the runtime's rule from logits to scores.
        """
        records = paths.read("prepare", "records.parquet")
        checkpoint = resolve_checkpoint(params.prepare.checkpoint)
        segments = params.product.pairs and reads_segments(_load(params, checkpoint))
        splits = {name: read_split(records, name) for name in ("train", "validation")}
        rows = {
            name: tokenize(
                tokenizer,
                split.texts,
                max_length=params.prepare.max_length,
                seconds=split.seconds,
                segments=segments,
                window_stride=params.prepare.window_stride,
            )
            for name, split in splits.items()
        }
        validation = Validation(
            rows["validation"],
            splits["validation"].targets,
            params.product.problem,
            params.product.requirements.quality_metric,
            params.compute,
            scores,
        )
        table = paths.read("prepare", "related.parquet")
        related = RelatedLesson.of(params, table, tokenizer, validation, paths.checkpoints)
        train = splits["train"]
        adaptation = Adaptation.of(
            params,
            checkpoint,
            tokenizer,
            own=[*train.texts, *train.seconds],
            sentences=paths.read("prepare", "sentences.parquet"),
            folder=paths.checkpoints,
        )
        curve = paths.out / "curve.csv"
        return cls(params, rows["train"], train, validation, adaptation, related, checkpoint, curve)

    def load(self) -> PreTrainedModel:
        """The checkpoint, adapted and taught related rows as asked for, its lowest layers frozen."""
        model = _load(self.params, self.checkpoint)
        if self.adaptation is not None:
            self.adaptation.teach(model)
        if self.related is not None:
            quality = self.related.teach(model)
            say(f"finetune  after {self.related.count:,} related rows: validation {quality:.3f}")
        freeze_lowest(model, self.params.finetune.frozen_layers)
        return model

    def clear(self) -> None:
        """Forget what was learned on the way: the stage has ended well."""
        for lesson in (self.adaptation, self.related):
            if lesson is not None:
                lesson.clear()

    def teach(
        self, model: PreTrainedModel, seed: int, checkpoints: Checkpoints
    ) -> list[dict[str, float]]:
        """Train `model` in place; returns the points of its curve."""
        settings, product = self.params.finetune, self.params.product
        curve = Curve(self.curve, figures=[QUALITY])
        training = Training(
            task="finetune" if settings.seeds == 1 else f"finetune seed {seed}",
            schedule=settings,
            compute=self.params.compute,
            batches=lambda epoch: epoch_batches(
                self.rows.lengths, batch_size=settings.batch_size, seed=seed, epoch=epoch
            ),
            checkpoints=checkpoints,
            curve=curve,
            validate=self.validation.quality,
            patience=settings.patience,
            average=settings.average,
            layer_of=lambda name: layer_from_top(model, name),
            layer_decay=settings.layer_decay,
            row_ids=self.rows.names(self.train.ids),
        )
        targets, scale = self.train.targets, scale_of(product.problem, self.train.targets)
        weights = (
            balanced_weights(product.problem, targets, labels=len(product.labels))
            if settings.class_weights == "balanced"
            else None
        )
        learned = targets if scale is None else scale.standard(targets)
        objective = gold_objective(self.rows, learned, problem=product.problem, weights=weights)
        with tokens_in_use(model, self.rows, self.validation.rows):
            train(model, objective, training)
        if scale is not None:
            scale_output(model, factor=scale.deviation, shift=scale.mean)
        return curve.points


def _load(params: Params, checkpoint: Path) -> PreTrainedModel:
    return load_classifier(
        checkpoint,
        labels=params.product.labels,
        problem=params.product.problem,
        revision=params.prepare.checkpoint.revision,
        dropout=params.finetune.dropout,
    )
