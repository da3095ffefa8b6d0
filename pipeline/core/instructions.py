"""Names of processor instructions that decide how models are trained, as /proc/cpuinfo spells them."""

BFLOAT16 = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
"""A processor with one of them multiplies bfloat16; without any, software does, 100 times slower."""
