"""`python -m flows VERB …` is `modelyard VERB …`."""

import sys

from flows.cli import main

if __name__ == "__main__":
    sys.exit(main())
