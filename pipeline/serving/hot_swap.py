"""Swaps the served model without a pause: loads the next one beside the old, checks it, then swaps.

The pointer file names the bundle to serve. A bundle that does not open, warm up or answer its
golden requests never serves: the old one stays, and `/health/ready` tells the reason.
"""

import asyncio
import json
import logging
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from pipeline.core.errors import ArtifactError
from pipeline.runtime.bundle import Bundle, open_bundle
from pipeline.runtime.language_model import LanguageModel
from pipeline.runtime.run_times import RunTimes
from pipeline.runtime.signature import chosen_trust
from pipeline.runtime.text_model import TextModel
from pipeline.serving.text_costs import TextCosts
from pipeline.web.json_answers import lines_of

POLL_SECONDS = 0.05
"""Looked up, not notified: that also sees a pointer on a network drive or a mount of a container."""
LONGEST_WAIT_SECONDS = 60.0
_LOGGER = logging.getLogger("modelyard.rollout")


@dataclass(frozen=True)
class ServedLanguageModel:
    """A language model that ran once, and what its runs of one row take on this machine."""

    model: LanguageModel
    run_times: RunTimes


@dataclass(frozen=True)
class ServedModel:
    """A bundle that passed its checks, with its loaded models.

    Attributes:
        costs: what its texts cost on this machine.
        language_model: with what its runs cost; None if the bundle has none.
        since: when it began to serve.
    """

    bundle: Bundle
    text_model: TextModel
    costs: TextCosts
    language_model: ServedLanguageModel | None
    model_card: str
    certificate: bytes | None = None
    since: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def version(self) -> str:
        """The start of the bundle's hash, by which people and protocols name the model."""
        return self.bundle.hash[:12]

    @cached_property
    def identity(self) -> dict[str, str]:
        """The names of the model, as each answer has them."""
        described = self.bundle.description
        return {
            "product": described.product,
            "hash": self.bundle.hash,
            "variant": described.variant,
        }

    @cached_property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The headers of an answer that say which model gave it."""
        version, bundle = self.version.encode(), self.bundle.hash.encode()
        return [(b"model-version", version), (b"bundle-hash", bundle)]

    @cached_property
    def header_lines(self) -> bytes:
        """The lines of HTTP of these headers."""
        return lines_of(self.headers)


class ModelHolder:
    """Holds the model that serves. A request reads `current` once and uses that model to its end.

    Attributes:
        current: the model that serves; None before the first.
        previous: the model that served before, still loaded, so that a rollback takes no time.
        candidate: a model that is asked beside it and does not serve; None where there is none.
        last_error: why the latest bundle or pointer was refused; None if it was not.
        refused: hash of the bundle that the pointer names and that was refused; None if it was not.
        stopping: whether the server ends, so that it is not ready any more.
    """

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        self.current: ServedModel | None = None
        self.previous: ServedModel | None = None
        self.candidate: ServedModel | None = None
        self.last_error: str | None = None
        self.refused: str | None = None
        self.stopping = False
        self._changed = changed

    def load(self, folder: Path, *, expected_hash: str | None = None) -> ServedModel:
        """Opens, warms up and checks the bundle in `folder`, then serves it.

        The model that served before the present one serves again at once: it was checked as it was
        loaded.

        Raises:
            ArtifactError: it was refused; the model before it still serves.
        """
        try:
            model = self._kept(expected_hash) or open_model(folder, expected_hash=expected_hash)
        except ArtifactError as error:
            self.refuse(error, bundle_hash=expected_hash)
            raise
        if self.current is not None:
            self.previous = self.current
        self.current = model
        self.accept()
        described = model.bundle.description
        name = f"({described.product}, {described.variant})"
        _LOGGER.info("serving %s %s from %s", model.bundle.hash[:12], name, folder)
        return model

    def accept(self) -> None:
        """Notes that what serves is what the pointer names."""
        self.last_error = self.refused = None
        self._changed()

    def refuse(self, error: ArtifactError, *, bundle_hash: str | None = None) -> None:
        """Keeps and logs the reason why a bundle or pointer was refused."""
        reason = f"{error.got}; expected {error.expected}"
        if reason != self.last_error:
            _LOGGER.error("refused: %s; next: %s", reason, error.next_step)
        self.last_error, self.refused = reason, bundle_hash
        self._changed()

    def _kept(self, bundle_hash: str | None) -> ServedModel | None:
        """The model that served before, if it is this one."""
        kept = self.previous
        if kept is None or kept.bundle.hash != bundle_hash:
            return None
        return replace(kept, since=datetime.now(UTC))


def open_model(
    folder: Path, *, expected_hash: str | None = None, threads: int | None = None
) -> ServedModel:
    """Verifies and loads a bundle, warms it up and checks it against its golden answers.

    Args:
        threads: of one answer; None takes those that its latency was measured with.

    Raises:
        ArtifactError: any of these failed.
    """
    bundle = open_bundle(folder, trust=chosen_trust(folder, os.environ))
    if expected_hash is not None and bundle.hash != expected_hash:
        raise ArtifactError(
            f"{folder}: bundle {bundle.hash[:12]}",
            expected=f"bundle {expected_hash[:12]}, which the pointer names",
            next_step="release the bundle again",
        )
    text_model = TextModel.from_bundle(bundle, threads)
    text_model.warm_up()
    if failures := bundle.description.golden_differences(text_model.answer):
        raise ArtifactError(
            f"bundle {bundle.hash[:12]} gives other answers: {'; '.join(failures[:3])}",
            expected="all its golden answers, as on the machine that built it",
            next_step="build the bundle again on a machine of this kind",
        )
    return ServedModel(
        bundle=bundle.for_later(),
        text_model=text_model,
        costs=TextCosts.measure(text_model),
        language_model=_open_language_model(bundle),
        model_card=bundle.model_card,
        certificate=bundle.certificate,
    )


def _open_language_model(bundle: Bundle) -> ServedLanguageModel | None:
    """Loads the language model and runs it once; None where the bundle has none."""
    model = LanguageModel.from_bundle(bundle)
    if model is None:
        return None
    model.warm_up()
    return ServedLanguageModel(model, model.run_times())


def read_pointer(path: Path) -> tuple[str, Path]:
    """The hash of the bundle that a pointer file names, and the folder that holds it.

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
    return digest, path.parent / folder


class PointerFollower:
    """Loads the bundle that a pointer file names, each time the file changes.

    A bundle that does not load is tried again after 1, 2, 4, … 60 seconds, and at once when the file
    changes: its volume may be mounted late, or memory and descriptors short for a moment.
    """

    def __init__(
        self, holder: ModelHolder, pointer: Path, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._holder, self._pointer, self._clock = holder, pointer, clock
        self._seen: tuple[int, bytes] | None = None
        self._failures, self._again_at = 0, 0.0

    async def follow(self) -> None:
        """Checks the pointer until cancelled. Loading runs in a thread, beside the requests."""
        while True:
            # If this task died, for want of a thread say, the server would ignore every later release.
            with suppress(RuntimeError, OSError):
                await asyncio.to_thread(self.check)
            await asyncio.sleep(POLL_SECONDS)

    def check(self) -> None:
        """Loads the bundle that the pointer names, if the file has changed or its bundle failed."""
        try:
            # With the time, so that touching the file causes another try.
            signature = self._pointer.stat().st_mtime_ns, self._pointer.read_bytes()
        except OSError:
            signature = None
        if signature is not None and signature == self._seen:
            if not self._failures or self._clock() < self._again_at:
                return
        else:
            self._failures = 0
        self._seen = signature
        if self._load():
            self._failures = 0
        else:
            wait = min(2.0**self._failures, LONGEST_WAIT_SECONDS)
            self._failures, self._again_at = self._failures + 1, self._clock() + wait

    def _load(self) -> bool:
        """Loads what the pointer names unless it serves already; False where that failed."""
        digest = None
        try:
            digest, folder = read_pointer(self._pointer)
            current = self._holder.current
            if current is not None and current.bundle.hash == digest:
                # The pointer was set back or written again.
                self._holder.accept()
            else:
                self._holder.load(folder, expected_hash=digest)
        except ArtifactError as error:
            self._holder.refuse(error, bundle_hash=digest)
            return False
        # The task that calls this must live, whatever a bundle does to it.
        except Exception as error:
            unforeseen = ArtifactError(
                f"the bundle of {self._pointer.name} did not load: {error!r}",
                expected="a bundle that loads",
                next_step="see the server's log, then release again",
            )
            self._holder.refuse(unforeseen, bundle_hash=digest)
            return False
        return True


def _bad_pointer(path: Path, got: str) -> ArtifactError:
    return ArtifactError(
        f"the pointer {path.name} {got}",
        expected='{"bundle": "<hash>", "folder": "releases/<hash>"}, the folder beside the pointer',
        next_step="release a bundle: `make pipeline`",
    )
