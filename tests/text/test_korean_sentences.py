"""Korean sentences end where their morphemes say so, also without marks."""

import sys

import pytest

from pipeline.core.errors import DataError
from pipeline.text import korean_sentences
from pipeline.text.korean_sentences import KIWI, MARKS, splitter
from pipeline.text.sentences import sentences

UNMARKED = "배송이 빨라서 좋았어요 포장도 꼼꼼했습니다 다음에 또 살게요"


def test_marks_are_the_rule_of_all_languages() -> None:
    assert splitter(MARKS) is sentences
    assert [*splitter(MARKS)(UNMARKED)] == [UNMARKED]


def test_a_package_that_is_not_there_is_named_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, KIWI, None)
    korean_sentences._kiwi.cache_clear()
    with pytest.raises(DataError, match=r"not installed(?s:.*)\[korean\](?s:.*)marks"):
        splitter(KIWI)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (UNMARKED, ["배송이 빨라서 좋았어요", "포장도 꼼꼼했습니다", "다음에 또 살게요"]),
        ("국이 짜다. 밥은 좋았다!", ["국이 짜다.", "밥은 좋았다!"]),
        ("맛있어요\n또 갈게요", ["맛있어요", "또 갈게요"]),
        ("It was e.g. late. Never again!", ["It was e.g. late.", "Never again!"]),
        ("", []),
    ],
)
def test_kiwi_ends_sentences_without_marks(text: str, parts: list[str]) -> None:
    pytest.importorskip(KIWI, reason="the optional package kiwipiepy is not installed")
    korean_sentences._kiwi.cache_clear()
    assert [*splitter(KIWI)(text)] == parts
