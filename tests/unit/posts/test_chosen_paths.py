"""Settings and the rules of each tool decide which files of a project are posts, and which are only copied."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from publisher.config import Config, Tool, load_config
from publisher.config.origins import KeyLines
from publisher.config.site import PagesConfig, Posts
from publisher.core.errors import PublisherError
from publisher.posts.chosen_paths import PathPatterns, bundled, place_for, posts_paths
from publisher.posts.scan import scan_posts
from publisher.posts.unread_kinds import unread_kinds
from publisher.publishing.unused import unmatched_patterns
from tests.support.posts_samples import NOW, PAGE, SITE, URL, Folder


@pytest.mark.parametrize(
    ("pattern", "inside", "outside"),
    [
        ("README.md", ["README.md", "a/README.md", "README.md/x.md"], ["readme.md", "XREADME.md", "README.md.bak"]),
        ("/README.md", ["README.md"], ["a/README.md"]),
        ("*.md", ["a.md", "a/b.md", ".md"], ["a.html", "a.mdx"]),
        ("drafts/", ["drafts/a.md", "x/drafts/a.md"], ["draft/a.md"]),
        ("drafts/**", ["drafts/a.md", "drafts/x/a.md"], ["x/drafts/a.md"]),
        ("en/news/_posts/**", ["en/news/_posts/a.md"], ["en/news/a.md", "news/_posts/a.md"]),
        ("**/old/*.md", ["old/a.md", "x/y/old/a.md"], ["old/x.html", "x/older/a.md"]),
        ("a/**/b/*", ["a/b/c", "a/1/2/b/c"], ["a/1/2/c", "b/c"]),
        ("202?-*.md", ["2024-x.md", "x/2024-.md"], ["20245-x.md"]),
        ("*a*b*", ["xxaxxbxx", "ab"], ["xxbxxaxx"]),
        ("[a].md", ["[a].md"], ["a.md"]),
        ("日本*", ["日本語.md"], ["日.md"]),
        ("*" * 400 + "b", ["b"], ["a" * 250]),
        ("*a" * 200 + "b", [], ["a" * 250]),
    ],
)
def test_a_pattern_matches_as_in_gitignore(pattern: str, inside: list[str], outside: list[str]) -> None:
    matched = PathPatterns([pattern])
    assert [path for path in inside if not matched.match(path)] == []
    assert [path for path in outside if matched.match(path)] == []


def test_files_next_to_the_index_of_a_bundle_are_not_posts_in_hugo() -> None:
    paths = "index.md x.md a/index.md a/part.md a/index.fr.md a/in/index.md a/in/p.md a/plain/p.md b/_index.md b/x.md"
    assert bundled(paths.split(), "hugo") == {"a/part.md", "a/in/index.md", "a/in/p.md", "a/plain/p.md"}
    assert bundled(paths.split(), "zola") == bundled(paths.split(), "") == set()


def test_only_markdown_files_are_posts_in_zola(tmp_path: Path) -> None:
    cases: tuple[tuple[Tool, set[str]], ...] = (
        ("zola", {"a/index.md", "a/part.md", "b.md"}), ("hugo", {"a/index.md", "b.md", "d.html"})
    )  # fmt: skip
    for tool, found in cases:
        folder = Folder(tmp_path / tool, posts=Posts(tool=tool))
        for name in ("a/index.md", "a/page.html", "a/part.md", "b.md", "d.html"):
            folder.file(f"posts/{name}", PAGE)
        assert set(scan_posts(folder.config).found) == found


FILES = [
    "README.md", "2024-01-01-top.md", "en/news/_posts/2024-01-02-a.md", "ja/news/_posts/2024-01-03-b.md",
    "en/news/list.md", "travel/_posts/2024-01-04-c.md", "_drafts/d.md", "_pages/e.md", "_layouts/x.html",
    "_includes/y.html", "public/2024/index.html", "static/old.html", "templates/web/base.html", "letters/weekly.md",
    "pages/about.md", "node_modules/x/README.md", "sub/node_modules/x/README.md", "vendor/bundle/z/README.md",
    ".git/description.md", ".publisher/x.md", "_site/a/index.html", "assets/demo.html", "deploy/notes.md",
]  # fmt: skip
OTHERS = {"README.md", "2024-01-01-top.md", "en/news/list.md"}
IN_POSTS = {"en/news/_posts/2024-01-02-a.md", "ja/news/_posts/2024-01-03-b.md", "travel/_posts/2024-01-04-c.md"}


@pytest.mark.parametrize(
    ("posts", "found"),
    [
        ({}, OTHERS | IN_POSTS | {"_drafts/d.md", "vendor/bundle/z/README.md"}),
        ({"tool": "jekyll"}, IN_POSTS | {"_drafts/d.md"}),
        ({"tool": "hexo", "include": ["*.md"], "exclude": ["README.md"]},
         {"2024-01-01-top.md", "en/news/list.md", "_drafts/d.md"} | IN_POSTS),
        ({"include": ["en/news/_posts/**", "ja/**"]},
         {"en/news/_posts/2024-01-02-a.md", "ja/news/_posts/2024-01-03-b.md"}),
        ({"include": ["_pages/**"]}, {"_pages/e.md"}),
        ({"include": ["/*.md"], "exclude": ["README.md"]}, {"2024-01-01-top.md"}),
        ({"exclude": ["vendor/**", "*.md"]}, set()),
        ({"folder": "travel"}, {"_posts/2024-01-04-c.md"}),
        ({"folder": "sub", "tool": "eleventy"}, set()),
        ({"folder": "sub"}, {"node_modules/x/README.md"}),
        ({"folder": "en/news", "tool": "jekyll"}, {"_posts/2024-01-02-a.md"}),
        ({"folder": "travel/_posts", "tool": "jekyll"}, {"2024-01-04-c.md"}),
        ({"folder": "pages", "tool": "jekyll"}, {"about.md"}),
        ({"folder": "en/news/_posts", "tool": "hexo"}, {"2024-01-02-a.md"}),
        ({"folder": "en", "tool": "hexo"}, {"news/_posts/2024-01-02-a.md"}),
    ],
)  # fmt: skip
def test_posts_are_found_according_to_the_settings(posts: dict[str, object], found: set[str], tmp_path: Path) -> None:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    lists = {key: tuple(value) if isinstance(value, list) else value for key, value in posts.items()}
    config = Config(
        site=SITE,
        posts=Posts(**{"folder": ".", **lists}),  # type: ignore[arg-type]
        pages=PagesConfig(copy=("assets",)),
        root=tmp_path,
    )
    scan = scan_posts(config)
    assert set(scan.found) == found
    assert bool(scan.problems) == ("exclude" in posts and not found)


NONE = [
    ({"tool": "jekyll"}, ["README.md", "b/a.md", "public/index.html"], "README.md", 2, "_posts"),
    ({"include": ("_post/**",)}, ["_posts/a.md"], "_posts/a.md", 1, "posts.include"),
    ({"exclude": ("*.md",)}, ["a.md", "b.md", "c.html/d.md"], "a.md", 3, "posts.exclude"),
    ({}, ["_a.md", "_pages/b.md"], "_a.md", 2, "underscore"),
    ({}, [".a.md", ".git/b.md", "node_modules/x.md", "public/a.html", "a.png"], "", 0, ""),
    ({"tool": "jekyll"}, ["_posts/a.md", "README.md"], "", 0, ""),
    ({"folder": "posts", "tool": "jekyll"}, ["posts/a.md"], "", 0, ""),
]


def test_a_project_whose_files_are_all_skipped_says_so(tmp_path: Path) -> None:
    for number, (posts, files, first, count, hint) in enumerate(NONE):
        root = tmp_path / str(number)
        for name in files:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text("x")
        settings = Posts(**{"folder": ".", **posts})  # type: ignore[arg-type]
        problems = scan_posts(Config(site=SITE, posts=settings, root=root)).problems
        assert [first in problem.message and hint in (problem.hint or "") for problem in problems] == [True] * bool(
            count
        )
        assert count < 2 or f"none of {count} files" in problems[0].message


def test_posts_of_the_project_itself_have_plain_paths(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.config = replace(folder.config, posts=Posts(folder="."))
    folder.file("2024-07-06-hello.md", "---\ntitle: A\n---\n[b](news/2024-07-07-b.md) [no](gone.md) ![](a.png)")
    folder.file("news/2024-07-07-b.md", "---\ntitle: B\n---\n[a](../2024-07-06-hello.md) [/](/2024-07-06-hello.md)")
    folder.file("bad.md", "---\ntitle: [\n---\n")
    folder.file("a.png", b"\x89PNG")
    folder.file("pages/about.md", "---\ntitle: About\n---\n[a](../2024-07-06-hello.md)")
    report = folder.build()
    archive = folder.archive()
    assert [(post.source, post.permalink) for post in archive.posts] == [
        ("news/2024-07-07-b.md", "/news/2024/07/07/b/"),
        ("2024-07-06-hello.md", "/2024/07/06/hello/"),
    ]
    assert f'href="{URL}/news/2024/07/07/b/"' in folder.render().html
    assert folder.render("news/2024-07-07-b.md").html.count(f'href="{PAGE}"') == 2
    assert [problem.path for problem in report.problems] == ["2024-07-06-hello.md", "bad.md"]
    assert {"about/index.html", "2024/07/06/hello/a.png"} <= folder.public().keys()
    assert folder.build().written == 0  # no file of the output became a post
    assert posts_paths(folder.config) == ("2024-07-06-hello.md", "a.png", "bad.md", "news", "posts")


@pytest.mark.parametrize(
    ("posts", "place"),
    [
        ({"folder": "posts"}, "a.md"),
        ({}, "a.md"),
        ({"tool": "jekyll"}, "_posts/a.md"),
        ({"tool": "jekyll", "folder": "_posts"}, "a.md"),
        ({"tool": "hexo"}, "_posts/a.md"),
        ({"include": ("en/news/_posts/**", "ja/**")}, "en/news/_posts/a.md"),
        ({"include": ("*.html", "b/*.md")}, "b/a.md"),
        ({"include": ("posts/**",), "exclude": ("posts/old/**",)}, "posts/a.md"),
        ({"include": ("/about.md",)}, "a.md"),
    ],
)
def test_a_new_post_is_created_where_posts_are(posts: dict[str, Any], place: str, tmp_path: Path) -> None:
    assert place_for(Config(site=SITE, posts=Posts(**{"folder": ".", **posts}), root=tmp_path), "a.md") == place


@pytest.mark.parametrize("folder", ["/", "/.", "..", "../", "./..", ".publisher"])
def test_the_posts_folder_is_never_outside_the_project(folder: str, tmp_path: Path) -> None:
    (tmp_path / "publisher.toml").write_text(
        f'[site]\ntitle = "A"\nurl = "https://a.test"\n[posts]\nfolder = "{folder}"\n'
    )
    with pytest.raises(PublisherError, match=r"posts\.folder"):
        load_config(tmp_path)


def test_files_with_the_same_extension_are_one_problem() -> None:
    many = [f"notes/2025-01-0{day}-x.org" for day in range(1, 6)]

    def said(unread: list[str], posts: list[str]) -> list[tuple[str, str, str]]:
        return [(each.path, each.message, each.severity) for each in unread_kinds(unread, posts, "posts")]

    old, new = ["2024-01-01-a.md"], ["2026-01-01-a.md"]
    shown = "5 files end in .org and are not read"
    names = "notes/2025-01-01-x.org, notes/2025-01-02-x.org, notes/2025-01-03-x.org and 2 more"
    one = "is not published: only Markdown (.md, .mdx, .qmd and so on), .rst and .html are read"
    assert said(many, new) == [("posts", f"{shown}: {names}", "warning")]
    assert said(many, old) == [("posts", f"{shown}, and newer than all posts: {names}", "error")]
    assert said(many, ["about.md"]) == [("posts", f"{shown}: {names}", "warning")]
    assert said(many, []) == [("posts", f"{shown}: {names}", "error")]
    assert said(["Two.ADOC", "x/a.ipynb"], new) == [
        ("posts/Two.ADOC", one, "warning"),
        ("posts/x/a.ipynb", one, "warning"),
    ]
    assert said(["2027-01-01-two/index.RMD"], new)[0][2] == "error"
    assert said(["2027/01/02/two.org"], new)[0][2] == "error"
    assert said(["2027-01-01-note.txt", "feed.njk"], [])[0][2] == "warning"  # perhaps no posts
    assert said([], []) == []


def test_files_with_newer_dates_in_their_front_matter_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "old.md").write_text("---\ndate: 2024-01-01\n---\n")
    (tmp_path / "new.ipynb").write_text('{"metadata": {\n "date": "2026-01-01"\n}}')
    (tmp_path / "new.org").write_text("#+TITLE: x\n#+DATE: <2023-01-01 Sun>\n")
    (tmp_path / "later.txt").write_text("date: 2026-01-01\n")

    def severities(posts: list[str]) -> list[str]:
        found = unread_kinds(["new.ipynb", "new.org", "later.txt", "gone.textile"], posts, "posts", tmp_path)
        return [each.severity for each in found]

    assert severities(["old.md"]) == ["error", "warning", "warning", "warning"]
    (tmp_path / "newest.md").write_text("+++\npath = '2026/02/01/x'\n+++\n")
    assert severities(["old.md", "newest.md"]) == ["warning"] * 4
    assert severities([*(f"{number}.md" for number in range(1_001)), "old.md"]) == ["warning"] * 4  # too many to open


def test_markdown_has_many_extensions(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("2024-07-06-a.mkd", "*b* [b](2024-07-07-b.MKDOWN)")
    folder.write("2024-07-07-b.MKDOWN")
    folder.write("2024-07-08-c.mdx", "import X from './x'\n\n*c*")
    assert folder.archive().problems == []
    assert [post.source for post in folder.posts()] == ["2024-07-08-c.mdx", "2024-07-07-b.MKDOWN", "2024-07-06-a.mkd"]
    html = folder.render("2024-07-06-a.mkd").html
    assert "<em>b</em>" in html
    assert f'href="{URL}/2024/07/07/b/"' in html
    assert folder.render("2024-07-08-c.mdx").html == "<p><em>c</em></p>\n"


def test_images_data_and_notes_next_to_posts_are_not_mentioned(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for name in ("a.png", "data.json", "x.yml", "authors.toml", "table.csv", "code.py", "a.css", "Makefile", "n.bak"):
        folder.write(name)
    assert folder.archive().problems == []


def test_folders_and_files_are_copied_to_their_places(tmp_path: Path) -> None:
    folder = Folder(tmp_path, pages=PagesConfig(copy=("assets/img = /img", "files", "src/favicon.ico = /", "gone")))
    for name in ("assets/img/deep/a.txt", "assets/img/.hidden", "files/b.txt", "src/favicon.ico", "static/img/both.txt",
                 "assets/img/both.txt", "assets/secret.txt", "files/.git/config"):  # fmt: skip
        folder.file(name, name)
    (tmp_path / "files/out").symlink_to("/etc/passwd")
    folder.file(".publisher/x.txt", "private")
    (tmp_path / "files/state").symlink_to(tmp_path / ".publisher/x.txt")
    folder.write("2024-07-06-hello.md", "![a](/img/deep/a.txt) [b](/files/b.txt)")
    report = folder.build(NOW)
    public = folder.public()
    copied = {name: text.decode() for name, text in public.items() if name.startswith(("img", "files", "favicon.ico"))}
    assert copied == {
        "img/deep/a.txt": "assets/img/deep/a.txt",
        "img/.hidden": "assets/img/.hidden",
        "img/both.txt": "static/img/both.txt",
        "files/b.txt": "files/b.txt",
        "favicon.ico": "src/favicon.ico",
    }
    assert sorted((problem.path, problem.message[:40]) for problem in report.problems) == [
        ("assets/img/both.txt", "is not published, since static/img/both."),
        ("files/out", "is a link to something outside the proje"),
        ("files/state", "is a link to something private, so it is"),
        ("gone", "should be copied, but doesn't exist"),
    ]


def test_a_missing_folder_that_publisher_toml_does_not_name_is_reported_by_its_path(tmp_path: Path) -> None:
    folder = Folder(tmp_path, pages=PagesConfig(copy=("gone = /img",)))
    folder.file("publisher.toml", '[site]\ntitle = "A"\nurl = "https://a.test"\n\n[pages]\nenabled = true\n')
    assert [each.where for each in folder.build(NOW).problems] == ["gone"]


def test_the_sources_of_posts_are_not_copied(tmp_path: Path) -> None:
    folder = Folder(tmp_path, posts=Posts(folder="src/posts"), pages=PagesConfig(copy=("src = /s",)))
    for name in ("posts/secret-draft.md", "posts/x.HTML", "posts/a.txt", "posts/deep/b.markdown", "note.md", "a.css"):
        folder.file(f"src/{name}", "---\ntitle: A\ndraft: true\n---\nText")
    folder.build(NOW)
    assert {name for name in folder.public() if name.startswith("s/")} == {"s/posts/a.txt", "s/note.md", "s/a.css"}


def test_a_missing_folder_that_should_be_copied_is_reported(tmp_path: Path) -> None:
    folder = Folder(tmp_path, pages=PagesConfig(copy=("gone = /img",)))
    folder.file("publisher.toml", '[site]\ntitle = "A"\nurl = "https://a.test"\n\n[pages]\ncopy = ["gone = /img"]\n')
    told = [(each.where, each.message) for each in folder.build(NOW).problems]
    assert told == [("publisher.toml:6", "pages.copy: 'gone' doesn't exist")]


def test_drafts_in_copied_folders_are_not_copied(tmp_path: Path) -> None:
    folder = Folder(tmp_path, pages=PagesConfig(copy=("travel = /t",)))
    for name in ("travel/_drafts/secret.md", "travel/_posts/a.html", "travel/_posts/a.png", "static/_posts/b.html"):
        folder.file(name, "---\ntitle: A\n---\nText")
    folder.file("travel/note.md", "a note")
    folder.build(NOW)
    copied = {name for name in folder.public() if name.startswith(("t/", "_posts/"))}
    assert copied == {"t/note.md", "t/_posts/a.png", "_posts/b.html"}


def test_pictures_of_copied_folders_are_measured_and_missing_ones_reported(tmp_path: Path) -> None:
    folder = Folder(tmp_path, pages=PagesConfig(copy=("assets/img = /img",)))
    picture = (Path(__file__).parents[3] / "posts/assets/images/feeds.png").read_bytes()
    folder.file("assets/img/a.png", picture)
    folder.write("2024-07-06-hello.md", "![a](/img/a.png)", head="title: A\nimage: /img/a.png")
    folder.build(NOW)
    html = folder.public()["2024/07/06/hello/index.html"].decode()
    assert "width=" in html
    assert "img/a.png" in folder.public()


@pytest.mark.parametrize("copied", ["public", "public/img = /img", ".publisher/outbox = /x"])
def test_output_of_the_build_is_not_copied(copied: str, tmp_path: Path) -> None:
    (tmp_path / "publisher.toml").write_text(
        f'[site]\ntitle = "A"\nurl = "https://a.test"\n[pages]\ncopy = ["{copied}"]\n'
    )
    with pytest.raises(PublisherError, match=r"pages\.copy"):
        load_config(tmp_path)


def test_folders_that_a_tool_may_add_later_are_watched(tmp_path: Path) -> None:
    for tool, folder, paths in (
        ("jekyll", "_posts", {"_posts", "_config.yml", "_data", "_includes"}),
        ("hugo", "content/posts", {"content/posts", "hugo.toml", "content/_index.md"}),
        ("mkdocs", "docs/blog/posts", {"docs/blog/posts", "docs/blog/.authors.yml", "docs/.meta.yml"}),
        ("eleventy", "src/blog", {"src/blog", "src/src.json", "_data"}),
    ):
        config = Folder(tmp_path / tool, posts=Posts(folder=folder, tool=tool)).config
        assert paths <= set(posts_paths(config)), tool
    config = Folder(tmp_path / "whole", posts=Posts(folder=".", tool="jekyll")).config
    assert "_config.yml" in posts_paths(config)


def test_patterns_that_exclude_nothing_are_reported_with_their_line(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for name in ("2024-07-06-a.md", "drafts/b.md", "old/deep/c.md"):
        folder.file(f"posts/{name}", "---\ntitle: A\n---\nText")
    written = ["drafst/**", "drafts/**", "deep", "/c.md", "c.md", "*.txt", "node_modules/**", ".git", "public/**"]
    text = f'[site]\ntitle = "A"\nurl = "https://a.test"\n[posts]\nexclude = {written}\n'
    folder.file("publisher.toml", text)
    told = [(each.where, each.message) for each in unmatched_patterns(load_config(tmp_path), KeyLines(text))]
    assert told == [
        ("publisher.toml:5", f"posts.exclude: '{each}' matches nothing") for each in ("drafst/**", "/c.md", "*.txt")
    ]
