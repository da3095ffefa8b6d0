"""Lets a candidate answer a copy of real traffic, in idle time and without delaying any answer.

The event loop puts one text of each answered request into a short queue, or drops and counts it where
the queue is full. A thread of the lowest priority takes it when the server has nothing to do, lets
champion and candidate answer it, and appends the pair to a file that holds no text (`PairLog`). The
judge reads that file, so a verdict survives a restart and is one for all workers. The thread also
follows the file that names the candidate, and the champion that serves.
"""

import logging
import os
import queue
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.core.errors import ArtifactError, PipelineError
from pipeline.core.files import sha256_file
from pipeline.judge.candidacy import Candidacy
from pipeline.judge.pair_log import Missed, PairLog
from pipeline.runtime.bundle import MANIFEST
from pipeline.runtime.task import Request
from pipeline.serving.hot_swap import ModelHolder, ServedModel
from pipeline.serving.paired_models import PairedModels, Trial

QUEUE = 16
"""Texts that wait; each may be as long as a request's body."""
PAUSE_SECONDS = 0.05
"""Pause after each pair, so that a caller seldom meets one; a verdict takes minutes, not hours."""
UNJUDGED = 200
"""Answers that a canary gives while nothing is compared."""
POLL_SECONDS = 0.2
_IDLE_SECONDS = 0.002
_LOWEST_PRIORITY = 19
_LOGGER = logging.getLogger("modelyard.shadow")


@dataclass(frozen=True)
class _Named:
    """The champion that serves, and the candidate that the file names, with the file's time."""

    champion: str
    candidacy: Candidacy
    folder: Path
    written: int


class Shadow:
    """An observer of answers, with the thread that lets the candidate answer too.

    Args:
        holder: holds the champion that serves.
        source: folder of the candidate's bundle, or a file that names it (`Candidacy`) and is followed.
        pairs: folder for the files of pairs.
        idle: whether the server has nothing to do; asked by the thread.
        pause: seconds from one pair to the next.
    """

    def __init__(
        self,
        holder: ModelHolder,
        *,
        source: Path,
        pairs: Path,
        idle: Callable[[], bool],
        pause: float = PAUSE_SECONDS,
    ) -> None:
        self._holder, self._source, self._pairs = holder, source, pairs
        self._idle, self._pause = idle, pause
        self._fixed = _fixed(source) if source.is_dir() else None
        self._waiting: queue.Queue[Request] = queue.Queue(QUEUE)
        self._dropped = self._told_dropped = self._unjudged = 0
        self._named: _Named | None = None
        self._models: PairedModels | None = None
        self._trial: Trial | None = None
        self._complaint: str | None = None
        self._look_at = self._tell_at = 0.0
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="shadow", daemon=True)

    @property
    def trying(self) -> bool:
        """Whether a candidate is loaded."""
        return self._models is not None

    @property
    def rolled_back(self) -> bool:
        """Whether the candidate that is named has been found worse."""
        return self._trial is not None and self._trial.rolled_back

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread with the text that it computes now; what waits is forgotten."""
        self._ending.set()
        self._thread.join()

    def observe(
        self, model: ServedModel, requests: list[Request], answers: list[Any], milliseconds: float
    ) -> None:
        """Puts one text of an answered request in the queue; takes microseconds.

        One of each request, by chance, so that a list of copies counts once.
        """
        trial = self._trial
        if self._models is None or trial is None or not trial.open:
            return
        try:
            self._waiting.put_nowait(random.choice(requests))  # noqa: S311 - a sample, no secret
        except queue.Full:
            self._dropped += 1

    def canary(self) -> ServedModel | None:
        """The candidate, for its share of the requests; None for the others, and from an alarm on.

        None, too, after `UNJUDGED` answers without idle time for a pair: nobody would see it fail.
        """
        models, trial, named = self._models, self._trial, self._named
        if models is None or trial is None or named is None:
            return None
        unseen = trial.open and self._unjudged >= UNJUDGED
        if unseen or random.random() >= named.candidacy.canary:  # noqa: S311 - a sample, no secret
            return None
        self._unjudged += 1
        return models.served

    def _run(self) -> None:
        # Of this thread alone: on Linux a thread has a priority of its own.
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOWEST_PRIORITY)
        while not self._ending.is_set():
            try:
                self._turn()
            except OSError as error:
                # A full disk, say: what serves goes on, and so does this once there is room.
                self._complain(f"a pair was not kept: {error.strerror}")
                self._ending.wait(POLL_SECONDS)

    def _turn(self) -> None:
        """Looks what is to be tried, if it is time to; then compares one text, if there is one."""
        self._look()
        try:
            request = self._waiting.get(timeout=POLL_SECONDS)
        except queue.Empty:
            return
        models, trial = self._models, self._trial
        if models is not None and trial is not None and trial.open:
            trial.add(models.pair(request, wait=self._wait_until_idle))
            self._unjudged = 0
            self._settle()
            self._ending.wait(self._pause)

    def _wait_until_idle(self) -> None:
        while not self._idle() and not self._ending.is_set():
            time.sleep(_IDLE_SECONDS)
            self._look()

    def _look(self) -> None:
        """Follows the files, every `POLL_SECONDS`, however busy the server is."""
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + POLL_SECONDS
            self._follow()

    def _follow(self) -> None:
        """Begins anew where champion or candidate is another; else takes what other workers found."""
        named = self._now_named()
        if named != self._named:
            self._named, self._trial = named, None
            self._take(None)
            if named is not None:
                self._begin(named)
        elif self._trial is not None:
            self._trial.read()
            self._tell_dropped()
        self._settle()

    def _begin(self, named: _Named) -> None:
        candidate = named.candidacy
        log = PairLog(self._pairs, champion=named.champion, candidate=candidate.bundle)
        self._trial = trial = Trial(log, candidate)
        champion = self._holder.current
        if champion is None or trial.rolled_back or not (trial.open or candidate.canary):
            return
        try:
            self._take(PairedModels.open(champion, named.folder, candidate))
        # This thread must live, whatever a bundle does to it.
        except Exception as error:
            reason = error.got if isinstance(error, PipelineError) else repr(error)
            self._complain(f"the candidate cannot be tried: {reason}")
            trial.add(Missed(refused=reason))
            return
        _LOGGER.info("trying %s beside %s", candidate.bundle[:12], named.champion[:12])

    def _settle(self) -> None:
        """Lets the candidate go once it has been rolled back, or nothing more is asked of it."""
        trial, named = self._trial, self._named
        if self._models is None or trial is None or named is None:
            return
        if trial.rolled_back or not (trial.open or named.candidacy.canary):
            self._take(None)
            _LOGGER.warning("the trial of %s has ended", named.candidacy.bundle[:12])

    def _take(self, models: PairedModels | None) -> None:
        """Holds the models that are compared, and lets callers ask the candidate meanwhile."""
        self._models = models
        self._holder.candidate = None if models is None else models.served

    def _now_named(self) -> _Named | None:
        """The champion and candidate of now; None where one is missing, or they are the same."""
        served = self._holder.current
        try:
            found = self._fixed or Candidacy.load(self._source)
            written = self._source.stat().st_mtime_ns
        except FileNotFoundError:
            return None
        except ArtifactError as error:
            self._complain(error.got)
            return None
        if served is None or found is None or found.bundle == served.bundle.hash:
            return None
        folder = self._source.parent / found.folder
        return _Named(served.bundle.hash, found, folder, written)

    def _tell_dropped(self) -> None:
        """Notes how many requests were dropped, once a second at most."""
        if self._trial is None or time.monotonic() < self._tell_at:
            return
        if news := self._dropped - self._told_dropped:
            self._tell_at = time.monotonic() + 1
            self._told_dropped += news
            self._trial.add(Missed(dropped=news))

    def _complain(self, complaint: str) -> None:
        """Logs what is wrong, once as long as it stays the same."""
        if complaint != self._complaint:
            self._complaint = complaint
            _LOGGER.error("%s", complaint)


def _fixed(folder: Path) -> Candidacy:
    """The candidacy of a folder that is a bundle."""
    manifest = folder / MANIFEST
    if not manifest.is_file():
        raise ArtifactError(
            f"{folder} without a {MANIFEST}",
            expected="the folder of a bundle, or a file that names one",
            next_step="name what `modelyard build` wrote: artifacts/gate/bundle",
        )
    return Candidacy(bundle=sha256_file(manifest), folder=folder.name)
