"""Setting up .venv: what is missing is said, and nothing unfinished looks complete."""

import re
import subprocess
import sys
import zipfile
from collections import namedtuple
from pathlib import Path

import pytest

from scripts import environment
from scripts.environment import CannotInstallError
from tests.support.repository import REPOSITORY as ROOT

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone with the project's own requirements and no environment."""
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    for name in ("ROOT", "VENV", "SITE", "STAMP", "BEGUN", "LOG"):
        path = getattr(environment, name).relative_to(ROOT)
        monkeypatch.setattr(environment, name, tmp_path / path)
    monkeypatch.setattr(environment, "check_disk", lambda: None)
    return tmp_path


def set_up() -> None:
    with environment.one_at_a_time() as lock:
        environment.make_environment(lock)


def test_a_failed_or_interrupted_installation_never_looks_complete(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    venv = clone / ".venv"
    venv.mkdir()
    (venv / ".begun").touch()
    (venv / "half a package").touch()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(clone))

    monkeypatch.setattr(environment, "requirements", lambda: ["there-is-no-such-package==0"])
    with pytest.raises(CannotInstallError, match=r"(?s)there-is-no-such-package.*next: "):
        set_up()
    assert not (venv / "half a package").exists()
    assert not (venv / ".complete").exists()

    monkeypatch.setattr(environment, "requirements", lambda: ["pip"])
    set_up()
    assert environment.works()
    assert (venv / ".complete").exists()
    assert not (venv / ".begun").exists()


def test_an_environment_without_the_tool_gets_it_and_the_tool_moves_with_the_clone(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    venv = str(clone / ".venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    monkeypatch.setattr(environment, "works", lambda: True)
    (clone / ".venv" / ".complete").write_text(environment.fingerprint())
    set_up()
    (clone / "flows").mkdir()
    (clone / "flows" / "__main__.py").write_text("import sys; print(sys.prefix, sys.argv[1:])")
    moved = clone.parent / "moved clone"
    clone.rename(moved)
    command = [".venv/bin/modelyard", "build", 'product.audience="The team"']
    said = subprocess.check_output(command, cwd=moved, text=True)
    assert said.strip() == f"{moved / '.venv'} ['build', 'product.audience=\"The team\"']"


def test_every_python_of_the_environment_reports_nothing_even_by_hand(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", str(clone / ".venv")], check=True
    )
    environment.write_import_path()
    asked = "import os, sys; print(os.environ['ORT_DISABLE_TELEMETRY'], sys.path[-1])"
    command = [str(clone / ".venv" / "bin" / "python"), "-c", asked]
    monkeypatch.delenv("ORT_DISABLE_TELEMETRY")
    assert subprocess.check_output(command, text=True).split() == ["1", str(clone)]


@pytest.mark.parametrize(
    ("listed", "kept"),
    [
        ("global.index-url='https://a/simple'", {"PIP_INDEX_URL": "https://a/simple"}),
        ("global.target='/elsewhere'\ninstall.user='true'\nglobal.prefix='/x'", {}),
        ("global.cert='/a'\ninstall.cert='/b'", {"PIP_CERT": "/b"}),
        (r"global.find-links='/a\n/b'", {"PIP_FIND_LINKS": "/a\n/b"}),
        (":env:.index-url='https://a'", {}),
    ],
)
def test_of_pips_own_files_it_is_kept_where_packages_come_from(
    listed: str, kept: dict[str, str]
) -> None:
    assert environment.settings_kept(listed) == kept


def test_pip_installs_into_the_environment_whatever_the_shell_asks_for(
    clone: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere, wheels = tmp_path_factory.mktemp("elsewhere"), tmp_path_factory.mktemp("wheels")
    with zipfile.ZipFile(wheels / "tiny-1.0-py3-none-any.whl", "w") as wheel:
        about = "tiny-1.0.dist-info"
        wheel.writestr("tiny.py", "")
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        wheel.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{about}/RECORD", "")
    settings = elsewhere / "pip.conf"
    settings.write_text(
        f"[install]\ntarget = {elsewhere}\n[global]\nno-index = true\nfind-links = {wheels}\n"
    )
    for name in ("PIP_FIND_LINKS", "PIP_CERT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        **dict.fromkeys(("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PYTHONPATH"), str(elsewhere)),
        **dict.fromkeys(("PIP_USER", "PIP_DRY_RUN", "PIP_QUIET"), "1"),
        "PIP_REQUIRE_VIRTUALENV": "true",
        "VIRTUAL_ENV": str(elsewhere),
        "PIP_CONFIG_FILE": str(settings),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(environment, "requirements", lambda: ["tiny"])
    set_up()
    assert (clone / ".venv" / ".complete").exists()
    assert (environment.SITE / "tiny.py").exists()
    assert [path.name for path in elsewhere.iterdir()] == ["pip.conf"]


def test_too_little_disk_says_what_is_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = Usage(total=9 * environment.GIB, used=0, free=2 * environment.GIB)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    with pytest.raises(CannotInstallError, match=r"(?s)got: 2\.0 GiB.*5 GiB.*3\.0 GiB short"):
        environment.require_space(tmp_path, 5, "free some space")


def test_a_missing_git_or_ensurepip_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(CannotInstallError, match="no `git` on the path"):
        environment.check_system()
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setattr("shutil.which", lambda name: name)
    with pytest.raises(
        CannotInstallError, match=rf"apt-get install -y python{environment.PYTHON}-venv"
    ):
        environment.check_system()


def test_every_installed_requirement_is_pinned() -> None:
    pins = {
        line.split("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if "==" in line
    }
    names = {re.split(r"[<>=]", line)[0].lower() for line in environment.requirements()}
    assert names <= pins


def found_python(folder: Path, *arguments: str) -> str:
    """Returns what find_python.sh prints in a folder where nothing but its `bin` is on the path."""
    command = ["/bin/sh", str(ROOT / "scripts" / "find_python.sh"), *arguments]
    path = {"PATH": str(folder / "bin"), "PYTHONHOME": "/nowhere", "PYTHONPATH": "/nowhere"}
    done = subprocess.run(
        command, cwd=folder, env=path, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or done.stderr


@pytest.mark.parametrize("there", [["3.11", "3.12"], ["3.12", "3.13"], ["3.13"], ["3.10", "3.14"]])
def test_the_first_python_from_3_11_to_3_13_is_taken(tmp_path: Path, there: list[str]) -> None:
    """Each stand-in answers as that Python would: whether its version is from 3.11 to 3.13."""
    (tmp_path / "bin").mkdir()
    for version in there:
        stand_in = tmp_path / "bin" / f"python{version}"
        fits = version in ("3.11", "3.12", "3.13")
        stand_in.write_text(f"#!/bin/sh\nexit {0 if fits else 1}\n")
        stand_in.chmod(0o755)
    said = found_python(tmp_path)
    if there == ["3.10", "3.14"]:
        assert "no Python 3.11, 3.12 or 3.13 on the path" in said
    else:
        assert said == f"python{there[0]}"


def test_the_python_that_the_environment_was_made_with_is_kept(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    venv = tmp_path / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    assert found_python(tmp_path) == vars(sys)["_base_executable"]


def test_another_python_is_refused() -> None:
    command = ["sh", "scripts/find_python.sh", "/bin/sh"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "PYTHON=/bin/sh is not a Python 3.11, 3.12 or 3.13" in done.stderr


def test_make_alone_prints_every_target() -> None:
    printed = subprocess.check_output(["make"], cwd=ROOT, text=True)
    for target in ("pipeline", "quickstart", "test", "check", "serve", "stop", "ui", "clean"):
        assert f"make {target} " in printed
