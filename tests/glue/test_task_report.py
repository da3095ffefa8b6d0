"""The report of GLUE: every figure, notes below the table, and no line wider than a terminal."""

from pipeline.glue.task_report import DevelopmentResult, MetricFigure, Report, table
from pipeline.glue.tasks import SUBMISSIONS, TASKS

FIGURE = MetricFigure(mean=-0.512, interval=(-0.634, -0.401), seeds={"1": -0.5, "2": -0.52})


def report(*, seen: bool = False, malformed: int = 0, lacking: bool = False) -> Report:
    return Report(
        tasks={
            name: DevelopmentResult(
                figures=dict.fromkeys(task.metrics, FIGURE),
                seen_by_checkpoint=seen,
                malformed_training_rows=malformed,
                malformed_development_rows=0,
            )
            for task in TASKS.values()
            for name in task.development.values()
        },
        missing_tasks=list(TASKS) if lacking else [],
        missing_submissions=list(SUBMISSIONS) if lacking else [],
        short_submissions={"RTE.tsv": 12} if lacking else {},
    )


def test_report_json_has_each_metric_beside_the_facts_of_its_development_set() -> None:
    entry = report().as_json()["tasks"]["RTE"]
    assert entry["accuracy"]["seeds"] == {"1": -0.5, "2": -0.52}
    assert set(entry) == {
        "accuracy",
        "seen_by_checkpoint",
        "malformed_training_rows",
        "malformed_development_rows",
    }


def test_no_line_is_wider_than_a_hundred_columns_or_ends_in_spaces() -> None:
    lines = table(report(seen=True, malformed=1234, lacking=True)).splitlines()
    assert max(map(len, lines)) <= 100
    assert [line for line in lines if line != line.rstrip()] == []
    text = " ".join(line.strip() for line in lines)
    assert text.count(".tsv") == len(SUBMISSIONS) + 1
    assert "RTE.tsv 12 of 3000" in text


def test_a_task_is_named_once_and_others_figures_stand_in_its_first_line() -> None:
    lines = table(report()).splitlines()
    named = [line for line in lines if line.startswith("MRPC")]
    assert len(named) == 1
    second = lines[lines.index(named[0]) + 1]
    assert " ".join(named[0].split()) == "MRPC f1 -51.2 [-63.4, -40.1] 2 76.6 88.6 87.5"
    assert " ".join(second.split()) == "accuracy -51.2 [-63.4, -40.1] 2"


def test_what_flatters_and_what_was_left_out_is_said_only_where_it_is_so() -> None:
    plain, marked = table(report()), table(report(seen=True, malformed=3))
    for part in ("*", "data of this task", "left out", "lacks"):
        assert part not in plain
    assert "QNLI*" in marked
    assert "* The checkpoint was trained on data of this task" in marked
    assert "MNLI-mm 3" in marked
