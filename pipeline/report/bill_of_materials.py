"""The bill of materials of a released model, in CycloneDX 1.6 (https://cyclonedx.org, ECMA-424).

It says, for tools, what the model card says for people: from which texts, checkpoint and libraries the
model was made, under which licences, how good it is, and the SHA-256 of every file. The same build
gives the same text: it holds neither a date nor a random number.
"""

import hashlib
import importlib.metadata
import json
import uuid
from collections.abc import Mapping
from typing import Any

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from pipeline.core.artifacts.adoption import Adoption
from pipeline.core.artifacts.data_reports import SourceRecord
from pipeline.core.artifacts.part import Ends
from pipeline.problem.problems import problem_named
from pipeline.report.model_card import Release, training_in_words

Json = dict[str, Any]
LIBRARIES = ("numpy", "onnx", "onnxruntime", "tokenizers", "torch", "transformers")
"""What trained the model and runs it; a change of their versions makes the stages run again."""
_MODEL, _CHECKPOINT = "model", "checkpoint"


def bill_of_materials(release: Release, files: Mapping[str, str]) -> Json:
    """The bill as JSON.

    Args:
        files: name of a file in the bundle → its SHA-256.
    """
    sources = [_source(source) for source in release.sources]
    libraries = [_library(name) for name in LIBRARIES]
    packed = [_file(name, digest) for name, digest in files.items()]
    parts = [_checkpoint(release), *sources, *libraries, *packed]
    bill = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": _model(release)},
        "components": parts,
        "dependencies": [
            {"ref": _MODEL, "dependsOn": [part["bom-ref"] for part in parts]},
            *({"ref": part["bom-ref"]} for part in parts),
        ],
    }
    content = hashlib.sha256(json.dumps(bill, sort_keys=True).encode()).digest()
    return {**bill, "serialNumber": uuid.UUID(bytes=content[:16], version=5).urn}


def _model(release: Release) -> Json:
    """The released model, with its lineage and its card."""
    product = release.params.product
    return {
        "type": "machine-learning-model",
        "bom-ref": _MODEL,
        "name": product.name,
        "description": f"{release.variant.name}: {problem_named(product.problem).name}",
        "pedigree": {
            "ancestors": [{k: v for k, v in _checkpoint(release).items() if k != "bom-ref"}],
            "notes": training_in_words(release),
        },
        "modelCard": _card(release),
        "properties": [
            {"name": f"modelyard:{name}", "value": value}
            for name, value in sorted(release.lineage.items())
        ],
    }


def _card(release: Release) -> Json:
    product = release.params.product
    released = release.scorecard.entry(release.variant.name)
    return {
        "modelParameters": {
            "approach": {"type": "supervised"},
            "task": product.problem,
            "architectureFamily": _family(release),
            "datasets": [{"ref": _source(source)["bom-ref"]} for source in release.sources],
            "inputs": [{"format": "a pair of texts" if product.pairs else "a text"}],
            "outputs": [{"format": f"{product.problem}: {', '.join(product.labels)}"}],
        },
        "quantitativeAnalysis": {
            "performanceMetrics": [
                _metric(name, value, split=split, interval=quality.intervals.get(name))
                for split, quality in released.quality.items()
                for name, value in sorted(quality.figures.items())
            ]
        },
        "considerations": {
            **({"users": [product.audience]} if product.audience else {}),
            "technicalLimitations": [
                f"Reads {release.params.prepare.max_length} tokens at once.",
                "Meant for texts like those it was trained on, in their language; MODEL_CARD.md "
                "says what it was not measured on.",
            ],
        },
    }


def _family(release: Release) -> str:
    if isinstance(release.origin, Adoption):
        return release.origin.family
    beside = release.certificate.language_model
    of_student = release.variant.model != "teacher"
    lstm = of_student and beside is not None and beside.parity.family == "bilm"
    return "LSTM" if lstm else "transformer encoder"


def _metric(name: str, value: float, *, split: str, interval: Ends | None) -> Json:
    metric = {"type": name, "value": repr(value), "slice": split}
    if interval is None:
        return metric
    low, high = interval
    return {**metric, "confidenceInterval": {"lowerBound": repr(low), "upperBound": repr(high)}}


def _checkpoint(release: Release) -> Json:
    """The model that the released one was made from: the checkpoint, or the adopted model."""
    if isinstance(adopted := release.origin, Adoption):
        return {
            "type": "machine-learning-model",
            "bom-ref": _CHECKPOINT,
            "name": adopted.name,
            "hashes": [_hash(adopted.weights_sha256)],
            **({} if adopted.licence is None else {"licenses": _licences(adopted.licence)}),
        }
    checkpoint = release.params.prepare.checkpoint
    return {
        "type": "machine-learning-model",
        "bom-ref": _CHECKPOINT,
        "name": checkpoint.name,
        **({"version": checkpoint.revision} if checkpoint.revision else {}),
        **({"hashes": [_hash(checkpoint.sha256)]} if checkpoint.sha256 else {}),
        "licenses": _licences(checkpoint.licence),
        "properties": [
            {"name": "modelyard:seen", "value": name} for name in sorted(checkpoint.seen)
        ],
    }


def _source(source: SourceRecord) -> Json:
    waiver = {"name": "modelyard:waiver", "value": source.waiver}
    return {
        "type": "data",
        "bom-ref": f"data:{source.name}",
        "name": source.name,
        "description": source.origin,
        "hashes": [_hash(source.sha256)],
        "licenses": _licences(source.licence),
        "data": [{"type": "dataset", "name": source.name, "description": f"{source.rows} rows"}],
        **({"properties": [waiver]} if source.waiver else {}),
    }


def _library(name: str) -> Json:
    version = importlib.metadata.version(name)
    stated = importlib.metadata.metadata(name)
    licence = next((stated[k] for k in ("License-Expression", "License") if k in stated), None)
    return {
        "type": "library",
        "bom-ref": f"library:{name}",
        "name": name,
        "version": version,
        "purl": f"pkg:pypi/{name}@{version.replace('+', '%2B')}",
        **({"licenses": _licences(licence)} if licence and "\n" not in licence else {}),
    }


def _file(name: str, digest: str) -> Json:
    return {"type": "file", "bom-ref": f"file:{name}", "name": name, "hashes": [_hash(digest)]}


def _hash(digest: str) -> Json:
    return {"alg": "SHA-256", "content": digest}


def _licences(stated: str) -> list[Json]:
    """One licence as CycloneDX has it: an SPDX expression, or the words of whoever stated it."""
    try:
        return [{"expression": str(canonicalize_license_expression(stated))}]
    except InvalidLicenseExpression:
        return [{"license": {"name": stated}}]
