"""The posts that a plan loads: all that matter for the next edition, and none that was sent or skipped."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from publisher.config import load_config
from publisher.newsletters.streams import streams_of
from publisher.posts.archive import open_archive
from publisher.publishing.edition_plan import DueEdition, Idle, make_plan, plan_stream
from publisher.publishing.sent_before import unhandled_sources
from publisher.publishing.wiring import open_project_store
from tests.support.project import Project

NOW = datetime(2026, 11, 23, 9, tzinfo=ZoneInfo("Europe/Berlin"))
WEEKLY = '\n[[newsletters]]\nname = "weekly"\nschedule = "weekly monday 08:00"\nfirst = 1\n'
DAILY = '\n[[newsletters]]\nname = "daily"\nschedule = "daily 08:00"\ntags = ["ships"]\nfirst = 1\n'


def unhandled(project: Project) -> list[str]:
    config = load_config(project.root)
    streams = [stream for newsletter in config.newsletters for stream in streams_of(newsletter)]
    with open_project_store(config) as store:
        return unhandled_sources(store, streams, open_archive(config, NOW))


def sent(project: Project, newsletters: str) -> Project:
    """Publish an edition with two posts, and write another post."""
    project.configure(newsletters=newsletters)
    for day, name in enumerate(("boat", "rose", "fog"), start=1):
        project.post(name, f"2026-11-0{day}", tags="[ships]" if name == "fog" else "[roses]")
    project.ok("subscribers", "add", "ada@example.org")
    project.ok("publish", "--yes", now="2026-11-16T09:00")
    project.post("late", "2026-11-20")
    return project


def test_posts_that_were_sent_or_skipped_are_not_loaded(project: Project) -> None:
    assert unhandled(sent(project, WEEKLY)) == ["late.md"]


def test_a_post_that_one_of_two_newsletters_has_not_sent_is_loaded(project: Project) -> None:
    assert "rose.md" not in unhandled(sent(project, WEEKLY))
    project.configure(newsletters=WEEKLY + DAILY)
    assert {"late.md", "fog.md", "rose.md", "boat.md"} <= set(unhandled(project))


def test_all_posts_are_loaded_for_subscribers_who_may_choose_how_often(project: Project) -> None:
    sent(project, WEEKLY)
    project.configure(newsletters=WEEKLY + 'frequencies = ["monthly 1 09:00"]\n')
    assert {"late.md", "fog.md", "rose.md", "boat.md"} <= set(unhandled(project))


@pytest.mark.parametrize("newsletters", [WEEKLY, WEEKLY + DAILY, WEEKLY.replace("first = 1", 'since = "2026-11-02"')])
def test_the_plan_is_the_same_as_with_all_posts(project: Project, newsletters: str) -> None:
    sent(project, newsletters)
    config = load_config(project.root)
    with open_project_store(config) as store:
        plan = make_plan(config, store, (), NOW)
        found = [
            plan_stream(config, store, stream, list(plan.archive.posts), NOW, DueEdition())
            for newsletter in config.newsletters
            for stream in streams_of(newsletter)
        ]
    assert list(plan.editions) == [each for planned in found if not isinstance(planned, Idle) for each in planned]
    assert list(plan.idle) == [planned for planned in found if isinstance(planned, Idle)]
