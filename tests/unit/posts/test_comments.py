"""No comment is published: comments in Markdown are removed, and others are errors that put an email on hold."""

from __future__ import annotations

import pytest

from publisher.core.models import Severity
from publisher.posts.front_matter.parsing import markdown_of
from publisher.posts.rendering.allowed_html import sanitise
from publisher.posts.rendering.commonmark import _markdown
from publisher.posts.text.comments import comment_in, shown_comments, without_comments, without_hidden_text
from publisher.posts.text.excerpt import plain_line
from publisher.posts.text.prose import masked
from publisher.posts.text.tool_comments import without_tool_comments
from tests.support.posts_samples import read, rendered, said

SHOWN = [
    "A {# to do #} b",
    "{#- to\n\ndo -#}",
    "## A heading {#id} and {# to do #}",
    "A {/* to do */} b",
    "A {{/* to do */}} b",
    "A {{!-- to do --}} b {{! to do }}",
    "A {{-- to do --}} b",
    "A {!-- to do --} b",
    "A {% # to do %} b",
    "A {%- # to do -%} b",
    "A {{< comment >}} to do {{< /comment >}}",
    "A <%# to do %> b",
    "A <%-- to do --%> b",
    "A [%# to do %] b",
    "A {* to do *} b",
    "A @* to do *@ b",
    "A {>> to do <<} b",
    "A {-- deleted --} b",
    "A {~~ old ~> new ~~} b",
    "A %%hidden comment%% b",
    "A\n\n%%\nwhole\nlines\n%%",
    "%% to do %%",
    "%%秘密のメモ%%",
    "公開%%秘密のメモ%%続き",
    "A %%note-to-self!%% b",
    "A %%to do,\nfix%%, b (%%or c d%%) **%%e f%%**",
    "Words. %% to do %%",
    "%%see page 5%%",
    "- %% to do %%",
    "A [^1] %%über%%",
    "A <!— to do —> b",
    "A <!– to do –> b",
    "A <!- to do -> b",
    "A <! to do > b",
    "A {% comment %} to do",
    "A {::comment} to do",
    "Words\n[//]: # (to do)",
    "- one\n  [//]: # (to do)",
    "> one\n> [comment]: # (to do)",
    "1. one\n   [comment]: <> (to do)",
    "Words [x]: # 'to do'",
    "Words\n[//]: # to do",
    "A <!-- to do —> b",
    "A <!-- to do -- > b",
    "A <!note: to do> b",
    "<!--\nA\n\n<!-- b -->\n\nto do\n-->",
    "<!-- a <!-- b --> to do -->",
    "%% to do\n\nB",
    "# A\n\n---\ntitle: to do\ntags:\n  - a\ndraft: true\n---\n\nB",
    "A <#-- to do --> b",
    "A { /* to do */ } b",
    "A [comment]to do[/comment] b",
    "\\begin{comment}\nto do\n\\end{comment}",
    "::: {.content-hidden}\nto do\n:::",
    ":::comment\nto do\n:::",
]
DOUBTFUL = [
    "Write %%i in a file.\n\nExpand it%% there.",
    "A value %%i is 5%% of it.",
    "foo%%bar baz%%qux",
    "A %% to do %% b",
    'Write %%i and %%j. printf("%d%%\\n", x) prints 5%.',
    "In Matlab and Jupyter, %% starts a cell and %% ends it.",
]
NOT_SHOWN = [
    "In a batch file write for %%i in (*.txt) do echo %%i and %%j.",
    "Format strings: %%d and %%s print per cent. Use %%time and %%timeit; %%bash runs a shell.",
    "${x%%.*} and ${y%%/*} are expansions. LIKE '%%word%%', '%s %%' % x, '%%(name)s'.",
    "5 %% and 6 %%",
    "%%time\nx = 1\n\n%%bash\nls",
    "{#id} ## A {#id}\n\n{#id}",
    "A ${#array} and ${array[#]} #{ruby} {{ x }} {% x %} {-} {--} { * } {~~a~~}",
    "100%% and 5%% off, %%NAME%%, 50%% of 60%%, %%=v(@x)=%%, 100%% sure that 5 %% 2",
    "A <!-- hidden --> b\n\n<!-- hidden\n\nwords -->\n\nB",
    "a <b> c <!DOCTYPE html> 1<!2 <!ELEMENT a>",
    "A comment begins with <!-- in HTML. A --> B --> C, <--> and ::: tip\nhidden",
    "A\n\n---\ntitle: a\nplace: b\n---\n\n---\n\ndate: x\nlayout: y\n\n---",
    "<!-- a <!-- b -->\n\nc\n\n<!-- d --> e <!-- f -->",
    "Write \\<!-- or &lt;!-- and -->.",
    "Words\n\n[//]: # (hidden)\n[comment]: <> (hidden)\n\nB [a] c\n\n[a]: # 'title'",
    "{::comment}hidden{:/comment} and {% raw %}{# x #}{% endraw %} <code>{# x #}</code> <kbd>%%a b%%</kbd>",
]


def found(body: str) -> list[int]:
    """Return the offsets of the comments that readers would see."""
    html = sanitise(_markdown(body), lambda tag, reference: reference)
    return [each.place for each in shown_comments(masked(body), html, is_markdown=True) if each.is_certain]


def test_a_comment_that_readers_would_see_is_found_in_text_and_not_in_code() -> None:
    for body in SHOWN:
        assert found(body), body
        for code in (f"```\n{body}\n```", "\n".join(f"    {line}" for line in body.split("\n"))):
            assert found(code) == [], code
        if "\n" not in body and "`" not in body:
            assert found(f"`{body}`") == [], body


def test_a_possible_comment_is_a_warning() -> None:
    for body in DOUBTFUL:
        assert found(body) == [], body
        assert [(each.line, each.severity) for each in rendered(body).problems] == [(4, Severity.WARNING)], body


def test_hidden_text_and_text_that_is_not_a_comment_is_not_found() -> None:
    for body in NOT_SHOWN:
        assert found(body) == [], body


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("A\n\n{~~ to ~> do ~~}", 6),
        ("{# removed\n\n#}\n\nB {-- deleted --}", 8),
        ("{% comment %}a{% endcomment %}\n\n{% comment %} b", 6),
        ("[//]: # (hidden)\n\nWords [x]: # (seen)", 6),
        ("%% to do", 4),
        ("I met Ann. <!-- cut this\n\nShe told me more. --> We had tea.", 4),
        ("- one <!-- cut\n- this --> two", 4),
        ("A <!-- well --> B\n\nC <!-- cut\n\nthis --> D", 6),
    ],
)
def test_a_comment_that_readers_would_see_is_an_error_with_its_line(body: str, line: int) -> None:
    assert [each.line for each in rendered(body).problems if each.severity is Severity.ERROR] == [line]


def test_the_comments_of_other_tools_are_removed() -> None:
    kinds = (
        "{# to do #}", "{#- to\ndo -#}", "{/* to do */}", "{ /* to do */ }", "{{/* to\ndo */}}",
        "{{- /* to do */ -}}", "{{!-- to }} do --}}", "{{! to do }}", "{{-- to do --}}", "{!-- to do --}",
        "{% # to do %}", "{%- # to do -%}", "{{< comment >}}to do{{< /comment >}}",
        "{{% comment %}}to do{{% /comment %}}", "<%# to do %>", "<%-- to do --%>", "[%# to do %]", "{* to do *}",
        "@* to do *@", "{>> to do <<}", "%%to do%%", "%%to\ndo%%", "<#-- to do -->", "[comment]to do[/comment]",
        "\\begin{comment}to do\\end{comment}",
    )  # fmt: skip
    for comment in kinds:
        for body, html in (
            (f"A {comment} *b*", "<p>A  <em>b</em></p>\n"),
            (f"- a\n- b {comment}", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"),
            (f"A\n\n{comment}\n\n## B {comment}\n\nC", '<p>A</p>\n<h2 id="b">B</h2>\n<p>C</p>\n'),
        ):
            result = rendered(body)
            assert (result.html, said(result)) == (html, []), body
        inline = f"`{comment}`".replace("\n", " ")
        assert "to" in rendered(inline).html and "to" in rendered(f"```\n{comment}\n```").html, comment
        assert "to" in rendered(f"    {comment}".replace("\n", " ")).html, comment
    for body in ("A\n[//]: # (to do)\nB", "> A\n> [comment]: # (to do)\n> B"):
        assert "to do" not in rendered(body).html and said(rendered(body)) == []
    assert rendered("A {# to do #} b", name="2024-07-06-hello.html").html == "A  b"
    assert "to do" in rendered("<pre>{# to do #}</pre>", name="2024-07-06-hello.html").html
    assert rendered("A\n\n{# more #}\n\nB", head="title: A\nexcerpt_separator: '{# more #}'").excerpt == "A"


def test_a_removed_comment_does_not_change_later_line_numbers() -> None:
    for body in ("{# to\n\ndo #} {% x %}", "%%\nto\n%% {% x %}", "{{< comment >}}\n\n{{< /comment >}} {% x %}"):
        assert [line for line, _ in said(rendered(body))] == [6], body


def test_comments_about_code_are_not_errors() -> None:
    body = "Begin it with `<!--` and end it with `-->`.\n\n```html\n<!-- a\n\nb -->\n```\n\n" + "\n\n".join(NOT_SHOWN)
    assert [each.message for each in rendered(body).problems if each.severity is Severity.ERROR] == []


def test_a_comment_in_a_title_or_description_is_removed() -> None:
    for text, words in {
        "A <!-- to do --> walk": "A walk",
        "<!-- a --> b <!-- c": "b <!-- c",
        "The `<!-- a -->` of <!-- b --> c": "The `<!-- a -->` of c",
        "A <!-- b": "A <!-- b",
    }.items():
        assert without_comments(text) == words
    assert plain_line("A <!-- to **do** --> *walk*") == "A walk"
    entry = read("---\ndate: 2026-01-01\ntitle: A walk <!-- or run -->\ndescription: <!-- a --> b\n---\n")
    assert entry.post
    assert (entry.post.title, entry.post.excerpt) == ("A walk", "b")
    assert [each.line for each in entry.problems] == [3, 4]
    tagged = read(
        "---\ndate: 2026-01-01\ntitle: A\ntags: ['a <!-- b -->', '<!-- c -->']\nauthor: Ann <!-- d -->\n---\n"
    ).post
    assert tagged and [tag.name for tag in tagged.tags] == ["a"] and [each.name for each in tagged.authors] == ["Ann"]
    heading = read("# A walk <!-- working title -->\n\nB", source="2026-01-01-x.md").post
    assert heading and heading.title == "A walk"


def test_a_comment_in_a_description_of_a_picture_is_removed() -> None:
    result = rendered(
        '![a <!-- to do --> b](x.png "c <!-- d --> e")\n\n`<img alt="&lt;!-- code -->">`', files=("posts/x.png",)
    )
    assert 'alt="a b"' in result.html and 'title="c e"' in result.html and "!-- code --" in result.html
    assert [each for each in result.problems if each.severity is Severity.ERROR] == []


def test_any_other_comment_in_a_title_or_description_is_an_error() -> None:
    for head, line in {
        "title: A walk %%or run%% x": 2,
        "title: x\ndescription: 'A {# to do #} b'": 3,
        "title: A <!— to do —> b": 2,
        "title: A <!-- to do": 2,
    }.items():
        problems = rendered("B", head=head).problems
        assert [(each.line, each.severity) for each in problems] == [(line, Severity.ERROR)], head
    assert rendered("# A walk {# to do #}\n\nB", head="").post.title == "A walk"
    assert said(rendered("# A walk in `{# Jinja #}`\n\nB", head="")) == []
    assert said(rendered("B", head="title: Comments in `<!-- -->` and &lt;!--")) == []
    assert comment_in("AT&T {x} <b> 5%% [a]: b") == ""


def test_the_markdown_of_a_feed_has_no_comments() -> None:
    body = (
        "A <!-- hidden --> b\n\n[//]: # (hidden)\n[comment]: # 'hidden\nhidden'\n\n"
        "{% comment %}hidden{% endcomment %}\n\n{::comment}hidden{:/comment}\n\n"
        "<!--\n```\nhidden\n-->\n\nc <!-- hidden -->\n\n[d]\n\n[d]: # 'title'\n\n"
        "[//]: # hidden\n[comment]: <hidden>\n\n"
        "`<!-- code -->`\n\n```\n<!-- code -->\n{% comment %}\n```\n\n<!-- hidden to the end"
    )
    text = without_hidden_text(body)
    assert "hidden" not in text
    for kept in ("A  b", "\nc ", "[d]: # 'title'", "`<!-- code -->`", "\n<!-- code -->\n{% comment %}\n"):
        assert kept in text, text
    hidden = "A\n\n<?php // hidden ?>\n<SCRIPT async>\nhidden\n\n</script>\n<style>.hidden {}</style >c"
    assert without_hidden_text(hidden) == "A\n\n\n\nc"
    assert without_hidden_text("<script>a</script><script>b</script><style>c</style>\n\nA") == "\n\nA"
    for kept in (
        "The <script> tag, `<style>a</style>`, <?\n\n```php\n<?php x ?>\n<script>x</script>\n```\n\n<strong>b</strong>",
        "a <script>shown</script> <?php shown ?>\n\n<script>shown</script> b\n\n<?= $shown ?>\n\n<?php shown ?> b",
    ):
        assert without_hidden_text(kept) == kept
    assert without_hidden_text("A <!-- b") == "A <!-- b"
    assert without_hidden_text("A <!-- b\n\n<!-- hidden") == "A <!-- b\n\n"
    assert markdown_of(b"---\ntitle: x\n---\nA\n<!-- b -->", fix_encoding=False) == "A"


@pytest.mark.parametrize(
    "body",
    [
        "<p hidden>Old.</p>",
        '<div class="x" hidden="until-found">\n\nOld *x*.\n\n</div>',
        'A <span style="color: red; display : none">b</span> c',
        "A <b style='visibility:hidden'>b</b> c",
        "<DIV STYLE='display:none'>hidden</DIV>",
        "<P STYLE='Max-Height: 0; overflow: hidden'>Old</P>",
        "A <span style='font-size:0px'>b</span>",
        "<dialog><p>Old</p></dialog>",
        "<comment>hidden</comment>",
        "<div hidden><div></div><i></i>hidden</div>",
        "<p style='font-size:0'>A <b style='font-size:2em'>b</b></p>",
        "<div style='font-size:0'><p style='font-size:16px'>A</p> b</div>",
        "<p style='display:none'><b style='visibility:visible; font-size:9px'>b</b></p>",
        "<p style='display:none !important; display:block; opacity:0.0'>b</p>",
        "<p style='font-size:0'><picture></picture>b</p>",
        "Words\n{: style='display: none'}",
        "Words\n{: .x hidden}",
    ],
)
def test_words_that_a_browser_would_hide_are_an_error(body: str) -> None:
    errors = [each.line for each in rendered(f"A\n\n{body}").problems if each.severity is Severity.ERROR]
    assert errors == [6 + ("{:" in body)]


def test_hidden_elements_without_words_and_visible_ones_are_not_errors() -> None:
    body = (
        "The `<p hidden>`, hidden, display: none.\n\n<p hidden></p>\n\n<input type=hidden value=x>\n\n"
        '<img hidden src="a.png" alt="x">\n\n<dialog open>x</dialog> <i aria-hidden="true">x</i>\n\n'
        "<p style='opacity: 0.5; font-size: 0.9em'>x</p>\n\n"
        "<p title='so hidden' class=\"hidden\">x</p>\n\n```\n<p hidden>x</p>\n```\n\n`{: hidden}` {: .hidden}\n\n"
        "<style>p { display: none }</style>\n\n<template hidden></template>\n\n"
        "<table><tr><td style='font-size:0px;padding:9px'><div style='font-size:13px'>x</div></td>"
        "<td style='font-size:0'>&nbsp;</td></tr></table>\n\n"
        "<p style='line-height:0;font-size:0'><img src='https://a.example/a.png' alt='A picture'></p>\n\n"
        "<span style='visibility:hidden'><b style='visibility:visible'>x</b></span>\n\n"
        "<div style='display:none;display:block'>x</div>"
    )
    assert [each.message for each in rendered(body).problems if each.severity is Severity.ERROR] == []


def test_in_obsidian_any_text_between_per_cent_signs_is_a_comment() -> None:
    for body, left in (
        ("A %%hidden%% b %%NAME%% c", "A  b  c"),
        ("A %%a%%b%%c%% d", "A b d"),
        ("5%% and 6%% of it", "5 of it"),
        ("A %%1%%\n\n%%\nx\n\ny\n%%\nb", "A \n\n\nb"),
        ("`%%i%%` \\%%d\n\n```\n%%a%%\n```", "`%%i%%` \\%%d\n\n```\n%%a%%\n```"),
    ):
        result = without_tool_comments(body, tool="obsidian")
        assert (result.text, result.problems) == (left, ()), body
        assert without_tool_comments(left, tool="obsidian").text == left
    open_one = without_tool_comments("a %%b%%\n\nc %%d", tool="obsidian")
    assert (open_one.text, [(each.line, each.is_error) for each in open_one.problems]) == ("a \n\nc %%d", [(3, True)])


def test_a_hidden_container_that_is_removed_is_not_a_visible_comment() -> None:
    hidden = "::: {.hidden}\nsecret\n:::"
    assert said(rendered(f":::: {{.columns}}\n{hidden}\n::::\n\nBehind it, a ::: is shown.")) == []
    assert any("hidden in other tools" in message for _, message in said(rendered("::: {.hidden}\nsecret")))
