"""publisher adopt: a project beside a blog that another tool makes, or in its place."""

from __future__ import annotations

import pytest

from tests.support.project import Project

POST = "---\ntitle: One\ndate: 2026-11-10\n---\nThe first words of a post that says something to its readers.\n"


@pytest.fixture
def jekyll(empty: Project) -> Project:
    empty.write("_config.yml", "title: A blog\nurl: https://blog.quiet-reader.eu\npermalink: /:year/:title/\n")
    empty.write("_posts/2026-11-10-one.md", POST)
    return empty


def adopt(project: Project, *arguments: str) -> str:
    return project.ok("adopt", str(project.root), *arguments).out


def test_a_blog_gets_a_project_once(jekyll: Project) -> None:
    before = jekyll.listing()
    said = adopt(jekyll, "--dry-run")
    assert jekyll.listing() == before
    assert "Dry run: nothing is written" in said
    written = adopt(jekyll)
    assert "site.title\tA blog\t_config.yml: title" in written
    assert f"made  {jekyll.root}/publisher.toml" in written
    assert "publisher build && cp -R _feeds/. _site/" in written
    assert jekyll.read("publisher.toml").strip() in said
    assert jekyll.files(".") == {"publisher.toml", ".gitignore", "_config.yml", "_posts/2026-11-10-one.md"}
    assert jekyll.read("_config.yml").startswith(
        "title: A blog\nurl: https://blog.quiet-reader.eu\npermalink: /:year/:title/\n\nexclude:\n  - publisher.toml\n"
    )
    assert jekyll.read(".gitignore") == ".publisher/\n_feeds/\n"
    jekyll.write("publisher.toml", "mine")
    refused = jekyll.fails("adopt", str(jekyll.root))
    assert refused.err.count("\n") == 1
    assert "is there already, and nothing is changed" in refused.err
    assert jekyll.read("publisher.toml") == "mine"


def test_the_project_works_at_once_beside_the_tool_and_instead_of_it(jekyll: Project) -> None:
    adopt(jekyll)
    said = jekyll.ok("check").out
    assert "0 errors" in said
    assert "would publish it" not in said
    jekyll.ok("build")
    assert "https://blog.quiet-reader.eu/2026/one/" in jekyll.read("_feeds/feed.xml")
    assert not (jekyll.root / "_feeds/2026").exists()
    (jekyll.root / "publisher.toml").unlink()
    found = jekyll.ok("adopt", str(jekyll.root), "--instead", "--json").json
    assert found["settings"]["pages.output"] == "_public"
    assert found["tool"] == "jekyll"
    jekyll.ok("build")
    assert "The first words" in jekyll.read("_public/2026/one/index.html")


def test_a_folder_that_cannot_be_adopted_is_left_alone(empty: Project) -> None:
    for arguments, told in (
        ((str(empty.root),), "there is no configuration of a tool that makes blogs"),
        ((str(empty.root / "nowhere"),), "there is no such folder"),
    ):
        said = empty.fails("adopt", *arguments)
        assert told in said.err
        assert said.err.count("\n") == 1
    assert empty.files(".") == set()
