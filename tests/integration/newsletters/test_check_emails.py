"""publisher check examines the email of each newsletter's next edition."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from publisher.config import load_config
from publisher.newsletters.lint.finding_codes import Finding
from publisher.posts.archive import open_archive
from publisher.publishing.letter_check import check_letters
from publisher.publishing.sample_editions import next_edition
from publisher.publishing.wiring import open_project_store
from tests.support.findings_samples import SETTINGS, good, in_template
from tests.support.needs import needs
from tests.support.project import ROOT, Project

NOW = datetime(2026, 11, 16, 10, tzinfo=UTC)


def test_errors_fail_the_check_and_warnings_do_if_strict(project: Project) -> None:
    in_template(good(project), '<a href="#top">Up</a>')
    warned = project.ok("check")
    line = "warning: templates/email/digest.html:3: newsletter weekly: the link #top leads to a place within the email"
    assert line in warned.out
    assert warned.out.endswith("0 errors, 1 warning\n")
    assert project.run("check", "--strict").code == 1
    in_template(project, '<a href="/top/">Up</a>')
    failed = project.run("check")
    assert (failed.code, failed.out.splitlines()[-1]) == (1, "1 error, 0 warnings")


def test_notes_are_shown_when_verbose(project: Project) -> None:
    good(project)
    assert project.ok("check", "--strict").out.endswith("no problems found\n")
    said = project.ok("check", "--strict", "--verbose").out
    assert said.startswith("note: templates/email/digest.html: newsletter weekly: not supported everywhere")


def test_json_findings_have_newsletter_and_code(project: Project) -> None:
    in_template(good(project), '<a href="">Up</a>')
    (finding,) = project.ok("check", "--json").json
    assert finding == {
        "path": "templates/email/digest.html",
        "line": 3,
        "severity": "warning",
        "message": "a link has no URL",
        "mend": "give it a URL, or remove it",
        "newsletter": "weekly",
        "code": "link-empty",
    }


def test_problems_of_posts_are_not_repeated(project: Project) -> None:
    good(project)
    project.post("fourth", "2026-11-12", body="See [that](/nowhere/) and ![](shelf.png).")
    said = project.run("check", "--json").json
    assert sorted((each["path"], each["line"], "code" in each) for each in said) == [
        ("posts/fourth.md", 6, False),
        ("posts/fourth.md", 6, False),
    ]
    project.write("publisher.toml", SETTINGS.replace("postal_address", "description"))
    postal = [each for each in project.run("check", "--json").json if "postal" in each["message"]]
    assert len(postal) == 1


def test_a_terminal_shows_findings_by_newsletter(project: Project) -> None:
    good(project)
    long = "A subject that goes on and on until no inbox in the world shows it"
    more = f'\n[[newsletters]]\nname = "monthly"\nschedule = "monthly 1 09:00"\nsubject = "{long}"\n'
    project.write("publisher.toml", SETTINGS + more)
    table = project.on_a_terminal("check")
    assert re.search(r"monthly.*, next edition: 'A subject that goes on.*\(3 posts, [\d,]+ bytes of HTML\)", table)
    assert "publisher.toml:19" in table
    assert "weekly" not in table


def test_the_next_edition_has_only_unsent_posts(project: Project) -> None:
    good(project)
    project.subscribe("ada")
    project.ok("publish")
    config = project.config()
    project.post("fourth", "2026-11-12")
    archive = open_archive(config, NOW, keep=False)
    with open_project_store(config) as store:
        planned = next_edition(config, store, config.newsletters[0], archive, NOW)
        assert ([post.source for post in planned.posts], planned.number) == (["fourth.md"], 2)
        single = replace(config.newsletters[0], schedule="each post")
        planned = next_edition(config, store, single, archive, NOW)
        assert [post.source for post in planned.posts] == ["fourth.md"]
        assert planned.slot.startswith("post:")


def test_a_check_writes_nothing(project: Project) -> None:
    good(project)
    project.subscribe("ada")
    project.ok("publish")
    before = all_files(project)
    project.ok("check", "--strict")
    assert all_files(project) == before


def all_files(project: Project) -> dict[str, object]:
    """Return every file, except those that SQLite creates when the database is read."""
    beside = (".publisher", "-shm", "-wal")
    return {path: what for path, what in project.listing().items() if not path.endswith(beside)}


@needs("spamassassin")
def test_the_spam_score_is_shown_on_request(project: Project) -> None:
    said = good(project).ok("check", "--spam").out
    assert re.search(r"^note: templates/email/digest\.html: newsletter weekly: SpamAssassin gives it -?[\d.]+", said)
    assert said.endswith("no problems found\n")


@pytest.mark.parametrize("content", ["full", "excerpt"])
@pytest.mark.parametrize("template", ["digest", "post", "plain"])
def test_the_sample_emails_have_no_findings(template: str, content: str) -> None:
    assert findings_of_samples(ROOT, template, content) == []


def findings_of_samples(root: Path, template: str, content: str) -> list[Finding]:
    """Return the errors and warnings of one email for each sample post, and of the two newsletters' own emails."""
    config = load_config(root, {})
    variants = [replace(each, template=template, content=content, first=5) for each in config.newsletters]
    config = replace(config, newsletters=tuple(variants), root=root)
    archive = open_archive(config, NOW, keep=False)
    proofs = list(check_letters(config, None, archive, NOW))
    assert [proof.error for proof in proofs] == [None, None]
    return [
        each for proof in proofs for each in proof.findings if each.level != "note" and each.code != "size-fallback"
    ]


STRAY = [
    (
        "letters/weekli/2026-W47.md",
        "letters/weekli: there is no newsletter called 'weekli' (did you mean letters/weekly/?)",
    ),
    (
        "letters/2026-W47.md",
        "letters/2026-W47.md: there is no newsletter called '2026-W47' (put notes in letters/NEWSLETTER/)",
    ),
    ("letters/weekly/2026-47.md", "(name it after a slot, such as 2026-W47.md)"),
    ("letters/weekly/W47.md", "weekly has no slot called 'W47', so this note will never be used"),
]


@pytest.mark.parametrize(("path", "message"), STRAY)
def test_a_note_that_is_never_used_is_reported(project: Project, path: str, message: str) -> None:
    good(project).write(path, "Dear readers")
    ran = project.ok("check")
    assert message in ran.out
    assert ran.out.endswith("0 errors, 1 warning\n")


@pytest.mark.parametrize("name", ["2026-W47", "2027-W01", "2024-11"])
def test_a_note_of_a_slot_or_an_earlier_year_is_fine(project: Project, name: str) -> None:
    good(project).write(f"letters/weekly/{name}.md", "Dear readers")
    assert project.ok("check").out.endswith("no problems found\n")


def test_a_note_may_be_for_one_frequency(project: Project) -> None:
    good(project)
    text = (project.root / "publisher.toml").read_text()
    frequencies = 'frequencies = ["daily 08:00", "monthly 1 08:00"]\n'
    project.write("publisher.toml", text.replace('name = "weekly"\n', f'name = "weekly"\n{frequencies}'))
    for name in ("monthly-2027-01", "daily-2026-11-29", "2026-W47"):
        project.write(f"letters/weekly/{name}.md", "Dear readers")
    assert project.ok("check").out.endswith("no problems found\n")
    for name in ("monthly-2026-W50", "daily-2026-12-32", "yearly-2026-12-01"):
        project.write(f"letters/weekly/{name}.md", "Dear readers")
    assert project.ok("check").out.count("so this note will never be used") == 3
