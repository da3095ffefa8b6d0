"""Make .venv from pyproject.toml and constraints.txt, or say in plain words what is missing.

`make` runs this with the system's Python, 3.11 to 3.13 (scripts/find_python.sh), when .venv is missing or
older than those files, so it needs the standard library alone.

The stamp is written last: an installation that failed or was interrupted never looks complete, and
the next `make` starts it afresh. The project itself is not installed: one line in a .pth file puts
the clone on the import path, relative, so that a clone that is moved or copied imports itself.
"""

import ast
import fcntl
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # `python scripts/environment.py`, before anything is installed

from pipeline.core.chosen_environment import chosen_environment, is_kept  # noqa: E402
from pipeline.core.output import forgive_output  # noqa: E402
from pipeline.core.telemetry import SWITCHES  # noqa: E402

VENV = ROOT / ".venv"
PYTHON = "{}.{}".format(*sys.version_info)
SITE = VENV / "lib" / f"python{PYTHON}" / "site-packages"
STAMP = VENV / ".complete"
BEGUN = VENV / ".begun"
LOG = ROOT / ".modelyard" / "logs" / "install.log"
EXTRAS = ("train", "serve", "demo", "dev")
TOOL = """#!/bin/sh
# Written by scripts/environment.py. Python reads these before a line of ours runs.
unset PYTHONHOME PYTHONPATH PYTHONSAFEPATH PYTHONSTARTUP PYTHONINSPECT PYTHONWARNINGS PYTHONOPTIMIZE
exec "$(dirname -- "$0")/python" -m flows "$@"
"""
IMPORT_PATH = f"../../../..\nimport os; os.environ.update({SWITCHES!r})\n"
UNPACKING = "Installing collected packages"
GIB = 1024**3
NEEDED_GIB = 5
NEEDED_WITH_CUDA_GIB = 14
NEEDED_TEMPORARY_GIB = 1
HEARTBEAT_SECONDS = 5


class CannotInstallError(Exception):
    """Something is missing; the message says what to do."""

    def __init__(self, got: str, *, expected: str, next_step: str) -> None:
        super().__init__(f"  got: {got}\n  expected: {expected}\n  next: {next_step}")


def main() -> None:
    """Checks the machine, then installs; exits with 1 and one message where that is impossible."""
    forgive_output()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with one_at_a_time() as lock:
            make_environment(lock)
    except CannotInstallError as error:
        sys.exit(f"\nModelyard cannot be installed yet.\n{error}\n")
    except KeyboardInterrupt:
        sys.exit("\nInstallation interrupted; the next `make` starts it afresh.")


def make_environment(lock: int) -> None:
    """Installs, unless the stamp is that of the current files; `lock` is a file descriptor."""
    wanted = fingerprint()
    sound = works()
    if sound and STAMP.exists() and STAMP.read_text(encoding="utf-8") == wanted:
        write_import_path()
        write_tool()
        STAMP.touch()
        return
    check_system()
    if not sound:
        check_disk()
    STAMP.unlink(missing_ok=True)
    create(lock, sound=sound)
    install(lock)
    BEGUN.unlink()
    STAMP.write_text(wanted, encoding="utf-8")
    say("Installed.")


@contextmanager
def one_at_a_time() -> Iterator[int]:
    """Makes two `make` in one clone install one after the other.

    pip inherits the lock, so an orphan of a killed installation is waited for as well. It is not
    filelock's: nothing is installed yet.
    """
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with (LOG.parent / "install.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("Another installation is running in this clone; waiting for it ...")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


def check_system() -> None:
    """Checks for git and for the parts of Python that Debian packs apart."""
    for module in ("ensurepip", "venv"):
        if importlib.util.find_spec(module) is None:
            raise CannotInstallError(
                f"a Python {PYTHON} without `{module}` at {sys.executable}",
                expected="a Python that can make virtual environments",
                next_step=system_package(
                    f"python{PYTHON}-venv", brew=f"python@{PYTHON}", dnf=f"python{PYTHON}"
                ),
            )
    if shutil.which("git") is None:
        command = system_package("git", brew="git", dnf="git")
        raise CannotInstallError("no `git` on the path", expected="git", next_step=command)


def system_package(apt: str, *, brew: str, dnf: str) -> str:
    """The command of this system that installs a package."""
    become = "" if os.geteuid() == 0 else "sudo "
    commands = {
        "apt-get": f"{become}apt-get install -y {apt}",
        "brew": f"brew install {brew}",
        "dnf": f"{become}dnf install -y {dnf}",
    }
    found = (command for tool, command in commands.items() if shutil.which(tool))
    return next(found, f"install {apt} from your system's packages")


def check_disk() -> None:
    """Checks for space: for the environment, a build's files, and what pip unpacks on the way."""
    free = require_space(ROOT, NEEDED_GIB, "free some space")
    temporary, index = Path(tempfile.gettempdir()), os.environ.get("TORCH_INDEX")
    require_space(temporary, NEEDED_TEMPORARY_GIB, "free some space, or set TMPDIR")
    if sys.platform == "linux" and not index and free < NEEDED_WITH_CUDA_GIB:
        say(
            f"Note: {free:.1f} GiB are free. Where pip finds no CPU wheel of torch it takes the CUDA"
            f" build, which needs about {NEEDED_WITH_CUDA_GIB} GiB; see TORCH_INDEX in the README."
        )


def require_space(folder: Path, needed_gib: float, next_step: str) -> float:
    """Returns the free space at `folder` in GiB; raises where it is less than needed."""
    free = shutil.disk_usage(folder).free / GIB
    if free < needed_gib:
        raise CannotInstallError(
            f"{free:.1f} GiB free at {folder}",
            expected=f"at least {needed_gib} GiB",
            next_step=f"{next_step} ({needed_gib - free:.1f} GiB short), then run make again",
        )
    return free


def create(lock: int, *, sound: bool) -> None:
    """Makes a virtual environment where there is none that works."""
    if BEGUN.exists() or (VENV.exists() and not sound):
        say("Removing an unfinished .venv ...")
        shutil.rmtree(VENV)
    if not VENV.exists():
        say("Making .venv ...")
        VENV.mkdir()
        BEGUN.touch()
        run([sys.executable, "-m", "venv", str(VENV)], lock)
    BEGUN.touch()


def install(lock: int) -> None:
    """Installs the extras, every version pinned, and puts the clone on the import path."""
    index = os.environ.get("TORCH_INDEX")
    command = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--no-input"]
    command += ["--disable-pip-version-check", "--progress-bar=off"]
    command += ["--constraint", str(ROOT / "constraints.txt")]
    command += ["--extra-index-url", index] if index else []
    say(f"Installing the pinned packages; the full log is {LOG.relative_to(ROOT)}")
    run([*command, *requirements()], lock)
    write_import_path()
    write_tool()


def installing_environment() -> dict[str, str]:
    """The chosen environment, with pip's own files of settings read for where packages come from.

    A `target`, `prefix` or `user` in such a file would put the packages elsewhere.
    """
    chosen = chosen_environment(os.environ)
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"],
        env=chosen, capture_output=True, encoding="utf-8", check=False,
    ).stdout  # fmt: skip
    return {**settings_kept(listed), **chosen, "PIP_CONFIG_FILE": os.devnull}


def settings_kept(listed: str) -> dict[str, str]:
    """Returns the settings in the output of `pip config list` that say where packages come from."""
    found: dict[str, str] = {}
    lines = [line.partition("=") for line in listed.splitlines()]
    for section in ("global", "install"):
        for name, _, value in lines:
            variable = f"PIP_{name.rpartition('.')[2].upper().replace('-', '_')}"
            if name.startswith(f"{section}.") and is_kept(variable):
                found[variable] = str(ast.literal_eval(value))
    return found


def write_import_path() -> None:
    """Puts the clone on the import path, and switches telemetry off for every Python of .venv.

    ONNX Runtime reports as soon as it is imported, also in a stage that `dvc` runs by hand.
    """
    (SITE / "modelyard.pth").write_text(IMPORT_PATH, encoding="utf-8")


def write_tool() -> None:
    """Writes .venv/bin/modelyard, which runs the Python beside it: a clone may be moved."""
    tool = VENV / "bin" / "modelyard"
    tool.write_text(TOOL, encoding="utf-8")
    tool.chmod(0o755)


def requirements() -> list[str]:
    """The requirements in pyproject.toml: of the core and of every extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    return [*project["dependencies"], *(line for name in EXTRAS for line in extras[name])]


def run(command: list[str], lock: int) -> None:
    """Runs a command with its output in the log, and prints every few seconds how far it is.

    Raises:
        CannotInstallError: it failed; the message has the end of the log.
    """
    with LOG.open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=installing_environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[lock],
        )
        try:
            while process.returncode is None:
                try:
                    process.wait(timeout=HEARTBEAT_SECONDS)
                except subprocess.TimeoutExpired:
                    say(f"  {progress()}")
        except BaseException:
            process.kill()
            process.wait()
            raise
    if process.returncode:
        said = LOG.read_text(encoding="utf-8", errors="replace")
        if "pip" in command and UNPACKING not in said:
            BEGUN.unlink(missing_ok=True)  # pip had not touched the environment: it stays valid
        tail = "\n    ".join(said.splitlines()[-12:])
        raise CannotInstallError(
            f"`{' '.join(command[1:4])}` ended with exit code {process.returncode}:\n    {tail}",
            expected="exit code 0",
            next_step=f"read {LOG.relative_to(ROOT)}; check network, package index and free disk,"
            " then run make again",
        )


def progress() -> str:
    """How far pip is, from its log and from the folders that it has unpacked."""
    lines = LOG.read_text(encoding="utf-8", errors="replace").splitlines()
    found = sum(line.startswith(("Collecting ", "Processing ")) for line in lines)
    if not any(line.startswith(UNPACKING) for line in lines):
        return f"{found} packages found" if found else "starting"
    return f"{len(list(SITE.glob('*.dist-info')))} of about {found} packages unpacked"


def works() -> bool:
    """Whether the environment is complete and its Python starts, is as new as this one, and has pip."""
    question = f"import sys, pip; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
    command = [str(VENV / "bin" / "python"), "-c", question]
    with suppress(OSError):
        env = chosen_environment(os.environ)
        ended = subprocess.run(command, env=env, capture_output=True, check=False)
        return not ended.returncode and not BEGUN.exists()
    return False


def fingerprint() -> str:
    """Hash of the Python version and of the files that decide what is installed."""
    files = [(ROOT / name).read_bytes() for name in ("pyproject.toml", "constraints.txt")]
    return hashlib.sha256(b"".join([sys.version.split()[0].encode(), *files])).hexdigest() + "\n"


def say(text: str) -> None:
    """Prints one line for the person who waits."""
    print(text, flush=True)


if __name__ == "__main__":
    main()
