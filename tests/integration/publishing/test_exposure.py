"""check warns about private data that git, a site, an image or open permissions would expose."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from publisher.config import load_config
from publisher.publishing.exposure import exposures
from publisher.publishing.private_files import private_files
from tests.support.project import Project

LIST = "email,name\nada@example.net,Ada\n"
KEY = "-----BEGIN PRIVATE KEY-----\nMC4=\n"


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    subprocess.run(["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True)


def warned(project: Project) -> dict[str, list[str]]:
    """Return the warnings by path."""
    found: dict[str, list[str]] = {}
    for problem in exposures(load_config(project.root)):
        found.setdefault(problem.path, []).append(problem.message)
    return found


@pytest.mark.parametrize("within", ["", "site"])
def test_git_adds_nothing_private_of_a_protected_project(tmp_path: Path, project: Project, within: str) -> None:
    git(project.root.parent if within else project.root, "init", "-q")
    project.subscribe("ada")
    project.ok("publish", "--yes")
    assert warned(project) == {}
    assert "git" not in project.run("check").said


def test_private_files_already_in_git_are_reported_by_name(project: Project) -> None:
    project.subscribe("ada")
    project.ok("publish", "--yes")
    git(project.root, "init", "-q")
    (project.root / ".publisher/.gitignore").write_text("")
    git(project.root, "add", "-A", "-f", ".publisher")
    git(project.root, "commit", "-qm", "Oops")
    (line,) = warned(project)[".publisher"]
    assert "git tracks it" in line
    assert "more)" in line
    ran = project.run("check")
    assert "git rm -r --cached .publisher" in ran.said


@pytest.mark.parametrize(
    ("path", "text", "what"),
    [
        ("people.csv", LIST, "a list of subscribers"),
        ("old/people.tsv", LIST.replace(",", "\t"), "a list of subscribers"),
        ("people.txt", "ada@example.net\nbob@example.net\ncy@example.net\n", "a list of subscribers"),
        ("people.json", '[{"email": "ada@example.net", "subscriptions": []}]', "a list of subscribers"),
        ("subscribers.zip", "PK", "probably a list of subscribers"),
        ("mail/1.eml", "From: a@example.org\nTo: ada@example.net\n\nHello\n", "email"),
        ("keys/mail.pem", KEY, "a private key"),
        ("deploy/.env", "PUBLISHER_SECRET=x\n", "a file with passwords"),
        ("backup.db", "SQLite format 3\0CREATE TABLE subscribers (", "a copy of the database"),
        ("publisher-x.log", "publisher 0.2 ['subscribers', 'add', 'ada@example.net']\n", "a log"),
    ],
)
def test_forgotten_private_files_are_found(project: Project, path: str, text: str, what: str) -> None:
    git(project.root, "init", "-q")
    project.write(path, text)
    (line, *_) = warned(project)[path]
    assert line == f"{what}: `git add` would add it"
    project.write(".gitignore", f"/{path}\n")
    assert "git" not in "".join(warned(project).get(path, []))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("prices.csv", "boat,price\nskiff,3\n"),
        ("notes.txt", "Write to ada@example.net about the boat.\n"),
        ("package.json", '{"author": {"email": "ada@example.net"}}'),
        ("public.pem", "-----BEGIN PUBLIC KEY-----\n"),
        ("robots.txt", "User-agent: *\n"),
        ("boats.db", "SQLite format 3\0CREATE TABLE boats ("),
    ],
)
def test_data_about_no_one_is_not_reported(project: Project, path: str, text: str) -> None:
    project.write(path, text)
    assert project.root / path not in private_files(load_config(project.root))


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ("[database]\nurl = 'sqlite:///data/people.db'\n", "data/people.db"),
        ("[mail]\n", "old/outbox"),
        ("[mail.smtp]\npassword_file = 'pass'\n", "pass"),
        ("[[mail.dkim]]\ndomain = 'a.example'\nselector = 'a'\nkey = 'keys/a'\n", "keys/a"),
        ("[mail.smtp]\npassword = 'x'\n", "publisher.toml"),
    ],
)
def test_files_named_by_the_configuration_are_checked(project: Project, config: str, path: str) -> None:
    if "outbox" in path:
        project.write(
            "publisher.toml", project.read("publisher.toml").replace("[mail]\n", f"[mail]\noutbox = '{path}'\n")
        )
        project.write(f"{path}/new/1.eml", "To: ada@example.net\n\nHello\n")
    elif path == "publisher.toml":
        project.configure(config)
    else:
        project.configure(config)
        project.write(path, "x")
    git(project.root, "init", "-q")
    assert any("`git add` would add it" in line for line in warned(project)[path])


@pytest.mark.parametrize(
    ("files", "path", "generator"),
    [
        ({"_config.yml": "title: A\n"}, "people.csv", "Jekyll"),
        ({"_config.yml": "title: A\n"}, "publisher.toml", "Jekyll"),
        ({"hugo.toml": ""}, "static/people.csv", "Hugo"),
        ({}, "public/people.csv", ""),
        ({}, "static/people.csv", "static/"),
    ],
)
def test_private_files_that_a_site_would_publish_are_reported(
    project: Project, files: dict[str, str], path: str, generator: str
) -> None:
    for name, text in files.items():
        project.write(name, text)
    if path != "publisher.toml":
        project.write(path, LIST)
    lines = warned(project).get(path, [])
    assert any(f"{generator}" in line and "would publish it" in line for line in lines) is bool(generator)


@pytest.mark.parametrize(
    ("rules", "reported"),
    [
        (None, True),
        ("public\n", True),
        (".publisher\npeople.csv\n", False),
        ("*\n!posts\n", False),
        ("**/*.csv\n.publisher/**\n", True),  # the folder itself, with its settings
        ("*.csv\n.pub*\n", False),
        ("people.csv\n.publisher\n!people.csv\n", True),
    ],
)
def test_an_image_around_the_project_is_reported(project: Project, rules: str | None, reported: bool) -> None:
    project.subscribe("ada")
    project.write("people.csv", LIST)
    project.write("Dockerfile", "FROM python\nCOPY --chown=1 . /srv\n")
    if rules is not None:
        project.write(".dockerignore", rules)
    assert (
        any("Dockerfile would contain it" in line for lines in warned(project).values() for line in lines) is reported
    )


def test_open_permissions_of_a_key_are_reported(project: Project) -> None:
    project.configure("[mail.smtp]\npassword_file = 'pass'\n")
    project.write("pass", "x").chmod(0o644)
    assert warned(project)["pass"] == ["a file with a password: other users of this machine can read it"]
    (project.root / "pass").chmod(0o600)
    assert warned(project) == {}


def test_check_works_without_git(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write("people.csv", LIST)
    monkeypatch.setenv("PATH", "/nowhere")
    assert warned(project) == {}


def test_pages_without_encryption_are_reported_with_their_line(project: Project) -> None:
    project.configure('[web]\npublic_url = "http://letters.example.org"\n')
    found = [each for each in project.ok("check", "--json").json if "is not encrypted" in each["message"]]
    line = project.read("publisher.toml").splitlines().index('public_url = "http://letters.example.org"') + 1
    assert [(each["severity"], each["line"]) for each in found] == [("warning", line)]
    project.configure('[web]\npublic_url = "https://letters.example.org"\n')
    assert "is not encrypted" not in project.ok("check").out
