"""No process is started with the environment that happens to be there."""

import ast
from pathlib import Path

import pytest

from tests.support.repository import REPOSITORY

FOLDERS = ("flows", "pipeline", "scripts", "tests/support")
STARTERS = {
    "subprocess": {"run", "Popen", "call", "check_call", "check_output", "getoutput"},
    "os": {"system", "popen", "execv", "execve", "execvp", "execl", "spawnv", "posix_spawn"},
    "asyncio": {"create_subprocess_exec", "create_subprocess_shell"},
}
HAND_ON = {
    "flows/execution/keeper.py",
    "flows/execution/stage_shell.py",
    "flows/execution/supervise.py",
    "flows/orchestration/server_lock.py",
    "pipeline/serving/supervisor.py",
}
"""They run what they are given in the environment they were given, which their starter chose."""


def unchosen(text: str) -> list[int]:
    """Lines that start a process without `env=`, or hand `os.environ` itself to one."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and _starts_process(node) and not _is_chosen(node)
    ]


def _starts_process(call: ast.Call) -> bool:
    name = ast.unparse(call.func)
    module, _, function = name.rpartition(".")
    return function in STARTERS.get(module, ())


def _is_chosen(call: ast.Call) -> bool:
    given = [keyword.value for keyword in call.keywords if keyword.arg == "env"]
    if ast.unparse(call.func) == "os.execve":
        given = call.args[2:]
    whole = " ".join(map(ast.unparse, given)).replace("chosen_environment(os.environ)", "")
    return bool(given) and "os.environ" not in whole


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_child_gets_a_chosen_environment(folder: str) -> None:
    files = {
        path.relative_to(REPOSITORY).as_posix(): path
        for path in (REPOSITORY / folder).rglob("*.py")
    }
    assert files
    found = {name: unchosen(path.read_text(encoding="utf-8")) for name, path in files.items()}
    assert {name: lines for name, lines in found.items() if lines and name not in HAND_ON} == {}


def test_the_scripts_that_hand_an_environment_on_are_still_there() -> None:
    for name in HAND_ON:
        assert unchosen(Path(REPOSITORY / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "line",
    [
        "subprocess.run(['git'])",
        "subprocess.Popen(['git'], env=os.environ)",
        "subprocess.run(['git'], env={**os.environ, 'A': ''})",
        "subprocess.check_output(['git'], env=os.environ | own)",
        "os.system('git')",
        "os.execv('/bin/sh', [])",
    ],
)
def test_a_child_with_the_inherited_environment_is_found(line: str) -> None:
    assert unchosen(line) == [1]
    assert unchosen("subprocess.run(['git'], env=chosen_environment(os.environ) | own)") == []
