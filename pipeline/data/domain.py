"""Ranks corpus sentences by likeness to the product's own texts (after Moore and Lewis 2010).

A corpus of the domain has much else in it: film reviews also tell what happens in the film. A
linear classifier of words and word pairs learns to tell the product's texts from corpus sentences;
the sentences that it takes for the product's are best for training a student.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression

from pipeline.core.progress import Progress
from pipeline.text.bare_words import bare_words

_BATCH = 20_000
_FEATURES = 1 << 18
_STRENGTH = 1.0


def nearest_first(sentences: Sequence[str], own: Sequence[str], *, seed: int) -> NDArray[np.int64]:
    """Row numbers of all sentences, those most like the texts `own` first.

    Case and punctuation are ignored, for they differ between files for no reason of style.
    """
    vectorizer = HashingVectorizer(
        preprocessor=bare_words,
        token_pattern=r"\S+",  # noqa: S106 - no password
        ngram_range=(1, 2),
        n_features=_FEATURES,
    )
    chance = np.random.default_rng(seed)
    others = chance.choice(len(sentences), size=min(len(sentences), len(own)), replace=False)
    texts = [*own, *(sentences[row] for row in others)]
    is_own = np.arange(len(texts)) < len(own)
    model = LogisticRegression(C=_STRENGTH, max_iter=200).fit(vectorizer.transform(texts), is_own)
    progress = Progress("transfer domain", len(sentences))
    scores = []
    for start in range(0, len(sentences), _BATCH):
        part = vectorizer.transform(sentences[start : start + _BATCH])
        scores.append(model.decision_function(part))
        progress.update(min(start + _BATCH, len(sentences)))
    # Stable: sentences with equal scores stay in their order.
    return np.argsort(-np.concatenate(scores), kind="stable").astype(np.int64)
