"""The environment of every process of this project: chosen, not inherited (docs/adr/0024).

A shell may say things that stop a build or send its files elsewhere: a proxy for 127.0.0.1, the
repository of the git hook that called us, another project's Prefect or MLflow, a folder where pip
should install. `chosen_environment` says once what is kept, left out and set. Servers, DVC, stages,
git and pip start with what it returns, and `modelyard` itself goes on with it.
"""

import ipaddress
import locale
import os
import pwd
import stat
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.core.telemetry import SWITCHES

OWN_HOME = Path(__file__).resolve().parents[2] / ".modelyard" / "home"
"""Where libraries write that look for a home, where the user has none."""

# Of git: who the user is, how a server is reached, where the user's own settings are. All else names a
# repository or changes what commands print; a hook's children would work on the hook's repository.
_GIT = {
    *("GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSH_VARIANT", "GIT_ASKPASS", "GIT_EXEC_PATH"),
    *("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"),
    *("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_OPTIONAL_LOCKS"),
    *("GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "GIT_SSL_NO_VERIFY", "GIT_DISCOVERY_ACROSS_FILESYSTEM"),
}
_GIT_SETTINGS = ("safe.", "user.", "http.", "credential.", "url.", "protocol.")
"""Sections that GIT_CONFIG_COUNT may set: a container says `safe.directory` there."""

# Of pip: where packages come from. All else says where they go, or which.
_PIP = {
    *("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX", "PIP_PROXY"),
    *("PIP_CERT", "PIP_CLIENT_CERT", "PIP_TRUSTED_HOST", "PIP_KEYRING_PROVIDER"),
    *(
        "PIP_CONFIG_FILE",
        "PIP_TIMEOUT",
        "PIP_DEFAULT_TIMEOUT",
        "PIP_RETRIES",
        "PIP_CACHE_DIR",
        "PIP_NO_CACHE_DIR",
    ),
}

# Of Python: what changes neither which code runs nor what it does.
_PYTHON = {
    *("PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX"),
    *("PYTHONBREAKPOINT", "PYTHONFAULTHANDLER"),
}

# Of OpenMP: how a thread waits. The number of threads is a parameter, `compute.threads`.
_OPENMP = {"OMP_WAIT_POLICY"}

_KEPT_OF_FAMILY: Mapping[str, frozenset[str]] = {
    "GIT_": frozenset(_GIT),
    "PIP_": frozenset(_PIP),
    "PYTHON": frozenset(_PYTHON),
    "OMP_": frozenset(_OPENMP),
    **dict.fromkeys(
        (
            *("PREFECT_", "MLFLOW_", "DVC_", "DVCLIVE_", "UVICORN_", "GUNICORN_", "FLASK_"),
            *("LC_", "KMP_", "GOMP_", "MKL_", "OPENBLAS_"),
        ),
        frozenset[str](),
    ),
}
"""Families of variables by their first letters, and those of each that are kept."""

_LEFT_OUT = {
    *("LANGUAGE", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__", "WEB_CONCURRENCY", "SSLKEYLOGFILE"),
    *("USE_TORCH", "USE_TF", "USE_FLAX", "USE_JAX"),
    # Of another build, whose stage called us.
    *("MODELYARD_WARM_SOCKET", "MODELYARD_INPUT_KEY"),
}

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")
_CERTIFICATES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT")
_NO_MATTER = {"PYTHONUTF8", "PYTHONIOENCODING", "PYTHONPATH"}
"""Of Python's settings those that do not ask for another start: the second is the terminal's, and
.venv/bin/modelyard and make have taken the last one out."""
_NAMES = ("LOGNAME", "USER", "LNAME", "USERNAME")
_USER_FOLDERS = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")


def chosen_environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """The variables with which this project's processes run, from those of the user's shell.

    Chosen twice, it is the same.
    """
    unusable = {name for name, _ in unusable_settings(inherited)}
    kept = {n: v for n, v in inherited.items() if n not in unusable and is_kept(n)}
    kept |= _git_settings(inherited)
    kept |= _own_addresses_first(kept)
    kept |= _someone(kept)
    # UTF-8 for files and pipes, whatever the terminal speaks; `flows/__main__.py` minds the terminal.
    kept |= {"PYTHONUTF8": "1", "LC_ALL": _UTF8_LOCALE, "LANG": _UTF8_LOCALE}
    # No window, no question, no bar that breaks up the lines of a build.
    kept |= {"MPLBACKEND": "Agg", "GIT_TERMINAL_PROMPT": "0"}
    kept |= {"MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"}
    return {**kept, **SWITCHES}


_UTF8_LOCALE = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"


def choose_environment() -> None:
    """Makes this process go on in the chosen environment."""
    chosen = chosen_environment(os.environ)
    os.environ.clear()
    os.environ.update(chosen)


def needs_another_start(inherited: Mapping[str, str]) -> bool:
    """Whether Python has started with settings that only a new start changes."""
    foreign = {n for n in inherited if n.startswith("PYTHON") and not is_kept(n)}
    by_locale = locale.getencoding().lower() == sys.getfilesystemencoding() == "utf-8"
    return bool(foreign - _NO_MATTER) or not (by_locale or sys.flags.utf8_mode)


def unusable_settings(inherited: Mapping[str, str]) -> list[tuple[str, str]]:
    """Variables that would stop every library that reads them, and why they are passed over."""
    found = []
    for name in (*_PROXIES, *map(str.upper, _PROXIES)):
        if why := _why_unusable(inherited.get(name, "")):
            found.append((name, why))
    for name in _CERTIFICATES:
        path = inherited.get(name)
        if path and not _holds_certificates(path):
            found.append((name, f"no readable certificates in {path!r}"))
    for name in _USER_FOLDERS:
        path = inherited.get(name)
        if path and not _can_be_written(Path(path)):
            found.append((name, f"{path!r} cannot be written"))
    return found


def is_kept(name: str) -> bool:
    """Whether a variable of this name is handed on."""
    for family, kept in _KEPT_OF_FAMILY.items():
        if name.startswith(family):
            return name in kept
    return name not in _LEFT_OUT


def _git_settings(inherited: Mapping[str, str]) -> dict[str, str]:
    """Returns the settings in GIT_CONFIG_COUNT that say whom to trust and how to reach a server."""
    count = inherited.get("GIT_CONFIG_COUNT", "")
    pairs = [
        (key, inherited.get(f"GIT_CONFIG_VALUE_{number}", ""))
        for number in range(int(count) if count.isascii() and count.isdigit() else 0)
        if (key := inherited.get(f"GIT_CONFIG_KEY_{number}", "")).lower().startswith(_GIT_SETTINGS)
    ]
    if not pairs:
        return {}
    kept = {"GIT_CONFIG_COUNT": str(len(pairs))}
    for number, (key, value) in enumerate(pairs):
        kept |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return kept


def _own_addresses_first(environment: Mapping[str, str]) -> dict[str, str]:
    """`no_proxy` with this machine's own addresses added: our servers are reached directly."""
    given = ",".join(environment.get(name, "") for name in ("no_proxy", "NO_PROXY"))
    named = [entry.strip() for entry in given.split(",") if _is_understood(entry.strip())]
    text = ",".join(_once([*(entry.strip("[]") for entry in named), *_LOOPBACK]))
    return {"no_proxy": text, "NO_PROXY": text}


def _is_understood(entry: str) -> bool:
    """Whether an entry of `no_proxy` is a name or an address; httpx fails on a network of IPv6."""
    host, colon, port = entry.rpartition(":")
    if not colon or "://" in entry or (port.isdigit() and ":" not in host):
        return bool(entry) and entry.isascii()
    try:
        return "%" not in entry and bool(ipaddress.IPv6Address(entry.strip("[]")))
    except ValueError:
        return False


def _once(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _someone(environment: Mapping[str, str]) -> dict[str, str]:
    """A name and a home for a user who has none, as in `docker run --user 12345`."""
    found: dict[str, str] = {}
    if not any(environment.get(name) for name in _NAMES) and _entry() is None:
        found |= dict.fromkeys(("LOGNAME", "USER"), f"user-{os.getuid()}")
    home = environment.get("HOME") or _entry()
    if home is None or not _can_be_written(Path(home)):
        found["HOME"] = str(OWN_HOME)
        with suppress(OSError):  # a read-only clone: libraries say it themselves where it matters
            OWN_HOME.mkdir(parents=True, exist_ok=True)
        settings = Path(home or "/nowhere") / ".gitconfig"
        if os.access(settings, os.R_OK) and "GIT_CONFIG_GLOBAL" not in environment:
            found["GIT_CONFIG_GLOBAL"] = str(settings)
    elif not environment.get("HOME"):
        found["HOME"] = home
    return found


def _entry() -> str | None:
    """The home that the system knows for this user; None where it does not know the user."""
    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return None


def _can_be_written(folder: Path) -> bool:
    """Whether the folder can be written, or made: then the nearest one above it that is there."""
    there = next((above for above in (folder, *folder.parents) if above.exists()), Path("/"))
    return folder.is_absolute() and there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def _why_unusable(proxy: str) -> str:
    """Says why no library here can use a proxy's address; empty where one can."""
    try:
        address = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        _ = address.port
    except ValueError:
        return "not the address of a proxy"
    if address.scheme.lower() in ("http", "https"):
        return ""
    return f"a {address.scheme} proxy, for which no package is installed"


def _holds_certificates(path: str) -> bool:
    """Whether certificates can be loaded from the file; a folder of them is a library's own affair."""
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return False
    return stat.S_ISDIR(found.st_mode) or _certificates_load(path, found.st_mtime_ns)


@cache
def _certificates_load(path: str, _changed_ns: int) -> bool:
    """Whether the file's certificates can be loaded; asked once for each state of the file.

    Loading those of a whole system takes some 40 ms, and every child's environment asks for them.
    """
    import ssl  # costs time, and these variables are rarely set

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except (OSError, ValueError):
        return False
    return True
