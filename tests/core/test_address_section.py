"""A source that is fetched says its address, and gets a path; keys that do not go together are refused."""

from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.core.sections import Source

WEB = {"name": "t", "text_column": "text", "licence": "MIT", "url": "https://example.org/t.csv"}
ROWS = {"name": "t", "text_column": "text", "url": "sqlite:///t.db", "query": "select 1"}


def test_the_kind_follows_from_what_is_said_and_the_path_from_the_address() -> None:
    web, rows = Source.model_validate(WEB), Source.model_validate(ROWS)
    assert (web.kind, rows.kind) == ("url", "sql")
    assert web.path.startswith("fetched/")
    assert rows.path.endswith("/rows.parquet")
    assert rows.licence == "own"


def test_what_a_build_writes_down_is_read_as_the_same_source() -> None:
    named = Source.model_validate(WEB | {"path": "other.tsv"})
    assert named.path.endswith("/other.tsv")
    assert Source.model_validate(named.model_dump()) == named


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (WEB | {"licence": ""}, "licence"),
        (WEB | {"kind": "file"}, "kind: url"),
        (WEB | {"kind": "sql"}, "kind: url"),
        (WEB | {"path": "a/b.csv"}, "without folders"),
        (WEB | {"path": "../b.csv"}, "without folders"),
        (WEB | {"url": "ftp://example.org/t.csv"}, "https://"),
        (WEB | {"url": 5}, "string"),
        (WEB | {"headers": {"Authorization": "Bearer s3cret"}}, "Authorization"),
        (WEB | {"max_mb": 0.0}, "greater than 0"),
        (ROWS | {"headers": {"Accept": "x"}}, "headers"),
        (ROWS | {"url": None, "path": "t.csv"}, "`url`"),
        ({"name": "t", "text_column": "text", "path": "t.csv", "kind": "url"}, "`url`"),
        (ROWS | {"url": "https://example.org/t.csv"}, "of a database"),
        (WEB | {"since_column": "day"}, "`query` beside `since_column`"),
        (ROWS | {"since_column": "day", "sha256": "0" * 64}, "no `sha256`"),
        ({"name": "t", "text_column": "text", "path": "t.csv", "since_column": "day"}, "`url`"),
        (ROWS | {"id_column": "text"}, "`id_column`"),
    ],
)
def test_keys_that_do_not_go_together_are_refused(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as error:
        Source.model_validate(values)
    assert words in error.value.errors()[0]["msg"]
    assert "s3cret" not in error.value.errors()[0]["msg"]
