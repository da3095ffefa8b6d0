"""The parameters of the stages that train: one class a stage. See `product` for the rules."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pipeline.core.product import Positive, Rate, Section, Share


class OptimisationParams(Section):
    """How a stage trains: passes, batches and the optimizer. Every training stage has these."""

    epochs: Positive
    """Passes over the training rows."""
    batch_size: Positive
    """Rows a batch."""
    accumulation: Positive
    """Batches whose gradients are summed before a step: larger steps than memory holds."""
    learning_rate: Rate
    """Peak learning rate of AdamW."""
    warmup_share: Share
    """Share of the steps over which the learning rate rises; it then falls linearly to zero."""
    weight_decay: Annotated[float, Field(ge=0)]
    """Decoupled weight decay of matrices."""


class PretrainParams(OptimisationParams):
    """pretrain: the language model that becomes the student's encoder."""

    model: Literal["bert", "bilm"]
    """`bert`: a masked language model. `bilm`: LSTMs that read both ways (ELMo)."""
    start: Literal["checkpoint", "random"]
    """`checkpoint`: the lowest layers of `prepare.checkpoint`; its states are projected where `hidden_size` is
    smaller than its own, and heads must be of the same size. `random`."""
    layers: Positive
    """Transformer layers, or LSTMs in each direction."""
    hidden_size: Positive
    """Width of the residual stream, or of the LSTMs' projections and embeddings."""
    heads: Positive
    """bert: attention heads a layer; must divide `hidden_size`."""
    feed_forward_size: Positive
    """Width of the feed-forward layers, or cells of each LSTM; from a checkpoint at most its own."""
    dropout: Share
    """Dropout while pretraining; bilm: of layers, the same units at every step of a row."""
    input: Literal["subword", "characters"]
    """bilm: tokens looked up in a table, or spelled by convolutions over their bytes."""
    embedding_dropout: Share
    """bilm: share of the vocabulary that is blank in a batch."""
    weight_drop: Share
    """bilm: share of the recurrent weights that are dropped in a batch."""
    sequence_length: Positive
    """Tokens a packed row."""
    max_sequences: Positive | None
    """Packed rows of an epoch, from the start of the shuffled corpus; null takes all."""
    mask_share: Annotated[Share, Field(gt=0)]
    """bert: share of tokens to predict."""
    whole_words: bool
    """bert: hide all tokens of a word or none."""

    @model_validator(mode="after")
    def _fits_the_model(self) -> Self:
        if self.model == "bert" and self.hidden_size % self.heads:
            raise ValueError("pretrain.heads must divide pretrain.hidden_size")
        if self.model == "bilm" and self.start == "checkpoint":
            raise ValueError("pretrain.start: random, for no checkpoint is a bilm")
        return self


class AdaptParams(OptimisationParams):
    """Masked language modelling of the teacher's checkpoint on the domain."""

    max_sentences: Annotated[int, Field(ge=0)]
    """Corpus sentences to learn from, beside the training rows, packed into rows of `prepare.max_length` tokens; of
    pairs there are none. 0 leaves the checkpoint as it is."""
    mask_share: Annotated[Share, Field(gt=0)]
    """Share of tokens to predict; all tokens of a word are hidden or none."""


class FinetuneParams(OptimisationParams):
    """finetune: the teacher."""

    adapt: AdaptParams
    """Masked language modelling of the checkpoint on texts of the domain, before any labels; of a BERT. One training
    serves all seeds."""
    related: OptimisationParams | None
    """The labels of a neighbouring task, where a corpus has them, before the product's own; null does
    without. One training serves all seeds."""
    seeds: Positive
    """Teachers to train, each from a seed of its own; the mean quality of all with its interval is reported."""
    keep: Literal["best", "mean"]
    """Of several seeds, `best`: the one with the best validation quality; `mean`: the mean of their weights, all
    having started from those of the first."""
    class_weights: Literal["none", "balanced"]
    """`balanced`: a rare label's rows weigh more, by the inverse of its share. Not for regression."""
    frozen_layers: Annotated[int, Field(ge=0)]
    """Lowest layers that do not learn; 1 is the embeddings, 2 those and the first encoder layer."""
    layer_decay: Annotated[float, Field(gt=0, le=1)]
    """The learning rate of each layer is this times that of the layer above it."""
    patience: Positive | None
    """Epochs without a better validation quality after which training stops and the best epoch's weights
    are taken; null trains to the end and takes the last."""
    average: Annotated[float, Field(ge=0, lt=1)]
    """Decay a step of the moving average of the weights, which is what validation sees and what is kept;
    0 keeps the weights of the last step."""
    dropout: Share
    """Dropout before the classifier."""


class TransferParams(Section):
    """transfer: the teacher's outputs on labelled rows, texts made from them, and corpus sentences."""

    max_sentences: Positive
    """Corpus sentences to score."""
    choice: Literal["domain", "hash"]
    """Which sentences: `domain`, those most like the training rows; `hash`, any."""
    min_new_pairs: Share
    """Share of a sentence's pairs of neighbouring words that none chosen before it had; with fewer it is passed
    over, and others come in its place. 0 takes all as they come."""
    augmentations: Annotated[int, Field(ge=0)]
    """Texts made from each training row, beside it: pieces, joins, words dropped and replaced. Not of pairs."""
    min_confidence: Share
    """Sentences and made texts that the teacher is less sure of are left out: by its top probability; of several
    labels, by the mean over them of the likelier answer's. Numbers leave none out."""
    batch_size: Positive
    """Rows a forward pass."""
    hidden_layers: list[Positive]
    """Layers of the teacher, the lowest 1, after which the mean state of each text is kept for the student; the
    last one is always there. One for each of the student's layers but its last: `[3]` of six for two."""

    @model_validator(mode="after")
    def _layers_rise(self) -> Self:
        if self.hidden_layers != sorted(set(self.hidden_layers)):
            raise ValueError("transfer.hidden_layers: numbers that rise, each once")
        return self


class DistillParams(OptimisationParams):
    """distill: the student learns the teacher's outputs."""

    temperature: Rate
    """Softens both distributions (Hinton et al. 2015)."""
    hard_label_weight: Share
    """Weight of the cross-entropy with the gold label, where there is one; the rest goes to the teacher."""
    teacher_layers: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)] | None
    """bert: layers of the teacher that the student starts from, with its embeddings and head, the lowest 0 (Sanh
    et al. 2019), projected where it is narrower; null starts from pretrain's model."""
    embedding_rank: Positive | None
    """bert: the student's table of embeddings is the product of one this wide and a small matrix, from here
    on to the exported graph; null leaves it whole."""
    feature_weight: Annotated[float, Field(ge=0)]
    """Weight of the squared distance between what both models' last layers read, the student's through
    a linear map that is dropped afterwards (FitNets, Romero et al. 2015); 0 leaves it out."""
    hidden_weight: Annotated[float, Field(ge=0)]
    """bert: the same for the mean states after the student's layers but its last and after the teacher's
    `transfer.hidden_layers`, one for one (TinyBERT, Jiao et al. 2020); 0 leaves them out."""
    labelled_repeats: Positive
    """Times the labelled rows appear in one epoch, beside each corpus sentence once."""
    dropout: Share
    """Dropout in the student while it learns."""


class PruneParams(OptimisationParams):
    """prune: network surgery, and training in which the rest of the student makes up for it."""

    method: Literal["structured", "dynamic"]
    """`structured` removes whole units before training: the model becomes smaller and faster. `dynamic`
    cuts single weights while it trains, and splices back what it misses: the compressed file becomes
    smaller, a dense matrix product takes as long."""
    keep_share: Annotated[float, Field(gt=0, le=1)]
    """structured: share of feed-forward units (bilm: of cells) kept, the same in all layers, by
    importance. dynamic: share of the weights of each matrix."""
    keep_heads: Annotated[float, Field(gt=0, le=1)]
    """structured, bert: share of attention heads kept, the same in all layers, by importance."""
    layers: Positive | None
    """structured, bert: encoder layers kept, by importance; null keeps all."""
    max_sentences: Positive
    """Corpus sentences of the recovery training, beside all labelled rows."""
    feature_weight: Annotated[float, Field(ge=0)]
    """Of the recovery training, as `distill.feature_weight`; 0 leaves it out."""

    @model_validator(mode="after")
    def _parts_are_structured(self) -> Self:
        if self.method == "dynamic" and (self.keep_heads != 1 or self.layers is not None):
            raise ValueError(
                "prune.keep_heads: 1.0 and prune.layers: null with prune.method: dynamic"
            )
        return self


def check_recipe(pretrain: PretrainParams, distill: DistillParams, prune: PruneParams) -> None:
    """Refuse what cannot come of the student that `pretrain` shapes.

    Raises:
        ValueError: what it has to be, and why.
    """
    bert, layers = pretrain.model == "bert", distill.teacher_layers
    if distill.embedding_rank is not None and (not bert or prune.method == "dynamic"):
        # Of two matrices with zeros the product, which is what is saved, has none.
        raise ValueError("distill.embedding_rank: null, for a bilm and for prune.method: dynamic")
    if layers is not None and not bert:
        raise ValueError("distill.teacher_layers: null, for a bilm has no layer of a BERT's")
    if layers is not None and len(layers) != pretrain.layers:
        raise ValueError(
            f"distill.teacher_layers: {pretrain.layers} numbers, one for each of pretrain.layers, or null to start"
            " from pretrain's model"
        )


class CompressParams(Section):
    """What `make compress-search` tries. No stage reads it."""

    space: dict[str, Annotated[list[int | float | str | bool | None], Field(min_length=1)]]
    """Parameter → the values that are tried; a recipe has one of each."""
    trials: Positive
    """Recipes to try at most, those of earlier calls of the same search counted."""
    minutes: Annotated[float, Field(gt=0)]
    """After so many minutes of trials, earlier calls' counted, no further one begins."""
