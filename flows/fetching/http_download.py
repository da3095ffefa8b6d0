"""Downloads a file over HTTP; a download that was cut goes on where it ended, of the same edition alone.

No library that we found does this and is kept: httpx has the requests, and this module Range and If-Range
(RFC 9110, section 13.1.5 and 14), redirects that are looked at first, and the waits between attempts.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from flows.fetching.megabytes import MEGABYTE, MegabyteProgress
from flows.fetching.partial_file import PartialFile, edition_of, starts_at
from flows.fetching.patience import Patience
from flows.fetching.redirects import MOST_REDIRECTS, redirected, same_origin
from pipeline.core.errors import DataError
from pipeline.core.progress import say

_PASSING = (408, 425, 429, 500, 502, 503, 504)
"""Answers after which the same request may succeed a little later."""
_NO_ACCESS = (301, 400, 401, 403)
"""Answers to a request that lacks a credential, or has a wrong one; S3 gives 301 and 400 for another region."""
_LONGEST_WAIT = 60.0


@dataclass(frozen=True, kw_only=True)
class Download:
    """A file that is wanted.

    Attributes:
        url: its address, with all secrets; it is in no message.
        shown: the address as it may be shown.
        of: the source, for messages.
        most: bytes that it may have.
        access: what to do where the server refuses access.
    """

    url: str = field(repr=False)
    shown: str
    of: str
    most: int
    access: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class _PassingError(Exception):
    """A fault that another attempt may not meet.

    Attributes:
        wait: seconds for which the server asks.
    """

    def __init__(self, what: str, *, wait: float = 0.0) -> None:
        super().__init__(what)
        self.wait = wait


def download(wanted: Download, part: PartialFile, patience: Patience | None = None) -> None:
    """Brings the whole file to `part`, which may hold its beginning.

    Raises:
        DataError: there is no such file, it is too large, or the server does not give it.
    """
    patience = patience or Patience()
    failed, furthest, limit = (
        0,
        part.size,
        httpx.Timeout(patience.silence, connect=patience.connect),
    )
    with httpx.Client(timeout=limit, follow_redirects=False) as client:
        while True:
            try:
                _attempt(client, wanted, part)
                return
            except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError):
                raise _no_request(wanted) from None  # their messages hold addresses and headers
            except (httpx.TransportError, _PassingError) as error:
                failed = 1 if part.size > furthest else failed + 1
                furthest = max(furthest, part.size)
                told, wait = _told(error), getattr(error, "wait", 0.0)
            if failed >= patience.attempts:
                raise _gave_up(wanted, told, failed)
            wait = min(max(wait, patience.pause * 2 ** (failed - 1)), _LONGEST_WAIT)
            say(f"fetch  {wanted.of}: {told}; trying again in {wait:.0f} s")
            time.sleep(wait)


def _attempt(client: httpx.Client, wanted: Download, part: PartialFile) -> None:
    """Asks once for what is missing, and writes what comes."""
    before, whole = part.edition, part.is_whole
    headers = {**wanted.headers, "Accept-Encoding": "identity"}
    if before.mark and whole:
        name = "If-None-Match" if before.mark.startswith('"') else "If-Modified-Since"
        headers[name] = before.mark
    elif before.mark:
        headers |= {"Range": f"bytes={part.size}-", "If-Range": before.mark}
    with _answer(client, wanted, headers) as answer:
        if answer.status_code == httpx.codes.NOT_MODIFIED and whole:
            return
        if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            part.forget()
            raise _PassingError("the file at the address has changed")
        _require_a_file(answer, wanted)
        edition = edition_of(answer.headers)
        if answer.status_code == httpx.codes.PARTIAL_CONTENT:
            if not before.goes_on_as(edition) or starts_at(answer.headers) != part.size:
                part.forget()
                raise _PassingError("the file at the address changed while it was downloaded")
        else:
            part.begin(edition)
        _write(answer, wanted, part, total=edition.total)


@contextmanager
def _answer(
    client: httpx.Client, wanted: Download, headers: Mapping[str, str]
) -> Iterator[httpx.Response]:
    """The answer at the end of the redirects, whose body was not read yet."""
    url, given = wanted.url, dict(headers)
    for _ in range(MOST_REDIRECTS + 1):
        with client.stream("GET", url, headers=given) as answer:
            location = answer.headers.get("location")
            if not answer.is_redirect or location is None:
                yield answer
                return
        target = redirected(url, location, first=wanted.url, of=wanted.of)
        if not same_origin(url, target):
            given = {name: value for name, value in given.items() if name not in wanted.headers}
        url = target
    raise DataError(
        f"{wanted.of}: {wanted.shown} leads on more than {MOST_REDIRECTS} times",
        expected="an address that leads to a file",
        next_step="open it in a browser, and write where it ends as `url` in the product file",
    )


def _require_a_file(answer: httpx.Response, wanted: Download) -> None:
    """Raises an error for an answer that brings no file."""
    status = answer.status_code
    if status in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
        return
    said = f"{status} {answer.reason_phrase}".strip()
    if status in _PASSING:
        asked = answer.headers.get("retry-after", "")
        wait = float(asked) if asked.isascii() and asked.isdigit() else 0.0
        raise _PassingError(f"the server answered {said}", wait=wait)
    if status in _NO_ACCESS:
        expected, next_step = "leave to read it", wanted.access
    else:
        expected, next_step = (
            "a file",
            "correct `url` in the product file, or ask whoever offers it",
        )
    got = f"{wanted.of}: {wanted.shown} was answered with {said}"
    raise DataError(got, expected=expected, next_step=next_step)


def _write(
    answer: httpx.Response, wanted: Download, part: PartialFile, *, total: int | None
) -> None:
    """Appends the body; raises DataError before more than the limit is on the disk."""
    _require_small(total or 0, wanted, part)
    size = part.size
    progress = MegabyteProgress(f"fetch  {wanted.of}", total=total, done=size)
    with part.path.open("ab") as stream:
        for block in answer.iter_raw():
            _require_small(size + len(block), wanted, part)
            stream.write(block)
            size += len(block)
            progress.update(size)
    if total is not None and size != total:
        raise _PassingError(f"{size:,} bytes came of {total:,}")


def _require_small(size: int, wanted: Download, part: PartialFile) -> None:
    if size > wanted.most:
        part.forget()
        raise DataError(
            f"{wanted.of}: {wanted.shown} has {size / MEGABYTE:,.1f} MB or more",
            expected=f"at most {wanted.most / MEGABYTE:,.1f} MB, the source's `max_mb`",
            next_step="raise `max_mb` in the product file, or name a smaller file",
        )


def _told(error: Exception) -> str:
    """Says what went wrong on the way, in words without the address."""
    if isinstance(error, httpx.ConnectTimeout):
        return "the server took no connection in time"
    if isinstance(error, httpx.TimeoutException):
        return "the server fell silent"
    if isinstance(error, httpx.ConnectError):
        return f"no connection to the server ({_said(error)})"
    if isinstance(error, httpx.TransportError):
        return f"the connection was cut ({_said(error)})"
    return str(error)


def _said(error: Exception) -> str:
    return str(error).rstrip(".") or type(error).__name__


def _no_request(wanted: Download) -> DataError:
    return DataError(
        f"{wanted.of}: {wanted.shown} cannot be asked for",
        expected="an address of http or https, and headers in one line each",
        next_step="correct `url` and `headers` in the product file, and the variables that they name",
    )


def _gave_up(wanted: Download, told: str, attempts: int) -> DataError:
    return DataError(
        f"{wanted.of}: {wanted.shown}: {told}; {attempts} attempts in a row brought nothing new",
        expected="a server that gives the whole file",
        next_step="look whether the network and the server work, then run the same command again: "
        "a download goes on where it ended",
    )
