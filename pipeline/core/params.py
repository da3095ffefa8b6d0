"""params.yaml as a frozen, typed model: unknown keys refused, no defaults, a docstring a field.

The code lock leaves this module out: it decides nothing (no field has a default), it only refuses.
"""

import difflib
import re
import types
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Self, cast

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pipeline.core.errors import ParameterError

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[int, Field(gt=0)]
Rate = Annotated[float, Field(gt=0)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Section(BaseModel):
    """What all sections share."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True
    )


class Requirements(Section):
    """What the customer needs of the released model. The gate releases nothing that misses one."""

    quality_metric: Literal["accuracy", "macro_f1"]
    """The figure that `min_quality` and `max_quality_drop` speak of."""
    min_quality: Share
    """Least quality on the validation split."""
    max_quality_drop: Share
    """Most quality lost against the teacher, on the same rows."""
    latency_p95_ms: Rate
    """Longest 95th-percentile time of one request of 32 tokens, tokenizer excluded, milliseconds."""
    size_mb: Rate
    """Largest model file, in megabytes of 10⁶ bytes."""
    memory_mb: Rate
    """Most resident memory of a process that has loaded and used the model, megabytes of 10⁶ bytes."""
    max_slice_gap: Share
    """Largest quality gap between the whole validation split and any slice of it."""
    allowed_licences: list[str]
    """SPDX identifiers that sources and checkpoints may carry."""
    licence_waivers: dict[str, str]
    """Source or checkpoint name → why it is used although its licence is not allowed or unknown."""


class Product(Section):
    """The customer's side: what is built, for whom, and what counts as good enough."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,62}$")]
    """Name of the product: of the registered model, and on the demo page."""
    audience: str
    """Who uses it and for what; goes into the model card."""
    problem: Literal["classification"]
    """The learnable problem: one label a text."""
    labels: Annotated[list[str], Field(min_length=2)]
    """The answers, in the order of the model's outputs."""
    examples: Annotated[list[str], Field(min_length=1)]
    """Texts to try on the demo page; also the first golden requests. Write your own."""
    requirements: Requirements

    @model_validator(mode="after")
    def _labels_differ(self) -> Self:
        if len(set(self.labels)) != len(self.labels):
            raise ValueError("product.labels names a label twice")
        return self


class Compute(Section):
    """How the machine is used. Results repeat to the last digit under the same values."""

    seed: int
    """Seed of every random choice."""
    threads: Positive
    """Threads of a training step. Another number gives other (equally good) weights."""
    device: Literal["auto", "cpu", "cuda"]
    """Where training runs; `auto` takes a GPU where there is one."""
    precision: Literal["auto", "float32", "bfloat16"]
    """Arithmetic of training; `auto` takes bfloat16 where the processor has instructions for it."""


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
    label_column: str | None
    """Column that holds the label; null for a corpus."""
    label_values: dict[str, str]
    """Value in the label column → label of the product. Empty: the column holds the labels themselves."""
    licence: str
    """SPDX identifier of the content's licence, or `unknown`."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.kind == "package" and (self.package is None or self.sha256 is None):
            raise ValueError(f"source {self.name}: a package source needs `package` and `sha256`")
        if (self.role == "labelled") != (self.label_column is not None):
            raise ValueError(
                f"source {self.name}: a labelled source needs `label_column`, a corpus has none"
            )
        return self


class CollectParams(Section):
    """collect: raw text from named sources."""

    sources: Annotated[list[Source], Field(min_length=1)]
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
    validation: Share
    test: Share

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
    checkpoint: Checkpoint
    """What the teacher starts from; its tokenizer is the teacher's."""
    max_length: Positive
    """Most tokens of one text, special tokens included."""
    vocabulary_size: Positive
    """Tokens of the student's own WordPiece vocabulary."""
    min_sentence_words: Positive
    """Shorter corpus sentences are left out of transfer."""
    max_sentence_words: Positive
    """Longer corpus sentences are left out of transfer."""
    max_corpus_documents: Positive | None
    """Use at most this many corpus documents, chosen by hash; null takes all."""
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
    """Least accuracy above the majority class; below it the problem is not learnable from these data."""


class Schedule(Section):
    """What every training stage is told."""

    epochs: Positive
    """Passes over the training rows."""
    batch_size: Positive
    """Rows a step."""
    learning_rate: Rate
    """Peak learning rate of AdamW."""
    warmup_share: Share
    """Share of the steps over which the learning rate rises; it then falls linearly to zero."""
    weight_decay: Annotated[float, Field(ge=0)]
    """Decoupled weight decay of matrices."""


class PretrainParams(Schedule):
    """pretrain: masked-language-model pretraining of the student's encoder."""

    model: Literal["bert"]
    """Family of the encoder."""
    layers: Positive
    hidden_size: Positive
    """Width of the residual stream."""
    heads: Positive
    """Attention heads a layer; must divide `hidden_size`."""
    feed_forward_size: Positive
    """Width of the feed-forward layers."""
    dropout: Share
    sequence_length: Positive
    """Tokens a packed row."""
    max_sequences: Positive | None
    """Packed rows of an epoch, from the start of the shuffled corpus; null takes all."""
    mask_share: Share
    """Share of tokens to predict."""

    @model_validator(mode="after")
    def _heads_divide(self) -> Self:
        if self.hidden_size % self.heads:
            raise ValueError("pretrain.heads must divide pretrain.hidden_size")
        return self


class FinetuneParams(Schedule):
    """finetune: the teacher."""

    layer_decay: Annotated[float, Field(gt=0, le=1)]
    """The learning rate of each layer is this times that of the layer above it."""
    dropout: Share
    """Dropout before the classifier."""


class TransferParams(Section):
    """transfer: the teacher's outputs on labelled and corpus sentences."""

    max_sentences: Positive
    """Corpus sentences to score, chosen by hash."""
    min_confidence: Share
    """Corpus sentences whose top probability is lower are left out."""
    batch_size: Positive
    """Rows a forward pass."""


class DistillParams(Schedule):
    """distill: the student learns the teacher's outputs."""

    temperature: Rate
    """Softens both distributions (Hinton et al. 2015)."""
    hard_label_weight: Share
    """Weight of the cross-entropy with the gold label, where there is one; the rest goes to the teacher."""
    labelled_repeats: Positive
    """Times the labelled rows appear in one epoch, beside each corpus sentence once."""
    dropout: Share


class PruneParams(Schedule):
    """prune: narrower feed-forward layers, then recovery training."""

    keep_share: Annotated[float, Field(gt=0, le=1)]
    """Share of feed-forward units kept, the same in all layers, by importance."""


class ExportParams(Section):
    """export: ONNX of each model."""

    opset: Annotated[int, Field(ge=13, le=22)]
    """ONNX operator set."""
    tolerance: Rate
    """Largest absolute difference of a logit between torch and ONNX."""


class QuantizeParams(Section):
    """quantize: dynamic int8 of each model."""

    reduce_range: bool
    """Seven-bit weights: right on every processor. False only where all of them have VNNI."""
    per_channel: bool
    """One scale an output channel."""
    embeddings: bool
    """Quantize the embedding tables too."""


class EvaluateParams(Section):
    """evaluate: quality of every variant."""

    confidence: Annotated[float, Field(gt=0.5, lt=1)]
    """Level of every interval."""
    resamples: Positive
    """Bootstrap resamples of an interval."""
    min_slice_rows: Positive
    """Smaller slices are reported without a figure."""


class MeasureParams(Section):
    """measure: speed and memory of every variant on this machine."""

    tokens: Positive
    """Length of the measured request, special tokens included."""
    threads: Positive
    """Threads of the runtime."""
    rounds: Positive
    """Interleaved rounds over the variants."""
    requests_per_round: Positive
    """Requests to each variant in a round."""


class GateParams(Section):
    """gate: choose, score once on test, pack."""

    golden_requests: Positive
    """Requests with expected answers that go into the bundle."""


class Params(Section):
    """The whole of params.yaml."""

    product: Product
    compute: Compute
    collect: CollectParams
    validate_: Annotated[ValidateParams, Field(alias="validate")]
    label: LabelParams
    prepare: PrepareParams
    baseline: BaselineParams
    pretrain: PretrainParams
    finetune: FinetuneParams
    transfer: TransferParams
    distill: DistillParams
    prune: PruneParams
    export: ExportParams
    quantize: QuantizeParams
    evaluate: EvaluateParams
    measure: MeasureParams
    gate: GateParams

    @model_validator(mode="after")
    def _lengths_fit(self) -> Self:
        if self.pretrain.sequence_length > self.prepare.max_length:
            raise ValueError(
                f"pretrain.sequence_length at most prepare.max_length ({self.prepare.max_length}):"
                " the student has no more positions"
            )
        return self


class _Loader(yaml.SafeLoader):
    """YAML 1.2 floats: `5e-5` is a number here as it is for DVC, not the string PyYAML makes of it."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)[eE][-+]?[0-9]+$"),
    list("-+.0123456789"),
)


def parse_yaml(text: str) -> Any:
    """Parse YAML as DVC does."""
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - a subclass of SafeLoader


def load_params(path: Path) -> Params:
    """Read and check params.yaml.

    Raises:
        ParameterError: it is missing, not YAML, or breaks the schema.
    """
    try:
        values = parse_yaml(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ParameterError(
            f"{path.name}: {error}",
            expected="a YAML file",
            next_step=f"restore it with `git checkout {path.name}`",
        ) from error
    return parse_params(values)


def parse_params(values: Any) -> Params:
    """Check parsed parameters against the schema.

    Raises:
        ParameterError: a key is unknown, missing, or of another type.
    """
    try:
        return Params.model_validate(values)
    except ValidationError as error:
        raise _explain(error) from error


def override(values: dict[str, Any], changes: Iterable[str]) -> dict[str, Any]:
    """A copy of `values` with `section.key=value` changes applied (values are YAML).

    Raises:
        ParameterError: a change is not of that form, or names an unknown key.
    """
    copy = cast("dict[str, Any]", yaml.safe_load(yaml.safe_dump(values)))
    for change in changes:
        dotted, separator, text = change.partition("=")
        if not separator:
            raise ParameterError(
                f"{change!r}",
                expected="section.key=value",
                next_step="write for example finetune.epochs=1",
            )
        *parents, last = dotted.strip().split(".")
        node: Any = copy
        for name in [*parents, last]:
            if not isinstance(node, dict) or name not in node:
                known = list(node) if isinstance(node, dict) else []
                raise _unknown(dotted, name, known)
            parent, node = node, node[name]
        parent[last] = parse_yaml(text)
    return copy


def _explain(error: ValidationError) -> ParameterError:
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return _unknown(where, str(first["loc"][-1]), _siblings(first["loc"][:-1]))
    if first["type"] == "missing":
        return ParameterError(
            f"{where} is missing from params.yaml",
            expected="every parameter: the schema has no defaults",
            next_step=f"add {where} to params.yaml",
        )
    return ParameterError(
        f"{where} = {first['input']!r}" if where else "params.yaml does not hold together",
        expected=first["msg"].removeprefix("Value error, "),
        next_step=f"correct {where or 'the values'} in params.yaml",
    )


def _siblings(location: tuple[int | str, ...]) -> list[str]:
    """Names that are allowed where `location` points."""
    model: Any = Params
    for part in location:
        if isinstance(part, int):
            continue
        fields = {
            field.alias or name: field.annotation for name, field in model.model_fields.items()
        }
        model = _model_in(fields.get(part))
        if model is None:
            return []
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_in(annotation: Any) -> Any:
    """The Section inside an annotation such as list[Source] or Annotated[X, ...]."""
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return annotation if issubclass(annotation, BaseModel) else None
    for argument in getattr(annotation, "__args__", ()):
        if (found := _model_in(argument)) is not None:
            return found
    return None


def _unknown(where: str, name: str, known: list[str]) -> ParameterError:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return ParameterError(
        f"unknown parameter {where}",
        expected=f"one of: {', '.join(sorted(known))}" if known else "a name that params.yaml has",
        next_step=f"did you mean `{near[0]}`?" if near else "see params.yaml for the names",
    )


class _Declared:
    """The part of the parameters that `dvc.yaml` declares for a stage; the rest is out of reach."""

    def __init__(self, node: Any, keys: frozenset[str], prefix: str) -> None:
        self._node, self._keys, self._prefix = node, keys, prefix

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        dotted = f"{self._prefix}{name.rstrip('_')}"
        value = getattr(self._node, name)
        if any(dotted == key or dotted.startswith(f"{key}.") for key in self._keys):
            return value
        if any(key.startswith(f"{dotted}.") for key in self._keys):
            return _Declared(value, self._keys, f"{dotted}.")
        raise ParameterError(
            f"the stage reads {dotted}",
            expected=f"only what dvc.yaml declares for it: {', '.join(sorted(self._keys))}",
            next_step=f"declare {dotted} under the stage's params in dvc.yaml",
        )


def declared(params: Params, keys: Iterable[str]) -> Params:
    """A view of `params` that refuses to read what `keys` (dotted) do not declare."""
    return cast("Params", _Declared(params, frozenset(keys), ""))
