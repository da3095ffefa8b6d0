"""What the image holds and how it runs, without an engine: its own words in a fresh environment.

    make soak ARGS="-k server_image"

It needs a package index, and bubblewrap (`apt-get install bubblewrap`).
"""

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from pipeline.core.chosen_environment import chosen_environment
from pipeline.release.signing import sign_release
from pipeline.release.state import ReleaseState
from pipeline.runtime.bundle import open_bundle
from pipeline.runtime.signature import PUBLIC_KEY, STATE_FOLDER, signature_path
from tests.support.image_recipe import (
    DOCKERFILE,
    chain_of,
    environment_of,
    installed_extra,
    read_stages,
    started_by,
    user_of,
)
from tests.support.repository import REPOSITORY
from tests.support.server import wait_until
from tests.support.tiny_bundle import make_tiny_bundle

pytestmark = pytest.mark.soak
MOST_PACKAGES = 25
"""Beside Modelyard itself."""
NEVER = {"torch", "mlflow", "mlflow-skinny", "prefect", "dvc", "transformers", "scikit-learn"}
TOKEN = "a-token-of-the-test-0123456789"
SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc/ssl", "/etc/ld.so.cache")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment in which the Dockerfile's own words were installed."""
    folder = tmp_path_factory.mktemp("image") / "server"
    venv.create(folder, with_pip=True, symlinks=True)
    extra = installed_extra(read_stages(DOCKERFILE.read_text(encoding="utf-8"))["build"])
    source = folder.parent / "source"
    _copy_context(source)
    command = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    subprocess.run(
        [*command, "--constraint", "constraints.txt", extra],
        cwd=source,
        env=chosen_environment(os.environ),
        check=True,
    )
    return folder


def _copy_context(source: Path) -> None:
    """What .dockerignore lets the build see."""
    lines = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
    source.mkdir()
    for name in (line[1:] for line in lines if line.startswith("!")):
        origin = REPOSITORY / name
        if origin.is_dir():
            shutil.copytree(origin, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(origin, source / name)


def packages(environment: Path) -> set[str]:
    (site,) = (environment / "lib").glob("python*/site-packages")
    found = importlib.metadata.distributions(path=[str(site)])
    return {each.metadata["Name"].lower() for each in found} - {"pip", "setuptools"}


def test_few_packages_are_installed_and_none_of_them_trains_or_orchestrates(
    environment: Path,
) -> None:
    found = packages(environment)
    assert "modelyard" in found
    assert found & NEVER == set()
    assert len(found - {"modelyard"}) <= MOST_PACKAGES, sorted(found)


def confined(environment: Path, models: Path) -> list[str]:
    """The words of bubblewrap before a command: everything read-only, the image's user and variables."""
    chain = chain_of(read_stages(DOCKERFILE.read_text(encoding="utf-8")), "release")
    user, group = user_of(chain)
    words = ["bwrap", "--unshare-all", "--share-net", "--as-pid-1", "--die-with-parent"]
    words += ["--clearenv", "--uid", str(user), "--gid", str(group), "--proc", "/proc"]
    for path in filter(os.path.exists, (*SYSTEM, sys.base_prefix)):
        words += ["--ro-bind", path, path]
    words += ["--ro-bind", str(environment), "/opt/server", "--ro-bind", str(models), "/models"]
    words += ["--dev", "/dev", "--remount-ro", "/", "--chdir", "/models"]
    variables = environment_of(chain) | {"MODELYARD_TOKEN": TOKEN, "PATH": "/opt/server/bin"}
    variables |= {"MODELYARD_SIGNATURES": "require", "MODELYARD_PUBLIC_KEY": "/models/bundles.pub"}
    for name, value in variables.items():
        words += ["--setenv", name, value]
    return [*words, "--"]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a container has in /models: a release, its signature, and the key that a pod mounts."""
    root, folder = tmp_path_factory.mktemp("built"), tmp_path_factory.mktemp("models")
    state = ReleaseState(root, "tiny")
    bundle_hash = make_tiny_bundle(state.releases / ".new", product="tiny")
    copied = (state.releases / ".new").rename(state.release(bundle_hash))
    sign_release(state, open_bundle(copied))
    shutil.copytree(copied, folder / "release")
    shutil.copy(signature_path(copied), folder / "release.sig")
    shutil.copy(root / STATE_FOLDER / PUBLIC_KEY, folder)
    return folder


@pytest.fixture(scope="module")
def bubblewrap(environment: Path, models: Path) -> list[str]:
    """The words of bubblewrap, on a machine where it works."""
    if shutil.which("bwrap") is None:
        pytest.skip("no bubblewrap: apt-get install bubblewrap")
    words = confined(environment, models)
    tried = subprocess.run(
        [*words, "python", "-c", ""], capture_output=True, text=True, check=False
    )
    if tried.returncode != 0:
        pytest.skip(f"bubblewrap cannot run here: {tried.stderr.strip()[:200]}")
    return words


@contextmanager
def container(words: Sequence[str], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """The last stage's own command in there, on any free port; killed at the end."""
    program = started_by(chain_of(read_stages(DOCKERFILE.read_text(encoding="utf-8")), "release"))
    for option, value in (("--port", "0"), ("--drain", "1")):
        program[program.index(option) + 1] = value
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [*words, *program], stdin=subprocess.DEVNULL, stdout=stream, stderr=stream
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def address_in(log: Path) -> str | None:
    found = re.search(r"listening on http://0\.0\.0\.0:(\d+)/", log.read_text(encoding="utf-8"))
    return None if found is None else f"http://127.0.0.1:{found[1]}/"


def test_inside_is_nobody_who_can_write_nowhere_and_cannot_import_torch(
    bubblewrap: list[str],
) -> None:
    probe = """
import importlib.util, json, os
places = ["/", "/tmp", "/models", "/opt/server", "/usr", os.path.expanduser("~")]
print(json.dumps({
    "user": [os.getuid(), os.getgid()],
    "writable": [place for place in places if os.access(place, os.W_OK)],
    "modules": [name for name in ("torch", "mlflow", "prefect", "dvc") if importlib.util.find_spec(name)],
}))
"""
    told = subprocess.run(
        [*bubblewrap, "python", "-c", probe], capture_output=True, text=True, check=True
    )
    assert json.loads(told.stdout) == {"user": [65534, 65534], "writable": [], "modules": []}


def test_it_serves_a_signed_release_read_only_wants_its_token_and_ends_with_0_when_told(
    bubblewrap: list[str], tmp_path: Path
) -> None:
    log = tmp_path / "server.log"
    with container([*bubblewrap], log) as process:
        wait_until(lambda: address_in(log) is not None or process.poll() is not None)
        url = address_in(log)
        assert url is not None, log.read_text(encoding="utf-8")
        wait_until(lambda: httpx.get(f"{url}health/ready").status_code == 200)
        question = {"text": "a warm funny film"}
        assert httpx.post(f"{url}predict", json=question).status_code == 401
        answer = httpx.post(
            f"{url}predict", json=question, headers={"authorization": f"Bearer {TOKEN}"}
        )
        assert answer.json()["predictions"][0]["label"] == "positive"
        (server,) = psutil.Process(process.pid).children()
        server.terminate()
        assert process.wait(30) == 0, log.read_text(encoding="utf-8")
    assert "Traceback" not in log.read_text(encoding="utf-8")


def test_a_release_without_its_signature_never_serves(
    models: Path, bubblewrap: list[str], tmp_path: Path
) -> None:
    altered = shutil.copytree(models, tmp_path / "models")
    (altered / "release.sig").unlink()
    place = bubblewrap.index(str(models))
    words = [*bubblewrap[:place], str(altered), *bubblewrap[place + 1 :]]
    log = tmp_path / "server.log"
    with container(words, log) as process:
        assert process.wait(60) == 1
    assert "no signature" in log.read_text(encoding="utf-8")
