"""Korean sentences end where their morphemes say so, also without marks."""

import sys

import pytest

from pipeline.core.errors import DataError
from pipeline.text import korean_sentences
from pipeline.text.korean_sentences import KIWI, MARKS, splitter, unmarked_share
from pipeline.text.sentences import sentences

UNMARKED = "배송이 빨라서 좋았어요 포장도 꼼꼼했습니다 다음에 또 살게요"


def test_marks_are_the_rule_of_all_languages() -> None:
    assert splitter(MARKS) is sentences
    assert [*splitter(MARKS)(UNMARKED)] == [UNMARKED]


@pytest.mark.parametrize(
    ("text", "share"),
    [
        (UNMARKED, 1.0),
        ("생각보다 작다 그래도 잘 쓰고 있습니다 3개 더 샀어요", 1.0),
        ("배송이 빨라서 좋았어요. 포장도 꼼꼼했습니다! 다음에 또 살게요", 0.0),
        ("배송이 빨라서 좋았어요\n포장도 꼼꼼했습니다", 0.0),
        ("좋았어요 ㅎㅎ", 0.0),
        ("필요 없는 중요 물품보다 날마다 쓰는 주요 기능", 0.0),
        ("It was late and never again", 0.0),
    ],
    ids=["polite", "plain", "marked", "lines", "laughter-at-the-end", "other-words", "English"],
)
def test_sentences_that_end_without_a_mark_are_seen(text: str, share: float) -> None:
    assert unmarked_share([text]) == share
    assert unmarked_share([text, "국이 짜다."]) == share / 2


def test_no_texts_have_no_such_sentences() -> None:
    assert unmarked_share([]) == 0.0


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
