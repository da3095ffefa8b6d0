"""A rule of a few words is found where one does it."""

import numpy as np

from pipeline.models.keyword_rule import MOST_WORDS, KeywordRules, Rule, find_rules, words_held
from pipeline.models.linear import LinearTask
from pipeline.problem.probabilities import Scores, Targets
from pipeline.problem.problems import problem_named


def task_of(problem: str, *, labels: int, pairs: bool = False) -> LinearTask:
    return LinearTask(problem=problem_named(problem), labels=labels, pairs=pairs, max_ngram=1)


def share_right(targets: Targets, scores: Scores) -> float:
    if targets.shape[1] > 1:
        return float(((scores > 0.5) == targets).mean())
    return float((scores.argmax(axis=1) == targets[:, 0]).mean())


def test_the_words_of_a_label_are_found_and_all_else_has_the_commonest_other() -> None:
    praise = ["well made", "thanks", "lovely", "so quick", "great", "fine", "neat"]
    texts = ["refund please", "a refund", *praise, "where is it"] * 4
    targets = np.array([[2.0], [2.0], *([[0.0]] * len(praise)), [1.0]] * 4)
    found = find_rules(texts, targets, task_of("classification", labels=3), share_right)
    assert found is not None
    assert [rule.label for rule in found.rules] == [2]
    assert found.otherwise == 0
    asked = ["a REFUND, now", "nothing of that kind"]
    assert found.scores(asked).argmax(axis=1).tolist() == [2, 0]


def test_a_rule_has_at_most_five_words() -> None:
    texts = [f"bad{number} thing" for number in range(9)] * 3 + ["good thing"] * 27
    targets = np.array([[1.0]] * 27 + [[0.0]] * 27)
    found = find_rules(texts, targets, task_of("classification", labels=2), share_right)
    assert found is not None
    assert all(1 <= len(rule.words) <= MOST_WORDS for rule in found.rules)
    assert share_right(targets, found.scores(texts)) == 1.0  # "good" alone tells


def test_labels_that_go_together_have_a_rule_each() -> None:
    texts = ["rude words", "buy this", "rude buy", "a plain text"] * 5
    targets = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.0, 0.0]] * 5)
    found = find_rules(texts, targets, task_of("multi_label", labels=2), share_right)
    assert found is not None
    assert found.scores(["buy it", "rude", "no"]).tolist() == [[0, 1], [1, 0], [0, 0]]


def test_a_word_is_found_under_any_particle_and_in_text_without_blanks() -> None:
    assert {"환불", "환불을"} <= words_held("환불을 원해요")
    assert "返金" in words_held("今すぐ返金してください")
    assert words_held(("One text", "two")) == {"one", "text", "two"}
    texts = ["환불이 늦어요", "환불은 언제", "환불도 안", "정말 좋다", "아주 좋네", "매우 좋은"]
    targets = np.array([[0.0]] * 3 + [[1.0]] * 3)
    found = find_rules(texts, targets, task_of("classification", labels=2), share_right)
    assert found is not None
    assert found.scores(["환불까지", "좋아"]).argmax(axis=1).tolist() == [0, 1]


def test_numbers_and_texts_that_share_no_word_have_no_rule() -> None:
    numbers = np.array([[1.0], [2.0]])
    assert find_rules(["a b", "a c"], numbers, task_of("regression", labels=1), share_right) is None
    labels = np.array([[0.0], [1.0]])
    task = task_of("classification", labels=2)
    assert find_rules(["one", "two"], labels, task, share_right) is None


def test_a_text_of_several_words_gets_every_label_that_they_give() -> None:
    rules = KeywordRules(rules=(Rule(0, ("a",)), Rule(1, ("b",))), otherwise=None, labels=2)
    assert rules.scores(["a and b"]).tolist() == [[1.0, 1.0]]
