"""A browser is asked what Python is asked; what it says, or that it fails, is told. Here a script is the browser."""

import sys
from pathlib import Path

import pytest

from pipeline.core.errors import ArtifactError
from pipeline.edge.parity_check import ParityRequests, check_parity, python_answers
from pipeline.runtime.bundle import Bundle, open_bundle
from pipeline.runtime.reader import TextReader
from tests.support.tiny_bundle import MAX_LENGTH, make_tiny_bundle

REQUESTS = ParityRequests(
    sentences=["a warm funny film", "the awful film", "good <br /> film"],
    hostile=["<br />", "ΑΣ [SEP] dull"],
)
# Says that every text is the one row `ids`, and positive.
SCRIPT = """
import json, sys, urllib.request

def call(name, value=None):
    body = None if value is None else json.dumps(value).encode()
    return urllib.request.urlopen(sys.argv[-1] + name, body).read()

requests = json.loads(call("requests.json"))["requests"]
said = {"label": "positive", "scores": [0.25, 0.75], "abstained": False, "truncated": False}
call("answers", [{"rows": [IDS], "prediction": said} for _ in requests])
call("done", {"golden": {"right": 3, "of": 3}, "started": 9.0, "times": [2.0, 1.0], "browser": "script"})
sys.stdin.read()
"""


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    make_tiny_bundle(tmp_path / "bundle")
    return open_bundle(tmp_path / "bundle")


def browser_that(folder: Path, does: str) -> str:
    script = folder / "browser"
    script.write_text(f"#!{sys.executable}\n{does}\n")
    script.chmod(0o755)
    return str(script)


def test_what_the_browser_read_and_said_is_compared_with_python(
    tmp_path: Path, bundle: Bundle
) -> None:
    first = next(iter(python_answers(bundle, REQUESTS.sentences))).rows
    assert first is not None
    browser = browser_that(tmp_path, SCRIPT.replace("IDS", str(first[0])))
    parity = check_parity(bundle, tmp_path, REQUESTS, browser=browser)
    assert (parity.sentences.ids, parity.sentences.labels, parity.sentences.answered) == (1, 2, 3)
    assert (parity.hostile.ids, parity.hostile.answered) == (0, 1)
    assert parity.sentences.apart == (("the awful film",), ("good <br /> film",))
    assert (parity.milliseconds, parity.golden, parity.passed) == ((1.0, 2.0), (3, 3), False)


@pytest.mark.parametrize(
    ("does", "told"),
    [
        ("raise SystemExit(3)", "it ended with code 3"),
        (
            SCRIPT.partition("requests =")[0]
            + 'call("failed", "no WebAssembly"); sys.stdin.read()',
            "no WebAssembly",
        ),
    ],
    ids=["ends", "fails"],
)
def test_a_browser_that_ends_or_fails_is_told(
    tmp_path: Path, bundle: Bundle, does: str, told: str
) -> None:
    with pytest.raises(ArtifactError, match=told):
        check_parity(bundle, tmp_path, REQUESTS, browser=browser_that(tmp_path, does))


def test_python_cleans_reads_and_refuses_as_the_server_does(bundle: Bundle) -> None:
    found = list(python_answers(bundle, ["a  good <b>film</b>", "<br />"]))
    reader = TextReader(bundle.tokenizer, max_length=MAX_LENGTH, window_stride=None)
    assert found[0].rows == [reader.read("a good film")[0][0].ids]
    assert (found[1].rows, found[1].answer) == (None, None)


def test_texts_become_pairs_with_their_neighbours_where_the_task_reads_pairs() -> None:
    found = ParityRequests.of(["a", "b", "c"], ["x"], pairs=True)
    assert found.sentences == [("a", "b"), ("b", "c"), ("c", "a")]
    assert found.hostile == [("x", "x")]
