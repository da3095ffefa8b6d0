"""Small GLUE files in the official layout, their sentences our own: some are learnable, quirks included."""

from pathlib import Path

_GOOD = ["The band played well.", "She smiled at the sea.", "A warm, quick, kind film."]
_BAD = ["Band the well played.", "Sea smiled the at she.", "Film kind a, warm quick."]


def write_glue(folder: Path, *, rows: int = 24) -> None:
    """CoLA, MRPC, STS-B, RTE and MNLI with its diagnostic rows."""
    for name in ("train", "dev"):
        _write(folder / f"CoLA/{name}.tsv", [_cola(n) for n in range(rows)])
    _write(folder / "CoLA/test.tsv", ["index\tsentence", *(f"{n}\t{_text(n)}" for n in range(5))])
    mrpc = "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String"
    pairs = [f"{n % 2}\t{n}\t{n + 1}\t{_text(0)}\t{_text(n)}" for n in range(rows)]
    _write(folder / "MRPC/train.tsv", ["\ufeff" + mrpc, *pairs])
    _write(folder / "MRPC/dev.tsv", [mrpc, *pairs])
    _write(
        folder / "MRPC/test.tsv",
        ["index\t" + mrpc.removeprefix("Quality\t"), *(f"{n}\t1\t2\ta\tb" for n in range(4))],
    )
    scored = "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2"
    similar = [f"{n}\tg\tf\t2012\t{n}\ts\ts\t{_text(0)}\t{_text(n)}" for n in range(rows)]
    for name in ("train", "dev"):
        _write(
            folder / f"STS-B/{name}.tsv",
            [scored + "\tscore", *(f"{row}\t{n % 6:.3f}" for n, row in enumerate(similar))],
        )
    _write(folder / "STS-B/test.tsv", [scored, *similar[:6]])
    _entailment(folder, rows)


def write_other_tasks(folder: Path, *, rows: int = 12) -> None:
    """SST-2, QQP, QNLI and WNLI."""
    pair = [f"{n}\t{_text(0)}\t{_text(n)}" for n in range(rows)]
    lines = [f"{_text(n)}\t{n % 2}" for n in range(rows)]
    asked = [f"{n}\t1\t2\t{_text(0)}\t{_text(n)}\t{n % 2}" for n in range(rows)]
    labels = ("entailment", "not_entailment")
    answered = [f"{row}\t{labels[n % 2]}" for n, row in enumerate(pair)]
    winograd = [f"{row}\t{n % 2}" for n, row in enumerate(pair)]
    for name in ("train", "dev"):
        _write(folder / f"SST-2/{name}.tsv", ["sentence\tlabel", *lines])
        head = "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate"
        _write(folder / f"QQP/{name}.tsv", [head, *asked])
        _write(folder / f"QNLI/{name}.tsv", ["index\tquestion\tsentence\tlabel", *answered])
        _write(folder / f"WNLI/{name}.tsv", ["index\tsentence1\tsentence2\tlabel", *winograd])
    _write(folder / "SST-2/test.tsv", ["index\tsentence", "0\tA kind film.", "1\tSo so."])
    for name, columns in (
        ("QQP", "question1\tquestion2"),
        ("QNLI", "question\tsentence"),
        ("WNLI", "sentence1\tsentence2"),
    ):
        number = "id" if name == "QQP" else "index"
        _write(folder / f"{name}/test.tsv", [f"{number}\t{columns}", *pair[:4]])


def _entailment(folder: Path, rows: int) -> None:
    labels = ("entailment", "not_entailment")
    lines = [f"{n}\t{_text(0)}\t{_text(n)}\t{labels[n % 2]}" for n in range(rows)]
    for name in ("train", "dev"):
        _write(folder / f"RTE/{name}.tsv", ["index\tsentence1\tsentence2\tlabel", *lines])
    _write(folder / "RTE/test.tsv", ["index\tsentence1\tsentence2", "0\ta\tb", "1\tc\td"])
    three = ("entailment", "neutral", "contradiction")
    head = "index\tpromptID\tpairID\tgenre\tsentence1\tsentence2"
    natural = [f"{n}\t{n}p\t{n}e\tfiction\t{_text(0)}\t{_text(n)}" for n in range(rows)]
    for name in ("train", "dev_matched", "dev_mismatched"):
        _write(
            folder / f"MNLI/{name}.tsv",
            [head + "\tlabel1\tgold_label"]
            + [f"{row}\t{three[n % 3]}\t{three[n % 3]}" for n, row in enumerate(natural)],
        )
    for name in ("test_matched", "test_mismatched"):
        _write(folder / f"MNLI/{name}.tsv", [head, *natural[:3]])
    _write(folder / "AX/test.tsv", ["index\tsentence1\tsentence2", "0\ta\tb", "1\tc\td"])


def _cola(number: int) -> str:
    mark = "" if number % 2 else "*"
    return f"own{number}\t{number % 2}\t{mark}\t{_text(number)}"


def _text(number: int) -> str:
    return (_BAD, _GOOD)[number % 2][number // 2 % 3]


def _write(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
