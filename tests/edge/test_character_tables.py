"""A browser that asks the tables cleans every text as Python does."""

import html
import random
import sys
from pathlib import Path

import pytest

from pipeline.core.cleaning import CLEANING, clean
from pipeline.edge.character_tables import class_of, python_characters
from pipeline.edge.model_files import KNOWN_CLEANING
from pipeline.edge.parity_texts import hostile_texts
from tests.core.test_cleaning import MELTING
from tests.support.node import needs_node, run_script
from tests.support.odd_texts import odd_texts

CLEAN = """
import { cleanerOf } from "./text_cleaning.js";
const clean = cleanerOf(given.characters);
result = given.rules.map((rules) => given.texts.map((text) => clean(text, rules)));
"""
SPECIAL = ("[CLS]", "[SEP]")


def texts(count: int) -> list[str]:
    """Odd texts that JSON can carry."""
    source = random.Random(5)  # noqa: S311
    melting = ["".join(source.choices(MELTING, k=6)) for _ in range(count)]
    found = [*hostile_texts(count, special=SPECIAL), *odd_texts(count), *melting]
    return [text for text in found if not any("\ud800" <= c <= "\udfff" for c in text)]


@needs_node
def test_a_browser_cleans_thousands_of_hostile_texts_as_python_does(tmp_path: Path) -> None:
    given, rules = texts(1500), [1, 2, 3]
    value = {"characters": python_characters(), "texts": given, "rules": rules}
    found = run_script(tmp_path / "js", CLEAN, value)
    for number, cleaned in zip(rules, found, strict=True):
        ours = [clean(text, rules=number) for text in given]
        assert [(t, a) for t, a, b in zip(given, ours, cleaned, strict=True) if a != b] == []


def test_a_browser_has_the_newest_rules_of_cleaning() -> None:
    assert KNOWN_CLEANING == CLEANING, "port the new rules to pipeline/edge/static/text_cleaning.js"


def test_references_stand_for_what_python_says_of_every_code_point() -> None:
    odd = python_characters()["numbers"]
    wrong = [
        code
        for code in range(0, sys.maxunicode + 1, 7)
        if not 0xD800 <= code < 0xE000 and html.unescape(f"&#{code};") != odd.get(code, chr(code))
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("codes", "pattern"),
    [([], ""), ([0x41], r"\u{41}"), ([0x43, 0x41, 0x42, 0x1F600], r"\u{41}-\u{43}\u{1f600}")],
)
def test_a_class_names_ranges(codes: list[int], pattern: str) -> None:
    assert class_of(codes) == pattern
