"""Parameters are resolved from the files that people write; a message names the file that is wrong."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.planning.resolution import (
    DEMONSTRATION,
    Layers,
    Variation,
    Written,
    product_file,
    read_layers,
    refresh_build_file,
    resolve,
    resolved,
    shared_values,
)
from pipeline.core.errors import ParameterError
from pipeline.core.params import Params, load_params
from pipeline.core.paths import Paths
from tests.support.repository import PARAMS, PRODUCT, frozen_recipe

TICKETS = """
product:
  name: ticket-triage
  labels: [complaint, question]
sources:
  - name: tickets
    path: tickets.csv
    text_column: text
    label_column: label
  - name: archive
    path: archive.csv
    text_column: text
recipe:
  finetune.epochs: 5
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project as it is cloned, with one profile of its own; the user has written no product."""
    shutil.copy(PARAMS, tmp_path)
    for folder in ("products", "profiles"):
        (tmp_path / folder).mkdir()
    shutil.copy(PRODUCT, tmp_path / "products" / "movie-reviews.yaml")
    (tmp_path / "profiles" / "small.yaml").write_text("finetune.epochs: 2\nprune.epochs: 3\n")
    (tmp_path / "profiles" / "tour.yaml").write_text(
        "product_file: products/movie-reviews.yaml\nproduct.name: movies-tour\nprune.epochs: 3\n"
    )
    return tmp_path


def of_text(text: str) -> Params:
    """The parameters of a product file with this text."""
    product = Written(place="product.yaml", values=yaml.safe_load(text))
    return resolve(Layers(recipe=frozen_recipe(), product=product))


def refused(root: Path, text: str) -> ParameterError:
    """The error for a product.yaml with this text."""
    Paths(root).product.write_text(text, encoding="utf-8")
    with pytest.raises(ParameterError) as caught:
        resolved(root)
    return caught.value


def test_a_source_needs_name_path_and_columns_and_all_else_has_a_value() -> None:
    params = of_text(TICKETS)
    labelled, corpus = params.collect.sources
    assert (labelled.role, labelled.kind, labelled.licence) == ("labelled", "file", "own")
    assert (corpus.role, corpus.kind, corpus.licence) == ("corpus", "file", "own")
    assert (labelled.package, labelled.sha256, labelled.where) == (None, None, {})
    assert (params.product.problem, params.product.pairs) == ("classification", False)
    assert params.product.examples == []
    assert params.product.requirements.licence_waivers == {}


@pytest.mark.parametrize(
    ("problem", "labels", "metric"),
    [
        ("classification", "[a, b]", "macro_f1"),
        ("multi_label", "[a, b]", "micro_f1"),
        ("regression", "[stars]", "pearson"),
    ],
)
def test_the_metric_of_a_product_that_names_none_fits_its_problem(
    problem: str, labels: str, metric: str
) -> None:
    text = TICKETS.replace("labels: [complaint, question]", f"labels: {labels}")
    text = text.replace("  name: ticket-triage", f"  name: ticket-triage\n  problem: {problem}")
    if problem == "multi_label":
        text = text.replace("label_column: label", "label_column: label\n    label_separator: ;")
    assert of_text(text).product.requirements.quality_metric == metric


def test_a_corpus_with_labels_of_a_neighbouring_task_says_its_role() -> None:
    text = TICKETS.replace("path: archive.csv", "path: archive.csv\n    label_column: queue")
    assert [source.role for source in of_text(text).collect.sources] == ["labelled", "labelled"]
    text = text.replace("label_column: queue", "label_column: queue\n    role: corpus")
    assert [source.role for source in of_text(text).collect.sources] == ["labelled", "corpus"]


def test_a_package_must_say_its_licence() -> None:
    text = TICKETS.replace("path: tickets.csv", "path: a/tickets.csv\n    kind: package")
    with pytest.raises(ParameterError, match=r"`package`, `sha256` and `licence`"):
        of_text(text)


def test_the_users_product_is_built_and_without_one_the_demonstration(root: Path) -> None:
    assert resolved(root).product.name == "movie-review-sentiment"
    Paths(root).product.write_text(TICKETS)
    assert resolved(root).product.name == "ticket-triage"
    assert resolved(root, DEMONSTRATION).product.name == "movie-review-sentiment"
    by_name = Variation(product="movie-review-sentiment")
    assert product_file(root, by_name) == Paths(root).demonstration


def test_the_command_is_stronger_than_the_profile_and_that_than_product_and_recipe(
    root: Path,
) -> None:
    recipe = frozen_recipe().values["finetune"]["epochs"]
    assert resolved(root).finetune.epochs == recipe
    Paths(root).product.write_text(TICKETS)
    assert resolved(root).finetune.epochs == 5
    assert resolved(root, Variation(profile="small")).finetune.epochs == 2
    all_of_it = Variation(profile="small", changes=["finetune.epochs=7"])
    assert resolved(root, all_of_it).finetune.epochs == 7
    assert resolved(root, all_of_it).prune.epochs == 3


def test_a_profile_may_name_its_product_and_another_product_takes_its_values_under_its_own_name(
    root: Path,
) -> None:
    Paths(root).product.write_text(TICKETS)
    tour = resolved(root, Variation(profile="tour"))
    assert (tour.product.name, tour.finetune.epochs) == ("movies-tour", 3)
    mine = resolved(root, Variation(profile="tour", product="product.yaml"))
    assert (mine.product.name, mine.finetune.epochs) == ("ticket-triage-tour", 5)
    assert mine.prune.epochs == 3


def test_what_a_product_leaves_out_can_be_changed_on_the_command_line(root: Path) -> None:
    Paths(root).product.write_text(TICKETS)
    changes = ["product.requirements.min_quality=0.6", "product.audience=The team"]
    product = resolved(root, Variation(changes=changes)).product
    assert (product.requirements.min_quality, product.audience) == (0.6, "The team")
    number = ["product.problem=regression", "product.labels=[stars]"]
    assert (
        resolved(root, Variation(changes=number)).product.requirements.quality_metric == "pearson"
    )


@pytest.mark.parametrize(
    ("key", "file"),
    [
        ("product.name", "product.yaml"),
        ("collect.sources", "product.yaml"),
        ("collect.max_rows_per_source", "params.yaml"),
        ("prune.keep_share", "params.yaml"),
        ("finetune.epochs", "product.yaml"),
        ("prune.epochs", "profiles/small.yaml"),
        ("transfer.batch_size", "the command"),
    ],
)
def test_every_value_remembers_where_it_stands(root: Path, key: str, file: str) -> None:
    Paths(root).product.write_text(TICKETS)
    layers = read_layers(root, Variation(changes=["transfer.batch_size=32"]))
    if file.startswith("profiles"):
        layers = read_layers(root, Variation(profile="small"))
    assert layers.place_of(key) == file
    assert layers.says(key)
    assert not layers.says("product.requirements.size_mb")
    assert not layers.says("collect.sources.licence")


@pytest.mark.parametrize(
    ("old", "new", "got", "next_step"),
    [
        ("labels:", "lables:", "unknown parameter product.lables in product.yaml", "`labels`"),
        ("label_column", "labl_column", "unknown parameter labl_column of source tickets", "`label_column`"),
        ("  name: ticket-triage\n", "", "product.name is missing from product.yaml", "add product.name"),
        ("    path: tickets.csv\n", "", "path of source tickets is missing", "to product.yaml"),
        ("- name: archive\n    ", "- ", "name of source 2 is missing", "to product.yaml"),
        ("ticket-triage", "Ticket Triage", "product.name = 'Ticket Triage'", "in product.yaml"),
        ("[complaint, question]", "[yes, no]", "product.labels.0: True", '"yes"'),
        ("[complaint, question]", "[1, 2]", "product.labels.0: 1", '"1"'),
        ("[complaint, question]", "[2026-01-01, b]", "product.labels.0:", '"2026-01-01"'),
        ("label_column: label", "label_column: label\n    label_values: {1: question}",
         "label_values.1 of source tickets: 1", '"1"'),
        ("sources:", "source:", "unknown key source in product.yaml", "`sources`"),
        ("recipe:", "recipes:", "unknown key recipes in product.yaml", "`recipe`"),
        ("finetune.epochs: 5", "finetune.epoch: 5", "unknown parameter finetune.epoch in product.yaml", "`epochs`"),
        ("finetune.epochs: 5", "finetune.epochs: many", "finetune.epochs = 'many'", "in product.yaml"),
        ("finetune.epochs: 5", "finetune: {epochs: 5}", "recipe: finetune in product.yaml", "`finetune.epochs: …`"),
        ("finetune.epochs: 5", "product.audience: us", "recipe: product.audience in product.yaml", "under `product`"),
        ("product:\n", "product: x\nother:\n", "unknown key other", "shows a product file"),
        ("labels: [", "labels: [[", "product.yaml: while parsing", "correct the file"),
        ("  name: ticket-triage\n", "  name: a1\n  name: b1\n", "found the key `name` twice", "correct the file"),
    ],
)  # fmt: skip
def test_a_product_file_that_is_wrong_is_one_message_with_the_way_out(
    root: Path, old: str, new: str, got: str, next_step: str
) -> None:
    assert old in TICKETS
    error = refused(root, TICKETS.replace(old, new))
    assert got in error.got
    assert next_step in error.next_step


@pytest.mark.parametrize("text", ["", "just words", "- a list", "product: ticket-triage"])
def test_a_product_file_without_its_sections_says_which_it_needs(root: Path, text: str) -> None:
    error = refused(root, text)
    assert "product.yaml" in error.got
    assert "section" in error.expected or "`sources`" in error.expected


def test_a_product_file_in_another_encoding_is_said(root: Path) -> None:
    Paths(root).product.write_bytes(TICKETS.replace("ticket-triage", "한국어").encode("cp949"))
    with pytest.raises(ParameterError, match=r"product\.yaml") as caught:
        resolved(root)
    assert "UTF-8" in caught.value.expected


def test_an_older_params_file_that_holds_the_product_is_refused_with_what_to_move_where(
    root: Path,
) -> None:
    values: dict[str, Any] = yaml.safe_load(PARAMS.read_text())
    product = yaml.safe_load(PRODUCT.read_text())
    values["product"] = product["product"]
    values["collect"]["sources"] = product["sources"]
    Paths(root).recipe.write_text(yaml.safe_dump(values))
    with pytest.raises(ParameterError) as caught:
        resolved(root)
    assert caught.value.got == "params.yaml holds `product` and `collect.sources`"
    assert "product.yaml" in caught.value.next_step
    # Moved as it is, nulls and all, it means the same.
    spelled = [source | {"second_text_column": None} for source in product["sources"]]
    Paths(root).product.write_text(yaml.safe_dump(product | {"sources": spelled}))
    shutil.copy(PARAMS, root)
    assert resolved(root) == resolved(root, DEMONSTRATION)


def test_a_missing_value_of_the_recipe_and_a_wrong_one_name_their_file(root: Path) -> None:
    values: dict[str, Any] = yaml.safe_load(PARAMS.read_text())
    del values["finetune"]["epochs"]
    Paths(root).recipe.write_text(yaml.safe_dump(values))
    with pytest.raises(ParameterError, match=r"finetune\.epochs is missing from params\.yaml"):
        resolved(root)
    shutil.copy(PARAMS, root)
    (root / "profiles" / "small.yaml").write_text("finetune.epoch: 2\n")
    with pytest.raises(ParameterError, match=r"finetune\.epoch in profiles/small\.yaml"):
        resolved(root, Variation(profile="small"))


@pytest.mark.parametrize("given", ["product/tickets.yaml", "movie-review-sentimant"])
def test_a_product_that_there_is_not_names_those_that_there_are(root: Path, given: str) -> None:
    with pytest.raises(ParameterError, match="movie-review-sentiment") as caught:
        resolved(root, Variation(product=given))
    assert given in caught.value.got


def test_a_build_reads_one_file_that_spells_everything_out(root: Path) -> None:
    Paths(root).product.write_text(TICKETS)
    params = refresh_build_file(root)
    build = Paths(root).build
    assert load_params(build) == params
    written = build.stat().st_mtime_ns
    refresh_build_file(root)
    assert build.stat().st_mtime_ns == written
    values = yaml.safe_load(build.read_text())
    assert values["product"]["requirements"]["memory_mb"] == 500
    del values["product"]["requirements"]["memory_mb"]
    build.write_text(yaml.safe_dump(values))
    with pytest.raises(
        ParameterError, match=r"requirements\.memory_mb is missing from build\.yaml"
    ):
        load_params(build)


def test_what_was_searched_with_another_product_is_a_profile_of_that_product(root: Path) -> None:
    Paths(root).product.write_text(TICKETS)
    found = Variation(product="movie-review-sentiment", changes=["finetune.epochs=1"])
    shared = shared_values(root, found)
    assert shared == {"product_file": "products/movie-reviews.yaml", "finetune.epochs": 1}
    assert shared_values(root, Variation(changes=["finetune.epochs=1"])) == {"finetune.epochs": 1}
    (root / "profiles" / "found.yaml").write_text(yaml.safe_dump(shared))
    again = resolved(root, Variation(profile="found"))
    assert (again.product.name, again.finetune.epochs) == ("movie-review-sentiment", 1)
