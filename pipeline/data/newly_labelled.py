"""Makes labelled rows of those rows of the corpus that people gave a label."""

from collections.abc import Sequence
from dataclasses import replace

from pipeline.core.progress import say
from pipeline.data.annotations import Annotations
from pipeline.data.duplicates import groups, near_duplicates
from pipeline.data.records import Record
from pipeline.problem.problem import Problem
from pipeline.text.bare_words import bare_words


def newly_labelled(
    corpus: Sequence[Record], votes: Annotations, *, problem: Problem, labels: Sequence[str]
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


def joined(labelled: Sequence[Record], new: Sequence[Record], *, similarity: float) -> list[Record]:
    """All rows by id, the new ones in the clusters of those labelled rows that they nearly copy.

    A new row that is near to no labelled one is in a cluster with its near copies among the new. The
    clusters of the labelled rows keep their names; two that a new row is near to become one.

    Args:
        labelled: single texts by id, each with its cluster.
        new: single texts without a cluster.
        similarity: as `near_duplicates` has it.
    """
    rows = [*labelled, *sorted(new, key=lambda row: row.id)]
    together = groups(row.cluster for row in labelled)
    words = [bare_words(row.text) for row in rows]
    firsts = near_duplicates(words, similarity=similarity, together=together)
    clusters = [rows[first].cluster or rows[first].id for first in firsts]
    found = [replace(row, cluster=name) for row, name in zip(rows, clusters, strict=True)]
    return sorted(found, key=lambda row: row.id)
