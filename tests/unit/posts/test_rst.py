"""docutils renders reStructuredText as HTML, and its front matter is read as in Pelican and Nikola."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from publisher.config import Posts
from publisher.core.models import RenderedPost, Severity
from publisher.posts.formats.rst_fields import rst_head
from publisher.posts.front_matter.preamble import seems_hidden
from publisher.posts.markup import BrokenPost
from tests.support.posts_samples import URL, Folder

NAME = "2024-07-06-hello.rst"
TITLE = "A title\n#######\n\n:date: 2024-07-06 10:00\n:tags: a, b\n\n"


def shown(body: str, title: str = TITLE, **templates: str) -> RenderedPost:
    with tempfile.TemporaryDirectory() as root:
        folder = Folder(Path(root), posts=Posts(tool="pelican"))
        folder.write(NAME, title + body, "")
        folder.file("posts/a.png", b"")
        folder.write("2024-07-05-other.rst", "Other\n=====\n\n:date: 2024-07-05\n\nx", "")
        for each, text in templates.items():
            folder.file(f"templates/shortcodes/{each}.html", text)
        return folder.render(NAME, inspect=False)


def html(body: str, **templates: str) -> str:
    result = shown(body, **templates)
    assert [p for p in result.problems if "a.png" not in p.message] == [], body
    return result.html.strip()


def test_front_matter_is_read_as_in_pelican_and_nikola() -> None:
    for text, fields in (
        ("My *title*\n==========\n\n:date: 2010-10-03\n:tags: a,\n    b\n:Slug: x y\n\nText",
         {"title": "My title", "date": "2010-10-03", "tags": "a, b", "Slug": "x y"}),
        ("=====\nTitle\n=====\n\n:status: draft\n", {"title": "Title", "status": "draft"}),
        (".. title: T: x\n.. slug: s\n.. date: 2020-01-01 10:00:00 UTC\n.. tags:\n\nText",
         {"title": "T: x", "slug": "s", "date": "2020-01-01 10:00:00 UTC", "tags": ""}),
        ("---\ntitle: Y\n---\n\nText", {"title": "Y"}),
        ("``C`` and `link <x>`_\n---------------------\n", {"title": "C and link"}),
        ("Text only.\n\n:a: b\n", {}),
        ("", {}),
    ):  # fmt: skip
        assert rst_head(text).fields == fields, text
    post = shown("Text").post
    assert (post.title, post.tags[0].name, post.permalink) == ("A title", "a", "/2024/07/06/a-title/")


def test_a_draft_in_restructured_text_is_hidden(tmp_path: Path) -> None:
    folder = Folder(tmp_path, posts=Posts(tool="pelican"))
    folder.write(NAME, TITLE.replace(":tags:", ":status: draft\n:tags:") + "x", "")
    folder.write("2024-07-05-b.rst", ".. title: B\n.. status: draft\n\nx", "")
    assert folder.posts() == []
    assert seems_hidden(b"T\n==\n\n:status: draft\n\xff") and seems_hidden(b".. title: T\n.. status: draft\n\xff")


def test_restructured_text_is_html() -> None:
    page = f"{URL}/2024/07/06/a-title/"
    for body, expected in (
        ("A *b* **c** ``d_e``.", "<p>A <em>b</em> <strong>c</strong> <code>d_e</code>.</p>"),
        ("`x <https://a.example/>`_ y_\n\n.. _y: /z",
         f'<p><a href="https://a.example/">x</a> <a href="{URL}/z">y</a></p>'),
        ("- a\n- b", "<ul>\n<li><p>a</p></li>\n<li><p>b</p></li>\n</ul>"),
        (".. code-block:: python\n   :linenos:\n   :caption: x\n\n   a < b\n\n   c",
         '<pre><code class="language-python">a &lt; b\n\nc\n</code></pre>'),
        ("See::\n\n    a < b", "<p>See:</p>\n<pre><code>a &lt; b\n</code></pre>"),
        (".. note::\n\n   A",
         '<div class="markdown-alert markdown-alert-note">\n<p class="markdown-alert-title">Note</p>\n<p>A</p>'),
        (".. image:: a.png\n   :alt: An a", f'<img alt="An a" src="{page}a.png">'),
        (":math:`a_1`", '<p><code class="math">a_1</code></p>'),
        (".. contents::\n\nA\n\n.. comment\n\n.. PELICAN_END_SUMMARY\n\nB", "<p>A</p>\n\n<p>B</p>"),
        (":kbd:`Ctrl` :doc:`words <x>` :abbr2:`y`", "<p><code>Ctrl</code> words y</p>"),
        ("`o <{filename}2024-07-05-other.rst>`_", f'<p><a href="{URL}/2024/07/05/other/">o</a></p>'),
        ("`o <{filename}/2024-07-05-other.rst>`_", f'<p><a href="{URL}/2024/07/05/other/">o</a></p>'),
        (".. youtube:: abc", '<iframe src="https://www.youtube.com/embed/abc" title="YouTube video" loading="lazy"'),
    ):  # fmt: skip
        assert html(body).startswith(expected), (body, html(body))
    assert shown("A\n\n.. TEASER_END\n\nB").excerpt == "A"


def test_a_directive_is_rendered_with_the_template_of_the_owner() -> None:
    body = ".. box:: one two\n   :size: 3\n\n   *a*\n"
    assert html(body, box="<p>{{ args[1] }} {{ size }} {{ raw }}</p>") == "<p>two 3 *a*</p>"
    result = shown(f"Words\n\n{body}")
    assert result.html == "<p>Words</p>\n<p>one two</p>\n<p><em>a</em></p>\n"
    assert [(p.line, p.message) for p in result.problems] == [
        (9, "the directive box is unknown, so only the text inside it is shown")
    ]


def test_no_file_is_read_and_no_code_is_run(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("SECRET", encoding="utf-8")
    for body in (
        f".. include:: {tmp_path}/secret",
        f".. raw:: html\n   :file: {tmp_path}/secret",
        f".. csv-table:: x\n   :file: {tmp_path}/secret",
        f".. literalinclude:: {tmp_path}/secret",
        ".. raw:: html\n\n   <script>SECRET</script>",
        ".. role:: raw-html(raw)\n   :format: html\n\n:raw-html:`<b>SECRET</b>`",
    ):
        result = shown(f"{body}\n\nB\n")
        assert "<b>" not in result.html and "script" not in result.html and "<p>B</p>" in result.html, body
        assert "SECRET" not in result.html.replace("&lt;b&gt;SECRET", ""), body
        assert result.problems, body


def test_problems_have_the_line_of_the_writer() -> None:
    result = shown("A\n\n- b\nc `d`_\n\n.. image:: gone.png\n")
    lines = {p.message: p.line for p in result.problems}
    assert lines['reStructuredText: Unknown target name: "d"'] in (9, 10)
    assert [line for message, line in lines.items() if "gone.png" in message] == [12]


def test_hostile_text_is_read_or_is_refused_in_one_line() -> None:
    for body in ("[" * 20_000, "*" * 20_000, "|a| " * 3_000, "`" * 10_000, "  " * 20_000 + "a"):
        assert shown(body).html is not None
    with pytest.raises(BrokenPost, match="cannot be read as reStructuredText"):
        shown(".. |a| replace:: |b| |b|\n.. |b| replace:: |a| |a|\n\n|a|")


def test_without_docutils_the_post_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from publisher.core.errors import PostError
    from publisher.posts.formats.restructured_text import rst_as_html

    monkeypatch.setitem(sys.modules, "docutils", None)
    with pytest.raises(PostError) as error:
        rst_as_html("A", None)  # type: ignore[arg-type]
    assert "publisher[rst]" in error.value.hint


def test_words_after_an_unknown_directive_are_shown() -> None:
    for body, expected in (
        (".. versionadded:: 1.0 WORDS *more*", "<p>Added in version 1.0: WORDS <em>more</em></p>"),
        (".. deprecated:: 2\n\n   Use x.", "<p>Deprecated since version 2:</p>\n<p>Use x.</p>"),
    ):
        assert html(body) == expected
    assert shown("x |s|\n\n.. |s| foo:: one *two*").html == "<p>x one <em>two</em></p>\n"


def test_words_that_restructured_text_would_hide_are_an_error() -> None:
    refused = "the directive {} does nothing here, so readers don't see {}"
    for body, message, is_error in (
        ("x\n\n.. raw:: html\n\n   <b>x more</b>", refused.format("raw", "'x more'"), True),
        (".. include:: x.txt", refused.format("include", "'x.txt'"), True),
        (".. csv-table::\n   :file: x.csv", refused.format("csv-table", "':file: x.csv'"), True),
        ('.. raw:: html\n\n   <iframe src="/z"></iframe>', refused.format("raw", "what is in it"), False),
        (".. math::", 'reStructuredText: Content block expected for the "math" directive; none found', False),
        ("a `b", "reStructuredText: Inline interpreted text or phrase reference start-string without end-string",
         False),
        (".. figure:: a.png\n   :bad: 4\n\n   Of it",
         "reStructuredText: Error in \"figure\" directive: unknown option: \"bad\", so readers don't see 'a.png Of it'",
         True),
    ):  # fmt: skip
        (problem,) = shown(body).problems
        assert (problem.message, problem.severity is Severity.ERROR) == (message, is_error), body
    assert shown(".. raw:: latex\n\n   \\newpage words").problems == ()
