"""An address says where texts lie and never a secret: neither in files, nor in messages."""

import pytest

from pipeline.core.errors import DataError
from pipeline.core.fetched_addresses import (
    address_fault,
    fetched_place,
    header_fault,
    shown_address,
    with_variables,
    without_secrets,
)

DATABASE = "postgresql://${CRM_USER}:${CRM_PASSWORD}@db.example:5432/crm"


def test_each_address_and_each_query_has_a_place_of_its_own() -> None:
    first = fetched_place("https://example.org/a/tickets.csv.gz?v=1")
    assert first.startswith("fetched/")
    assert first.endswith("/tickets.csv.gz")
    assert first == fetched_place("https://example.org/a/tickets.csv.gz?v=1")
    assert first != fetched_place("https://example.org/a/tickets.csv.gz?v=2")
    rows = fetched_place(DATABASE, "select 1")
    assert rows.endswith("/rows.parquet")
    assert rows != fetched_place(DATABASE, "select 2")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://example.org/a%20b/%ED%95%9C%EA%B8%80.csv", "한글.csv"),
        ("https://example.org/..%2F..%2Fetc%2Fpasswd.csv", "_.._etc_passwd.csv"),
        ("https://example.org/.hidden.csv", "hidden.csv"),
        ("https://example.org/a:b*c.csv", "a_b_c.csv"),
        ("https://example.org/", "data"),
        ("https://example.org", "data"),
        ("s3://bucket/some/tickets.parquet", "tickets.parquet"),
    ],
)
def test_the_name_of_a_fetched_file_is_one_that_every_file_system_takes(
    url: str, name: str
) -> None:
    assert fetched_place(url).split("/")[2:] == [name]


def test_a_given_name_takes_the_place_of_the_addresss_own_and_stays_when_it_is_read_again() -> None:
    place = fetched_place("https://example.org/export", name="tickets.csv")
    assert place.endswith("/tickets.csv")
    assert fetched_place("https://example.org/export", name=place) == place


@pytest.mark.parametrize(
    ("url", "query", "words"),
    [
        ("ftp://example.org/a.csv", None, "https://"),
        ("file:/etc/passwd", None, "https://"),
        ("example.org/a.csv", None, "https://"),
        ("s3://bucket/", None, "one object"),
        ("https:///a.csv", None, "name of a host"),
        ("https://example.org:port/a.csv", None, "an address"),
        ("https://[::/a.csv", None, "an address"),
        ("https://me:s3cret@example.org/a.csv", None, "${NAME}"),
        ("postgresql://me:s3cret@db/crm", "select 1", "${NAME}"),
        ("postgresql://db/crm?user=me&password=s3cret", "select 1", "${NAME}"),
        ("https://example.org/a.csv", "select 1", "of a database"),
        ("crm.db", "select 1", "of a database"),
        ("postgresql:///crm", "select 1", "name of a host"),
    ],
)
def test_an_address_of_no_use_is_told_without_its_secret(
    url: str, query: str | None, words: str
) -> None:
    fault = address_fault(url, query)
    assert fault is not None
    assert words in fault
    assert "s3cret" not in fault


@pytest.mark.parametrize(
    ("url", "query"),
    [
        ("https://example.org/a.csv?token=${TOKEN}", None),
        ("https://me:${TOKEN}@example.org/a.csv", None),
        ("http://127.0.0.1:8000/a.csv", None),
        ("s3://bucket/key.csv", None),
        (DATABASE, "select 1"),
        ("sqlite:///crm.db", "select 1"),
        ("${DATABASE_URL}", "select 1"),
    ],
)
def test_an_address_of_use_is_taken(url: str, query: str | None) -> None:
    assert address_fault(url, query) is None


def test_a_header_with_a_secret_names_a_variable() -> None:
    assert header_fault({"Accept": "text/csv", "Authorization": "Bearer ${TOKEN}"}) is None
    for name in ("Authorization", "Cookie", "X-Api-Key"):
        assert name in str(header_fault({name: "s3cret"}))
    assert header_fault({"Accept": "a\nb"}) is not None


def test_an_address_is_shown_without_user_password_and_query_string() -> None:
    assert shown_address("https://u:p@example.org/a.csv?t=1#x") == "https://example.org/a.csv"
    assert shown_address(DATABASE) == "postgresql://db.example:5432/crm"
    assert shown_address("${DATABASE_URL}") == "${DATABASE_URL}"
    assert shown_address("https://u:p@[::/a") == "(an address)"


def test_variables_come_from_the_environment_and_are_put_in_as_one_part() -> None:
    environment = {"CRM_USER": "me", "CRM_PASSWORD": "a/b@c", "DATABASE_URL": "sqlite:///x.db"}
    filled = with_variables(DATABASE, environment, of="source t", quoted=True)
    assert filled == "postgresql://me:a%2Fb%40c@db.example:5432/crm"
    whole = with_variables("${DATABASE_URL}", environment, of="source t", quoted=True)
    assert whole == "sqlite:///x.db"
    header = with_variables("Bearer ${CRM_PASSWORD}", environment, of="source t", quoted=False)
    assert header == "Bearer a/b@c"


@pytest.mark.parametrize("environment", [{}, {"CRM_USER": ""}])
def test_a_variable_that_is_not_set_is_named(environment: dict[str, str]) -> None:
    with pytest.raises(DataError, match="source t: the environment variable CRM_USER is not set"):
        with_variables(DATABASE, environment, of="source t", quoted=True)


def test_what_a_library_says_is_one_line_in_which_variables_stand_for_secrets() -> None:
    said = "no user me\n with a/b@c or a%2Fb%40c"
    environment = {"CRM_USER": "me", "CRM_PASSWORD": "a/b@c"}
    hidden = without_secrets(said, [DATABASE], environment)
    assert hidden == "no user ${CRM_USER} with ${CRM_PASSWORD} or ${CRM_PASSWORD}"
