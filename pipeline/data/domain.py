"""Sentences of a corpus that read most like the product's own texts (after Moore and Lewis 2010).

A corpus of the domain holds much else: here, what happens in a film beside what one thinks of it. A
linear classifier of words and word pairs learns to tell the product's texts from the corpus; the
sentences that it takes for the product's are the ones to teach a student with.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression

from pipeline.core.progress import Progress
from pipeline.text.cleaning import bare_words

_BATCH = 20_000
_FEATURES = 1 << 18
_STRENGTH = 1.0


def nearest_first(sentences: Sequence[str], own: Sequence[str], *, seed: int) -> NDArray[np.int64]:
    """Row numbers of all sentences, those most like `own` first.

    Case and punctuation do not count: files differ in them, and no reader would.
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
    # Stable, so that equal scores stay in order.
    return np.argsort(-np.concatenate(scores), kind="stable").astype(np.int64)
