"""Cross-fitting: runs the stages once per fold, so that models answer unseen rows only.

Each fold is a workspace below `.modelyard/cross-fitting/` with the build's parameters, checkpoint,
student tokenizer and pretrained student (none of which uses labels), but with its own splits: the
fold's duplicate clusters are the test rows, and the build's share of the others is validation.
Corpus sentences are chosen anew, so that none occurs in a held-out text. Finished stages are not
repeated, so a killed run continues.
"""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import sha256

from flows.execution.runner import stage_environment
from pipeline.core.artifacts.table_columns import PreparedRecords, Sentences
from pipeline.core.errors import PipelineError
from pipeline.core.files import sha256_file
from pipeline.core.params import Params
from pipeline.core.paths import BUILD_FILE, Paths
from pipeline.core.progress import say
from pipeline.core.sections import SplitShares
from pipeline.data.records import read_records, record_schema, write_records
from pipeline.data.tables import read_batches, table_rows, table_writer
from pipeline.data.transfer_set import transfer_sentences
from pipeline.text.split_assignment import unit_hash

STAGES = ("baseline", "finetune", "transfer", "distill", "prune", "export", "quantize")
MINUTES_A_FOLD = 26
"""The time that the stages of the default product took on two cores with AVX512."""
_COPIED = (BUILD_FILE, "dvc.yaml", "code.lock.json")
_SHARED = (
    "prepare/related.parquet",
    "prepare/student_tokenizer",
    "prepare/teacher_tokenizer",
    "prepare/corpus",
    "pretrain",
)
_SHOWN_LINES = 5


def fold_splits(
    clusters: Sequence[str], *, number: int, folds: int, shares: SplitShares
) -> list[str]:
    """The split of each row in fold `number`, from 0, by its duplicate cluster."""
    validation = shares.validation / (shares.validation + shares.train)

    def split(cluster: str) -> str:
        if int(unit_hash("cross-fitting", cluster) * folds) == number:
            return "test"
        held = unit_hash("cross-fitting", "validation", cluster) < validation
        return "validation" if held else "train"

    return [split(cluster) for cluster in clusters]


def built_folds(params: Params, paths: Paths, *, folds: int) -> Iterator[Paths]:
    """Builds and yields the workspace of each fold."""
    say(f"cross-fitting  {folds} folds, about {folds * MINUTES_A_FOLD} minutes of stages")
    parts = [paths.root / name for name in _COPIED]
    parts.append(paths.read("prepare", "records.parquet"))
    key = sha256("".join([str(folds), *map(sha256_file, parts)]).encode()).hexdigest()[:12]
    for number in range(folds):
        fold = Paths(paths.state / "cross-fitting" / key / f"fold-{number + 1}")
        if not (fold.artifacts / "prepare" / "sentences.parquet").is_file():
            _prepare(params, paths, fold, number=number, folds=folds)
        for stage in STAGES:
            _run(stage, params, paths, fold=fold, name=f"fold {number + 1}/{folds}")
        yield fold


def _prepare(params: Params, paths: Paths, fold: Paths, *, number: int, folds: int) -> None:
    """Writes all that the stages read; the sentences last, as the sign that it is whole."""
    shutil.rmtree(fold.root, ignore_errors=True)
    (fold.artifacts / "prepare").mkdir(parents=True)
    for name in _COPIED:
        shutil.copyfile(paths.root / name, fold.root / name)
    for name in _SHARED:
        (fold.artifacts / name).symlink_to(paths.read(*name.split("/")).resolve())
    built = read_records(paths.read("prepare", "records.parquet"))
    clusters = [row.cluster or "" for row in built]
    splits = fold_splits(clusters, number=number, folds=folds, shares=params.prepare.shares)
    rows = [replace(row, split=split) for row, split in zip(built, splits, strict=True)]
    write_records(fold.artifacts / "prepare" / "records.parquet", rows, PreparedRecords.columns())
    corpus, most = paths.read("label", "corpus.parquet"), params.prepare.max_corpus_documents
    sentences = transfer_sentences(
        read_batches(corpus, ["id", "text"], most=most),
        [row.text for row in rows if row.split != "train"],
        params.prepare,
        count=min(table_rows(corpus), most or table_rows(corpus)),
    )
    file = fold.artifacts / "prepare" / "sentences.parquet"
    with table_writer(file, record_schema(Sentences.columns())) as writer:
        for part in sentences.parts():
            writer.add(part)


def _run(stage: str, params: Params, paths: Paths, *, fold: Paths, name: str) -> None:
    """Runs one stage in its own process, as a build does, unless its metrics exist."""
    if (fold.artifacts / stage / "metrics.json").is_file():
        return
    started = time.monotonic()
    log = fold.root / f"{stage}.log"
    environment = stage_environment(params, workspace=fold.root) | {"PYTHONPATH": str(paths.root)}
    with log.open("wb") as stream:
        done = subprocess.run(
            [sys.executable, "-m", f"pipeline.{stage}"],
            cwd=fold.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_SHOWN_LINES:]
        raise PipelineError(
            f"{stage} of {name} failed: {' / '.join(lines)}",
            expected="stages that run on the rows of each fold",
            next_step=f"read {log}, mend it, and start the benchmark again: it goes on from there",
        )
    say(f"{name}  {stage} done in {time.monotonic() - started:.0f} s")
