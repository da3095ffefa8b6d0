"""Families of transformers, by the names in their config.json."""

REPLACEABLE_FAMILIES = ("bert", "distilbert", "electra")
"""Families of models that can read by another tokenizer: they number positions from 0, whatever the number of their
padding token."""
