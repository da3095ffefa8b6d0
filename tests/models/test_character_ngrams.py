"""Character n-grams are those of scikit-learn's `char_wb`, counted as numbers."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import CountVectorizer

from pipeline.models.character_ngrams import CharacterNgrams
from tests.support.odd_texts import odd_texts

TEXTS = [
    "Good film!",
    "good  FILMS\n\n",
    "배송이 빨라요",
    "배송 빨라",
    "a",
    "",
    " ",
    "👍 👍👍",
    *odd_texts(400),
]


def theirs(longest: int, min_texts: int) -> CountVectorizer:
    return CountVectorizer(
        analyzer="char_wb", ngram_range=(1, longest), min_df=min_texts, dtype=np.float32
    )


def columns(table: csr_matrix) -> NDArray[np.float32]:
    """The columns in an order of their own, as rows."""
    dense = table.toarray().T
    return np.asarray(dense[np.lexsort(dense.T)])


@pytest.mark.parametrize(("longest", "min_texts"), [(1, 1), (3, 1), (4, 1), (4, 2), (4, 9)])
def test_counts_are_those_of_scikit_learn(longest: int, min_texts: int) -> None:
    seen, unseen = TEXTS[::2], TEXTS[1::2]
    ours, known = CharacterNgrams(longest=longest, min_texts=min_texts), theirs(longest, min_texts)
    expected = known.fit_transform(seen)
    found = ours.fit_transform(seen)
    assert np.array_equal(columns(found), columns(expected))
    # In the order of the columns' n-grams both are one table, with texts that neither has seen too.
    both = [
        np.concatenate([a.toarray(), b.toarray()]).T
        for a, b in ((found, ours.transform(unseen)), (expected, known.transform(unseen)))
    ]
    mine, other = (table[np.lexsort(table.T)] for table in both)
    assert np.array_equal(mine, other)


def test_texts_without_a_known_ngram_have_empty_rows() -> None:
    ours = CharacterNgrams(longest=4, min_texts=2)
    assert ours.fit_transform(["", " "]).shape == (2, 0)
    assert ours.transform(["film"]).shape == (1, 0)
    ours.fit_transform(["film", "film"])
    assert ours.transform(["漢字", ""]).toarray()[:, 1:].sum() == 0


def test_a_key_has_no_room_for_longer_ones() -> None:
    with pytest.raises(ValueError, match="expected 1 to 4"):
        CharacterNgrams(longest=5, min_texts=1)
