"""The environment is chosen: what a shell, a hook or another project says does not reach our processes."""

import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest

from pipeline.core import chosen_environment as module
from pipeline.core.chosen_environment import chosen_environment, unusable_settings
from pipeline.core.telemetry import SWITCHES
from tests.support.repository import REPOSITORY, commit_all

HOME = {"HOME": os.environ["HOME"]}


@pytest.mark.parametrize(
    "name",
    [
        *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR"),
        *("GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE", "GIT_CEILING_DIRECTORIES", "GIT_EXTERNAL_DIFF"),
        *("GIT_CONFIG", "GIT_CONFIG_PARAMETERS", "GIT_LITERAL_PATHSPECS", "GIT_TEMPLATE_DIR"),
        *("PREFECT_API_URL", "PREFECT_API_KEY", "PREFECT_HOME", "PREFECT_PROFILE"),
        *("PREFECT_API_DATABASE_CONNECTION_URL", "PREFECT_SERVER_DATABASE_CONNECTION_URL"),
        *("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "MLFLOW_EXPERIMENT_NAME", "MLFLOW_RUN_ID"),
        *("DVC_SITE_CACHE_DIR", "DVC_GLOBAL_CONFIG_DIR", "DVC_STUDIO_TOKEN", "DVC_EXP_NAME"),
        *("PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PIP_ROOT", "PIP_REQUIRE_VIRTUALENV"),
        *("PIP_NO_DEPS", "PIP_DRY_RUN", "PIP_CONSTRAINT", "PIP_QUIET", "PIP_PYTHON"),
        *("PYTHONPATH", "PYTHONHOME", "PYTHONWARNINGS", "PYTHONOPTIMIZE", "PYTHONIOENCODING"),
        *("PYTHONSAFEPATH", "PYTHONINSPECT", "PYTHONUSERBASE", "VIRTUAL_ENV"),
        *("OMP_NUM_THREADS", "OMP_THREAD_LIMIT", "OMP_PROC_BIND", "KMP_AFFINITY", "MKL_CBWR"),
        *("UVICORN_PORT", "WEB_CONCURRENCY", "GUNICORN_CMD_ARGS", "FLASK_DEBUG"),
        *("LC_CTYPE", "LC_MESSAGES", "LANGUAGE", "SSLKEYLOGFILE", "USE_TORCH"),
    ],
)
def test_what_belongs_to_others_is_left_out(name: str) -> None:
    assert name not in chosen_environment({name: "/elsewhere", **HOME})


@pytest.mark.parametrize(
    "name",
    [
        *("PATH", "HOME", "TMPDIR", "TERM", "NO_COLOR", "CUDA_VISIBLE_DEVICES", "HF_TOKEN"),
        *("GIT_SSH_COMMAND", "GIT_CONFIG_GLOBAL", "GIT_AUTHOR_NAME", "GIT_OPTIONAL_LOCKS"),
        *("PIP_INDEX_URL", "PIP_FIND_LINKS", "PIP_PROXY", "PYTHONUNBUFFERED", "MODELYARD_PORT"),
        *("http_proxy", "HTTPS_PROXY", "OMP_WAIT_POLICY"),
    ],
)
def test_what_is_the_users_own_is_kept(name: str) -> None:
    value = HOME["HOME"] if name == "HOME" else "http://10.0.0.1:3128"
    assert chosen_environment({**HOME, name: value})[name] == value


def test_files_and_pipes_are_utf8_and_no_library_reports_home() -> None:
    chosen = chosen_environment({"LC_ALL": "ko_KR.EUC-KR", "PYTHONUTF8": "0", **HOME})
    assert chosen["PYTHONUTF8"] == "1"
    assert chosen["LC_ALL"].endswith("UTF-8")
    assert SWITCHES.items() <= chosen.items()
    assert chosen_environment(chosen) == chosen


def test_own_servers_are_reached_directly_and_the_users_exceptions_stay() -> None:
    chosen = chosen_environment({"no_proxy": ".corp, 10.0.0.1", "NO_PROXY": "localhost", **HOME})
    assert chosen["no_proxy"] == chosen["NO_PROXY"] == ".corp,10.0.0.1,localhost,127.0.0.1,::1"
    assert chosen_environment(chosen) == chosen


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize(
    "exceptions", ["", "10.0.0.0/8", "fe80::/10", "[::1]", "*.corp,.corp, a b", "*", "회사", "a:80"]
)
def test_a_client_of_our_own_servers_works_beside_any_proxy_and_exceptions(
    exceptions: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """httpx reads these variables even for an address that needs no proxy, and Prefect asks by it."""
    dead = dict.fromkeys(("http_proxy", "HTTPS_PROXY"), "http://127.0.0.1:9")
    broken = dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "SSLKEYLOGFILE"), "/nowhere/x")
    shell = {**os.environ, **dead, **broken, "ALL_PROXY": "socks5://127.0.0.1:9"}
    chosen = chosen_environment({**shell, "no_proxy": exceptions, "NO_PROXY": exceptions})
    for name in broken.keys() | {"ALL_PROXY"}:
        monkeypatch.delenv(name, raising=False)
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert httpx.get(f"http://127.0.0.1:{server.server_port}/").status_code == 200
        server.shutdown()


def test_of_gits_settings_in_the_environment_trust_stays_and_the_repository_goes() -> None:
    told = {
        "GIT_CONFIG_COUNT": "3",
        "GIT_CONFIG_KEY_0": "core.worktree",
        "GIT_CONFIG_VALUE_0": "/elsewhere",
        "GIT_CONFIG_KEY_1": "safe.directory",
        "GIT_CONFIG_VALUE_1": "*",
        "GIT_CONFIG_KEY_2": "core.bare",
        "GIT_CONFIG_VALUE_2": "true",
    }
    chosen = chosen_environment({**told, **HOME})
    assert {key: value for key, value in chosen.items() if key.startswith("GIT_CONFIG")} == {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
    }
    assert not [
        key for key in chosen_environment({"GIT_CONFIG_COUNT": "x", **HOME}) if "_KEY" in key
    ]


@pytest.mark.parametrize(
    "variables",
    [
        {"ALL_PROXY": "socks5://127.0.0.1:9"},
        {"all_proxy": "socks://127.0.0.1:9"},
        {"http_proxy": "http://[half"},
        {"HTTPS_PROXY": "http://proxy:port"},
        {"REQUESTS_CA_BUNDLE": "/nowhere/ca.pem"},
        {"SSL_CERT_FILE": __file__},
        {"XDG_CACHE_HOME": f"{__file__}/cache"},
    ],
)
def test_a_setting_that_would_stop_its_readers_is_passed_over_by_name(
    variables: dict[str, str],
) -> None:
    assert [name for name, _ in unusable_settings(variables)] == list(variables)
    assert not variables.keys() & chosen_environment({**variables, **HOME}).keys()


def test_a_usable_proxy_or_bundle_is_not_passed_over() -> None:
    import certifi

    proxies = dict.fromkeys(("http_proxy", "HTTPS_PROXY"), "http://10.0.0.1:3128")
    assert unusable_settings({**proxies, "ALL_PROXY": "10.0.0.1:3128"}) == []
    assert unusable_settings({"SSL_CERT_FILE": certifi.where()}) == []


@pytest.mark.parametrize("home", [{}, {"HOME": f"{__file__}/home"}, {"HOME": "relative"}])
def test_a_user_without_name_or_home_gets_both(
    home: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "OWN_HOME", tmp_path / "home")
    monkeypatch.setattr(module, "_entry", lambda: None)
    chosen = chosen_environment(home)
    assert chosen["HOME"] == str(tmp_path / "home")
    assert (tmp_path / "home").is_dir()
    assert chosen["USER"] == chosen["LOGNAME"] == f"user-{os.getuid()}"
    assert chosen_environment({"USER": "kim", **home})["USER"] == "kim"


def test_a_home_that_cannot_be_written_still_says_whom_git_trusts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".gitconfig").touch()
    monkeypatch.setattr(module, "OWN_HOME", tmp_path / "home")
    monkeypatch.setattr(module, "_can_be_written", lambda _: False)
    assert chosen_environment({"HOME": str(tmp_path)})["GIT_CONFIG_GLOBAL"] == str(
        tmp_path / ".gitconfig"
    )


@pytest.mark.skipif(os.getuid() != 0, reason="only root may become a user whom nobody knows")
def test_a_user_whom_the_system_does_not_know_has_a_name_for_every_library() -> None:
    code = (
        "import os, getpass; from pipeline.core.chosen_environment import choose_environment as choose\n"
        "os.setuid(54321); choose(); print(getpass.getuser(), os.path.expanduser('~'))"
    )
    said = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        env={"PATH": os.environ["PATH"], "HOME": "/nowhere"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.stdout.split() == ["user-54321", str(module.OWN_HOME)], said.stderr


def test_a_hooks_variables_do_not_reach_gits_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.execution.git import git

    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    for folder in (theirs, ours):
        folder.mkdir()
        (folder / folder.name).touch()
        commit_all(folder)
    for name, value in {
        "GIT_DIR": str(theirs / ".git"),
        "GIT_INDEX_FILE": str(theirs / ".git" / "index"),
        "GIT_WORK_TREE": str(theirs),
        "GIT_PREFIX": "",
    }.items():
        monkeypatch.setenv(name, value)
    assert git(ours, "ls-files").split() == ["ours"]
    third = tmp_path / "third"
    third.mkdir()
    (third / "third").touch()
    commit_all(third)
    assert git(theirs, "ls-files").split() == ["theirs"]
    assert git(theirs, "config", "core.bare").strip() == "false"
