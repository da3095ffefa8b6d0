"""Where MLflow and Prefect keep their records: in files of the project, or in a database of a team's own.

`MODELYARD_MLFLOW_DATABASE` and `MODELYARD_PREFECT_DATABASE` name the latter, `postgresql://…` or `sqlite:////…`.
What MLFLOW_TRACKING_URI and Prefect's own variables say is another project's, and is left out (docs/adr/0024).
"""

import os
from hashlib import sha256
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from pipeline.core.errors import PipelineError

MLFLOW_VARIABLE = "MODELYARD_MLFLOW_DATABASE"
PREFECT_VARIABLE = "MODELYARD_PREFECT_DATABASE"
_SECRETS = ("user", "password", "passfile", "sslpassword")


def team_database(variable: str, *, postgresql: str, sqlite: str) -> str | None:
    """SQLAlchemy's address of the database that a variable names; None where it is not set.

    Args:
        postgresql, sqlite: the drivers of whoever asks, which the variable need not name.

    Raises:
        PipelineError: it is another kind of address, or one that cannot be read. No part of it that
            may be secret is in the message.
    """
    address = os.environ.get(variable, "").strip()
    if not address:
        return None
    kind, _, rest = address.partition("://")
    kind = kind.partition("+")[0]
    if kind == "sqlite" and rest.startswith("//"):
        return f"sqlite+{sqlite}://{rest}"
    if kind in ("postgresql", "postgres") and (parts := _parts(address)) is not None:
        query = dict(parse_qsl(parts.query))
        if postgresql == "asyncpg" and "sslmode" in query:  # libpq's name of it
            query["ssl"] = query.pop("sslmode")
        options = f"?{urlencode(query)}" if query else ""
        return f"postgresql+{postgresql}://{parts.netloc}{parts.path}{options}"
    raise PipelineError(
        f"{variable} with an address that is neither PostgreSQL's nor an absolute path of SQLite's",
        expected="postgresql://user:password@host:port/database, with signs such as @ and / in the password"
        " written as %40 and %2F and the password nowhere else; or sqlite:////absolute/path.db",
        next_step=f"correct {variable}, or unset it: the records are then files of the project",
    )


def without_password(address: str) -> str:
    """The address of a database as it may be shown: neither user nor password nor options."""
    kind, slashes, rest = address.partition("://")
    if kind.startswith("sqlite"):
        return address
    if (parts := _parts(address)) is None:
        return f"{kind if slashes else 'a database'}://…" if rest else "a database"
    port = f":{parts.port}" if parts.port else ""
    return f"{kind}://{parts.hostname}{port}{parts.path}"


def name_of_database(address: str) -> str:
    """A name by which an address is known again, from which it cannot be read."""
    return sha256(without_password(address).encode()).hexdigest()[:16]


def _parts(address: str) -> SplitResult | None:
    """The parts of a server's address; None where a secret could stand at another place than its own."""
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return None
    named = parts.hostname and len(parts.path) > 1 and "/" not in parts.path[1:]
    secret = any(key in _SECRETS for key, _ in parse_qsl(parts.query))
    return parts if named and parts.netloc.count("@") <= 1 and not secret else None
