"""The parameters of the stages that train: one class a stage. See `product` for the rules."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pipeline.core.product import Positive, Rate, Section, Share


class OptimisationParams(Section):
    """How a stage trains: passes, batches and the optimizer. Every training stage has these."""

    epochs: Positive
    """How many times training reads all its rows. More take longer and, in the end, overfit."""
    batch_size: Positive
    """Rows computed at once. A larger batch needs more memory and makes fewer, less noisy steps."""
    accumulation: Positive
    """Batches whose gradients are added up before the optimizer makes a step. A step then sees
    `batch_size` times this many rows, with the memory of `batch_size` rows."""
    learning_rate: Rate
    """Peak learning rate of AdamW, after the warm-up. Larger learns faster and may diverge."""
    warmup_share: Share
    """Share of all steps in which the learning rate rises from zero to its peak; in the others it
    falls linearly to zero."""
    weight_decay: Annotated[float, Field(ge=0)]
    """Decoupled weight decay of AdamW on weight matrices (biases and norms have none). Larger keeps
    weights smaller; 0 is off."""


class RepeatedParams(OptimisationParams):
    """How a stage trains on the product's own rows, of which there may be few."""

    epochs: Positive
    """How many times training reads all its rows; more often where `min_steps` asks for more steps. More
    take longer and, in the end, overfit."""
    min_steps: Annotated[int, Field(ge=0)]
    """Fewest optimizer steps. Where there are so few rows that `epochs` passes are fewer steps, more
    passes are made; 0 makes no more."""


class PretrainParams(OptimisationParams):
    """pretrain: trains a small language model on the corpus. Its sizes are the student's, and the
    student starts from it where `distill.teacher_layers` is null.
    """

    model: Literal["bert", "bilm"]
    """Family of the student. `bert`: a transformer, pretrained as a masked language model. `bilm`:
    LSTMs that read the text forwards and backwards (ELMo)."""
    start: Literal["checkpoint", "random"]
    """Weights that pretraining starts from. `checkpoint`: the lowest layers of
    `prepare.checkpoint`, projected down where `hidden_size` is smaller than the checkpoint's;
    attention heads must have the same size as its own. `random`: random weights, the only choice
    for a bilm."""
    layers: Positive
    """Transformer layers, or LSTM layers in each direction. More are slower and may be better."""
    hidden_size: Positive
    """Width of a token's state: of embeddings and transformer layers, or of embeddings and the
    outputs of the LSTMs. Size and time grow with it."""
    heads: Positive
    """bert: attention heads of each layer; `hidden_size` must be a multiple of it."""
    feed_forward_size: Positive
    """Width of the feed-forward layers, or number of cells of each LSTM. With `start: checkpoint`
    at most the checkpoint's own width."""
    dropout: Share
    """Share of units that are set to zero at random while pretraining; a bilm drops the same units
    at every token of a row. Larger regularises more."""
    input: Literal["subword", "characters"]
    """bilm: how a token becomes a vector. `subword`: it is looked up in a table. `characters`:
    convolutions compute it from the token's bytes."""
    embedding_dropout: Share
    """bilm: share of the vocabulary whose embeddings are set to zero in each batch; 0 is off."""
    weight_drop: Share
    """bilm: share of the LSTMs' recurrent weights that are set to zero in each batch; 0 is off."""
    sequence_length: Positive
    """Tokens of one pretraining row: documents are joined and cut into rows of this length. At most
    `prepare.max_length`."""
    max_sequences: Positive | None
    """Most rows that an epoch of pretraining reads, from the start of the shuffled corpus. More
    take longer and help the student; null reads all."""
    mask_share: Annotated[Share, Field(gt=0)]
    """bert: share of the tokens that are hidden and must be predicted, above 0."""
    whole_words: bool
    """bert: whether all tokens of a word are hidden together, which is harder to predict, or each
    by itself."""

    @model_validator(mode="after")
    def _fits_the_model(self) -> Self:
        if self.model == "bert" and self.hidden_size % self.heads:
            raise ValueError("pretrain.heads must divide pretrain.hidden_size")
        if self.model == "bilm" and self.start == "checkpoint":
            raise ValueError("pretrain.start: random, for a bilm has no checkpoint to start from")
        return self


class AdaptParams(OptimisationParams):
    """Adapts the checkpoint to the domain before the teacher learns any label: masked language
    modelling on texts of the domain, for BERT checkpoints alone. One training serves all seeds.
    """

    max_sentences: Annotated[int, Field(ge=0)]
    """Corpus sentences to learn from, beside the texts of the training rows; packed into rows of
    `prepare.max_length` tokens. A product of pairs has no sentences. 0 skips the adaptation."""
    mask_share: Annotated[Share, Field(gt=0)]
    """Share of the tokens that are hidden and must be predicted, above 0; all tokens of a word are
    hidden together."""


class RelatedParams(OptimisationParams):
    """Training on the labels of a neighbouring task, before the product's own rows."""

    max_rows: Positive
    """Most labelled corpus documents to learn from, chosen by hash. More make a better teacher and
    take longer."""


class FinetuneParams(RepeatedParams):
    """finetune: trains the teacher, the checkpoint with a classifier, on the product's rows."""

    adapt: AdaptParams
    """Adaptation of the checkpoint to the domain, before any labels; off with `max_sentences:
    0`."""
    related: RelatedParams | None
    """Training on the labels of a neighbouring task, where a corpus has some, before the product's
    own rows; null skips it. One training serves all seeds."""
    seeds: Positive
    """How many teachers are trained, each with its own random seed. More take that many times as
    long, and the reported interval of their mean quality becomes narrower."""
    keep: Literal["best", "mean"]
    """Which teacher goes on where there are several seeds. `best`: the one with the best
    validation quality. `mean`: the mean of their weights, which works because all start from the
    same weights."""
    class_weights: Literal["none", "balanced"]
    """How rows weigh in the loss. `none`: all the same. `balanced`: by the inverse of their label's
    share, so that rare labels count as much as frequent ones; not for regression."""
    frozen_layers: Annotated[int, Field(ge=0)]
    """How many of the lowest layers keep the checkpoint's weights (those of `adapt`, where it is on):
    1 is the embeddings, 2 the embeddings and the first encoder layer; 0 trains all. More train
    faster and adapt less."""
    layer_decay: Annotated[float, Field(gt=0, le=1)]
    """Factor between the learning rates of neighbouring layers: each layer learns at this times the
    rate of the layer above it. 1 trains all at one rate; smaller changes the lower layers less."""
    patience: Positive | None
    """Training stops after this many epochs without a better validation quality, and the best
    epoch's weights are kept; null trains all epochs and keeps the last weights."""
    average: Annotated[float, Field(ge=0, lt=1)]
    """Decay per step of the moving average of the weights; the average is what is validated and
    kept. Closer to 1 averages over more steps; 0 keeps the weights of the last step."""
    dropout: Share
    """Share of the model's units and attention weights that are set to zero at random in training; in
    a bilm, of those before the classifier. Larger regularises more; with one pass over the rows, 0
    learns more and is faster."""


class TransferParams(Section):
    """transfer: writes the transfer set, the teacher's answers that the student learns from: on the
    labelled rows, on texts made from them, and on corpus sentences.
    """

    max_sentences: Positive
    """Most corpus sentences that the teacher answers. More make a better student and take longer,
    here and in distill."""
    choice: Literal["domain", "hash"]
    """Which sentences are taken. `domain`: those most like the training rows. `hash`: a random
    choice."""
    min_new_pairs: Share
    """Least share of a sentence's word pairs (two neighbouring words) that no sentence chosen
    before has. Sentences with fewer are replaced by others, so a larger share gives more varied
    sentences; 0 takes all as they come."""
    augmentations: Annotated[int, Field(ge=0)]
    """New texts made from each training row: pieces of it, joins with another row, with words
    dropped and replaced. More give the student more to learn from and take longer. Products of
    pairs make none."""
    min_texts: Annotated[int, Field(ge=0)]
    """Fewest texts in the transfer set, the ones below `min_confidence` counted. Where rows,
    `augmentations` and sentences are fewer, as without a corpus, more texts are made from each row;
    0 makes no more."""
    min_confidence: Share
    """Least confidence of the teacher: sentences and made texts below it are left out. Confidence
    is the highest probability; with several labels, the mean over the labels of the likelier of yes
    and no. Regression leaves none out."""
    batch_size: Positive
    """Texts that the teacher answers at once. Larger needs more memory; the answers differ only by
    rounding."""
    precision: Literal["float32", "int8"]
    """Arithmetic of the teacher's answers on a processor. `float32`: those of torch, but for rounding.
    `int8`: about twice as fast where the processor has VNNI; the answers differ a little, as those
    of an int8 model do. A GPU answers by torch, whatever this says."""
    hidden_layers: list[Positive]
    """Layers of the teacher, counted from 1, whose mean state of each text is kept for
    `distill.hidden_weight`; the last layer is always kept. Give one for each student layer except
    its last: `[3]` for a teacher of six layers and a student of two."""

    @model_validator(mode="after")
    def _layers_rise(self) -> Self:
        if self.hidden_layers != sorted(set(self.hidden_layers)):
            raise ValueError("transfer.hidden_layers: rising numbers, each once")
        return self


class DistillParams(RepeatedParams):
    """distill: trains the student on the transfer set, to give the teacher's answers."""

    max_sentences: Positive
    """Most texts of the transfer set, beside the labelled rows, to learn from. `prune`, whose smaller
    model learns faster, reads more."""
    temperature: Rate
    """Divides the logits of teacher and student in the loss (Hinton et al. 2015). Above 1 the
    student also learns how likely the teacher finds the other labels."""
    hard_label_weight: Share
    """Weight of the gold label in the loss, for rows that have one; the rest is the weight of the
    teacher's answer. 0 ignores the gold labels."""
    teacher_layers: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)] | None
    """bert: which layers of the teacher the student copies to start from, counted from 0, with the
    teacher's embeddings and classifier (Sanh et al. 2019), projected where the student is narrower.
    One for each of `pretrain.layers`; null starts from pretrain's model."""
    embedding_rank: Positive | None
    """bert: width of the student's embedding table, which a small matrix then widens to
    `hidden_size`; also in the exported model. Smaller makes the file smaller; null keeps the full
    table."""
    feature_weight: Annotated[float, Field(ge=0)]
    """Weight in the loss of the squared distance between the last states of student and teacher,
    the student's through a linear map that is dropped afterwards (FitNets, Romero et al. 2015); 0
    is off."""
    hidden_weight: Annotated[float, Field(ge=0)]
    """bert: weight in the loss of the squared distance between the mean states of the student's
    layers, except its last, and of the teacher's `transfer.hidden_layers`, one for one (TinyBERT,
    Jiao et al. 2020); 0 is off."""
    labelled_repeats: Positive
    """How many times an epoch repeats the labelled rows, while each corpus sentence comes once."""
    dropout: Share
    """Share of the student's units and attention weights that are set to zero at random in distill and
    prune; in a bilm, of those before the classifier. Larger regularises more; 0 follows the teacher
    more closely."""


class PruneParams(RepeatedParams):
    """prune: removes the parts of the student that matter least, then trains what is left."""

    method: Literal["structured", "dynamic"]
    """What is removed. `structured`: whole units, before training; the model becomes smaller and
    faster. `dynamic`: single weights, while it trains, and those that turn out to be missed come
    back (network surgery); only the compressed file becomes smaller, computing takes as long."""
    keep_share: Annotated[float, Field(gt=0, le=1)]
    """Share that is kept, the most important first. structured: of the feed-forward units of each
    layer (bilm: of the cells). dynamic: of the weights of each matrix. Smaller makes a smaller,
    less accurate model."""
    keep_heads: Annotated[float, Field(gt=0, le=1)]
    """structured, bert: share of the attention heads of each layer that is kept, the most important
    first; 1 keeps all."""
    layers: Positive | None
    """structured, bert: number of encoder layers that are kept, the most important first; null
    keeps all."""
    max_sentences: Positive
    """Most corpus sentences of the training after the cut, beside all labelled rows. More recover
    more quality and take longer."""
    feature_weight: Annotated[float, Field(ge=0)]
    """As `distill.feature_weight`, for the training after the cut; 0 is off."""

    @model_validator(mode="after")
    def _parts_are_structured(self) -> Self:
        if self.method == "dynamic" and (self.keep_heads != 1 or self.layers is not None):
            raise ValueError(
                "prune.keep_heads: 1.0 and prune.layers: null with prune.method: dynamic"
            )
        return self


def check_recipe(pretrain: PretrainParams, distill: DistillParams, prune: PruneParams) -> None:
    """Refuse settings of distill and prune that do not fit the student that `pretrain` describes.

    Raises:
        ValueError: naming what the setting has to be, and why.
    """
    bert, layers = pretrain.model == "bert", distill.teacher_layers
    if distill.embedding_rank is not None and (not bert or prune.method == "dynamic"):
        # What is saved is the product of the two matrices, which has no zeros even where they do.
        raise ValueError("distill.embedding_rank: null, for a bilm and with prune.method: dynamic")
    if layers is not None and not bert:
        raise ValueError("distill.teacher_layers: null, for a bilm cannot copy layers of a BERT")
    if layers is not None and len(layers) != pretrain.layers:
        raise ValueError(
            f"distill.teacher_layers: {pretrain.layers} numbers, one for each of pretrain.layers,"
            " or null to start from pretrain's model"
        )


class CompressParams(Section):
    """Which recipes `make compress-search` tries. No stage reads this section."""

    space: dict[str, Annotated[list[int | float | str | bool | None], Field(min_length=1)]]
    """Parameter → the values to try. A recipe is one value of each parameter."""
    trials: Positive
    """Most recipes to try, including those of earlier calls of the same search."""
    minutes: Annotated[float, Field(gt=0)]
    """Minutes of trials, including earlier calls, after which no new trial begins; one that runs
    goes on to its end."""
