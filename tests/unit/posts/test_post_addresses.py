"""URLs of posts: every placeholder, each tool's own names, escapes, and permalinks as people write them."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.config import PERMALINK_PARTS, Posts, Tool
from publisher.posts.address_parts import AddressParts, filled, from_eleventy, from_hugo, from_jekyll
from publisher.posts.blog_tools.names import category_segment, name_segment, slug_segment, title_of_file, title_segment
from publisher.posts.front_matter.post_address import unescaped
from tests.support.posts_samples import SITE, Folder

WHEN = datetime(2026, 1, 5, 7, 8, 9, tzinfo=UTC)
PARTS = AddressParts("", "News", "2026-01-05-Why C++", "why-c", "", "Why C++?", ("Tea", "Two Words"), WHEN, "de")


def test_names_are_the_same_as_in_each_tool_itself() -> None:
    made_by = {"name": name_segment, "slug": slug_segment, "title": title_segment, "category": category_segment}
    wrong = []
    for line in Path("tests/data/tool_names.tsv").read_text(encoding="utf-8").splitlines():
        tool, kind, text, right = line.split("\t")
        made = made_by[kind](tool, text)  # type: ignore[arg-type]
        if made != right:
            wrong.append((tool, kind, text, right, made))
    assert wrong == []


def test_a_title_that_a_library_would_empty_keeps_its_letters() -> None:
    for text, right in (("日本語 テスト", "日本語-テスト"), ("हिन्दी", "हिन्दी"), ("北京 2026", "2026"), ("!?", "")):
        assert title_segment("eleventy", text) == right
    for text, right in (("日本語 テスト", "ri-ben-yu-tesuto"), ("Привет, мир", "privet-mir"), ("½ cup", "1-2-cup")):
        assert title_segment("zola", text) == name_segment("zola", text) == right


def test_every_placeholder_has_its_value() -> None:
    values = {
        "folder": "News", "section": "News", "slug": "why-c", "name": "Why C++", "file": "2026-01-05-Why C++",
        "title": "why-c", "slug_or_title": "why-c", "slug_or_file": "2026-01-05-Why C++", "category": "tea",
        "categories": "tea/two-words", "slugified_categories": "tea/two-words", "lang": "de", "year": "2026",
        "short_year": "26", "month": "01", "i_month": "1", "short_month": "Jan", "long_month": "January", "day": "05",
        "i_day": "5", "y_day": "005", "i_y_day": "5", "w_year": "2026", "week": "02", "w_day": "1", "i_w_day": "1",
        "short_day": "Mon", "long_day": "Monday", "hour": "07", "minute": "08", "second": "09",
    }  # fmt: skip
    assert {part: filled(f"/{{{part}}}/", PARTS) for part in PERMALINK_PARTS} == {
        part: f"/{value}/" for part, value in values.items()
    }


# More posts, with their URLs from Jekyll itself, are in tests/data/tool_addresses.tsv.
STYLES = {
    "date": "/releases/tea/2026/01/05/Release-Notes.html",
    "pretty": "/releases/tea/2026/01/05/Release-Notes/",
    "ordinal": "/releases/tea/2026/005/Release-Notes.html",
    "weekdate": "/releases/tea/2026/W02/Mon/Release-Notes.html",
    "none": "/releases/tea/Release-Notes.html",
    "/:year/:i_month/:i_day/:title/": "/2026/1/5/Release-Notes/",
    "/:short_year/:short_month/:title": "/26/Jan/Release-Notes",
    "/:slugified_categories/:slug": "/releases/tea/release-notes",
    "/:title": "/Release-Notes",
    "/blog/:year_:month/:title.html": "/blog/2026_01/Release-Notes.html",
    "/:name.html": "/2026-01-05-release-notes.html",
    "/:hour:minute:second/:title:output_ext": "/070809/Release-Notes.html",
}


def test_every_style_of_jekyll_is_a_pattern() -> None:
    parts = PARTS._replace(tool="jekyll", file="2026-01-05-Release-Notes", categories=("Releases", "tea"))
    assert {style: filled(from_jekyll(style), parts) for style in STYLES} == STYLES
    assert from_jekyll("/:nothing/:title/") == ""


def addresses(
    root: Path, files: dict[str, str], tool: Tool = "", pattern: str = "/{slug}/", **more: Any
) -> dict[str, str]:
    """Return the permalink of each post, by file name. Fail if a post has a problem."""
    folder = Folder(root, posts=Posts(permalink=pattern, tool=tool), **more)
    for name, head in files.items():
        folder.write(name, "Text.", f"title: A Title\n{head}".rstrip())
    return {post.source: post.permalink for post in folder.posts()}


def test_tokens_of_hugo_are_supported() -> None:
    parts = PARTS._replace(
        tool="hugo", folder="News/2026", file="2026-01-05-Release-Notes", slug="", title="What is New?"
    )
    for permalink, path in (
        ("/:sections/:slugorcontentbasename/", "/news/2026/2026-01-05-release-notes/"),
        ("/:section/:year/:month/:title", "/news/2026/01/what-is-new/"),
        ("blog/:slug/", "/blog/what-is-new/"),
        ("/:sections/:contentbasename.html", "/news/2026/2026-01-05-release-notes.html"),
    ):
        assert filled(from_hugo(permalink), parts) == path
    assert from_hugo("/:moon/:title/") == from_hugo("/:sections[last]/:title/") == ""


def test_a_pattern_gives_the_url_as_written(tmp_path: Path) -> None:
    files = {"News/2026-01-05-Release-Notes.md": "categories: [B c, A]", "2026-01-06-why-c++.md": "slug: Own Slug"}
    for pattern, right in {
        "/{name}": ["/Release-Notes", "/Own Slug"],
        "/{folder}/{name}.html": ["/News/Release-Notes.html", "/Own Slug.html"],
        "/{categories}/{i_month}/{i_day}/{slug}/": ["/b-c/a/1/5/release-notes/", "/1/6/own-slug/"],
        "/{file}": ["/2026-01-05-Release-Notes", "/2026-01-06-why-c++"],
        "/{title}/{slug}": ["/a-title/release-notes", "/a-title/own-slug"],
    }.items():
        assert list(addresses(tmp_path, files, pattern=pattern).values()) == right[::-1], pattern


TOOLS: list[tuple[Tool, str, str, str, str]] = [
    ("jekyll", "/{categories}/{year}/{month}/{day}/{name}.html", "travel/_posts/2026-01-05-Why-C++.md",
     "categories: Two words\ncategory: One name", "/travel/two/words/one name/2026/01/05/Why-C++.html"),
    ("jekyll", "/{name}", "_posts/2026-01-05-x.md", "slug: Own Slug!", "/Own-Slug!"),
    ("hugo", "/{folder}/{slug}/", "News/Post One/index.md", "date: 2026-01-05", "/news/post-one/"),
    ("hugo", "/{section}/{slug_or_title}/", "News/Sub/x.md", "date: 2026-01-05", "/news/a-title/"),
    ("hugo", "/{long_month}/{slug}/", "x.md", "date: 2026-01-05\nslug: A B", "/january/a-b/"),
    ("eleventy", "/blog/{name}/", "2026-01-05-Why C++.md", "", "/blog/Why C++/"),
    ("eleventy", "/{folder}/{file}/", "blog/one/one.md", "date: 2026-01-05", "/blog/one/"),
    ("eleventy", "/{name}/{slug}/", "2026-01-05-x.md", "slug: Own", "/x/Own/"),
    ("docusaurus", "/blog/{slug}", "2026-01-05-Hello.md", "", "/blog/2026/01/05/Hello"),
    ("docusaurus", "/blog/{slug}", "2026/01-05/Hello/index.md", "date: 2026-01-05", "/blog/2026/01/05/Hello"),
    ("docusaurus", "/blog/{slug}", "old/Hello.md", "date: 2026-01-05", "/blog/old/Hello"),
    ("docusaurus", "/blog/{slug}", "2026-01-05-Hello.md", "slug: /a/B", "/blog/a/B"),
    ("pelican", "/{category}/{slug}.html", "Tea Time/x.md", "date: 2026-01-05", "/tea-time/a-title.html"),
    ("pelican", "/{category}/{slug}.html", "x.md", "date: 2026-01-05\nslug: own", "/misc/own.html"),
    ("mkdocs", "/blog/{year}/{month}/{day}/{slug}/", "x.md", "date: 2026-01-05", "/blog/2026/01/05/a-title/"),
    ("hexo", "/{category}/{title}/", "_posts/x.md", "date: 2026-01-05\ncategories: [A, b]", "/A/A-Title/"),
    ("zola", "/{folder}/{slug}/", "blog/2026-01-05-Über_uns.md", "", "/blog/uber-uns/"),
    ("astro", "/blog/{slug_or_file}", "2026-01-05-Hello World!.md", "", "/blog/2026-01-05-hello-world"),
    ("vitepress", "/{folder}/{file}", "Posts/My Post.md", "date: 2026-01-05", "/Posts/My Post"),
    ("eleventy", "/{slug}/", "x.md", 'date: 2026-01-05\npermalink: "/n/{{ title | slug }}/index.html"', "/n/a-title/"),
    ("obsidian", "/{folder}/{file}", "My Notes/A & B?.md", "date: 2026-01-05", "/My-Notes/A--and--B"),
]  # fmt: skip


def test_posts_are_named_as_in_each_tool(tmp_path: Path) -> None:
    for number, (tool, pattern, name, head, right) in enumerate(TOOLS):
        assert list(addresses(tmp_path / str(number), {name: head}, tool, pattern).values()) == [right], right


def test_common_permalink_templates_of_eleventy_are_supported() -> None:
    for permalink, pattern in (
        ("/n/{{- page.fileSlug -}}.html", "/n/{name}.html"),
        ("{{ page.date | date: '%Y/%-m' }}/{{ slug }}/", "{year}/{i_month}/{slug}/"),
        ('{{ date | date("%y") }}', "{short_year}"),
        ("{{ page.date | date: '%H' }}", ""),
        ('/{{ page.date | readable("yyyy/LL/dd") }}/{{ locale }}/', "/{year}/{month}/{day}/{lang}/"),
        ('{{ page.date | formatted("yyyy-MMMM") }}', ""),
        ("/{{ other }}/", ""),
        ("/{{ title | slugify }}{% if x %}/", ""),
        ("/plain/", ""),
    ):
        assert from_eleventy(permalink) == pattern


def test_a_post_without_a_title_gets_the_one_its_tool_makes_from_the_file() -> None:
    for tool, name, undated, right in (
        ("jekyll", "2026-01-05-c++-and-APIs", "c++-and-APIs", "C++ And Apis"),
        ("mkdocs", "2026-01-05-why_not", "why_not", "2026 01 05 why not"),
        ("mkdocs", "why-Not", "why-Not", "why Not"),
        ("docusaurus", "2026-01-05-a-b", "a-b", "a-b"),
        ("hugo", "a-b", "a-b", ""),
        ("", "a-b", "a-b", ""),
    ):
        assert title_of_file(tool, name, undated) == right  # type: ignore[arg-type]


ESCAPED = [
    ("2025-01-02-%e3%83%86.md", "", "/テ/"), ("2025-01-02-a%E3%83%86.md", "", "/aテ/"),
    ("x.md", 'slug: "%e3%83%86%e3%82%b9"', "/テス/"), ("x.md", 'slug: "%C3%A9t%c3%a9"', "/été/"),
    ("%E3%83%86/x.md", "slug: é", "/é/"),
    ("x.md", "slug: 100%", "/100/"), ("x.md", "slug: a%zz", "/a-zz/"), ("x.md", "slug: a%ff", "/a-ff/"),
    ("x.md", "permalink: /2019/05/%e3%83%86/", "/2019/05/テ/"), ("x.md", "permalink: a b/ü", "/a b/ü"),
    ("x.md", "url: /%D0%B0/%d0%b1", "/а/б/"), ("x.md", "permalink: https://site.example/x/", "/x/"),
    ("x.md", "permalink: /50%/x", "/50%/x"), ("x.md", "permalink: /a%2Fb/", "/a%2Fb/"),
    ("x.md", "permalink: /a%00/", "/a%00/"),
    ("x.md", "permalink: /:categories/:title.html\ncategories: Tea", "/tea/x.html"),
]  # fmt: skip


def test_escapes_and_spaces_work_in_names_slugs_and_permalinks(tmp_path: Path) -> None:
    for number, (name, head, right) in enumerate(ESCAPED):
        head = head if name[0] == "2" else f"{head}\ndate: 2026-01-05"
        assert list(addresses(tmp_path / str(number), {name: head}).values()) == [right], (name, head)


def test_escapes_in_folder_names_are_read(tmp_path: Path) -> None:
    files = {"%e3%83%86/a b%20c/2026-01-05-x.md": ""}
    for number, pattern in enumerate(("/{folder}/{slug}/", "/{folder}/{name}/")):
        assert list(addresses(tmp_path / str(number), files, pattern=pattern).values()) == ["/テ/a b c/x/"]


def test_a_url_is_escaped_once_and_the_same_everywhere(tmp_path: Path) -> None:
    folder = Folder(tmp_path, posts=Posts(permalink="/{name}/"))
    folder.write("2025-01-02-%e3%83%86 C++.md", "[to itself](2025-01-02-%25e3%2583%2586%20C++.md)")
    folder.build()
    url = "https://site.example/%E3%83%86%20C++/"
    files = folder.public()
    assert json.loads(files["feed.json"])["items"][0]["url"] == url
    for name in ("feed.xml", "atom.xml", "sitemap.xml"):
        assert url.encode() in files[name], name
    assert "テ C++/index.html" in files
    assert folder.posts()[0].id == "tag:site.example,2024:2025-01-02:%E3%83%86-c"


def test_a_post_of_an_earlier_version_keeps_its_url_and_id(tmp_path: Path) -> None:
    files = {"2025-01-02-%e3%83%86.md": "", "x.md": "date: 2026-01-05\npermalink: /%e3%83%86b/"}
    folder = Folder(tmp_path)
    for name, head in files.items():
        folder.write(name, "Text.", f"title: x\n{head}".rstrip())
    folder.build()
    now = [post.permalink for post in folder.posts()]
    assert now == ["/テb/", "/2025/01/02/テ/"]
    with sqlite3.connect(tmp_path / ".publisher/published.db") as db:
        db.execute("DROP TABLE old_rules")
        db.execute("UPDATE ids SET id = replace(id, '%E3%83%86', 'e3-83-86')")
    (tmp_path / ".publisher/index.db").unlink()  # that of an earlier version is not used
    before = ["/%e3%83%86b/", "/2025/01/02/e3-83-86/"]
    assert [post.permalink for post in folder.posts()] == before
    folder.write("2026-02-02-%e3%83%86.md", "Text.", "title: new")
    folder.build()
    folder.write("2026-02-02-%e3%83%86.md", "Text. More.", "title: new")
    assert [post.permalink for post in folder.posts()] == ["/2026/02/02/テ/", *before]
    adopted = Folder(tmp_path, posts=Posts(tool="hugo"), site=replace(SITE, language="de"))
    assert [post.permalink for post in adopted.posts()] == ["/2026/02/02/テ/", *now]


def test_the_length_of_a_url_is_limited(tmp_path: Path) -> None:
    folder = Folder(tmp_path, posts=Posts(permalink="/{categories}/{title}/"))
    folder.write("2026-01-05-many.md", "x", "title: x\ncategories: [" + ", ".join(f"c{n}" for n in range(9_000)) + "]")
    folder.write("2026-01-06-long.md", "x", "title: " + "Ä b" * 100_000)
    folder.write("2026-01-07-words.md", "x", "title: x\ncategories: " + "word " * 100_000)
    archive = folder.archive()
    assert [each.message for each in archive.problems] == ["its URL is too long for the path of a file"]
    assert all(len(part.encode()) <= 210 for post in archive.posts for part in post.permalink.split("/"))


@given(st.text(max_size=300), st.sampled_from(["", "jekyll", "hugo", "hexo", "pelican", "zola", "docusaurus"]))
def test_any_name_and_title_give_a_path_inside_the_site(text: str, tool: Tool) -> None:
    folder = text.replace("\0", "")  # no file system allows it in a name
    parts = PARTS._replace(tool=tool, file=text, slug=text[:3], title=text, categories=(text, ".."), folder=folder)
    path = filled("/{folder}/{categories}/{name}/{title}.html", parts)
    assert path.startswith("/")
    assert ".." not in path.split("/")
    assert "\0" not in path
    assert all(len(each.encode("utf-8", "replace")) <= 210 for each in path.split("/"))


@pytest.mark.parametrize("text", ["%", "%%", "%4", "a%2", "%2F", "%5C", "%0a", "%ff%fe", "100%25"])
def test_only_unambiguous_escapes_are_decoded(text: str) -> None:
    assert unescaped(text) in (text, "100%")


def test_an_index_file_has_the_url_of_its_folder(tmp_path: Path) -> None:
    names = ("blog/four/four.md", "blog/four/x.md", "blog/five/index.md", "one.md", "six/six/index.md")
    wanted: dict[tuple[Tool, str], list[str]] = {
        ("eleventy", "/{folder}/{file}/"): ["/blog/four/", "/blog/four/x/", "/blog/five/", "/one/", "/six/six/"],
        ("quarto", "/{folder}/{file}.html"): [
            "/blog/four/four.html", "/blog/four/x.html", "/blog/five/", "/one.html", "/six/six/"
        ],
        ("vitepress", "/{folder}/{file}"): ["/blog/four/four", "/blog/four/x", "/blog/five/", "/one", "/six/six/"],
        ("hugo", "/{folder}/{file}.html"): [
            "/blog/four/four.html", "/blog/four/x.html", "/blog/five.html", "/one.html", "/six/six.html"
        ],
    }  # fmt: skip
    for (tool, pattern), paths in wanted.items():
        found = addresses(tmp_path / tool, dict.fromkeys(names, "date: 2026-01-05"), tool, pattern)
        assert found == dict(zip(names, paths, strict=True)), tool
