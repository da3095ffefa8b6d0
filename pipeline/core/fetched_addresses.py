"""Addresses that texts are fetched from: what one may say, where its file is kept, how it is shown.

A secret stands in none of them: `${NAME}` stands for the variable NAME of the environment, and is put in
at the moment of use. What is written to a file or shown to a person is the address as it was written,
without user, password and query string.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

from pipeline.core.errors import DataError

FETCHED = "fetched"
"""Folder below `data/` in which fetched files are kept."""

_SCHEMES = ("https", "http", "s3")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SECRET_OPTIONS = ("password", "passwd", "pwd", "sslpassword")
_SECRET_HEADERS = re.compile(r"auth|cookie|token|secret|key", re.IGNORECASE)
_LONGEST_NAME = 120
_ROWS = "rows.parquet"


def fetched_place(url: str, query: str | None = None, name: str | None = None) -> str:
    """Path below `data/` at which the file of an address is kept; the same for the same address and query.

    Args:
        name: the file's name, where the address has none that says the kind of file.
    """
    digest = hashlib.sha256(f"{url}\n{query or ''}".encode()).hexdigest()[:12]
    folder = f"{FETCHED}/{digest}"
    if name and name.startswith(f"{folder}/"):
        return name
    return f"{folder}/{name or (_ROWS if query is not None else _last_part(url))}"


def _last_part(url: str) -> str:
    """The file's name in an address, in signs that every file system takes."""
    path = url.partition("://")[2].partition("?")[0].partition("#")[0].partition("/")[2]
    name = re.sub(r"[^\w.()+-]+", "_", unquote(PurePosixPath(path).name)).lstrip(".")
    return name[-_LONGEST_NAME:] or "data"


def address_fault(url: str, query: str | None) -> str | None:
    """Says what an address must be, in words without a secret; None where it may be used as it is."""
    if _VARIABLE.fullmatch(url):
        return None
    scheme = url.partition("://")[0].lower() if "://" in url else ""
    if query is None and scheme not in _SCHEMES:
        return f"`url` that begins with one of {', '.join(f'{name}://' for name in _SCHEMES)}, or `query` for a database"
    if query is not None and (not scheme or scheme in _SCHEMES):
        return "`url` of a database, such as postgresql://${USER}:${PASSWORD}@host/name, for there is a `query`"
    if (parts := _parts(url)) is None:
        return "`url` that is an address"
    if not parts.netloc and scheme != "sqlite":
        return "`url` with the name of a host"
    if scheme == "s3" and len(parts.path) < 2:
        return "`url` of one object, as in s3://bucket/key"
    literal = [parts.password, *(v for k, v in parse_qsl(parts.query) if k in _SECRET_OPTIONS)]
    if any(secret and not _VARIABLE.fullmatch(secret) for secret in literal):
        return "`url` with ${NAME} in the place of the password: an environment variable holds it, no file"
    return None


def header_fault(headers: Mapping[str, str]) -> str | None:
    """Names a header whose secret stands in the file itself; None where there is none."""
    for name, value in headers.items():
        if _SECRET_HEADERS.search(name) and not _VARIABLE.search(value):
            return f"`headers` with ${{NAME}} in {name}: an environment variable holds the secret, no file"
        if not (name + value).isascii() or not (name + value).isprintable():
            return f"`headers` in ASCII, which {name!r} is not"
    return None


def shown_address(url: str) -> str:
    """An address as it may be shown: without user, password, query string and fragment."""
    if "://" not in url or (parts := _parts(url)) is None:
        return url if _VARIABLE.fullmatch(url) else "(an address)"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def with_variables(text: str, environment: Mapping[str, str], *, of: str, quoted: bool) -> str:
    """The text with the values of its `${NAME}`s, percent-encoded where they are part of an address.

    Args:
        of: what the text belongs to, for messages: `source tickets`.

    Raises:
        DataError: a variable is not set, or is empty.
    """
    if missing := [name for name in variables(text) if not environment.get(name)]:
        raise DataError(
            f"{of}: the environment variable {missing[0]} is not set",
            expected="the credential in it, for a product file never holds one",
            next_step=f"export {missing[0]}=… in the shell, or set it for the service that builds",
        )
    if _VARIABLE.fullmatch(text):
        quoted = False  # it holds the whole address
    return _VARIABLE.sub(
        lambda found: quote(environment[found[1]], safe="") if quoted else environment[found[1]],
        text,
    )


def variables(text: str) -> list[str]:
    """Names of the environment variables that a text asks for."""
    return _VARIABLE.findall(text)


def without_secrets(message: str, texts: list[str], environment: Mapping[str, str]) -> str:
    """A message of a library in one line, with `${NAME}` in place of the values that `texts` ask for."""
    for name in dict.fromkeys(name for text in texts for name in variables(text)):
        if value := environment.get(name):
            for secret in (value, quote(value, safe="")):
                message = message.replace(secret, f"${{{name}}}")
    return " ".join(message.split())


def _parts(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts
