"""No part of a draft, a future post or an expired one reaches the output."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from tests.support.posts_samples import NOW, Folder, post_of, read
from tests.support.project import Project

SECRET = "heronry"


@pytest.mark.parametrize(
    "line",
    [
        "published: false", "published: no", "published: 'False'", "draft: true", "draft: yes", "draft: 1",
        "Draft: True", "status: draft", "status: Draft", "status: private", "status: hidden", "status: auto-draft",
        "visibility: members", "visibility: paid", "private: true", "unlisted: true", "status: [draft]\ndraft: true",
    ],
)  # fmt: skip
def test_a_post_that_is_not_ready_is_a_draft(line: str) -> None:
    entry = read(f"---\ntitle: x\n{line}\n---\n")
    assert (entry.post, entry.problems) == (None, ())


@pytest.mark.parametrize(
    "line", ["published: true", "published:", "draft: false", "draft:", "status: published", "visibility: public"]
)
def test_a_post_that_is_ready_is_published(line: str) -> None:
    assert post_of(f"---\ntitle: x\n{line}\n---\n")


@pytest.mark.parametrize("source", ["_drafts/2024-07-06-a.md", "blog/_drafts/2024-07-06-a.md"])
def test_a_file_in_a_drafts_folder_is_a_draft(source: str) -> None:
    assert read("---\ntitle: x\n---\n", source).post is None


def test_a_draft_that_cannot_be_published_yet_is_not_a_problem() -> None:
    assert read("---\ndraft: true\ndate: some day\n---\n", "undated.md").problems == ()


HIDDEN = {
    "draft": "date: 2026-11-10\ndraft: true",
    "unpublished": "date: 2026-11-10\npublished: false",
    "future": "date: 2026-11-22 12:01",
    "publish-date": "date: 2026-11-10\npublishDate: 2027-01-01",
    "expired": "date: 2026-11-10\nexpiryDate: 2026-11-16",
    "status": "date: 2026-11-10\nstatus: draft",
    "visibility": "date: 2026-11-10\nvisibility: members",
    "broken": "date: 2026-11-10\nmessage: a: b",
    "undated": "author: Ada",
}


def hide(project: Project) -> None:
    """Write hidden posts that contain the secret word in every field, in an image and in the body."""
    for number, (name, lines) in enumerate(HIDDEN.items()):
        front = f"title: {SECRET} {number}\nslug: {SECRET}-{number}\ntags: [{SECRET}]\nexcerpt: {SECRET}\n{lines}\n"
        project.write(f"posts/{name}.md", f"---\n{front}---\n{SECRET} ![{SECRET}]({SECRET}.png)\n")
    project.write("posts/_drafts/2026-11-10-other.md", f"---\ntitle: {SECRET}\n---\n{SECRET}\n")
    project.write(f"posts/_{SECRET}.md", f"---\ntitle: {SECRET}\ndate: 2026-11-10\n---\n{SECRET}\n")
    project.write(f"posts/.{SECRET}.md", f"---\ntitle: {SECRET}\ndate: 2026-11-10\n---\n{SECRET}\n")
    project.write(f"posts/{SECRET}.png", b"picture")


def shown(project: Project) -> list[str]:
    """Return the published files that contain the secret word in their names or their bytes."""
    parts = [text for mails in project.mail().values() for mail in mails for text in texts(mail)]
    found = [text for text in parts if SECRET in text]
    files = [path for folder in ("public", ".publisher/outbox") for path in (project.root / folder).rglob("*")]
    return found + [
        path.as_posix()
        for path in files
        if SECRET in path.name or (path.is_file() and SECRET.encode() in path.read_bytes())
    ]


def texts(mail: object) -> list[str]:
    return [part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"] + [str(mail)]  # type: ignore[attr-defined]


def test_no_output_contains_a_word_of_a_hidden_post(project: Project) -> None:
    hide(project)
    project.subscribe("ada")
    project.fails("publish", "--yes")
    assert len(project.mail()) == 1
    assert shown(project) == []


def test_the_search_for_the_secret_word_works(project: Project) -> None:
    project.post("loud", body=f"{SECRET} ![{SECRET}]({SECRET}.png)")
    project.write(f"posts/{SECRET}.png", b"picture")
    project.subscribe("ada")
    project.ok("publish", "--yes")
    kinds = {Path(name).suffix for name in shown(project)}
    assert kinds >= {".html", ".xml", ".json", ".png", ".eml"}


def test_a_post_that_is_withdrawn_leaves_every_output(project: Project) -> None:
    project.post("loud", body=SECRET)
    project.ok("build")
    assert shown(project)
    project.post("loud", body=SECRET, draft="true")
    project.ok("build")
    assert shown(project) == []


@pytest.mark.parametrize(
    ("lines", "now", "is_shown"),
    [
        ("date: 2026-11-20 13:00", "2026-11-20T12:59:59+01:00", False),
        ("date: 2026-11-20 13:00", "2026-11-20T13:00:00+01:00", True),
        ("date: 2026-11-20", "2026-11-20T08:59:59+01:00", False),
        ("date: 2026-11-20", "2026-11-20T09:00:00+01:00", True),
        ("date: 2026-11-01\nexpires: 2026-11-20 13:00", "2026-11-20T12:59:59+01:00", True),
        ("date: 2026-11-01\nexpires: 2026-11-20 13:00", "2026-11-20T13:00:00+01:00", False),
        ("date: 2026-11-01\nexpires: 2026-10-01", "2026-11-20T13:00:00+01:00", False),
        ("date: 2026-11-01\nexpires: 9999-12-31", "2026-11-20T13:00:00+01:00", True),
        ("date: 2026-11-01\nexpires: 9999-12-31 23:59:59 -0800", "2026-11-20T13:00:00+01:00", True),
        ("date: 2026-11-01\nexpiryDate: 0001-01-01T00:00:00Z", "2026-11-20T13:00:00+01:00", True),
    ],
)
def test_a_post_appears_and_expires_on_the_second(lines: str, now: str, is_shown: bool, tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("a.md", "body", f"title: x\n{lines}")
    assert bool(folder.posts(datetime.fromisoformat(now))) is is_shown


def test_the_next_change_is_the_next_appearance_or_expiry(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("a.md", "", "title: a\ndate: 2026-12-01 00:00Z")
    folder.write("b.md", "", "title: b\ndate: 2026-11-01\nexpires: 2026-11-25 00:00Z")
    archive = folder.archive()
    assert (len(archive.posts), len(archive.waiting)) == (1, 1)
    assert archive.next_change == datetime.fromisoformat("2026-11-25T00:00Z")
    later = folder.archive(datetime.fromisoformat("2026-12-02T00:00Z"))
    assert ([post.title for post in later.posts], later.next_change) == (["a"], None)


def test_a_post_may_be_hidden_from_feeds_only(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("a.md", SECRET, "title: a\ndate: 2026-11-01\nfeed: false\ntags: [x]")
    folder.write("b.md", "loud", "title: b\ndate: 2026-11-01\ntags: [x]")
    folder.build(NOW)
    public = folder.public()
    holding = {Path(name).suffix for name, data in public.items() if SECRET.encode() in data}
    assert holding == {".html"}
    assert sum(name.endswith((".json", "feed.xml", "atom.xml")) for name in public) >= 6


def test_a_post_may_be_hidden_from_newsletters_only(project: Project) -> None:
    project.post("quiet", body=SECRET, newsletter="false")
    project.subscribe("ada")
    project.ok("publish", "--yes")
    kinds = {Path(name).suffix for name in shown(project)}
    assert kinds >= {".html", ".xml", ".json"}
    assert ".eml" not in kinds


def test_a_post_that_is_not_listed_has_a_page_and_nothing_else(project: Project) -> None:
    front = f"title: {SECRET}\ndate: 2026-11-10\ntags: [{SECRET}]\nhidden: true"
    project.write("posts/secret.md", f"---\n{front}\n---\nText.\n")
    project.subscribe("ada")
    project.ok("publish", "--yes")
    assert len(project.mail()) == 1
    (page,) = [path for path in shown(project) if path.endswith("index.html")]
    assert shown(project) == [page]
    assert "/2026/11/10/secret/" in page
