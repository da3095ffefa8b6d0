"""Reads and writes what a retraining leaves beside a model that it releases, for those after it.

It holds while that model is the champion. A model that a person releases has none: the person has
decided, and the next retrain is compared with that model alone, with the values of the files.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from flows.planning.resolution import Variation, change_lines
from pipeline.core.errors import ReleaseError
from pipeline.core.files import write_json
from pipeline.core.params import Params, as_values, parse_change
from pipeline.core.typed_json import MismatchError, read_as
from pipeline.release.state import ReleaseState


@dataclass(frozen=True, kw_only=True)
class KeptChange:
    """A value that a released model was built with and the files did not say.

    Attributes:
        line: `section.key=value`, as it was given.
        written: what the files said instead. Where they say something else now, they win: somebody
            has edited the value since.
    """

    line: str
    written: Any


@dataclass(frozen=True, kw_only=True)
class Standing:
    """The guard (pipeline/monitoring/decide.py) without the model itself, and its changes."""

    guard: list[str] = field(default_factory=list)
    changes: list[KeptChange] = field(default_factory=list)


def standing_of(state: ReleaseState, bundle_hash: str | None) -> Standing:
    """Returns what was written beside a model; nothing for one that a person released."""
    if bundle_hash is None:
        return Standing()
    path = _path(state, bundle_hash)
    try:
        value = state.optional(path)
        return Standing() if value is None else read_as(Standing, value)
    except MismatchError as error:
        raise ReleaseError(
            f"{path} with {error}",
            expected="what a retrain wrote, never edited by hand",
            next_step="restore the file from a backup, or delete it: the champion alone counts then",
        ) from error


def keep_standing(state: ReleaseState, bundle_hash: str, standing: Standing) -> None:
    """Writes it before the model is released: it counts only when, and while, that is the champion."""
    write_json(_path(state, bundle_hash), asdict(standing))


def forget_standing(state: ReleaseState, bundle_hash: str) -> None:
    """Removes it where the model was not released after all."""
    _path(state, bundle_hash).unlink(missing_ok=True)


def with_kept(
    variation: Variation, kept: Sequence[KeptChange], *, files: Path, written: Params
) -> Variation:
    """The variation, and below its own values the kept ones that nobody has written anew since.

    Args:
        files: folder of the product files and profiles.
        written: the parameters as the files say them.
    """
    own = {parse_change(line)[0] for line in change_lines(files, variation)}
    values = as_values(written)
    lines = [
        change.line
        for change in kept
        if (key := parse_change(change.line)[0]) not in own and _at(values, key) == change.written
    ]
    profile, given = variation.profile, variation.changes
    return Variation(product=variation.product, profile=profile, changes=(*lines, *given))


def changes_to_keep(variation: Variation, *, files: Path, written: Params) -> list[KeptChange]:
    """The changes of a variation, beside what the files say; of a key that is twice, the last."""
    values = as_values(written)
    lines = {parse_change(line)[0]: line for line in change_lines(files, variation)}
    return [KeptChange(line=line, written=_at(values, key)) for key, line in lines.items()]


def _path(state: ReleaseState, bundle_hash: str) -> Path:
    return state.releases / f"{bundle_hash}.retrain.json"


def _at(values: Mapping[str, Any], key: str) -> Any:
    """The value of a dotted key; None where there is none."""
    found: Any = values
    for part in key.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found
