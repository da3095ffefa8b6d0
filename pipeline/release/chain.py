"""Chains and signs lines: nobody without the project's key can cut or change one unseen.

Each line holds in `chain` the SHA-256 of the line before it, the first one that of all that stood
there, which lines of older versions may be. The head says which line is the last; it is signed, and
is written before the line, which it holds too, so that a line cut short by a kill is finished later.

A damaged file stops nothing: the next line is chained to what the head says, never to what was
altered, so that `faults` finds the place ever after.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import IO

from pipeline.core.errors import ArtifactError
from pipeline.core.files import read_json, sync, write_json, write_text
from pipeline.core.typed_json import MismatchError, read_as
from pipeline.release.durable import Write, durable
from pipeline.release.keys import ledger_key, ledger_key_file, public_pem, read_public
from pipeline.release.state import ReleaseState

_BROKEN = "0" * 64
"""Chained to by a line whose forerunner nobody can vouch for."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """Says which line is the last.

    Attributes:
        lines: its number, from 1.
        sha256: of the line, without its line break.
        line: its text.
        public_key: PEM of the key that signed it.
        signature: of the product, `lines` and `sha256`, in hex.
    """

    lines: int
    sha256: str
    line: str
    public_key: str
    signature: str


class Chain:
    """A ledger that is open for appending, with the lock held."""

    def __init__(self, state: ReleaseState, stream: IO[bytes]) -> None:
        self._state, self._stream = state, stream
        self._key = ledger_key(state.root)
        self._public = public_pem(self._key).decode()
        self._head = _trusted_head(state, self._public)
        self._lines = self._finish()

    @property
    def has_another_key(self) -> bool:
        """Whether the last line was signed with a key that is no longer here."""
        return self._head is not None and self._head.public_key != self._public

    def add(self, make_line: Callable[[str], str]) -> None:
        """Appends one line and waits until it is on the disk.

        Args:
            make_line: the text of the line, given what it must hold as `chain`.
        """
        public = self._state.public_key
        if not public.exists():
            self._write_public_key()
        line = make_line(self._link())
        digest, number = _sha256(line.encode()), len(self._lines) + 1
        signature = self._key.sign(_message(self._state, number, digest)).hex()
        self._head = Head(
            lines=number, sha256=digest, line=line, public_key=self._public, signature=signature
        )
        with durable(Write.HEAD):
            write_json(self._state.head, asdict(self._head))
        self._write(f"{line}\n".encode())
        self._lines.append(line.encode())
        if public.read_text(encoding="utf-8") != self._public:
            self._write_public_key()

    def _link(self) -> str:
        """Returns what the next line must hold as `chain`."""
        if self._head is not None:
            return self._head.sha256
        altered = any(map(_is_chained, self._lines))
        return _BROKEN if altered else _sha256(b"".join(line + b"\n" for line in self._lines))

    def _finish(self) -> list[bytes]:
        """The lines, after a last one that a kill cut short has been finished."""
        self._stream.seek(0)
        whole, _, rest = (b"\n" + self._stream.read()).rpartition(b"\n")
        lines, head = whole.split(b"\n")[1:], self._head
        promised = head.line.encode() if head is not None and head.lines == len(lines) + 1 else b""
        if promised and promised.startswith(rest):
            self._write(promised[len(rest) :] + b"\n")
            lines.append(promised)
        elif rest:
            # Half a line of an older version: it must not swallow the next one.
            self._write(b"\n")
            lines.append(rest)
        return lines

    def _write(self, data: bytes) -> None:
        with durable(Write.LINE):
            self._stream.write(data)
            self._stream.flush()
            os.fsync(self._stream.fileno())
            if self._stream.tell() == len(data):  # a new file, whose name has to last too
                sync(self._state.folder)

    def _write_public_key(self) -> None:
        with durable(Write.PUBLIC_KEY):
            write_text(self._state.public_key, self._public)


@contextmanager
def open_chain(state: ReleaseState) -> Iterator[Chain]:
    """The product's ledger, open for appending; others who append wait meanwhile."""
    state.folder.mkdir(parents=True, exist_ok=True)
    with state.ledger.open("a+b") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield Chain(state, stream)


def faults(state: ReleaseState) -> list[str]:
    """The faults of a ledger's chain and head, a sentence each; empty where there is none."""
    data = state.ledger.read_bytes() if state.ledger.exists() else b""
    whole, _, rest = (b"\n" + data).rpartition(b"\n")
    lines = whole.split(b"\n")[1:]
    found = _chain_faults(lines)
    if rest:
        found.append(f"line {len(lines) + 1} of {state.ledger.name} is cut short")
    if state.head.exists() or any(map(_is_chained, lines)):
        found += _head_faults(state, lines)
    return found


def _chain_faults(lines: list[bytes]) -> list[str]:
    found, sealed = [], False
    for number, line in enumerate(lines, start=1):
        link = _chain_of(line)
        if not sealed and link is None:
            continue
        before = (
            lines[number - 2] if sealed else b"".join(old + b"\n" for old in lines[: number - 1])
        )
        expected = _sha256(before)
        if link is None:
            found.append(
                f"line {number} is not chained: it was altered, or an older version wrote it"
            )
        elif link != expected:
            altered = f"line {number - 1}" if sealed else f"a line before line {number}"
            found.append(
                f"{altered} was altered, cut or added: line {number} holds the SHA-256 of another"
            )
        sealed = True
    return found


def _head_faults(state: ReleaseState, lines: list[bytes]) -> list[str]:
    name = state.head.name
    if not state.head.exists():
        return [f"{name}, which signs the last line, is missing"]
    head, reason = _read_head(state)
    if head is None:
        return [f"{name} {reason}"]
    try:
        public = state.public_key.read_text(encoding="utf-8")
    except OSError as error:
        return [f"{state.public_key.name} cannot be read: {error.strerror}"]
    found = []
    if head.public_key != public:
        found.append(f"{name} is signed with another key than {state.public_key.name}")
    if ledger_key_file(state.root).exists():
        own = public_pem(ledger_key(state.root)).decode()
        if own != public:
            found.append(f"{state.public_key.name} is not the public half of this project's key")
    if head.lines > len(lines):
        found.append(f"line {head.lines}, which {name} signs, is missing")
    elif _sha256(lines[head.lines - 1]) != head.sha256:
        found.append(f"line {head.lines} is another than the one that {name} signs")
    elif head.lines < len(lines):
        found.append(f"line {head.lines + 1} and what follows is not signed by {name}")
    return found


def _trusted_head(state: ReleaseState, own: str) -> Head | None:
    """The head, if it is signed with this project's key or with the one that was here before."""
    head, _ = _read_head(state) if state.head.exists() else (None, "")
    if head is None:
        return None
    beside = state.public_key.read_text(encoding="utf-8") if state.public_key.exists() else own
    return head if head.public_key in (own, beside) else None


def _read_head(state: ReleaseState) -> tuple[Head | None, str]:
    """The head, if its signature is that of the key in it; else why there is none."""
    from cryptography.exceptions import InvalidSignature

    try:
        head = read_as(Head, read_json(state.head))
        message = _message(state, head.lines, head.sha256)
        read_public(head.public_key.encode()).verify(bytes.fromhex(head.signature), message)
    except (ArtifactError, MismatchError, ValueError) as error:
        return None, f"is damaged: {error}"
    except InvalidSignature:
        return None, "has a signature that is not its key's: it was altered"
    if head.lines < 1 or _sha256(head.line.encode()) != head.sha256:
        return None, "holds another line than it signs: it was altered"
    return head, ""


def _message(state: ReleaseState, number: int, digest: str) -> bytes:
    return f"modelyard ledger of {state.product}: line {number}, SHA-256 {digest}\n".encode()


def _chain_of(line: bytes) -> str | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    link = value.get("chain") if isinstance(value, dict) else None
    return link if isinstance(link, str) else None


def _is_chained(line: bytes) -> bool:
    return _chain_of(line) is not None


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
