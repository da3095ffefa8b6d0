"""Planted leaks between labelled texts and a corpus: how many validate finds, and how many it makes up.

In each of five languages, sentences of our own are labelled, and the corpus has them in four forms:
equal but for case and punctuation, inside a document, as a part of a longer labelled text, and nearly
equal. The other documents of the corpus are made of the same words, but of none of these sentences.
"""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from benchmarks.support.no_limits import NO_LIMITS
from pipeline.data.leaking_rows import LEAKS
from pipeline.data.records import Record, record_id
from pipeline.data.row_batches import rows_of
from pipeline.data.row_checks import check_corpus
from pipeline.text.bare_words import bare_words

_EACH = 40
_OTHERS = 200


@dataclass(frozen=True, kw_only=True)
class Language:
    """Sentences of a language: one of each list in turn, joined.

    Attributes:
        blank: what stands between words.
        stop: what stands between sentences.
        other_ends: last letters, each of which makes a nearly equal sentence.
    """

    parts: Sequence[Sequence[str]]
    blank: str
    stop: str
    other_ends: str

    def sentences(self, seed: int) -> list[str]:
        """All sentences, in random order."""
        found = [self.blank.join(words) for words in product(*self.parts)]
        random.Random(seed).shuffle(found)  # noqa: S311 - a benchmark, not a secret
        return found

    def nearly(self, sentence: str) -> str:
        """The sentence with another last letter."""
        return sentence[:-1] + next(end for end in self.other_ends if end != sentence[-1])


LANGUAGES = {
    "English": Language(
        parts=(
            ["The soup", "My new desk lamp", "The second chapter", "Our guide", "The early train"],
            [
                "was rather better",
                "looked far worse",
                "turned out much quieter",
                "felt a lot slower",
            ],
            [
                "than we had hoped",
                "than anyone there said",
                "than the one before",
                "than last year",
            ],
            ["on a rainy Monday", "after the long walk", "for such a price", "in the old town"],
        ),
        blank=" ",
        stop=". ",
        other_ends="xz",
    ),
    "Korean of three words": Language(
        parts=(
            [
                "배송이",
                "국물이",
                "포장이",
                "상담이",
                "화면이",
                "음악이",
                "좌석이",
                "직원이",
                "설명이",
                "가격이",
            ],
            ["정말", "너무", "아주", "조금", "훨씬", "의외로"],
            ["빨라요", "느려요", "좋네요", "별로예요", "편해요", "아쉬워요"],
        ),
        blank=" ",
        stop=". ",
        other_ends="여용",
    ),
    "Japanese": Language(
        parts=(
            ["この映画は", "駅前の店は", "昨日の料理は", "新しい椅子は", "あの先生は"],
            ["本当に", "思ったより", "いつも", "友達と比べて", "残念ながら"],
            ["面白かった", "静かだった", "高かった", "優しかった"],
            ["と思います", "と聞きました", "らしいです", "そうですね"],
        ),
        blank="",
        stop="。",
        other_ends="よわ",
    ),
    "Chinese": Language(
        parts=(
            ["这家餐厅的", "昨天买的", "楼下新开的", "朋友推荐的", "网上订的"],
            ["菜", "面包", "咖啡", "水果", "点心"],
            ["味道确实", "看起来比以前", "总的来说还是", "没想到居然"],
            ["相当不错", "差了一点", "贵了许多", "新鲜极了"],
        ),
        blank="",
        stop="。",
        other_ends="呢吧",
    ),
    "Thai": Language(
        parts=(
            ["อาหารร้านนี้", "หนังเรื่องนี้", "ห้องพักที่นี่", "พนักงานคนนั้น", "กาแฟแก้วแรก"],
            ["ดีกว่าที่คิด", "แย่กว่าเดิม", "เหมือนปีก่อน", "ไม่เหมือนในรูป", "ช้ากว่าร้านอื่น"],
            ["มากเลย", "นิดหน่อย", "จริงๆ", "พอสมควร"],
            ["สำหรับครอบครัว", "ในวันหยุด", "ตอนฝนตก", "ถ้ามาคนเดียว"],
        ),
        blank="",
        stop="",
        other_ends="ะา",
    ),
}
"""Language → its sentences."""


def measure() -> dict[str, float]:
    """Leaks that were planted and found, and other corpus texts that were taken for one."""
    figures: Counter[str] = Counter()
    for number, language in enumerate(LANGUAGES.values()):
        labelled, leaks, others = planted(language, seed=number)
        corpus = [*_records("leak", leaks), *_records("other", others)]
        rejects = check_corpus(rows_of(corpus), [*map(bare_words, labelled)], NO_LIMITS).rejects
        taken = Counter(record.source for record in rejects if record.reason in LEAKS)
        figures["planted"] += len(leaks)
        figures["found"] += taken["leak"]
        figures["others"] += len(others)
        figures["false"] += taken["other"]
    return {name: float(count) for name, count in figures.items()}


def planted(language: Language, *, seed: int) -> tuple[list[str], list[str], list[str]]:
    """Labelled texts, corpus texts that leak one of them each, and others that leak none."""
    sentences = iter(language.sentences(seed))
    stop = language.stop
    labelled, leaks = [], []
    for _ in range(_EACH):
        equal, inside, part, near = (next(sentences) for _ in range(4))
        labelled += [equal, inside, f"{part}{stop}{inside}", near]
        document = stop.join([next(sentences), inside, next(sentences)])
        leaks += [f"«{equal.upper()}»!", document, part, language.nearly(near)]
    return labelled, leaks, list(_documents([*sentences], stop, seed))


def _documents(sentences: Sequence[str], stop: str, seed: int) -> Iterator[str]:
    chance = random.Random(seed)  # noqa: S311 - a benchmark, not a secret
    for _ in range(_OTHERS):
        yield stop.join(chance.sample(sentences, 3))


def _records(source: str, texts: Sequence[str]) -> list[Record]:
    return [
        Record(id=record_id(source, text, copy=number), source=source, text=text)
        for number, text in enumerate(texts)
    ]
