"""Brings the texts of addresses and databases into `data/fetched/`, before a build looks at `data/`.

A stage reads files alone: what comes over a network could not be repeated. So fetching is a step before
the first stage (docs/adr/0039). What is there is not fetched again, unless its hash is not the pinned one.

    fetch_sources(root, params)    # builds and retrainings call it, by flows/fetching/before_build.py
    modelyard data fetch           # by hand; --again brings the newest state, of some sources only newer rows
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from flows.fetching.high_water import Mark
from flows.fetching.incremental import has_joined, has_other_columns, mark_of
from flows.fetching.partial_file import PartialFile
from flows.fetching.patience import Patience
from flows.fetching.redirects import is_private
from pipeline.core.errors import DataError
from pipeline.core.fetched_addresses import (
    shown_address,
    variables,
    with_variables,
    without_secrets,
)
from pipeline.core.file_lock import Holder, waited_lock
from pipeline.core.files import atomic_path, sha256_file, sync
from pipeline.core.foreign_files import what_is
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.progress import say
from pipeline.core.sections import Source
from pipeline.data.layout import Layout, ending_of
from pipeline.data.rows import KINDS, read_rows

_WAIT_SAYS = 10.0
_HTTP_ACCESS = "give the credential in `headers` of the source, such as {Authorization: 'Bearer ${TOKEN}'}, or correct `url`"


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """A source whose file is in `data/`.

    Attributes:
        file: where it is.
        is_new: whether it came just now.
    """

    source: str
    file: Path
    is_new: bool


def fetch_sources(
    root: Path,
    params: Params,
    *,
    again: bool = False,
    full: bool = False,
    names: Sequence[str] = (),
    patience: Patience | None = None,
) -> list[Fetched]:
    """Brings what is missing of the sources into `data/`, each file whole or not at all.

    Args:
        again: also bring what is there already, unless it is what a pin names; of a source with
            `since_column`, rows that are newer than those that are there.
        full: as `again`, but all rows of each source.
        names: only these sources; none for all.

    Raises:
        DataError: an address, a server, a database or what it gives is not as the source says.
    """
    fetched: dict[str, Fetched] = {}
    for source in params.collect.sources:
        if source.url is None or (names and source.name not in names):
            continue
        known = fetched.get(source.path)  # two sources may read the same file
        fetched[source.path] = _fetched(
            root,
            source,
            again=(again or full) and known is None,
            full=full,
            patience=patience or Patience(),
        )
    return [*fetched.values()]


def _fetched(root: Path, source: Source, *, again: bool, full: bool, patience: Patience) -> Fetched:
    """Brings one source, unless it is there; one process at a time."""
    target = Paths(root).data / source.path
    folder = Paths(root).state / "fetch" / target.parent.name
    with waited_lock(folder.with_suffix(".lock"), what="fetch", waiting=_Waiting(source.name)):
        if _is_there(source, target, again=again):
            return Fetched(source=source.name, file=target, is_new=False)
        part = PartialFile(folder / target.name)
        say(f"fetch  {source.name}: {shown_address(str(source.url))}")
        mark = None if full else mark_of(source, target)
        _bring(root, source, part, patience, mark=mark)
        if mark is not None and has_other_columns(part, target):
            say(f"fetch  {source.name}: its columns are others than before: all rows are read")
            mark = None
            _bring(root, source, part, patience)
        found = _accepted(source, part)
        if mark is not None and not has_joined(source, part, target, mark):
            shutil.rmtree(folder, ignore_errors=True)
            return Fetched(source=source.name, file=target, is_new=False)
        with _no_build(root):
            _place(part, target)
        shutil.rmtree(folder, ignore_errors=True)
    say(f"fetch  {source.name}: {target.stat().st_size:,} bytes in {target.relative_to(root)}")
    if source.sha256 is None and source.since_column is None:
        say(
            f"fetch  {source.name}: to be told when it changes, pin it in the product file: sha256: {found}"
        )
    return Fetched(source=source.name, file=target, is_new=True)


def _is_there(source: Source, target: Path, *, again: bool) -> bool:
    """Whether the file need not be fetched: it is what the pin names or, without a pin, any is wanted."""
    if not target.is_file():
        return False
    return not again if source.sha256 is None else sha256_file(target) == source.sha256


def _bring(
    root: Path, source: Source, part: PartialFile, patience: Patience, *, mark: Mark | None = None
) -> None:
    """Downloads the file, or writes the rows of the query, those from a mark on."""
    of, most, written = f"source {source.name}", int(source.max_mb * 1e6), str(source.url)
    url = with_variables(written, os.environ, of=of, quoted=True)
    if source.query is not None:
        from flows.fetching.sql_rows import Selection, write_rows

        part.path.parent.mkdir(parents=True, exist_ok=True)
        hide = partial(without_secrets, texts=[written], environment=os.environ)
        selection = Selection(
            url=url,
            shown=shown_address(written),
            query=source.query,
            of=of,
            most=most,
            hide=hide,
            since=source.since_column,
            mark=mark,
        )
        with _removed_on_error(part):
            write_rows(selection, part.path, root=root)
        return
    _require_kind(source)
    from flows.fetching.http_download import Download, download
    from flows.fetching.signed_s3 import ACCESS, signed_address

    scheme = url.partition("://")[0].lower()
    _require_encryption(source, url)
    headers = {
        name: with_variables(value, os.environ, of=of, quoted=False).strip()
        for name, value in source.headers.items()
    }
    wanted = Download(
        url=signed_address(url, of=of) if scheme == "s3" else url,
        shown=shown_address(written),
        of=of,
        most=most,
        access=ACCESS if scheme == "s3" else _HTTP_ACCESS,
        headers=headers,
    )
    download(wanted, part, patience)


def _require_encryption(source: Source, url: str) -> None:
    """Raises DataError where a credential would cross the open network for everybody to read."""
    parts = urlsplit(url)
    has_secrets = bool(variables(str(source.url)) or source.headers)
    if parts.scheme == "http" and has_secrets and not is_private(parts.hostname or "", 80):
        raise DataError(
            f"source {source.name}: {shown_address(str(source.url))} would get a credential unencrypted",
            expected="https, where the address or `headers` hold a credential",
            next_step="write https:// in `url`, or take the credential out",
        )


def _require_kind(source: Source) -> None:
    """Raises DataError, before anything is fetched, where the name does not say the kind of file."""
    name = Path(source.path)
    if ending_of(name) not in KINDS:
        raise DataError(
            f"source {source.name}: the address ends in {name.name}, which says no kind of file",
            expected=f"one of these endings: {', '.join(KINDS)}, and .gz or .zst behind them",
            next_step="name the file by `path` in the product file, such as path: tickets.csv",
        )


def _accepted(source: Source, part: PartialFile) -> str:
    """The SHA-256 of a file that came; one that is no table of the source never gets into `data/`.

    Raises:
        DataError: it is a web page or empty, has another hash, or its first row cannot be read.
    """
    found = sha256_file(part.path)
    if source.sha256 not in (None, found):
        with _removed_on_error(part):
            _refuse_foreign(source, part)
            raise DataError(
                f"source {source.name}: what came has sha256 {found}",
                expected=f"{source.sha256}, its `sha256` in the product file",
                next_step="ask whoever offers it what changed; if you trust it, write its new hash there",
            )
    with _removed_on_error(part):
        _refuse_foreign(source, part)
    # What came stays: where the product file names a wrong column, it need not come twice.
    texts = [source.text_column, source.second_text_column]
    columns = [*texts, source.label_column, source.id_column, *source.where]
    layout = Layout(encoding=source.encoding, separator=source.separator)
    lists = [source.label_column] if source.label_column else []
    wanted = [*dict.fromkeys(name for name in columns if name)]
    next(iter(read_rows(part.path, columns=wanted, lists=lists, layout=layout)), None)
    return found


def _refuse_foreign(source: Source, part: PartialFile) -> None:
    if (foreign := what_is(part.path)) is not None:
        raise DataError(
            f"source {source.name}: {shown_address(str(source.url))} gave what is {foreign[0]}",
            expected="rows, not what stands for them",
            next_step=_HTTP_ACCESS,
        )


@contextmanager
def _removed_on_error(part: PartialFile) -> Iterator[None]:
    """Removes what came where the block fails: the same address may give something else the next time."""
    try:
        yield
    except BaseException:
        part.forget()
        raise


@contextmanager
def _no_build(root: Path) -> Iterator[None]:
    """Keeps builds of the folder away: DVC must see one state of `data/` from start to end."""
    lock = Paths(root).state / "build.lock"
    with waited_lock(lock, what="fetch", waiting=_Waiting("data/")):
        yield


class _Waiting:
    """Says now and then what a fetch waits for."""

    def __init__(self, name: str) -> None:
        self._name, self._next = name, 1.0

    def __call__(self, holder: Holder, seconds: float) -> None:
        if seconds >= self._next:
            self._next = seconds + _WAIT_SAYS
            say(f"fetch  {self._name}: waits for another that uses it ({holder})")


def _place(part: PartialFile, target: Path) -> None:
    """Puts the file into `data/`, which may be on another disk."""
    target.parent.mkdir(parents=True, exist_ok=True)
    sync(part.path)
    if part.path.stat().st_dev == target.parent.stat().st_dev:
        part.path.chmod(0o644)
        part.path.replace(target)
        sync(target.parent)
        return
    with atomic_path(target) as temporary:
        shutil.copyfile(part.path, temporary)
