"""Limits of validate that no rows break, for benchmarks of what it finds."""

from pipeline.core.sections import ValidateParams

NO_LIMITS = ValidateParams(
    min_characters=3,
    max_characters=20_000,
    near_duplicate_similarity=0.8,
    max_reject_share=1.0,
    max_duplicate_share=1.0,
    max_corpus_reject_share=1.0,
    personal_data="count",
    min_rows_per_label=1,
    max_label_share=1.0,
)
"""Near copies are sought at the default's similarity."""
