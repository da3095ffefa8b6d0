"""Losses of each problem: rare labels, numbers in any unit, shared targets, and the teacher's."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pipeline.core.errors import ArtifactError
from pipeline.models.numbers import scale_output
from pipeline.problem.problems import problem_named
from pipeline.training.objectives.by_problem import gold_objective, soft_loss
from pipeline.training.objectives.gold import label_objective
from pipeline.training.token_rows import TokenRows
from tests.support.tiny_models import tiny_classifier

CPU = torch.device("cpu")
ROWS = TokenRows([[2, 5, 3], [2, 6, 3], [2, 7, 3]], np.array([3, 3, 3]), pad_token_id=0)
ALL = np.arange(3)


def test_balanced_weights_make_labels_weigh_the_same_in_total() -> None:
    targets = np.array([[0.0]] * 6 + [[1.0]] * 3 + [[2.0]])
    weights = problem_named("classification").balanced_weights(targets, labels=3)
    assert weights * [6, 3, 1] == pytest.approx([10 / 3] * 3)


def test_balanced_weights_of_several_labels_even_out_yes_and_no() -> None:
    targets = np.array([[1.0, 1.0], [0.0, 1.0], [0.0, 1.0], [0.0, 0.0]])
    weights = problem_named("multi_label").balanced_weights(targets, labels=2)
    assert weights == pytest.approx([3.0, 1 / 3])


def test_a_weighted_loss_is_the_weighted_mean() -> None:
    model = tiny_classifier()
    labels, weights = np.array([0, 1, 1]), np.array([3.0, 0.5])
    with torch.inference_mode():
        one = label_objective(ROWS, labels)
        each = [float(one.loss(model, np.array([row]), CPU)) for row in ALL]
        found = float(label_objective(ROWS, labels, weights).loss(model, ALL, CPU))
    assert found == pytest.approx(np.average(each, weights=[3.0, 0.5, 0.5]), rel=1e-5)


def test_each_problem_has_its_loss_and_every_window_its_texts_target() -> None:
    windows = TokenRows(ROWS.ids, ROWS.lengths, 0, documents=np.array([0, 0, 1]))
    model = tiny_classifier()
    several = np.array([[1.0, 0.0], [0.0, 1.0]])
    with torch.inference_mode():
        logits = model(**windows.batch(ALL, CPU)).logits
        found = gold_objective(windows, several, problem="multi_label", weights=None)
        expected = torch.nn.functional.binary_cross_entropy_with_logits(
            logits, torch.tensor(several[[0, 0, 1]]).float()
        )
        assert float(found.loss(model, ALL, CPU)) == pytest.approx(float(expected), rel=1e-5)
    numbers = np.array([[1.0], [2.0]])
    model.classifier = torch.nn.Linear(16, 1)
    with torch.inference_mode():
        outputs = model(**windows.batch(ALL, CPU)).logits[:, 0]
        number = gold_objective(windows, numbers, problem="regression", weights=None)
        squared = (outputs - torch.tensor([1.0, 1.0, 2.0])).square().mean()
        assert float(number.loss(model, ALL, CPU)) == pytest.approx(float(squared), rel=1e-5)


def test_numbers_are_learned_on_a_scale_and_the_head_gives_them_back_in_their_unit() -> None:
    targets = np.array([[2010.0], [1990.0], [2000.0]])
    scale = problem_named("regression").scale(targets)
    assert scale is not None
    assert problem_named("classification").scale(targets) is None
    assert scale.standard(targets).mean() == pytest.approx(0)
    assert scale.standard(targets).std() == pytest.approx(1)
    model = tiny_classifier()
    model.classifier = torch.nn.Linear(16, 1)
    batch = ROWS.batch(ALL, CPU)
    with torch.inference_mode():
        before = model(**batch).logits
        scale_output(model, factor=scale.deviation, shift=scale.mean)
        scaled = model(**batch).logits
        assert torch.allclose(scaled, before * scale.deviation + scale.mean)
        scale_output(model, factor=1 / scale.deviation, shift=-scale.mean / scale.deviation)
        assert torch.allclose(model(**batch).logits, before, atol=1e-4)


def test_a_model_without_one_number_has_no_unit() -> None:
    with pytest.raises(ArtifactError, match="without a linear output of one number"):
        scale_output(tiny_classifier(), factor=2.0, shift=0.0)


def test_the_soft_loss_is_zero_where_student_and_teacher_agree() -> None:
    logits = torch.tensor([[0.3, -2.0, 1.0]])
    assert soft_loss(logits, logits + 5.0, 3.0).abs().max() < 1e-6


def test_the_soft_loss_equals_the_formula() -> None:
    student, teacher = torch.tensor([[0.5, 0.0]]), torch.tensor([[2.0, -1.0]])
    p, q = torch.softmax(teacher / 2, -1), torch.softmax(student / 2, -1)
    expected = 4 * (p * (p.log() - q.log())).sum()
    assert torch.allclose(soft_loss(student, teacher, 2.0), expected)


NOTHING = [np.nan, np.nan]
WEIGHTS = [None, np.array([3.0, 0.5])]


@pytest.mark.parametrize("problem", ["classification", "multi_label"])
@pytest.mark.parametrize("weights", WEIGHTS, ids=["all alike", "weighted"])
def test_rows_without_shares_are_learned_bit_for_bit_as_where_no_row_has_any(
    problem: str, weights: NDArray[np.float64] | None
) -> None:
    targets = np.array([[0.0], [1.0], [1.0]])
    if problem == "multi_label":
        targets = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    soft = np.array([NOTHING, NOTHING, [0.5, 0.5]])
    hard_alone = np.array([0, 1])
    gradients = []
    for shares in (None, soft):
        model = tiny_classifier()
        torch.manual_seed(1)
        objective = gold_objective(ROWS, targets, problem=problem, weights=weights, soft=shares)
        loss = objective.loss(model, hard_alone, CPU)
        loss.backward()
        own = [value.grad for value in model.parameters() if value.grad is not None]
        gradients.append([loss.detach(), *own])
    assert all(torch.equal(*pair) for pair in zip(*gradients, strict=True))


@pytest.mark.parametrize("weights", WEIGHTS, ids=["all alike", "weighted"])
def test_the_loss_of_shares_is_that_of_each_label_in_its_share(
    weights: NDArray[np.float64] | None,
) -> None:
    model, one = tiny_classifier(), np.array([0])
    with torch.inference_mode():
        logits = model(**ROWS.batch(one, CPU)).logits
        each = -torch.log_softmax(logits, dim=1)[0].numpy()
        soft = np.array([[0.25, 0.75], NOTHING, NOTHING])
        targets = np.array([[1.0], [0.0], [1.0]])
        objective = gold_objective(
            ROWS, targets, problem="classification", weights=weights, soft=soft
        )
        found = float(objective.loss(model, one, CPU))
    by = np.array([0.25, 0.75]) * (1 if weights is None else weights)
    assert found == pytest.approx(np.average(each, weights=by), rel=1e-5)


def test_shares_are_what_a_model_comes_to_answer() -> None:
    model = tiny_classifier()
    soft = np.array([[0.25, 0.75], [0.5, 0.5], NOTHING])
    targets = np.array([[1.0], [0.0], [1.0]])
    objective = gold_objective(ROWS, targets, problem="classification", weights=None, soft=soft)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.0)
    for _ in range(150):
        optimizer.zero_grad()
        objective.loss(model, ALL, CPU).backward()
        optimizer.step()
    with torch.inference_mode():
        found = torch.softmax(model(**ROWS.batch(ALL, CPU)).logits, dim=1).numpy()
    assert found[:2] == pytest.approx(soft[:2], abs=0.05)
    assert found[2, 1] > 0.95


def test_each_window_of_a_text_has_the_shares_of_its_text() -> None:
    windows = TokenRows(ROWS.ids, ROWS.lengths, 0, documents=np.array([0, 0, 1]))
    model = tiny_classifier()
    targets, soft = np.array([[1.0], [0.0]]), np.array([[0.25, 0.75], NOTHING])
    with torch.inference_mode():
        spread = gold_objective(
            windows, targets, problem="classification", weights=None, soft=soft
        ).loss(model, ALL, CPU)
        whole = gold_objective(
            ROWS, targets[[0, 0, 1]], problem="classification", weights=None, soft=soft[[0, 0, 1]]
        ).loss(model, ALL, CPU)
    assert float(spread) == float(whole)
