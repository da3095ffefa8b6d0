"""The section of the model card that says what its certificate proves."""

from pipeline.core.artifacts.certificates import Certificate, TextOrigins
from pipeline.report.templates import render

_WAYS = {
    "equal_lengths": "together with texts of its length",
    "mixed_lengths": "together with others, padded",
    "padded": "alone, padded to the full length",
}


def certificate_section(certificate: Certificate) -> str:
    """Markdown: one line a part, and a table of what batches would change."""
    drop = certificate.quality_drop
    return render(
        "certificate_card.md.j2",
        certificate=certificate,
        # Paired differences, so that what is hard for both models cancels out.
        drops=[(drop.to_teacher, "the teacher"), (drop.to_own_fp32, "its own float32")],
        origins=_origins(certificate.batch_invariance.from_),
        ways=_WAYS,
    ).rstrip("\n")


def _origins(counts: TextOrigins) -> str:
    named = {"sentences of the corpus": counts.corpus, "validation texts": counts.validation}
    return ", ".join(f"{count:,} {name}" for name, count in named.items() if count)
