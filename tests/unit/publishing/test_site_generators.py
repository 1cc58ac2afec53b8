"""Which files another site generator publishes from a project's folder, and how it is configured to skip them."""

from __future__ import annotations

from pathlib import Path

import pytest

from publisher.publishing.site_generators import published_folders, with_exclusions

OURS = ("publisher.toml", "letters/")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("title: A\nexclude:\n  - x\n", "title: A\nexclude:\n  - publisher.toml\n  - letters/\n  - x\n"),
        ("exclude:\n- x\n- y\nb: 1", "exclude:\n- publisher.toml\n- letters/\n- x\n- y\nb: 1"),
        (
            "exclude: # not these\n\n  # x\n  - x\n",
            "exclude: # not these\n\n  # x\n  - publisher.toml\n  - letters/\n  - x\n",
        ),
        ("exclude: [x, 'y z']\n", "exclude: [publisher.toml, letters/, x, 'y z']\n"),
        ("exclude: []\n", "exclude: [publisher.toml, letters/, ]\n"),
        ("exclude: [\n  x,\n]\n", "exclude: [publisher.toml, letters/, \n  x,\n]\n"),
        ("a: 1\r\nexclude:\r\n  - x\r\n", "a: 1\r\nexclude:\r\n  - publisher.toml\r\n  - letters/\r\n  - x\r\n"),
        ("exclude: [letters/, publisher.toml]\n", "exclude: [letters/, publisher.toml]\n"),
        ("exclude: [letters/]\n", "exclude: [publisher.toml, letters/]\n"),
        ("exclude: x\n", None),
        ("exclude: *names\n", None),
        ("title: [\n", None),
    ],
)
def test_jekyll_is_configured_and_nothing_else_changes(before: str, after: str | None) -> None:
    assert with_exclusions(before, OURS) == after


@pytest.mark.parametrize("text", ["", "title: A", "title: A\n", "# nothing yet\n", "---\ntitle: A\n"])
def test_a_list_that_jekyll_did_not_have_keeps_its_defaults(text: str) -> None:
    more = with_exclusions(text, OURS)
    assert more is not None
    assert more.startswith(text)
    for name in (*OURS, "node_modules/", "Gemfile.lock"):
        assert f"\n  - {name}\n" in more


@pytest.mark.parametrize(
    ("config", "path", "taken"),
    [
        ("", "outbox/new/1.eml", True),
        ("", "publisher.toml", True),
        ("", ".publisher/secret", False),
        ("", "_outbox/new/1.eml", False),
        ("", "a/_b/c.csv", False),
        ("", "people.csv~", False),
        ("", "node_modules/a.csv", False),
        ("include: [.publisher]", ".publisher/secret", True),
        ("exclude: [people.csv]", "people.csv", False),
        ("exclude: ['*.csv']", "people.csv", False),
        ("exclude: [lists/]", "lists/people.csv", False),
        ("exclude: [lists]", "lists/people.csv", False),
        ("exclude: ['./lists/']", "lists/people.csv", False),
        ("exclude: [other.csv]", "people.csv", True),
        ("source: site", "people.csv", False),
        ("source: site", "site/people.csv", True),
    ],
)
def test_files_copied_by_jekyll_are_found(tmp_path: Path, config: str, path: str, taken: bool) -> None:
    (tmp_path / "_config.yml").write_text(config)
    file = tmp_path / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("x")
    assert any(each.takes(file) for each in published_folders(tmp_path, tmp_path)) is taken


@pytest.mark.parametrize(
    ("sign", "path", "taken"),
    [
        ("hugo.toml", "static/people.csv", True),
        ("hugo.toml", "people.csv", False),
        ("pelicanconf.py", "content/x/people.csv", True),
        ("source/_posts/a.md", "people.csv", False),
        ("eleventy.config.js", "people.csv", False),
        ("zola.toml", "content/people.csv", True),
        ("astro.config.mjs", "public/people.csv", True),
        ("astro.config.mjs", "src/people.csv", False),
        ("docusaurus.config.ts", "static/x/people.csv", True),
        ("mkdocs.yml", "docs/people.csv", True),
        (".vitepress/config.mts", "public/people.csv", True),
    ],
)
def test_other_generators_publish_their_own_folders(tmp_path: Path, sign: str, path: str, taken: bool) -> None:
    for name in (sign, path, "_config.yml" if "source" in sign else sign):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    assert any(each.takes(tmp_path / path) for each in published_folders(tmp_path, tmp_path)) is taken


def test_a_project_in_a_folder_of_a_blog_is_found(tmp_path: Path) -> None:
    (tmp_path / "_config.yml").write_text("")
    (tmp_path / "news").mkdir()
    (found,) = published_folders(tmp_path / "news", tmp_path)
    assert found.takes(tmp_path / "news/people.csv")
    assert published_folders(tmp_path / "news", tmp_path / "news") == []
