"""The sections of the stages that do not train, one class a stage, and sources; see `product`."""

import codecs
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from pipeline.core.address_section import AddressSection
from pipeline.core.product import Positive, Product, Rate, Section, Sha256, Share
from pipeline.core.rights_section import RightsColumns
from pipeline.problem.problems import problem_named


def _known_encoding(name: str) -> str:
    try:
        codecs.lookup(name)
    except LookupError:
        raise ValueError(
            f"{name!r} is no encoding that Python knows, such as utf-8 or cp949"
        ) from None
    return name


class Source(AddressSection):
    """One file, address or database that texts come from. A product file lists them under `sources`."""

    name: str
    """A name of your choice; the manifest and `licence_waivers` use it. It is part of each row's
    id, so labels that people gave (`annotations/`) find no row under a new name."""
    path: str
    """Path of the file, below `data/` or inside the package. It is CSV, TSV, JSON, Parquet, Arrow (`.arrow`,
    `.feather`), or text with one row a line (`.txt`, whose only column is `text`), by its ending. All but
    Parquet and Arrow may be packed: `.csv.gz`, `.jsonl.zst`. A folder `….parquet` is read as the parts of
    one table, and a folder that `datasets` saved as its data set. With `url` it may be left out, and is the
    file's name where the address has none with such an ending."""
    encoding: Annotated[str, AfterValidator(_known_encoding)] | None = None
    """Encoding of the file, such as `cp949`. Without it, a byte order mark is obeyed, and a file
    without a mark is UTF-8. Not for Parquet."""
    separator: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    """What stands between the columns of a CSV or TSV. Without it: a tab in a TSV; in a CSV the
    comma or, where the header has the columns named here only so, a semicolon, a tab or a bar."""
    text_column: str
    """Column with the text."""
    label_column: str | None = None
    """Column with the label. A corpus has none, or a column with labels of a neighbouring task: the
    teacher learns them before the product's own rows (`finetune.related`), and nothing is measured
    on them."""
    id_column: str | None = None
    """Column with the source's own id of each row, such as a ticket's number. Tables keep it as `source_id`
    beside ours, and `modelyard data find` finds a row by it. The build stops at an empty one, and at one
    that two different texts share."""
    kind: Literal["package", "file", "url", "sql"] = Field(
        default_factory=lambda given: (
            "sql" if given.get("query") else "url" if given.get("url") else "file"
        )
    )
    """Where the texts are. `package`: in a file inside an installed Python package. `file`: below `data/`.
    `url`: at an address. `sql`: in a database. Default: `sql` with a `query`, `url` with a `url`, else
    `file`."""
    package: str | None = None
    """Distribution name of the package, as pip knows it. For a package only."""
    sha256: Sha256 | None = None
    """Expected SHA-256 of the file; another file stops the build. Must be given for a package; a
    file without it may have any content."""
    role: Literal["labelled", "corpus"] = Field(
        default_factory=lambda given: "labelled" if given.get("label_column") else "corpus"
    )
    """What the texts are for. `labelled`: rows of the product, with labels. `corpus`: further texts
    of the same domain, for pretraining and the transfer set. Default: `labelled` where there is a
    `label_column`, else `corpus`."""
    where: dict[str, str] = Field(default_factory=dict)
    """Column → value: only rows that have these values are read. Empty reads all rows."""
    second_text_column: str | None = None
    """Column with the second text of a pair; none for single texts and for a corpus."""
    label_values: dict[str, str] = Field(default_factory=dict)
    """Value in the label column → label of the product. Empty where the column holds the product's
    labels."""
    label_separator: Annotated[str, Field(min_length=1)] | None = None
    """multi_label: the text between the labels of one row, such as `|`; none for other problems."""
    licence: str = Field(
        default_factory=lambda given: "own" if given.get("kind") in ("file", "sql") else ""
    )
    """SPDX identifier of the content's licence or an SPDX expression such as `MIT AND CC-BY-4.0`,
    `own` for texts of your own, or `unknown`. It must be in `product.requirements.allowed_licences`
    or have a waiver; `own` is always allowed. Default: `own` for a file and a database; a package and
    an address must say it."""
    rights: RightsColumns | None = None
    """Columns that say of each row what may be done with it."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if fault := self._own_fault():
            raise ValueError(f"source {self.name}: {fault}")
        return self

    def _own_fault(self) -> str | None:
        if self.kind == "package" and not (self.package and self.sha256 and self.licence):
            return "a package source needs `package`, `sha256` and `licence`"
        if self.kind != "package" and self.package is not None:
            return "no `package`, or `kind: package`"
        if fault := self.address_fault(kind=self.kind, path=self.path, licence=self.licence):
            return fault
        if self.since_column is not None and self.sha256 is not None:
            return "no `sha256`, for the rows of a source with `since_column` grow"
        if self.role == "labelled" and self.label_column is None:
            return "a labelled source needs `label_column`"
        if self.role == "corpus" and self.second_text_column is not None:
            return "no `second_text_column`, for a corpus has single texts"
        if self.label_column is None and self.label_separator is not None:
            return "no `label_separator`, for there is no `label_column`"
        if self.id_column is not None and self.id_column in self._texts_and_label():
            return "an `id_column` other than those of the texts and the label"
        return None

    def _texts_and_label(self) -> tuple[str | None, ...]:
        return self.text_column, self.second_text_column, self.label_column

    def product_fault(self, product: Product) -> str | None:
        """Columns that the source must change to fit the product, in words; None where they fit."""
        if self.label_column is None:
            return None
        if self.role == "corpus" and product.pairs:
            return "no `label_column`, for labels of single texts cannot train a product of pairs"
        if self.role == "labelled" and product.pairs and self.second_text_column is None:
            return "`second_text_column`, for product.pairs needs two texts a row"
        if not product.pairs and self.second_text_column is not None:
            return "no `second_text_column`, for a product of single texts, or product.pairs: true"
        if problem_named(product.problem).many_labels != (self.label_separator is not None):
            return "`label_separator` for multi_label, none for other problems"
        return None


class CollectParams(Section):
    """collect: reads texts from named sources and records where each came from."""

    sources: Annotated[list[Source], Field(min_length=1)]
    """The files that texts come from. Rows without a label are the corpus until people label them.
    They stand in the product file, under `sources`."""
    max_rows_per_source: Positive | None
    """Most rows to take from each source. The choice is by hash: it is random, repeats, and a
    larger one holds the smaller. null takes all."""


class ValidateParams(Section):
    """validate: cleans texts, takes out rows that must not be learned from, and enforces limits."""

    min_characters: Positive
    """Texts with fewer characters are taken out."""
    max_characters: Positive
    """Texts with more characters are taken out."""
    near_duplicate_similarity: Share
    """Least similarity of two texts that count as near copies: the Jaccard similarity of their sets
    of grams, 1 for equal sets. A gram is 5 characters in a row, or 2 with Hangul, Han letters or kana.
    Near copies are kept, in one cluster, and a cluster is never divided between splits. Smaller makes
    larger clusters."""
    max_reject_share: Share
    """The build stops where a larger share of the labelled rows is taken out, copies aside."""
    max_duplicate_share: Share
    """The build stops where a larger share of the labelled rows are copies of other rows."""
    max_corpus_reject_share: Share
    """The build stops where a larger share of the corpus rows of a source is empty, too short or too
    long. Copies and texts shared with labelled rows do not count."""
    min_rows_per_label: Positive
    """The build stops where a label, or the whole of a regression product, has fewer rows."""
    max_label_share: Share
    """The build stops where one label holds a larger share of the rows."""
    personal_data: Literal["count", "redact", "refuse"]
    """What is done about personal data that patterns find in the texts. `count`: rows with it are
    counted by kind in the report and the data card. `redact`: `[email]`, `[phone]` and so on take its
    place as well, in all tables of validate. `refuse`: the build stops and names the rows. Values are
    never shown. Collect's tables keep the texts as they came."""


class LabelParams(Section):
    """label: makes the gold labels, from the sources and from people's `annotations/`."""

    min_agreement: Annotated[float, Field(ge=-1, le=1)]
    """Least agreement of the annotators, where several labelled the same rows: Krippendorff's
    alpha, 1 for full agreement, 0 for chance. The build stops where the whole 95 % interval of alpha
    is below it."""
    min_double_rows: Positive
    """Rows that several people labelled without which the build never stops over their agreement:
    alpha of a few rows tells little."""
    merge: Literal["majority", "dawid_skene"]
    """How the votes on a row become its label. `majority`: the label that most people gave (of numbers the
    median); a tie leaves that of the source. `dawid_skene`: the likeliest label, where the votes of all rows tell
    how often each person takes which label for which, so that careful people count more and people who guess hardly
    at all; not for regression."""
    soft_labels: bool
    """Whether `finetune` learns a truly ambiguous row, as an adjudicator called it, by the shares of the people who gave each
    label, the adjudicator among them, rather than by one label. It changes train rows alone, and nothing for regression; all
    other stages take the adjudicator's label."""


class SplitShares(Section):
    """Share of the clusters of near copies that goes to each split; the three add up to 1. Clusters are
    assigned by hash. Texts that were dealt once keep their split while data grow (`splits/`); other
    shares deal them anew.
    """

    train: Share
    """Share of the rows that models learn from."""
    validation: Share
    """Share of the rows on which every choice is made; no model learns from them."""
    test: Share
    """Share of the rows that are scored once, at the end of a build; nothing is decided on them."""

    @model_validator(mode="after")
    def _sum_to_one(self) -> Self:
        if abs(self.train + self.validation + self.test - 1) > 1e-9:
            raise ValueError("prepare.shares must add up to 1")
        return self


class Checkpoint(Section):
    """An encoder checkpoint of a family that transformers can load."""

    name: str
    """A name of your choice; the model card and `licence_waivers` use it."""
    kind: Literal["package", "folder", "hub"]
    """Where the checkpoint is. `package`: in a folder of an installed Python package. `folder`: in
    a folder on disk. `hub`: on the Hugging Face hub."""
    package: str | None
    """Distribution name of the package, as pip knows it; null for other kinds."""
    path: str
    """Folder inside the package, folder on disk, or name on the hub."""
    revision: str | None
    """Commit on the hub; null for other kinds."""
    sha256: Sha256 | None
    """Expected SHA-256 of `model.safetensors`; other weights stop the build. For weights in shards:
    what `LC_ALL=C sha256sum model-*.safetensors | sha256sum` prints. null accepts any."""
    licence: str
    """SPDX identifier or expression of the weights' licence, or `unknown`. It must be in
    `product.requirements.allowed_licences` or have a waiver."""
    seen: list[str]
    """Names of public data sets that the checkpoint was trained on. Scores on GLUE tasks with the
    same texts are marked."""


class PrepareParams(Section):
    """prepare: makes tokenizers, and turns the corpus into tokens and sentences; how `label` deals rows."""

    salt: str
    """Text that goes into the hash that assigns rows to splits. Keep it: a new one moves rows
    between splits, and figures can no longer be compared with older ones."""
    shares: SplitShares
    """Shares of train, validation and test."""
    checkpoint: Checkpoint
    """The checkpoint that the teacher starts from."""
    teacher_tokenizer: Literal["checkpoint", "student"]
    """How the teacher reads texts. `checkpoint`: by the checkpoint's own tokenizer. `student`: by that
    of `tokenizer`, for texts in a language that the checkpoint does not know: its layers stay, and the
    embeddings of the new tokens are learned from the product's rows."""
    max_length: Positive
    """Most tokens that a model reads at once, special tokens included; at most as many as the
    checkpoint has positions for. Larger costs time on long texts."""
    window_stride: Positive | None
    """How texts longer than `max_length` are read: in windows of that length which begin this many
    tokens apart, and whose outputs are averaged. null cuts the text after `max_length` tokens."""
    tokenizer: Literal["wordpiece", "byte_bpe", "cut"]
    """The student's tokenizer. `wordpiece`: trained on the domain, lower case. `byte_bpe`: trained
    on the domain, keeps case and every character. `cut`: the checkpoint's WordPiece, with only the
    tokens that the texts use."""
    vocabulary_size: Positive
    """Most tokens in the student's vocabulary. More make shorter rows and a larger model file."""
    min_coverage: Share
    """cut: least share of the texts' tokens that the cut vocabulary still has; with fewer, the
    build stops."""
    max_unknown_share: Share
    """Largest share of the texts' tokens that the student's vocabulary may not know; for `cut`, that
    it does not know and the checkpoint does. The build stops above it. To the checkpoint itself a
    quarter may be unknown, or this share where it is more."""
    sentence_ends: Literal["marks", "kiwipiepy"]
    """Where sentences of the corpus end. `marks`: at punctuation and the ends of lines. `kiwipiepy`: for Korean,
    also where no mark stands, as its morphemes say; it needs `pip install -c constraints.txt '.[korean]'` and
    takes some sixteen seconds for a million characters."""
    min_sentence_words: Positive
    """Corpus sentences with fewer words are left out of the transfer set."""
    max_sentence_words: Positive
    """Corpus sentences with more words are left out of the transfer set."""
    max_corpus_documents: Positive | None
    """Most corpus documents to use, chosen by hash; null uses all."""
    related_words: Positive
    """How many of the last words of each labelled corpus document the teacher learns from
    (`finetune.related`)."""
    heldout_share: Share
    """Share of the corpus documents that pretraining leaves out, to score the language model on."""

    @model_validator(mode="after")
    def _has_a_tokenizer_of_its_own(self) -> Self:
        if self.teacher_tokenizer == "student" and self.tokenizer == "cut":
            raise ValueError(
                "prepare.tokenizer must be byte_bpe or wordpiece where teacher_tokenizer is student, for"
                " `cut` is the checkpoint's"
            )
        return self


class BaselineParams(Section):
    """baseline: trains simple classifiers for the teacher to beat, and draws the learning curve."""

    max_ngram: Positive
    """Most words of the n-grams that the classifiers count."""
    regularisation: Annotated[list[float], Field(min_length=1)]
    """Values to try for C, the inverse strength of regularisation; validation decides."""
    learning_curve_shares: Annotated[list[Share], Field(min_length=2)]
    """Shares of the training rows that are the points of the learning curve."""
    min_gain: Share
    """Least quality that the best baseline must have above always answering the commonest label
    (the mean, for regression). The build stops below it: nothing can be learned from these data."""


class ExportParams(Section):
    """export: writes each model as ONNX and checks that it answers like the original."""

    opset: Annotated[int, Field(ge=13, le=22)]
    """Version of the ONNX operator set."""
    tolerance: Rate
    """Largest difference between the outputs of torch and ONNX: of a logit, absolute; of a
    regression's number, as a share of the standard deviation of the validation numbers. The build
    stops above it."""


class QuantizeParams(Section):
    """quantize: makes an int8 variant of each exported model (dynamic quantization)."""

    preset: Literal["portable", "vnni"]
    """Range of the int8 weights. `portable`: seven bits, correct on every processor. `vnni`: all
    eight bits, for processors with VNNI or the dot product of arm64; others overflow and answer
    differently."""
    per_channel: bool
    """Whether each output channel of a matrix has a scale of its own, which is more exact, or the
    whole matrix has one."""
    embeddings: bool
    """Whether the embedding tables are quantized too, which makes the file smaller."""
    float_operators: list[str]
    """Operators that stay in float32: names as in `sensitivity` of
    artifacts/quantize/certificate.json; `*` stands for any characters."""
    min_agreement: Share
    """Least share of validation texts for which int8 and float32 give the same answer (for
    regression, least Spearman correlation of their numbers). Below it, the most sensitive operators
    return to float32, one after the other."""


class EvaluateParams(Section):
    """evaluate: measures the quality of every variant on validation, with intervals."""

    confidence: Annotated[float, Field(gt=0.5, lt=1)]
    """Confidence level of every interval, such as 0.95. Higher makes intervals wider."""
    resamples: Positive
    """Bootstrap resamples of an interval. More take longer and make its ends more exact."""
    min_slice_rows: Positive
    """Slices (parts of the rows, such as short texts) with fewer rows get no figure."""
    thresholds: Literal["fixed", "fitted"]
    """How probabilities become labels. `fixed`: the likeliest label, or for multi_label each label
    from 0.5 on. `fitted`: thresholds that are best for the product's metric on validation; they
    ship in the bundle."""
    abstain_quality: Share | None
    """Least share of right answers among the answers that are given. The model gives no answer
    where it is less sure than this needs on validation, so a higher value leaves more texts
    unanswered; null always answers. Not for regression."""


class MeasureParams(Section):
    """measure: measures speed and memory of every variant on this machine."""

    tokens: Positive
    """Tokens of the measured request, special tokens included."""
    threads: Positive
    """Threads that compute one answer, here and where the bundle is served. A server answers as
    many requests at once as it has cores, and a small model is slower when several threads share
    its operators."""
    rounds: Positive
    """How many times all variants are measured in turn. More make the figures steadier."""
    requests_per_round: Positive
    """Requests in a window. Each variant has one window in a round, a quick one up to 15; its figures are those of
    the tenth of its windows that were disturbed least."""
    max_other_load: Share | None
    """Share of the machine's processors that other processes may take while a round is measured. A round with
    more is measured again; 0.125 is a quarter of one of two processors. null measures on any
    machine, however busy: the figures are then not the model's own."""
    patience_seconds: Annotated[float, Field(ge=0)]
    """Seconds that may be lost, altogether, by waiting for a quiet machine and by disturbed rounds.
    Then the stage ends with an error, and nothing of it is kept."""


class GateParams(Section):
    """gate: chooses the variant to release, scores it once on test, and packs the bundle."""

    golden_requests: Positive
    """Requests that are packed into the bundle with their answers; a server must repeat these
    answers."""
    invariance_sentences: Positive
    """Unlabelled sentences for which the certificate compares the answers alone, in a batch and
    with padding. Where the corpus has fewer, validation texts are added."""
