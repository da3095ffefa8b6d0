"""Write the stages of dvc.yaml into .importlinter, where three contracts list them.

    python -m scripts.import_rules          # `make format` runs it

import-linter's wildcards do not help: a stage is a file directly in `pipeline/`, and `pipeline.*`
means the library's folders too. A test fails while the lists are not those of dvc.yaml.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from flows.planning.dag import load_dag
from pipeline.core.files import write_text
from pipeline.core.output import forgive_output

ROOT = Path(__file__).resolve().parent.parent
RULES = ROOT / ".importlinter"


def main() -> None:
    """Writes the file."""
    stages = load_dag(ROOT / "dvc.yaml").names
    write_text(RULES, with_stages(RULES.read_text(encoding="utf-8"), stages))


def with_stages(rules: str, stages: Sequence[str]) -> str:
    """The rules with every list of stages replaced by `stages`.

    A list is the line of a layer, or one line each, of modules in `pipeline/` that are no library.
    """
    libraries = {path.parent.name for path in ROOT.glob("pipeline/*/__init__.py")}
    library = "|".join(sorted(libraries))
    stage = rf"pipeline\.(?!(?:{library})\b)\w+"
    layer = "    " + " | ".join(f"pipeline.{name}" for name in stages)
    lines = "".join(f"    pipeline.{name}\n" for name in stages)
    rules = re.sub(rf"(?m)^    {stage}(?: \| {stage})+$", layer, rules)
    return re.sub(rf"(?m)(?:^    {stage}\n)+", lines, rules)


if __name__ == "__main__":
    forgive_output()
    main()
