"""Keeps the order of an annotation server's queue up to date while people label, in a thread of its own.

After each tenth more labels, rows are scored anew by a process beside the server, and the queue takes the new lanes.
The thread also looks at what suggestions do, and turns them off where they do harm. A scoring that fails
costs nobody a label: rows go on in the order that there is.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.annotation.score_file import SCORES_FILE, Scores, read_scores
from pipeline.annotation.store import Store
from pipeline.annotation.suggestion_effect import SuggestionEffect
from pipeline.core.errors import PipelineError

Rescore = Callable[[threading.Event], Path]
"""Scores the rows and returns the file; raises PipelineError; ends soon once the event is set."""

FIRST_AFTER_SECONDS = 3.0
"""Until people have begun, the processor is theirs."""
LEAST_NEW = 25
"""Labels after which rows are scored anew at the soonest."""
_NEW_SHARE = 0.1
_TICK_SECONDS = 1.0
_LOOK_EVERY = 100
"""Labels after which the effect of suggestions is looked at again."""


class OrderKeeper:
    """The thread, from its start to `close`.

    Args:
        rescore: None leaves the order by chance.
        tell: takes each message for whoever runs the server.
    """

    def __init__(
        self,
        store: Store,
        *,
        folder: Path,
        rescore: Rescore | None,
        tell: Callable[[str], None],
        first_after: float = FIRST_AFTER_SECONDS,
    ) -> None:
        self._store, self._folder = store, folder
        self._rescore, self._tell, self._first_after = rescore, tell, first_after
        self._ends = threading.Event()
        self._scored_at = self._looked_at = -1
        if rescore is not None:
            self._take_earlier()
        self._look()
        self._thread = threading.Thread(target=self._run, name="annotation-order", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends the thread, and a scoring that runs."""
        self._ends.set()
        self._thread.join()

    def _run(self) -> None:
        self._ends.wait(self._first_after)
        while not self._ends.is_set():
            if self._rescore is not None and self._store.votes >= self._next_scoring():
                self._score(self._rescore)
            self._look()
            self._ends.wait(_TICK_SECONDS)

    def _next_scoring(self) -> int:
        """How many labels there must be until rows are scored anew."""
        if self._scored_at < 0:
            return 0
        return self._scored_at + max(LEAST_NEW, round(_NEW_SHARE * self._scored_at))

    def _take_earlier(self) -> None:
        """Takes the order of an earlier server until there is a new one; a damaged file is passed over."""
        path = self._folder / SCORES_FILE
        if path.exists():
            try:
                self._use(read_scores(path))
            except PipelineError as error:
                self._tell(f"order  {error}")

    def _score(self, rescore: Rescore) -> None:
        votes, first = self._store.votes, self._scored_at < 0
        self._scored_at = votes
        try:
            scores = read_scores(rescore(self._ends))
        except PipelineError as error:
            if not self._ends.is_set():
                self._tell(f"order  rows go on in the order that there is: {error}")
            return
        self._use(scores)
        if first:
            self._tell(f"order  {_said(scores)}")

    def _use(self, scores: Scores) -> None:
        if tuple(scores.labels) == tuple(self._store.assignment.labels):
            self._store.use_scores(scores)

    def _look(self) -> None:
        """Turns suggestions off where what they did is above the limit."""
        suggestions, votes = self._store.suggestions, self._store.votes
        due = self._looked_at < 0 or votes >= self._looked_at + _LOOK_EVERY
        if not suggestions.are_on or not due:
            return
        self._looked_at = votes
        effect = self._store.suggestion_effect()
        if effect.verdict == "turn off":
            suggestions.turn_off(effect)
            self._tell(in_words(effect))


@contextmanager
def order_kept(
    store: Store, *, folder: Path, rescore: Rescore | None, tell: Callable[[str], None]
) -> Iterator[None]:
    """Keeps the order while the block runs; see `OrderKeeper`."""
    keeper = OrderKeeper(store, folder=folder, rescore=rescore, tell=tell)
    try:
        yield
    finally:
        keeper.close()


def in_words(effect: SuggestionEffect) -> str:
    """Says what suggestions did, and that they are turned off for it."""
    figures = [
        f"{100 * found.value:+.1f} points ({100 * found.low:+.1f} to {100 * found.high:+.1f}) {of}"
        for found, of in (
            (effect.agreement, "more labels equal to the suggestion"),
            (effect.error, "more wrong labels"),
        )
        if found is not None
    ]
    return (
        f"suggestions  turned off: where they were shown, {' and '.join(figures)} than where they were hidden;"
        f" at most {100 * effect.limit:g} is allowed"
    )


def _said(scores: Scores) -> str:
    """Says what the lanes hold."""
    lanes = ", ".join(f"{len(ids):,} {why}" for why, ids in scores.lanes.items() if len(ids))
    chosen = f"rows are asked in lanes: {lanes}" if lanes else "rows go on by chance"
    return f"{chosen}; {scores.model or 'no model has learned yet'}"
