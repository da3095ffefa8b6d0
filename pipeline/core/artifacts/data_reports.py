"""Reports of the data stages: where rows come from, which were removed, how far people agree."""

from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from pipeline.core.artifacts.part import Artifact, Ends, Number, Part
from pipeline.core.sections import ValidateParams

AgreementJudgement = Literal["reached", "missed", "inconclusive", "not measured"]


class RightsReport(Part):
    """Rights of the rows of a source, as its columns say; each mapping holds at most twenty entries and `others`."""

    licences: dict[str, int]
    """Licence → rows that were read under it; of rows that say none, the source's."""
    left_out: dict[str, int]
    """Reason → rows that were left out for it."""
    origins: dict[str, int]
    """Host or place → rows that are from there."""
    collected: Annotated[list[str], Field(min_length=2, max_length=2)] | None
    """First and last day on which rows were collected; null where no column says it."""


class SourceRecord(Part):
    """One source as collect read it."""

    name: str
    """Its name in `collect.sources`."""
    kind: str
    """`kind` of the source in the product file, such as `package` or `file`."""
    origin: str
    """Distribution, version and path inside it, or the path of the file."""
    licence: str
    """SPDX identifier of the content's licence, or `unknown`."""
    waiver: str | None
    """Why it is used although its licence is not allowed; null where it is."""
    sha256: str
    """SHA-256 of the file."""
    rows: int
    """How many rows were taken from it."""
    bytes: int
    """Size of the file."""
    rights: RightsReport | None = None
    """Rights of its rows; without the key where no column says them."""


class Manifest(Artifact):
    """Every source with its licence and hash."""

    FILE: ClassVar[str] = "collect/manifest.json"

    sources: list[SourceRecord]
    """One entry a source, in the order of `collect.sources`."""


class Lengths(Part):
    """Lengths of the texts of a table, in characters; of a pair, both texts together."""

    least: int
    """The shortest."""
    median: int
    """The middle one."""
    p95: int
    """95 % are at most as long."""
    most: int
    """The longest."""


class TableReport(Part):
    """Effect of the checks on one table."""

    rows_in: int
    """Rows before the checks."""
    rows_out: int
    """Rows that passed."""
    rejects: dict[str, int]
    """Reason → rows that were taken out for it."""
    characters: Lengths
    """Lengths of the texts that passed."""


class NumberSpread(Part):
    """How the numbers of a regression product are spread."""

    least: Number
    """The smallest."""
    median: Number
    """The middle one."""
    mean: Number
    """The mean."""
    most: Number
    """The largest."""
    different: int
    """How many different numbers there are."""


class RejectShares(Part):
    """Shares of the labelled rows that were taken out."""

    rejected: float
    """Taken out for any reason but being a copy."""
    copies: float
    """Taken out as a copy of another row."""


class NearDuplicates(Part):
    """Labelled rows that are nearly the same as another."""

    clusters: int
    """Clusters of two or more rows."""
    rows_in_clusters: int
    """Rows in such clusters."""


class PersonalData(Part):
    """Rows in which personal data was seen, by table; with `redact`, before it was replaced."""

    labelled: dict[str, int]
    """Kind (`email`, `phone`, `resident_number`, …; `KINDS` in pipeline/data/personal_kinds.py) → labelled
    rows that passed."""
    corpus: dict[str, int]
    """Kind → corpus rows."""


class TermReport(Part):
    """Labelled rows that name a group of people (`product.identity_terms`)."""

    language: str
    """The language of the words."""
    kind: str
    """The kind of groups, such as `gender`."""
    group: str
    """The group."""
    rows: int
    """Rows that hold any word of it."""
    labels: dict[str, int]
    """Label → how many of these rows have it."""
    words: dict[str, int]
    """Word → rows that hold it."""


class LeaningTerm(Part):
    """A group of people, or a word for one, that is far more frequent under one label than under all."""

    language: str
    """The language of the words."""
    kind: str
    """The kind of groups."""
    group: str
    """The group."""
    word: str | None
    """The word; null for all words of the group together."""
    label: str
    """The label."""
    rows: int
    """Rows that hold the word, or any word of the group."""
    times: float
    """Share of these rows that have the label, as a multiple of the share of all rows that do."""
    interval: Ends
    """Wilson's 95 % interval of `times`; its low end is 1.25 or more."""


class LanguageReport(Part):
    """Languages of rows that passed, of one source or of one label."""

    kind: Literal["source", "label"]
    """What the rows share."""
    table: Literal["labelled", "corpus"]
    """The table that they are in."""
    name: str
    """The source, or the label."""
    rows: int
    """Rows that were looked at: the first 1,000 of a source, or 300 of a label, by id, which is a hash."""
    languages: dict[str, int]
    """Language → how many of these rows are in it, as far as letters and small words tell, the commonest first."""


class DataReport(Artifact):
    """Findings of validate; the data card is written from them."""

    FILE: ClassVar[str] = "validate/report.json"

    language: str = ""
    """The language of the texts, as far as their letters tell it; empty in older reports."""
    languages: list[LanguageReport] = Field(default_factory=list)
    """Languages of the rows of each source and of each label; empty in older reports."""
    limits: ValidateParams
    """The limits that held: the section `validate` of params.yaml."""
    labels: dict[str, int]
    """Label → rows that have it; for regression, the name of the number → all rows."""
    numbers: NumberSpread | None
    """Spread of the numbers of a regression product; else null."""
    shares: RejectShares
    """Shares of the labelled rows that were taken out."""
    labelled: TableReport
    """The labelled rows."""
    corpus: TableReport
    """The unlabelled rows of the same domain."""
    near_duplicates: NearDuplicates
    """Near copies among the labelled rows that passed."""
    personal_data: PersonalData
    """Personal data that patterns see."""
    identity_terms: list[TermReport] = Field(default_factory=list)
    """Groups of people that labelled rows name."""
    leaning_terms: list[LeaningTerm] = Field(default_factory=list)
    """Groups and words that are far more frequent under one label."""
    note: str
    """How short labelled texts were compared with the corpus."""


class Coefficient(Part):
    """A measured figure of agreement."""

    value: float
    """The figure: 1 is full agreement, 0 is what chance explains."""
    interval: Ends
    """Ends of its 95 % interval."""


class Coefficients(Part):
    """Agreement beyond chance in three measures, each a bootstrap over the rows; null where the votes do not
    tell it."""

    alpha: Coefficient | None
    """Krippendorff's alpha."""
    ac1: Coefficient | None
    """Gwet's AC1, which stays high where nearly all rows have one label and people agree."""
    fleiss_kappa: Coefficient | None
    """Fleiss' kappa."""


class AnnotatorReport(Part):
    """How reliable one person is."""

    name: str
    """As the column `annotator` has it."""
    votes: int
    """Rows that the person labelled."""
    shared: int
    """Those of them that others labelled too."""
    reliability: Coefficient | None
    """1 for always right, 0 for answers that say nothing about the text; right is what the votes of the others
    tell (Dawid-Skene). Null where no row is shared."""
    is_spammer: bool
    """Whether the answers are no better than chance: the 99 % interval of the reliability holds 0 or lies
    below it, and ends below 0.25."""


class PairReport(Part):
    """How far two people agree."""

    first: str
    """One of them."""
    second: str
    """The other."""
    rows: int
    """Rows that both labelled, 20 or more."""
    same: float
    """Share of these rows to which they gave the same label."""
    kappa: Coefficient | None
    """Cohen's kappa, of several labels the mean; null where their answers could not differ."""


class ConfusionReport(Part):
    """Two labels that people give to the same rows."""

    first: str
    """One label."""
    second: str
    """The other."""
    rows: int
    """Rows to which one person gave the one, and another the other."""
    share: float
    """Of all pairs of votes that differ, the part that differs so."""


class UncertainRow(Part):
    """A row whose votes leave its label open."""

    id: str
    """The row."""
    label: str
    """The likeliest label."""
    confidence: float
    """Its probability (Dawid-Skene); of several labels, that of the least certain."""
    votes: int
    """How many people labelled the row."""


class AgreementFindings(Part):
    """Where people agree, who agrees with whom, and how reliable each person is."""

    coefficients: Coefficients | None
    """Agreement on all labels, of several labels a text the mean over them; null for numbers."""
    by_label: dict[str, Coefficients]
    """Label → agreement on it against all others; empty for numbers."""
    people: list[AnnotatorReport]
    """Everyone who annotated, by name; empty for numbers."""
    pairs: list[PairReport]
    """Those who agree least with each other, at most 10 pairs, the lowest kappa first."""
    confusions: list[ConfusionReport]
    """The labels between which people differ most often, at most 20; empty for several labels a text."""
    uncertain_rows: list[UncertainRow]
    """Rows with two votes or more that are the least certain, at most 20; empty for numbers."""


class AgreementReport(AgreementFindings, Artifact):
    """How far the people who annotated rows agree."""

    FILE: ClassVar[str] = "label/agreement.json"

    annotated_rows: int
    """Rows of the data that people annotated, labelled ones and those of the corpus."""
    unknown_rows: int
    """Annotated rows that are not, or no longer, in the data."""
    annotators: int
    """How many people annotated."""
    alpha: float | None
    """Krippendorff's alpha: 1 is agreement, 0 is chance; null where no two answers could differ."""
    interval: Ends | None
    """Ends of the 95 % interval of alpha, a bootstrap over the rows; null where alpha is."""
    double_rows: int
    """Rows that several people labelled; alpha is measured on them."""
    judgement: AgreementJudgement
    """Whether alpha reaches `label.min_agreement`: `reached` where the whole interval does,
    `inconclusive` where it holds the limit or there are fewer than `label.min_double_rows` rows, `not
    measured` where alpha is null. Where it is `missed`, the build stops before this file is written."""
    changed_labels: int
    """Rows whose label differs from that of their source."""
    newly_labelled: int
    """Rows of the corpus that became labelled rows by people's labels."""
    adjudicated_rows: int = 0
    """Rows of the data whose label an adjudicator has decided; agreement is measured on the votes before that."""
    disputed_rows: int = 0
    """Rows about which people differ and that nobody has adjudicated; of numbers, those that lie further apart than half of
    their standard deviation."""
    soft_rows: int = 0
    """Adjudicated rows that keep a soft label (`label.soft_labels`)."""
    merge: Literal["majority", "dawid_skene"]
    """How votes became labels: `label.merge`."""


class CorpusPart(Part):
    """One part of the tokenized corpus."""

    documents: int
    """Documents in it."""
    tokens: int
    """Tokens in it."""
    bytes: int
    """Bytes of its text in UTF-8."""


class CorpusIndex(Artifact):
    """Sizes of the token arrays beside it."""

    FILE: ClassVar[str] = "prepare/corpus/index.json"

    train: CorpusPart
    """What the language model is pretrained on."""
    heldout: CorpusPart
    """What it is measured on."""


class BaselineQuality(Part):
    """Quality of one baseline, in the product's metric."""

    validation: float
    """On validation."""
    test: float
    """On test."""


class KeywordRule(Part):
    """A rule of a few words that gives labels without a model."""

    words: dict[str, list[str]]
    """Label → the words of which a text must hold one to get it."""
    otherwise: str | None
    """Label of every other text; null where texts may have no label."""
    validation: float
    """Its quality on validation."""


class MeasuredQuality(Part):
    """Quality of the best baseline after learning from some of the train rows."""

    labels: int
    """How many train rows."""
    qualities: list[float]
    """Quality on validation, once a draw of these rows."""


class LabelsOutlook(Part):
    """The gain of more labels for the best baseline, by the law quality = a − b · labels^(−c)."""

    train_rows: int
    """Train rows that there are; of more than 30,000, `measured` rests on the first 30,000 by id."""
    measured: list[MeasuredQuality]
    """The qualities that the law was fitted to, by number of train rows."""
    ceiling: float
    """a: the quality that no number of labels exceeds."""
    loss: float
    """b: how far below it the quality begins."""
    rate: float
    """c: how fast the loss falls."""
    after_twice: float
    """Quality to be expected after twice the train rows."""
    after_twice_interval: Ends
    """Its 90 % interval."""
    more_labels: int | None
    """Rows still to be labelled, over all splits, until it has `min_quality`; null where a hundred
    times the rows do not do it, or no quality is asked for."""
    at_least: int | None
    """Lower end of the 90 % interval of `more_labels`; null as there."""
    at_most: int | None
    """Upper end; null where there is no end."""


class NoiseCeiling(Part):
    """How good a model can look at most, told from rows that several people labelled."""

    accuracy: float
    """Accuracy that a model without any mistake would have on labels of one person."""
    interval: Ends
    """Its 95 % interval, a bootstrap over these rows."""
    rows: int
    """Rows that several people labelled."""


class BaselineVerdict(Artifact):
    """Whether machine learning solves the problem, as far as models of words can tell."""

    FILE: ClassVar[str] = "baseline/verdict.json"

    verdict: str
    """`yes`; `not yet: N more labels (low–high)`; `no: a rule does it`; or `no: cannot be told`,
    with which the build ends."""
    worth_a_model: bool
    """Whether the verdict is not a no."""
    best: str
    """The best of the baselines that read texts."""
    quality_metric: str
    """The product's metric."""
    gain_over_majority: float
    """How far `best` is above the majority baseline on validation."""
    reason: str
    """What the verdict rests on, in sentences."""
    quality: dict[str, BaselineQuality]
    """Baseline → its quality."""
    regularisation: dict[str, float]
    """Baseline → the C that was chosen on validation."""
    rule: KeywordRule | None
    """The best rule of at most five words a label; null for numbers, or where no word tells."""
    outlook: LabelsOutlook | None
    """What more labels would bring; null where there are too few rows to tell."""
    noise_ceiling: NoiseCeiling | None
    """How good a model can look at most; null where fewer than 20 rows have labels of two people, and for a
    product that gives several labels or a number."""


class TeacherTraining(Artifact):
    """The keys of finetune's metrics.json that the model card needs."""

    FILE: ClassVar[str] = "finetune/metrics.json"
    model_config = ConfigDict(extra="ignore")

    adapted_tokens: int
    """Tokens of the domain that the checkpoint was adapted to first; 0 where it was not."""
    related_rows: int
    """Labelled corpus documents that it learned before the product's own rows."""
    seeds: dict[str, float]
    """Seed → validation quality of the training that began with it."""
    kept: Literal["mean", "best"]
    """Which model was kept: the mean of the seeds' weights, or the best seed."""
