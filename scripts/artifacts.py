"""Writes the tables of docs/guide/artifacts.md: what each stage leaves, by file and key.

    python -m scripts.artifacts    # run after a change of pipeline/core/artifacts or of dvc.yaml

Files and their order come from dvc.yaml, keys and columns from the types, and what no type
describes from `OTHER_FILES`. A test fails while the page is not what the code says.
"""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from flows.planning.schema import key_of, kind_of
from pipeline.core.artifacts.part import Artifact
from pipeline.core.artifacts.table_columns import Table
from pipeline.core.errors import ArtifactError
from pipeline.core.files import write_text
from pipeline.core.output import forgive_output
from pipeline.core.params import parse_yaml, section_in

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "guide" / "artifacts.md"
BEGIN, END = "<!-- made by python -m scripts.artifacts -->\n", "<!-- end of what is made -->\n"
_MODEL = "`config.json`, `model.safetensors` and tokenizer files"
_CLASSIFIER = f"{_MODEL}; `AutoModelForSequenceClassification` loads it"
_CURVE = (
    "`step`, then the stage's figures (`loss`, `learning_rate`, …); rows of validation have "
    "`validation_quality`, in the product's metric"
)
_INT8 = "`model.onnx` in int8, `tokenizer.json`"
_ONNX = (
    "`model.onnx`: inputs `input_ids`, `attention_mask` and, where pairs go to a model that tells "
    "their texts apart, `token_type_ids`, int64 `(batch, length)`; output `logits`, float32 `(batch, "
    "outputs)`. `tokenizer.json`"
)
OTHER_FILES = {
    "validate/data_card.md": "what the data are, where they come from and what is wrong with them",
    "validate/report.html": "the same, and every figure of `report.json`, as one page for a browser; it holds no "
    "text of a row",
    "validate/croissant.json": "`records.parquet` and the sources in [Croissant 1.1](https://docs.mlcommons.org/"
    "croissant/docs/croissant-spec-1.1.html), JSON-LD for programs that find and load data sets",
    "prepare/teacher_tokenizer": "written by `save_pretrained`: `AutoTokenizer` loads it",
    "prepare/student_tokenizer": "written by `save_pretrained`: `AutoTokenizer` loads it",
    "prepare/corpus": "`train.npy` and `heldout.npy`: student token ids, uint16 or uint32, of the "
    "documents joined, each ended by `[SEP]`; memory-mappable. `index.json`",
    "baseline/learning_curve.csv": "`step` (train rows), `train_quality`, `validation_quality`",
    "baseline/suspect_labels.csv": "train rows whose label is most worth a second look, at most 2 %, most suspicious first: `rank`, "
    "`id`, `text`, `annotator` and `label` (empty, for people to fill in), `label_now`, `suggested`, `confidence`, and `source_id` where rows have one; "
    "filled in and saved in annotations/, it is read as it is",
    "pretrain/model": f"{_MODEL}; `AutoModelForMaskedLM` loads it",
    "pretrain/curve.csv": _CURVE,
    "finetune/model": _CLASSIFIER,
    "finetune/curve.csv": f"{_CURVE}; of its best seed",
    "transfer/logits.npy": "float32 `(rows, outputs)`: the teacher's logits in the order of `rows.parquet`",
    "transfer/features.npy": "float16 `(rows, 1 + layers, width)`: what the teacher's last linear layer "
    "read, then its mean states after `transfer.hidden_layers`",
    "distill/model": _CLASSIFIER,
    "distill/curve.csv": _CURVE,
    "prune/model": _CLASSIFIER,
    "prune/curve.csv": _CURVE,
    "export/teacher": _ONNX,
    "export/student": "as `teacher`",
    "export/pruned": "as `teacher`",
    "export/language_model": "the pretrained language model: outputs `after` and `before` (bilm) or `here` "
    "(bert), logits `(batch, length, vocabulary)`, and `states` `(layers + 1, batch, length, width)`; "
    "`tokenizer.json`",
    "quantize/teacher": _INT8,
    "quantize/student": _INT8,
    "quantize/pruned": _INT8,
    "quantize/language_model": _INT8,
    "evaluate/confusion.csv": "`actual`, `predicted`, a line a row; multi_label: a line for each label that "
    "holds or was found, with `none` on the side that lacks it; regression: the fifth of the range that each "
    "lies in",
    "evaluate/plots": "`confusion.png`, or `labels.png` (F1 of each label), or `found_by_gold.png`; "
    "`slices.png`, `quality_by_size.png`",
    "gate/bundle": "[what is released](#the-bundle)",
    "gate/quality_by_size.csv": "`variant`, `size_mb`, `quality` on validation",
    "gate/plots": "`quality_by_size.png`, `quality_by_latency.png`",
}
"""Output → what it holds, for outputs that no type describes."""


def main() -> None:
    """Write the page."""
    write_text(PAGE, page(PAGE.read_text(encoding="utf-8")))


def page(text: str) -> str:
    """The page with its made part as the code says; the rest as `text` has it."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n{made()}\n{END}{rest.partition(END)[2]}"


def made() -> str:
    """A section for each stage: its outputs, with keys or columns."""
    stages = parse_yaml((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    typed = {found.FILE: found for found in _types() if hasattr(found, "FILE")}
    shown: dict[type[BaseModel], str] = {}
    made = (_stage(name, stage, typed=typed, shown=shown) for name, stage in stages.items())
    return "\n".join(made)


def _types() -> Iterator[type[Artifact | Table]]:
    """Every type of a file in pipeline/core/artifacts."""
    for path in sorted(ROOT.glob("pipeline/core/artifacts/*.py")):
        importlib.import_module(f"pipeline.core.artifacts.{path.stem}")
    waiting: list[type[Artifact | Table]] = [Artifact, Table]
    while waiting:
        found = waiting.pop()
        yield found
        waiting += found.__subclasses__()


def _stage(
    name: str,
    stage: dict[str, Any],
    *,
    typed: dict[str, type[Artifact | Table]],
    shown: dict[type[BaseModel], str],
) -> str:
    outputs = [*stage["outs"], *stage.get("plots", [])]
    parts = [f"### {name}\n"]
    for output in (path.removeprefix("artifacts/") for path in outputs):
        if output in OTHER_FILES:
            parts.append(f"`{output}`: {OTHER_FILES[output]}.\n")
        # A folder's own files are described below it.
        for file in (found for found in typed if found == output or found.startswith(f"{output}/")):
            parts.append(_file(file, typed[file], shown))
        if not any(part.startswith(f"`{output}") for part in parts):
            raise ArtifactError(
                f"no description of the output {output} of dvc.yaml",
                expected="a type in pipeline/core/artifacts, or a line of OTHER_FILES in scripts/artifacts.py",
                next_step="add one",
            )
    return "\n".join(parts)


def _file(file: str, model: type[BaseModel], shown: dict[type[BaseModel], str]) -> str:
    found = _rows(model, "", file=file, shown=shown)
    rows = "".join(f"| `{path}` | {kind} | {meaning} |\n" for path, kind, meaning in found)
    head = "column" if issubclass(model, Table) else "key"
    opening = " ".join((model.__doc__ or "").split()).replace("|", "\\|")
    return f"`{file}`: {opening[:1].lower()}{opening[1:]}\n\n| {head} | type | meaning |\n|---|---|---|\n{rows}"


def _rows(
    model: type[BaseModel], prefix: str, *, file: str, shown: dict[type[BaseModel], str]
) -> Iterator[tuple[str, str, str]]:
    """Path, type and meaning of every key; a class that was shown before is not shown again."""
    for name, field in model.model_fields.items():
        path = f"{prefix}{key_of(name, field)}"
        meaning = " ".join((field.description or "").split()).replace("|", "\\|")
        inner = section_in(field.annotation)
        if inner is None:
            yield path, kind_of(field), meaning
        elif first := shown.get(inner):
            yield path, kind_of(field), f"{meaning} Keys as in {first}."
        else:
            shown[inner] = f"`{path}` of `{file}`"
            yield path, kind_of(field), f"{meaning} {_free_form(inner)}".rstrip()
            if not _free_form(inner):
                below = f"{path}{_entries(field.annotation)}."
                yield from _rows(inner, below, file=file, shown=shown)


def _free_form(model: type[BaseModel]) -> str:
    """Docstring of a class whose keys in the file are not its fields; empty for others."""
    written = model.__pydantic_decorators__.model_serializers
    return " ".join((model.__doc__ or "").split()) if written else ""


def _entries(annotation: Any) -> str:
    """Text between a key and the keys of its entries: `[]` for a list, `.<name>` for a mapping."""
    if get_origin(annotation) is list:
        return "[]"
    if get_origin(annotation) is dict:
        return ".<name>"
    return next((found for part in get_args(annotation) if (found := _entries(part))), "")


if __name__ == "__main__":
    forgive_output()
    main()
