"""publisher subscribers: one person, a file of hostile rows, and exports."""

from __future__ import annotations

import csv
import io
import json
import resource
import subprocess
import sys

import pytest

from tests.support.project import ROOT, Project


def people(project: Project) -> dict[str, dict[str, object]]:
    return {person["email"]: person for person in project.ok("subscribers", "list", "--json").json}


def test_an_empty_list_says_how_to_begin(project: Project) -> None:
    assert project.ok("subscribers", "list").out.startswith("no subscribers yet; add one: publisher subscribers add")
    assert project.ok("subscribers", "list", "--json").json == []
    assert project.ok("subscribers", "export", "--json").json == []
    assert project.ok("subscribers", "export").out.startswith("email,")
    assert project.run("subscribers", "remove", "ada@example.org").err == "error: there are no subscribers yet\n"
    assert not (project.root / ".publisher/publisher.db").exists()


def test_a_subscriber_is_added_once(project: Project) -> None:
    ran = project.ok("subscribers", "add", " Ada@EXAMPLE.org ", "--name", "Ada\nLovelace", "--topic", "C++")
    assert ran.out == "Ada@example.org: added (weekly)\n"
    assert project.ok("subscribers", "add", "ada@example.org").out == "ada@example.org: unchanged (weekly)\n"
    (person,) = people(project).values()
    assert (person["name"], person["status"]) == ("Ada Lovelace", "active")
    assert json.dumps(person["subscriptions"], ensure_ascii=False).count("c_plus_plus") == 1


@pytest.mark.parametrize(
    "address",
    [
        *("", "ada", "ada@", "@b.example", "a@b@c.example", "a b@c.example", "ada@\udcff.example"),
        *("a@b.example\nBcc: c@d.example", "Ada <ada@example.org>", "a@b.example, c@d.example"),
        *("x" * 70 + "@example.org", "a@" + "b" * 300 + ".example"),
    ],
)
def test_an_invalid_address_is_one_line(project: Project, address: str) -> None:
    ran = project.run("subscribers", "add", "--", address)
    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert "is not a valid email address" in ran.err


def test_without_a_newsletter_there_is_nothing_to_join(project: Project) -> None:
    project.configure(newsletters="")
    ran = project.run("subscribers", "add", "ada@example.org")
    assert ran.err == (
        "error: the project has no newsletter to subscribe to (add a [[newsletters]] table to publisher.toml)\n"
    )


def test_subscribing_again_needs_the_again_option(project: Project) -> None:
    project.subscribe("ada")
    assert project.ok("subscribers", "remove", "ada@example.org").out == "ada@example.org: unsubscribed\n"
    assert project.ok("subscribers", "remove", "ada@example.org").out == "ada@example.org: was not subscribed\n"
    refused = project.run("subscribers", "add", "ada@example.org")
    assert (refused.code, refused.out) == (1, "")
    assert "ada@example.org was unsubscribed from weekly on 16 November 2026" in refused.err
    assert "--again and --why belong together" in project.run("subscribers", "add", "ada@example.org", "--again").err
    project.write("people.csv", "email\nada@example.org\n")
    project.run("subscribers", "import", str(project.root / "people.csv"))
    assert people(project)["ada@example.org"]["status"] == "unsubscribed"
    project.ok("subscribers", "add", "ada@example.org", "--again", "--why", "by phone")
    assert people(project)["ada@example.org"]["status"] == "active"


HOSTILE = (
    "\ufeffEmail;Name;Newsletters\r\n"
    'ada@example.org;"Ada ""the first"" Lovelace";weekly\r\n'
    "=cmd|' /C calc'!A0@example.org;=HYPERLINK(1);weekly\r\n"
    "bob@example.org;\x1b]0;weekly\r\n"
    "not an address;Nobody;weekly\r\n"
    ";Empty;weekly\r\n"
    "\r\n"
    "ADA@example.org;Ada again;weekly\r\n"
    "eve@example.org;Eve;nonsense\r\n"
    '"mallory@example.org\r\nBcc: x@example.org";M;weekly\r\n'
)


def test_bad_rows_of_a_hostile_file_are_reported(project: Project) -> None:
    path = project.write("people.csv", HOSTILE)
    ran = project.run("subscribers", "import", str(path), "--json")
    assert ran.code == 1
    assert ran.json["added"] + ran.json["refused"] + ran.json["unchanged"] == ran.json["rows"]
    assert ran.json["refused"] == len(ran.err.splitlines()) >= 3
    assert all(line.startswith(f"{path}:") for line in ran.err.splitlines())
    found = people(project)
    assert {"ada@example.org", "bob@example.org"} <= found.keys()
    assert not [address for address in found if "\n" in address or " " in address]
    again = project.run("subscribers", "import", str(path), "--json")
    assert (again.json["added"], again.json["refused"]) == (0, ran.json["refused"])
    assert people(project) == found


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"name\nAda\n", b"\xff\xfe\x00", b"email\n" + b'"' * 3, b"PK\x03\x04 a spreadsheet", b"email\n\x00\n"],
)
def test_an_unreadable_file_is_one_line(project: Project, content: bytes) -> None:
    ran = project.run("subscribers", "import", str(project.write("people.csv", content)))
    assert "should not have happened" not in ran.said
    assert ran.code in (0, 1)
    assert ran.said.strip()


def test_json_lists_survive_hostile_names(project: Project) -> None:
    project.ok("subscribers", "add", "ada@example.org", "--name", "\x1b[31mAda\t\x07\u2028Lovelace\x85")
    head, line = project.ok("subscribers", "list").out.splitlines()
    assert head.split("\t") == ["Address", "Name", "Status", "Newsletters", "Since", "Tags"]
    assert line.split("\t")[0] == "ada@example.org"
    assert len(line.split("\t")) == 6
    assert not [c for c in line.replace("\t", "") if ord(c) < 32 or 127 <= ord(c) < 160]


def test_an_export_is_safe_in_a_spreadsheet(project: Project) -> None:
    project.ok("subscribers", "add", "ada@example.org", "--name", "=1+1", "--topic", "ruby")
    project.subscribe("bob")
    path = project.root / "out.csv"
    ran = project.ok("subscribers", "export", str(path))
    assert (ran.out, ran.err.splitlines()[0]) == ("", f"exported 2 subscribers to {path}")
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    assert [row["email"] for row in rows] == ["ada@example.org", "bob@example.org"]
    assert not rows[0]["name"].startswith("=")
    assert "0 added" in project.ok("subscribers", "import", str(path)).out
    assert people(project)["ada@example.org"]["name"] == "=1+1"


def test_exports_and_imports_report_what_they_leave_out(project: Project) -> None:
    file = str(project.root / "all.csv")
    project.subscribe("ada")
    project.ok("subscribers", "suppress", "stranger@example.org", "--yes")
    said = project.ok("subscribers", "export", file).err
    assert "1 entry of the suppression list, which need the same .publisher/secret" in said
    assert "not in it: editions, deliveries" in said
    said = project.ok("subscribers", "export", str(project.root / "one.csv"), "-n", "weekly").err
    assert "not in it: everyone else, and the suppression list" in said
    said = project.ok("subscribers", "export", str(project.root / "all.json")).err
    assert "export a CSV file" in said

    (project.root / ".publisher" / "publisher.db").unlink()  # a new project with the same secret
    assert "1  suppressed" in project.ok("subscribers", "import", file, "--dry-run").out
    assert not (project.root / ".publisher" / "publisher.db").exists()
    (project.root / ".publisher" / "secret").unlink()
    ran = project.run("subscribers", "import", file, "--dry-run")
    assert "made with a different secret" in ran.said
    assert not (project.root / ".publisher" / "secret").exists()
    left = project.ok("subscribers", "import", file, "--map", "suppressed_hash=ignore").out
    assert "1  left behind: entries of the other project's suppression list" in left


def test_an_export_to_a_dash_is_printed(project: Project) -> None:
    project.subscribe("ada")
    before = project.files(".")
    assert project.ok("subscribers", "export", "-").out == project.ok("subscribers", "export").out != ""
    assert project.files(".") == before


def test_an_invalid_language_is_refused(project: Project) -> None:
    ran = project.run("subscribers", "add", "ada@example.org", "--language", "<b>")
    assert (ran.code, "'<b>' isn't a language tag" in ran.err) == (1, True)
    assert project.run("subscribers", "show", "ada@example.org").code == 1


def test_an_import_warns_about_topics_that_no_post_has(project: Project) -> None:
    path = project.write("people.csv", "email,topics\nada@example.org,Reeding; reading\n")
    ran = project.ok("subscribers", "import", str(path))
    assert ran.err.count("warning:") == 1
    assert "no post has the topic 'reeding' (did you mean 'Reading'?)" in ran.err


def test_an_export_by_name_is_json(project: Project) -> None:
    project.subscribe("ada")
    project.ok("subscribers", "export", str(project.root / "out.json"))
    assert json.loads(project.read("out.json"))[0]["email"] == "ada@example.org"


def test_a_failed_export_keeps_the_old_file(project: Project) -> None:
    rows = "".join(f"reader{number}@example.org,{'R' * 190}\n" for number in range(400))
    project.ok("subscribers", "import", str(project.write("people.csv", f"email,name\n{rows}")))
    project.write("out/people.csv", "the old list")

    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (70_000, 70_000))

    done = subprocess.run(
        [sys.executable, "-m", "publisher", "-C", str(project.root), "subscribers", "export", "out/people.csv"],
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=project.root,
        preexec_fn=small_disk,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: out/people.csv: cannot be written: File too large\n"
    assert project.files("out") == {"people.csv"}
    assert project.read("out/people.csv") == "the old list"
    missing = project.run("subscribers", "export", str(project.root / "no/people.csv"))
    assert missing.err == f"error: {project.root}/no/people.csv: cannot be written: No such file or directory\n"


def test_a_renamed_newsletter_still_lists_subscribers(project: Project) -> None:
    project.subscribe("ada")
    project.configure(newsletters='\n[[newsletters]]\nname = "monthly"\n')
    assert "ada@example.org" in project.ok("subscribers", "list", "-n", "weekly").out
    ran = project.ok("subscribers", "unsubscribe", "ada@example.org", "-n", "weekly")
    assert ran.out == "ada@example.org: unsubscribed from weekly\n"


def test_an_invalid_database_is_one_line(project: Project) -> None:
    project.write(".publisher/publisher.db", b"this is no database at all, only text\n" * 200)
    for words in (["subscribers", "list"], ["publish"], ["status"], ["editions"]):
        ran = project.run(*words)
        assert (ran.code, ran.out) == (1, "")
        assert "publisher.db: file is not a database (" in ran.err
        assert ran.err.count("\n") == 1
