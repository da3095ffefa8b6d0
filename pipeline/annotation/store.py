"""The events of all people of a product while they label: one process at a time, nothing acknowledged is lost.

Requests hand in events; one thread writes what has come meanwhile and waits for the disk once for each
person, then all those requests are answered. No stage reads any of it.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar, cast

from pipeline.annotation.asked_again import WHYS, AskedAgain
from pipeline.annotation.assignment import Assignment, Refused
from pipeline.annotation.disputes import BlindVote, Disputes
from pipeline.annotation.event_log import EventLog
from pipeline.annotation.events import Event, Kept, SecondLook, read_event
from pipeline.annotation.gold_items import GoldItem
from pipeline.annotation.guide_changes import GivenVote
from pipeline.annotation.guide_offers import OFFERS_FILE, GuideOffers
from pipeline.annotation.guide_versions import GUIDE_FOLDER, GuideVersions
from pipeline.annotation.label_goal import LabelGoal
from pipeline.annotation.labelling_queue import RANDOM, LabellingQueue, Lane
from pipeline.annotation.people import People, Person
from pipeline.annotation.row_file import LabellingRow, RowFile
from pipeline.annotation.score_file import Scores
from pipeline.annotation.standing_answers import Answers, Standing
from pipeline.annotation.suggestion_effect import SuggestionEffect, arm_votes, suggestion_effect
from pipeline.annotation.suggestions import Suggestions
from pipeline.core.disk import DiskFullError
from pipeline.core.errors import DataError, PipelineError
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
Result = TypeVar("Result")


class NotSavedError(PipelineError):
    """Events could not be written, for another reason than a full disk; none of them is in the log."""


@dataclass(frozen=True, kw_only=True)
class SecondOpinion:
    """Another opinion on a row that has a label.

    Attributes:
        person: published name of whoever asked for it.
        asked: the event with which that was done.
        answer: the vote that it came to; None until there is one.
    """

    person: str
    asked: Event
    answer: Event | None


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
        double_share, random_share: as of `LabellingQueue`.
        suggestions: what people are shown of a model's answers; nothing where it is left out.
        goal: how many labels are needed, where that is known.
        what: named to whoever tries to open a second one, such as the server and its address.
        guide_file: as of `GuideVersions`.
        gold: items that people answer first; they are in no queue.

    Attributes:
        guide: its versions.
        offers: votes that were offered again after a change of it.
        gold: those of the items that are in the data.

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
        random_share: float = 1.0,
        suggestions: Suggestions | None = None,
        what: str,
        guide_file: Path | None = None,
        gold: Sequence[GoldItem] = (),
        goal: LabelGoal | None = None,
    ) -> None:
        self.folder, self.rows, self.assignment = folder, rows, assignment
        self.double_share, self.goal = double_share, goal
        self.suggestions = suggestions or Suggestions()
        self._by_chance_alone = random_share >= 1
        self._lock_path = folder / LOCK_FILE
        self._lock = _taken(self._lock_path, what)
        self._guard = threading.Lock()
        self._inbox: queue.SimpleQueue[_Submission | None] = queue.SimpleQueue()
        self.gold = tuple(item for item in gold if rows.place(item.id) is not None)
        waits = rows.waiting(pairs=assignment.pairs)
        waits[self._places([item.id for item in self.gold])] = False
        self._queue = LabellingQueue(
            rows.ids, waits, double_share=double_share, random_share=random_share
        )
        self._labelled_before = rows.labelled
        self._desks: dict[str, _Desk] = {}
        self._disputes = Disputes(assignment, in_data=lambda row: self.rows.place(row) is not None)
        self._again = AskedAgain()
        try:
            self.guide = GuideVersions(folder / GUIDE_FOLDER, file=guide_file)
            self.offers = GuideOffers(folder / GUIDE_FOLDER / OFFERS_FILE)
            for person in people:
                self._desks[person.published] = self._open_desk(folder, person)
            self._disputes.restore()
            for desk in self._desks.values():
                for row in desk.answers.rows_asked_again():
                    self._ask_again(row)
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

    @property
    def labelled(self) -> int:
        """How many rows have a label, be it of their source or of people."""
        return self._labelled_before + len(self._queue) - self._queue.unlabelled

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
            again = self._again.take(person.published, count)
            places = self._queue.take(person.published, count - len(again))
        first = [row for name in again if (row := self.row(name)) is not None]
        return first + [self.rows.row(place) for place in places]

    @property
    def asked_again(self) -> int:
        """How many rows with a label wait for another opinion."""
        return self._again.open

    def second_opinions(self) -> dict[str, SecondOpinion]:
        """Each row on which somebody asked for another opinion, and what is known of that."""
        with self._guard:
            return {
                row: SecondOpinion(
                    person=asked.person, asked=asked.event, answer=self._second_answer(row)
                )
                for row in self._again
                if (asked := self._asked(row)) is not None
            }

    def offered_rows(self, person: Person, count: int) -> list[tuple[LabellingRow, Kept]]:
        """Up to `count` rows whose vote was offered to the person again, each with that vote."""
        with self._guard:
            answers = self._desks[person.published].answers
            rows = self.offers.open(person.published, answers, count)
            votes = [vote for row in rows if (vote := answers.last(row)) is not None]
        there = [(self.row(vote.event.row), vote) for vote in votes]
        return [(row, vote) for row, vote in there if row is not None]

    def look_at_guide(self) -> None:
        """Takes what was written into the guide's file by hand; a file that cannot be read changes nothing."""
        with suppress(DataError):
            self.guide.look_at_file()

    def read(self, person: Person, act: Callable[[Answers], Result]) -> Result:
        """Returns what `act` finds in the person's answers; no event is taken meanwhile."""
        with self._guard:
            return act(self._desks[person.published].answers)

    def offer_again(self, votes: Sequence[GivenVote], *, version: str, person: Person) -> None:
        """Offers votes again, for a version of the guide; see `GuideOffers.add`."""
        with self._guard:
            self.offers.add(votes, version=version, who=person.published, time=_now())

    def why(self, row: str) -> str:
        """Why the queue asks a row of the data."""
        place = self.rows.place(row)
        with self._guard:
            own = RANDOM if place is None else self._queue.why(place)
        return self._again.why(row) or own

    def waiting(self) -> dict[str, int]:
        """How many rows wait for each reason; see `LabellingQueue.waiting`."""
        with self._guard:
            return self._queue.waiting()

    def offer(self, rows: Sequence[str], why: str) -> int:
        """Puts rows into the queue, with or without a label; returns how many were not there for this reason.

        Rows that the data do not have are passed over.
        """
        with self._guard:
            return self._queue.offer(self._places([*rows]), why)

    def use_scores(self, scores: Scores) -> None:
        """Asks rows in the lanes of newer scores, unless all are asked by chance, and suggests what the model answers."""
        self.suggestions.use(scores)
        if self._by_chance_alone:
            return
        lanes = [
            Lane(why=why, places=self.rows.places(ids), weight=scores.weights[why])
            for why, ids in scores.lanes.items()
        ]
        with self._guard:
            self._queue.reorder(lanes)

    @property
    def votes(self) -> int:
        """How many labels people have given, those of two people to one row counted twice."""
        return self._queue.votes

    def suggestion_effect(self) -> SuggestionEffect:
        """Returns what suggestions have done so far; costs as much as there are answers."""
        with self._guard:
            people = {
                name: desk.answers.latest() + desk.answers.every_decision()
                for name, desk in self._desks.items()
            }
        return suggestion_effect(arm_votes(people))

    def row(self, row: str) -> LabellingRow | None:
        """The row of an id; None where the data have none."""
        place = self.rows.place(row)
        return None if place is None else self.rows.row(place)

    def history(self, person: Person, most: int, *, before: int | None = None) -> list[Kept]:
        """The person's standing answers, the newest first; see `Answers.standing`."""
        with self._guard:
            return self._desks[person.published].answers.standing(most, before=before)

    def disputed(self, person: Person, most: int) -> list[str]:
        """The rows of the dearest disputes for an adjudicator; see `Disputes.dearest`."""
        with self._guard:
            return self._disputes.dearest(person.published, most)

    def blind_votes(self, row: str) -> list[BlindVote]:
        """The votes on a row without names; see `Disputes.votes`."""
        with self._guard:
            return self._disputes.votes(row)

    def dispute_counts(self) -> dict[str, int]:
        """How many disputes are `open`, and how many rows are `adjudicated`."""
        with self._guard:
            rows = {row for desk in self._desks.values() for row in desk.answers.decided()}
            return {"open": self._disputes.count(), "adjudicated": len(rows)}

    def decisions(self, person: Person, most: int, *, before: int | None = None) -> list[Kept]:
        """The person's adjudications that were not taken back, the newest first."""
        with self._guard:
            return self._desks[person.published].answers.decisions(most, before=before)

    def standing(self) -> dict[str, Standing]:
        """Everybody's answers and notes as they stand, by published name; an answer waits for the copy of one person's at most."""
        return {name: self.standing_of(name) for name in self._desks}

    def standing_of(self, published: str) -> Standing:
        """The answers and notes of one person as they stand."""
        with self._guard:
            return self._desks[published].answers.copied()

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
        asked = [
            (kept.event.row, kept.event.why)
            for row in answers
            if (kept := answers.last(row)) and kept.event.why not in (None, RANDOM)
        ]
        whys = [
            (place, why)
            for row, why in asked
            if why is not None and (place := self.rows.place(row)) is not None
        ]
        self._queue.restore(person.published, answered=answered, voted=voted, whys=whys)
        self._disputes.join(person.published, answers)
        log.each = lambda kept: self._take(desk, kept)
        return desk

    def _asked(self, row: str) -> Kept | None:
        """The event with which somebody asked for another opinion on the row."""
        asked = (desk.answers.asked_again(row) for desk in self._desks.values())
        return next((kept for kept in asked if kept is not None), None)

    def _second_answer(self, row: str) -> Event | None:
        """The label that somebody gave because another opinion was asked for."""
        last = (desk.answers.last(row) for desk in self._desks.values())
        given = (kept.event for kept in last if kept is not None)
        return next((event for event in given if event.event == "vote" and event.why in WHYS), None)

    def _ask_again(self, row: str) -> None:
        """Brings what is known of a row that may be asked about again up to date."""
        asked = self._asked(row)
        if asked is None and row not in self._again:
            return
        answered = {name for name, desk in self._desks.items() if row in desk.answers}
        barred = answered | ({asked.person} if asked and len(self._desks) > 1 else set())
        why = asked.event.why if asked else None
        done = self._second_answer(row) is not None
        self._again.put(row, cast(SecondLook | None, why), barred=barred, done=done)

    def _places(self, rows: list[str]) -> list[int]:
        """The places of those of the rows that the data have."""
        numbers = numbers_of([row for row in rows if is_id(row)])
        return self.rows.places(numbers)

    def _take(self, desk: _Desk, kept: Kept) -> None:
        """Takes an event that is on the disk."""
        person = desk.person.published
        with self._guard:
            row = desk.answers.row_of(kept)
            before = desk.answers.has_label(row)
            desk.answers.take(kept)
            self._disputes.update(row)
            self._ask_again(row)
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
        noted = self.suggestions.noted(event, desk.person)
        fresh[event.uid] = noted, row.text_sha if row else None
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
