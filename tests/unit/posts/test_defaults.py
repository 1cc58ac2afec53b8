"""Posts inherit the fields that a tool's files set for a whole folder, according to the rules of that tool."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from publisher.config import Posts
from publisher.core.errors import ProjectError
from publisher.core.models import Severity
from publisher.posts.archive import open_archive
from publisher.posts.blog_tools.defaults import Defaults
from publisher.posts.blog_tools.path_globs import expand_braces, matches_glob
from publisher.posts.front_matter.inherited_fields import with_inherited
from publisher.posts.front_matter.parsing import parse_head
from tests.support import ROOT
from tests.support.posts_samples import NOW, Folder

JEKYLL = """\
title: Tea
defaults:
  - scope: {path: ""}
    values: {author: ada, published: true, seo: {a: 1, b: 2}}
  - scope: {path: "", type: posts}
    values: {layout: post, seo: {b: 3}}
  - scope: {path: _posts/secret, type: posts}
    values: {published: false}
  - scope: {path: "*/_posts", type: posts}
    values: {lang: fr}
  - scope: {path: "", type: drafts}
    values: {published: maybe}
  - scope: {path: _posts/sec}
    values: {published: true, tags: [a]}
"""
HUGO = {
    "hugo.toml": '[[cascade]]\ndraft = false\nauthor = "site"\n[cascade.params]\ncolour = "red"\nsize = 1\n'
    '[[cascade]]\nlang = "fr"\n[cascade.target]\npath = "{/fr,/fr/**}"\n'
    '[[cascade]]\ndraft = true\n[cascade._target]\nenvironment = "staging"\n',
    "content/posts/_index.md": "---\ntitle: All\ncascade:\n  author: section\n  params: {colour: blue}\n---\nText",
    "content/posts/old/_index.md": "+++\n[cascade]\nDraft = true\n+++\n",
    "content/posts/x/_index.md": '{"cascade": [{"kind": "x", "target": {"kind": "section"}}]}',
}
ELEVENTY = {
    "src/src.json": '{"author": "all", "tags": ["post"], "seo": {"a": 1}}',
    "src/blog/blog.json": '{"layout": "post.njk", "tags": ["tea"], "seo": {"b": true}}',
    "src/blog/blog.11tydata.js": '// one\nmodule.exports = {\n\tlayout: "other", /* two */ draft: true,\n};\n',
    "src/blog/a.json": '{"title": "A"}',
    "src/blog/a.11tydata.json": '{"title": "B"}',
    "src/blog/_drafts.json": "{",
}

CASES: list[tuple[str, str, dict[str, str], list[tuple[str, dict[str, Any]]]]] = [
    (
        "jekyll",
        ".",
        {"_config.yml": JEKYLL},
        [
            (
                "_posts/a.md",
                {"author": "ada", "published": "true", "seo": {"a": "1", "b": "3"}, "layout": "post"},
            ),
            ("about.md", {"author": "ada", "published": "true", "seo": {"a": "1", "b": "2"}}),
            (
                "_posts/secret/a.md",
                {"author": "ada", "published": "false", "seo": {"a": "1", "b": "3"}, "layout": "post", "tags": ["a"]},
            ),
            (
                "en/_posts/a.md",
                {"author": "ada", "published": "true", "seo": {"a": "1", "b": "3"}, "layout": "post", "lang": "fr"},
            ),
        ],
    ),
    ("jekyll", "_posts", {"_config.yml": "title: No such word"}, [("a.md", {})]),
    (
        "jekyll",
        "_posts",
        {"_config.yml": 'excerpt_separator: "~~~8<~~~"'},
        [("a.md", {"excerpt_separator": "~~~8<~~~"})],
    ),
    ("jekyll", "_posts", {"_config.yml": 'excerpt_separator: "\\n\\n"'}, [("a.md", {})]),
    ("jekyll", "_posts", {"_config.yml": "defaults: [1, {scope: {}}, {scope: 2, values: {}}]"}, [("a.md", {})]),
    (
        "jekyll",
        "_posts",
        {"_config.toml": '[[defaults]]\nscope = {path = "_posts"}\nvalues = {a = true}'},
        [("a.md", {"a": "true"})],
    ),
    (
        "hugo",
        "content",
        HUGO,
        [
            ("posts/a.md", {"author": "section", "draft": "false", "params": {"colour": "blue", "size": "1"}}),
            ("posts/old/a/index.md", {"draft": "true", "author": "section", "params": {"colour": "blue", "size": "1"}}),
            ("posts/x/a.md", {"author": "section", "draft": "false", "params": {"colour": "blue", "size": "1"}}),
            ("posts/older.md", {"author": "section", "draft": "false", "params": {"colour": "blue", "size": "1"}}),
            ("fr/A b.md", {"draft": "false", "author": "site", "params": {"colour": "red", "size": "1"}, "lang": "fr"}),
        ],
    ),
    ("hugo", "content/posts", {"config/_default/hugo.yaml": "cascade: {a: b}"}, [("x.md", {"a": "b"})]),
    ("hugo", "content/posts", {"config/_default/cascade.yaml": "draft: true"}, [("x.md", {"draft": "true"})]),
    (
        "hugo",
        "content",
        {
            "hugo.toml": '[permalinks]\nposts = "/:year/:slug/"\n'
            '[[cascade]]\nurl = "/x/"\ntarget = {path = "/posts/own"}\n'
        },
        [
            ("posts/a.md", {"url": "/:year/:slug/"}),
            ("fr/posts/deep/a.md", {"url": "/:year/:slug/"}),
            ("posts/own.md", {"url": "/x/"}),
            ("news/a.md", {}),
            ("posts.md", {}),
        ],
    ),
    (
        "hugo",
        "content",
        {"config/_default/hugo.yaml": "permalinks: {page: {posts: /p/:title/}, section: {posts: /x/}}\n"},
        [("posts/a.md", {"url": "/p/:title/"})],
    ),
    (
        "eleventy",
        "src",
        ELEVENTY,
        [
            (
                "blog/a.md",
                {
                    "author": "all",
                    "tags": ["post", "tea"],
                    "seo": {"a": "1", "b": "true"},
                    "layout": "other",
                    "draft": "true",
                    "title": "B",
                },
            ),
            ("a.md", {"author": "all", "tags": ["post"], "seo": {"a": "1"}}),
        ],
    ),
    (
        "quarto",
        "posts",
        {
            "_quarto.yml": "project: {type: website}\ntitle: x\nauthor: Ada\nlang: fr",
            "posts/_metadata.yml": "author: Bob\ncategories: [a]\ndraft: true",
            "posts/in/_metadata.yml": "categories: [b]",
        },
        [
            ("a.qmd", {"author": "Bob", "lang": "fr", "categories": ["a"], "draft": "true"}),
            ("in/a.qmd", {"author": "Bob", "lang": "fr", "categories": ["a", "b"], "draft": "true"}),
        ],
    ),
    (
        "mkdocs",
        "docs/blog/posts",
        {"docs/.meta.yml": "tags: [a]\ndraft: true", "docs/blog/.meta.yml": "tags: [b]\nx: {y: 1}"},
        [("a.md", {"tags": ["a", "b"], "draft": "true", "x": {"y": "1"}})],
    ),
    (
        "pelican",
        "content",
        {"pelicanconf.py": "import os\nDEFAULT_METADATA = {'status': 'draft', 'n': 1}\nX = os.name"},
        [("a.md", {"status": "draft", "n": "1"})],
    ),
    ("pelican", "content", {"pelicanconf.py": "X = 1"}, [("a.md", {})]),
    ("astro", "src", {"src/src.json": '{"draft": true}'}, [("a.md", {})]),
    ("", "posts", {"posts/posts.json": '{"draft": true}', "_config.yml": JEKYLL}, [("a.md", {})]),
]


def _written(root: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


def test_each_tool_has_its_own_rule(tmp_path: Path) -> None:
    for number, (tool, folder, files, posts) in enumerate(CASES):
        defaults = Defaults(_written(tmp_path / str(number), files), folder, tool, "en")
        for source, expected in posts:
            inherited = defaults.of(source)
            assert inherited
            assert inherited.fields == expected, (tool, source)
        assert defaults.problems([source for source, _ in posts]) == []


def test_a_draft_section_of_zola_hides_its_pages(tmp_path: Path) -> None:
    _written(
        tmp_path, {"content/a/_index.md": "+++\ndraft = true\n+++", "content/b/_index.md": "+++\ntitle = 'x'\n+++"}
    )
    defaults = Defaults(tmp_path, "content", "zola")
    found = {source: defaults.of(source) for source in ("a/x.md", "a/in/x.md", "b/x.md", "x.md")}
    assert {source: each.is_hidden for source, each in found.items() if each} == {
        "a/x.md": True,
        "a/in/x.md": True,
        "b/x.md": False,
        "x.md": False,
    }


def test_globs_match_like_in_the_tools() -> None:
    for glob, path, matches in (
        ("/posts", "/posts", True),
        ("/posts", "/posts/a", False),
        ("/posts/*", "/posts/a", True),
        ("/posts/*", "/posts/a/b", False),
        ("/posts/**", "/posts/a/b", True),
        ("**/b", "b", True),
        ("/a/**/b", "/a/b", True),
        ("/a/**/b", "/a/x/y/b", True),
        ("/?", "/a", True),
        ("/?", "/ab", False),
        ("*" * 21, "a", False),
        ("a*" * 20, "a" * 4000, False),
    ):
        assert matches_glob(glob, path) is matches, (glob, path)
    assert expand_braces("/{a,b}/{c,d}") == ["/a/c", "/b/c", "/a/d", "/b/d"]
    assert len(expand_braces("{a,b}" * 90)) == 100


BLOG = Posts(folder="blog", tool="eleventy")


@pytest.fixture
def blog(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path, posts=BLOG)
    for name in ("2024-01-01-a.md", "2024-01-02-b.md"):
        folder.file(f"blog/{name}", "---\ntags: [own]\n---\nText")
    return folder


def test_a_field_of_the_folder_applies_to_each_post(blog: Folder) -> None:
    blog.file("blog/blog.json", '{"title": "From data", "tags": ["tea"], "draft": false, "description": "D"}')
    blog.file("blog/2024-01-02-b.md", "---\nTitle: Own\nexcerpt: E\n---\nText")
    found = {post.source: post for post in blog.posts()}
    assert {source: post.title for source, post in found.items()} == {
        "2024-01-01-a.md": "From data",
        "2024-01-02-b.md": "Own",
    }
    assert [tag.name for tag in found["2024-01-01-a.md"].tags] == ["tea", "own"]
    assert [post.excerpt for post in found.values()] == ["E", "D"]
    blog.file("blog/blog.json", '{"title": "x", "tags": "machine learning"}')
    blog.file("blog/2024-01-02-b.md", "---\ntags: big data\n---\nText")
    assert [[tag.name for tag in post.tags] for post in blog.posts()] == [
        ["machine learning", "big data"],
        ["machine learning", "own"],
    ]


def test_a_draft_of_the_folder_hides_and_one_post_may_be_shown(blog: Folder) -> None:
    blog.file("blog/blog.json", '{"title": "x", "draft": true}')
    blog.file("blog/2024-01-02-b.md", "---\ndraft: false\n---\nText")
    assert [post.source for post in blog.posts()] == ["2024-01-02-b.md"]
    blog.file("blog/blog.json", '{"title": "x", "published": false}')
    assert blog.posts() == []  # `draft: false` does not override other keys that hide a post


def test_a_change_of_the_data_changes_the_posts_and_their_digests(blog: Folder) -> None:
    digests = []
    for title in ("One", "Two"):
        blog.file("blog/blog.json", json.dumps({"title": title}))
        archive = blog.archive(keep=True)
        assert [post.title for post in archive.posts] == [title, title]
        digests.append([post.digest for post in archive.posts])
    assert set(digests[0]).isdisjoint(digests[1])
    (blog.root / "blog/blog.json").unlink()
    assert blog.archive(keep=True).posts[0].title == "Text"


def test_unreadable_data_stops_a_build_with_one_line(blog: Folder) -> None:
    blog.file("blog/blog.json", '{"draft": true,\n}')
    archive = blog.archive()
    assert list(archive.posts) == []
    ((path, line, severity),) = [(p.path, p.line, p.severity) for p in archive.problems]
    assert (path, line, severity) == ("blog/blog.json", 2, Severity.ERROR)
    with pytest.raises(ProjectError, match="is not valid JSON"):
        open_archive(blog.config, NOW, whole=True)


def test_a_program_is_reported_and_not_run(blog: Folder) -> None:
    for number, program in enumerate(
        (
            "export default () => ({draft: true});",
            "const x = 1;\nmodule.exports = {draft: true};",
            "export default {draft: true, ...x};",
            "export default {permalink(data) { return false }};",
            "export default {a: `${x}`};",
            'export default {draft: process.env.NOW === "x"};',
            "export default {draft: isDraft};",
        )
    ):
        blog.file("blog/blog.11tydata.js", program)
        problems = blog.archive().problems
        said = [(p.path, p.severity) for p in problems if "is an Eleventy program" in p.message]
        assert said == [("blog/blog.11tydata.js", Severity.WARNING)], number


def test_each_hostile_file_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "out.json").write_text('{"draft": true}')
    for number, (tool, files) in enumerate(
        (
            ("jekyll", {"_config.yml": "defaults: [" * 200}),
            ("jekyll", {"_config.yml": "defaults: 1\n" + "a" * 5_000_000}),
            ("hugo", {"content/_index.md": "---\na: &a [" + "*a, " * 10 + "]\n---"}),
            ("mkdocs", {".meta.yml": "- a list"}),
            ("pelican", {"pelicanconf.py": "DEFAULT_METADATA = " + "(" * 5000}),
            ("pelican", {"pelicanconf.py": "DEFAULT_METADATA = dict(status=x)"}),
            ("eleventy", {"content/content.json": "[" * 5000}),
        )
    ):
        root = _written(tmp_path / str(number), files)
        defaults = Defaults(root, "content", tool)
        (problem,) = defaults.problems(["a.md"])
        assert problem.severity is Severity.ERROR
        assert "\n" not in f"{problem.message}{problem.hint}"
        assert defaults.of("a.md") is None
    root = tmp_path / "linked"
    (root / "content").mkdir(parents=True)
    (root / "content/content.json").symlink_to(tmp_path / "out.json")
    (problem,) = Defaults(root, "content", "eleventy").problems(["a.md"])
    assert "outside the project" in problem.message


def test_the_fields_are_the_same_as_in_the_tools_themselves(tmp_path: Path) -> None:
    # What Jekyll 4.3, Hugo 0.168 and Eleventy 3 showed on pages that print their fields, for random sets.
    recorded = json.loads((ROOT / "tests/data/inherited_fields.json").read_text(encoding="utf-8"))
    wrong = []
    for number, blog in enumerate(recorded):
        root = _written(tmp_path / str(number), blog["files"])
        defaults = Defaults(root, blog["folder"], blog["tool"], "en")
        for source, shown in blog["posts"].items():
            inherited = defaults.of(source)
            assert inherited
            text = (root / blog["folder"] / source).read_text() if blog["tool"] == "eleventy" else "---\n---\n"
            fields = with_inherited(parse_head(text, whole=True), inherited).fields
            if (found := _shown(blog["tool"], fields, shown)) != shown:
                wrong.append((number, source, shown, found))
    assert wrong == []


def _shown(tool: str, fields: dict[str, Any], shown: str) -> str:
    """Return the text of a page on which the tool prints some of a post's fields, if the fields have these values."""
    inner = fields.get("params" if tool == "hugo" else "m") or {}
    if tool == "jekyll":
        return ";".join([*(fields.get(key, "") for key in "abc"), *(inner.get(key, "") for key in "xy")])
    if tool == "hugo":
        title = fields.get("title", shown.rpartition(";")[2])
        return "HIDDEN" if fields.get("draft") == "true" else ";".join([*(inner.get(k, "") for k in "abc"), title])
    written = [json.dumps(fields[key], separators=(",", ":")) if key in fields else "" for key in ("tags", "m")]
    return ";".join([fields.get("a", ""), fields.get("b", ""), *written])
