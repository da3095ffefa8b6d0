"""The events of all people of a product while they label: one process at a time, nothing acknowledged is lost.

Requests hand in events; one thread writes what has come meanwhile and waits for the disk once for each
person, then all those requests are answered. No stage reads any of it.
"""

import queue
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pipeline.annotation.assignment import Assignment, Refused
from pipeline.annotation.event_log import EventLog
from pipeline.annotation.events import Event, Kept, read_event
from pipeline.annotation.labelling_queue import LabellingQueue
from pipeline.annotation.people import People, Person
from pipeline.annotation.row_file import LabellingRow, RowFile
from pipeline.annotation.standing_answers import Answers
from pipeline.core.disk import DiskFullError
from pipeline.core.errors import PipelineError
from pipeline.core.file_lock import holder_of, try_lock, unlock
from pipeline.core.typed_json import MismatchError
from pipeline.data.row_ids import is_id, numbers_of

PEOPLE_FILE = "people.yaml"
LOCK_FILE = "server.lock"
_SHOWN_UID = 200


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """An event that is on the disk.

    Attributes:
        seq: its number among the person's events.
    """

    uid: str
    seq: int


Outcome = Accepted | Refused


class NotSavedError(PipelineError):
    """Events could not be written, for another reason than a full disk; none of them is in the log."""


@dataclass(slots=True)
class _Desk:
    """A person with the open log and the standing answers."""

    person: Person
    log: EventLog
    answers: Answers


@dataclass(slots=True)
class _Submission:
    """Events of one request that wait for the writer."""

    person: str
    events: Sequence[object]
    done: "Future[list[Outcome]]" = field(default_factory=Future)


def votes_folder(folder: Path) -> Path:
    """The folder of the people's logs."""
    return folder / "votes"


def log_file(folder: Path, person: str) -> Path:
    """The log of a person, by the published name."""
    return votes_folder(folder) / f"{person}.jsonl"


class Store:
    """The answers of all people of a product, open for more.

    Args:
        folder: `.modelyard/annotation/<product>`.
        double_share: as of `LabellingQueue`.
        what: named to whoever tries to open a second one, such as the server and its address.

    Raises:
        PipelineError: another process has it.
        DataError: a log is damaged.
    """

    def __init__(
        self,
        folder: Path,
        *,
        rows: RowFile,
        people: People,
        assignment: Assignment,
        double_share: float,
        what: str,
    ) -> None:
        self.rows, self.assignment = rows, assignment
        self._lock_path = folder / LOCK_FILE
        self._lock = _taken(self._lock_path, what)
        self._guard = threading.Lock()
        self._inbox: queue.SimpleQueue[_Submission | None] = queue.SimpleQueue()
        self._queue = LabellingQueue(
            rows.ids, rows.waiting(pairs=assignment.pairs), double_share=double_share
        )
        self._desks: dict[str, _Desk] = {}
        try:
            for person in people:
                self._desks[person.published] = self._open_desk(folder, person)
        except BaseException:
            unlock(self._lock_path, self._lock)
            raise
        self._writer = threading.Thread(target=self._write, name="annotation-writer", daemon=True)
        self._writer.start()

    @property
    def torn(self) -> dict[str, int]:
        """Bytes of a half-written last line that were set aside, by published name; only where there were any."""
        return {name: desk.log.torn for name, desk in self._desks.items() if desk.log.torn}

    @property
    def unlabelled(self) -> int:
        """How many rows of the queue nobody has labelled."""
        return self._queue.unlabelled

    def submit(self, person: Person, events: Sequence[object]) -> "Future[list[Outcome]]":
        """Hands in events as a client sent them; the future has an outcome each once they are on the disk.

        It raises DiskFullError or NotSavedError where none of them could be written.
        """
        submission = _Submission(person.published, events)
        self._inbox.put(submission)
        return submission.done

    def next_rows(self, person: Person, count: int) -> list[LabellingRow]:
        """Up to `count` rows that the person should answer next."""
        with self._guard:
            places = self._queue.take(person.published, count)
        return [self.rows.row(place) for place in places]

    def row(self, row: str) -> LabellingRow | None:
        """The row of an id; None where the data have none."""
        place = self.rows.place(row)
        return None if place is None else self.rows.row(place)

    def history(self, person: Person, most: int, *, before: int | None = None) -> list[Kept]:
        """The person's standing answers, the newest first; see `Answers.standing`."""
        with self._guard:
            return self._desks[person.published].answers.standing(most, before=before)

    def notes(self, person: Person, row: str) -> dict[str, str | None]:
        """The uid of the event with which the person flagged the row, and what the person wrote about it."""
        answers = self._desks[person.published].answers
        return {"flag": answers.flag(row), "comment": answers.comment(row)}

    def answered(self, person: Person) -> int:
        """How many rows the person has answered, skipped ones included."""
        return len(self._desks[person.published].answers)

    def close(self) -> None:
        """Writes what was handed in, then lets another process have the folder."""
        self._inbox.put(None)
        self._writer.join()
        for desk in self._desks.values():
            desk.log.close()
        unlock(self._lock_path, self._lock)

    def _open_desk(self, folder: Path, person: Person) -> _Desk:
        answers = Answers()
        log = EventLog(log_file(folder, person.published), each=answers.take)
        desk = _Desk(person, log, answers)
        answered = self._places(list(answers))
        voted = self._places([row for row in answers if answers.has_label(row)])
        self._queue.restore(person.published, answered=answered, voted=voted)
        log.each = lambda kept: self._take(desk, kept)
        return desk

    def _places(self, rows: list[str]) -> list[int]:
        """The places of those of the rows that the data have."""
        numbers = numbers_of([row for row in rows if is_id(row)])
        return self.rows.places(numbers)

    def _take(self, desk: _Desk, kept: Kept) -> None:
        """Takes an event that is on the disk."""
        row, person = kept.event.row, desk.person.published
        with self._guard:
            before = desk.answers.has_label(row)
            desk.answers.take(kept)
            if (place := self.rows.place(row)) is not None:
                self._queue.mark(
                    person,
                    place,
                    answered=row in desk.answers,
                    voted=desk.answers.has_label(row),
                    vote_before=before,
                )

    def _write(self) -> None:
        """Writes submissions until the store is closed; what came during one wait is written with the next."""
        while (first := self._inbox.get()) is not None:
            waiting: list[_Submission | None] = [first]
            with suppress(queue.Empty):
                while waiting[-1] is not None:
                    waiting.append(self._inbox.get_nowait())
            there = [each for each in waiting if each is not None]
            for person in dict.fromkeys(each.person for each in there):
                self._commit(person, [each for each in there if each.person == person])
            if waiting[-1] is None:
                return

    def _commit(self, person: str, submissions: Sequence[_Submission]) -> None:
        """Writes a person's events and answers the requests; a client that is gone changes nothing."""
        desk = self._desks[person]
        submissions = [each for each in submissions if each.done.set_running_or_notify_cancel()]
        fresh: dict[str, tuple[Event, str | None]] = {}
        try:
            checked = [[self._checked(desk, one, fresh) for one in s.events] for s in submissions]
            wanted = [one for each in checked for one in each if isinstance(one, Event)]
            given = [fresh.get(event.uid, (event, None)) for event in wanted]
            seqs = desk.log.add(given, person=person, time=_now())
        except DiskFullError as error:
            _fail(submissions, error)
        except (
            Exception
        ) as error:  # whatever it is, the clients keep their events and send them again
            _fail(submissions, _not_saved(error))
        else:
            numbers = dict(zip((event.uid for event in wanted), seqs, strict=True))
            for submission, found in zip(submissions, checked, strict=True):
                submission.done.set_result([_outcome(one, numbers) for one in found])

    def _checked(
        self, desk: _Desk, value: object, fresh: dict[str, tuple[Event, str | None]]
    ) -> Event | Refused:
        """The event, which is in `fresh` from then on unless the log has it; or why it is not taken."""
        try:
            event = read_event(value)
        except (MismatchError, OverflowError) as error:
            uid = value.get("uid") if isinstance(value, dict) else None
            named = uid[:_SHOWN_UID] if isinstance(uid, str) else None
            return Refused(
                uid=named, got=str(error), expected="an event of docs/guide/annotation.md"
            )
        if event.uid in desk.log or event.uid in fresh:
            return event
        if refused := self.assignment.refusal(event, desk.person):
            return refused
        undoes = event.undoes
        if undoes is not None and undoes not in desk.log and undoes not in fresh:
            return Refused(
                uid=event.uid, got=f"an undo of {undoes!r}", expected="an event of yours"
            )
        row = self.row(event.row)
        fresh[event.uid] = event, row.text_sha if row else None
        return event


def _outcome(one: Event | Refused, numbers: dict[str, int]) -> Outcome:
    return one if isinstance(one, Refused) else Accepted(uid=one.uid, seq=numbers[one.uid])


def _fail(submissions: Sequence[_Submission], error: PipelineError) -> None:
    for submission in submissions:
        submission.done.set_exception(error)


def _taken(path: Path, what: str) -> int:
    descriptor = try_lock(path, what=what)
    if descriptor is None:
        raise PipelineError(
            f"people label this product already ({holder_of(path)})",
            expected="one annotation server a product",
            next_step="open that one's links, or stop it with Ctrl-C where it runs",
        )
    return descriptor


def _not_saved(error: BaseException) -> NotSavedError:
    return NotSavedError(
        f"the events could not be written: {type(error).__name__}: {error}",
        expected="a folder that can be written",
        next_step="mend that; the page keeps the events and sends them again",
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
