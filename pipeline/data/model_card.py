"""The model card: what the released model is for, where it comes from, how good it is and is not.

After Mitchell et al. 2019, "Model Cards for Model Reporting".
"""

from collections.abc import Mapping, Sequence
from typing import Any

Entry = Mapping[str, Any]


def model_card(
    *,
    product: Mapping[str, Any],
    released: Entry,
    entries: Sequence[Entry],
    verdict: Mapping[str, Any],
    sources: Sequence[Entry],
    checkpoint: Mapping[str, Any],
    student_start: str,
    machine: Mapping[str, Any],
    lineage: Mapping[str, str],
    max_length: int,
) -> str:
    """Markdown. `released` and `entries` are scorecard entries; `verdict` is verdict.json; `student_start` is `pretrain.start`."""
    sections = [
        f"# {product['name']}\n\n{product['audience']}\n\n{_facts(released, product, max_length)}",
        _use(product["labels"], max_length),
        _data(sources),
        _training(checkpoint, released["name"], student_start),
        _quality(entries, released["name"]),
        _slices(released),
        _checks(verdict),
        _speed(released, machine),
        _limits(max_length),
        "## Lineage\n\n" + "\n".join(f"- {key}: `{value}`" for key, value in lineage.items()),
    ]
    return "\n\n".join(sections) + "\n"


def _facts(released: Entry, product: Mapping[str, Any], max_length: int) -> str:
    quality = released["quality"]
    return "\n".join(
        [
            f"- Released variant: **{released['name']}**",
            f"- Answers: {', '.join(product['labels'])}",
            f"- Accuracy on test: {_accuracy(quality['test'])}",
            f"- Size: {released['size_bytes'] / 1e6:.1f} MB, "
            f"{released['parameters'] / 1e6:.2f} million parameters",
            f"- Reads at most {max_length} tokens of a text; the rest is left out, and it says so",
        ]
    )


def _use(labels: Sequence[str], max_length: int) -> str:
    return (
        "## Intended use\n\n"
        f"It gives one of {len(labels)} labels to a short text in English, with a probability for "
        "each. It is meant for texts like those it was trained on (see Data).\n\n"
        "Not intended: decisions about people, moderation without a person who looks, other "
        f"languages, texts of another kind, texts much longer than {max_length} tokens."
    )


def _data(sources: Sequence[Entry]) -> str:
    rows = "\n".join(
        f"| {s['name']} | {s['origin']} | {s['rows']:,} | {s['licence']} | {s['waiver'] or '–'} |"
        for s in sources
    )
    return (
        "## Data\n\n| source | origin | rows | licence | waiver |\n|---|---|---:|---|---|\n"
        f"{rows}\n\nRows are split by a hash of their duplicate cluster: copies of a text never lie "
        "on both sides of a split. Choices were made on validation; test was scored once, after "
        "the choice."
    )


def _training(checkpoint: Mapping[str, Any], released: str, start: str) -> str:
    name, licence = checkpoint["name"], checkpoint["licence"]
    origin = {
        "checkpoint": f"a small encoder that starts from layers and embeddings of {name} (so its "
        f"licence, {licence}, holds for it too), trained further on the unlabelled text",
        "random": "a small encoder of our own, pretrained on the unlabelled text",
    }[start]
    seen = ", ".join(checkpoint["seen"]) or "nothing that is known"
    steps = {
        "teacher": "The released model is the fine-tuned checkpoint itself.",
        "student": f"The released model is {origin} and then taught by the teacher's outputs "
        "(distillation).",
        "pruned": f"The released model is {origin}, taught by the teacher's outputs (distillation), "
        "narrowed in its feed-forward layers and trained again to recover.",
    }
    model, precision = released.split("-")
    stored = {"int8": "stored in 8-bit integers", "fp32": "stored in 32-bit floats"}[precision]
    return (
        f"## Training\n\nThe teacher is the checkpoint {name} "
        f"(licence {licence}; it has seen {seen}), fine-tuned on the labelled rows. "
        f"{steps[model]} It is {stored} and runs in ONNX Runtime. All numbers of the recipe are in "
        "params.yaml of the commit that built it."
    )


def _quality(entries: Sequence[Entry], released: str) -> str:
    lines = [
        "## Quality",
        "",
        "Accuracy with its interval (Wilson), and macro F1. Test is scored for the baselines, the "
        "teacher and the released model alone.",
        "",
        "| variant | validation | macro F1 | test | macro F1 | calibration error |",
        "|---|---|---:|---|---:|---:|",
    ]
    for entry in entries:
        validation, test = entry["quality"]["validation"], entry["quality"].get("test")
        name = f"**{entry['name']}**" if entry["name"] == released else entry["name"]
        tested = f"{_accuracy(test)} | {test['macro_f1']:.3f}" if test else "– | –"
        lines.append(
            f"| {name} | {_accuracy(validation)} | {validation['macro_f1']:.3f} | {tested} "
            f"| {entry['calibration_error']:.3f} |"
        )
    return "\n".join(lines)


def _slices(released: Entry) -> str:
    lines = [
        "## Where it does worse",
        "",
        "Gap: accuracy of all validation rows minus that of the slice. Positive is worse.",
        "",
        "| slice | rows | accuracy | gap | interval |",
        "|---|---:|---:|---:|---|",
    ]
    for entry in released["slices"]:
        if entry["gap"] is None:
            lines.append(f"| {entry['name']} | {entry['rows']:,} | too few rows | – | – |")
            continue
        low, high = entry["interval"]
        lines.append(
            f"| {entry['name']} | {entry['rows']:,} | {entry['accuracy']:.3f} "
            f"| {entry['gap']:+.3f} | {low:+.3f} to {high:+.3f} |"
        )
    return "\n".join(lines)


def _checks(verdict: Mapping[str, Any]) -> str:
    rows = "\n".join(
        f"| {c['name']} | {c['limit']:g} | {c['value']:.4g} | {_interval(c['interval'])} "
        f"| {c['unit']} | {c['outcome']} |"
        for c in verdict["checks"]
    )
    return (
        f"## Why this one\n\n{verdict['reason']}\n\n"
        f"| requirement | limit | found | interval | unit | outcome |\n|---|---:|---:|---|---|---|\n{rows}"
    )


def _speed(released: Entry, machine: Mapping[str, Any]) -> str:
    latency = released["latency_ms"]
    where = ", ".join(f"{key} {_plain(value)}" for key, value in sorted(machine.items()))
    return (
        f"## Speed\n\nOne request of {latency['tokens']} tokens, batch 1, {latency['threads']} "
        f"threads, tokenizer excluded: median {latency['p50']:.2f} ms, 95th percentile "
        f"{latency['p95']:.2f} ms, {released['throughput_per_s']:,.0f} a second one after another. "
        f"A process that serves it holds {released['memory_mb']:.0f} MB. Measured on: {where}."
    )


def _limits(max_length: int) -> str:
    return (
        "## Limits, bias and misuse\n\n"
        "- It answers every text, also one that has no such property; a probability near the middle "
        "is a sign of that, not a proof.\n"
        "- Irony, comparison and praise of one part beside blame of another are often misread.\n"
        "- Names, groups and places may carry the feelings of the texts it learned from. That has "
        "not been measured for groups of people: do not use it to rank or judge them.\n"
        f"- Only the first {max_length} tokens count.\n"
        "- It can be misled on purpose by a few added words: do not rely on it where someone gains "
        "from fooling it."
    )


def _accuracy(quality: Mapping[str, Any]) -> str:
    low, high = quality["accuracy_ci95"]
    return f"{quality['accuracy']:.3f} ({low:.3f} to {high:.3f})"


def _interval(interval: Sequence[float] | None) -> str:
    return "–" if interval is None else f"{interval[0]:.3f} to {interval[1]:.3f}"


def _plain(value: object) -> str:
    return ", ".join(str(part) for part in value) if isinstance(value, list) else str(value)
