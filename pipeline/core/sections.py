"""The parameters of each stage but those that train: one class a stage. See `product` for the rules."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pipeline.core.product import (
    MULTI_LABEL,
    Positive,
    Product,
    Rate,
    Section,
    Sha256,
    Share,
)


class Source(Section):
    """One place texts come from."""

    name: str
    """A name of your choice; the manifest and licence waivers use it."""
    kind: Literal["package", "file"]
    """`package`: a file inside an installed Python package. `file`: a file below `data/`."""
    package: str | None
    """Distribution name of the package; null for a file."""
    path: str
    """For a package, the path inside it; for a file, the path below `data/` (CSV, TSV, JSON lines, Parquet)."""
    sha256: Sha256 | None
    """Expected hash of the file; must be given for a package. For a file, null takes what is there."""
    role: Literal["labelled", "corpus"]
    """`labelled`: texts with labels. `corpus`: unlabelled text of the same domain."""
    where: dict[str, str]
    """Keep only rows whose columns have these values."""
    text_column: str
    """Column that holds the text."""
    second_text_column: str | None
    """Column that holds the second text where `product.pairs`; null otherwise, and for a corpus."""
    label_column: str | None
    """Column that holds the label. A corpus may have one, of a neighbouring task, or null: its labels teach
    the teacher before the product's own rows do (`finetune.related`), and nothing is measured on them."""
    label_values: dict[str, str]
    """Value in the label column → label of the product. Empty: the column holds the labels themselves."""
    label_separator: str | None
    """multi_label: what stands between the labels of one row, such as `|`; null otherwise."""
    licence: str
    """SPDX identifier of the content's licence, or `unknown`."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.kind == "package" and (self.package is None or self.sha256 is None):
            raise ValueError(f"source {self.name}: a package source needs `package` and `sha256`")
        if self.role == "labelled" and self.label_column is None:
            raise ValueError(f"source {self.name}: a labelled source needs `label_column`")
        if self.role == "corpus" and self.second_text_column is not None:
            raise ValueError(
                f"source {self.name}: a corpus holds single texts; its `second_text_column` is null"
            )
        if self.label_column is None and self.label_separator is not None:
            raise ValueError(
                f"source {self.name}: `label_separator: null` where there are no labels"
            )
        return self

    def check_against(self, product: Product) -> None:
        """Refuse columns that are not those that the product asks for.

        Raises:
            ValueError: saying what was expected, as pydantic wants it.
        """
        if self.role == "corpus":
            self._check_related_labels(product)
            return
        if product.pairs and self.second_text_column is None:
            raise ValueError(
                f"source {self.name}: `second_text_column`, for product.pairs wants two texts a row"
            )
        if not product.pairs and self.second_text_column is not None:
            raise ValueError(
                f"source {self.name}: `second_text_column: null`, or product.pairs: true, for a"
                " product of single texts reads one column"
            )
        self._check_separator(product)

    def _check_related_labels(self, product: Product) -> None:
        if self.label_column is None:
            return
        if product.pairs:
            raise ValueError(
                f"source {self.name}: `label_column: null`, for a corpus of single texts has no labels"
                " for pairs"
            )
        self._check_separator(product)

    def _check_separator(self, product: Product) -> None:
        if (product.problem == MULTI_LABEL) != (self.label_separator is not None):
            raise ValueError(
                f"source {self.name}: `label_separator` for multi_label, null for other problems"
            )


class CollectParams(Section):
    """collect: raw text from named sources."""

    sources: Annotated[list[Source], Field(min_length=1)]
    """Where texts come from; at least one labelled source."""
    max_rows_per_source: Positive | None
    """Take at most this many rows of a source, chosen by hash; null takes all."""


class ValidateParams(Section):
    """validate: what rows must be like."""

    min_characters: Positive
    """Shorter texts are rejected."""
    max_characters: Positive
    """Longer texts are rejected."""
    near_duplicate_similarity: Share
    """Texts of at least this Jaccard similarity of character 5-gram sets form one duplicate cluster."""
    max_reject_share: Share
    """The line stops when a larger share of the labelled rows is rejected."""
    max_duplicate_share: Share
    """The line stops when a larger share of the labelled rows are copies."""
    min_rows_per_label: Positive
    """The line stops when a label has fewer rows."""
    max_label_share: Share
    """The line stops when one label holds a larger share of rows."""


class LabelParams(Section):
    """label: gold labels from the sources and from `annotations/`."""

    min_agreement: Annotated[float, Field(ge=-1, le=1)]
    """Least Krippendorff's alpha among annotators, where rows were labelled more than once."""


class SplitShares(Section):
    """Shares of the duplicate clusters that go to each split."""

    train: Share
    """Models learn from these rows."""
    validation: Share
    """Every choice is made on these rows; no model learns from them."""
    test: Share
    """Scored once a build; no decision reads it."""

    @model_validator(mode="after")
    def _sum_to_one(self) -> Self:
        if abs(self.train + self.validation + self.test - 1) > 1e-9:
            raise ValueError("prepare.shares must add up to 1")
        return self


class Checkpoint(Section):
    """An encoder checkpoint, by anything that transformers can load."""

    name: str
    """A name of your choice; the model card and licence waivers use it."""
    kind: Literal["package", "folder", "hub"]
    """`package`: a folder inside an installed Python package. `folder`: any folder. `hub`: a hub name."""
    package: str | None
    """Distribution name of the package; null otherwise."""
    path: str
    """Folder inside the package, folder on disk, or hub name."""
    revision: str | None
    """Commit on the hub; null otherwise."""
    sha256: Sha256 | None
    """Expected hash of `model.safetensors`; null takes what is there."""
    licence: str
    """SPDX identifier of the weights' licence, or `unknown`."""
    seen: list[str]
    """Public data sets the checkpoint was trained on, for honest scores."""


class PrepareParams(Section):
    """prepare: splits, tokenizers, token arrays."""

    salt: str
    """Fixed salt of the split hash. A new one moves rows between splits: old figures no longer compare."""
    shares: SplitShares
    """Shares of train, validation and test; they add up to 1."""
    checkpoint: Checkpoint
    """What the teacher starts from; its tokenizer is the teacher's."""
    max_length: Positive
    """Most tokens of one text, special tokens included."""
    window_stride: Positive | None
    """Longer texts are read in windows of `max_length` that begin this many tokens apart, and their
    answers averaged; null cuts the text."""
    tokenizer: Literal["wordpiece", "byte_bpe", "cut"]
    """The student's: `wordpiece` is uncased and of the domain; `byte_bpe` keeps case and loses nothing;
    `cut` is the checkpoint's WordPiece, cut to the tokens that the texts use."""
    vocabulary_size: Positive
    """Tokens of the student's own vocabulary."""
    min_coverage: Share
    """cut: the line stops when fewer of the texts' tokens are written as before."""
    max_unknown_share: Share
    """cut: the line stops when more of the texts' tokens are unknown."""
    min_sentence_words: Positive
    """Shorter corpus sentences are left out of transfer."""
    max_sentence_words: Positive
    """Longer corpus sentences are left out of transfer."""
    max_corpus_documents: Positive | None
    """Use at most this many corpus documents, chosen by hash; null takes all."""
    related_words: Positive
    """Closing words of each labelled corpus document that the teacher learns from (`finetune.related`)."""
    heldout_share: Share
    """Share of corpus documents kept out of pretraining for the language model's held-out score."""


class BaselineParams(Section):
    """baseline: what a model must beat."""

    max_ngram: Positive
    """Longest word n-gram."""
    regularisation: Annotated[list[float], Field(min_length=1)]
    """Values of C to choose from on validation."""
    learning_curve_shares: Annotated[list[Share], Field(min_length=2)]
    """Shares of the training rows at which the learning curve is drawn."""
    min_gain: Share
    """Least quality above the majority class (the mean, for numbers); below it the problem is not learnable from these data."""


class ExportParams(Section):
    """export: ONNX of each model."""

    opset: Annotated[int, Field(ge=13, le=22)]
    """ONNX operator set."""
    tolerance: Rate
    """Largest absolute difference of a logit between torch and ONNX; of a number, a share of its spread."""


class QuantizeParams(Section):
    """quantize: dynamic int8 of each model."""

    preset: Literal["portable", "vnni"]
    """`portable`: seven-bit weights, right on every processor. `vnni`: all eight bits, for processors that
    have VNNI (the arm64 dot product is alike); others would saturate and answer differently."""
    per_channel: bool
    """One scale an output channel."""
    embeddings: bool
    """Quantize the embedding tables too."""
    float_operators: list[str]
    """Operators that stay in float32, by names of `certificate.json`'s `sensitivity`; `*` is any characters."""
    min_agreement: Share
    """Least agreement with float32 on validation texts; where int8 misses it, the most sensitive operators
    stay in float32 too, one after the other."""


class EvaluateParams(Section):
    """evaluate: quality of every variant."""

    confidence: Annotated[float, Field(gt=0.5, lt=1)]
    """Level of every interval."""
    resamples: Positive
    """Bootstrap resamples of an interval."""
    min_slice_rows: Positive
    """Smaller slices are reported without a figure."""
    thresholds: Literal["fixed", "fitted"]
    """`fixed`: the likeliest label, or every label from .5 on. `fitted`: chosen on validation for the
    product's metric, and shipped in the bundle."""
    abstain_quality: Share | None
    """Least share of right answers among those given: the model abstains where it is less sure than
    validation says this takes; null answers always. Not for regression."""


class MeasureParams(Section):
    """measure: speed and memory of every variant on this machine."""

    tokens: Positive
    """Length of the measured request, special tokens included."""
    threads: Positive
    """Threads of one answer, here and where the bundle is served. A server answers as many requests at
    once as it has cores, and a small model is slower when its operators are shared out."""
    rounds: Positive
    """Interleaved rounds over the variants."""
    requests_per_round: Positive
    """Requests to each variant in a round."""


class GateParams(Section):
    """gate: choose, score once on test, pack."""

    golden_requests: Positive
    """Requests with expected answers that go into the bundle."""
    invariance_sentences: Positive
    """Unlabelled sentences on which the certificate compares answers alone, batched and padded;
    validation texts stand in where the corpus has fewer."""
