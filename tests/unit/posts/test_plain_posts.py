"""The short path for plain files returns the same post as the long path, or leaves the file to the long path."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from publisher.posts.head import plain_rows, read_file
from publisher.posts.index_rows import to_row
from tests.support import posts_samples

PLAIN = '---\ntitle: "Hello, world"\ndate: 2024-07-06 09:00\ntags: [a, b c]\nauthor: Ada\ndraft: false\n---\nText.\n'
SOURCE = "2024-07-06-hello.md"


def both_ways(folder: Path, text: str, source: str = SOURCE, **changed: Any) -> bool:
    """Read a file through both paths, which must agree; return whether the short path was taken."""
    rules = replace(posts_samples.settings(), **changed)
    file = folder / source
    file.parent.mkdir(parents=True, exist_ok=True)
    data = text.encode("utf-8", "surrogatepass")
    file.write_bytes(data)
    others: list[str] = []
    stamp, settled = (len(data), 1), 2
    plain = list(plain_rows(f"{folder}/", {source: stamp}, rules, settled, others))
    assert plain in ([], [to_row(read_file(f"{folder}/", source, stamp, rules, settled))])
    assert others == ([] if plain else [source])
    return bool(plain)


VALUES = (
    st.sampled_from(
        [
            "", "2024-07-06", "2024-07-06T09:00:00Z", "2024-7-6 9:00 +0200", "0001-01-01", "9999-12-31", "6 July 2024",
            "true", "false", "no", "[a, b c]", "[true, 7]", "ai, ml", "machine learning", "Ada <ada@example.org>",
            '"Ada; Bob"', '"a &amp; b"', '"2 < 3 <b>x</b>"', '"*very* `x` ~~old~~"', '"It\'s -- 5\'10... :tada:"', "7",
            "Hello", "draft", "/a/b/", "https://example.com/x", "cat.jpeg", "de", "​", '"x <!-- y -->"', "naïve “é”",
            "Ã©", "post", "hello--world", "members",
        ]
    )
    | st.text(alphabet="aZ1:# -\"'[],.~?!&*|>%@`{}\\tNnul<+()é\u2028\x85\r\x01日", max_size=12)
)  # fmt: skip
# Plain values are more probable, so that many examples take the short path.
WORDS = st.sampled_from(["Hello", "false", "[a, b c]", "ai, ml", "naïve “é”", '"It\'s 9..."', "", '"a &amp; b"'])
DAY = st.just("2024-07-06")
DATES = st.sampled_from(["2024-07-06", "2024-07-06T09:00:00Z", "2024-07-06 09:00"]) | DAY | VALUES
KEYS = st.sampled_from(["tags", "author", "description", "draft", "layout", "x_y"]) | st.sampled_from(
    """title date categories authors excerpt Title updated lang slug permalink path password image cover header hidden
    publish published status tittle link audio newsletter feed page aliases id tag""".split()  # noqa: SIM905
)
SOURCES = st.sampled_from(["2024-07-06-hello.md", "hello.md", "de/hello.md", "hello/index.md"]) | st.sampled_from(
    """a%20b/hello.md Hello_World.md tags.md 2024-7-6_hello-2.md 2024-02-31-x.md _drafts/x.md c++.md hello.de.md x.mdx
    日本.md a.b.md""".split()  # noqa: SIM905
)
BODY = st.just("Text.\n")
BODIES = BODY | st.sampled_from(["", "date: 2024-01-01\n", "---\ntitle: x\n---\n", "\n\n# Heading\n", "draft: yes"])
PATTERN = st.just("/{year}/{month}/{day}/{slug}/")
PATTERNS = PATTERN | st.sampled_from(["/{folder}/{slug}/", "/{slug}", "/tags/{slug}/", "/{lang}/{slug}.html"])


@settings(max_examples=3 * settings.default.max_examples, deadline=None)
@given(st.dictionaries(KEYS, WORDS | WORDS | VALUES, max_size=4), DATES, SOURCES, BODIES, PATTERNS)
@example({"title": "Hello", "date": "2024-07-06", "tags": "[b, a]"}, "", SOURCE, "Text.\n", "/{slug}/")
def test_both_paths_agree(
    tmp_path_factory: pytest.TempPathFactory,
    fields: dict[str, str],
    date: str,
    source: str,
    body: str,
    pattern: str,
) -> None:
    fields = {"title": "Hello", "date": date} | fields
    block = "".join(f"{key}: {value}\n" for key, value in fields.items())
    both_ways(tmp_path_factory.getbasetemp(), f"---\n{block}---\n{body}", source, pattern=pattern)


def test_plain_front_matter_takes_the_short_path(tmp_path: Path) -> None:
    assert both_ways(tmp_path, PLAIN)
    assert both_ways(tmp_path, PLAIN.replace("Hello, world", "Don’t wait: it's 9..."), "news/hello.md")


@pytest.mark.parametrize(
    "text",
    [
        PLAIN.replace("draft: false", "draft: true"),
        PLAIN.replace("draft: false", "drafts: true"),
        PLAIN.replace("2024-07-06 09:00", "soon"),
        PLAIN.replace("Text.", "draft: true"),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("author", "image"),
        PLAIN.replace("title", "name"),
        PLAIN.replace("author: Ada", "title: Again"),
        PLAIN.replace("a, b c", "a, null"),
        PLAIN.replace("Text.", "Text.\0"),
    ],
)
def test_front_matter_that_may_need_a_warning_takes_the_long_path(tmp_path: Path, text: str) -> None:
    assert not both_ways(tmp_path, text)


@pytest.mark.parametrize("changed", [{"tool": "hugo"}, {"languages": ("en", "de")}, {"needs_date": False}])
def test_projects_whose_posts_depend_on_more_files_take_the_long_path(tmp_path: Path, changed: dict[str, Any]) -> None:
    assert not both_ways(tmp_path, PLAIN, **changed)
