"""Windows of long texts skip no token, keep a pair's first text whole, and are averaged."""

from pathlib import Path

import numpy as np
import pytest
from transformers import PreTrainedTokenizerBase as Tokenizer

from pipeline.core.errors import DataError
from pipeline.models.encoder import load_classifier, load_tokenizer
from pipeline.training.predict import predict
from pipeline.training.token_rows import tokenize
from tests.support import tiny_models
from tests.support.small_training import COMPUTE

CLS, SEP = 2, 3


@pytest.fixture
def tokenizer(tmp_path: Path) -> Tokenizer:
    tiny_models.write_tokenizer(tmp_path)
    return load_tokenizer(tmp_path)


def words(count: int) -> str:
    return " ".join(chr(ord("a") + number % 26) for number in range(count))


def ids_of(tokenizer: Tokenizer, text: str) -> list[int]:
    found: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return found


def test_windows_begin_a_stride_apart_until_the_text_ends(tokenizer: Tokenizer) -> None:
    texts = [words(3), words(20), words(10)]
    rows = tokenize(tokenizer, texts, max_length=12, window_stride=4)
    assert rows.documents is not None
    assert rows.documents.tolist() == [0, 1, 1, 1, 1, 2]
    long = ids_of(tokenizer, texts[1])
    assert rows.ids[1:5] == [[CLS, *long[start : start + 10], SEP] for start in (0, 4, 8, 12)]
    assert rows.ids[0] == tokenizer(texts[0])["input_ids"]
    assert rows.lengths.max() == 12


def test_the_second_text_of_a_pair_is_cut_and_the_first_is_whole(tokenizer: Tokenizer) -> None:
    first, second = words(4), words(14)
    lengths = {"max_length": 12, "window_stride": 3}
    rows = tokenize(tokenizer, [first], seconds=[second], segments=True, **lengths)
    a, b = ids_of(tokenizer, first), ids_of(tokenizer, second)
    assert rows.ids == [[CLS, *a, SEP, *b[start : start + 5], SEP] for start in (0, 3, 6, 9)]
    assert rows.segments == [[0] * 6 + [1] * 6] * 4


def test_no_token_is_left_out_where_there_is_less_room_than_stride(tokenizer: Tokenizer) -> None:
    rows = tokenize(tokenizer, [words(7)], seconds=[words(5)], max_length=12, window_stride=9)
    second = [token for ids in rows.ids for token in ids[9:-1]]
    assert second == ids_of(tokenizer, words(5))


def test_a_first_text_without_room_for_a_second_is_refused(tokenizer: Tokenizer) -> None:
    with pytest.raises(DataError, match="leaves no room for the second"):
        tokenize(tokenizer, [words(9)], seconds=[words(5)], max_length=12, window_stride=2)


def test_a_long_text_is_answered_by_the_mean_of_its_windows(tmp_path: Path) -> None:
    model = tiny_models.write_model(tmp_path)
    tokenizer = load_tokenizer(tmp_path)
    texts = [words(3), words(40), words(11)]
    rows = tokenize(tokenizer, texts, max_length=16, window_stride=7)
    found = predict(model, rows, compute=COMPUTE, batch_size=2).logits
    alone = [
        predict(
            load_classifier(tmp_path, labels=["negative", "positive"]),
            tokenize(tokenizer, [tokenizer.decode(ids[1:-1])], max_length=16),
            compute=COMPUTE,
            batch_size=1,
        ).logits
        for ids in rows.ids
    ]
    assert rows.documents is not None
    for number in range(3):
        windows = [alone[row] for row in np.flatnonzero(rows.documents == number)]
        assert np.allclose(found[number], np.mean(windows, axis=0), atol=1e-5)
    assert len(windows) == 1
    assert rows.of_rows(np.array([0, 10, 20])).tolist() == [0] + [10] * 5 + [20]
