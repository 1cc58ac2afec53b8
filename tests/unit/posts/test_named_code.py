"""The first line of indented code may name its language, as in Python-Markdown."""

from __future__ import annotations

from pygments.lexers import get_all_lexers

from publisher.config import Tool
from publisher.posts.rendering import fences
from publisher.posts.rendering.fences import with_named_code


def test_the_first_line_of_code_names_its_language_in_some_tools() -> None:
    cases: list[tuple[Tool, str, str]] = [
        ("pelican", ":::c++\nint x;", 'class="language-c++">int x;'),
        ("mkdocs", ":::python hl_lines=1\nx = 1\n", 'class="language-python">x = 1\n'),
        ("pelican", "#!python\nx = 1", 'class="language-python">x = 1'),
        ("pelican", "#!/bin/sh\nls", ">#!/bin/sh\nls"),
        ("pelican", ":::", ">:::"),
        ("jekyll", ":::cpp\nint x;", ">:::cpp\nint x;"),
    ]
    for tool, code, right in cases:
        html = with_named_code(f"<pre><code>{code}</code></pre>", tool)
        assert html == f"<pre><code{' ' if right[0] == 'c' else ''}{right}</code></pre>"


def test_every_listed_language_exists_in_pygments() -> None:
    aliases = {alias for _, names, _, _ in get_all_lexers(plugins=False) for alias in names}
    assert aliases >= fences._USUAL_LANGUAGES
