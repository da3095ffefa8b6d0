"""Changes that make the default product one of pairs, of several labels, of a number."""

import json

from pipeline.problem.problems import problem_named


def product_of(
    *, problem: str = "classification", labels: str = "[negative, positive]", pairs: bool = False
) -> list[str]:
    """Changes for `override`: the product, and sources whose columns fit it."""
    source: dict[str, object] = {
        "name": "mine",
        "kind": "file",
        "package": None,
        "path": "mine.csv",
        "sha256": None,
        "role": "labelled",
        "where": {},
        "text_column": "text",
        "second_text_column": "second" if pairs else None,
        "label_column": "label",
        "label_values": {},
        "label_separator": "|" if problem == "multi_label" else None,
        "licence": "CC0-1.0",
    }
    return [
        f"product.problem={problem}",
        f"product.labels={labels}",
        f"product.pairs={json.dumps(pairs)}",
        f"product.examples={json.dumps([['Is it?', 'It is.']] if pairs else ['It is.'])}",
        f"product.requirements.quality_metric={problem_named(problem).metrics[0]}",
        f"collect.sources={json.dumps([source])}",
    ]


PAIRS = product_of(pairs=True)
MULTI_LABEL = product_of(problem="multi_label", labels="[a, b, c]")
REGRESSION = product_of(problem="regression", labels="[stars]")
