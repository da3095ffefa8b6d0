"""What people say of answers: kept only where asked for, in the server's own words, in a file that ends."""

import json
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pipeline.data.rows import read_rows
from pipeline.serving.demo_routes import DemoExtras
from pipeline.serving.feedback import FeedbackFile
from pipeline.serving.hot_swap import ModelHolder
from pipeline.serving.protocol import ProtocolError
from tests.support.server import client_of, holder_of
from tests.support.tiny_bundle import make_tiny_bundle, tiny_task

TEXT = "a warm funny film"


@pytest.fixture(name="holder", scope="module")
def make_holder(tmp_path_factory: pytest.TempPathFactory) -> ModelHolder:
    folder = tmp_path_factory.mktemp("bundle") / "bundle"
    make_tiny_bundle(folder)
    return holder_of(folder)


def hash_of(holder: ModelHolder) -> str:
    assert holder.current is not None
    return holder.current.bundle.hash


def lines_of(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def keeping(holder: ModelHolder, path: Path) -> TestClient:
    return client_of(holder, extras=DemoExtras(feedback=path))


def test_without_the_option_there_is_no_such_route_and_the_page_knows(holder: ModelHolder) -> None:
    with client_of(holder) as client:
        assert client.post("/feedback?verdict=right", json={"text": TEXT}).status_code == 404
        assert client.get("/model").json()["feedback"] is False


def test_a_verdict_is_kept_with_the_text_and_the_servers_own_answer(
    holder: ModelHolder, tmp_path: Path
) -> None:
    path = tmp_path / "new" / "feedback.jsonl"
    with keeping(holder, path) as client:
        assert client.get("/model").json()["feedback"] is True
        client.post("/predict", json={"text": "a text that nobody judged"})
        assert not path.exists()
        for verdict in ("right", "wrong"):
            answer = client.post(
                f"/feedback?verdict={verdict}&model={hash_of(holder)}", json={"text": TEXT}
            )
            assert (answer.status_code, answer.json()) == (201, {"kept": verdict})
    right, wrong = lines_of(path)
    assert right.pop("time")
    assert right == {
        "text": TEXT,
        "answer": "positive",
        "verdict": "right",
        "model": hash_of(holder),
    }
    assert wrong["verdict"] == "wrong"
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("problem", "body", "kept"),
    [
        ("multi_label", {"text": "warm awful"}, {"answer": ["negative", "positive"]}),
        ("regression", {"text": "good"}, {"text": "good"}),
    ],
)
def test_answers_of_every_problem_are_kept(
    tmp_path: Path, problem: str, body: dict[str, str], kept: dict[str, object]
) -> None:
    make_tiny_bundle(tmp_path / "bundle", task=tiny_task(problem))
    holder, path = holder_of(tmp_path / "bundle"), tmp_path / "feedback.jsonl"
    with keeping(holder, path) as client:
        client.post(f"/feedback?verdict=wrong&model={hash_of(holder)}", json=body)
    (line,) = lines_of(path)
    assert kept.items() <= line.items()
    assert line["answer"] not in (None, [])


def test_both_texts_of_a_pair_are_kept(tmp_path: Path) -> None:
    make_tiny_bundle(tmp_path / "bundle", task=tiny_task(pairs=True))
    holder, path = holder_of(tmp_path / "bundle"), tmp_path / "feedback.jsonl"
    with keeping(holder, path) as client:
        client.post(
            f"/feedback?verdict=wrong&model={hash_of(holder)}",
            json={"text": "the film", "second": "a warm film"},
        )
    (line,) = lines_of(path)
    assert (line["text"], line["second"]) == ("the film", "a warm film")


@pytest.mark.parametrize(
    ("query", "body", "status"),
    [
        ("verdict=maybe", {"text": TEXT}, 422),
        ("", {"text": TEXT}, 422),
        ("verdict=right&model=another", {"text": TEXT}, 409),
        ("verdict=right&model=HASH", {"texts": [TEXT, TEXT]}, 422),
        ("verdict=right&model=HASH", {"text": TEXT, "second": TEXT}, 422),
        ("verdict=right&model=HASH", {"text": " "}, 422),
    ],
)
def test_what_is_no_verdict_on_an_answer_of_this_model_is_refused_and_not_kept(
    holder: ModelHolder, tmp_path: Path, query: str, body: dict[str, object], status: int
) -> None:
    path = tmp_path / "feedback.jsonl"
    with keeping(holder, path) as client:
        asked = f"/feedback?{query.replace('HASH', hash_of(holder))}"
        assert client.post(asked, json=body).status_code == status
    assert not path.exists()


def test_a_full_file_takes_no_more_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "feedback.jsonl"
    file = FeedbackFile(path, most_bytes=100)
    file.add({"text": "x" * 50})
    before = path.read_bytes()
    with pytest.raises(ProtocolError, match="100 bytes") as refused:
        file.add({"text": "x" * 50})
    assert refused.value.status == 507
    assert path.read_bytes() == before


def test_the_file_is_a_source_of_texts_for_the_next_build(
    holder: ModelHolder, tmp_path: Path
) -> None:
    path = tmp_path / "feedback.jsonl"
    with keeping(holder, path) as client:
        for number in range(5):
            text = f"a warm funny film that people saw {number} times"
            client.post(f"/feedback?verdict=wrong&model={hash_of(holder)}", json={"text": text})
    rows = [*read_rows(path, columns=["text"], optional=["verdict"])]
    assert len(rows) == 5
    assert rows[3][1]["text"] == "a warm funny film that people saw 3 times"
