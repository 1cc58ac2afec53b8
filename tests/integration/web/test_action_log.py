"""What the log of actions says about buttons, links, commands and logins."""

from __future__ import annotations

from publisher.core.hold_reasons import by_person
from publisher.publishing.wiring import open_project_store
from publisher.store.action_log import Action
from tests.support.admin_page import Owner, set_password
from tests.support.project import WEEKLY, Project
from tests.support.web_client import WebClient, web_client

PROXY = 'client_limit = 100000\ntrusted_proxies = ["127.0.0.1"]'


def actions(project: Project) -> list[Action]:
    """Return the log of actions, oldest first."""
    with open_project_store(project.config()) as store:
        return list(store.actions.list(limit=None))[::-1]


def said(project: Project) -> list[tuple[str, str, str]]:
    return [(each.what, each.about, each.detail) for each in actions(project)]


def test_commands_are_recorded_if_they_changed_something(project: Project) -> None:
    project.configure(newsletters=WEEKLY)
    project.ok("subscribers", "add", "ada@example.org")
    project.ok("subscribers", "add", "bob@example.org")
    project.ok("subscribers", "unsubscribe", "bob@example.org")
    project.ok("subscribers", "unsubscribe", "bob@example.org")
    people = project.write("people.csv", "email\neve@example.org\n")
    project.ok("subscribers", "import", str(people), "--dry-run")
    project.ok("subscribers", "import", str(people))
    project.ok("subscribers", "import", "--undo", "1")
    project.ok("subscribers", "suppress", "joe@example.org", "--yes")
    project.ok("subscribers", "suppress", "joe@example.org", "--yes")
    project.ok("subscribers", "suppress", "joe@example.org", "--lift")
    project.ok("publish", "weekly")
    project.ok("deliveries", "hold", "1", "--why", "ada@example.org said no")
    project.ok("deliveries", "hold", "1")
    project.ok("deliveries", "resume", "1")
    project.ok("subscribers", "erase", "ada@example.org", "--yes")
    gone, edition = "an address that is no longer known", "edition 1, weekly 2026-W47"
    assert said(project) == [
        ("added a subscriber", gone, ""),
        ("added a subscriber", "bob@example.org", "weekly: added"),
        ("unsubscribed a subscriber", "bob@example.org", "from everything"),
        ("imported a file", "people.csv", "1 row"),
        ("took an import back", "import 1", "1 deleted"),
        ("suppressed an address", gone, ""),
        ("lifted a suppression", gone, ""),
        ("published", edition, ""),
        ("put on hold", edition, "…@example.org said no"),
        ("resumed", edition, ""),
        ("deleted a subscriber's data", gone, said(project)[-1][2]),
    ]
    assert b"ada@example.org" not in b"".join(path.read_bytes() for path in project.root.glob(".publisher/*.db*"))
    assert {each.via for each in actions(project)} == {"command line"}
    _, *shown = project.ok("admin", "log", "--limit", "2").out.splitlines()  # below the heading
    assert ["deleted a subscriber's data" in shown[0], "resumed" in shown[1], len(shown)] == [True, True, 2]
    assert len(project.ok("admin", "log", "--limit", "0", "--json").json) == 11


def test_buttons_and_logins_are_recorded(project: Project) -> None:
    project.subscribe("ada")
    with web_client(project, newsletters=WEEKLY, web=PROXY) as web:
        project.ok("publish", "weekly")
        set_password(project)
        owner = visitor(web, "203.0.113.7")
        owner.log_in("a wrong password")
        owner.log_in()
        with open_project_store(project.config()) as store:
            store.editions.hold(1, by_person("not now"))
        owner.press("/editions/1", do="resume")
        owner.press("/editions/1", do="resume")
        owner.press("/editions/1", do="test", address="test@example.org")
        owner.client.post("/admin/logout", data={"token": owner.token()})
        owner.log_in()
        page = owner.get("/log").text
        assert page.count("203.0.113.0/24") == 5
        assert "(wrong password)" in page
        assert "<b>someone</b> failed to log in" in page
        assert owner.get("/log?before=1").text.count("<li><b>owner</b>") == 0
        owner.client.post("/admin/logout-all", data={"token": owner.token()})
    recorded = [
        (each.what, each.via, each.client, each.detail) for each in actions(project) if each.what != "published"
    ]
    network = "203.0.113.0/24"
    assert [each for each in recorded if each[1] == "admin page"] == [
        ("failed to log in", "admin page", network, "wrong password"),
        ("logged in", "admin page", network, ""),
        ("resumed", "admin page", network, ""),
        ("logged out", "admin page", network, ""),
        ("logged in", "admin page", network, ""),
        ("ended all sessions", "admin page", network, "1"),
    ]


def test_whole_addresses_are_logged_if_the_owner_wants_them(project: Project) -> None:
    with web_client(project, "[log]\naddresses = true\n", web=PROXY) as web:
        set_password(project)
        owner = visitor(web, "203.0.113.7")
        owner.log_in("a wrong password")
        owner.log_in()
    assert [each.client for each in actions(project)] == ["203.0.113.7", "203.0.113.7"]
    log = project.read("serve.log")
    assert "warning: login failed from 203.0.113.7: wrong password" in log
    assert " login from 203.0.113.7\n" in log
    assert " 203.0.113.7 POST /admin/… 403 " in log


def test_by_default_only_networks_are_logged(project: Project) -> None:
    with web_client(project, web=PROXY) as web:
        set_password(project)
        visitor(web, "203.0.113.7").log_in("a wrong password")
    log = project.read("serve.log")
    assert "warning: login failed from 203.0.113.0/24: wrong password" in log
    assert "203.0.113.7" not in log


def test_an_attack_does_not_fill_the_log_of_actions(project: Project) -> None:
    with web_client(project, "[admin]\nwrong_passwords = 1\n", web=PROXY) as web:
        set_password(project)
        for number in range(12):
            visitor(web, f"198.51.100.{number}").log_in("a wrong password")
    assert len(actions(project)) == 10
    assert project.read("serve.log").count("login failed from") == 12


def visitor(web: WebClient, address: str) -> Owner:
    """Return the owner as a client behind the trusted proxy, with this IP address."""
    owner = Owner(web)
    owner.client.headers["x-forwarded-for"] = address
    return owner
