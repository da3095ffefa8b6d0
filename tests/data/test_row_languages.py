"""The languages of rows are told by source and by label, so that an odd source stands out."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.data import row_languages
from tests.support.problems import REGRESSION
from tests.support.small_reviews import CORPUS, ROWS, validated

KOREAN = [f"이 영화는 {n}번 봐도 정말 재미있어요" for n in range(12)]


def reported(folder: Path, *args: Any, **more: Any) -> list[dict[str, Any]]:
    paths = validated(folder, *args, **more)
    found: list[dict[str, Any]] = json.loads((paths.out / "report.json").read_text())["languages"]
    return found


def test_each_source_and_label_tells_its_languages(tmp_path: Path) -> None:
    rows = [*ROWS, *((text, "positive") for text in KOREAN)]
    found = reported(tmp_path, rows, corpus=CORPUS)
    told = {(one["kind"], one["table"], one["name"]): one for one in found}
    positive = told["label", "labelled", "positive"]
    assert positive["languages"]["Korean"] == len(KOREAN)
    assert list(positive["languages"]) == ["English", "Korean"]
    assert sum(positive["languages"].values()) == positive["rows"]
    assert set(told["label", "labelled", "negative"]["languages"]) == {"English"}
    assert {table for kind, table, _ in told if kind == "source"} == {"labelled", "corpus"}


def test_a_number_is_no_label_with_languages(tmp_path: Path) -> None:
    rows = [(text, repr(float(n))) for n, (text, _) in enumerate(ROWS)]
    assert {one["kind"] for one in reported(tmp_path, rows, *REGRESSION)} == {"source"}


def test_of_many_rows_some_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_languages, "_ROWS_OF_A_SOURCE", 7)
    monkeypatch.setattr(row_languages, "_ROWS_OF_A_LABEL", 5)
    rows = {one["kind"]: one["rows"] for one in reported(tmp_path, ROWS)}
    assert rows == {"source": 7, "label": 5}
