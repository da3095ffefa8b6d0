"""The database of a team is named by a variable, and its password is never shown."""

import pytest

from pipeline.core.databases import (
    MLFLOW_VARIABLE,
    PREFECT_VARIABLE,
    name_of_database,
    team_database,
    without_password,
)
from pipeline.core.errors import PipelineError

SECRET = "s3cret-of-ours"


def named(monkeypatch: pytest.MonkeyPatch, address: str) -> str | None:
    monkeypatch.setenv(MLFLOW_VARIABLE, address)
    return team_database(MLFLOW_VARIABLE, postgresql="psycopg2", sqlite="pysqlite")


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg"])
def test_each_asks_by_its_own_driver(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    found = named(monkeypatch, f"{scheme}://team:{SECRET}@db.example:5432/mlflow?sslmode=require")
    assert found == f"postgresql+psycopg2://team:{SECRET}@db.example:5432/mlflow?sslmode=require"
    assert named(monkeypatch, "sqlite:////srv/mlflow.db") == "sqlite+pysqlite:////srv/mlflow.db"
    assert named(monkeypatch, " ") is None


def test_asyncpg_is_asked_for_tls_by_its_own_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PREFECT_VARIABLE, "postgres://team@db/prefect?sslmode=require")
    found = team_database(PREFECT_VARIABLE, postgresql="asyncpg", sqlite="aiosqlite")
    assert found == "postgresql+asyncpg://team@db/prefect?ssl=require"


@pytest.mark.parametrize(
    "address",
    [
        *(f"mysql://team:{SECRET}@db/mlflow", f"https://team:{SECRET}@mlflow.example"),
        *("postgresql://", "mlflow.db", f"postgresql//team:{SECRET}@db/mlflow"),
        # The host forgotten, a sign not escaped, the password as an option, no database named.
        *(f"postgresql://team:{SECRET}/mlflow", f"postgresql://team:x@{SECRET}@db/mlflow"),
        *(f"postgresql://db/mlflow?user=team&password={SECRET}", f"postgresql://team:{SECRET}@db"),
        f"postgresql://team:x/{SECRET}@db/mlflow",
        *("sqlite:///relative.db", "sqlite://"),
    ],
)
def test_another_address_is_refused_without_its_password(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    with pytest.raises(PipelineError, match=MLFLOW_VARIABLE) as caught:
        named(monkeypatch, address)
    assert SECRET not in str(caught.value)
    assert SECRET not in without_password(address)


def test_what_is_shown_of_an_address_tells_which_database_it_is() -> None:
    shown = without_password(f"postgresql+asyncpg://team:{SECRET}@db:5432/prefect?ssl=require")
    assert shown == "postgresql+asyncpg://db:5432/prefect"
    assert without_password("sqlite:////srv/mlflow.db") == "sqlite:////srv/mlflow.db"
    assert name_of_database(f"postgresql://a:{SECRET}@db/x") == name_of_database(
        "postgresql://db/x"
    )
    assert name_of_database("postgresql://db/x") != name_of_database("postgresql://db/y")
