"""The page of the data report: every figure, every name as plain text, nothing from elsewhere, no text of a row."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import pytest

from pipeline.core.artifacts.data_reports import DataReport
from pipeline.core.params import parse_params
from pipeline.data.tables import read_table
from pipeline.report import data_page as data_page_module
from pipeline.report.data_page import data_page
from pipeline.report.page_in_korean import GROUPS, KOREAN
from pipeline.text.identity_terms import BUILT_IN
from tests.support.example_artifacts import data_report, source_record
from tests.support.repository import parameter_values
from tests.support.small_reviews import CORPUS, ROWS, validated

VALUES = data_report(parse_params(parameter_values())).as_json()
HOSTILE = "<script>alert('a')</script> \"><img src=x onerror=alert(1)> & {{ 7 * 7 }} </style> <!--"


RIGHTS = {
    "licences": {"MIT": 7001, "own": 7002},
    "left_out": {"no consent recorded": 7003, "licence GPL-3.0-only is not allowed": 7004},
    "origins": {"a.example.org": 7005},
    "collected": ["2025-12-31", "2026-03-02"],
}


class Seen(HTMLParser):
    """What a browser finds in a page: its tags with their attributes, its text and its styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text, self.styles = "", ""  # of two elements, the texts stand apart
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.text += " "

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] == "style":
            self.styles += data
        else:
            self.text += f"{data} "  # what stands in two cells is two words

    @property
    def words(self) -> set[str]:
        """The text in pieces, without signs around them."""
        return {word.strip("(),.;") for word in self.text.split()}

    def has_figure(self, *ways: str) -> bool:
        """Whether a figure is in the text, written in one of these ways; Korean words may be right beside it."""
        whole = (rf"(?<![\d.,]){re.escape(way)}(?!\d|[.,]\d)" for way in ways)
        return any(re.search(pattern, self.text) for pattern in whole)


def report(**changes: Any) -> DataReport:
    """A report with other values for some of its keys."""
    return DataReport.parse(VALUES | changes, file="report.json")


def page(*sources: Any, **changes: Any) -> str:
    """The page of a small report, or of one with other values."""
    return data_page("tickets", sources or [source_record()], report(**changes))


def numbered(value: Any, numbers: Iterator[int]) -> Any:
    """The value with another number in each place of a whole number."""
    if isinstance(value, dict):
        return {key: numbered(inner, numbers) for key, inner in value.items()}
    if isinstance(value, list):
        return [numbered(inner, numbers) for inner in value]
    return next(numbers) if type(value) is int else value


def leaves(value: Any) -> list[Any]:
    """All numbers and texts in a JSON value."""
    if isinstance(value, dict):
        return [leaf for inner in value.values() for leaf in leaves(inner)]
    if isinstance(value, list):
        return [leaf for inner in value for leaf in leaves(inner)]
    return [] if value is None else [value]


@pytest.mark.parametrize("language", ["a language in Latin letters", "Korean"])
def test_every_figure_of_the_report_and_of_the_sources_is_on_the_page(language: str) -> None:
    values = numbered(VALUES | {"language": language}, count(8999, -1))
    source = source_record(rows=91_234, bytes=4_567_890, waiver="asked", rights=RIGHTS)
    seen = Seen(page(source, **values))
    for leaf in [*leaves(values), *leaves(source.as_json())]:
        if isinstance(leaf, str):
            shown = leaf.capitalize() if leaf in ("source", "label") else leaf
            names = {shown, KOREAN.get(shown, shown), GROUPS.get(shown, shown)}
            assert any(name in seen.text for name in names), leaf
        elif isinstance(leaf, int):
            assert seen.has_figure(f"{leaf:,}", str(leaf)), leaf
        else:
            assert seen.has_figure(f"{leaf:.1%}", f"{leaf:.2f}", str(leaf)), leaf


COUNTS = {"first": 90, "second": 30}


@pytest.mark.parametrize(
    "changes", [{"labels": COUNTS}, {"labelled": VALUES["labelled"] | {"rejects": COUNTS}}]
)
def test_labels_and_reasons_have_bars_in_percent_of_the_longest(changes: dict[str, Any]) -> None:
    fills = [
        found["width"] for _, found in Seen(page(**changes)).tags if found.get("class") == "fill"
    ]
    assert ("100.00%", "33.33%") in pairwise(fills)


def test_names_that_users_chose_are_shown_as_text_and_are_never_markup() -> None:
    chosen = dict.fromkeys(("name", "origin", "licence", "waiver"), HOSTILE)
    harmless = Seen(page(source_record(waiver="asked"), labels={"a": 60, "b": 59}))
    seen = Seen(page(source_record(**chosen), labels={HOSTILE: 60, "b": 59}))
    assert seen.text.count(HOSTILE) == len(chosen) + 1
    assert seen.tags == harmless.tags


def test_licences_and_places_of_rows_are_shown_as_text() -> None:
    hostile = {name: {HOSTILE: 1} for name in ("licences", "left_out", "origins")}
    harmless = {name: {"a": 1} for name in hostile}
    none = {"collected": None}
    seen = Seen(page(source_record(rights=hostile | none)))
    assert seen.text.count(HOSTILE) == 3
    assert seen.tags == Seen(page(source_record(rights=harmless | none))).tags


def test_the_page_takes_nothing_from_elsewhere_and_runs_nothing() -> None:
    whole = page()
    seen = Seen(whole)
    assert {"script", "link", "img", "iframe", "object"}.isdisjoint(tag for tag, _ in seen.tags)
    attributes = {name for _, found in seen.tags for name in found}
    assert not {"src", "href", "style"} & attributes
    assert not [name for name in attributes if name.startswith("on")]
    assert not re.search(r"url\(|@import|://", whole)
    [policy] = [found["content"] for _, found in seen.tags if "http-equiv" in found]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"


def test_korean_names_are_written_in_fonts_of_the_system_and_break_between_words() -> None:
    seen = Seen(page(labels={"배송 문의": 60, "환불 요청": 59}))
    assert {"배송", "환불"} <= seen.words
    for font in ("Apple SD Gothic Neo", "Malgun Gothic", "Noto Sans KR"):
        assert f'"{font}"' in seen.styles
    assert "word-break: keep-all" in seen.styles


def test_the_page_follows_the_light_or_dark_of_the_system() -> None:
    seen = Seen(page())
    assert ("meta", {"name": "color-scheme", "content": "light dark"}) in seen.tags
    light, dark = (
        set(re.findall(r"(--[a-z]+): #", part))
        for part in seen.styles.split("@media (prefers-color-scheme: dark)")
    )
    assert light == dark != set()


TEMPLATE = Path(data_page_module.__file__).with_name("data_page.html.j2")
WRITTEN = re.compile(r'_\("((?:[^"\\]|\\.)*)"[,)]')


def test_every_group_of_the_korean_lists_has_a_korean_name() -> None:
    assert {group for kind in BUILT_IN["Korean"].values() for group in kind} <= set(GROUPS)


def test_every_word_of_the_page_has_a_korean_one() -> None:
    written = set(WRITTEN.findall(TEMPLATE.read_text(encoding="utf-8")))
    assert len(written) > 40
    assert written - set(KOREAN) == set()
    blanks = {text: re.findall(r"%\(\w+\)s|%%", text) for text in KOREAN}
    for text, korean in KOREAN.items():
        assert sorted(re.findall(r"%\(\w+\)s|%%", korean)) == sorted(blanks[text]), text


def test_a_product_of_korean_texts_has_a_korean_page() -> None:
    rejects = {"empty": 1, "copy of another row": 2, "licence GPL-3.0-only": 1}
    whole = page(language="Korean", labelled=VALUES["labelled"] | {"rejects": rejects})
    seen = Seen(whole)
    assert ("html", {"lang": "ko"}) in seen.tags
    for said in (
        "tickets의 데이터",
        "빈 텍스트",
        "licence GPL-3.0-only",
        "성별",
        "한 라벨에 훨씬 많은 것",
    ):
        assert said in seen.text
    english = Seen(page()).text
    left = [text for text in KOREAN if len(text) > 20 and "%" not in text and text in english]
    assert len(left) > 5
    assert [text for text in left if text in seen.text] == []
    assert ("html", {"lang": "en"}) in Seen(page(language="")).tags


def test_translated_names_that_users_chose_are_never_markup() -> None:
    term = VALUES["identity_terms"][0] | {"group": HOSTILE, "kind": HOSTILE, "language": "100 %s"}
    for language in ("Korean", ""):
        hostile = Seen(page(language=language, identity_terms=[term], leaning_terms=[]))
        harmless = Seen(page(language=language, leaning_terms=[]))
        assert hostile.tags == harmless.tags
        assert hostile.text.count(HOSTILE) == 2


def test_equal_reports_give_equal_pages() -> None:
    assert page(**report().as_json()) == page()


def test_no_text_of_a_row_is_on_the_page(tmp_path: Path) -> None:
    rows = [*ROWS, ("Call 010-1234-5678 about this film.", "negative")]
    paths = validated(tmp_path, [*rows, ("ok", "negative")], corpus=CORPUS)
    tables = [
        read_table(paths.out / f"{name}.parquet") for name in ("records", "corpus", "rejects")
    ]
    texts = {text for table in tables for text in table["text"]} - {"ok"}
    written = (paths.out / "report.html").read_text(encoding="utf-8")
    assert len(texts) > len(ROWS)
    assert [text for text in texts if text in Seen(written).text] == []


def test_without_a_corpus_the_page_speaks_of_the_labelled_rows_alone() -> None:
    seen = Seen(page(corpus=VALUES["corpus"] | {"rows_in": 0, "rows_out": 0}))
    assert "There is no corpus of unlabelled texts." in seen.text
    assert "corpus rows" not in seen.text
    assert "corpus rows" in Seen(page()).text


def spoken(name: str, **languages: int) -> dict[str, Any]:
    """What the report says of the languages of a source."""
    rows = sum(languages.values())
    known = {"kind": "source", "table": "labelled", "name": name, "rows": rows}
    return known | {"languages": languages}


@pytest.mark.parametrize("language", ["English", "Korean"])
def test_a_source_in_another_language_stands_out(language: str) -> None:
    usual, odd = spoken("usual", English=90, Korean=10), spoken("odd", German=25)
    seen = Seen(page(languages=[usual, odd], language=language))
    said = KOREAN["unlike the others"] if language == "Korean" else "unlike the others"
    assert seen.text.count(said) == 1
    assert seen.text.index("odd") < seen.text.index(said)
    assert {"90.0%", "10.0%", "100.0%"} <= seen.words
    assert said not in Seen(page(languages=[usual], language=language)).text


def test_a_report_without_languages_of_rows_has_no_such_part() -> None:
    assert "Languages" not in Seen(page(languages=[])).text


def test_a_number_to_predict_is_shown_by_its_spread() -> None:
    spread = {"least": -1.5, "median": 2, "mean": 2.25, "most": 12345.0, "different": 77}
    seen = Seen(page(labels={"stars": 119}, numbers=spread))
    assert {"stars", "119", "-1.5", "2", "2.25", "12,345", "77"} <= seen.words


def test_rows_that_nobody_has_labelled_are_no_fault() -> None:
    none = VALUES["labelled"] | {"rows_in": 0, "rows_out": 0, "rejects": {}}
    seen = Seen(page(labels={"a": 0, "b": 0}, labelled=none))
    assert "No row has a label yet." in seen.text


def test_groups_of_people_are_told_by_label_and_those_that_lean_to_one() -> None:
    seen = Seen(page())
    assert {"women", "she", "her"} <= seen.words
    assert "Far more frequent under one label" in seen.text
    assert "None is far more frequent" in Seen(page(leaning_terms=[])).text
    none = Seen(page(leaning_terms=[], identity_terms=[]))
    assert "No labelled row holds one of the words" in none.text


@pytest.mark.parametrize(
    ("way", "said"),
    [("count", "are kept"), ("redact", "Its kind took its place"), ("refuse", "stops the build")],
)
def test_the_page_says_what_is_done_about_personal_data(way: str, said: str) -> None:
    seen = Seen(page(limits=VALUES["limits"] | {"personal_data": way}))
    assert said in seen.text
