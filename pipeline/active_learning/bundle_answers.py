"""Answers of the released model for rows without a label, each computed once a bundle and kept in a file."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.active_learning.frozen_embeddings import Places
from pipeline.annotation.row_file import RowFile
from pipeline.annotation.score_request import ScoreRequest
from pipeline.core.errors import DataError
from pipeline.core.files import atomic_path
from pipeline.core.progress import track
from pipeline.data.row_ids import Ids
from pipeline.runtime.bundle import open_bundle
from pipeline.runtime.task import Request
from pipeline.runtime.text_model import TextModel

ANSWERS_FILE = "answers.arrow"
_ABOUT = b"modelyard"


@dataclass(frozen=True, kw_only=True)
class Answers:
    """A model's answers.

    Attributes:
        model: its name: the hash of a bundle, or that of a linear model.
        probabilities: `(rows, labels)`, labels in the order of the product.
    """

    model: str
    probabilities: NDArray[np.float32]


def bundle_answers(folder: Path, places: Places, rows: RowFile, request: ScoreRequest) -> Answers:
    """The answers of the bundle for the rows, in their order.

    Raises:
        ArtifactError: the bundle is damaged.
        DataError: it has other labels than the product.
    """
    bundle = open_bundle(folder)
    if {*bundle.task.labels} != {*request.labels}:
        raise DataError(
            f"a released model with the labels {', '.join(bundle.task.labels)}",
            expected=f"those of the product: {', '.join(request.labels)}",
            next_step="run `make pipeline`, which trains and releases a model of today's labels",
        )
    path = Path(request.folder) / ANSWERS_FILE
    ids, probabilities = _kept(path, bundle.hash, len(request.labels))
    missing = places[~np.isin(rows.ids[places], ids)]
    if len(missing):
        model = TextModel.from_bundle(bundle, threads=1)
        asked = [_request(rows, place) for place in missing.tolist()]
        given = model.scores_of_each(asked, workers=request.threads)
        order = [bundle.task.labels.index(label) for label in request.labels]
        found = np.stack(list(track(given, "order  the released model reads rows", len(asked))))
        ids = np.concatenate([ids, rows.ids[missing]])
        probabilities = np.concatenate([probabilities, found[:, order].astype(np.float32)])
        _keep(path, ids, probabilities, bundle.hash)
    by_id = np.argsort(ids)
    where = by_id[np.searchsorted(ids, rows.ids[places], sorter=by_id)]
    return Answers(model=bundle.hash, probabilities=probabilities[where])


def _request(rows: RowFile, place: int) -> Request:
    row = rows.row(place)
    return row.text if row.second is None else (row.text, row.second)


def _kept(path: Path, bundle: str, labels: int) -> tuple[Ids, NDArray[np.float32]]:
    """Ids and answers in the file; none where it is missing, damaged or of another bundle."""
    try:
        with pa.memory_map(str(path)) as source, pa.ipc.open_file(source) as file:
            table = file.read_all()
        if table.schema.metadata[_ABOUT].decode() == bundle and len(table):
            flat = table["p"].combine_chunks().flatten().to_numpy()
            return table["id"].to_numpy(), flat.reshape(len(table), -1).astype(np.float32)
    except (OSError, pa.ArrowException, KeyError):
        pass
    return np.zeros(0, np.uint64), np.zeros((0, labels), np.float32)


def _keep(path: Path, ids: Ids, probabilities: NDArray[np.float32], bundle: str) -> None:
    flat = pa.array(probabilities.ravel(), pa.float32())
    column = pa.FixedSizeListArray.from_arrays(flat, probabilities.shape[1])
    schema = pa.schema({"id": pa.uint64(), "p": column.type}, metadata={_ABOUT: bundle})
    with atomic_path(path) as temporary, pa.ipc.new_file(temporary, schema) as file:
        file.write_table(pa.Table.from_arrays([pa.array(ids), column], schema=schema))
