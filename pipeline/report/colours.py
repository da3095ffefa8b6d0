"""Colours, markers and resolution of every plot."""

from types import MappingProxyType

COLOURS = MappingProxyType({"teacher": "#3b4cc0", "student": "#c2410c", "pruned": "#0f766e"})
MARKERS = MappingProxyType({"torch": "o", "fp32": "s", "int8": "D"})
INK, MUTED, GRID = "#1f2937", "#6b7280", "#e5e7eb"
DPI = 150
