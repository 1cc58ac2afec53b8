"""Earlier URLs in front matter: how each tool writes them, and which of them cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from publisher.config import Posts
from tests.support.posts_samples import Folder, read


@pytest.mark.parametrize(
    ("head", "paths"),
    [
        ("aliases: [/old/, /old2, /a.html]", ("/old/", "/old2/", "/a.html")),
        ("aliases: /one/two", ("/one/two/",)),
        ("aliases: [beside, ../up/, sub/x.html]", ("/2024/07/06/beside/", "/2024/07/up/", "/2024/07/06/sub/x.html")),
        ("redirect_from: [/old, old2/, /a.htm]", ("/old", "/old2/", "/a.htm")),
        ("redirect_from: /x\naliases: [/y]", ("/y/", "/x")),
        ('aliases: ["https://site.example/old/", "/%C3%A9/", "/a b/"]', ("/old/", "/é/", "/a b/")),
        ("aliases: [/2024/07/06/hello/, /2024/07/06/hello, /2024/07/06/hello/index.html]", ()),
        ("aliases: [/v1.2, /v1.2/]", ("/v1.2", "/v1.2/")),
        ("aliases: [/../../etc/passwd]", ("/etc/passwd/",)),
        ("aliases:\n  - url: /t/\n  - [x]", ("/t/", "/2024/07/06/x/")),
        ("alias: ''", ()),
    ],
)
def test_earlier_urls_are_read_according_to_their_tool(head: str, paths: tuple[str, ...]) -> None:
    entry = read(f"---\ntitle: x\n{head}\n---\n")
    assert entry.post
    assert entry.post.aliases == paths
    assert entry.problems == ()


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("https://other.example/x/", "is not on this site"), ("/?p=12", "has a question mark"), ("/feed.xml", "a feed"),
        ("/tags/x/", "one of the site's own pages"), ("/.git/", "the site itself"), ("/:year/", "placeholders"),
        ("/" + "x" * 300, "too long"), ("/", "one of the site's own pages"),
    ],
)  # fmt: skip
def test_an_unusable_earlier_url_is_reported_with_its_line(written: str, why: str) -> None:
    entry = read(f'---\ntitle: x\naliases: ["{written}", /fine/]\n---\n')
    assert entry.post
    assert entry.post.aliases == ("/fine/",)
    (problem,) = entry.problems
    assert (problem.line, problem.severity) == (3, "warning")
    assert why in problem.message


def test_a_post_has_a_limited_number_of_earlier_urls() -> None:
    entry = read("---\ntitle: x\naliases:\n" + "".join(f"  - /{n}/\n" for n in range(500)) + "---\n")
    assert entry.post
    assert len(entry.post.aliases) == 100
    assert [problem.message for problem in entry.problems] == ["aliases: only the first 100 addresses are used"]


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("/other/", "https://site.example/other/"), ("https://other.example/x", "https://other.example/x"),
        ("[https://other.example/x]", "https://other.example/x"), ("/2024/07/06/hello", ""), ("javascript:x", ""),
        ("nowhere", ""),
    ],
)  # fmt: skip
def test_the_page_of_a_post_may_redirect(value: str, url: str) -> None:
    entry = read(f"---\ntitle: x\nredirect_to: {value}\n---\n")
    assert entry.post
    assert entry.post.redirect_to == url
    assert len(entry.problems) == (not url)


def test_aliases_in_obsidian_are_names(tmp_path: Path) -> None:
    folder = Folder(tmp_path, posts=Posts(tool="obsidian", permalink="/notes/{file}"))
    folder.write("A B.md", "Text.", "title: x\ndate: 2026-01-02\naliases: [Other Name?, tea]")
    assert folder.posts()[0].aliases == ("/notes/Other-Name/", "/notes/tea/")
