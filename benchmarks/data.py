"""Checks of the data stages on planted faults and real reviews: what is found, what is wrong, how fast.

    python -m benchmarks.data                      # all parts but croissant, some forty minutes
    python -m benchmarks.data --only speed leaks   # some

    speed          MB a second from a file to cleaned, compared rows; with and without near copies,
                   and datatrove's beside it (installed at first use)
    copies         planted near copies found; rows of one template; bytes a row
    leaks          planted leaks of a corpus found, in five languages
    personal       planted personal data found, in English and Korean
    encodings      short texts in other encodings read right
    labels_needed  whether the quality with all labels lies in the interval foretold from a fifth
    label_errors   planted wrong labels among the 2 % of the rows that are most suspicious
    splits         rows that change their split when near copies of old rows come, in 20 orders
    growth         most memory and time a row of collect, validate and label at 1 and 10 million rows
    croissant      whether the reference reader accepts croissant.json and reads the same rows; by name
                   alone, for it asks for a build in this clone
    diff           two data versions of a million rows compared, and whether a plain loop says the same

The last line is JSON. Threads are those of the environment; set OMP_NUM_THREADS=1 for one core.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from benchmarks.support import (
    data_copies,
    data_croissant,
    data_diff,
    data_encodings,
    data_growth,
    data_label_errors,
    data_labels_needed,
    data_leaks,
    data_personal,
    data_speed,
    data_splits,
)
from benchmarks.support.command_line import new_parser, print_result

PARTS: Mapping[str, Callable[[], Mapping[str, float]]] = MappingProxyType(
    {
        "speed": data_speed.measure,
        "copies": data_copies.measure,
        "leaks": data_leaks.measure,
        "personal": data_personal.measure,
        "encodings": data_encodings.measure,
        "labels_needed": data_labels_needed.measure,
        "label_errors": data_label_errors.measure,
        "splits": data_splits.measure,
        "growth": data_growth.measure,
        "croissant": data_croissant.measure,
        "diff": data_diff.measure,
    }
)
"""Name of a part → the function that measures it."""
_OF_A_BUILD = "croissant"


def main() -> None:
    """Measures the parts that are asked for and prints the figures."""
    parser = new_parser(__doc__ or "")
    usual = [name for name in PARTS if name != _OF_A_BUILD]
    parser.add_argument("--only", nargs="+", choices=[*PARTS], default=usual, metavar="PART")
    figures: dict[str, object] = {}
    for name in parser.parse_args().only:
        found = PARTS[name]()
        figures[name] = found
        print(f"{name:<14} {', '.join(f'{key} {value:.4g}' for key, value in found.items())}")
    print_result("data", ratios={}, figures=figures)


if __name__ == "__main__":
    main()
