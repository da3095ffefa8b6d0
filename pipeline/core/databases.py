"""Where MLflow and Prefect keep their records: in files of the project, or in a database of a team's own.

`MODELYARD_MLFLOW_DATABASE` and `MODELYARD_PREFECT_DATABASE` name the latter, `postgresql://…` or `sqlite:///…`.
What MLFLOW_TRACKING_URI and Prefect's own variables say is another project's, and is left out (docs/adr/0024).
"""

import os

from pipeline.core.errors import PipelineError

MLFLOW_VARIABLE = "MODELYARD_MLFLOW_DATABASE"
PREFECT_VARIABLE = "MODELYARD_PREFECT_DATABASE"
_KINDS = ("postgresql", "sqlite")


def team_database(variable: str, *, postgresql: str, sqlite: str) -> str | None:
    """SQLAlchemy's address of the database that a variable names; None where it is not set.

    Args:
        postgresql, sqlite: the drivers of whoever asks, which the variable need not name.

    Raises:
        PipelineError: it is another kind of address. A password is never part of the message.
    """
    address = os.environ.get(variable, "").strip()
    if not address:
        return None
    kind, _, rest = address.partition("://")
    kind = kind.partition("+")[0]
    if kind == "postgres":  # as many hosters write it
        kind = "postgresql"
    if kind not in _KINDS or not rest.strip("/"):
        raise PipelineError(
            f"{variable} = {without_password(address)}",
            expected="postgresql://user:password@host/database, or sqlite:////absolute/path.db",
            next_step=f"correct {variable}, or unset it: the records are then files of the project",
        )
    return f"{kind}+{postgresql if kind == 'postgresql' else sqlite}://{rest}"


def without_password(address: str) -> str:
    """The address as it may be shown: without the user and the password before the host."""
    before, at, host = address.rpartition("@")
    if not at:
        return address
    kind, slashes, _ = before.partition("://")
    return f"{kind if slashes else ''}{slashes}…@{host}"
