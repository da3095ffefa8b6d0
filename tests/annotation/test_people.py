"""Names, roles and links: the file has no token, and each link is one person's."""

import stat
from pathlib import Path

import pytest

from pipeline.annotation.people import Person, invited, named, person_of, read_people, write_people
from pipeline.core.errors import DataError


def test_each_person_gets_a_link_and_a_published_name() -> None:
    people, tokens = invited((), named("ann, bob:lead"))
    assert [(p.name, p.published, p.role) for p in people] == [
        ("ann", "p1", "annotator"),
        ("bob", "p2", "lead"),
    ]
    assert {name: found.name for name, t in tokens.items() if (found := person_of(people, t))} == {
        "ann": "ann",
        "bob": "bob",
    }


def test_where_nobody_is_named_one_person_labels() -> None:
    people, tokens = invited((), {})
    assert [(p.name, p.role) for p in people] == [("me", "lead")]
    assert [*tokens] == ["me"]


def test_later_all_who_are_known_get_links_and_new_names_come_after_them() -> None:
    people, _ = invited((), named("ann,bob"))
    again, tokens = invited(people, {})
    assert [*tokens] == ["ann", "bob"]
    more, tokens = invited(again, named("Ann,cho:adjudicator"))
    assert [(p.name, p.published) for p in more] == [("ann", "p1"), ("bob", "p2"), ("cho", "p3")]
    assert [*tokens] == ["ann", "cho"]


def test_earlier_links_go_on_until_they_are_ended() -> None:
    people, first = invited((), named("ann"))
    people, second = invited(people, {})
    assert person_of(people, first["ann"])
    people, third = invited(people, {}, others_end=True)
    known = [bool(person_of(people, tokens["ann"])) for tokens in (first, second, third)]
    assert known == [False, False, True]


@pytest.mark.parametrize("token", ["", "x", "ann", "é", "0" * 5000])
def test_another_token_is_nobodys(token: str) -> None:
    people, _ = invited((), named("ann"))
    assert person_of(people, token) is None


def test_the_file_is_its_owners_alone_and_holds_no_token(tmp_path: Path) -> None:
    path = tmp_path / "letters" / "people.yaml"
    people, tokens = invited((), named("김철수:lead,ann"))
    write_people(path, people)
    assert read_people(path) == people
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    text = path.read_text(encoding="utf-8")
    assert "김철수" in text
    assert not any(token in text for token in tokens.values())


def test_without_a_file_nobody_is_known(tmp_path: Path) -> None:
    assert read_people(tmp_path / "people.yaml") == ()


@pytest.mark.parametrize("content", ["- 1", "{", "- name: ann", "7"])
def test_a_damaged_file_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "people.yaml"
    path.write_text(content)
    with pytest.raises(DataError, match=r"people\.yaml"):
        read_people(path)


@pytest.mark.parametrize(
    "text", ["ann,", "ann,ANN", "ann:boss", "a\nb", "x" * 61, ":lead"], ids=repr
)
def test_what_is_no_list_of_names_is_refused(text: str) -> None:
    with pytest.raises(DataError) as error:
        named(text)
    assert "--people" in error.value.next_step


def test_names_that_look_the_same_are_the_same() -> None:
    assert named("José") == {"José": None}
    assert Person(name="a", published="p1").role == "annotator"
