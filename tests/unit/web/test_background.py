"""Jobs continue after the response. One job runs at a time and can be stopped, and the newest results are kept."""

from __future__ import annotations

import threading

from publisher.core.errors import SubscriberError
from publisher.web.background import INTERRUPTED, MOST_KEPT, BackgroundJobs, Job


def test_one_job_runs_at_a_time_and_reports_its_progress() -> None:
    jobs, go = BackgroundJobs(), threading.Event()

    def work(job: Job) -> str:
        job.advance(3, 12)
        go.wait(240)
        return "done"

    first = jobs.start("a", work)
    assert first is not None
    assert jobs.start("b", work) is None
    while not first.done:
        pass
    assert (first.share, first.is_over, first.wait(0)) == (25, False, False)
    go.set()
    assert first.wait(240)
    assert (first.result, first.trouble, jobs.find("a"), jobs.find("b")) == ("done", "", first, None)


def test_an_error_of_a_job_is_reported_in_one_line() -> None:
    def refused(job: Job) -> None:
        raise SubscriberError("no column has addresses", hint="name one")

    def defect(job: Job) -> None:
        raise ZeroDivisionError("ada@example.org")

    troubles = []
    for work in (refused, defect):
        job = BackgroundJobs().start("a", work)
        assert job is not None
        assert job.wait(240)
        troubles.append(job.trouble)
    assert troubles == ["no column has addresses (name one)", "an internal error stopped it; the log says where"]


def test_closing_stops_the_job_and_starts_no_other() -> None:
    jobs, begun = BackgroundJobs(), threading.Event()

    def endless(job: Job) -> None:
        while True:
            begun.set()
            job.advance(1)

    job = jobs.start("a", endless)
    assert begun.wait(240)
    jobs.close()
    assert job is not None
    assert (job.is_over, job.trouble, jobs.start("b", endless)) == (True, INTERRUPTED, None)


def test_only_the_newest_results_are_kept() -> None:
    jobs = BackgroundJobs()
    for number in range(MOST_KEPT + 2):
        job = jobs.start(f"{number}", lambda job: None)
        assert job is not None
        assert job.wait(240)
    assert [jobs.find(f"{number}") is None for number in range(4)] == [True, True, False, False]
