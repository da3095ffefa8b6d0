"""Looks at a file of labelled texts and writes the product file for it.

modelyard new tickets.csv             # asks for the columns and the name; each has a guess
modelyard new tickets.csv --yes       # asks nothing
modelyard new texts.csv --labels complaint,question    # nobody has labelled them yet

The file itself is never changed. One that lies elsewhere is copied below data/, which is what builds
read; rows without a label, which a build would stop at, are left out of the copy.
"""

import csv
import io
import re
import shutil
import sys
import unicodedata
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path

from flows.console.first_look import Found, Seen, columns_shown, report, unlabelled_report
from flows.planning.resolution import DEMONSTRATION, Variation, resolved
from pipeline.core import packages
from pipeline.core.errors import DataError, ParameterError
from pipeline.core.files import atomic_path, sha256_tree, write_text
from pipeline.core.params import Params
from pipeline.core.paths import Paths
from pipeline.core.progress import say
from pipeline.core.sections import Checkpoint
from pipeline.data.any_file import Table, read_table
from pipeline.data.check_reports import personal_data
from pipeline.data.columns import (
    Chosen,
    Column,
    choose_label,
    choose_text,
    describe,
    named_column,
    other_texts,
    pair_by_name,
    says_nothing,
)
from pipeline.data.file_look import Look, is_read_as_named
from pipeline.data.label_forms import LabelForm, form_of, form_of_names
from pipeline.data.layout import PACKED, FileRow, Layout
from pipeline.data.product_file import FileOfTexts, product_text
from pipeline.data.reading import Reading, changes_of, is_replaceable, reading_of
from pipeline.data.records import Record
from pipeline.data.row_batches import rows_of
from pipeline.data.row_checks import check_corpus
from pipeline.data.trial import Change, as_records, try_rows
from pipeline.data.unmarked_sentences import wanted_ends
from pipeline.problem.problems import problem_named
from pipeline.text.languages import language_of
from pipeline.text.scripts import script_shares

Ask = Callable[[str, str], str]
"""Asks a question with a guess; returns the answer, which may be the guess."""
_FEWEST_DOCUMENTS = 200
_NAME = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, kw_only=True)
class Request:
    """The wishes of whoever called `modelyard new`; empty texts are left to it.

    Attributes:
        labels: of the product, where nobody has labelled the texts yet.
        asks: whether there is somebody to ask.
        force: whether an existing product file may be overwritten.
    """

    file: Path
    out: Path
    name: str = ""
    text: str = ""
    second: str = ""
    label: str = ""
    labels: Sequence[str] = ()
    corpus: Path | None = None
    asks: bool = False
    force: bool = False


def make_product(root: Path, request: Request, *, ask: Ask) -> Path:
    """Looks at the file, says what it found, and writes the product file; returns its path.

    Raises:
        PipelineError: the file cannot be read, nothing can be learned from it, or `out` exists.
    """
    out = root / request.out
    _require_free(out, request)
    params = resolved(root, DEMONSTRATION)
    table = read_table(request.file)
    say(f"Looking at {len(table.rows):,} rows of {request.file.name} …")
    columns = describe(table.names, table.rows)
    for line in columns_shown(f"{table.file.name}: {table.look.shown}", columns):
        say(line)
    say("")
    if request.labels:
        _require_alone(request)
        return _make_unlabelled(root, request, table, columns, params=params, ask=ask)
    text, second, label = _columns(columns, request, ask=ask)
    name = request.name or _name_of(request.file)
    if request.asks:
        name = ask("Name of the product", name)
    form = form_of(_labelled_only(table, label.column, text.column))
    corpus = None if request.corpus is None else _corpus(request.corpus, text.column.name)
    labelled, unlabelled = _by_label(table.rows, label.column.name, form)
    found, changes = _found(
        columns,
        params,
        text=text,
        second=second,
        label=label,
        form=form,
        source=name,
        rows=labelled,
        unlabelled=len(table.rows) - len(labelled),
    )
    for line in report(found):
        say(line)
    say("")
    kept = [text.column.name, *([second] if second else []), label.column.name]
    files = _placed(root, table, name=name, kept=kept, labelled=labelled, unlabelled=unlabelled)
    own = unlabelled if len(files) > 1 else []
    if corpus is not None:
        files.append(_place_corpus(root, *corpus))
    if second is None:  # of pairs, no sentences are made
        changes += _sentence_ends(_documents(own, text.column.name, corpus), params)
    written = product_text(name, form=form, files=files, changes=changes)
    write_text(out, written)
    resolved(root, Variation(product=str(request.out)))  # what is written can be built
    for change in changes:
        say(f"{change.key}: {change.value} in its recipe, for {change.why}")
    if len(files) == 1:
        say(
            "No corpus: like texts without labels, given with --corpus FILE, would make the model better."
        )
    say(f"Wrote {request.out}, {len(written.splitlines())} lines.")
    return out


def _require_alone(request: Request) -> None:
    """Raises ParameterError where `--labels` is given with what says that texts have labels, or pairs."""
    others = {"--label": request.label, "--second-text": request.second, "--corpus": request.corpus}
    if given := [flag for flag, value in others.items() if value]:
        raise ParameterError(
            f"--labels together with {' and '.join(given)}",
            expected="--labels for single texts that nobody has labelled: all of them are the corpus at first",
            next_step=f"leave out {' and '.join(given)}, or --labels",
        )


def _make_unlabelled(
    root: Path,
    request: Request,
    table: Table,
    columns: Sequence[Column],
    *,
    params: Params,
    ask: Ask,
) -> Path:
    """Writes the product file for texts that nobody has labelled yet; returns its path."""
    form = form_of_names(request.labels)
    text = named_column(columns, request.text, "--text") if request.text else choose_text(columns)
    name = request.name or _name_of(request.file)
    if request.asks:
        name = ask("Name of the product", name)
    rows = [row.get(text.column.name, "") for _, row in table.rows]
    found = [
        Record(id=f"{at:016x}", text=row, source=name) for at, row in enumerate(rows) if row.strip()
    ]
    with redirect_stdout(io.StringIO()):  # the checks of a stage tell their progress
        checked = check_corpus(rows_of(found), [], params.validate_)
    reading = _reading(checked.records, params)
    seen = Seen(
        language=_language(rows),
        lengths=_lengths(rows),
        reading=reading,
        personal=personal_data(checked),
    )
    for line in unlabelled_report(text, form, rows=len(checked.kept), seen=seen):
        say(line)
    say("")
    path = _place(root, table.file, table.look)
    file = FileOfTexts(name=name, path=path, text=text.column.name, layout=table.look.layout)
    changes = changes_of(reading, params.prepare, replaceable=_is_replaceable(params))
    changes += _sentence_ends(rows, params)
    written = product_text(name, form=form, files=[file], changes=changes)
    write_text(root / request.out, written)
    resolved(root, Variation(product=str(request.out)))
    for change in changes:
        say(f"{change.key}: {change.value} in its recipe, for {change.why}")
    say(
        f"Wrote {request.out}, {len(written.splitlines())} lines. A build says which rows to label."
    )
    return root / request.out


def _require_free(out: Path, request: Request) -> None:
    """Raises ParameterError where the product file is there and may not be overwritten."""
    if out.exists() and not request.force:
        raise ParameterError(
            f"{request.out} exists",
            expected="a new file: what you wrote is not overwritten",
            next_step="give another one with --out FILE, or --force to overwrite it",
        )


def _columns(
    columns: Sequence[Column], request: Request, *, ask: Ask
) -> tuple[Chosen, str | None, Chosen]:
    """The column of the texts, that of the second texts of pairs, and that of the labels."""
    second = request.second
    if request.text:
        text = named_column(columns, request.text, "--text")
    elif not second and not request.asks and (pair := pair_by_name(columns)) is not None:
        text, second = pair
    else:
        taken = [name for name in (request.label, request.second) if name]
        text = choose_text(columns, without=taken)
        if request.asks and (given := ask("Column of the texts", text.column.name)):
            text = text if given == text.column.name else named_column(columns, given, "--text")
    if request.second:
        named_column(columns, request.second, "--second-text")
    if request.label:
        return text, second or None, named_column(columns, request.label, "--label")
    others = [column for column in columns if column.name != second]
    label = choose_label(others, text=text.column)
    if request.asks and (given := ask("Column of the labels", label.column.name)):
        label = label if given == label.column.name else named_column(columns, given, "--label")
    return text, second or None, label


def _labelled_only(table: Table, label: Column, text: Column) -> Column:
    """The label column; `DataError` where it is that of the texts."""
    if label.name == text.name:
        raise DataError(
            f"{label.name} as the column of the texts and of the labels",
            expected=f"two of: {', '.join(table.names)}",
            next_step="give --text and --label",
        )
    return label


def _by_label(
    rows: Sequence[FileRow], label: str, form: LabelForm
) -> tuple[list[FileRow], list[FileRow]]:
    """The rows with a label and those without; where several labels are meant, none is a label too."""
    if problem_named(form.problem).many_labels:
        return list(rows), []
    parts: tuple[list[FileRow], list[FileRow]] = [], []
    for line, row in rows:
        parts[says_nothing(row.get(label, ""))].append((line, row))
    return parts


def _found(
    columns: Sequence[Column],
    params: Params,
    *,
    text: Chosen,
    second: str | None,
    label: Chosen,
    form: LabelForm,
    source: str,
    rows: Sequence[FileRow],
    unlabelled: int,
) -> tuple[Found, list[Change]]:
    """All that is said of the labelled rows, and what their product must change in the recipe."""
    first, last = text.column.name, label.column.name
    records = as_records(rows, source=source, text=first, second=second, label=last, form=form)
    with redirect_stdout(io.StringIO()):  # the checks of a stage tell their progress
        trial = try_rows(records, form=form, limits=params.validate_, prepare=params.prepare)
    usable = trial.checked.records
    texts, reading = [row.text for row in usable], _reading(usable, params)
    found = Found(
        text=text,
        second=second,
        label=label,
        form=form,
        trial=trial,
        unlabelled=unlabelled,
        seen=Seen(
            language=_language(texts),
            lengths=_lengths(texts),
            reading=reading,
            personal=personal_data(trial.checked),
        ),
        others=other_texts(columns, text=text.column, label=label.column),
    )
    changes = changes_of(reading, params.prepare, replaceable=_is_replaceable(params))
    return found, [*trial.changes, *changes]


def _lengths(texts: Sequence[str]) -> tuple[int, int]:
    """Characters of the middle text by length, and of the one that 5 % exceed."""
    lengths = sorted(map(len, texts))
    return lengths[len(lengths) // 2], lengths[int(0.95 * len(lengths))]


def _language(texts: Sequence[str]) -> str:
    shares = script_shares(texts)
    shown = ", ".join(f"{name} {share:.0%}" for name, share in [*shares.items()][:3])
    return f"{language_of(texts)} ({shown})" if shares else language_of(texts)


def _reading(records: Sequence[Record], params: Params) -> Reading | None:
    texts = [text for r in records for text in (r.text, r.second) if text]
    folder = _folder(params.prepare.checkpoint)
    if folder is None:
        return None
    return reading_of(texts, folder / "tokenizer.json", max_length=params.prepare.max_length)


def _documents(rows: Sequence[FileRow], text: str, corpus: tuple[Table, str] | None) -> list[str]:
    """The texts of the corpus: those of rows without a label, and of a second file."""
    texts = [row.get(text, "") for _, row in rows]
    return texts + [row.get(corpus[1], "") for _, row in corpus[0].rows] if corpus else texts


def _sentence_ends(texts: Sequence[str], params: Params) -> list[Change]:
    """The change of where sentences of the corpus end, where one is wanted; says what must be installed first."""
    wanted = wanted_ends(texts, params.prepare)
    if wanted is None or not wanted.install:
        return [wanted.change] if wanted else []
    change = wanted.change
    say(
        f"{change.why}: run `{wanted.install}`, then write `{change.key}: {change.value}` into the recipe"
    )
    return []


def _is_replaceable(params: Params) -> bool:
    """Whether the teacher of this recipe could learn words that the checkpoint does not know."""
    folder = _folder(params.prepare.checkpoint)
    return folder is not None and not params.finetune.frozen_layers and is_replaceable(folder)


def _folder(checkpoint: Checkpoint) -> Path | None:
    """The checkpoint's folder; None where it is on a hub."""
    if checkpoint.kind == "package":
        return packages.locate(str(checkpoint.package), checkpoint.path)
    return Path(checkpoint.path).expanduser() if checkpoint.kind == "folder" else None


def _placed(
    root: Path,
    table: Table,
    *,
    name: str,
    kept: Sequence[str],
    labelled: Sequence[FileRow],
    unlabelled: Sequence[FileRow],
) -> list[FileOfTexts]:
    """Puts the texts below data/ unless they are there; the files as the product names them."""
    second = kept[1] if len(kept) == 3 else None
    source = FileOfTexts(
        name=name, path="", text=kept[0], second=second, label=kept[-1], layout=table.look.layout
    )
    if not unlabelled:
        return [replace(source, path=_place(root, table.file, table.look))]
    stem = _name_of(table.file)
    path = _write_rows(root, f"{stem}-labelled.csv", kept, labelled)
    files = [replace(source, path=path, layout=Layout())]
    say(f"{len(unlabelled):,} rows have no label; the others are copied to data/{path}")
    if len(unlabelled) >= _FEWEST_DOCUMENTS and second is None:
        path = _write_rows(root, f"{stem}-unlabelled.csv", kept[:1], unlabelled)
        say(f"Those without a label are the corpus: data/{path}")
        files.append(FileOfTexts(name=f"{name}-unlabelled", path=path, text=kept[0]))
    return files


def _corpus(path: Path, text: str) -> tuple[Table, str]:
    """A file of texts without labels, and its column of texts."""
    table = read_table(path)
    if text in table.names:
        return table, text
    return table, choose_text(describe(table.names, table.rows)).column.name


def _place_corpus(root: Path, table: Table, text: str) -> FileOfTexts:
    path = _place(root, table.file, table.look)
    return FileOfTexts(
        name=f"{_name_of(table.file)}-corpus", path=path, text=text, layout=table.look.layout
    )


def _place(root: Path, file: Path, look: Look) -> str:
    """The path of the file below data/, where it is copied to unless it lies there."""
    data = Paths(root).data
    if file.resolve().is_relative_to(data.resolve()) and is_read_as_named(file, look):
        return file.resolve().relative_to(data.resolve()).as_posix()
    packed = file.suffix.lower() if file.suffix.lower() in PACKED else ""
    target = _free(data / f"{_name_of(file)}{look.ending}{packed}", like=file)
    if not target.exists() and file.is_dir():
        shutil.copytree(file, target)
    elif not target.exists():
        with atomic_path(target) as temporary:
            shutil.copyfile(file, temporary)
    say(f"Copied {file} to data/{target.name}, where builds read it.")
    return target.name


def _write_rows(root: Path, name: str, columns: Sequence[str], rows: Sequence[FileRow]) -> str:
    """Writes rows as a CSV below data/; returns its name."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerows([[*columns], *([row.get(name, "") for name in columns] for _, row in rows)])
    write_text(Paths(root).data / name, stream.getvalue())
    return name


def _free(path: Path, *, like: Path) -> Path:
    """The path, or a numbered one where another file has its name."""
    wanted, number = path, 2
    while path.exists() and sha256_tree(path) != sha256_tree(like):
        path = wanted.with_stem(f"{wanted.stem}-{number}")
        number += 1
    return path


def _name_of(file: Path) -> str:
    """A product's or a source's name from that of a file: small letters, digits and hyphens."""
    stem = file.with_suffix("").stem if file.suffix.lower() in PACKED else file.stem
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode().lower()
    name = _NAME.sub("-", plain).strip("-")[:40].strip("-")
    return name if len(name) > 1 else "my-product"


def ask_on_terminal(question: str, guess: str) -> str:
    """Asks the person at the terminal; an empty answer is the guess."""
    return input(f"{question} [{guess}]: ").strip() or guess


def require_terminal() -> None:
    """Raises ParameterError where nobody can be asked."""
    if not sys.stdin.isatty():
        raise ParameterError(
            "questions, and no terminal to ask them on",
            expected="`--yes`, which takes what is found in the file",
            next_step="add --yes; and --text COLUMN, --label COLUMN or --name NAME where you know better",
        )
