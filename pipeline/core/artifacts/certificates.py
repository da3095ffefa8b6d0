"""Certificates: of each model by export and quantize, and of the release by the gate."""

from typing import Annotated, ClassVar

from pydantic import Field

from pipeline.core.artifacts.part import Artifact, Ends, Part


class ParityFigures(Part):
    """How far ONNX in float32 is from torch."""

    passed: bool
    """Whether no output differs by more than the tolerance."""
    largest_difference: float
    """Largest absolute difference of an output."""
    tolerance: float
    """Largest difference that is allowed."""
    differences: dict[str, float]
    """Shape or text → largest difference of an output."""
    bytes: int
    """Size of the ONNX file."""
    sha256: str
    """SHA-256 of the ONNX file."""


class ParityCertificate(ParityFigures):
    """Parity of one classifier or regressor, padded batches included."""

    pad_token_id: int
    """Id of the padding token."""
    opset: int
    """Version of the ONNX operators."""
    segments: bool
    """Whether the model is told which text of a pair a token belongs to."""
    texts_with_equal_tokens: int
    """Texts for which the runtime's tokenizer gives the ids that the model was trained on."""


class LanguageModelParity(ParityFigures):
    """Parity of the language model."""

    family: str
    """`bert` or `bilm`."""


class ExportCertificates(Artifact):
    """ONNX against torch, for every model."""

    FILE: ClassVar[str] = "export/certificate.json"

    models: dict[str, ParityCertificate]
    """Model → its certificate."""
    language_model: LanguageModelParity | None
    """The pretrained language model; null beside an adopted model, which has none."""


class Int8Structure(Part):
    """Proof that a model was quantized: what its graph is made of."""

    passed: bool
    """Whether every matrix that int8 takes is in int8 and the file is smaller."""
    operators: dict[str, int]
    """Operators that work on integers, by type."""
    quantized_embeddings: int
    """Tables that are looked up in bytes."""
    float_matrix_products: int
    """Matrix products that still use a constant float32 matrix."""
    large_float_weights: list[str]
    """Names of float32 matrices that are still large."""
    float_operators: list[str]
    """Operators that were left in float32 on purpose."""
    bytes: int
    """Size of the int8 file."""
    bytes_before: int
    """Size of the float32 file."""
    compared_texts: int
    """Texts that both models answered."""
    made_from: str
    """SHA-256 of the export it was made from."""
    sha256: str
    """SHA-256 of the int8 file."""


class OperatorSensitivity(Part):
    """Effect of quantizing one operator alone."""

    operator: str
    """Its name in the graph."""
    change: float
    """Mean absolute change of a score."""
    bytes: int
    """Size of its weight in float32."""


class OperatorCertificate(Int8Structure):
    """Quantization of one classifier or regressor."""

    zipped_bytes: int
    """Size of the int8 file after zlib."""
    label_agreement: float
    """Answers equal to those in float32: share of equal labels, share of equal label decisions
    (multi_label), or Spearman (regression)."""
    largest_probability_difference: float
    """Largest change of a score."""
    sensitivity: list[OperatorSensitivity] | None
    """One entry an operator, the most sensitive first; null for the teacher, where it would take
    minutes."""


class BitsPerToken(Part):
    """Mean bits that the language model needs for a token of validation texts."""

    fp32: float
    """In float32."""
    int8: float
    """In int8."""


class LanguageModelInt8(Int8Structure):
    """Quantization of the language model."""

    bits_a_token: BitsPerToken
    """Bits a token before and after."""


class QuantizeCertificates(Artifact):
    """Proof of int8 and its cost, for every model."""

    FILE: ClassVar[str] = "quantize/certificate.json"

    models: dict[str, OperatorCertificate]
    """Model → its certificate."""
    language_model: LanguageModelInt8 | None
    """The pretrained language model; null beside an adopted model."""


class Agreement(Part):
    """Agreement of the released variant's answers with the teacher's."""

    with_: Annotated[str, Field(alias="with")]
    """The variant it is compared with: the teacher in torch."""
    value: float
    """The agreement."""
    of: str
    """What `value` is: a share of labels, of label decisions, or a rank correlation."""
    rows: int
    """Validation rows."""


class Estimate(Part):
    """A paired difference in points, hundredths of the product's metric; positive is worse."""

    value: float
    """The difference on these rows."""
    interval: Ends
    """Its interval."""


class QualityDrop(Part):
    """Quality lost by compression."""

    metric: str
    """The product's metric."""
    unit: str
    """`points`: hundredths of the metric."""
    confidence: float
    """Level of the intervals."""
    rows: int
    """Validation rows."""
    to_teacher: Estimate
    """Lost against the teacher."""
    to_own_fp32: Estimate | None
    """Lost against the same model in float32; null for a variant in float32."""


class CalibrationReport(Part):
    """Calibration of the probabilities, as served and scaled by a temperature.

    Figures `after` scaling are cross-fitted: each half of the rows is scaled by the temperature
    fitted on the other. What is served is not scaled.
    """

    temperature: float
    """Fitted on all validation rows: over 1 where the model is too sure."""
    error_before: float
    """Calibration error as served."""
    error_after: float
    """Calibration error of scaled probabilities."""
    loss_before: float
    """Mean negative log-likelihood as served, nats."""
    loss_after: float
    """Mean negative log-likelihood of scaled probabilities, nats."""
    rows: int
    """Validation rows."""


class AnswerChange(Part):
    """Answers of another way to run, against each text alone."""

    largest_change: float
    """Largest change of a probability or number."""
    flips: int | None
    """Texts that get other labels; null for numbers."""
    flip_share: float | None
    """Their share of all texts."""


class ServedTogether(AnswerChange):
    """Texts given to the runtime in one request."""

    texts: int
    """Number of texts."""


class TextOrigins(Part):
    """Where the texts come from."""

    corpus: int
    """Sentences of the corpus."""
    validation: int
    """Validation texts."""


class BatchInvariance(Part):
    """Whether the answer to a text depends on what runs beside it."""

    passed: bool
    """The runtime gives each text the same answer whatever runs beside it."""
    served: str
    """`alone`, or `in batches`."""
    texts: int
    """Texts that were compared."""
    from_: Annotated[TextOrigins, Field(alias="from")]
    """Where they come from."""
    batch_size: int
    """Texts in a batch."""
    most_flips: float
    """Largest share of changed labels that is allowed where texts do not run alone."""
    one_request: ServedTogether
    """What one request of many texts changes."""
    batched: dict[str, AnswerChange]
    """Way to batch (`equal_lengths`, `mixed_lengths`, `padded`) → what it would change."""


class CertifiedFiles(Part):
    """SHA-256 of the files on which everything was measured."""

    model: Annotated[str, Field(alias="model.onnx")]
    """The model."""
    tokenizer: Annotated[str, Field(alias="tokenizer.json")]
    """The tokenizer."""


class LanguageModelCertificate(Part):
    """Proofs of export and quantize for the language model in the bundle."""

    passed: bool
    """Both have passed, for the very file that is packed."""
    parity: LanguageModelParity
    """ONNX against torch."""
    int8: LanguageModelInt8
    """Proof of int8."""


class Certificate(Artifact):
    """Proofs and measurements of the one variant that goes into the bundle."""

    FILE: ClassVar[str] = "gate/bundle/certificate.json"

    variant: str
    """The released variant."""
    parity: ParityCertificate
    """Its model's entry of export/certificate.json."""
    operators: OperatorCertificate | None
    """Its model's entry of quantize/certificate.json; null for a variant in float32."""
    agreement: Agreement
    """Answers equal to the teacher's."""
    quality_drop: QualityDrop
    """Quality lost by compression."""
    calibration: CalibrationReport | None
    """How well probabilities hold; null for numbers."""
    batch_invariance: BatchInvariance
    """What batches and padding change."""
    files: CertifiedFiles
    """The files that all of it was measured on."""
    language_model: LanguageModelCertificate | None
    """The language model beside it in the bundle; null where there is none."""
