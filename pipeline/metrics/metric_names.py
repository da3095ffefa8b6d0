"""Names of metrics in words, for cards, plots and tables."""


def spoken(metric: str) -> str:
    """Returns a metric's name in words: `macro_f1` as "macro F1"."""
    return metric.replace("_", " ").replace("f1", "F1")
