"""Of a long text only the part is tokenized that a model reads, and the rows are those of the whole."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tokenizers import (
    Encoding,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

from pipeline.core.cleaning import CLEANING, clean
from pipeline.core.errors import DataError
from pipeline.runtime import long_text, reader
from pipeline.runtime.long_text import encode, tail
from pipeline.runtime.reader import TextReader, TokenRow
from pipeline.runtime.task import Request
from pipeline.text.tokenizer import SPECIAL_TOKENS, framed, train_byte_bpe, train_wordpiece

ALPHABETS = {
    "words": ["a ", "fine ", "film", " ", "not", "n't ", "un", "bearable ", "1984", ", ", ".\n\n", "—"],
    "markup": ["good ", "<br />", "<b>", "</b>", "&amp;", "&lt;", "&", "<", ">", "p ", ";", "\x96", "\xad"],
    "marks": ["e\u0301 ", "n\u0303", "a\u0316\u0301", "\u0301" * 9, " ", "o", "\u1107\u1162\u11af", "ﬁ", "É"],
    "no spaces": ["映画", "は", "良かった", "。", "배우", "들의", "😀", "👍🏽", "x" * 40, "-"],
    "specials": ["[MASK]", " [SEP] ", "[CLS]", "[", "SEP", "] ", "word ", "##s ", "Ġ", "▁a", "\u200d"],
}  # fmt: skip
ROUNDS = pytest.mark.parametrize("rounds", [2, pytest.param(40, marks=pytest.mark.soak)])
SPECIALS = [*SPECIAL_TOKENS.values()]


def texts(alphabet: str, *, seed: int, count: int, pieces: int) -> Iterator[str]:
    """Random texts of an alphabet; the same ones for a seed."""
    drawn = random.Random(f"{alphabet} {seed}")  # noqa: S311
    for _ in range(count):
        length = drawn.randrange(1, pieces)
        yield "".join(drawn.choices(ALPHABETS[alphabet], k=length))


LEARNED = [clean(text) for name in ALPHABETS for text in texts(name, seed=0, count=40, pieces=60)]


def unigram(prefix: str) -> Tokenizer:
    """A tokenizer as those of XLM-R and DeBERTa: NFKC, a mark for each space, pieces by likelihood."""
    made = Tokenizer(models.Unigram())
    made.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    made.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=prefix)
    trainer = trainers.UnigramTrainer(
        vocab_size=200, special_tokens=SPECIALS, unk_token="[UNK]", show_progress=False
    )
    made.train_from_iterator(LEARNED, trainer)
    made.post_processor = framed()
    return made


def roberta() -> Tokenizer:
    """A tokenizer as RoBERTa's: bytes, a space before the first word, two separators in a pair."""
    made = train_byte_bpe(LEARNED, vocabulary_size=400)
    made.normalizer = None
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    made.decoder = decoders.ByteLevel()
    made.post_processor = processors.RobertaProcessing(("[SEP]", 3), ("[CLS]", 2))
    return made


TOKENIZERS: dict[str, Callable[[], Tokenizer]] = {
    "wordpiece": lambda: train_wordpiece(LEARNED, vocabulary_size=300),
    "bytes": lambda: train_byte_bpe(LEARNED, vocabulary_size=400),
    "roberta": roberta,
    "unigram": lambda: unigram("always"),
    "unigram first": lambda: unigram("first"),
}


@pytest.fixture(name="tokenizer", scope="module", params=TOKENIZERS)
def make_tokenizer(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    TOKENIZERS[request.param]().save(str(path))
    return path


def cut_by_the_library(
    tokenizer: Path, request: Request, length: int
) -> tuple[list[TokenRow], bool]:
    """The row of a whole request as `tokenizers` itself cuts it, which training uses.

    It builds every pair of parts that were cut off, too: with two texts of a page it takes minutes.
    """
    whole = Tokenizer.from_file(str(tokenizer))
    whole.enable_truncation(max_length=length)
    found = whole.encode(*((request, None) if isinstance(request, str) else request))
    return [TokenRow(found.ids, found.type_ids)], bool(found.overflowing)


class WholeReader(TextReader):
    """A reader that tokenizes all of every text."""

    def _needed(self, request: Request, *, cleaning: int) -> list[str]:
        del cleaning
        return [request] if isinstance(request, str) else [*request]


def cleaned(request: Request) -> Request:
    return clean(request) if isinstance(request, str) else (clean(request[0]), clean(request[1]))


@ROUNDS
@pytest.mark.parametrize("alphabet", ALPHABETS)
@pytest.mark.parametrize("length", [6, 9, 16])
def test_a_long_text_is_cut_as_the_whole_one(
    tokenizer: Path, alphabet: str, length: int, rounds: int
) -> None:
    reading = TextReader(tokenizer, max_length=length, window_stride=None)
    for text in texts(alphabet, seed=length, count=rounds, pieces=600):
        assert reading.read(text) == cut_by_the_library(tokenizer, text, length)
        if whole := clean(text):
            expected = cut_by_the_library(tokenizer, whole, length)
            assert reading.read(text, cleaning=CLEANING) == expected, text


@ROUNDS
@pytest.mark.parametrize("alphabet", ALPHABETS)
@pytest.mark.parametrize("length", [9, 12])
def test_two_long_texts_are_cut_as_the_whole_pair(
    tokenizer: Path, alphabet: str, length: int, rounds: int
) -> None:
    reading = TextReader(tokenizer, max_length=length, window_stride=None)
    firsts = texts(alphabet, seed=1, count=rounds, pieces=100)
    seconds = texts("words", seed=length, count=rounds, pieces=100)
    for pair in zip(firsts, seconds, strict=True):
        assert reading.read(pair) == cut_by_the_library(tokenizer, pair, length)
        short = (pair[0][:30], pair[1])
        assert reading.read(short) == cut_by_the_library(tokenizer, short, length)
        if all(whole := cleaned(pair)):
            expected = cut_by_the_library(tokenizer, whole, length)
            assert reading.read(pair, cleaning=CLEANING) == expected


@ROUNDS
@pytest.mark.parametrize("alphabet", ALPHABETS)
@pytest.mark.parametrize("stride", [1, 3, 50])
def test_windows_of_a_long_text_are_those_of_the_whole_one(
    tokenizer: Path, alphabet: str, stride: int, rounds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "MAX_WINDOWS", 4)
    options = {"max_length": 9, "window_stride": stride}
    reading, whole = TextReader(tokenizer, **options), WholeReader(tokenizer, **options)
    for text in texts(alphabet, seed=stride, count=rounds, pieces=500):
        for request in (text, (text[:2], text), (text[:300], text)):
            assert outcome(reading, request) == outcome(whole, request)
            if all(cleaned(request)):
                assert outcome(reading, request, cleaning=CLEANING) == outcome(
                    whole, cleaned(request)
                )


def outcome(reading: TextReader, request: Request, *, cleaning: int = 0) -> object:
    """What a reader makes of a request, or the refusal."""
    try:
        return reading.read(request, cleaning=cleaning)
    except DataError as error:
        return error.got


@ROUNDS
@pytest.mark.parametrize("alphabet", ALPHABETS)
def test_the_last_tokens_of_a_long_text_are_those_of_the_whole_one(
    tokenizer: Path, alphabet: str, rounds: int
) -> None:
    made = Tokenizer.from_file(str(tokenizer))
    for text in texts(alphabet, seed=2, count=rounds, pieces=600):
        for count in (1, 7, 30):
            whole = encode(made, clean(text)).ids
            assert tail(made, clean(text), tokens=count) == whole[-count:]


def test_a_megabyte_costs_the_tokens_of_a_page(
    tokenizer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def counted(made: Tokenizer, text: str) -> Encoding:
        seen.append(len(text))
        return encode(made, text)

    monkeypatch.setattr(long_text, "encode", counted)
    reading = TextReader(tokenizer, max_length=16, window_stride=None)
    for text in ("a fine film ", "映画 良かった ", "<br />", "< ", "&amp;amp; "):
        row = reading.read((text * (1_000_000 // len(text)))[:-9] + "good", cleaning=CLEANING)
        assert row[0]
    assert sum(seen) < 50_000


def test_nothing_left_of_a_text_is_refused_and_a_clean_row_is_not(tokenizer: Path) -> None:
    for stride in (None, 4):
        reading = TextReader(tokenizer, max_length=9, window_stride=stride)
        for request in ("<br />", "\xad", ("good", " <b> </b>")):
            with pytest.raises(DataError, match="nothing is left"):
                reading.read(request, cleaning=CLEANING)
        assert reading.read("", cleaning=0)[0]
