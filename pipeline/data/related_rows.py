"""Makes training rows of labelled corpus documents, which the teacher learns before the product's.

A corpus may carry the labels of a neighbouring task. The last words of a review say what the
reviewer thinks, and are about as long as the product's texts. None of these rows is in a split, so
nothing is measured on them.
"""

from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.core.artifacts.table_columns import RelatedRows
from pipeline.core.params import Params
from pipeline.data.records import record_schema
from pipeline.problem.problems import problem_named


def related_rows(documents: Iterable[pa.RecordBatch], params: Params) -> Iterator[pa.Table]:
    """A row with the last `prepare.related_words` words of each document that has a label.

    Args:
        documents: with the columns `id`, `text` and `label`.
    """
    words, labels = params.prepare.related_words, params.product.labels
    problem = problem_named(params.product.problem)
    schema = record_schema(RelatedRows.columns())
    for batch in documents:
        some = batch.filter(pc.is_valid(batch.column("label")))
        columns = {
            "id": some.column("id"),
            "text": [" ".join(text.split()[-words:]) for text in some.column("text").to_pylist()],
            "target": [problem.target(label, labels) for label in some.column("label").to_pylist()],
        }
        yield pa.table(columns, schema=schema)
