"""The columns of the Parquet tables that stages write: one class a table, one field a column.

The classes are never made into objects. Stages ask them for the names of the columns to write.
"""

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

SOURCE_ID = "source_id"
"""Column with the sources' own ids, in the tables of a product of which a source has `id_column`."""
SOFT = "soft"
"""Column with soft labels, in the tables of labelled rows where any row has one."""


class Table(BaseModel):
    """A Parquet table."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    FILE: ClassVar[str]
    """`<stage>/<file>` below artifacts/."""

    @classmethod
    def columns(cls, *, source_ids: bool = False, soft: bool = False) -> tuple[str, ...]:
        """Names of the columns, in the order of the file.

        Args:
            source_ids: whether the sources' own ids are among them, where the table has room for them.
            soft: whether soft labels are, likewise.
        """
        left_out = {SOURCE_ID: not source_ids, SOFT: not soft}
        return tuple(name for name in cls.model_fields if not left_out.get(name))


class CollectedCorpus(Table):
    """Unlabelled texts of the same domain."""

    FILE: ClassVar[str] = "collect/corpus.parquet"

    id: str
    """16 hex digits of SHA-256 over source and text; unique."""
    source: str
    """Name of the source."""
    source_id: str | None
    """The row's id in its source (`id_column`), as it stands there; null where the source has none. The
    column is there if any source of the product has ids."""
    text: str
    """The text."""
    label: str | None
    """A label of a neighbouring task, where the source has one (`finetune.related`)."""


class CollectedRecords(Table):
    """Labelled texts."""

    FILE: ClassVar[str] = "collect/records.parquet"

    id: str
    """16 hex digits of SHA-256 over source and texts; unique."""
    source: str
    """Name of the source."""
    source_id: str | None
    """As in collect/corpus.parquet."""
    text: str
    """The text, or the first of a pair."""
    second: str | None
    """The second text of a pair; null where `product.pairs` is false."""
    label: str
    """A label of the product; multi_label: the labels that hold, joined by `|`, in the order of
    `product.labels`; regression: the number."""


class ValidatedCorpus(CollectedCorpus):
    """Cleaned texts; none that is in a labelled text, or holds one."""

    FILE: ClassVar[str] = "validate/corpus.parquet"


class ValidatedRecords(CollectedRecords):
    """Cleaned texts, without those that must not be learned from."""

    FILE: ClassVar[str] = "validate/records.parquet"

    cluster: str
    """The near-duplicate cluster: the smallest `id` in it."""


class Rejects(Table):
    """Rows that were taken out."""

    FILE: ClassVar[str] = "validate/rejects.parquet"

    id: str
    """As in the table it came from."""
    source: str
    """Name of the source."""
    source_id: str | None
    """As in collect/corpus.parquet."""
    text: str
    """The text as it came; cleaned where it is a copy or where personal data are replaced."""
    second: str | None
    """The second text of a pair."""
    reason: str
    """Why it was taken out."""


class LabelledRecords(ValidatedRecords):
    """Texts with their gold labels."""

    FILE: ClassVar[str] = "label/records.parquet"

    target: list[float]
    """classification: `[index in product.labels]`; multi_label: 1 or 0 for each label; regression:
    `[the number]`."""
    split: Literal["train", "validation", "test"]
    """Which rows are learned from, chosen by, and measured on; once dealt, a text keeps its split."""
    soft: list[float] | None
    """Share of the people who gave each label of `product.labels`, of rows that an adjudicator called truly ambiguous; null
    for all others. The column is there if any row has shares (`label.soft_labels`)."""


class RemainingCorpus(ValidatedCorpus):
    """Texts of the corpus without those that people labelled, and without texts that hold one."""

    FILE: ClassVar[str] = "label/corpus.parquet"


class PreparedRecords(Table):
    """Texts with their splits."""

    FILE: ClassVar[str] = "prepare/records.parquet"

    id: str
    """As collect gave it."""
    source_id: str | None
    """As in collect/corpus.parquet."""
    text: str
    """The text, or the first of a pair."""
    second: str | None
    """The second text of a pair."""
    label: str
    """As in label/records.parquet."""
    cluster: str
    """The near-duplicate cluster: rows of one cluster are in one split."""
    split: Literal["train", "validation", "test"]
    """Which rows are learned from, chosen by, and measured on."""
    target: list[float]
    """As in label/records.parquet."""
    soft: list[float] | None
    """As in label/records.parquet; `finetune` alone reads it."""


class RelatedRows(Table):
    """Corpus documents with a label of a neighbouring task."""

    FILE: ClassVar[str] = "prepare/related.parquet"

    id: str
    """`id` of the document."""
    text: str
    """Its closing words."""
    target: list[float]
    """Its label, as in label/records.parquet."""


class Sentences(Table):
    """In-domain sentences for transfer and `finetune.adapt`, ordered by hash."""

    FILE: ClassVar[str] = "prepare/sentences.parquet"

    id: str
    """16 hex digits of a hash."""
    document: str
    """`id` of the corpus document."""
    text: str
    """The sentence."""


class BaselinePredictions(Table):
    """Answers of the baselines; followed by one column `score_<output>` an output."""

    FILE: ClassVar[str] = "baseline/predictions.parquet"

    id: str
    """As in prepare/records.parquet."""
    split: Literal["validation", "test"]
    """Its split."""
    model: Literal["baseline-majority", "baseline-tfidf", "baseline-nblr", "baseline-characters"]
    """The baseline."""
    target: list[float]
    """Gold, as in prepare/records.parquet."""


class TransferRows(Table):
    """Texts that the student learns from, by the teacher's outputs."""

    FILE: ClassVar[str] = "transfer/rows.parquet"

    id: str
    """`id` of the row or sentence it comes from."""
    text: str
    """The text, or the first of a pair."""
    second: str | None
    """The second text of a pair."""
    kind: Literal["labelled", "augmented", "corpus"]
    """Train rows, texts made from them, or sentences of the corpus; for pairs, train rows only."""
    target: list[float] | None
    """Gold of a train row; else null."""


class VariantPredictions(Table):
    """Answers of the variants and baselines; followed by one column `score_<output>` an output."""

    FILE: ClassVar[str] = "evaluate/predictions.parquet"

    id: str
    """As in prepare/records.parquet."""
    variant: str
    """Name of the variant or baseline."""
    split: Literal["validation", "test"]
    """`test` for the baselines and `teacher-torch` alone."""
    target: list[float]
    """Gold, as in prepare/records.parquet."""


class ReleasedAnswers(Table):
    """Answers of the released model; followed by one column `score_<output>` an output."""

    FILE: ClassVar[str] = "gate/answers.parquet"

    id: str
    """As in prepare/records.parquet."""
    split: Literal["validation", "test"]
    """Its split."""
    label: str
    """Gold, as in label/records.parquet."""
    answer: str
    """What the model answers, in the same form."""
    confidence: float | None
    """How sure the model is: the probability of its answer; multi_label: the distance to the threshold of the
    label that is the least sure; null for numbers."""
    score: float
    """1 where the answer is right, 0 where it is not; of a number how near it is, at most 1."""
    slices: list[str]
    """The slices that the row belongs to, named as in evaluate/variants.json."""
