"""Embeddings of rows by a checkpoint that learns nothing: computed once a row, kept in a file.

A row's id is a hash of its text, so an embedding that is kept stays right until the checkpoint is another one.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.annotation.row_file import RowFile
from pipeline.annotation.score_request import ScoreRequest
from pipeline.core.files import atomic_path
from pipeline.core.progress import Progress
from pipeline.core.sections import Checkpoint
from pipeline.data.row_ids import Ids
from pipeline.models.pretrained import resolve_checkpoint

EMBEDDINGS_FILE = "embeddings.arrow"
Vectors = NDArray[np.float32]
Places = NDArray[np.int64]
_ABOUT = b"modelyard"
_BATCH = 32
_KEPT_EVERY = 2_000
"""Rows after which what was computed is written: a stopped process loses at most these."""


def embeddings_of(places: Places, rows: RowFile, request: ScoreRequest) -> Vectors:
    """The embedding of each row, of length 1, `(rows, width)`; those that are not kept yet are computed.

    Raises:
        DataError: the checkpoint is not on this machine.
    """
    checkpoint = Checkpoint.model_validate(dict(request.checkpoint))
    folder = resolve_checkpoint(checkpoint)
    about = _about(checkpoint, request.max_length)
    path = Path(request.folder) / EMBEDDINGS_FILE
    ids, vectors = _kept(path, about)
    wanted = rows.ids[places]
    missing = places[~np.isin(wanted, ids)]
    if len(missing):
        embedder = Embedder(folder, max_length=request.max_length, threads=request.threads)
        progress = Progress("order  reads rows", len(missing))
        for start in range(0, len(missing), _KEPT_EVERY):
            some = missing[start : start + _KEPT_EVERY]
            found = embedder.embed([_texts(rows, place) for place in some.tolist()])
            ids = np.concatenate([ids, rows.ids[some]])
            vectors = np.concatenate([vectors, found]) if len(vectors) else found
            _keep(path, ids, vectors, about)
            progress.update(start + len(some))
    order = np.argsort(ids)
    where = order[np.searchsorted(ids, wanted, sorter=order)] if len(ids) else np.zeros(0, np.int64)
    return np.asarray(vectors[where], dtype=np.float32)


class Embedder:
    """A checkpoint that turns texts, or pairs of them, into mean vectors of their tokens.

    Args:
        folder: that `from_pretrained` loads.
    """

    def __init__(self, folder: Path, *, max_length: int, threads: int) -> None:
        # Imported here: where all embeddings are kept already, neither is needed.
        import torch
        from transformers import AutoModel, AutoTokenizer

        torch.set_num_threads(threads)
        self._max_length = max_length
        self._tokenizer = AutoTokenizer.from_pretrained(folder)
        self._model = AutoModel.from_pretrained(folder, use_safetensors=True).eval()

    def embed(self, texts: Sequence[str | tuple[str, str]]) -> Vectors:
        """Mean vectors of length 1, `(texts, width)`; texts of about one length are read together."""
        import torch

        order = sorted(range(len(texts)), key=lambda number: sum(map(len, texts[number])))
        found: list[Vectors] = []
        with torch.inference_mode():
            for start in range(0, len(order), _BATCH):
                batch = self._tokenizer(
                    [texts[number] for number in order[start : start + _BATCH]],
                    padding=True,
                    truncation=True,
                    max_length=self._max_length,
                    return_tensors="pt",
                )
                states = self._model(**batch).last_hidden_state
                mask = batch["attention_mask"][:, :, None]
                means = (states * mask).sum(dim=1) / mask.sum(dim=1)
                found.append(torch.nn.functional.normalize(means, dim=1).numpy())
        vectors = np.concatenate(found)
        back = np.empty(len(order), dtype=np.int64)
        back[order] = np.arange(len(order))
        return np.asarray(vectors[back], dtype=np.float32)


def _texts(rows: RowFile, place: int) -> str | tuple[str, str]:
    row = rows.row(place)
    return row.text if row.second is None else (row.text, row.second)


def _about(checkpoint: Checkpoint, max_length: int) -> str:
    """A hash of all that an embedding depends on, but the text."""
    given = [checkpoint.model_dump(mode="json"), max_length]
    return hashlib.sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()


def _kept(path: Path, about: str) -> tuple[Ids, Vectors]:
    """Ids and embeddings in the file; none where it is missing, damaged or of another checkpoint."""
    try:
        with pa.memory_map(str(path)) as source, pa.ipc.open_file(source) as file:
            table = file.read_all()
        if table.schema.metadata[_ABOUT].decode() == about and len(table):
            flat = table["vector"].combine_chunks().flatten().to_numpy()
            return table["id"].to_numpy(), flat.reshape(len(table), -1).astype(np.float32)
    except (OSError, pa.ArrowException, KeyError):
        pass
    return np.zeros(0, np.uint64), np.zeros((0, 0), np.float32)


def _keep(path: Path, ids: Ids, vectors: Vectors, about: str) -> None:
    flat = pa.array(vectors.astype(np.float16).ravel(), pa.float16())
    column = pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])
    schema = pa.schema({"id": pa.uint64(), "vector": column.type}, metadata={_ABOUT: about})
    table = pa.Table.from_arrays([pa.array(ids), column], schema=schema)
    with atomic_path(path) as temporary, pa.ipc.new_file(temporary, schema) as file:
        file.write_table(table)
