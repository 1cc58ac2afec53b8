"""Shortcodes of Hugo and Zola are rendered as those tools render them."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from publisher.config import Posts, Tool
from publisher.core.models import RenderedPost, Severity
from publisher.posts.markup import BrokenPost
from publisher.posts.shortcodes.shortcode_calls import ShortcodeCall, calls_in
from tests.support.posts_samples import HELLO, URL, Folder, html_of

CONFIG = '[params]\nshop = "Tea & more"\n[params.deep]\ner = 7\n'
HEAD = "title: A title\nthing: page value\nparams: {deep: {est: 8}}"


def shown(body: str, tool: Tool = "hugo", name: str = HELLO, **templates: str) -> RenderedPost:
    """Render a post in a project that also has another post, a bundle, a Hugo configuration and these templates."""
    with tempfile.TemporaryDirectory() as root:
        folder = Folder(Path(root), posts=Posts(tool=tool))
        folder.write(name, body, HEAD)
        folder.write("2024-07-05-other.md", "x", "title: Other")
        folder.write("bundle/index.md", "x", "title: Bundle\ndate: 2024-07-04")
        folder.file("hugo.toml", CONFIG)
        folder.file("posts/a.png", b"")
        for each, text in templates.items():
            folder.file(f"templates/shortcodes/{each}.html", text)
        return folder.render(name, inspect=False)


def checked(result: RenderedPost) -> str:
    assert [p for p in result.problems if "a.png" not in p.message] == []
    return result.html.strip()


OTHER = f"{URL}/2024/07/05/other/"
FRAME = (
    'loading="lazy" allowfullscreen="" sandbox="allow-forms allow-popups allow-popups-to-escape-sandbox'
    ' allow-presentation allow-same-origin allow-scripts"></iframe>'
)


def test_built_in_shortcodes_of_hugo_are_rendered() -> None:
    png = f'<img src="{URL}/2024/07/06/hello/a.png"'
    youtube = f'<iframe src="https://www.youtube.com/embed/abc-1" title="YouTube video" {FRAME}'
    for body, expected in (
        ('{{< figure src="a.png" >}}', f'<figure>{png} alt=""></figure>'),
        ('{{<figure src="a.png" alt="An *a*">}}', f'<figure>{png} alt="An *a*"></figure>'),
        ('{{< figure src="a.png" caption="A *b* \\"c\\"" >}}',
         f'<figure>{png} alt="A b “c”"><figcaption><p>A <em>b</em> “c”</p></figcaption></figure>'),
        ('{{<\n  figure\n  src=`a.png`\n  alt=`x "y"`\n  title="T & t" attr=By attrlink="/u" link="/l" width=10\n>}}\n',
         f'<figure><a href="{URL}/l">{png} alt="x &quot;y&quot;" width="10"></a><figcaption><h4>T &amp; t</h4>'
         f'<p><a href="{URL}/u">By</a></p></figcaption></figure>'),
        ("{{< youtube abc-1 >}}", youtube),
        ("{{<youtube abc-1>}}", youtube),
        ('{{< youtube id="abc-1" >}}', youtube),
        ("{{% youtube abc-1 %}}", youtube),
        ("> {{< youtube abc-1 >}}", f"<blockquote>\n{youtube}\n</blockquote>"),
        ("{{< vimeo 12 >}}", f'<iframe src="https://player.vimeo.com/video/12" title="Vimeo video" {FRAME}'),
        ("{{< gist ada 12 >}}", '<p><a href="https://gist.github.com/ada/12">https://gist.github.com/ada/12</a></p>'),
        ("{{< instagram ab >}}",
         '<p><a href="https://www.instagram.com/p/ab/">View this post on Instagram</a></p>'),
        ('{{< tweet user="ada" id="12" >}}',
         '<p><a href="https://x.com/ada/status/12">https://x.com/ada/status/12</a></p>'),
        ("{{< param thing >}}, {{% param \"deep.est\" %}}, {{< param DEEP.ER >}}, {{< param shop >}}",
         "<p>page value, 8, 7, Tea &amp; more</p>"),
        ("{{< highlight go >}}\nx := \"a\" -- `b`\n\n*c*\n{{< /highlight >}}",
         '<pre><code class="language-go">x := "a" -- `b`\n\n*c*\n</code></pre>'),
        ('a {{< highlight go "hl_inline=true" >}}x{{</ highlight >}} b', "<p>a <code>x</code> b</p>"),
        ('{{< details summary="S *s*" >}}\nA **b**\n\n- c\n{{< /details >}}\nd',
         "<details><summary>S <em>s</em></summary>\n<p>A <strong>b</strong></p>\n<ul>\n<li>c</li>\n</ul>\n</details>\n"
         "<p>d</p>"),
        ("{{% details %}}x{{% /details %}}", "<details><summary>Details</summary>\n<p>x</p>\n</details>"),
        ("a {{< comment >}}b\n\n```\nc{{< /comment >}} d", "<p>a  d</p>"),
        ("a\n{{< figure src=\"a.png\" >}}\nb", f'<p>a</p>\n<figure>{png} alt=""></figure>\n<p>b</p>'),
        ("- a\n  {{< figure src=\"a.png\" >}}\n- b",
         f'<ul>\n<li>a\n<figure>{png} alt=""></figure>\n</li>\n<li>b</li>\n</ul>'),
    ):  # fmt: skip
        assert checked(shown(body)) == expected, body


def test_a_reference_of_hugo_is_the_url_of_its_post() -> None:
    for path, url in (
        ("2024-07-05-other.md", OTHER),
        ("/posts/2024-07-05-other#a", f"{OTHER}#a"),
        ("../2024-07-05-other", OTHER),
        ("./2024-07-05-other.md", OTHER),
        ("bundle", f"{URL}/2024/07/04/bundle/"),
        ("bundle/index.md", f"{URL}/2024/07/04/bundle/"),
        ("#a", f"{URL}/2024/07/06/hello/#a"),
    ):
        for body in (f'[x]({{{{< ref "{path}" >}}}})', f'[x][1]\n\n[1]: {{{{% relref path="{path}" %}}}}'):
            assert f'<a href="{url}">x</a>' in shown(body, name="sub/" + HELLO if ".." in path else HELLO).html, body
    gone = shown('[x *y*]({{< ref "gone.md" >}}) {{< ref "gone.md" >}}')
    assert gone.html == "<p><a>x <em>y</em></a></p>\n"
    assert [(p.line, p.message) for p in gone.problems] == [
        (6, "broken link: there is no published post 'gone.md' for the shortcode ref")
    ]


def test_an_escaped_shortcode_is_shown() -> None:
    for body, expected in (
        ('{{</* figure src="x" */>}}', '<p><code>{{&lt; figure src="x" &gt;}}</code></p>'),
        ("{{%/* x */%}}", "<p><code>{{% x %}}</code></p>"),
        ("`{{</* x */>}}`", "<p><code>{{&lt; x &gt;}}</code></p>"),
        ("```\n{{</* x */>}}\n```", "<pre><code>{{&lt; x &gt;}}\n</code></pre>"),
    ):
        assert checked(shown(body)) == expected, body


def test_shortcodes_in_code_stay_unless_hugo_runs_them() -> None:
    for body in ("`{{< youtube abc >}}`", "```\n{{< comment >}}x{{< /comment >}}\n```", "a `{{</* x */>}}` b"):
        written = body.strip("`\na b").replace("<", "&lt;").replace(">", "&gt;")
        assert written in checked(shown(body, tool=""))
    assert checked(shown("`{{< param thing >}}`")) == "<p><code>page value</code></p>"


def test_the_template_of_the_owner_takes_precedence() -> None:
    for body, template, expected in (
        ("{{< box >}}", "<div>x</div>", "<div>x</div>"),
        ("{{< box a b=2 >}}", "<p>{{ args[0] }}{{ b }}{{ page.title }}{{ page.thing }}</p>",
         "<p>a2A titlepage value</p>"),
        ("{{< box >}}\n*a*\n\n- b\n{{< /box >}}", "<section>\n\n    {{ inner }}\n\n</section>",
         "<section>\n<p><em>a</em></p>\n<ul>\n<li>b</li>\n</ul>\n</section>"),
        ("a {{< box >}}*b*{{< /box >}} c", "<mark>{{ inner }}</mark>", "<p>a <mark><em>b</em></mark> c</p>"),
        ("{{< box >}}{{< box >}}a{{< /box >}}{{< /box >}}", "<b>{{ inner }}</b>", "<p><b><b>a</b></b></p>"),
        ("{{% box %}}", "## Head\n\n*a*", '<h2 id="head">Head</h2>\n<p><em>a</em></p>'),
        ("{{< box >}}*a*{{< /box >}}", "<pre>{{ raw }}</pre>", "<pre>*a*</pre>"),
        ("[a]({{< box >}})", "/b/", f'<p><a href="{URL}/b/">a</a></p>'),
        ('<a href="{{< box >}}">a</a>', "/b/", f'<p><a href="{URL}/b/">a</a></p>'),
        ("![{{< box >}}](a.png)", "<b>q</b>", f'<p><img src="{URL}/2024/07/06/hello/a.png" alt="q"></p>'),
        ("## A {{< box >}}", "<i>b</i>", '<h2 id="a-">A <i>b</i></h2>'),
        ("{{< box >}}", "<script>alert(1)</script><p onclick='x'>a</p>", "<p>a</p>"),
    ):  # fmt: skip
        assert checked(shown(body, box=template)) == expected, body
    assert checked(shown("{{< youtube a >}}", youtube="<p>mine</p>")) == "<p>mine</p>"
    assert checked(shown('{{ box(a="b", c=[1, 2], d=true) }}', "zola", box="<p>{{ a }}{{ c[1] }}{{ d }}</p>")) == (
        "<p>b2True</p>"
    )
    assert checked(shown("{% box() %}\n*a*\n{% end %}", "zola", box="<div>{{ body | safe }}</div>")) == (
        "<div>\n<p><em>a</em></p>\n</div>"
    )
    assert "youtube.com/embed/x" in checked(shown('{{ youtube(id="x") }}', "zola"))
    assert checked(shown("{{/* box() */}}", "zola")) == "<p><code>{{ box() }}</code></p>"


def test_an_unknown_shortcode_is_reported_with_its_line_and_its_words_stay() -> None:
    result = shown("a\n\n{{< box >}}\n*b*\n{{< /box >}}\n\n{{< box >}}c{{< /box >}}")
    assert result.html == "<p>a</p>\n<p><em>b</em></p>\n<p>c</p>\n"
    (problem,) = result.problems
    assert (problem.line, problem.severity) == (8, Severity.WARNING)
    assert "box" in problem.message and "templates/shortcodes/box.html" in problem.hint
    assert "{{% box %}}" in shown("{{% box %}}").problems[0].message
    assert len(shown("{{% box %}}").problems) == 1


def test_a_problem_has_the_line_of_the_writer() -> None:
    body = '{{< details\n  summary="a"\n>}}\nx\n{{< /details >}}\n\n{{< box >}}\n\n{{< other >}}\n'
    lines = {p.message: p.line for p in shown(body, box="{{ 1 / 0 }}").problems}
    (failed,) = (message for message in lines if "templates/shortcodes/box.html:1" in message)
    assert lines[failed] == 12
    assert [line for message, line in lines.items() if "{{< other" in message] == [14]


def test_hostile_shortcodes_cost_little() -> None:
    for body in (
        "{{< a >}}" * 20_000,
        "{{< a >}}" * 3_000 + "{{< /a >}}" * 3_000,
        '{{< a "' * 20_000,
        "{{< a `" * 20_000,
        "{{</*" * 20_000,
        "{{<" + " " * 100_000,
        "{{< a " + "b=" * 50_000 + ">}}",
        "{{< a " + '"\\' * 50_000,
        "{{% highlight %}}" * 10_000,
    ):
        calls_in(body)
        calls_in(body.replace("<", "").replace(">", ""), is_zola=True)
    assert shown("{{< box >}}" * 30 + "x" + "{{< /box >}}" * 30, box="{{ inner }}{{ inner }}").html.count("x") < 30_000


def test_values_are_read_as_in_hugo() -> None:
    for text, positional, named in (
        ('a "b c" `d "e"` 5 true', ["a", "b c", 'd "e"', 5, True], {}),
        ('a=b c = "d" e=`f` g=false', [], {"a": "b", "c": "d", "e": "f", "g": False}),
        ('src="a\\"b" x="{}"', [], {"src": 'a"b', "x": "{}"}),
    ):
        for sign, end in (("<", ">"), ("%", "%")):
            for space in ("", " ", "\n  "):
                (call,) = calls_in(f"{{{{{sign}{space}name {text}{space}{end}}}}}")
                assert isinstance(call, ShortcodeCall)
                assert (call.name, call.positional, call.named) == ("name", positional, named)


def test_a_post_without_shortcodes_is_untouched() -> None:
    assert html_of("{{ a }} {% b %} {{< }}") == "<p>{{ a }} {% b %} {{&lt; }}</p>"


def test_a_template_that_changes_or_appears_changes_the_posts_that_use_it(tmp_path: Path) -> None:
    folder = Folder(tmp_path, posts=Posts(tool="hugo"))
    folder.write(HELLO, "{{< box >}}a{{< /box >}} {{< param shop >}}")
    page = "2024/07/06/hello/index.html"
    for path, text, expected in (
        ("hugo.toml", CONFIG, b"<p>a Tea &amp; more</p>"),
        ("templates/shortcodes/box.html", "<b>{{ inner }}</b>", b"<p><b>a</b> Tea &amp; more</p>"),
        ("templates/shortcodes/box.html", "<i>[{{ inner }}]</i>", b"<p><i>[a]</i> Tea &amp; more</p>"),
        ("hugo.toml", CONFIG.replace("Tea", "Much"), b"<p><i>[a]</i> Much &amp; more</p>"),
        ("templates/shortcodes/box.html", "{% include 'inc/x.html' ignore missing %}.", b"<p>. Much &amp; more</p>"),
        ("templates/inc/x.html", "<b>one</b>", b"<p><b>one</b>. Much &amp; more</p>"),
        ("templates/inc/x.html", "<b>three</b>", b"<p><b>three</b>. Much &amp; more</p>"),
    ):
        folder.file(path, text)
        built = folder.build()
        assert expected in folder.public()[page], (path, built.problems)
    folder.build()


def test_shortcodes_that_are_nested_too_deeply_are_reported_as_such() -> None:
    one = "{{% details %}}\n", "{{% /details %}}\n"
    assert "x" in checked(shown(one[0] * 40 + "x\n" + one[1] * 40))
    with pytest.raises(BrokenPost, match="shortcodes are nested more than 40 deep") as error:
        shown("\n" + one[0] * 300 + "x\n" + one[1] * 300)
    assert error.value.problem.line == 7 + 40
