"""Rows of a neighbouring task, from corpus documents that have labels: what the teacher learns first.

A review's last words say what the reviewer thinks of it, and they are about as long as the product's
texts. No such row enters a split, and nothing is measured on one.
"""

from collections.abc import Mapping, Sequence

from pipeline.core.params import Params
from pipeline.data.labels import target_of
from pipeline.data.tables import Columns


def related_rows(documents: Mapping[str, Sequence[str | None]], params: Params) -> Columns:
    """Columns `id`, `text`, `target` of the documents that have a label, in the documents' order."""
    words, product = params.prepare.related_words, params.product
    rows: Columns = {"id": [], "text": [], "target": []}
    columns = (documents["id"], documents["text"], documents["label"])
    for identifier, text, label in zip(*columns, strict=True):
        if text is not None and label is not None:
            rows["id"].append(identifier)
            rows["text"].append(" ".join(text.split()[-words:]))
            rows["target"].append(target_of(label, problem=product.problem, labels=product.labels))
    return rows
