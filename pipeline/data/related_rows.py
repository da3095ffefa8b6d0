"""Makes training rows of labelled corpus documents, which the teacher learns before the product's.

A corpus may carry the labels of a neighbouring task. The last words of a review say what the
reviewer thinks, and are about as long as the product's texts. None of these rows is in a split, so
nothing is measured on them.
"""

from collections.abc import Sequence

from pipeline.core.params import Params
from pipeline.data.records import Record
from pipeline.problem.problems import problem_named


def related_rows(documents: Sequence[Record], params: Params) -> list[Record]:
    """A row with the last `prepare.related_words` words of each document that has a label."""
    words, labels = params.prepare.related_words, params.product.labels
    problem = problem_named(params.product.problem)
    return [
        Record(
            id=document.id,
            text=" ".join(document.text.split()[-words:]),
            target=problem.target(document.label, labels),
        )
        for document in documents
        if document.label is not None
    ]
