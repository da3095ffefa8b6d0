"""The model card: what the released model is for, where it comes from, how good it is and is not.

After Mitchell et al. 2019, "Model Cards for Model Reporting".
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.core.product import CLASSIFICATION, MULTI_LABEL, QUALITY_METRICS, REGRESSION
from pipeline.metrics.metric_names import spoken
from pipeline.report.certificate_card import certificate_section

Entry = Mapping[str, Any]

_SCORES = {
    CLASSIFICATION: ("accuracy", ""),
    MULTI_LABEL: ("share right", " An answer is right when all its labels are."),
    REGRESSION: (
        "closeness",
        " Closeness is 1 for the right number, and 0 on average for whoever always says the median.",
    ),
}
"""Problem → what a slice is judged by, and what that means."""


def model_card(
    *,
    product: Mapping[str, Any],
    released: Entry,
    entries: Sequence[Entry],
    verdict: Mapping[str, Any],
    certificate: Mapping[str, Any],
    sources: Sequence[Entry],
    checkpoint: Mapping[str, Any],
    student_start: str,
    taught: Mapping[str, Any],
    machine: Mapping[str, Any],
    lineage: Mapping[str, str],
    max_length: int,
    window_stride: int | None,
) -> str:
    """Markdown.

    Args:
        released: its entry of the scorecard.
        entries: the whole scorecard.
        verdict: verdict.json.
        certificate: certificate.json of the bundle.
        student_start: `pretrain.start`, or "teacher" where layers of the teacher's came after it.
        taught: `adapted_tokens` of the domain and `related_rows`, labelled corpus documents, that the teacher learned
            before the labelled rows; of its `seeds` which one, or what of them, was `kept`.
    """
    problem, metric = product["problem"], product["requirements"]["quality_metric"]
    reading = _reading(max_length, window_stride)
    sections = [
        f"# {product['name']}\n\n{product['audience']}\n\n{_facts(released, product, reading)}",
        _use(product, max_length),
        _data(sources),
        _training(checkpoint, released["name"], student_start, taught),
        _quality(entries, released["name"], QUALITY_METRICS[problem], metric),
        *_decision(released, product["labels"]),
        _slices(released, problem),
        _checks(verdict),
        certificate_section(certificate),
        _speed(released, machine),
        _limits(reading, problem),
        "## Lineage\n\n" + "\n".join(f"- {key}: `{value}`" for key, value in lineage.items()),
    ]
    return "\n\n".join(sections) + "\n"


def _facts(released: Entry, product: Mapping[str, Any], reading: str) -> str:
    metric = product["requirements"]["quality_metric"]
    labels = ", ".join(product["labels"])
    answers = {
        CLASSIFICATION: f"one of {labels}",
        MULTI_LABEL: f"any of {labels}, or none",
        REGRESSION: f"a number: {labels}",
    }[product["problem"]]
    return "\n".join(
        [
            f"- Released variant: **{released['name']}**",
            f"- Answers: {answers}",
            f"- {_spoken(metric)} on test: {_figure(released['quality']['test'], metric)}",
            f"- Size: {released['size_bytes'] / 1e6:.1f} MB, "
            f"{released['parameters'] / 1e6:.2f} million parameters",
            f"- {reading}",
        ]
    )


def _reading(max_length: int, window_stride: int | None) -> str:
    if window_stride is None:
        return f"Reads at most {max_length} tokens of a text; the rest is left out, and it says so"
    return (
        f"Reads a text of more than {max_length} tokens in windows of that length, {window_stride} "
        "tokens apart, and answers by their mean"
    )


def _use(product: Mapping[str, Any], max_length: int) -> str:
    text = "pair of short texts" if product["pairs"] else "short text"
    gives = {
        CLASSIFICATION: f"one of {len(product['labels'])} labels to a {text}, with a probability for "
        "each",
        MULTI_LABEL: f"a {text} those of {len(product['labels'])} labels that hold, with a "
        "probability for each",
        REGRESSION: f"a {text} a number, {product['labels'][0]}",
    }[product["problem"]]
    return (
        f"## Intended use\n\nIt gives {gives}. It is meant for texts like those it was trained on, in "
        "their language (see Data).\n\n"
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


def _training(
    checkpoint: Mapping[str, Any], released: str, start: str, taught: Mapping[str, Any]
) -> str:
    name, licence = checkpoint["name"], checkpoint["licence"]
    origin = {
        "checkpoint": f"a small encoder that starts from layers and embeddings of {name} (so its "
        f"licence, {licence}, holds for it too), trained further on the unlabelled text",
        "teacher": "a small encoder that starts from layers, embeddings and head of the fine-tuned teacher (so "
        f"the licence of {name}, {licence}, holds for it too)",
        "random": "a small encoder of our own, pretrained on the unlabelled text",
    }[start]
    seen = ", ".join(checkpoint["seen"]) or "nothing that is known"
    steps = {
        "teacher": "The released model is the fine-tuned checkpoint itself.",
        "student": f"The released model is {origin} and then taught by the teacher's outputs "
        "(distillation).",
        "pruned": f"The released model is {origin}, taught by the teacher's outputs (distillation), "
        "cut down to the parts that count most and trained again to recover.",
    }
    tokens, related = taught["adapted_tokens"], taught["related_rows"]
    adapted = f", adapted to {tokens:,} tokens of the domain by masked language modelling" * bool(
        tokens
    )
    first = f"first on the labels of {related:,} corpus documents, then " * bool(related)
    kept = {"mean": "the mean of the weights", "best": "the best on validation"}[taught["kept"]]
    several = f"Of {len(taught['seeds'])} such trainings {kept} is taken. " * (
        len(taught["seeds"]) > 1
    )
    model, precision = released.split("-")
    stored = {"int8": "stored in 8-bit integers", "fp32": "stored in 32-bit floats"}[precision]
    return (
        f"## Training\n\nThe teacher is the checkpoint {name} "
        f"(licence {licence}; it has seen {seen}){adapted}, fine-tuned {first}on the labelled rows. "
        f"{several}{steps[model]} It is {stored} and runs in ONNX Runtime. All numbers of the recipe are in "
        "params.yaml of the commit that built it."
    )


def _quality(entries: Sequence[Entry], released: str, metrics: Sequence[str], metric: str) -> str:
    shown = [metric, *(name for name in metrics if name != metric)]
    names = " | ".join(_spoken(name) for name in shown)
    calibrated = entries[0]["calibration_error"] is not None
    lines = [
        "## Quality",
        "",
        f"{_spoken(metric)}, by which it is judged, with its interval. Test is scored for the "
        "baselines, the teacher and the released model alone.",
        "",
        f"| variant | validation: {names} | test: {names} |" + " calibration error |" * calibrated,
        "|---|" + "---|" * (2 * len(shown) + calibrated),
    ]
    for entry in entries:
        name = f"**{entry['name']}**" if entry["name"] == released else entry["name"]
        cells = [
            _cell(entry["quality"].get(split), figure, metric)
            for split in ("validation", "test")
            for figure in shown
        ]
        if calibrated:
            cells.append(f"{entry['calibration_error']:.3f}")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(quality: Mapping[str, Any] | None, figure: str, metric: str) -> str:
    if quality is None:
        return "–"
    return _figure(quality, figure) if figure == metric else f"{quality[figure]:.3f}"


def _decision(released: Entry, labels: Sequence[str]) -> list[str]:
    """How probabilities become answers, where that was fitted."""
    thresholds, below = (released["decision"][key] for key in ("thresholds", "abstain_below"))
    told = []
    if thresholds is not None:
        named = ", ".join(f"{name} {cut:.3f}" for name, cut in zip(labels, thresholds, strict=True))
        told.append(
            f"Thresholds, fitted on validation: {named}. The figures of validation are of thresholds "
            "fitted on the other half of the rows."
        )
    if (answered := released["answered"]) is not None:
        confidence = "is always sure enough" if below is None else f"abstains below {below:.3f}"
        shares = [
            f"- {split}: answers {found['share']:.1%} of the rows, of which "
            f"{found['right'] or 0:.1%} rightly"
            for split, found in answered.items()
        ]
        told.append("\n".join([f"It {confidence}, and then says `abstained`:", "", *shares]))
    return ["\n\n".join(["## How it decides", *told])] if told else []


def _slices(released: Entry, problem: str) -> str:
    score, explained = _SCORES[problem]
    lines = [
        "## Where it does worse",
        "",
        f"Gap: {score} of all validation rows minus that of the slice. Positive is worse.{explained}",
        "",
        f"| slice | rows | {score} | gap | interval |",
        "|---|---:|---:|---:|---|",
    ]
    for entry in released["slices"]:
        if entry["gap"] is None:
            lines.append(f"| {entry['name']} | {entry['rows']:,} | too few rows | – | – |")
            continue
        low, high = entry["interval"]
        lines.append(
            f"| {entry['name']} | {entry['rows']:,} | {entry['score']:.3f} "
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
    threads = f"{latency['threads']} thread{'s' * (latency['threads'] != 1)}"
    where = ", ".join(f"{key} {_plain(value)}" for key, value in sorted(machine.items()))
    return (
        f"## Speed\n\nOne request of {latency['tokens']} tokens, batch 1, {threads}, "
        f"tokenizer excluded: median {latency['p50']:.2f} ms, 95th percentile "
        f"{latency['p95']:.2f} ms, {released['throughput_per_s']:,.0f} a second one after another. "
        f"A process that serves it holds {released['memory_mb']:.0f} MB. Measured on: {where}."
    )


def _limits(reading: str, problem: str) -> str:
    unsure = {
        CLASSIFICATION: "a probability near the middle is a sign of that, not a proof",
        MULTI_LABEL: "no label at all is a sign of that, not a proof",
        REGRESSION: "the number does not show it",
    }[problem]
    return (
        "## Limits, bias and misuse\n\n"
        f"- It answers every text, also one that has no such property; {unsure}.\n"
        "- What is meant but not said (irony, allusion, a second meaning) is often misread.\n"
        "- Names, groups and places may carry the feelings of the texts it learned from. That has "
        "not been measured for groups of people: do not use it to rank or judge them.\n"
        f"- {reading}.\n"
        "- It can be misled on purpose by a few added words: do not rely on it where someone gains "
        "from fooling it."
    )


def _spoken(metric: str) -> str:
    named = spoken(metric)
    return named[0].upper() + named[1:]


def _figure(quality: Mapping[str, Any], metric: str) -> str:
    low, high = quality[f"{metric}_ci95"]
    return f"{quality[metric]:.3f} ({low:.3f} to {high:.3f})"


def _interval(interval: Sequence[float] | None) -> str:
    return "–" if interval is None else f"{interval[0]:.3f} to {interval[1]:.3f}"


def _plain(value: object) -> str:
    return ", ".join(str(part) for part in value) if isinstance(value, list) else str(value)
