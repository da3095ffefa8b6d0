"""Writes a product file: what is built of which texts, as short as it can be said."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.core.params import parse_yaml
from pipeline.data.label_forms import LabelForm
from pipeline.data.layout import Layout
from pipeline.data.trial import Change
from pipeline.problem.problems import CLASSIFICATION

_PLAIN = re.compile(r"[^\W\d_](?:[\w ./-]*\w)?")
_HEAD = "# Made by `modelyard new`; yours to edit. docs/guide/your-own-data.md says what else it may say.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOfTexts:
    """A file of a product, and the columns that are read of it.

    Attributes:
        path: below data/.
        label: None for a corpus.
    """

    name: str
    path: str
    text: str
    second: str | None = None
    label: str | None = None
    layout: Layout = field(default_factory=Layout)


def product_text(
    name: str, *, form: LabelForm, files: Sequence[FileOfTexts], changes: Sequence[Change]
) -> str:
    """The product file as YAML.

    Args:
        files: the labelled one first.
    """
    lines = ["product:", f"  name: {_scalar(name)}"]
    if form.problem != CLASSIFICATION:
        lines.append(f"  problem: {form.problem}")
    if files[0].second is not None:
        lines.append("  pairs: true")
    lines += [f"  labels: [{', '.join(map(_scalar, form.labels))}]", "sources:"]
    for file in files:
        lines += [
            f"{'  - ' if not at else '    '}{said}" for at, said in enumerate(_said(file, form))
        ]
    if changes:
        lines.append("recipe:")
        lines += [f"  {c.key}: {_scalar(c.value)}  # {c.why}" for c in changes]
    return _HEAD + "\n".join(lines) + "\n"


def _said(file: FileOfTexts, form: LabelForm) -> list[str]:
    """The keys of a source, without those that have their defaults."""
    keys: Mapping[str, str | None] = {
        "name": file.name,
        "path": file.path,
        "encoding": file.layout.encoding,
        "separator": file.layout.separator,
        "text_column": file.text,
        "second_text_column": file.second,
        "label_column": file.label,
        "label_separator": form.separator if file.label else None,
    }
    said = [f"{key}: {_scalar(value)}" for key, value in keys.items() if value is not None]
    if file.label and form.values:
        pairs = (f"{_quoted(key)}: {_scalar(value)}" for key, value in form.values.items())
        said.append(f"label_values: {{{', '.join(pairs)}}}")
    return said


def _scalar(value: Any) -> str:
    """A value in YAML; text in quotes wherever a reader of YAML could take it for something else."""
    if not isinstance(value, str):
        return json.dumps(value)
    plain = _PLAIN.fullmatch(value) and parse_yaml(value) == value
    return value if plain else _quoted(value)


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
