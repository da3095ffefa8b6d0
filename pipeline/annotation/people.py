"""The people who label: names, roles, and links that only they have.

A link holds a token. The file keeps its SHA-256 alone, so that nobody who reads the file can label as
somebody else; what is published calls people p1, p2, … in place of their names.
"""

import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal, get_args

import yaml

from pipeline.core.errors import DataError
from pipeline.core.files import write_text
from pipeline.core.typed_json import MismatchError, read_as

Role = Literal["annotator", "adjudicator", "lead"]
ROLES: tuple[Role, ...] = get_args(Role)
ALONE = "me"
"""Name of the one who labels where no names are given."""

_LINKS = 10
"""How many links of a person work at a time: each start prints a new one, and open pages go on."""
_MOST_NAME = 60
_OWNER_ALONE = 0o600


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody who labels.

    Attributes:
        name: as the person is called here; it is never published.
        published: as the person is called in what is published: p1, p2, …
        tokens: SHA-256 of the tokens of the person's links, in hex, the newest last.
    """

    name: str
    published: str
    role: Role = "annotator"
    tokens: tuple[str, ...] = ()


People = tuple[Person, ...]


def named(text: str) -> dict[str, Role | None]:
    """The names, and the roles where any are given, of a list such as `ann,bob:lead`.

    Raises:
        DataError: a name or a role is none, or a name comes twice.
    """
    found: dict[str, Role | None] = {}
    for part in text.split(","):
        given, _, role_name = part.partition(":")
        name = unicodedata.normalize("NFC", given).strip()
        role = next((role for role in ROLES if role == role_name.strip()), None)
        if not name or len(name) > _MOST_NAME or not name.isprintable():
            raise _no_person(f"the name {part!r}", f"a name of 1 to {_MOST_NAME} characters")
        if role_name and role is None:
            raise _no_person(f"the role {role_name!r} of {name}", f"one of: {', '.join(ROLES)}")
        if name.casefold() in {other.casefold() for other in found}:
            raise _no_person(f"the name {name!r} twice", "each name once")
        found[name] = role
    return found


def invited(
    people: People, wanted: Mapping[str, Role | None], *, others_end: bool = False
) -> tuple[People, dict[str, str]]:
    """The people with those who are wanted, and a new token for each of these by name.

    Where nobody is wanted, everybody who is known gets one; where nobody is known, one person called `me`.

    Args:
        wanted: name → role; None keeps the role that the person has, at first `annotator`.
        others_end: whether links that were given out before end.
    """
    wanted = dict(wanted) or {person.name: None for person in people} or {ALONE: "lead"}
    known = {person.name.casefold(): person for person in people}
    tokens: dict[str, str] = {}
    for name, role in wanted.items():
        person = known.get(name.casefold()) or Person(name=name, published=f"p{len(known) + 1}")
        tokens[person.name] = token = secrets.token_urlsafe(24)
        kept = () if others_end else person.tokens[-_LINKS + 1 :]
        known[name.casefold()] = replace(
            person, role=role or person.role, tokens=(*kept, _hash(token))
        )
    return tuple(known.values()), tokens


def person_of(people: Iterable[Person], token: str) -> Person | None:
    """The person whose link has the token; None where nobody's has.

    Every hash is compared, each in constant time, so that the delay tells nothing.
    """
    given, found = _hash(token), None
    for person in people:
        for known in person.tokens:
            if hmac.compare_digest(known, given):
                found = person
    return found


def read_people(path: Path) -> People:
    """The people of a file that `write_people` wrote; nobody where there is none.

    Raises:
        DataError: it is damaged.
    """
    if not path.exists():
        return ()
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8")) or []
        return tuple(read_as(Person, entry) for entry in entries)
    except (OSError, ValueError, TypeError, yaml.YAMLError, MismatchError) as error:
        raise DataError(
            f"{path.name}: {error}",
            expected="a list of people, each with name, published, role and tokens",
            next_step="correct the file, or remove it: then new links are made, and p1 is the first again",
        ) from error


def write_people(path: Path, people: Sequence[Person]) -> None:
    """Writes the file, which its owner alone may read, in a folder that nobody else may enter."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    entries = [asdict(person) | {"tokens": [*person.tokens]} for person in people]
    write_text(path, yaml.safe_dump(entries, sort_keys=False, allow_unicode=True))
    path.chmod(_OWNER_ALONE)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _no_person(got: str, expected: str) -> DataError:
    return DataError(got, expected=expected, next_step="correct --people: ann,bob or ann:lead,bob")
