"""The database of a team is named by a variable, and its password is never shown."""

import pytest

from pipeline.core.databases import MLFLOW_VARIABLE, team_database, without_password
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


@pytest.mark.parametrize(
    "address",
    [
        *(f"mysql://team:{SECRET}@db/mlflow", f"https://team:{SECRET}@mlflow.example"),
        *("postgresql://", "mlflow.db", f"postgresql//team:{SECRET}@db/mlflow"),
    ],
)
def test_another_address_is_refused_without_its_password(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    with pytest.raises(PipelineError, match=MLFLOW_VARIABLE) as caught:
        named(monkeypatch, address)
    assert SECRET not in str(caught.value)


def test_a_password_is_left_out_and_all_else_stays() -> None:
    shown = without_password(f"postgresql+asyncpg://team:{SECRET}@db:5432/prefect")
    assert shown == "postgresql+asyncpg://…@db:5432/prefect"
    assert without_password("sqlite:////srv/mlflow.db") == "sqlite:////srv/mlflow.db"
    assert SECRET not in without_password(f"postgresql://team:{SECRET}@[db/mlflow")
    assert SECRET not in without_password(f"team:a@{SECRET}@db")
