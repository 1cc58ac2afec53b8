"""The pages /admin/sources: what they show, and the buttons that fetch a source and skip an item."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from publisher.publishing.wiring import open_project_store
from tests.support.admin_page import Owner, set_password
from tests.support.blog_samples import TITLES, write_blog
from tests.support.project import MONDAY, Project
from tests.support.static_server import Site, serve
from tests.support.web_client import WebClient, web_client

SOURCE = '\n[[sources]]\nname = "{name}"\nurl = "{url}"\nallow_private = true\n'
NEWSLETTER = '\n[[newsletters]]\nname = "weekly"\nsources = ["ada"]\n'


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[WebClient, Site]]:
    """A project with a source that can be fetched and one that can't, and a password."""
    folder = tmp_path_factory.mktemp("admin")
    project = Project(folder / "project", None)  # type: ignore[arg-type]
    (folder / "blog").mkdir()
    with serve(folder / "blog") as site:
        write_blog(folder / "blog", site.url, datetime(2026, 11, 16, 9, tzinfo=UTC))
        tables = SOURCE.format(name="ada", url=f"{site.url}/feed.xml")
        tables += SOURCE.format(name="away", url=f"{site.url}/away.xml")
        with web_client(project, newsletters=tables + NEWSLETTER, now=MONDAY) as web:
            set_password(project)
            yield web, site


def test_a_source_is_fetched_and_an_item_skipped_by_buttons(running: tuple[WebClient, Site]) -> None:
    web, site = running
    owner = Owner(web)
    for path in ("/sources", "/sources/ada"):
        assert owner.get(path).headers.get("location", "").startswith("/admin/login")
    owner.log_in()
    assert "not fetched yet" in owner.get("/sources").text
    assert owner.press("/sources/ada", do="fetch") == "Fetched: 3 new"
    assert owner.press("/sources/away", do="fetch").startswith(f"{site.url}/away.xml: was not found (404)")
    page = owner.get("/sources/ada").text
    assert all(f">{title}</bdi></a>" in page for title in TITLES)
    assert page.count(">waiting") == 3
    with open_project_store(web.project.config()) as store:
        number = next(each.number for each in store.sources.items("ada") if each.item.title == TITLES[1])
    assert owner.press("/sources/ada", do="skip", item=f"{number}") == (
        f"Skipped: no newsletter will send &#39;{TITLES[1]}&#39;."
    )
    assert owner.press("/sources/ada", do="skip", item=f"{number}") == "It was already skipped."
    assert ">skipped" in owner.get("/sources/ada").text
    assert f"item {number} of ada" in owner.get("/log").text
    overview = owner.get("").text
    assert "/admin/sources/away" in overview
    assert "can&#39;t be fetched since" in overview


def test_an_item_that_does_not_exist_cannot_be_skipped(running: tuple[WebClient, Site]) -> None:
    owner = Owner(running[0])
    owner.log_in()
    for item in ("", "0", "99", "x", "9" * 30, "１"):
        said = owner.press("/sources/ada", do="skip", item=item)
        assert said == "Nothing was skipped: there is no such item.", item
    assert owner.get("/sources/nobody").status_code == 404


def test_the_menu_has_sources_only_if_there_are_some(running: tuple[WebClient, Site], project: Project) -> None:
    owner = Owner(running[0])
    owner.log_in()
    assert ">Sources</a>" in owner.get("").text
    with web_client(project) as web:
        set_password(project)
        other = Owner(web)
        other.log_in()
        assert ">Sources</a>" not in other.get("").text
        assert "There are none" in other.get("/sources").text
