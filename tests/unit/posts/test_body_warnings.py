"""`publisher check` reports every flaw with its file and line, and gives no false alarms."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from publisher.config import PagesConfig
from publisher.core.models import Severity
from publisher.posts.permalinks import why_unfit
from publisher.publishing.project_check import check_project
from tests.support.posts_samples import HELLO, NOW, SITE, Folder

WARTS = """\
---
title: Warts
image: gone.png
permalink: /:years/
---
Fine prose.

[dead](/no/such/page/)

![](gone2.png)

[nowhere](#nowhere)

<Card>word</Card>

{% include x %}

OpenAIâ€™s

[link](2024-01-01-gone.md)

[talk](ruby-talk:1)

[a]((https://a.example)
"""


def reported(folder: Folder) -> list[tuple[int, str]]:
    return [(problem.line, problem.message) for problem in folder.check()]


def test_every_warning_names_its_line(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(HELLO, WARTS, head="")
    assert reported(folder) == [
        (3, "the file posts/gone.png doesn't exist"),
        (4, "the permalink '/:years/' contains another tool's placeholders, and is ignored"),
        (8, "broken link: no page of this site is at /no/such/page/"),
        (10, "the file posts/gone2.png doesn't exist"),
        (12, "broken link: there is no #nowhere in this post"),
        (14, "MDX is not supported and will be shown as is: <Card>"),
        (16, "Liquid is not supported and will be shown as is: {% include %}"),
        (18, "repaired garbled text: 'OpenAIâ€™s' → 'OpenAI’s'"),
        (20, "broken link: 2024-01-01-gone.md is not a published post"),
        (22, "the URL 'ruby-talk:1' was removed, because its scheme isn't allowed"),
        (24, "a link is written with two brackets: ](("),
    ]


def test_a_clean_project_has_no_problem(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.file("posts/a.png", b"")
    folder.file("static/deep/file.txt", b"")
    folder.write("2024-07-05-other.md", "Text", "title: o\ntags: [C++]\npermalink: /old/other.html")
    folder.write(
        HELLO,
        "[a](/) [b](/archive/) [c](/tags/c_plus_plus/) [d](/old/other.html) [e](2024-07-05-other.md) [f](#here)\n"
        "[g](/feed.xml) [h](/tags/c_plus_plus/feed.xml) [i](/deep/file.txt) [j](/subscribe/) ![k](a.png) [l](a.png)\n"
        "[m](https://site.example/archive/) [n](#top) [o](../hello/) [p](/2024/07/06/hello)\n\n## Here\n",
    )
    assert reported(folder) == []


@pytest.mark.parametrize(
    "reference",
    ["/gone/", "../gone/", "gone", "/2024/07/06/", "/hello.html", "//site.example/gone/", "/caf%C3%A9/", "/old"],
)
@pytest.mark.parametrize("before", ["", "Some text with /gone/ and gone in it: `](/gone/)`.\n\n"])
def test_a_broken_link_is_reported_as_written(reference: str, before: str, tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(HELLO, f"{before}Para.\n\n[t]({reference})\n")
    (problem,) = folder.check()
    assert problem.message == f"broken link: no page of this site is at {reference}"
    assert f"]({reference})" in folder.line(problem)


@pytest.mark.parametrize("url", ["https://site.example", "https://site.example/blog", "https://site.example/blog/"])
def test_links_are_resolved_below_the_path_of_the_site(url: str, tmp_path: Path) -> None:
    base = url.removeprefix("https://site.example").rstrip("/")
    folder = Folder(tmp_path, replace(SITE, url=url))
    folder.write(HELLO, f"[good]({base}/archive/) [bad]({base}/gone/)")
    assert [message for _, message in reported(folder)] == [f"broken link: no page of this site is at {base}/gone/"]


def test_without_pages_no_link_is_broken(tmp_path: Path) -> None:
    folder = Folder(tmp_path, pages=PagesConfig(enabled=False))
    folder.write(HELLO, "[t](/gone/)")
    assert reported(folder) == []


def test_every_kind_of_error_is_reported(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("2024-01-01-a.md", "", "title: a: b")
    folder.write("2024-01-02-b.md", b"---\ntitle: b\n---\nfine\n\xff\n" + b"x" * 5000)
    folder.write("2024-01-03-c.md", "", "title: c\nid: same")
    folder.write("2024-01-04-d.md", "", "title: d\nid: same")
    folder.write("undated.md", "")
    errors = [(p.path, p.line) for p in folder.check() if p.severity is Severity.ERROR]
    assert errors == [
        ("posts/2024-01-01-a.md", 2),
        ("posts/2024-01-02-b.md", 5),
        ("posts/2024-01-04-d.md", 1),
        ("posts/undated.md", 1),
    ]


def test_the_text_of_drafts_and_future_posts_is_not_checked(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(HELLO, "[t](/gone/) {% include x %}", "title: x\ndraft: true")
    folder.write("2030-07-06-x.md", "[t](/gone/) {% include x %}")
    assert reported(folder) == [(0, "is dated 2030-07-06, so it is not published before that day")]


def test_a_check_writes_nothing_and_shows_progress(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(HELLO, WARTS, head="")
    before = sorted(path.as_posix() for path in tmp_path.rglob("*"))
    steps: list[tuple[int, int]] = []
    check_project(folder.config, NOW, lambda done, of: steps.append((done, of)))
    assert steps == [(0, 1)]
    assert sorted(path.as_posix() for path in tmp_path.rglob("*")) == before


def test_a_check_reports_more_than_a_build(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(HELLO, WARTS, head="")
    assert set(folder.build(NOW).problems) < set(folder.check())


@pytest.mark.parametrize(
    ("permalink", "why"),
    [
        ("/a\x7fb/", "contains a hidden character"),
        ("//a.example/b/", "is a whole URL instead of a path"),
        ("/at-10:30/", "contains a colon"),
        ("/:categories/:title/", "contains another tool's placeholders"),
        ("/{{ slug }}/", "contains another tool's placeholders"),
    ],
)
def test_a_permalink_that_is_ignored_says_why(permalink: str, why: str) -> None:
    assert why_unfit(permalink, permalink) == f"the permalink {permalink!r} {why}, and is ignored"


@pytest.mark.parametrize(
    ("url", "why"),
    [("http://[x]y", "it isn't a valid URL"), ("http://[::1", "it isn't a valid URL"), ("javascript:a", "its scheme")],
)
def test_a_removed_url_says_why(url: str, why: str, tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(HELLO, f'<a href="{url}">words</a>\n')
    assert any(f"the URL {url!r} was removed, because {why}" in message for _, message in reported(folder))


def test_a_link_to_a_heading_of_the_post_works_in_every_script(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    names = ("сноска", "prüfung", "pru\u0308fung", "注", "ملاحظة")
    notes = "".join(f"Text[^{name}]\n\n[^{name}]: note\n\n" for name in names)
    headings = "## Überblick\n\n[a](#überblick) [b](#%C3%BCberblick) <a id='место'></a> [c](#место) [d](#нет)\n"
    folder.write(HELLO, notes + headings)
    assert [message for _, message in reported(folder)] == ["broken link: there is no #нет in this post"]
