"""The section of the model card that says what its certificate holds."""

from collections.abc import Mapping, Sequence
from typing import Any

_WAYS = {
    "equal_lengths": "together with texts of its length",
    "mixed_lengths": "together with others, padded",
    "padded": "alone, padded to the full length",
}


def certificate_section(certificate: Mapping[str, Any]) -> str:
    """Markdown: one line a part, and a table of what batches would change."""
    lines = [
        _parity(certificate["parity"]),
        *_operators(certificate["operators"]),
        _agreement(certificate["agreement"]),
        *_drops(certificate["quality_drop"]),
        *_calibration(certificate["calibration"]),
        _served(certificate["batch_invariance"]),
        _language_model(certificate["language_model"]),
    ]
    listed = "\n".join(f"- {line}" for line in lines)
    return (
        "## Certificates\n\nWhat was proved and measured of the files in this bundle; all of it stands in "
        f"`certificate.json`.\n\n{listed}\n\n{_batches(certificate['batch_invariance'])}"
    )


def _parity(parity: Mapping[str, Any]) -> str:
    return (
        f"ONNX in float32 against torch: at most {parity['largest_difference']:.1e} apart in any output, "
        f"over {len(parity['differences'])} shapes and texts, padded rows and batches among them "
        f"(limit {parity['tolerance']:.0e})"
    )


def _language_model(found: Mapping[str, Any]) -> str:
    bits = found["int8"]["bits_a_token"]
    return (
        f"Language model: ONNX in float32 at most {found['parity']['largest_difference']:.1e} from torch; in int8 "
        f"{bits['int8']:.3f} bits a token of validation texts, {bits['fp32']:.3f} in float32"
    )


def _operators(operators: Mapping[str, Any] | None) -> list[str]:
    if operators is None:
        return []
    counted = ", ".join(f"{count} {name}" for name, count in sorted(operators["operators"].items()))
    return [
        f"Integer operators: {counted}; float32 matrix products left: "
        f"{operators['float_matrix_products']}"
    ]


def _agreement(agreement: Mapping[str, Any]) -> str:
    return (
        f"Answers as the teacher does: {agreement['value']:.3f}, {agreement['of']} on "
        f"{agreement['rows']:,} validation rows"
    )


def _drops(drop: Mapping[str, Any]) -> list[str]:
    """Paired, so that what is hard for both models cancels out."""
    against = {"to_teacher": "the teacher", "to_own_fp32": "its own float32"}
    metric = drop["metric"].replace("_", " ")
    return [
        f"{metric[:1].upper()}{metric[1:]} lost against {named}, paired: {found['value']:+.2f} points "
        f"({_span(found['interval'])})"
        for key, named in against.items()
        if (found := drop[key]) is not None
    ]


def _span(interval: Sequence[float]) -> str:
    low, high = interval
    return f"{low:+.2f} to {high:+.2f}"


def _calibration(calibration: Mapping[str, Any] | None) -> list[str]:
    if calibration is None:
        return []
    return [
        f"Calibration error {calibration['error_before']:.3f}; with probabilities scaled by temperature "
        f"{calibration['temperature']:.2f} it would be {calibration['error_after']:.3f} (fitted on one "
        "half of validation, judged on the other). What it answers is not scaled"
    ]


def _served(invariance: Mapping[str, Any]) -> str:
    one = invariance["one_request"]
    if invariance["served"] == "alone":
        return (
            "The runtime runs every text alone at its exact length: "
            f"{one['texts']:,} texts asked in one request got the same answers, bit for bit, as each alone"
        )
    return (
        f"Texts asked in one request are answered otherwise than alone, by up to "
        f"{one['largest_change']:.4f}; labels flip in at most {invariance['most_flips']:.1%} of the texts"
    )


def _batches(invariance: Mapping[str, Any]) -> str:
    rows = [
        f"| {_WAYS[way]} | {change['largest_change']:.4f} | {_flips(change)} |"
        for way, change in invariance["batched"].items()
    ]
    return "\n".join(
        [
            f"What batches would change, were it run so elsewhere, on {invariance['texts']:,} unlabelled "
            f"texts ({_origin(invariance['from'])}) against each alone, "
            f"{invariance['batch_size']} in a batch:",
            "",
            "| a text runs | largest change | other labels |",
            "|---|---:|---:|",
            *rows,
        ]
    )


def _flips(change: Mapping[str, Any]) -> str:
    if change["flips"] is None:
        return "–"
    return f"{change['flips']:,} ({change['flip_share']:.2%})"


def _origin(counts: Mapping[str, int]) -> str:
    named = {"corpus": "sentences of the corpus", "validation": "validation texts"}
    return ", ".join(f"{counts[key]:,} {name}" for key, name in named.items() if counts[key])
