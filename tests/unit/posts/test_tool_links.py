"""Links to posts, pages and headings in the syntax of other tools."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from publisher.config import PagesConfig, Posts, Tool
from publisher.core.models import Problem
from publisher.posts.blog_tools.heading_ids import heading_ids, is_meant
from publisher.posts.rendering.heading_targets import with_targets
from tests.support.posts_samples import Folder

# Anchors made by Jekyll 4.3, Hugo 0.168, github-slugger, hexo-util, VitePress 1.6 and Python-Markdown 3.10.
GFM = "whats-next whats-next-1 c--c--net_x 12-über-uns 日本語-テスト some-bold-code_x-link quoted--dash"
MADE: dict[Tool, str] = {
    "jekyll": GFM,
    "hugo": GFM,
    "astro": GFM.replace("quoted--dash", "quoted-----dash"),
    "hexo": "What’s-next What’s-next-1 C-C-NET-x 1-2-Uber-uns 日本語-テスト Some-bold-code-x-link “Quoted”-—-dash",
    "vitepress": "what-s-next what-s-next-1 c-c-net-x _1-2-uber-uns 日本語-テスト some-bold-code-x-link quoted-dash",
    "mkdocs": "whats-next whats-next_1 c-c-net_x 12-uber-uns _1 some-bold-code_x-link quoted-dash",
    "zola": "what-s-next what-s-next-1 c-c-net-x 1-2-uber-uns ri-ben-yu-tesuto some-bold-code-x-link quoted-dash",
    "quarto": "whats-next whats-next-1 c-c-.net_x über-uns 日本語-テスト some-bold-code_x-link quoted-----dash",
}


def messages(problems: Iterable[Problem]) -> list[str]:
    return [problem.message for problem in problems]


def page(root: Path, tool: Tool, files: dict[str, str], *, folder: str = "posts", pattern: str = "/{slug}/") -> Folder:
    made = Folder(root, posts=Posts(folder=folder, tool=tool, permalink=pattern), pages=PagesConfig(enabled=False))
    for path, text in files.items():
        made.file(path, text)
    return made


def test_headings_have_the_ids_of_the_tool(tmp_path: Path) -> None:
    for tool, right in MADE.items():
        html = with_targets(_html(), tool, ())
        assert " ".join(re.findall(r'<h2 id="([^"]*)"', html)) == right, tool


def _html() -> str:
    """Return sample headings as our parser renders them, before they get the ids of a tool."""
    made = {
        "whats-next": "What’s next", "whats-next-1": "What’s next", "c--c--net_x": "C++ &amp; C# / .NET_x",
        "12-über-uns": "1.2 Über uns", "日本語-テスト": "日本語 テスト",
        "some-bold-code_x-link": 'Some <em>bold</em> <code>code_x</code> <a href="https://x.example/a">link</a>',
        "quoted--dash": "“Quoted” — dash",
    }  # fmt: skip
    return "".join(f'<h2 id="{name}">{text}</h2>\n' for name, text in made.items())


def test_an_id_chosen_by_the_writer_stays() -> None:
    assert with_targets('<h2 id="mine">What’s next</h2>', "zola", ()) == '<h2 id="mine">What’s next</h2>'


def test_a_link_finds_a_heading_by_the_id_of_another_tool() -> None:
    html = '<h2 id="a">What’s next: “it”</h2><h2 id="b">🎉 Party time</h2><h2 id="c">Café, crème</h2>'
    for name, target in {
        "what-s-next-it": "a",
        "tada-party-time": "b",
        "cafe-creme": "c",
    }.items():
        assert f'<h2 id="{target}"><a id="{name}"></a>' in with_targets(html, "", [name]), name
    for name in ("next", "party", "time", "b", "", "nowhere"):
        assert with_targets(html, "", [name]) == html
    twice = '<h2 id="x">A b</h2><h2 id="x-1">A, b</h2>'
    assert with_targets(twice, "", ["a__b"]) == twice
    assert not is_meant("tada-x", "🎉 x")
    assert heading_ids("eleventy", ["A"]) is None


def test_a_body_gets_a_limited_number_of_targets() -> None:
    html = "".join(f'<h2 id="{n}">Heading, {n}</h2>' for n in range(5_000))
    assert with_targets(html, "", [f"heading--{n}" for n in range(5_000)]).count("<a id=") == 200
    assert with_targets(html.replace('id="', 'id="heading-'), "zola", ()).count('id="heading-') == 5_000


def test_a_broken_link_to_a_heading_is_reported_only_if_the_page_is_built_here(tmp_path: Path) -> None:
    text = "---\ntitle: x\ndate: 2026-01-02\n---\n[a](#what-s-next) [b](#nowhere)\n\n## What's next\n"
    (tmp_path / "posts").mkdir()
    (tmp_path / "posts/x.md").write_text(text)
    assert messages(Folder(tmp_path).check()) == ["broken link: there is no #nowhere in this post"]
    assert Folder(tmp_path, pages=PagesConfig(enabled=False)).check() == []


LINKS: list[tuple[Tool, str, str, str, dict[str, str]]] = [
    ("", "posts", "posts/sub/a.md", "/{slug}/", {
        "@/sub/b.md": "/b/", "@/sub/b.md#place": "/b/#place", "@/c.md": "/c/"}),
    ("zola", "content", "content/blog/a.md", "/{folder}/{slug}/", {
        "@/blog/b.md": "/blog/b/", "@/blog/2026-01-02-c.md#x": "/blog/c/#x", "@/blog/d/index.md": "/blog/d/",
        "b.md": "/blog/b/", "@/about.md": "/about/"}),
    ("zola", "content/blog", "content/blog/a.md", "/blog/{slug}/", {
        "@/blog/b.md": "/blog/b/", "@/about.md": "/about/", "@/blog/_index.md": "/blog/", "@/own.md": "/mine/"}),
    ("mkdocs", "docs/blog/posts", "docs/blog/posts/2026/a.md", "/blog/{file}/", {
        "../../../plugins/blog.md": "/plugins/blog/", "../../index.md#top": "/blog/#top", "../b.md": "/blog/b/",
        "/plugins/blog.md": "/plugins/blog/", "../../../plugins/README.md": "/plugins/"}),
    ("docusaurus", "blog", "blog/a.md", "/blog/{slug}", {
        "./b.md": "/blog/b", "../docs/01-Intro/02-setup.md#x": "/docs/Intro/setup#x", "@site/blog/b.md": "/blog/b",
        "../docs/index.md": "/docs", "/blog/b.md": "/blog/b"}),
    ("hugo", "content/posts", "content/posts/a.md", "/posts/{slug}/", {
        "/posts/b.md": "/posts/b/", "../About Us.md": "/about-us/", "/posts/_index.md": "/posts/"}),
    ("jekyll", "_posts", "_posts/2026-01-02-a.md", "/{name}.html", {
        "2026-01-03-B.md": "/B.html", "../about.md": "/about.html", "../own.md": "/mine/"}),
    ("pelican", "content", "content/2026/a.md", "/{year}/{slug}/", {
        "{filename}b.md": "/2026/b/", "{filename}/2026/b.md#place": "/2026/b/#place", "|filename|b.md": "/2026/b/",
        "{filename}/about.md": "/about.html", "{static}/c/x.pdf": "/c/x.pdf", "{static}x.pdf": "/2026/x.pdf",
        "{attach}x.pdf": "/2026/x/x.pdf", "{tag}C++ tea": "/tag/c-tea.html", "{index}": "/",
        "{author}Ada Lovelace": "/author/ada-lovelace.html"}),
    ("vitepress", "posts", "posts/a.md", "/posts/{file}", {"./b.md": "/posts/b", "../guide/index.md": "/guide"}),
    ("eleventy", "content", "content/blog/a.md", "/{folder}/{file}/", {
        "/b.md": "/b/", "b.md#x": "/b/#x", "../b.md": "/b/", "blog/a.md": "/blog/a/", "/content/b.md": "/b/",
        "about.md": "/about/", "tags.njk": "/tags/", "../tags.njk": "/tags/"}),
]  # fmt: skip


OTHERS = (
    "docs/plugins/blog.md", "docs/plugins/README.md", "docs/blog/index.md", "docs/01-Intro/02-setup.md",
    "docs/index.md", "content/about.md", "content/About Us.md", "content/blog/_index.md",
    "content/posts/_index.md", "about.md", "guide/index.md", "content/tags.njk",
)  # fmt: skip


def test_links_to_files_lead_where_the_tool_puts_their_pages(tmp_path: Path) -> None:
    dated = "---\ntitle: x\ndate: 2026-01-02\n---\n"
    for number, (tool, folder, source, pattern, links) in enumerate(LINKS):
        words = "\n".join(f"[x](<{link}>)" for link in links)
        files = {source: dated + words}
        for name in OTHERS:
            hides = "" if name.endswith("_index.md") else "draft: true\n"
            files[name] = f"---\ntitle: x\n{hides}---\n"
        files["own.md"] = files["content/own.md"] = "---\npermalink: /mine/\n---\n"
        if tool == "zola":
            files |= {f"content/blog/{name}.md": dated for name in ("b", "2026-01-02-c", "d/index")}
        if tool == "pelican":
            files["content/2026/b.md"] = dated.replace("title: x", "title: b")
            files["content/2026/x.pdf"] = "x"
        near = {"": ("sub/b.md", "c.md"), "mkdocs": ("b.md",), "jekyll": ("2026-01-03-B.md",)}.get(tool, ("b.md",))
        files |= {f"{folder}/{name}": dated for name in near if tool != "zola"}
        project = page(tmp_path / str(number), tool, files, folder=folder, pattern=pattern)
        assert [p for p in project.archive().problems if p.path == source] == [], tool
        rendered = project.render(source.removeprefix(f"{folder}/"))
        found = [each.removeprefix("https://site.example") for each in re.findall(r'href="([^"]*)"', rendered.html)]
        assert found == list(links.values()), (tool, folder)
        assert messages(rendered.problems) == [], tool


def test_a_reference_of_hugo_may_be_to_a_page_that_is_not_a_post(tmp_path: Path) -> None:
    dated = "---\ntitle: x\ndate: 2026-01-02\n---\n"
    refs = {"/about": "/about/", "about.md#a": "/about/#a", "/posts/_index.md": "/posts/", "/": "/", "b": "/posts/b/"}
    files = {"content/posts/a.md": dated + "\n".join(f'[x]({{{{< ref "{ref}" >}}}})' for ref in refs)}
    files |= {"content/posts/b.md": dated, "content/posts/_index.md": dated, "content/about.md": dated}
    project = page(tmp_path, "hugo", files, folder="content/posts", pattern="/posts/{slug}/")
    found = re.findall(r'href="https://site.example([^"]*)"', project.render("a.md").html)
    assert found == list(refs.values())


# The reference: its target if another tool makes the pages, and its target if they are made here.
PELICAN = {
    "[x]({filename}b.md)": ("/b.html", "/b.html"), "[x]({filename}/sub/c.md#x)": ("/c.html#x", "/c.html#x"),
    "[x](|filename|../blog/b.md)": ("/b.html", "/b.html"), "![x]({static}/images/i.png)": ("/images/i.png",) * 2,
    "![x]({attach}j.png)": ("/j.png", "/j.png"), "[x]({static}j.pdf)": ("/blog/j.pdf", "/j.pdf"),
    "[x]({tag}Big%20Tea)": ("/tag/big-tea.html", "/tags/big-tea/"), "[x]({index})": ("/", "/"),
    "[x]({category}news)": ("/category/news.html", "/tags/news/"), "[x]({author}ada)": ("/author/ada.html", "/"),
    '<a href="{filename}/blog/b.md">x</a>': ("/b.html", "/b.html"),
}  # fmt: skip


def test_references_of_pelican_lead_to_files_and_lists(tmp_path: Path) -> None:
    for kind, is_here in enumerate((False, True)):
        posts = Posts(folder="content", tool="pelican", permalink="/{file}.html")
        copied = PagesConfig(enabled=is_here, copy=("content/images = /images",))
        project = Folder(tmp_path / str(kind), posts=posts, pages=copied)
        for name in ("blog/a", "blog/b", "sub/c"):
            words = "\n\n".join(PELICAN) if name == "blog/a" else "x"
            project.file(f"content/{name}.md", f"---\ntitle: {name}\ndate: 2026-01-02\n---\n{words}")
        for name in ("images/i.png", "blog/j.png", "blog/j.pdf"):
            project.file(f"content/{name}", b"x")
        rendered = project.render("blog/a.md")
        found = re.findall(r'(?:href|src)="https://site.example([^"]*)"', rendered.html)
        assert found == [right[kind] for right in PELICAN.values()], is_here
        told = messages(rendered.problems)
        assert not any("broken" in each or "exist" in each for each in told), told


def test_a_broken_link_in_the_syntax_of_a_tool_is_reported(tmp_path: Path) -> None:
    text = (
        "---\ntitle: x\ndate: 2026-01-02\n---\n[a](@/gone.md) [b](../outside/../../x.md) [c](@/../../etc/passwd.md)\n"
    )
    for number, tool in enumerate(("", "zola", "mkdocs")):
        project = page(tmp_path / str(number), tool, {"posts/x.md": text})  # type: ignore[arg-type]
        told = messages(project.render("x.md").problems)
        assert len(told) == 3
        assert told[0] == "broken link: @/gone.md is not a published post"


def test_a_broken_full_url_of_the_site_is_reported(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    links = "[a](https://site.example/nope/) [b](https://site.example/) [c](https://other.example/nope/)"
    folder.write("2026-01-02-x.md", links)
    told = messages(folder.check())
    assert told == ["broken link: no page of this site is at https://site.example/nope/"]


def test_a_broken_link_to_a_jekyll_page_names_the_file_to_move(tmp_path: Path) -> None:
    folder = Folder(tmp_path, posts=Posts(folder="_posts", tool="jekyll"))
    folder.file("about.md", "---\ntitle: About\n---\nWords.\n")
    folder.file("_posts/2026-01-02-x.md", "---\ntitle: X\n---\n[a](/about.html) [b](/about/) [c](/none.html)\n")
    assert [each.hint for each in folder.check() if "no page of this site" in each.message] == [
        "move about.md to pages/, with permalink: /about.html",
        "move about.md to pages/",
        "fix it, or put the file into static/",
    ]


def test_a_file_that_the_tool_puts_elsewhere_is_not_a_mistake(tmp_path: Path) -> None:
    text = "---\ntitle: x\ndate: 2026-01-02\n---\n"
    for number, (tool, source, body, there, said) in enumerate(OTHER_FILES):
        folder, pattern = source.rpartition("/")[0], "/{slug}/"
        made = page(tmp_path / str(number), tool, {source: text + body, there: "x"}, folder=folder, pattern=pattern)
        assert [each for each in messages(made.check()) if "picture" not in each[:4]] == said, body


OTHER_FILES: list[tuple[Tool, str, str, str, list[str]]] = [
    ("jekyll", "_posts/a.md", "[a](/atom.xml)", "atom.xml", []),
    ("jekyll", "_posts/a.md", "[a](/data/x.csv)", "data/x.csv", []),
    ("jekyll", "_posts/a.md", "[a](/feed.xml)", "feed.xml", []),
    ("", "posts/a.md", "[a](/atom.xml)", "atom.xml", []),
    ("", "posts/a.md", "[a](/other.xml)", "other.xml", [
        "the file other.xml is not published: files that end in .xml are not pictures, audio, video or documents"]),
    ("zola", "content/a.md", "[a](../x.pdf)", "static/x.pdf", []),
    ("zola", "content/a.md", "![a](../x.gif)", "static/x.gif", []),
    ("zola", "content/a.md", "![a](../y.gif)", "static/x.gif", ["the file y.gif doesn't exist"]),
]  # fmt: skip
