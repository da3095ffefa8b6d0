"""Two released bundles on the same rows, as they would answer in production."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.metrics.intervals import paired_difference
from pipeline.monitoring.decide import Comparison
from pipeline.runtime.bundle import open_bundle
from pipeline.runtime.classifier import Classifier


def compare(
    champion: Path,
    candidate: Path,
    *,
    texts: Sequence[str],
    labels: Sequence[str],
    confidence: float,
    resamples: int,
    seed: int,
) -> Comparison:
    """Accuracy of both bundles on `texts`, whose right answers are `labels`, and its difference.

    Raises:
        ArtifactError: a bundle is damaged.
        ValueError: there is no row.
    """
    old, new = (_correct(folder, texts, labels) for folder in (champion, candidate))
    difference = paired_difference(new, old, confidence=confidence, resamples=resamples, seed=seed)
    return Comparison(len(texts), float(old.mean()), float(new.mean()), difference)


def _correct(
    folder: Path, texts: Sequence[str], labels: Sequence[str]
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Whether the bundle's answer is right, row by row: `(rows,)`."""
    answers = Classifier.from_bundle(open_bundle(folder)).classify(texts)
    return np.array(
        [answer.label == label for answer, label in zip(answers, labels, strict=True)],
        dtype=np.bool_,
    )
