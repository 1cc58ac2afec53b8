"""Which files are posts, and how a bad file is reported and skipped without affecting other files."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from publisher.core.listing import Listing
from publisher.posts.scan import MOST_BYTES, scan
from tests.support.posts_samples import HELLO, NOW, Folder


@pytest.fixture
def ordinary_folder() -> Iterator[Path]:
    """A folder owned by an ordinary user. Permissions do not apply to root, so root's tests run as another user."""
    # Other users may not be able to read root's Python, and a failed import of a module or codec is not repeated. So
    # everything is imported beforehand.
    with tempfile.TemporaryDirectory() as other:
        example = Folder(Path(other))
        example.write(HELLO)
        assert example.archive(keep=True).posts
    folder = Path(tempfile.mkdtemp(prefix="publisher-posts-"))
    is_root = os.geteuid() == 0
    if is_root:
        os.chown(folder, 65534, 65534)
        os.seteuid(65534)
    try:
        yield folder
    finally:
        if is_root:
            os.seteuid(0)
        shutil.rmtree(folder)


def found(folder: Folder) -> set[str]:
    return set(scan(folder.root / "posts", "posts")[0])


def reported(folder: Folder) -> list[tuple[str, str]]:
    return [(problem.path, problem.message) for problem in folder.archive().problems]


def test_posts_are_markdown_and_html_files_at_any_depth(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    posts = {"a.md", "b.markdown", "c.mdown", "d.html", "E.MD", "x/y/z/f.md", "bundle/index.md", "_posts/g.md",
             "x/_drafts/h.md", "with.dot/i.md", "日本/é ñ.md"}  # fmt: skip
    others = {
        "a.txt",
        "a.md.bak",
        "a.adoc",
        "_draft.md",
        ".hidden.md",
        "_layouts/a.md",
        ".git/a.md",
        "md",
        "a.htm",
        "~a.md~",
    }
    for name in posts | others:
        folder.write(name)
    assert found(folder) == posts


def test_a_folder_named_like_a_post_is_a_folder(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("v1.0.md/a.md")
    assert found(folder) == {"v1.0.md/a.md"}
    assert scan(folder.root / "posts", "posts")[1] == []


def test_links_to_files_and_folders_are_followed(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.file("elsewhere/2024-07-06-a.md", "---\ntitle: a\n---\nText")
    (tmp_path / "posts/2024-07-06-b.md").symlink_to("../elsewhere/2024-07-06-a.md")
    (tmp_path / "posts/more").symlink_to("../elsewhere")
    assert set(scan(tmp_path / "posts", "posts", tmp_path)[0]) == {"2024-07-06-b.md", "more/2024-07-06-a.md"}
    assert len(folder.posts()) == 2


def test_a_link_out_of_the_project_is_a_problem(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "project")
    folder.write(HELLO)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "2024-07-06-secret.md").write_text("---\ntitle: secret\n---\nText")
    (outside / "notes").mkdir()
    posts = folder.root / "posts"
    (posts / "2024-07-06-pw.md").symlink_to("/etc/passwd")
    (posts / "2024-07-07-secret.md").symlink_to("../../outside/2024-07-06-secret.md")
    (posts / "ext").symlink_to("../../outside")
    (posts / "prefix").symlink_to(outside)
    (posts / "notes.txt").symlink_to(outside / "2024-07-06-secret.md")
    (folder.root / "inner").mkdir()
    (folder.root / "inner/deep").symlink_to(outside)
    (posts / "in").symlink_to("../inner")
    archive = folder.archive()
    assert [post.source for post in archive.posts] == [HELLO]
    what = "is a link to something outside the project, so it is not published"
    names = ["2024-07-06-pw.md", "2024-07-07-secret.md", "ext", "in/deep", "prefix"]
    assert reported(folder) == [(f"posts/{name}", what) for name in names]
    assert all(problem.hint and problem.severity == "error" for problem in archive.problems)


def test_the_posts_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "project")
    (tmp_path / "vault").mkdir()
    (tmp_path / "vault/2024-07-06-a.md").write_text("---\ntitle: a\n---\nText")
    (tmp_path / "vault/2024-07-06-b.md").symlink_to("2024-07-06-a.md")
    (folder.root / "posts").rmdir()
    (folder.root / "posts").symlink_to(tmp_path / "vault")
    assert len(folder.posts()) == 2


def test_broken_and_circular_links_stop_no_other_post(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    posts = tmp_path / "posts"
    for name in ("2024-07-06-first.md", "x/2024-07-06-second.md", "x/zzz/2024-07-06-third.md"):
        folder.write(name)
    (posts / "gone.md").symlink_to("nowhere.md")
    (posts / "x/self.md").symlink_to("self.md")
    (posts / "x/self").symlink_to("self")
    (posts / "x/up").symlink_to("..")
    (posts / "x/nowhere").symlink_to("not-there")
    assert len(folder.archive().posts) == 3
    assert reported(folder) == [
        ("posts/gone.md", "is a link to a file that doesn't exist"),
        ("posts/x/self", "is a link that leads back to itself"),
        ("posts/x/self.md", "is a link that leads back to itself"),
        ("posts/x/up", "is a link to a folder above itself"),
    ]


def test_a_pipe_is_a_problem_and_never_opened(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(HELLO)
    os.mkfifo(tmp_path / "posts/2024-07-06-pipe.md")
    assert len(folder.archive().posts) == 1
    assert reported(folder) == [("posts/2024-07-06-pipe.md", "is not a regular file")]


def test_a_name_that_is_not_utf8_is_reported_readably(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(HELLO)
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/posts/2024-07-06-\xff.md")).write_text("Text")
    except OSError:
        pytest.skip("this disk knows no such names")
    report = folder.build(NOW)
    assert report.posts == 1
    assert [(p.path, p.message) for p in report.errors] == [
        ("posts/2024-07-06-\\xff.md", "has a name that is not UTF-8")
    ]


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (b"", 0, ""),
        (b"\n\n", 0, ""),
        (b"\xef\xbb\xbf", 0, ""),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0", 1, "is not text: it contains NUL bytes"),
        (b"\xff\xfe#\0 \0H\0", 1, "is not text: it contains NUL bytes"),
        (b"---\ntitle: caf\xe9\n---\n", 2, "is not UTF-8: byte 0xe9"),
        (
            b"---\ntitle: a: b\n---\n",
            2,
            "the front matter is not valid YAML: mapping values are not allowed in this context",
        ),
        (b"x" * (MOST_BYTES + 1), 1, "is 5 MB; a post may be at most 5 MB"),
        (b"x" * 50_000_000, 1, "is 50 MB; a post may be at most 5 MB"),
    ],
    ids=["empty", "blank", "mark", "picture", "utf-16", "latin-1", "yaml", "5 MB", "50 MB"],
)
def test_a_bad_file_is_one_problem(content: bytes, line: int, message: str, tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(HELLO)
    folder.write("2024-07-05-odd.md", content)
    report = folder.build(NOW)
    errors = [(p.path, p.line, p.message) for p in report.errors]
    assert errors == ([("posts/2024-07-05-odd.md", line, message)] if message else [])
    assert report.posts == (1 if message else 2)


def test_a_post_of_almost_the_most_bytes_is_published(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(HELLO, "word " * 200_000)
    assert folder.posts()[0].title == "A title"
    assert folder.render().words == 200_000


def test_a_missing_folder_is_one_clear_line_of_error(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    (tmp_path / "posts").rmdir()
    assert reported(folder) == [("posts", "cannot be read: No such file or directory")]


@pytest.mark.parametrize("what", ["posts/a/2024-07-06-x.md", "posts/a"])
def test_an_unreadable_file_is_reported_until_it_is_readable(what: str, ordinary_folder: Path) -> None:
    tmp_path = ordinary_folder
    folder = Folder(tmp_path)
    folder.write(HELLO)
    folder.write("a/2024-07-06-x.md")
    mode = (tmp_path / what).stat().st_mode
    (tmp_path / what).chmod(0)
    try:
        assert len(folder.archive(keep=True).posts) == 1
        assert [message for _, message in reported(folder)] == ["cannot be read: Permission denied"]
    finally:
        (tmp_path / what).chmod(mode)
    assert len(folder.archive(keep=True).posts) == 2


def test_a_link_to_the_project_does_not_turn_pages_into_posts(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(HELLO)
    (tmp_path / "public").mkdir()
    (tmp_path / "public/2024-01-01-page.html").write_text("<p>built</p>")
    (tmp_path / "posts/loop").symlink_to(tmp_path)
    assert found(folder) == {HELLO}
    assert reported(folder) == [("posts/loop", "is a link to a folder above itself")]


def test_a_repeated_walk_finds_the_same_files(tmp_path: Path) -> None:
    choose = random.Random(21)
    names = [
        "a.md",
        "B.MD",
        "_posts",
        "_draft.md",
        ".hidden.md",
        "c.html",
        "notes.docx",
        "pic.png",
        "d.md",
        "Ö.md",
        "e",
    ]
    for _ in range(60):
        root = tmp_path / str(_)
        folder = root / "posts"
        for _ in range(choose.randrange(12)):
            inside = [choose.choice(names) for _ in range(choose.choice((1, 1, 2, 3)))]
            path = folder.joinpath(*inside)
            if not any(each.is_file() for each in (path, *path.parents)) and not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text("x" * choose.randrange(9))
        folder.mkdir(parents=True, exist_ok=True)
        if choose.random() < 0.2:
            (folder / "link.md").symlink_to("nowhere")
        fresh = scan(folder, "posts")
        Listing(str(root), {choose.choice(("public", "posts/a.md", "posts/_posts"))})
        assert scan(folder, "posts") == fresh
        assert scan(folder, "posts") == fresh  # nothing is stored for a second time
