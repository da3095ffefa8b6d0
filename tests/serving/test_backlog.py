"""Which of the waiting jobs runs next."""

from pipeline.serving.backlog import LANGUAGE_PATIENCE_SECONDS, PATIENCE_SECONDS, Backlog, place
from pipeline.serving.job import Job
from pipeline.serving.order import Order


def a_job(cost: float = 1.0, *, arrived: float = 0.0, within: float = 60.0, language: bool = False):
    """A job of so many milliseconds, of use for so many seconds."""
    work = (cost for _ in range(1))
    times = {"arrived": arrived, "deadline": arrived + within}
    return Job(work, lambda _: None, **times, remaining=cost, longest_run=1.0, language=language)


def in_order(*jobs: Job, order: Order = "shortest") -> list[Job]:
    """The jobs as they run."""
    backlog = Backlog()
    for job in jobs:
        job.key = place(job, order)
        backlog.add(job)
    taken = [backlog.take(lambda _: True) for _ in jobs]
    return [job for job in taken if job is not None]


def test_a_short_job_passes_a_long_one_that_came_before() -> None:
    long, short = a_job(100), a_job(1, arrived=0.2)
    assert in_order(long, short) == [short, long]


def test_nothing_passes_a_job_that_is_older_by_its_patience() -> None:
    long = a_job(100)
    late = a_job(0.0, arrived=PATIENCE_SECONDS + 0.01)
    assert in_order(long, late) == [long, late]
    huge = a_job(100_000, within=1e6)
    assert in_order(huge, late) == [huge, late]


def test_equal_jobs_keep_their_order() -> None:
    jobs = [a_job(1) for _ in range(5)]
    assert in_order(*jobs) == jobs


def test_a_job_of_the_language_model_lets_texts_pass_for_a_longer_time() -> None:
    language = a_job(1, language=True)
    large = a_job(100, arrived=0.1)
    late = a_job(0.0, arrived=LANGUAGE_PATIENCE_SECONDS + 0.01)
    assert in_order(language, large, late) == [large, language, late]


def test_a_job_that_must_start_now_is_passed_by_nothing() -> None:
    urgent = a_job(100, within=0.15)
    short = a_job(1, arrived=0.05)
    assert in_order(urgent, short) == [urgent, short]


def test_in_order_of_arrival_the_cost_does_not_matter() -> None:
    jobs = [a_job(100), a_job(1, arrived=0.01), a_job(1, arrived=0.02, language=True)]
    assert in_order(*jobs, order="arrival") == jobs


def test_what_is_ahead_of_a_place_is_the_sum_of_the_jobs_before_it() -> None:
    backlog = Backlog()
    for cost, key in ((3.0, 1.0), (4.0, 2.0), (5.0, 3.0)):
        job = a_job(cost)
        job.key = key
        backlog.add(job)
    assert [backlog.ahead_of(key) for key in (0.5, 1.0, 2.5, 9.0)] == [0.0, 3.0, 7.0, 12.0]


def test_a_removed_job_is_neither_run_nor_counted() -> None:
    backlog, first, second = Backlog(), a_job(3), a_job(4)
    backlog.add(first)
    backlog.add(second)
    assert backlog.remove(first)
    assert not backlog.remove(first)
    assert (len(backlog), backlog.milliseconds) == (1, 4.0)
    assert backlog.take(lambda _: True) is second
    assert (len(backlog), backlog.milliseconds) == (0, 0.0)


def test_the_first_job_that_may_run_is_taken() -> None:
    backlog, first, second = Backlog(), a_job(1), a_job(2)
    backlog.add(first)
    backlog.add(second)
    assert backlog.take(lambda job: job is second) is second
    assert backlog.take(lambda job: job is second) is None
