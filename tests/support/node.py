"""Runs the scripts of the browser's folder in Node.js, for tests that need no browser."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pipeline.core.chosen_environment import chosen_environment
from pipeline.core.errors import ArtifactError
from pipeline.edge.npm_packages import NpmPackage, package_bytes
from tests.support.session_copy import session_folder

STATIC = Path(__file__).resolve().parents[2] / "pipeline" / "edge" / "static"
NO_NODE = "no Node.js on this machine (Debian, Ubuntu: apt-get install nodejs npm)"
needs_node = pytest.mark.skipif(not (shutil.which("node") and shutil.which("npm")), reason=NO_NODE)


def run_script(
    folder: Path, script: str, value: Any, *, files: Mapping[str, bytes] | None = None
) -> Any:
    """What a script makes of `value`: `given` in the script, which leaves its result in `result`.

    Args:
        folder: a new folder, to which the scripts that `script` imports as "./NAME.js" are copied.
        files: other files to put there.
    """
    shutil.copytree(STATIC, folder)
    for name, content in (files or {}).items():
        (folder / name).write_bytes(content)
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "given.json").write_text(json.dumps(value))
    (folder / "script.js").write_text(
        'import { readFileSync, writeFileSync } from "node:fs";\n'
        'const given = JSON.parse(readFileSync("given.json"));\nlet result;\n'
        f'{script}\nwriteFileSync("result.json", JSON.stringify(result));\n'
    )
    environment = chosen_environment(os.environ) | {"NODE_OPTIONS": ""}
    done = subprocess.run(
        ["node", "script.js"],
        cwd=folder,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "result.json").read_text())


def kept_packages(factory: pytest.TempPathFactory, *packages: NpmPackage) -> Path:
    """A folder with packages of npm, fetched once a session; the test is left out where npm has none."""

    def fetch(folder: Path) -> None:
        for package in packages:
            package_bytes(package, folder)

    try:
        return session_folder(factory, f"npm-{len(packages)}", fetch)
    except ArtifactError as error:
        if "npm pack" not in error.got:
            raise
        pytest.skip(f"npm gives no packages: {error.got}")
