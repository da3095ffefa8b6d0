"""The variants that are compared, and the stage that writes each.

A variant is `<model>-<precision>`. The baselines are compared with them. In the folder of an adopted
model (flows/adopt.py) there is one model, which is its own teacher: int8 is compared with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.core.artifacts.adoption import Adoption
from pipeline.core.paths import Paths

MODELS = {"teacher": "finetune", "student": "distill", "pruned": "prune"}
"""Model → the training stage that writes it."""

ADOPTED_MODELS = {"teacher": "adopt"}
"""The same where a team's own model was adopted: nothing is trained from it."""

ONNX_STAGES = {"fp32": "export", "int8": "quantize"}
"""Precision of an ONNX variant → the stage that writes it."""

MAJORITY, TFIDF, NAIVE_BAYES = "baseline-majority", "baseline-tfidf", "baseline-nblr"
CHARACTERS = "baseline-characters"
BASELINES = (MAJORITY, TFIDF, NAIVE_BAYES, CHARACTERS)
TORCH = "torch"
TEACHER = "teacher-torch"
MODEL_FILE = "model.onnx"
WEIGHTS_FILE = "model.safetensors"
TOKENIZER_FILE = "tokenizer.json"
LANGUAGE_MODEL = "language_model"
"""Folder of the pretrained language model beside those of the variants."""


@dataclass(frozen=True)
class Variant:
    """One model in one precision: `torch` (fp32), `fp32` (ONNX) or `int8` (ONNX)."""

    model: str
    precision: str

    @property
    def name(self) -> str:
        return f"{self.model}-{self.precision}"

    @property
    def is_onnx(self) -> bool:
        return self.precision in ONNX_STAGES

    def folder(self, paths: Paths) -> Path:
        """The folder with its model and tokenizer, which its stage has written."""
        if self.is_onnx:
            return paths.read(ONNX_STAGES[self.precision], self.model)
        return paths.read(models_in(paths)[self.model], "model")

    def file(self, paths: Paths) -> Path:
        """The file that holds the weights; its bytes are the variant's size."""
        return self.folder(paths) / (MODEL_FILE if self.is_onnx else WEIGHTS_FILE)


def models_in(paths: Paths) -> Mapping[str, str]:
    """Model → the folder below artifacts/ that it is in, for the models of a workspace."""
    return MODELS if Adoption.found(paths) is None else ADOPTED_MODELS


def variants_in(paths: Paths) -> list[Variant]:
    """Every model of a workspace in every precision, teacher first."""
    precisions = (TORCH, *ONNX_STAGES)
    return [Variant(model, precision) for model in models_in(paths) for precision in precisions]


def smallest_int8(paths: Paths) -> str:
    """Name of the variant that went through every step of compression, for headlines and plots."""
    return Variant([*models_in(paths)][-1], "int8").name
