"""The demo page in the browser's language: every phrase in both, and none left in English."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from pipeline.serving.app import STATIC
from pipeline.serving.demo_routes import DemoExtras
from pipeline.serving.hot_swap import open_model
from tests.support.accessibility import serious_findings
from tests.support.browser import browser_fixture, open_page
from tests.support.server import holder_of
from tests.support.threaded_server import serve_holder
from tests.support.tiny_bundle import make_tiny_bundle

__all__ = ["browser_fixture"]
PHRASE = re.compile(r'(\w+): ("(?:[^"\\]|\\.)*")')
# Names of labels, metrics and units, and what the bundle brings, are the same in every language.
SAME = re.compile(
    r"negative|positive|ms|kB|MB|Tiny|sentiment|Ctrl|Enter|student|int8|Student", re.IGNORECASE
)


def phrases() -> tuple[dict[str, str], dict[str, str]]:
    """The English phrases and the Korean ones, by name."""
    text = (STATIC / "phrases.js").read_text(encoding="utf-8")
    english, korean = text[text.index("en: {") : text.index("ko: {")], text[text.index("ko: {") :]
    return dict(PHRASE.findall(english)), dict(PHRASE.findall(korean))


def test_both_languages_have_the_same_phrases_with_the_same_places() -> None:
    english, korean = phrases()
    assert len(english) > 100
    assert english.keys() == korean.keys()
    for name, phrase in english.items():
        places = [sorted(re.findall(r"\{\w+\}", text)) for text in (phrase, korean[name])]
        assert places[0] == places[1], name
        assert re.search(r"[가-힣]", korean[name]), name


def test_every_phrase_is_used_and_every_one_that_is_used_is_there() -> None:
    files = [
        path.read_text(encoding="utf-8") for path in STATIC.glob("*.*") if path.name != "phrases.js"
    ]
    quoted = {name for text in files for name in re.findall(r'"(\w+)"', text)}
    english, _ = phrases()
    # The split's name makes these two.
    assert english.keys() - quoted == {"on_test", "on_validation"}
    asked = r'say\("(\w+)"|data-(?:text|label)="(\w+)"'
    wanted = {name for text in files for found in re.findall(asked, text) for name in found if name}
    assert len(wanted) > 80
    assert wanted <= english.keys()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("korean")
    make_tiny_bundle(folder / "champion")
    make_tiny_bundle(folder / "candidate", seed=3)
    holder = holder_of(folder / "champion")
    holder.candidate = open_model(folder / "candidate")
    with serve_holder(holder, extras=DemoExtras(feedback=folder / "feedback.jsonl")) as address:
        yield address


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    with open_page(browser, url, locale="ko-KR") as page:
        yield page


@pytest.mark.browser
def test_a_korean_browser_sees_no_english_but_the_bundles_own(page: Page) -> None:
    page.locator("#text").fill("the good warm film is not awful")
    expect(page.locator("#agrees")).to_have_text("두 모델의 답이 같습니다.")
    page.locator("#explain").click()
    expect(page.locator("#carried-note")).to_contain_text("답에 맞선 단어: “awful”")
    page.locator("#verdicts button").first.click()
    expect(page.locator("#kept")).to_contain_text("저장했습니다")
    assert page.locator("html").get_attribute("lang") == "ko"
    seen = [
        line
        for part in (
            "#tabs",
            "#answers",
            "#compare h2",
            "#compare thead",
            "#limits",
            "#stored",
            "form",
        )
        for line in page.locator(part).inner_text().splitlines()
    ]
    own = r"“[^”]*”|the good warm film is not awful"
    left = [line for line in seen if re.search(r"[A-Za-z]{3}", SAME.sub("", re.sub(own, "", line)))]
    assert left == []


@pytest.mark.browser
def test_no_serious_finding_in_korean(page: Page) -> None:
    page.locator("#text").fill("the good warm film is not awful")
    expect(page.locator("#agrees")).not_to_be_empty()
    assert serious_findings(page) == []
