"""Where this repository is, and the parameters that tests are written for.

Tests read the frozen product.yaml and params.yaml of `tests/support`, never those at the root: those are
the user's, who may ask for any product, and the tests must still pass.
"""

import os
import re
import subprocess
import textwrap
from pathlib import Path
from typing import Any

import yaml

from flows.planning.resolution import Layers, Written, read_product, resolve
from pipeline.core.chosen_environment import chosen_environment
from pipeline.core.params import as_values, parse_yaml

REPOSITORY = Path(__file__).resolve().parents[2]
PARAMS = REPOSITORY / "tests" / "support" / "params.yaml"
PRODUCT = REPOSITORY / "tests" / "support" / "product.yaml"
QUICKSTART = REPOSITORY / "tests" / "support" / "quickstart.yaml"


def commit_all(root: Path) -> None:
    """Makes the folder a git repository with one commit of all that is there."""
    author = ["-c", "user.name=t", "-c", "user.email=t@t"]
    for command in (["init", "-q"], ["add", "-A"], [*author, "commit", "-qm", "start"]):
        subprocess.run(["git", *command], cwd=root, env=chosen_environment(os.environ), check=True)


def parameter_values() -> dict[str, Any]:
    """All values of the frozen files, a new copy for each caller to change."""
    product = Written(place="product.yaml", values=read_product(PRODUCT))
    return as_values(resolve(Layers(recipe=frozen_recipe(), product=product)))


def frozen_recipe() -> Written:
    """The frozen params.yaml."""
    return Written(place="params.yaml", values=parse_yaml(PARAMS.read_text(encoding="utf-8")))


def shown_product(page: str) -> dict[str, Any]:
    """The product file that the YAML blocks of a page make together."""
    shown: dict[str, Any] = {}
    for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL):
        shown |= parse_yaml(textwrap.dedent(block))
    return shown


def write_files(root: Path, values: dict[str, Any]) -> None:
    """Writes all values as a person has them: a product.yaml and a params.yaml."""
    asked = {"product": values["product"], "sources": values["collect"]["sources"]}
    collect = {name: value for name, value in values["collect"].items() if name != "sources"}
    recipe = {name: value for name, value in values.items() if name != "product"}
    for name, written in (("product", asked), ("params", recipe | {"collect": collect})):
        (root / f"{name}.yaml").write_text(yaml.safe_dump(written), encoding="utf-8")
