"""The data card: what the data are, where they come from, what is wrong with them; for a person."""

from collections.abc import Mapping, Sequence
from typing import Any


def data_card(manifest: Mapping[str, Any], report: Mapping[str, Any]) -> str:
    """Markdown from collect's manifest and validate's report."""
    sections = [
        "# Data card\n\nWritten by the stage `validate` from the data themselves. "
        f"{report['labelled']['rows_out']:,} labelled texts and "
        f"{report['corpus']['rows_out']:,} unlabelled texts of the same domain passed its checks.",
        "## Origin and licence\n\n" + _origins(manifest["sources"]),
        "## Labels\n\n" + _labels(report),
        "## Rows\n\n" + _rows(report),
        "## Rows taken out\n\n" + _rejects(report),
        "## Known risks\n\n" + "\n".join(f"- {risk}" for risk in _risks(manifest, report)),
    ]
    return "\n\n".join(sections) + "\n"


def _origins(sources: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (s["name"], s["origin"], s["licence"], f"{s['rows']:,}", f"`{s['sha256'][:12]}…`")
        for s in sources
    ]
    waivers = "\n".join(
        f"\n`{s['name']}` is used although its licence is {s['licence']}: {s['waiver']}"
        for s in sources
        if s["waiver"]
    )
    return _table(("Source", "Origin", "Licence", "Rows", "SHA-256"), rows) + waivers


def _labels(report: Mapping[str, Any]) -> str:
    """Rows of each label and their share of all, where a row may have several; or how numbers lie."""
    counts, total = report["labels"], report["labelled"]["rows_out"]
    if numbers := report["numbers"]:
        header = ("Number", "Rows", *(name.capitalize() for name in numbers))
        return _table(header, [(*counts, f"{total:,}", *(f"{n:,.6g}" for n in numbers.values()))])
    rows = [(label, f"{count:,}", f"{count / total:.1%}") for label, count in counts.items()]
    return _table(("Label", "Rows", "Share"), rows)


def _rows(report: Mapping[str, Any]) -> str:
    rows = []
    for name in ("labelled", "corpus"):
        part = report[name]
        lengths = part["characters"]
        rows.append(
            (
                name,
                f"{part['rows_in']:,}",
                f"{part['rows_out']:,}",
                f"{lengths['least']:,} / {lengths['median']:,} / "
                f"{lengths['p95']:,} / {lengths['most']:,}",
            )
        )
    header = ("Table", "Rows in", "Rows out", "Characters: least / median / 95 % / most")
    return _table(header, rows)


def _rejects(report: Mapping[str, Any]) -> str:
    rows = [
        (name, reason, f"{count:,}")
        for name in ("labelled", "corpus")
        for reason, count in report[name]["rejects"].items()
    ]
    return _table(("Table", "Reason", "Rows"), rows) if rows else "None."


def _risks(manifest: Mapping[str, Any], report: Mapping[str, Any]) -> list[str]:
    found = [
        f"Licence of `{s['name']}` is {s['licence']}: do not redistribute its texts."
        for s in manifest["sources"]
        if s["waiver"]
    ]
    for name in ("labelled", "corpus"):
        pii = {kind: count for kind, count in report["personal_data"][name].items() if count}
        if pii:
            shown = ", ".join(f"{kind} in {count:,}" for kind, count in pii.items())
            found.append(f"Personal data in {name} texts, as far as patterns see it: {shown}.")
    found.append("Names of persons are not looked for: the texts may speak of real people.")
    near = report["near_duplicates"]
    if near["rows_in_clusters"]:
        found.append(
            f"{near['rows_in_clusters']:,} labelled texts are near copies of another "
            f"({near['clusters']:,} clusters). A cluster stays in one split."
        )
    leaks = sum(n for reason, n in report["corpus"]["rejects"].items() if "labelled" in reason)
    found.append(
        f"{leaks:,} corpus texts shared a labelled text and were taken out. {report['note']}"
    )
    found.append(
        "Labels are the sources' own; nobody checked them again unless annotations say so."
    )
    return found


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
