"""The file in which a model's answers for unlabelled rows lie, and the lanes in which rows are to be asked.

A process beside the server writes it (pipeline/active_learning), the server reads it. One Arrow file, a line a row:
`id`, `p` (a probability a label; null where no model answered), `margin` and `uncertainty` (of these), `why` and
`rank` (the row's lane and its place there; null for rows that no lane has).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.annotation.events import Suggestion
from pipeline.core.errors import ArtifactError
from pipeline.core.files import atomic_path
from pipeline.data.row_ids import Ids, is_id, numbers_of

SCORES_FILE = "scores.arrow"
_ABOUT = b"modelyard"
_SCHEMA = pa.schema(
    {
        "id": pa.uint64(),
        "p": pa.list_(pa.float32()),
        "margin": pa.float32(),
        "uncertainty": pa.float32(),
        "why": pa.dictionary(pa.int32(), pa.string()),
        "rank": pa.int32(),
    }
)


@dataclass(frozen=True, kw_only=True)
class Scores:
    """A model's answers for some rows, and the lanes of rows that are to be asked.

    Attributes:
        ids: of the rows that a model answered, ascending, `(rows,)`.
        probabilities: `(rows, labels)`.
        labels: the product's.
        exclusive: whether a row has one of the labels; else any of them.
        model: name of the model; None where none has learned yet.
        lanes: reason → ids of its rows, the first one first.
        weights: reason → its share of what people are given.
    """

    ids: Ids
    probabilities: NDArray[np.float32]
    labels: Sequence[str] = ()
    exclusive: bool = True
    model: str | None = None
    lanes: Mapping[str, Ids] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def margin(self) -> NDArray[np.float32]:
        """Distance of the two likeliest answers, `(rows,)`; of several labels, that of the least sure one from even."""
        if not self.exclusive:
            return np.asarray(np.abs(2 * self.probabilities - 1).min(axis=1))
        ordered = np.sort(self.probabilities, axis=1)
        return np.asarray(ordered[:, -1] - ordered[:, -2])

    @cached_property
    def uncertainty(self) -> NDArray[np.float32]:
        """Entropy of the answer in bits, `(rows,)`; of several labels, the mean over them."""
        p = np.clip(self.probabilities.astype(np.float64), 1e-12, 1)
        if self.exclusive:
            return np.asarray(-(p * np.log2(p)).sum(axis=1), dtype=np.float32)
        q = np.clip(1 - p, 1e-12, 1)
        return np.asarray(-(p * np.log2(p) + q * np.log2(q)).mean(axis=1), dtype=np.float32)

    def suggestion(self, row: str) -> Suggestion | None:
        """The likeliest label of a row; None where no model answered, or where a row may have several."""
        if self.model is None or not self.exclusive or not len(self.ids) or not is_id(row):
            return None
        number = numbers_of([row])[0]
        place = int(np.searchsorted(self.ids, number))
        if place == len(self.ids) or self.ids[place] != number:
            return None
        likeliest = int(self.probabilities[place].argmax())
        p = round(float(self.probabilities[place, likeliest]), 4)
        return Suggestion(label=self.labels[likeliest], p=p, model=self.model)


def write_scores(path: Path, scores: Scores) -> None:
    """Writes the scores, whole or not at all; a row of several lanes is in the first of them."""
    lane_of: dict[int, tuple[str, int]] = {}
    for why, ids in scores.lanes.items():
        for rank, number in enumerate(ids.tolist()):
            lane_of.setdefault(number, (why, rank))
    answered = {number: place for place, number in enumerate(scores.ids.tolist())}
    numbers = sorted(answered.keys() | lane_of.keys())
    places = [answered.get(number) for number in numbers]
    lanes = [lane_of.get(number, (None, None)) for number in numbers]
    columns: dict[str, list[Any]] = {
        "id": numbers,
        "p": [None if place is None else scores.probabilities[place] for place in places],
        "margin": _at(scores.margin if len(scores.ids) else scores.ids, places),
        "uncertainty": _at(scores.uncertainty if len(scores.ids) else scores.ids, places),
        "why": [why for why, _ in lanes],
        "rank": [rank for _, rank in lanes],
    }
    about = {
        "model": scores.model,
        "labels": [*scores.labels],
        "exclusive": scores.exclusive,
        "weights": dict(scores.weights),
    }
    schema = _SCHEMA.with_metadata({_ABOUT: json.dumps(about)})
    arrays = [_array(columns[name], _SCHEMA.field(name).type) for name in _SCHEMA.names]
    table = pa.Table.from_arrays(arrays, schema=schema)
    with atomic_path(path) as temporary, pa.ipc.new_file(temporary, schema) as file:
        file.write_table(table)


def read_scores(path: Path) -> Scores:
    """Reads what `write_scores` wrote.

    Raises:
        ArtifactError: it is damaged, or of another form.
    """
    try:
        with pa.memory_map(str(path)) as source, pa.ipc.open_file(source) as file:
            table = file.read_all()
        about: dict[str, Any] = json.loads(table.schema.metadata[_ABOUT])
        return _scores(table, about)
    except (OSError, pa.ArrowException, ValueError, KeyError, TypeError) as error:
        raise ArtifactError(
            f"{path.name} cannot be read: {error}",
            expected="scores of rows as modelyard writes them",
            next_step="remove the file; the next start of `modelyard annotate` writes it anew",
        ) from error


def _scores(table: pa.Table, about: Mapping[str, Any]) -> Scores:
    ids = table["id"].to_numpy()
    answered = np.asarray(table["p"].is_valid())
    width = len(about["labels"])
    flat = table["p"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    whys = np.array(table["why"].cast(pa.string()).to_pylist(), dtype=object)
    ranks = np.array([rank or 0 for rank in table["rank"].to_pylist()], dtype=np.int64)
    lanes = {}
    for why in about["weights"]:
        inside = np.flatnonzero(whys == why)
        lanes[why] = ids[inside[np.argsort(ranks[inside], kind="stable")]]
    return Scores(
        ids=ids[answered],
        probabilities=flat.reshape(int(answered.sum()), width),
        labels=tuple(about["labels"]),
        exclusive=bool(about["exclusive"]),
        model=about["model"],
        lanes=lanes,
        weights=about["weights"],
    )


def _at(values: NDArray[Any], places: Sequence[int | None]) -> list[float | None]:
    return [None if place is None else float(values[place]) for place in places]


def _array(values: list[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_dictionary(kind):
        return pa.array(values, pa.string()).dictionary_encode().cast(kind)
    return pa.array(values, kind)
