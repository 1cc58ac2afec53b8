"""Symbolic links in a project: nothing from outside it is published, and nothing private from inside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.project import Project

SECRET = "SECRET-WORDS"
OUT = "is a link to something outside the project, so it is not published"
PRIVATE = "is a link to something private, so it is not published"


@pytest.fixture
def site(project: Project) -> Project:
    """A project with subscribers, emails, a key and a password file, next to a file of someone else."""
    project.configure(
        "[[mail.dkim]]\ndomain = 'letters.example'\nselector = 'a'\nkey = 'keys/mail.pem'\n"
        "[mail.smtp]\npassword_file = 'pass.txt'\n[database]\nurl = 'sqlite:///data/people.db'\n"
    )
    for path in ("keys/mail.pem", "pass.txt", ".publisher/secret", ".publisher/outbox/new/1.eml", "data/people.db-wal"):
        project.write(path, SECRET * 9)
    project.write("shared/picture.png", "open")
    project.write("../outside/passwd.png", SECRET)
    return project


LINKS = [
    ("static/a.png", "../../outside/passwd.png", OUT),
    ("static/deep/er/a.png", "../../../../outside/passwd.png", OUT),
    ("static/folder", "../../outside", OUT),
    ("static/deep/folder", "../../../outside", OUT),
    ("static/hosts.txt", "/etc/hosts", OUT),
    ("static/etc", "/etc", OUT),
    ("static/s.txt", "../.publisher/secret", PRIVATE),
    ("static/state", "../.publisher", PRIVATE),
    ("static/mail", "../.publisher/outbox", PRIVATE),
    ("static/new", "../.publisher/outbox/new", PRIVATE),
    ("static/people.db", "../data/people.db-wal", PRIVATE),
    ("static/key.pem", "../keys/mail.pem", PRIVATE),
    ("static/pass.txt", "../pass.txt", PRIVATE),
    ("static/settings.txt", "../publisher.toml", PRIVATE),
]


@pytest.mark.parametrize("absolute", [False, True])
def test_no_symbolic_link_publishes_private_files(site: Project, absolute: bool) -> None:
    for link, target, _ in LINKS:
        path = site.root / link
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to((path.parent / target).resolve() if absolute else target)
    built, checked = site.run("build").err, site.run("check").said
    for link, _, why in LINKS:
        assert f"error: {link}: {why}" in built
        assert f"{link}: {why}" in checked
        assert not (site.root / "public" / Path(link).relative_to("static")).exists()
    assert not [name for name in site.files() if SECRET in site.read(f"public/{name}")]


def test_a_link_to_a_link_is_followed_to_its_end(site: Project) -> None:
    site.write("static/x", "x").unlink()
    (site.root / "static/one.png").symlink_to("two.png")
    (site.root / "static/two.png").symlink_to("../../outside/passwd.png")
    (site.root / "static/good.png").symlink_to("../shared/picture.png")
    site.run("build")
    assert site.read("public/good.png") == "open"
    assert not site.files() & {"one.png", "two.png"}


@pytest.mark.parametrize("target", ["../outside", ".publisher", "data"])
def test_a_static_folder_that_links_outside_is_not_published(site: Project, target: str) -> None:
    (site.root / "static").symlink_to(target)
    site.run("build")
    assert not [name for name in site.files() if SECRET in site.read(f"public/{name}")]


def test_private_files_stay_private_inside_static(site: Project) -> None:
    site.configure("[database]\nurl = 'sqlite:///static/data/people.db'\n")
    site.subscribe("ada")
    site.write("static/data/logo.png", "open")
    assert "error: static/data/people.db: is private, so it is not published (move it away)" in site.run("build").err
    assert {name for name in site.files() if name.startswith("data/")} == {"data/.gitignore", "data/logo.png"}


def test_a_post_that_links_to_the_secret_is_not_a_post(site: Project) -> None:
    (site.root / "posts/2026-11-01-s.md").symlink_to("../.publisher/secret")
    assert f"posts/2026-11-01-s.md: {PRIVATE}" in site.run("build").err
    assert not [name for name in site.files() if SECRET in site.read(f"public/{name}")]


@pytest.mark.parametrize(
    ("target", "why"), [("../../../outside/passwd.png", OUT), ("../../.publisher/secret", PRIVATE)]
)
@pytest.mark.parametrize(
    "link", ["templates/pages/site.css", "templates/pages/post.html", "letters/weekly/2026-W47.md"]
)
def test_templates_and_notes_show_nothing_from_elsewhere(site: Project, link: str, target: str, why: str) -> None:
    site.configure()
    site.subscribe("ada")
    path = site.root / link
    path.parent.mkdir(parents=True)
    path.symlink_to(target)
    ran = site.run("publish", "--yes")
    assert ran.code == 1
    assert f"{link}: " in ran.err
    assert why in ran.err
    assert [path.name for path in (site.root / ".publisher/outbox/new").iterdir()] == ["1.eml"]
    assert not [name for name in site.files() if SECRET in site.read(f"public/{name}")]
