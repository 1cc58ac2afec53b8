"""Posts can name an author by a short id, which publisher.toml or a data file of the tool defines."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from publisher.config import AuthorConfig, Posts
from publisher.core.errors import ProjectError
from publisher.core.models import Author
from publisher.posts.archive import open_archive
from publisher.posts.blog_tools.author_data import AuthorData
from tests.support.posts_samples import NOW, SITE, URL, Folder, post_of

ADA = AuthorConfig(
    id="ada", name="Ada Lovelace", email="ada@a.example", url="https://a.example/", image="img/ada.png", about="Counts."
)

FILES = [
    ("jekyll", "_posts", "_data/authors.yml", "ada:\n  name: Ada\n  email: a@a.example\nbob: {display_name: Bob}"),
    ("jekyll", "_posts", "_data/authors.csv", "username,name\nada,Ada\nbob,Bob\n"),
    ("jekyll", "_posts", "_authors/ada.md", "---\nshort_name: ada\nname: Ada\n---\nText"),
    (
        "docusaurus",
        "blog",
        "blog/authors.yml",
        "ada:\n  name: Ada\n  title: Writer\n  image_url: https://a.example/a.png",
    ),
    ("mkdocs", "docs/blog/posts", "docs/blog/.authors.yml", "authors:\n  ada: {name: Ada, description: D}"),
    ("hugo", "content/posts", "data/authors.toml", '[ada]\nname = "Ada"'),
    ("hugo", "content/posts", "data/authors/ada.yaml", "name: Ada"),
    ("hugo", "content/posts", "content/authors/ada/_index.md", "---\ntitle: Ada\n---\n"),
    ("eleventy", "src/blog", "src/_data/authors.json", '[{"key": "ada", "name": "Ada"}, 1, {"name": "No id"}]'),
    ("hexo", "source/_posts", "source/_data/authors.yml", "ada: Ada"),
    ("astro", "src/content/blog", "src/content/authors/ada.json", '{"name": "Ada"}'),
]


def test_each_tool_has_its_own_file_of_people(tmp_path: Path) -> None:
    for number, (tool, posts, path, text) in enumerate(FILES):
        folder = Folder(tmp_path / str(number), posts=Posts(folder=posts, tool=tool))
        folder.file(path, text)
        folder.file(f"{posts}/2024-07-06-a.md", "---\ntitle: x\nauthor: ada\n---\n")
        (post,) = folder.posts()
        assert [author.name for author in post.authors] == ["Ada"], path


def test_all_data_about_a_person_is_shown(tmp_path: Path) -> None:
    face = Author("Ada Lovelace", "ada@a.example", "https://a.example/", f"{URL}/img/ada.png", "Counts.")
    for number, (lines, authors) in enumerate(
        (
            ("author: ada", (face,)),
            ("author: Ada", (Author("Ada"),)),
            ("authors: [ada, Bob B]", (face, Author("Bob B"))),
            ("author: ada, Bob B", (face, Author("Bob B"))),
            ("author: Ada L <ada>", (face,)),
            ("author: {key: ada, about: Codes.}", (replace(face, about="Codes."),)),
            ("author: [{name: Ada B}]", (Author("Ada B"),)),
        )
    ):
        folder = Folder(tmp_path / str(number), site=SITE, authors=(ADA,))
        folder.file("static/img/ada.png", b"")
        folder.write("2024-07-06-a.md", head=f"title: x\n{lines}")
        (post,) = folder.posts()
        assert post.authors == authors, lines


def test_a_handle_is_not_part_of_a_name() -> None:
    for written, author in (
        ('["Ada L <ada>"]', Author("Ada L")),
        ("Ada L <ada@a.example>", Author("Ada L", "ada@a.example")),
        ("a < b", Author("a < b")),
        ("<ada>", Author("<ada>")),
    ):
        assert post_of(f"---\ntitle: x\nauthors: {written}\n---\n").authors == (author,), written


def test_an_unknown_id_is_reported(tmp_path: Path) -> None:
    folder = Folder(tmp_path, authors=(ADA,))
    folder.write("2024-07-06-a.md", head="title: x\nauthors: [eve, Plato, Bob B]")
    folder.write("2024-07-07-b.md", head="title: x\nauthor: ada")
    archive = folder.archive()
    assert [(p.path, p.line, p.message) for p in archive.problems] == [
        ("posts/2024-07-06-a.md", 3, "'eve' is not listed in [[authors]], so it is shown as a name")
    ]
    assert [author.name for author in archive.posts[1].authors] == ["eve", "Plato", "Bob B"]


def test_a_change_of_the_file_changes_the_posts(tmp_path: Path) -> None:
    folder = Folder(tmp_path, posts=Posts(folder="_posts", tool="jekyll"))
    folder.file("_posts/2024-07-06-a.md", "---\ntitle: x\nauthor: ada\n---\n")
    digests = set()
    for name in ("Ada", "Ada Lovelace"):
        folder.file("_data/authors.yml", f"ada: {{name: {name}}}")
        (post,) = folder.archive(keep=True).posts
        assert post.authors == (Author(name),)
        digests.add(post.digest)
    assert len(digests) == 2
    folder.file("_data/authors.yml", "ada: {")
    with pytest.raises(ProjectError, match=r"_data/authors.yml:1: is not valid YAML"):
        open_archive(folder.config, NOW, whole=True)


def test_hostile_files_of_people_are_limited(tmp_path: Path) -> None:
    (tmp_path / "_data").mkdir()
    for text in ("- [a]\n- 1", "a: [b]", "1: {name: [x]}", "{name: {a: b}}", ""):
        (tmp_path / "_data/authors.yml").write_text(text)
        people = AuthorData(tmp_path, "_posts", "jekyll", ())
        assert people.find("eve") is None
        assert people.problems() == []
