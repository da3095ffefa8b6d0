"""A PostgreSQL of a test's own, where this machine has one installed."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.execution.network import free_port
from pipeline.core.chosen_environment import chosen_environment

_PLACES = ("/usr/lib/postgresql", "/usr/local/pgsql", "/opt/homebrew/opt")
PASSWORD = "of-a-test"


def find_postgresql() -> Path | None:
    """The folder of `initdb` and `pg_ctl`; None where there is none."""
    if found := shutil.which("initdb"):
        return Path(found).parent
    programs = (program for place in _PLACES for program in Path(place).glob("*/bin/initdb"))
    return next((program.parent for program in sorted(programs)), None)


@contextmanager
def running_postgresql(programs: Path) -> Iterator[str]:
    """Yields the address of a new server, without the name of a database.

    As root it runs as the user `postgres`, for PostgreSQL refuses root; that user must reach the folder,
    so it is not pytest's.
    """
    with tempfile.TemporaryDirectory(prefix="modelyard-postgresql-") as folder:
        yield from _running(Path(folder), programs)


def _running(folder: Path, programs: Path) -> Iterator[str]:
    secret, data, port = folder / "password", folder / "data", free_port()
    secret.write_text(PASSWORD)
    user = "postgres" if os.geteuid() == 0 else None
    if user is not None:
        owner = pwd.getpwnam(user)
        for path in (folder, secret):
            os.chown(path, owner.pw_uid, owner.pw_gid)

    def run(name: str, *arguments: str) -> None:
        subprocess.run(
            [programs / name, *arguments],
            cwd=folder,
            user=user,
            env=chosen_environment(os.environ),
            stdout=subprocess.DEVNULL,
            check=True,
        )

    run("initdb", "-D", str(data), "-U", "team", "-A", "scram-sha-256", "--pwfile", str(secret))
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
    run("pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        yield f"postgresql://team:{PASSWORD}@127.0.0.1:{port}"
    finally:
        run("pg_ctl", "-D", str(data), "-w", "-m", "immediate", "stop")
