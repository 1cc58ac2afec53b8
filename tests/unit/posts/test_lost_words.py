"""Words that the Markdown parser would drop stay in the text, and are reported with their lines."""

from __future__ import annotations

import re
from html import escape

import pytest

from publisher.core.errors import PublisherError
from publisher.core.models import Severity
from publisher.newsletters.letter.note import markdown
from publisher.posts.text.excerpt import plain_text
from tests.support.posts_samples import rendered, said

TWO_TEXTS = "A[^1] b.\n\n[^1]: First.\n\nMiddle.\n\n{}[^1]: Second.\n\nAfter[^2].\n\n[^2]: Two.\n"


def errors(body: str) -> list[tuple[int, str]]:
    """Return the errors in a body as (line within the body, message)."""
    return [(each.line - 3, each.message) for each in rendered(body).problems if each.severity is Severity.ERROR]


def test_a_second_text_of_a_footnote_is_text_and_an_error() -> None:
    for before in ("", "> ", "- ", "1. > "):
        body = TWO_TEXTS.format(before)
        result = rendered(body)
        text, notes = result.html.split("<section")
        assert plain_text(text).endswith("Middle. [^1]: Second. After.")
        assert notes.count("<li") == 2
        assert errors(body) == [(7, "the footnote [^1] has a text already; this one is shown as is")]
    assert errors(TWO_TEXTS.format("").replace("[^1]: S", "[^A]: S").replace("[^1]", "[^a]"))[0][0] == 7


def test_a_footnote_without_a_place_is_an_error() -> None:
    for body, line, why in (
        ("A\n\n[^1]: lost words", 3, "nothing refers to"),
        ("A[^1]\n\n[^1]: one\n[^x]: two", 4, "nothing refers to"),
        ("A\n\n<p>see [^1]</p>\n\n[^1]: lost words", 5, "is only referred to where Markdown is not processed"),
        ("A `[^1]` b\n\n[^1]: lost words", 3, "nothing refers to"),
        ("A\n\n[^1]: lost words\n\n[^1]: a second text", 3, "nothing refers to"),
    ):
        found, message = errors(body)[-1]
        assert (found, why in message) == (line, True), (body, message)


def test_visible_footnotes_are_not_errors() -> None:
    for body in (
        "A[^1] b[^Ä].\nmore\n[^1]: one[^3]\n[^ä]: two\n[^3]: three",
        "A[^1] b\n\n- [^1]: y\n",
        "A\n\n<!--\n\n[^1]: hidden\n\n-->\n\nB",
        "```\n[^1]: code\n[^1]: code\n```\n\nUse `[^1]: this`.\n\n    [^1]: code",
        "<div>\n[^1]: shown as it is\n</div>",
        "A[^1] b\n\n[^1]: one\n\n```\n[^1]: code\n```",
    ):
        assert errors(body) == [], body


def test_cells_for_which_a_table_has_no_column_stay_and_are_an_error() -> None:
    for before in ("", "> ", "1. > "):
        body = f"{before}| a | b |\n{' ' * 3 if '1' in before else ''}{before.lstrip('1. ')}|--|:-:|\n"
        row = f"{' ' * 3 if '1' in before else ''}{before.lstrip('1. ')}| ls | wc -l | counts | |\n"
        assert "<td>ls</td>" in (html := rendered(body + row).html)
        assert '<td align="center">wc -l | counts' in html
        assert errors(body + row) == [
            (3, "a row has 4 cells, but its table has only 2 columns: counts is in the last one")
        ]
    body = "é | b\n-|-\n`a | b` | c\n`a\\|b` | c | \n\n| a |\n|--|\n| 1 |\n2 | **3**"
    assert "<td><code>a | b</code></td>\n<td>c</td>" in rendered(body).html
    assert "<td>2 | <strong>3</strong></td>" in rendered(body).html
    assert [line for line, _ in errors(body)] == [9]
    assert [line for line, _ in errors("<iframe>a</iframe>\na | b\n-|-\n1|2|3")] == [4]
    assert errors("```\na|b\n-|-\n1|2|3\n```\n\na | b\n-|-|-\n1|2|3|4\n\n<p>\na|b\n-|-\n1|2|3\n</p>") == []


def test_text_that_is_not_the_url_of_a_link_stays_text() -> None:
    body = (
        "[Ann]: Yes.\n[1]: https://a.example/\n[Bob]: No\n\n[Ann]: Well\n[Bob]: 'Fine'\n\n> [木村]: はい。\n\n"
        "- [Q]: Yes/no\n\n[Ann]:\nMaybe\n\n[Tool]: Node.js (new)\n\n[Ann]: <laughs>\n\n"
        "Ann [link][1], [about]\n\n[about]: about"
    )
    result = rendered(body)
    assert plain_text(result.html) == (
        "[Ann]: Yes. [Bob]: No [Ann]: Well [Bob]: ‘Fine’ [木村]: はい。 [Q]: Yes/no [Ann]: Maybe [Tool]: Node.js (new) "
        "[Ann]: <laughs> Ann link, about"
    )
    assert '<a href="https://a.example/">link</a>' in result.html
    assert [(each.line - 3, each.severity) for each in result.problems] == [
        (line, Severity.WARNING) for line in (1, 3, 5, 6, 8, 10, 12, 15, 17)
    ]
    assert result.problems[0].message == "[Ann]: Yes. is shown as text, because it is not the address of a link"


def test_hidden_words_stay_hidden() -> None:
    for body in (
        "[//]: # (hidden)\n[comment]: <> (hidden)\n[_]: hidden\n[x]: <#> 'hidden words'\n[y]: # (hidden words)\n",
        "<!--\n\n[Ann]: hidden\n\n[^1]: one\n[^1]: hidden\n\na|b\n-|-\n1|2|3\n\n-->",
        "```\n[Ann]: Yes.\n```",
    ):
        assert "hidden" not in (result := rendered(f"A\n\n{body}")).html
        assert result.problems == ()


def test_an_unused_url_is_reported() -> None:
    for definition in (
        "[logo]: img/logo.png",
        "[a]: ./x",
        "[b]: ../x",
        "[c]: /x",
        "[d]: ?x",
        "[e]: #x",
        "[g]: www.example.org",
        '[1]: http://a.example "Title"',
    ):
        result = rendered(f"A\n\n# B\n{definition}\n\nC")
        assert plain_text(result.html) == "A B C"
        ((line, message),) = said(result)
        target = definition.partition(' "')[0]
        assert (line, message) == (7, f"nothing refers to the link {target}, so readers don't see this line")
    ((line, message),) = said(rendered("A\n\n[1]: https://a.example\n[2]: /b\n[3]: /c"))
    what = "nothing refers to the link [1]: https://a.example, so readers don't see this line, nor 2 more like it"
    assert (line, message) == (6, what)
    assert rendered("A\n[1]: https://a.example\n\nB").problems == ()  # a paragraph, which is visible


def test_an_unused_url_is_text_if_it_may_be_words() -> None:
    for definition in (
        "[2]: doi:10.1000/182",
        "[3]: ISBN:123",
        "[Verse]: John3:16",
        "[Source]: nytimes.com",
        "[5]: p.23",
        "[Tel]: tel:123",
        "[n]: <notes.html>",
        "[Smith]: https://a.example/p.pdf (The paper)",
        "[Smith]: https://a.example/p.pdf\n(The long\npaper)",
    ):
        result = rendered(f"A\n\n{definition}\n[ok]: https://b.example\n\n[ok]")
        assert plain_text(result.html) == f"A {' '.join(definition.split())} ok"
        assert "b.example" in result.html
        ((line, message),) = said(result)
        assert (line - 3, message.partition(" is shown")[2]) == (3, " as text, because nothing refers to it")


def test_a_second_url_of_a_link_is_reported() -> None:
    body = "[a][1]\n\n[1]: https://a.example\n[//]: # (x)\n[1]: https://a.example\n[1]: https://b.example\n[//]: # (y)"
    message = "the link [1] has an address already, which is used"
    assert [(line - 3, what) for line, what in said(rendered(body))] == [(6, message)]


def test_a_note_with_lost_cells_is_refused() -> None:
    assert "[Ann]: Yes." in markdown("[Ann]: Yes.", "https://site.example")
    with pytest.raises(PublisherError) as caught:
        markdown("\na|b\n-|-\n1|2|3", "https://site.example", "letters/x.md", first_line=5)
    assert (caught.value.where, caught.value.message[:15]) == ("letters/x.md:8", "a row has 3 cel")


def test_words_of_an_element_that_is_removed_are_an_error() -> None:
    for element, words in (
        ("<svg viewBox='0 0 9 9'><title>Plan</title><text x='1'>North <tspan>gate</tspan></text></svg>", "North gate"),
        ("<svg>bare <b>words</b></svg>", "bare words"),
        ("<template><p>Words <b>here</b> (two)</p></template>", "Words here (two)"),
        ("<script>Only words</script>", "Only words"),
        ("<style>Only words</style>", "Only words"),
        ("<title>Only words</title>", "Only words"),
    ):
        name = element[1 : element.index(">")].split()[0]
        assert errors(f"A\n\n{element}\n\nB") == [
            (3, f"<{name}> is not allowed and was removed, with its words: {words}")
        ]
        assert [each.line for each in rendered(f"<p>A</p>\n{element}", name="2024-07-06-a.html").problems][:1] == [5]
        with pytest.raises(PublisherError):
            markdown(element, "https://site.example")
    for element in (
        "<svg><title>Plan</title><style>.a{}</style><path d='M0'/><metadata>x</metadata></svg>",
        "<svg><foreignObject><p>shown</p></foreignObject></svg>",
        "<script>f(1)</script>",
        "<style>a {}</style>",
        "<head><title>Plan</title></head>",
        "<script src='a.js'></script>",
        "<template></template>",
    ):
        assert errors(f"A\n\n{element}\n\nB") == []


def test_words_that_can_be_text_stay_as_text() -> None:
    for written, shown in (
        ("<textarea rows=2>a <b>\n &lt;c></textarea>", "<pre>a &lt;b&gt;\n &lt;c&gt;</pre>"),
        ("<![CDATA[Some words]]>", "<p>&lt;![CDATA[Some words]]&gt;</p>"),
        ("<fieldset><legend>One</legend>two</fieldset>", "One\ntwo"),
    ):
        result = rendered(f"A\n\n{written}\n\nB")
        assert shown in result.html
        assert {each.severity for each in result.problems} == {Severity.WARNING}


def test_lines_are_right_after_a_separator_of_the_excerpt() -> None:
    body = "A\n\n+++more+++\n\na | b\n-|-\n1|2|3\n\nUse <title> here."
    result = rendered(body, "title: T\nexcerpt_separator: '+++more+++'")
    assert (result.excerpt, [each.line - 4 for each in result.problems]) == ("A", [7, 9])


def test_the_title_of_a_fence_is_above_its_code() -> None:
    for info, caption in (
        ('js title="a &lt; b.js" {1,3}', "a &lt; b.js"),
        ("js {1} filename=app.js", "app.js"),
        ("{.python title='f g.py'}", "f g.py"),
        ('{title="x y"}', "x y"),
        ("ruby:lib/a.rb", "lib/a.rb"),
        ('file="<b>.c"', "&lt;b&gt;.c"),
        ("js [my app.js]", "my app.js"),
        ("tsx /app/a.tsx", "/app/a.tsx"),
        ("yaml .github/x.yml", ".github/x.yml"),
    ):
        html = rendered(f"A\n\n- b\n\n  ```{info}\n  x < 1\n  ```").html
        assert f"<figure><figcaption>{caption}</figcaption>\n<pre><code" in html
        assert "x &lt; 1\n</code></pre></figure>" in html
    for info in ("", "js", 'js hl_lines="1 2"', "c++", "std::vector", 'js titled="x"', "math"):
        assert "figure" not in rendered(f"```{info}\nx\n```").html


def test_words_after_a_fence_are_the_first_line_of_its_code() -> None:
    for info in (
        "SELECT name, price",
        "The output was:",
        "bash echo <first>",
        "console $ ls -la",
        "python print('x')",
        "sql SELECT * FROM a",
        "sh npm install x",
        "Go to the shop",
        "sudo reboot",
        "こんにちは",
        'print("x")',
        "x = 1",
        "FOO=bar make",
        '{"a": 1}',
        "{note} Title",
    ):
        result = rendered(f"A\n\n- b\n\n  ```{info}\n  x\n  ```\n\nB")
        code = escape(info, quote=False)
        assert f"<pre><code>{code}\nx\n</code></pre>" in result.html.replace("&quot;", '"'), info
        message = f"{info} is not a language, and is shown as the first line of the code"
        assert said(result) == [(8, message)]
        assert errors(f"```{info}\nx") == [(1, f"nothing closes the fence ```{info}, so all text below it is code")]


def test_attributes_after_a_fence_are_not_words() -> None:
    for info in (
        "js{1,3}",
        "js {1,3-5} showLineNumbers",
        "rust, should_panic",
        "{r setup, include=FALSE}",
        "{code-block} python",
        "diff js",
        'js /carrot/ "two words"',
        "jsx {{ title: 'x' }}",
        "objective-c",
        'go {linenos=table,hl_lines=[8,"15-17"]}',
        "ts:line-numbers {1}",
        ".net",
        '{#id .haskell startFrom="100"}',
        "shell npm2yarn",
        "python,foo",
        "shell=",
        "js=101",
        "js // @filename a.js",
        "text Output",
        "js The text above it",
        "Java Example",
        "goat wide",
        "html live example",
        "bash session 1",
        "tsx App.tsx active",
        "ts lines=3 twoslash",
    ):
        result = rendered(f"```{info}\nx\n```")
        assert (re.sub("<[^<>]*>", "", result.html).strip(), result.problems) == ("x", ()), info


def test_an_unclosed_fence_is_reported() -> None:
    message = "nothing closes the fence ```js, so all text below it is code"
    assert said(rendered("A\n\n```js\nx\n\nmore\n")) == [(6, message)]
    assert errors("A\n\n```js\nx\n\nmore\n") == []
    assert said(rendered("A[^1]\n\n[^1]: The note is shown below the code.\n\n```js\nx\n\nmore\n")) == [(8, message)]
    assert errors("A\n\n```js\nx ```\n\nmore\n") == [(3, message)]
    for body in ("> ```\n> x\n\nA", "```\nx\n````", "A\n\n```js\n", "~~~\n```\n~~~", "- a\n\n  ```\n  x\n\nB"):
        assert rendered(body).problems == (), body
    with pytest.raises(PublisherError):
        markdown("```SELECT a\nb```\n\nc", "https://site.example")
