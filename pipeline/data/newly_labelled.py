"""Makes labelled rows of those rows of the corpus that people gave a label."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from pipeline.core.progress import say
from pipeline.data.annotations import Annotations
from pipeline.data.duplicates import near_duplicates
from pipeline.data.records import Record
from pipeline.data.row_ids import Ids
from pipeline.problem.problem import Problem


def newly_labelled(
    corpus: Iterable[Record], votes: Annotations, *, problem: Problem, labels: Sequence[str]
) -> list[Record]:
    """The rows of the corpus with votes, with their labels and targets.

    A row on which as many people say one thing as another has no label and is left out, which is
    said: no label of a source decides there, as it does for labelled rows.
    """
    found, tied = [], 0
    for row in corpus:
        if not (given := votes.get(row.id)):
            continue
        label = problem.merged([*given.values()], labels=labels, otherwise="")
        if label or problem.many_labels:
            found.append(replace(row, label=label, target=problem.target(label, labels)))
        else:
            tied += 1
    if tied:
        say(
            f"label  {tied:,} annotated rows stay in the corpus: as many people say one label as another"
        )
    return found


def joined_clusters(words: Sequence[str], clusters: Ids, new: Ids, *, similarity: float) -> Ids:
    """The clusters of labelled rows and then of new ones, those of labelled rows that they nearly copy.

    A new row that is near to no labelled one is in a cluster with its near copies among the new. The
    clusters of the labelled rows keep their names; two that a new row is near to become one.

    Args:
        words: the bare words of the labelled rows, then of the new ones.
        clusters: of the labelled rows, which are ordered by id: numbers of the ids that name them.
        new: numbers of the new rows' ids, in order.
        similarity: as `near_duplicates` has it.
    """
    firsts = near_duplicates(words, similarity=similarity, together=_groups(clusters))
    return np.append(clusters, new)[np.asarray(firsts, dtype=np.int64)]


def _groups(clusters: Ids) -> Iterator[list[int]]:
    """The numbers of the rows of each cluster of several."""
    order = np.argsort(clusters, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(clusters[order]) > 0)[: len(order)])
    sizes = np.diff(np.append(starts, len(order)))
    for start, size in zip(starts[sizes > 1].tolist(), sizes[sizes > 1].tolist(), strict=True):
        yield order[start : start + size].tolist()
