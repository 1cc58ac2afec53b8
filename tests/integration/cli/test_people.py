"""publisher subscribers list and export: the people selected by options, sorted and paginated; stats."""

from __future__ import annotations

import json

from publisher.publishing.wiring import open_project_store
from tests.support.project import Project
from tests.support.store_samples import NOW

NAMES = ("ada", "bob", "eve", "zoe")


def listed(project: Project, *options: str) -> list[str]:
    """Return the names of listed people; an export with the same options must contain the same people."""
    found = [each["email"].partition("@")[0] for each in project.ok("subscribers", "list", "--json", *options).json]
    if not {"--sort", "--limit", "--after"} & {*options}:
        exported = project.ok("subscribers", "export", "--json", *options).json
        assert [each["email"].partition("@")[0] for each in exported] == found
    return found


def test_people_are_found_by_the_options(project: Project) -> None:
    project.subscribe(*NAMES[:3])
    project.ok(
        "subscribers", "add", "zoe@example.org", "--name", "Zoë Ålund", "--topic", "Ruby", now="2026-11-17T10:00"
    )
    project.ok("subscribers", "edit", "ada@example.org", "--tag", "VIP")
    project.ok("subscribers", "unsubscribe", "bob@example.org")
    with open_project_store(project.config()) as store:
        store.segments.save("vips", "tag:vip", NOW)
    asked = {
        "": "ada bob eve zoe",
        "--search alund": "zoe",
        "--search EXAMPLE.ORG": "ada bob eve zoe",
        "--tag vip": "ada",
        "--topic Ruby": "zoe",
        "--segment vips": "ada",
        "--segment tag:vip": "ada",
        "--status unsubscribed": "bob",
        "--newsletter weekly --status active": "ada eve zoe",
        "--since 2026-11-17": "zoe",
        "--until 2026-11-16": "ada bob eve",
        "--source=command": "",
        "--search nobody": "",
        "--sort name": "zoe ada bob eve",
        "--sort address --reverse": "zoe eve bob ada",
        "--limit 2": "ada bob",
        "--limit 2 --after bob@example.org": "eve zoe",
    }
    wrong = {line: found for line, right in asked.items() if (found := listed(project, *line.split())) != right.split()}
    assert wrong == {}
    ran = project.ok("subscribers", "list", "--limit", "2")
    assert ran.err == "there are more: continue with --after bob@example.org\n"
    assert [line.split("\t")[-1] for line in ran.out.splitlines()] == ["Tags", "vip", ""]
    assert project.ok("subscribers", "list", "--limit", "2", "--after", "bob@example.org").err == ""
    assert project.ok("subscribers", "list", "--search", "nobody").out == "no subscribers\n"


def test_an_invalid_query_is_one_line(project: Project) -> None:
    project.subscribe("ada")
    wrong = {
        "--since yesterday": "error: 'yesterday' isn't a day (write it like 2026-01-31)",
        "--segment nix": "error: there is no segment 'nix'",
        "--segment tag:": "error: ",
        "--field 1=2": "error: '1' can't be the name of a field",
        "--after nobody": "error: --after nobody is not a subscriber",
        "-n wekly": "error: there is no newsletter 'wekly'",
    }
    for line, words in wrong.items():
        ran = project.fails("subscribers", "list", *line.split())
        assert ran.err.startswith(words), ran.err
        assert ran.err.count("\n") == 1


def test_statistics_count_people_once_and_say_why_they_unsubscribed(project: Project) -> None:
    project.subscribe(*NAMES[:3])
    project.ok("subscribers", "add", "ada@example.org", "--topic", "ruby")
    project.ok("subscribers", "add", "ada@example.org", "--topic", "open-web")
    project.ok("subscribers", "unsubscribe", "bob@example.org")
    counted = project.ok("subscribers", "stats", "--json").json
    assert counted["last_30_days"] == {"joined": 3, "left": 1}
    assert counted["sources"] == {"command line": 2}
    assert project.ok("subscribers", "stats", "--reasons").out == "no one has given a reason yet\n"
    assert json.loads(project.ok("subscribers", "stats", "--reasons", "--json").out) == []
