"""Looks at a file as collect and validate would, and says what is in it; nothing is changed.

What a source could say in the product file (the encoding, the separator, the columns) is found and told
rather than refused; what no source could mend is refused.
"""

import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipeline.core.errors import DataError
from pipeline.core.sections import ValidateParams
from pipeline.data.any_file import readable, require_file
from pipeline.data.check_reports import checked_shares, personal_data, require_no_personal_data
from pipeline.data.cleaned_rows import REFUSE
from pipeline.data.columns import describe, says_nothing
from pipeline.data.file_look import look_at
from pipeline.data.file_notes import export_notes, label_notes, layout_notes, row_notes
from pipeline.data.file_rows import Read, read_columns
from pipeline.data.label_forms import LabelForm, likely_form, require_repeated
from pipeline.data.layout import FileRow
from pipeline.data.personal_data import redacted, spans
from pipeline.data.records import Record, record_id
from pipeline.data.row_batches import rows_of
from pipeline.data.row_checks import Checked, check_corpus, without_copies
from pipeline.data.rows import header_of
from pipeline.data.sources import same_name
from pipeline.data.table_limits import require_usable_corpus, require_words
from pipeline.data.trial import as_records
from pipeline.data.vote_check import check_votes, holds_votes
from pipeline.problem.problems import problem_named
from pipeline.text.languages import language_of

_ENOUGH_TO_REPEAT = 20
"""Labelled rows from which on labels must repeat; a sample of a few rows may have each its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """The facts of a file, as far as it could be read.

    Attributes:
        path: as it was given.
        format: CSV, TSV, JSON, Parquet or text; None where the file could not be opened.
        encoding: as Python calls it; None for Parquet.
        separator: between columns; None where nothing stands between them.
        rows: rows of the file, with a label or without.
        labelled: rows with a label.
        labels: label → rows that have it; of numbers, the column → rows.
        language: in words.
        personal_data: kind → rows with such data.
        rejects: reason → rows that validate would take out.
        notes: sentences on what was found, and what a product file should say.
    """

    path: str
    format: str | None = None
    encoding: str | None = None
    separator: str | None = None
    rows: int = 0
    labelled: int = 0
    labels: Mapping[str, int] = field(default_factory=dict)
    language: str | None = None
    personal_data: Mapping[str, int] = field(default_factory=dict)
    rejects: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def noted(self, *notes: str) -> "FileFacts":
        """The facts with further notes."""
        return replace(self, notes=(*self.notes, *notes))


def check_file(
    path: Path, *, text: str, label: str, limits: ValidateParams
) -> tuple[FileFacts, DataError | None]:
    """The facts of the file, and why it would be refused, if it would.

    Args:
        text: the column of the texts; "" for the one that looks like it.
        label: the column of the labels; "" for the one that looks like it, which may be none.
    """
    facts = FileFacts(path=str(path))
    refusal: DataError | None = None
    try:
        for known in _looks(facts, same_name(path), text=text, label=label, limits=limits):
            facts = known
    except DataError as error:
        refusal = error
    except OSError as error:
        refusal = _unreadable(path, error)
    facts = replace(facts, notes=(*map(_masked, facts.notes),))
    return facts, refusal and _without_values(refusal)


def _masked(said: str) -> str:
    """The sentence without personal data, which a cell or a name of a column in it may hold."""
    return redacted(said, spans(said))


def _without_values(error: DataError) -> DataError:
    expected, next_step = _masked(error.expected), _masked(error.next_step)
    return DataError(_masked(error.got), expected=expected, next_step=next_step)


def _unreadable(path: Path, error: OSError) -> DataError:
    return DataError(
        f"{path.name} cannot be read: {error.strerror or error}",
        expected="a file that may be read",
        next_step="look at its permissions, and at the disk that it is on",
    )


def _looks(
    facts: FileFacts, path: Path, *, text: str, label: str, limits: ValidateParams
) -> Iterator[FileFacts]:
    """The facts of the file, more and more of them, until a `DataError` ends it."""
    require_file(path)
    look = look_at(path)
    facts = replace(
        facts, format=look.format, encoding=look.encoding, separator=look.separator
    ).noted(*layout_notes(path, look))
    yield facts
    with readable(path, look) as file:
        names = header_of(file, look.layout)
        if not (text or label) and holds_votes(names):
            votes = check_votes(file, look.layout)
            yield replace(facts, rows=votes.rows, labelled=votes.votes, labels=votes.labels).noted(
                *votes.notes
            )
            return
        read = read_columns(file, look, names, text=text, label=label)
        if look.format == "JSON":
            facts = facts.noted(*export_notes(file, look))
    facts = replace(facts, rows=read.count).noted(f"texts: {read.text}", *row_notes(read))
    yield facts
    form = _form(read, is_named=bool(label))
    labelled, unlabelled = _by_label(read, form)
    facts = replace(
        facts, labelled=len(labelled), labels={} if form is None else _counts(form)
    ).noted(*label_notes(read, form, unlabelled=len(unlabelled)), *read.notes)
    yield facts
    records, others = _records(facts, read, form, labelled=labelled, unlabelled=unlabelled)
    with redirect_stdout(io.StringIO()):  # the checks of a stage tell their progress
        kept = without_copies(rows_of(records), limits)
        rest = check_corpus(rows_of(others), kept.words(), limits)
    yield _checked(facts, kept, rest)
    _require_valid(kept, rest, limits=limits)


def _form(read: Read, *, is_named: bool) -> LabelForm | None:
    """Kind and labels of the label column; None where there is none, or its values are no labels.

    Raises:
        DataError: the values are damaged; or the column was named, and its values are no labels.
    """
    if read.label is None:
        return None
    [column] = describe([read.label], read.rows)
    if not column.values:
        return None
    form = likely_form(column)
    if column.filled < _ENOUGH_TO_REPEAT:
        return form
    try:
        require_repeated(column, form)
    except DataError:
        if is_named:
            raise
        return None
    return form


def _by_label(read: Read, form: LabelForm | None) -> tuple[list[FileRow], list[FileRow]]:
    """The rows with a label, and those without."""
    if form is None or read.label is None:
        return [], [*read.rows]
    many = problem_named(form.problem).many_labels
    is_listed = many and any(row.get(read.label, "").startswith("[") for _, row in read.rows)
    parts: tuple[list[FileRow], list[FileRow]] = [], []
    for line, row in read.rows:
        cell = row.get(read.label, "")
        # Of several labels none is an answer too, but a cell that is missing is not.
        nothing = cell == "" if is_listed else not many and says_nothing(cell)
        parts[nothing].append((line, row))
    return parts


def _counts(form: LabelForm) -> dict[str, int]:
    return {label: form.counts[label] for label in form.labels}


def _records(
    facts: FileFacts,
    read: Read,
    form: LabelForm | None,
    *,
    labelled: Sequence[FileRow],
    unlabelled: Sequence[FileRow],
) -> tuple[list[Record], list[Record]]:
    """The records with a label, and those without."""
    source = Path(facts.path).stem.encode(errors="backslashreplace").decode()
    records: list[Record] = []
    if form is not None and read.label is not None:
        records = as_records(
            labelled,
            source=source,
            text=read.text,
            second=None,
            label=read.label,
            form=form,
            most=None,
        )
    return records, _unlabelled_records(unlabelled, source=f"{source}-unlabelled", text=read.text)


def _checked(facts: FileFacts, kept: Checked, rest: Checked) -> FileFacts:
    """The facts with what validate says of the rows with a label and of the others."""
    usable = [*kept.records, *rest.records]
    reasons = Counter(str(record.reason) for record in [*kept.rejects, *rest.rejects])
    return replace(
        facts,
        language=language_of(record.text for record in usable) if usable else None,
        personal_data=personal_data(kept, rest),
        rejects=dict(reasons.most_common()),
    )


def _require_valid(kept: Checked, rest: Checked, *, limits: ValidateParams) -> None:
    """Raises DataError where validate would stop at the rows; that a label has few is no reason here."""
    checked_shares(kept, limits)
    require_words(kept)
    require_usable_corpus(rest, limits)
    require_words(rest)
    if limits.personal_data == REFUSE:
        require_no_personal_data(kept, rest)


def _unlabelled_records(rows: Sequence[FileRow], *, source: str, text: str) -> list[Record]:
    """The records of rows without a label, by id."""
    copies: Counter[str] = Counter()
    records = []
    for _, row in rows:
        identifier = record_id(source, row[text], copy=copies[row[text]])
        copies[row[text]] += 1
        records.append(Record(id=identifier, source=source, text=row[text]))
    return sorted(records, key=lambda record: record.id)
