"""From texts alone to a released model: a queue, three people's keys, adjudication, labels, a build, a release."""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from playwright.sync_api import Browser

from flows.annotate import publish_votes
from flows.execution.label_rounds import changes_folder, keep_label_changes
from flows.execution.rows_to_label import keep_answers
from flows.planning.resolution import Variation, resolved
from pipeline.annotation.published_votes import read_votes
from pipeline.core.errors import LabelsNeededError
from pipeline.core.files import read_json
from pipeline.core.params import as_values
from pipeline.core.paths import Paths
from pipeline.data.tables import read_table
from pipeline.release.production import stop_serving
from pipeline.release.state import ReleaseState
from tests.support.browser import browser_fixture
from tests.support.labelling import LabelServer, label_server, post
from tests.support.real_reviews import real_reviews
from tests.support.releasing import released
from tests.support.repository import frozen_recipe
from tests.support.scripted_people import label_in_turns, with_errors
from tests.support.tiny_workspace import write_settings
from tests.support.trained_workspace import run_in, runs
from tests.support.two_layers import write_two_layers
from tests.support.whole_line import EASY, SMALL, STAGES

__all__ = ["browser_fixture"]
pytestmark = pytest.mark.browser

PRODUCT, LABELS = "reviews", ["critic", "viewer"]
ROWS, FEW_ROWS, DOUBLE, ERRORS = 240, 100, 0.6, 8
PEOPLE = ("ann", "bob", "cy")
FEW = {
    "pretrain": {"start": "random", "epochs": 1},
    "finetune": {"epochs": 12, "min_steps": 0, "learning_rate": 3.0e-4, "average": 0.9},
    "transfer": {"choice": "hash", "min_texts": 0, "augmentations": 0, "min_confidence": 0.5},
    "distill": {"epochs": 4, "min_steps": 0},
    "prune": {"epochs": 1, "min_steps": 0, "feature_weight": 0.0},
}


def make_project(root: Path, texts: Mapping[str, str]) -> None:
    """Writes a product of texts alone; what is known of their labels is left out."""
    for folder in ("data", "annotations", "splits"):
        (root / folder).mkdir(parents=True)
    with (root / "data" / "reviews.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["text"])
        writer.writerows([text] for text in sorted(texts))
    recipe = dict(frozen_recipe().values)
    sections: list[tuple[str, Any]] = [*SMALL.items(), *FEW.items()]
    for section, changes in sections:
        recipe[section] = {**recipe[section], **changes}
    write_two_layers(root / "checkpoint")
    place = {"kind": "folder", "package": None, "path": str(root / "checkpoint"), "sha256": None}
    recipe["prepare"]["checkpoint"] = {**recipe["prepare"]["checkpoint"], **place}
    source = {"name": "reviews", "path": "reviews.csv", "text_column": "text", "role": "corpus"}
    source |= {"licence": "unknown"}
    limits = {**EASY, "quality_metric": "accuracy", "licence_waivers": {"reviews": "for a test"}}
    product: dict[str, Any] = {"name": PRODUCT, "labels": LABELS, "examples": ["A fine film."]}
    product["requirements"] = limits
    (root / "params.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
    (root / "product.yaml").write_text(
        yaml.safe_dump({"product": product, "sources": [source]}), encoding="utf-8"
    )
    write_settings(root, as_values(resolved(root, Variation())))


def run(root: Path, *stages: str) -> dict[str, Any]:
    """Runs stages in order, as a build does; what each said."""
    return {stage: run_in(root, stage, work)[0] for stage, work in runs(*stages).items()}


def decide_disputes(root: Path, server: LabelServer, hidden: Mapping[str, str]) -> list[str]:
    """The adjudicator decides, from the hidden labels, each row about which people differ; returns their ids."""
    votes: dict[str, set[tuple[str, ...]]] = {}
    publish_votes(root, "")
    for vote in read_votes(Paths(root).annotations):
        votes.setdefault(vote.id, set()).add(vote.labels)
    disputed = sorted(row for row, given in votes.items() if len(given) > 1)
    texts = dict(zip(*(read_table(_corpus(root))[name] for name in ("id", "text")), strict=True))
    with server.client("dee") as client:
        said = post(
            client,
            *(
                {
                    "uid": f"decision-{row}",
                    "event": "adjudicate",
                    "row": row,
                    "labels": [hidden[texts[row]]],
                    "why": "slip",
                }
                for row in disputed
            ),
        )
    assert all("seq" in one for one in said)
    return disputed


def _corpus(root: Path) -> Path:
    return Paths(root).output("validate") / "corpus.parquet"


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    stop_serving(ReleaseState(tmp_path, PRODUCT))


def label_by_people(
    browser: Browser, root: Path, hidden: Mapping[str, str]
) -> tuple[int, list[str]]:
    """Builds until labels are wanted, has people give and publish them; returns how many keys labelled, and disputes."""
    run(root, "collect", "validate")
    with pytest.raises(LabelsNeededError) as waits:
        run(root, "label")
    assert "`make annotate`" in waits.value.next_step
    with label_server(root, f"{','.join(PEOPLE)},dee:adjudicator", double=DOUBLE) as server:
        answer = with_errors(hidden, one_in=ERRORS)
        pressed = label_in_turns(browser, server, PEOPLE, answer, LABELS)
        disputed = decide_disputes(root, server, hidden)
        assert pressed > server.queue > len(hidden) * 0.9
    assert len(disputed) > 2
    manifest = publish_votes(root, "")
    low, high = manifest["interval"]
    assert 0.2 < low < manifest["alpha"] < high < 1
    assert manifest["product"] == PRODUCT
    return pressed, disputed


def gold(root: Path) -> dict[str, tuple[str, str]]:
    """Row → its text and the label that people's votes came to."""
    rows = read_table(Paths(root).output("label") / "records.parquet")
    pairs = zip(rows["text"], rows["label"], strict=True)
    return dict(zip(rows["id"], pairs, strict=True))


@pytest.mark.timeout(300)
def test_texts_get_the_labels_that_three_people_and_an_adjudicator_give(
    browser: Browser, root: Path
) -> None:
    hidden = real_reviews(FEW_ROWS)
    make_project(root, hidden)
    _, disputed = label_by_people(browser, root, hidden)
    run(root, "label", "prepare")
    found = gold(root)
    wrong = {row for row, (text, label) in found.items() if hidden[text] != label}
    assert wrong.isdisjoint(disputed)
    assert len(wrong) < 1.5 * len(found) / ERRORS


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_texts_become_a_released_model_by_three_peoples_keys(browser: Browser, root: Path) -> None:
    hidden = real_reviews(ROWS)
    make_project(root, hidden)
    pressed, disputed = label_by_people(browser, root, hidden)
    run(root, *STAGES[STAGES.index("label") :])

    page = keep_label_changes(root, root)
    assert page == changes_folder(root, PRODUCT) / "page.html"
    changes = read_json(page.with_name("changes.json"))
    assert changes["rows"]["added"] == len(gold(root))
    assert pressed <= changes["votes"] <= pressed + len(disputed)
    assert changes["quality"] == []  # there is no earlier model
    assert changes["figures"].keys() == {"validation", "test"}

    release = released(ReleaseState(root, PRODUCT), Paths(root).output("gate") / "bundle")
    asked = {"texts": ["A warm, funny film that never loses its nerve."]}
    reply = httpx.post(f"{str(release.address).rstrip('/')}/predict", json=asked, trust_env=False)
    assert reply.json()["predictions"][0]["label"] in LABELS

    keep_answers(root, root)
    with label_server(root, "dee:adjudicator,ann") as server, server.client("dee") as client:
        found = client.get("/api/mistakes").json()
        assert found["validation"] > found["mistakes"] == len(found["rows"])
