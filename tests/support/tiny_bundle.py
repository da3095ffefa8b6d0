"""A real but tiny bundle for tests: an ONNX model of a few kilobytes with its tokenizer.

The model is the mean of word weights: `logits[label] = mean(weights[token, label])`. Words of
`WORDS` with a negative weight favour the first label, those with a positive weight the last, all
others neither. With several labels, none applies unless its words are there; a number is high for
praise and low for blame.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from pipeline.core.cleaning import CLEANING
from pipeline.core.files import read_json, sha256_file, write_json
from pipeline.problem.decision import Decision
from pipeline.problem.problems import problem_named
from pipeline.runtime.bundle import write_bundle
from pipeline.runtime.description import (
    CERTIFIED_SINCE,
    FORMAT,
    BundleDescription,
    GoldenRequest,
    TeacherFigures,
)
from pipeline.runtime.task import Request, Task
from pipeline.runtime.text_model import TextModel

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
WORDS = {"good": 1.0, "warm": 1.0, "funny": 1.0, "bad": -1.0, "dull": -1.0, "awful": -1.0}
WORDS |= {"film": 0.0, "the": 0.0, "a": 0.0, "not": 0.0}
EXAMPLES = ("a warm funny film", "the awful dull film", "the film")
PAIRS = (("the film", "a warm funny film"), ("the film", "awful dull"), ("a film", "the film"))
LABELS = ("negative", "positive")
MAX_LENGTH = 16
SINCE_CLEANING = 4
"""First format whose bundles say that texts are cleaned."""
_STRENGTH = 12.0
_DOUBT = 1.5


def tiny_task(
    problem: str = "classification",
    *,
    labels: Sequence[str] | None = None,
    pairs: bool = False,
    window_stride: int | None = None,
    decision: Decision | None = None,
    cleaning: int = CLEANING,
) -> Task:
    """The task of the tiny model."""
    usual = ("stars",) if problem == "regression" else LABELS
    return Task(
        problem=problem,
        labels=tuple(labels or usual),
        pairs=pairs,
        max_length=MAX_LENGTH,
        window_stride=window_stride,
        decision=decision or Decision(),
        cleaning=cleaning,
    )


def make_tiny_bundle(
    folder: Path,
    *,
    task: Task | None = None,
    labels: Sequence[str] = LABELS,
    seed: int = 0,
    product: str = "tiny-sentiment",
    language_model: tuple[Path, Path] | None = None,
    bundle_format: int = FORMAT,
    change: Callable[[Path], None] = lambda model: None,
) -> str:
    """Writes a complete bundle to `folder` and returns its hash. Another seed gives another model.

    Args:
        task: replaces the classification of single texts by `labels`.
        change: changes the ONNX file before the model gives its golden answers.
    """
    task = task or tiny_task(labels=labels)
    if bundle_format < SINCE_CLEANING:
        task = replace(task, cleaning=0)
    with tempfile.TemporaryDirectory() as name:
        model, tokenizer = make_tiny_model(Path(name), task=task, seed=seed)
        change(model)
        changed: dict[str, Any] = {"format": bundle_format, "product": product}
        changed |= {"language_model": {"family": "bilm"}} if language_model else {}
        changed |= {"quality_metric": None} if bundle_format == 1 else {}
        return write_bundle(
            folder,
            model=model,
            tokenizer=tokenizer,
            description=replace(describe(model, tokenizer, task), **changed),
            model_card="# Tiny model\n\nFor tests.\n",
            certificate=certify(model, tokenizer) if bundle_format >= CERTIFIED_SINCE else None,
            language_model=language_model,
        )


def make_tiny_model(folder: Path, *, task: Task | None = None, seed: int = 0) -> tuple[Path, Path]:
    """Writes `model.onnx` and `tokenizer.json` into `folder` and returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    model, tokenizer = folder / "model.onnx", folder / "tokenizer.json"
    onnx.save(_graph(_weights(task or tiny_task(), seed)), str(model))
    word_tokenizer([*SPECIAL, *WORDS]).save(str(tokenizer))
    return model, tokenizer


def depend_on_batch(model: Path) -> None:
    """Adds three times the mean of the batch to every row, so that other rows change an answer."""
    changed = onnx.load(model)
    changed.graph.node[-1].output[0] = "own"
    changed.graph.initializer.append(numpy_helper.from_array(np.float32(3.0), "three"))
    changed.graph.node.extend(
        [
            helper.make_node("ReduceMean", ["own"], ["shared"], axes=[0], keepdims=1),
            helper.make_node("Mul", ["shared", "three"], ["much"]),
            helper.make_node("Add", ["own", "much"], ["logits"]),
        ]
    )
    onnx.save(changed, model)


def answer_opposite(model: Path) -> None:
    """Makes the graph give the other of two labels."""
    changed = onnx.load(model)
    changed.graph.node[-1].output[0] = "own"
    changed.graph.node.append(helper.make_node("Neg", ["own"], ["logits"]))
    onnx.save(changed, model)


def depend_on_padding(model: Path) -> None:
    """Makes the graph ignore the attention mask, so that padding changes an answer."""
    changed = onnx.load(model)
    for node in changed.graph.node:
        if node.op_type == "Cast":
            node.input[0] = "always"
    changed.graph.node.insert(0, helper.make_node("Equal", ["input_ids", "input_ids"], ["always"]))
    onnx.save(changed, model)


def certify(model: Path, tokenizer: Path) -> dict[str, Any]:
    """The part of a `certificate.json` that opening a bundle checks."""
    return {"files": {"model.onnx": sha256_file(model), "tokenizer.json": sha256_file(tokenizer)}}


def describe(model: Path, tokenizer: Path, task: Task) -> BundleDescription:
    """A description whose golden answers the model itself gave."""
    opened = TextModel(model, tokenizer, task=task, threads=1)
    examples: tuple[Request, ...] = PAIRS if task.pairs else EXAMPLES
    metric = problem_named(task.problem).metrics[0]
    quality, teacher = (
        {metric: value, f"{metric}_ci95": [low, high], "macro_f1": value}
        for value, low, high in ((0.81, 0.79, 0.83), (0.86, 0.84, 0.88))
    )
    return BundleDescription(
        format=FORMAT,
        product="tiny-sentiment",
        audience="People who want to know whether a sentence praises a film or pans it.",
        variant="student-int8",
        task=task,
        segments=opened.segments,
        scale=(-12.0, 12.0) if task.problem == "regression" else None,
        quality_metric=metric,
        pad_token_id=0,
        quality={"validation": quality, "test": quality},
        answered=None,
        teacher=TeacherFigures(
            name="teacher-torch",
            size_bytes=90_900_000,
            latency_ms={"p50": 16.8, "p95": 19.5, "batch": 1, "tokens": 32, "threads": 2},
            quality={"validation": teacher, "test": teacher},
        ),
        size_bytes=model.stat().st_size,
        latency_ms={"p50": 0.6, "p95": 0.8, "batch": 1, "tokens": 32, "threads": 2},
        examples=examples,
        golden=tuple(GoldenRequest(request=e, answer=opened.answer(e)) for e in examples),
        golden_tolerance=1e-4,
        versions={"onnxruntime": "any", "tokenizers": "any"},
        language_model=None,
        lineage=dict.fromkeys(("records_sha256", "code_lock_sha256", "params_sha256"), "0" * 64),
    )


def rewrite_description(folder: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Changes `bundle.json`, and its SHA-256 in the manifest."""
    description, manifest = folder / "bundle.json", folder / "manifest.json"
    write_json(description, change(read_json(description)))
    files = read_json(manifest)["files"] | {"bundle.json": sha256_file(description)}
    write_json(manifest, {"files": files})


def _weights(task: Task, seed: int) -> npt.NDArray[np.float32]:
    """Word weights `(vocabulary, outputs)`: seeded noise plus the weights of `WORDS`."""
    generator = np.random.default_rng(seed)
    words = [*SPECIAL, *WORDS]
    weights = generator.normal(scale=0.05, size=(len(words), len(task.labels))).astype(np.float32)
    for row, word in enumerate(words):
        pull = WORDS.get(word, 0.0) * _STRENGTH
        if task.problem == "regression":
            weights[row, 0] += pull
            continue
        weights[row, -1] += max(pull, 0.0)
        weights[row, 0] += max(-pull, 0.0)
    if task.problem == "multi_label":
        weights -= _DOUBT
    return weights


def _graph(weights: npt.NDArray[np.float32]) -> onnx.ModelProto:
    """Gather → mask → mean, with the inputs and output of every bundle."""
    nodes = [
        helper.make_node("Gather", ["weights", "input_ids"], ["words"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["mask3"]),
        helper.make_node("Mul", ["words", "mask3"], ["masked"]),
        helper.make_node("ReduceSum", ["masked", "middle"], ["total"], keepdims=0),
        helper.make_node("ReduceSum", ["mask3", "middle"], ["count"], keepdims=0),
        helper.make_node("Div", ["total", "count"], ["logits"]),
    ]
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"])
        for name in ("input_ids", "attention_mask")
    ]
    shape = ["batch", weights.shape[1]]
    outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, shape)]
    axes = {"weights": weights, "last": np.array([-1]), "middle": np.array([1])}
    constants = [numpy_helper.from_array(values, name) for name, values in axes.items()]
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def word_tokenizer(words: Sequence[str]) -> Tokenizer:
    """An uncased WordPiece tokenizer of these words, the special ones among them."""
    vocabulary = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(name, vocabulary[name]) for name in ("[CLS]", "[SEP]")],
    )
    return tokenizer
