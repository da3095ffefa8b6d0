"""The model card: what the released model is for, where it comes from, how good it is and is not.

After Mitchell et al. 2019, "Model Cards for Model Reporting". The text is in model_card.md.j2.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.core.artifacts.adoption import Adoption
from pipeline.core.artifacts.certificates import Certificate
from pipeline.core.artifacts.data_reports import SourceRecord, TeacherTraining
from pipeline.core.artifacts.variant_reports import Machine, Scorecard
from pipeline.core.artifacts.verdicts import Verdict
from pipeline.core.params import Params
from pipeline.core.variants import Variant
from pipeline.problem.problems import problem_named
from pipeline.report.templates import render

_STORED = {"int8": "stored in 8-bit integers", "fp32": "stored in 32-bit floats"}
_WAYS = {
    "equal_lengths": "together with texts of its length",
    "mixed_lengths": "together with others, padded",
    "padded": "alone, padded to the full length",
}
_NO_CORPUS = (
    "There was no corpus of unlabelled texts: it has seen the product's training rows and texts made "
    "from them, and nothing else of their kind. "
)
_KEPT = {"mean": "the mean of the weights", "best": "the best on validation"}


@dataclass(frozen=True, kw_only=True)
class Release:
    """The variant that is released, and all that its card tells of it.

    Attributes:
        origin: how the teacher was trained here, or the note of the model that was adopted.
    """

    params: Params
    variant: Variant
    scorecard: Scorecard
    verdict: Verdict
    certificate: Certificate
    sources: Sequence[SourceRecord]
    has_corpus: bool
    origin: TeacherTraining | Adoption
    machine: Machine
    lineage: Mapping[str, str]


def model_card(release: Release) -> str:
    """The card as Markdown."""
    product, variants = release.params.product, release.scorecard.variants
    prepare, metric = release.params.prepare, product.requirements.quality_metric
    problem, labels = problem_named(product.problem), product.labels
    others = [name for name in problem.metrics if name != metric]
    drop, texts = release.certificate.quality_drop, release.certificate.batch_invariance.from_
    origins = {"sentences of the corpus": texts.corpus, "validation texts": texts.validation}
    text = "pair of short texts" if product.pairs else "short text"
    return render(
        "model_card.md.j2",
        release=release,
        product=product,
        released=release.scorecard.entry(release.variant.name),
        words=problem.words,
        answers=problem.words.answers.format(labels=", ".join(labels)),
        gives=problem.words.gives.format(labels=labels[0], count=len(labels), text=text),
        reading=_reading(prepare.max_length, prepare.window_stride),
        max_length=prepare.max_length,
        training=training_in_words(release),
        metric=metric,
        metrics=[metric, *others],
        variants=variants,
        calibrated=variants[0].calibration_error is not None,
        # Paired differences, so that what is hard for both models cancels out.
        drops=[(drop.to_teacher, "the teacher"), (drop.to_own_fp32, "its own float32")],
        origins=", ".join(f"{count:,} {name}" for name, count in origins.items() if count),
        ways=_WAYS,
    )


def _reading(max_length: int, window_stride: int | None) -> str:
    if window_stride is None:
        return f"Reads at most {max_length} tokens of a text; the rest is left out, and it says so"
    return (
        f"Reads a text of more than {max_length} tokens in windows of that length, {window_stride} "
        "tokens apart, and answers by their mean"
    )


def training_in_words(release: Release) -> str:
    """How teacher and released model were trained, in one paragraph."""
    checkpoint, teacher = release.params.prepare.checkpoint, release.origin
    if isinstance(teacher, Adoption):
        return _adopted_in_words(teacher, release.variant)
    seen = ", ".join(checkpoint.seen) or "nothing that is known"
    adapted = (
        f", adapted to {teacher.adapted_tokens:,} tokens of the domain by masked language modelling"
    )
    first = f"first on the labels of {teacher.related_rows:,} corpus documents, then "
    several = f"Of {len(teacher.seeds)} such trainings {_KEPT[teacher.kept]} is taken. "
    return (
        f"The teacher is the checkpoint {checkpoint.name} (licence {checkpoint.licence}; it has seen "
        f"{seen}){adapted if teacher.adapted_tokens else ''}, fine-tuned "
        f"{first if teacher.related_rows else ''}on the labelled rows. "
        f"{several if len(teacher.seeds) > 1 else ''}{_released_training(release)} "
        f"{'' if release.has_corpus else _NO_CORPUS}It is "
        f"{_STORED[release.variant.precision]} and runs in ONNX Runtime. All numbers of the recipe are "
        "recorded in MLflow with the build."
    )


def _adopted_in_words(found: Adoption, variant: Variant) -> str:
    licence = "the team's own work" if found.licence is None else f"licence {found.licence}"
    kind = (
        "a transformers model of the family" if found.kind == "transformers" else "the torch module"
    )
    return (
        f"The model was not trained here. It was adopted: {found.name}, {kind} {found.family} with "
        f"{found.parameters:,} parameters and a {found.tokenizer} tokenizer ({licence}). Whether it has "
        "seen validation or test rows of this product is not known, and if it has, the figures below "
        f"flatter it. It is {_STORED[variant.precision]} and runs in ONNX Runtime. `teacher` below "
        "means the adopted model itself, before it was exported and compressed."
    )


def _released_training(release: Release) -> str:
    params = release.params
    start = "teacher" if params.distill.teacher_layers else params.pretrain.start
    name, licence = params.prepare.checkpoint.name, params.prepare.checkpoint.licence
    texts = "the unlabelled text" if release.has_corpus else "the training rows"
    origin = {
        "checkpoint": f"a small encoder that starts from layers and embeddings of {name} (so its "
        f"licence, {licence}, holds for it too), trained further on {texts}",
        "teacher": "a small encoder that starts from layers, embeddings and head of the fine-tuned "
        f"teacher (so the licence of {name}, {licence}, holds for it too)",
        "random": f"a small encoder of our own, pretrained on {texts}",
    }[start]
    return {
        "teacher": "The released model is the fine-tuned checkpoint itself.",
        "student": f"The released model is {origin} and then taught by the teacher's outputs "
        "(distillation).",
        "pruned": f"The released model is {origin}, taught by the teacher's outputs (distillation), "
        "cut down to the parts that count most and trained again to recover.",
    }[release.variant.model]
