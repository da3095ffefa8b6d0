"""Which model serves: load the next one beside the old, prove it, then swap.

The pointer file names the bundle to serve. A bundle that does not open, warm up or answer its
golden requests never serves: the old one stays and the reason is kept for `/health/ready`.
"""

import asyncio
import json
import logging
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pipeline.core.errors import ArtifactError
from pipeline.runtime.bundle import Bundle, open_bundle
from pipeline.runtime.golden_check import check_golden
from pipeline.runtime.language_model import LanguageModel
from pipeline.runtime.text_model import TextModel

POLL_SECONDS = 0.5
_LOGGER = logging.getLogger("modelyard.rollout")


@dataclass(frozen=True)
class Model:
    """A bundle that has proved itself, with its model."""

    bundle: Bundle
    text_model: TextModel
    model_card: str

    @cached_property
    def language_model(self) -> LanguageModel | None:
        """Loaded when it is first asked for; None where the bundle has none."""
        return LanguageModel.from_bundle(self.bundle)


class ModelHolder:
    """Holds the model that serves. A request takes `current` once and keeps it to its end.

    Attributes:
        current: the model that serves, or None before the first.
        last_error: why the latest bundle or pointer was refused; None when all is well.
    """

    def __init__(self) -> None:
        self.current: Model | None = None
        self.last_error: str | None = None

    def load(self, folder: Path, *, expected_hash: str | None = None) -> Model:
        """Open, warm and prove the bundle in `folder`, then let it serve.

        Raises:
            ArtifactError: it was refused; what served before still serves.
        """
        try:
            model = open_model(folder, expected_hash=expected_hash)
        except ArtifactError as error:
            self.refuse(error)
            raise
        self.current, self.last_error = model, None
        _LOGGER.info("serving %s %s from %s", model.bundle.hash[:12], _name(model), folder)
        return model

    def refuse(self, error: ArtifactError) -> None:
        """Keep the reason why a bundle or pointer was not taken."""
        reason = f"{error.got}; expected {error.expected}"
        if reason != self.last_error:
            _LOGGER.error("refused: %s; next: %s", reason, error.next_step)
        self.last_error = reason


@dataclass(frozen=True)
class Pointer:
    """What a pointer file says: the hash of a bundle and the folder it lies in."""

    bundle: str
    folder: Path


def open_model(
    folder: Path, *, expected_hash: str | None = None, threads: int | None = None
) -> Model:
    """A bundle that is verified, loaded, warmed up and checked against its golden answers.

    Raises:
        ArtifactError: any of these failed.
    """
    bundle = open_bundle(folder)
    if expected_hash is not None and bundle.hash != expected_hash:
        raise ArtifactError(
            f"{folder}: bundle {bundle.hash[:12]}",
            expected=f"bundle {expected_hash[:12]}, which the pointer names",
            next_step="release the bundle again",
        )
    text_model = TextModel.from_bundle(bundle, threads)
    text_model.warm_up()
    if failures := check_golden(text_model, bundle.golden, bundle.golden_tolerance):
        raise ArtifactError(
            f"bundle {bundle.hash[:12]} answers otherwise: {'; '.join(failures[:3])}",
            expected=f"all {len(bundle.golden)} golden answers as where it was built",
            next_step="build the bundle again on a machine of this kind",
        )
    card = (folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    return Model(bundle, text_model, card)


def read_pointer(path: Path) -> Pointer:
    """Parse a pointer file: `{"bundle": "<hash>", "folder": "releases/<hash>"}`.

    Raises:
        ArtifactError: it is missing, not JSON, or names a folder outside its own.
    """
    try:
        value = json.loads(path.read_bytes())
        digest, folder = value["bundle"], Path(value["folder"])
        fits = isinstance(digest, str) and not folder.is_absolute() and ".." not in folder.parts
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise _bad_pointer(path, f"cannot be read ({error!r})") from error
    if not fits:
        raise _bad_pointer(path, f"names bundle {digest!r} in {str(folder)!r}")
    return Pointer(digest, path.parent / folder)


class PointerFollower:
    """Loads what a pointer file names, each time the file changes."""

    def __init__(self, holder: ModelHolder, pointer: Path) -> None:
        self._holder = holder
        self._pointer = pointer
        self._seen: tuple[int, bytes] | None = None

    async def follow(self) -> None:
        """Check the pointer for ever. Loading happens in a thread: requests go on meanwhile."""
        while True:
            await asyncio.to_thread(self.check)
            await asyncio.sleep(POLL_SECONDS)

    def check(self) -> None:
        """Load what the pointer names, if the file is not the one seen last."""
        signature = self._signature()
        if signature is not None and signature == self._seen:
            return
        self._seen = signature
        try:
            pointer = read_pointer(self._pointer)
            if not self._serves(pointer):
                self._holder.load(pointer.folder, expected_hash=pointer.bundle)
        except ArtifactError as error:
            self._holder.refuse(error)
        # A background task that dies would leave the server deaf to every later release.
        except Exception as error:
            self._holder.refuse(_unforeseen(self._pointer, error))

    def _serves(self, pointer: Pointer) -> bool:
        """Whether the bundle serves already: the pointer came back, or was written again."""
        current = self._holder.current
        if current is None or current.bundle.hash != pointer.bundle:
            return False
        self._holder.last_error = None
        return True

    def _signature(self) -> tuple[int, bytes] | None:
        # The time too: touching the file asks for another try.
        try:
            return self._pointer.stat().st_mtime_ns, self._pointer.read_bytes()
        except OSError:
            return None


def _name(model: Model) -> str:
    return f"({model.bundle.description.product}, {model.bundle.description.variant})"


def _bad_pointer(path: Path, got: str) -> ArtifactError:
    return ArtifactError(
        f"the pointer {path.name} {got}",
        expected='{"bundle": "<hash>", "folder": "releases/<hash>"}, the folder beside the pointer',
        next_step="release a bundle: `make pipeline`",
    )


def _unforeseen(pointer: Path, error: Exception) -> ArtifactError:
    return ArtifactError(
        f"the bundle of {pointer.name} did not load: {error!r}",
        expected="a bundle that loads",
        next_step="see the server's log, then release again",
    )
