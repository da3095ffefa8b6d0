"""Base classes of typed JSON files: how they are read, checked and written.

Each JSON file below artifacts/ that another program reads has a type in this folder, with a
docstring a key. Reading refuses a file in which a key is missing, unknown or of another type.
docs/guide/artifacts.md is made from these types.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, ClassVar, Protocol, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from pipeline.core.errors import ArtifactError
from pipeline.core.files import read_json, write_json
from pipeline.core.paths import Paths

Number = int | float
"""A finite number that keeps its form: 0 stays 0 and does not become 0.0."""
Ends = Annotated[list[float], Field(min_length=2, max_length=2)]
"""An interval, `[low, high]`."""
_NOT_A_NUMBER = {"float_type", "int_type", "finite_number", "float_parsing", "int_from_float"}


class Part(BaseModel):
    """A JSON object with known keys. Keys that were never set are not written."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        populate_by_name=True,
        use_attribute_docstrings=True,
    )

    @classmethod
    def parse(cls, values: Any, *, file: str) -> Self:
        """Check parsed JSON.

        Args:
            file: what to call it in the error.

        Raises:
            ArtifactError: naming every key that is missing, unknown or of another type.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            faults = dict.fromkeys(map(_fault, error.errors(include_url=False)))
            raise ArtifactError(
                f"{file}: {'; '.join(faults)}",
                expected="the keys that docs/guide/artifacts.md lists for this file",
                next_step="run `make pipeline` to build it again; do not edit it by hand",
            ) from error

    def as_json(self) -> dict[str, Any]:
        """The object as dictionaries and lists, under the names that the file uses."""
        return self.model_dump(by_alias=True, exclude_unset=True)


class Artifact(Part):
    """A whole JSON file that a stage writes and others read."""

    FILE: ClassVar[str]
    """`<stage>/<file>` below artifacts/."""

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file of this type; `ArtifactError` where it is missing or has other keys."""
        return cls.parse(read_json(path), file=f"{path.parent.name}/{path.name}")

    @classmethod
    def read(cls, paths: Paths) -> Self:
        """Read this file from the workspace, as `load` does."""
        return cls.load(paths.read(*cls.FILE.split("/")))

    def save(self, path: Path) -> None:
        """Write the file, whole or not at all."""
        write_json(path, self.as_json())

    def write(self, paths: Paths) -> None:
        """Write the file into the folder of the running stage."""
        self.save(paths.out / self.FILE.rpartition("/")[2])


def _fault(error: ErrorDetails) -> str:
    """One fault in words: where it is, then what is wrong there."""
    # A union of int and float adds the type it tried to the location.
    place = [str(part) for part in error["loc"] if part not in ("int", "float")]
    parent, name = ".".join(place[:-1]), place[-1] if place else "file"
    under = f"{parent}: " if parent else ""
    if error["type"] == "extra_forbidden":
        return f"{under}unknown key {name}"
    if error["type"] == "missing" and parent:
        inner = f"{'.'.join(place[1:-1])} " if place[1:-1] else ""
        return f"{place[0]}: {inner}without {name}"
    if error["type"] in _NOT_A_NUMBER:
        return f"{under}{name} is no finite number"
    if error["type"] == "missing" or error["input"] is None:
        return f"{'.'.join(place)}: missing"
    return f"{'.'.join(place)}: {error['msg']}"


class _Named(Protocol):
    @property
    def name(self) -> str: ...


Entry = TypeVar("Entry", bound=_Named)


def named(entries: Iterable[Entry], name: str, *, file: str) -> Entry:
    """The entry of this name; `ArtifactError` where there is none."""
    found = by_name(entries)
    if name not in found:
        raise ArtifactError(
            f"{file} has no entry {name!r}",
            expected=f"a name that another stage uses, one of: {', '.join(found)}",
            next_step="build again; if it stays so, report it: two stages disagree",
        )
    return found[name]


def by_name(entries: Iterable[Entry]) -> dict[str, Entry]:
    """Entries by their names."""
    return {entry.name: entry for entry in entries}
