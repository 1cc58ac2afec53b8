"""The archive reads only files that changed; a damaged or foreign index is rebuilt."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.config import Person, Posts
from publisher.core.errors import ChangedError, ProjectError
from publisher.core.models import Post
from publisher.posts.archive import Archive, ArchiveReader, open_archive
from publisher.posts.front_matter.parsing import markdown_of
from publisher.posts.index import Index
from publisher.posts.markup import BrokenPost, Renderer
from tests.support.posts_samples import BERLIN, HELLO, NOW, SITE, Folder, post_of

HOUR_AGO_NS = int((NOW - timedelta(days=365)).timestamp()) * 1_000_000_000


def age(*files: Path, nanoseconds: int = HOUR_AGO_NS) -> None:
    """Make files look old, because a file that was written just now is always read again."""
    for file in files:
        os.utime(file, ns=(nanoseconds, nanoseconds))


def titles(archive: Archive) -> list[str]:
    return [post.title for post in archive.posts]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Three old posts that are in the index."""
    folder = Folder(tmp_path)
    for number, name in enumerate(("a", "b", "x/c"), 1):
        age(
            folder.write(
                f"{name}.md", f"Body {name}", f"title: {name[-1]}\ndate: 2024-07-0{number}\ntags: [t{name[-1]}]"
            )
        )
    assert titles(folder.archive(keep=True)) == ["c", "b", "a"]
    return folder


def rewrite_unseen(file: Path, old: bytes, new: bytes) -> None:
    """Replace bytes in a file without changing the file's size or modification time."""
    assert len(old) == len(new)
    before = file.stat()
    file.write_bytes(file.read_bytes().replace(old, new))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def at_the_time_of(file: Path, seconds_later: int = 0) -> time_machine.travel:
    """Stop the clock at a file's modification time plus `seconds_later`, so that a slow machine makes no difference."""
    return time_machine.travel(file.stat().st_mtime_ns / 1e9 + seconds_later, tick=False)


def test_an_unchanged_file_is_not_read_again(folder: Folder) -> None:
    for name in ("a", "b", "x/c"):
        rewrite_unseen(folder.root / f"posts/{name}.md", b"title: ", b"title[ ")
        rewrite_unseen(folder.root / f"posts/{name}.md", b"---\n", b"\xff\xff\xff\n")
    reader = folder.reader()
    assert reader.is_unchanged
    archive = reader.archive(NOW)
    assert (titles(archive), archive.problems) == (["c", "b", "a"], [])


@pytest.mark.parametrize("change", ["size", "time", "older time"])
def test_only_a_file_whose_stamp_changed_is_read_again(folder: Folder, change: str) -> None:
    file = folder.root / "posts/b.md"
    if change == "size":
        file.write_text(file.read_text().replace("title: b", "title: new"))
        age(file)
    else:
        rewrite_unseen(file, b"title: b", b"title: n")
        age(file, nanoseconds=HOUR_AGO_NS + (1 if change == "time" else -1))
    rewrite_unseen(folder.root / "posts/a.md", b"title: a", b"title: z")
    reader = folder.reader()
    assert not reader.is_unchanged
    assert [title[0] for title in titles(reader.archive(NOW))] == ["c", "n", "a"]
    assert folder.reader().is_unchanged


def test_a_file_written_just_now_is_read_again(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    file = folder.write(HELLO, "One body", "title: One")
    with at_the_time_of(file):
        assert titles(folder.archive(keep=True)) == ["One"]
    rewrite_unseen(file, b"One", b"Two")
    assert titles(folder.archive(keep=True)) == ["Two"]


def test_the_page_of_a_file_written_just_now_is_rendered_again(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    file = folder.write(HELLO, "One body", "title: x")
    with at_the_time_of(file):
        folder.build()
    rewrite_unseen(file, b"One", b"Two")
    with at_the_time_of(file, seconds_later=1):
        folder.build()
    assert b"Two body" in folder.public()["2024/07/06/hello/index.html"]


def test_new_files_are_found_and_removed_files_are_forgotten(folder: Folder) -> None:
    folder.write("d.md", "", "title: d\ndate: 2024-08-01")
    (folder.root / "posts/a.md").unlink()
    archive = folder.archive(keep=True)
    assert titles(archive) == ["d", "c", "b"]
    assert [tag.name for tag in archive.tags()] == ["tb", "tc"]
    assert archive.permalink("a.md") is None


def test_a_moved_file_is_a_post_at_its_new_path(folder: Folder) -> None:
    (folder.root / "posts/a.md").rename(folder.root / "posts/y.md")
    assert folder.archive(keep=True).posts[-1].source == "y.md"


def test_a_file_that_vanishes_is_reported_until_it_is_back(folder: Folder) -> None:
    new = folder.write("d.md", "", "title: d\ndate: 2024-08-01")
    age(new)
    text = new.read_bytes()
    reader = folder.reader()
    new.unlink()
    archive = reader.archive(NOW)
    assert titles(archive) == ["c", "b", "a"]
    assert [str(p) for p in archive.problems] == ["posts/d.md: cannot be read: No such file or directory"]
    new.write_bytes(text)
    age(new)
    assert titles(folder.archive(keep=True)) == ["d", "c", "b", "a"]


def test_a_body_that_could_not_be_opened_is_tried_again(folder: Folder) -> None:
    source, file = "b.md", folder.root / "posts/b.md"
    text = file.read_bytes()
    reader = folder.reader()
    archive = reader.archive(NOW)
    file.unlink()
    with pytest.raises(BrokenPost) as caught:
        Renderer(archive, folder.config).render(archive.load([source])[0])
    archive.mark_broken(caught.value.problem, source, lasting=caught.value.lasting)
    file.write_bytes(text)
    age(file)
    assert titles(folder.archive(keep=True)) == ["c", "b", "a"]


def test_a_broken_post_is_read_once_and_reported_every_time(folder: Folder) -> None:
    age(folder.write("d.md", "", "title: a: b"))
    for _ in range(2):
        assert [problem.line for problem in folder.archive(keep=True).problems] == [2]
    assert folder.reader().is_unchanged


GARBAGE = {
    "garbage": lambda data: os.urandom(5000),
    "a few bytes": lambda data: b"SQLite",
    "nothing": lambda data: b"",
    "another file": lambda data: b"---\ntitle: x\n---\n" * 500,
    "half": lambda data: data[: len(data) // 2],
    "one page": lambda data: data[:4096],
    "all but a byte": lambda data: data[:-1],
    "garbage in the middle": lambda data: data[:4096] + b"\xa5" * (len(data) - 8192) + data[-4096:],
    "garbage after the first page": lambda data: data[:4096] + b"\0" * (len(data) - 4096),
    "garbage in the header": lambda data: data[:20] + b"\xff" * 80 + data[100:],
}


@pytest.mark.parametrize("kind", GARBAGE)
def test_a_damaged_index_is_rebuilt(folder: Folder, kind: str) -> None:
    for number in range(40):
        age(
            folder.write(f"more/2024-06-{number % 28 + 1:02}-{number}.md", "", f"title: {number}\nexcerpt: {'x' * 300}")
        )
    whole = titles(folder.archive(keep=True))
    assert len(whole) == 43
    index = folder.config.state_dir / "index.db"
    index.write_bytes(GARBAGE[kind](index.read_bytes()))
    try:
        assert titles(folder.archive(keep=True)) == whole
    except ProjectError as error:
        # Garbage inside a text that looks valid to SQLite is found too late to start again.
        assert kind == "garbage in the middle"
        assert error.hint == "run the same command again"
    archive = folder.archive(keep=True)
    assert (titles(archive), archive.problems) == (whole, [])
    assert folder.reader().is_unchanged


@pytest.mark.parametrize("kind", GARBAGE)
def test_a_damaged_index_is_not_copied(folder: Folder, kind: str) -> None:
    whole = titles(folder.archive(keep=True))
    index = folder.config.state_dir / "index.db"
    index.write_bytes(GARBAGE[kind](index.read_bytes()))
    try:
        assert titles(folder.archive(keep=False)) == whole
    except ProjectError as error:
        assert kind == "garbage in the middle"
        assert error.hint == "run the same command again"
    assert titles(folder.archive(keep=False)) == whole


def test_an_archive_that_is_not_kept_reads_what_has_changed_and_leaves_the_index_alone(folder: Folder) -> None:
    folder.archive(keep=True)
    index = folder.config.state_dir / "index.db"
    before = index.read_bytes(), index.stat().st_mtime_ns
    rewrite_unseen(folder.root / "posts/a.md", b"title: a", b"title: z")
    file = folder.root / "posts/b.md"
    file.write_text(file.read_text().replace("title: b", "title: new"))
    assert titles(folder.archive(keep=False)) == ["c", "new", "a"]
    assert (index.read_bytes(), index.stat().st_mtime_ns) == before
    assert [each.name for each in folder.config.state_dir.glob("index.db*")] == ["index.db"]


def test_a_check_reads_posts_from_the_index(folder: Folder) -> None:
    folder.archive(keep=True)
    rewrite_unseen(folder.root / "posts/a.md", b"title: ", b"title[ ")
    assert ["a.md" in problem.path for problem in folder.check() if problem.severity == "error"] == [True]


def test_an_index_that_another_process_is_writing_is_not_waited_for(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("publisher.posts.index._COPY_SECONDS", 0.01)
    whole = titles(folder.archive(keep=True))
    with closing(sqlite3.connect(folder.config.state_dir / "index.db")) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert titles(folder.archive(keep=False)) == whole


def test_an_index_of_other_code_or_settings_is_discarded(folder: Folder) -> None:
    assert folder.reader().is_unchanged
    with sqlite3.connect(folder.config.state_dir / "index.db") as db:
        db.execute("UPDATE meta SET value = 'older code'")
    db.close()
    assert not folder.reader().is_unchanged
    folder.archive(keep=True)
    for change in (
        {"timezone": "UTC"},
        {"url": "https://b.example"},
        {"authority": "b.example,2024"},
        {"language": "fr"},
    ):
        assert not ArchiveReader(replace(folder.config, site=replace(SITE, **change))).is_unchanged
        folder.archive(keep=True)


def test_an_index_with_other_tables_is_rebuilt(folder: Folder) -> None:
    index = folder.config.state_dir / "index.db"
    index.unlink()
    with sqlite3.connect(index) as db:
        db.execute("CREATE TABLE meta (something)")
        db.execute("CREATE TABLE entries (else_ INTEGER)")
    db.close()
    assert titles(folder.archive(keep=True)) == ["c", "b", "a"]


def test_an_archive_that_is_not_kept_writes_nothing(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(HELLO)
    assert len(folder.archive(keep=False).posts) == 1
    assert not folder.config.state_dir.exists()


def test_the_index_returns_posts_as_they_were_read(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.file("posts/a.png", b"")
    head = (
        "title: 'Ti\"tle 日本'\nid: urn:x\npermalink: /日/\ndate: 2024-07-06 08:30 +0530\nupdated: 2024-08-01\n"
        "expires: 2030-01-01\nlang: pt_br\nexcerpt: Short.\nexcerpt_separator: <!--x-->\nauthors:\n"
        "  - {name: A, email: a@b.example, url: https://a.example}\n  - B\ntags: [C++, 日本語, a]\nimage: a.png\n"
        "image_alt: Alt\nimage_caption: Caption\naudio: {url: https://a.example/e.mp3, length: 5, duration: '1:00'}\n"
        "feed: true\nnewsletter: false"
    )
    folder.write(HELLO, "", head)
    (fresh,) = open_archive(folder.config, NOW, keep=True).posts
    (kept,) = folder.archive(keep=True).posts
    expected = post_of(f"---\n{head}\n---\n")
    assert (
        replace(kept, digest="", files=())
        == replace(fresh, digest="", files=())
        == replace(expected, digest="", files=())
    )
    assert kept.files == (("日/a.png", "posts/a.png"),)


def test_posts_are_sorted_newest_first_and_then_by_path(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    days = {"b.md": "2024-01-01", "a.md": "2024-01-01", "z.md": "2024-01-02", "m/n.md": "2023-12-31 23:00 -0500"}
    for name in sorted(days, key=lambda name: name[::-1]):
        folder.write(name, "", f"title: x\ndate: {days[name]}")
    assert [post.source for post in folder.posts()] == ["z.md", "a.md", "b.md", "m/n.md"]


@settings(max_examples=15, deadline=None)
@given(st.permutations([f"2024-01-{day:02}-{name}" for day, name in enumerate("abcdefgh", 1)]))
def test_the_order_of_a_folder_does_not_matter(names: list[str]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as root:
        folder = Folder(Path(root))
        for name in names:
            folder.write(f"{name}.md", head="title: x\nid: same" if name[-1] in "ch" else "title: x")
        archive = folder.archive()
        assert [post.source[11] for post in archive.posts] == list("gfedcba")
        assert [problem.path[-4] for problem in archive.problems] == ["h"]


def test_a_tag_has_the_name_that_most_posts_use(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for number, name in enumerate(["Python", "python", "Python", "R&D"], 1):
        folder.write(f"2024-01-0{number}-x.md", head=f"title: x\ntags: ['{name}']")
    archive = folder.archive()
    assert [(tag.name, tag.slug) for tag in archive.tags()] == [("Python", "python"), ("R&D", "r_and_d")]
    assert [source[:10] for source in archive.by_tag()["python"]] == ["2024-01-03", "2024-01-02", "2024-01-01"]


def test_different_spellings_of_an_author_are_one_author(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    authors = ["Zoë", "zoë", "[Zoë, 王小明]", "王小明", "''", "Ada"]
    for number, names in enumerate(authors, 1):
        folder.write(f"2024-01-0{number}-x.md", head=f"title: x\nauthors: {names}")
    folder.write("2024-01-09-hidden.md", head="title: x\nauthors: Nobody\nfeeds: false")
    found = {slug: (name, [s[9:10] for s in sources]) for slug, (name, sources) in folder.archive().by_author().items()}
    assert found == {"zoë": ("Zoë", ["3", "2", "1"]), "王小明": ("王小明", ["4", "3"]), "ada": ("Ada", ["6"])}


def test_a_post_without_an_author_has_the_author_of_the_site(tmp_path: Path) -> None:
    ada = Person(name="Ada", email="ada@site.example", url="https://ada.example/?about=me#top")
    folder = Folder(tmp_path, replace(SITE, author=ada))
    folder.write("2024-01-01-a.md")
    folder.write("2024-01-02-b.md", head="title: x\nauthor: Bob")
    assert {slug: name for slug, (name, _) in folder.archive().by_author().items()} == {"ada": "Ada", "bob": "Bob"}
    (author,) = folder.archive().posts[1].authors
    assert (author.name, author.email, author.url) == (ada.name, ada.email, ada.url)


@pytest.mark.parametrize("text", ["---\ntitle: x\n---\n\n{}\n\n", "+++\ntitle = 'x'\n+++\n{}", "{}\n"])
def test_the_body_is_the_markdown_after_the_front_matter(tmp_path: Path, text: str) -> None:
    folder = Folder(tmp_path)
    body = "# One\n\n---\n\n    two & <three>"
    folder.write(HELLO, text.format(body).replace("\n", "\r\n").encode())
    assert markdown_of((folder.root / "posts" / HELLO).read_bytes(), fix_encoding=True) == body


@pytest.mark.parametrize("fix_encoding", [True, False])
def test_the_body_is_repaired_in_the_same_places_as_the_html(tmp_path: Path, fix_encoding: bool) -> None:
    folder = Folder(tmp_path, posts=Posts(fix_encoding=fix_encoding))
    folder.write(HELLO, "OpenAIâ€™s and `â€™`.\n")
    body = markdown_of((folder.root / "posts" / HELLO).read_bytes(), fix_encoding=fix_encoding)
    assert body == ("OpenAI’s and `â€™`." if fix_encoding else "OpenAIâ€™s and `â€™`.")
    assert body.split(" ")[0] in folder.render().html


def test_weights_are_kept_until_the_post_changes(folder: Folder) -> None:
    archive = folder.archive(keep=True)
    archive.keep_weights("full", {"a.md": 10, "b.md": 20})
    assert folder.archive(keep=True).weights("full") == {"a.md": 10, "b.md": 20}
    assert folder.archive(keep=True).weights("summary") == {}
    age(folder.write("a.md", "Other words", "title: a\ndate: 2024-07-01"))
    assert folder.archive(keep=True).weights("full") == {"b.md": 20}
    (folder.root / "posts/b.md").unlink()
    assert folder.archive(keep=True).weights("full") == {}


def test_the_list_of_posts_loads_only_the_posts_that_are_used(folder: Folder) -> None:
    posts = folder.archive().posts
    assert len(posts) == 3
    assert isinstance(posts[0], Post)
    assert [post.title for post in posts[1:]] == ["b", "a"]
    assert posts[-1].published.astimezone(BERLIN).hour == 9


@pytest.mark.parametrize("change", ["body", "title", "target"])
def test_a_digest_changes_if_the_rendered_post_may_change(folder: Folder, change: str) -> None:
    file = folder.write("link.md", "[t](a.md)", "title: link\ndate: 2024-07-09")
    age(file)
    folder.build()
    before = folder.archive(keep=True).digest("link.md")
    if change == "target":
        age(folder.write("a.md", "", "title: a\ndate: 2024-07-01\npermalink: /moved/"))
    else:
        age(folder.write("link.md", "[t](a.md) more", "title: link\ndate: 2024-07-09"))
    assert folder.archive(keep=True).digest("link.md") != before


def test_an_index_that_two_processes_create_at_once_is_created_once(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder.root / ".publisher" / "index.db").unlink()
    create, others = Index._create, []

    def too_late(index: Index, db: sqlite3.Connection) -> None:
        monkeypatch.setattr(Index, "_create", create)
        others.append(folder.archive(keep=True))  # the other process sees an empty file, too, and is faster
        create(index, db)

    monkeypatch.setattr(Index, "_create", too_late)
    assert folder.reader().is_unchanged
    assert titles(others[0]) == ["c", "b", "a"]


def test_a_post_removed_by_another_process_does_not_remove_the_index(folder: Folder) -> None:
    mine = folder.archive(keep=True)
    (folder.root / "posts" / "a.md").unlink()
    assert titles(folder.archive(keep=True)) == ["c", "b"]
    with pytest.raises(ProjectError, match="was changed by another process"):
        titles(mine)
    assert (folder.root / ".publisher" / "index.db").exists()


def test_a_post_that_another_process_has_hidden_does_not_remove_the_index(folder: Folder) -> None:
    mine = folder.archive(keep=True)
    age(folder.write("a.md", "", "title: a\ndate: 2024-07-01\ndraft: true"))
    assert titles(folder.archive(keep=True)) == ["c", "b"]
    with pytest.raises(ChangedError):
        titles(mine)
    assert folder.reader().is_unchanged


def test_an_index_that_now_belongs_to_other_settings_is_neither_read_nor_written(folder: Folder) -> None:
    reader, writer = folder.reader(), folder.reader()
    other = replace(folder.config, site=replace(SITE, timezone="UTC"))
    open_archive(other, NOW)
    with pytest.raises(ChangedError):
        reader.archive(NOW)
    with pytest.raises(ChangedError):
        writer.index.keep_weights([("a.md", 1, "full")])
    assert ArchiveReader(other).is_unchanged
    assert ArchiveReader(other).index.weights() == {}


def test_a_damaged_index_that_another_process_has_just_rebuilt_is_not_removed(folder: Folder) -> None:
    index = folder.root / ".publisher" / "index.db"
    slower = folder.reader()
    index.write_bytes(b"not a database" * 1_000)
    assert titles(folder.archive(keep=True)) == ["c", "b", "a"]
    with pytest.raises(ProjectError, match="was damaged"):
        slower.archive(NOW)
    assert folder.reader().is_unchanged


def test_the_index_remembers_the_stamps_that_it_has_written(folder: Folder) -> None:
    age(folder.write("new.md", "Body", "title: n\ndate: 2024-07-09"))
    (folder.root / "posts" / "a.md").unlink()
    reader = folder.reader()
    reader.archive(NOW)
    assert set(reader.index.stamps()) == {"b.md", "new.md", "x/c.md"}
    assert reader.index.stamps() == folder.reader().index.stamps()


def test_a_locked_index_is_an_error_and_not_removed(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("publisher.posts.index.WAIT_SECONDS", 0)
    path = folder.root / ".publisher" / "index.db"
    folder.write("new.md", "Body", "title: n\ndate: 2024-07-09")
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(ProjectError, match="database is locked"):
            folder.archive(keep=True)
    assert titles(folder.archive(keep=True)) == ["n", "c", "b", "a"]
