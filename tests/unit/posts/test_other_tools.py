"""Syntax of Jekyll, kramdown, Hugo and MDX is carried over, removed, or reported with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.posts.front_matter.other_tools import carry_over
from publisher.posts.text.prose import code_lines, masked
from tests.support.posts_samples import HELLO, PAGE, URL, Folder, html_of, rendered, said

LIQUID = "Liquid is not supported and will be shown as is: "
SHORTCODES = "shortcodes without a template are shown as is: "
MDX = "MDX is not supported and will be shown as is: "


def carried(body: str) -> str:
    """Return the body after carry_over, which must cause no warnings."""
    text, leftovers = carry_over(body, URL, lambda name: None)
    assert leftovers == []
    return text


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("{% raw %}{{ x }}{% endraw %}", "<p>{{ x }}</p>"),
        ("{% raw %}{% include x %}{% endraw %}", "<p>{% include x %}</p>"),
        ("{%- raw -%}{{ site.url }}{%- endraw -%}", "<p>{{ site.url }}</p>"),
        ("`{% raw %}{{ x }}{% endraw %}`", "<p><code>{{ x }}</code></p>"),
        ("```liquid\n{% raw %}{{ x }}{% endraw %}\n```", '<pre><code class="language-liquid">{{ x }}\n</code></pre>'),
        ("{% raw %}{% highlight ruby %}x{% endhighlight %}{% endraw %}",
         "<p>{% highlight ruby %}x{% endhighlight %}</p>"),
        ("{% highlight ruby %}\nputs 1\n{% endhighlight %}", '<pre><code class="language-ruby">puts 1\n</code></pre>'),
        ("{% highlight ruby linenos %}\nx\n{% endhighlight %}", '<pre><code class="language-ruby">x\n</code></pre>'),
        ("{% highlight sh %}\n# no heading\n\n```\n---\n{% endhighlight %}",
         '<pre><code class="language-sh"># no heading\n\n```\n---\n</code></pre>'),
        ("{% highlight xml %}\n<cd>\n\n<x/>\n{% endhighlight %}",
         '<pre><code class="language-xml">&lt;cd&gt;\n\n&lt;x/&gt;\n</code></pre>'),
        ("{% highlight liquid %}\n{% raw %}{{ x }}{% endraw %}\n{% endhighlight %}",
         '<pre><code class="language-liquid">{{ x }}\n</code></pre>'),
        ("- one\n\n  {% highlight sh %}\n  ls\n  {% endhighlight %}\n\n- two",
         '<pre><code class="language-sh">ls\n</code></pre>\n</li>\n<li>\n<p>two</p>'),
        ("{% highlight sh %}ls *.py{% endhighlight %}", '<pre><code class="language-sh">ls *.py</code></pre>'),
        ("{% highlight sh %}\nls <x>{% endhighlight %}", '<pre><code class="language-sh">ls &lt;x&gt;</code></pre>'),
        ("```\n{% highlight ruby %}\nx\n{% endhighlight %}\n```",
         "<pre><code>{% highlight ruby %}\nx\n{% endhighlight %}\n</code></pre>"),
        ("a {% comment %}secret\n\nwords{% endcomment %} b", "<p>a</p>\n<p>b</p>"),
        ("[x]({{ site.url }}/y)", f'<p><a href="{URL}/y">x</a></p>'),
        ("[x]({{ site.url }}{{ site.baseurl }}/y)", f'<p><a href="{URL}/y">x</a></p>'),
        ("[x]({{site.baseurl}}/y)", f'<p><a href="{URL}/y">x</a></p>'),
        ('[x]({{ "/y" | relative_url }})', f'<p><a href="{URL}/y">x</a></p>'),
        ("[x]({{ '/y' | absolute_url }})", f'<p><a href="{URL}/y">x</a></p>'),
        ("[a][1] [b][2]\n\n[1]: {{ site.url }}/one\n[2]: https://two.example/",
         f'<p><a href="{URL}/one">a</a> <a href="https://two.example/">b</a></p>'),
        ("About `{{ page.title }}` and `{% include %}`",
         "<p>About <code>{{ page.title }}</code> and <code>{% include %}</code></p>"),
        ("About `{{ site.url }}` only", "<p>About <code>{{ site.url }}</code> only</p>"),
    ],
)  # fmt: skip
def test_tags_of_jekyll_work_as_in_jekyll(body: str, expected: str) -> None:
    result = rendered(body)
    assert result.html.strip() == expected or expected in result.html
    assert result.problems == ()


def test_the_base_path_of_a_site_is_inserted() -> None:
    body = '[x]({{ "/y" | relative_url }}) [z]({{ site.baseurl }}/z)'
    text, _ = carry_over(body, "https://a.example/blog", lambda name: None)
    assert text == "[x](/blog/y) [z](https://a.example/blog/z)"


@pytest.mark.parametrize(
    "tag",
    [
        "{% link _posts/2024-07-07-y.md %}", "{%link 2024-07-07-y.md %}", "{% post_url 2024-07-07-y %}",
        "{% link en/news/_posts/2024-07-07-y.md %}", '{% post_url "2024-07-07-y" %}',
        "{%- post_url en/2024-07-07-y -%}",
    ],
)  # fmt: skip
def test_a_jekyll_link_leads_to_the_post(tag: str, tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(HELLO, f"[t]({tag})")
    folder.write("en/2024-07-07-y.md", head="title: y\npermalink: /y/")
    result = folder.render()
    assert (result.html, result.problems) == (f'<p><a href="{URL}/y/">t</a></p>\n', ())


def test_a_jekyll_link_finds_the_post_in_the_folder_it_names(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for language in ("en", "de"):
        folder.write(f"{language}/2024-07-07-y.md", head=f"title: y\npermalink: /{language}-y/")
    folder.write(HELLO, "[t]({% link de/news/_posts/2024-07-07-y.md %})")
    assert f'href="{URL}/de-y/"' in folder.render().html
    folder.write(HELLO, "One.\n\n[t]({% post_url 2024-07-07-y %}) [u]({% post_url 2000-01-01-gone %})")
    assert said(folder.render()) == [(6, LIQUID + "{% post_url %}")]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("## Head {#here}", '<h2 id="head"><a id="here"></a>Head</h2>'),
        ("## Head\n{: #here }", '<a id="here"></a>Head</h2>'),
        ("Head\n----\n{:#here .c}", '<a id="here"></a>Head</h2>'),
        ("Text\n{: #here}", '<p><a id="here"></a>Text</p>'),
        ('Text\n{: style="text-align: right"}', "<p>Text</p>"),
        ("Text\n{: .one\n#here }\n\nMore", '<p><a id="here"></a>Text</p>\n<p>More</p>'),
        ("    code\n{: .code}", "<pre><code>code\n</code></pre>"),
        ("*em*{: .x} text", "<p><em>em</em> text</p>"),
        ("`code`{:.ruby} text", "<p><code>code</code> text</p>"),
        ('[t](https://a.example/){:target="_blank"}', '<p><a href="https://a.example/">t</a></p>'),
        ('[t](https://a.example/){: width="1" }The', '<a href="https://a.example/">t</a>The'),
        ('[t ~~x~~](https://a.example/){:\n.icon width="70"} after', "</a>\nafter</p>"),
        ("- item\n{: .list}", "<ul>\n<li>item</li>\n</ul>"),
        ("> quote\n{: .q}", "<blockquote>\n<p>quote</p>\n</blockquote>"),
        ("* TOC\n{:toc}\n\nText", "<p>Text</p>"),
        ("1. TOC\n{: toc }\n\nText", "<p>Text</p>"),
        ("{:refdef: style='x'}\nText\n{: refdef}", "<p>Text</p>"),
        ("para\n\n^\n\nmore", "<p>para</p>\n<p>more</p>"),
        ("{::nomarkdown}\n<b>x</b>\n{:/nomarkdown}", "<b>x</b>"),
        ("{::comment}\nhidden\n{:/comment}\n\nText", "<p>Text</p>"),
        ("{::options parse_block_html='true' /}\n\nText", "<p>Text</p>"),
    ],
)
def test_attribute_lists_are_kept_or_removed(body: str, expected: str) -> None:
    result = rendered(body)
    assert expected in result.html
    assert not {"{:", "{#", "^"} & {result.html[i : i + n] for i in range(len(result.html)) for n in (1, 2)}
    assert result.problems == ()


def test_an_id_from_an_attribute_list_is_a_link_target() -> None:
    result = rendered("[note](#fn1)\n\nThe note.\n{: #fn1}")
    assert f'<a href="{PAGE}#fn1">note</a>' in result.html
    assert result.problems == ()


@pytest.mark.parametrize(
    "body",
    [
        "```ruby\n{:b=>2}\nx\n{: .c}\n^\n```", "    {: .code}", "`{: .x}` and `*a*{: .x}`", "~~~\n{% include x %}\n~~~",
        "- item\n\n  ```\n  {: .c}\n  ```", "Ruby's {:b=>2, :c=>3} and [{:sym=>43}]", "Elixir returns {:ok, 1}",
        "```\n{{< youtube x >}}\n```", "`<Card/>` and `import a from 'b'`", "<pre>\n{: .x}\n\n{{ y }}\n</pre>",
        "x^2^ and 2 ^ 3", "```\n^\n```", "{not: yaml}", "\\{: .x}", "a {#b} c",
    ],
)  # fmt: skip
def test_code_and_other_braces_are_unchanged(body: str) -> None:
    assert carried(body) == body


@pytest.mark.parametrize(
    ("body", "line", "message"),
    [
        ("One.\n\n{% assign x = 1 %}", 6, LIQUID + "{% assign %}"),
        ("One.\n\n{% include figure.html\n  src='x' %}", 6, LIQUID + "{% include %}"),
        ("{{ page.title }}\n\n`{{ page.date }}`", 4,
         LIQUID + "{{ page.title }}, {{ page.date }}, on 2 lines up to line 6"),
        ("One.\n\n{{< gallery abc >}}", 6, SHORTCODES + "{{< gallery >}}"),
        ('{{% note %}}\nText\n{{% /note %}}', 4,
         "the shortcode note is unknown, so only the text inside it is shown"),
        ('{{< gallery\n  src="x" >}}', 4, SHORTCODES + "{{< gallery >}}"),
        ("One.\n\nimport Card from '../card'", 6, MDX + "import Card from '../card'"),
        ("One.\n\n<Tabs.Item name='x'>y</Tabs.Item>{''}", 6, MDX + "<Tabs.Item name='x'>"),
        ("{% highlight ruby %}\nx\n{% endhighlight %}\n\n{% if x %}", 8, LIQUID + "{% if %}"),
        ("{% comment %}\na\n\nb\n{% endcomment %}\n\n{% if x %}", 10, LIQUID + "{% if %}"),
        ("{% raw %}\n{{ a }}\n{% endraw %} {{ b }}", 6, LIQUID + "{{ b }}"),
        ("{% highlight sh %}ls{% endhighlight %}\n\nText\n{: .c}\n\n{{ b }}", 9, LIQUID + "{{ b }}"),
        ("{{ a }} {{ b }} {{ c }} {{ d }} {{ e }}", 4, LIQUID + "{{ a }}, {{ b }}, {{ c }} and 2 more"),
    ],
)  # fmt: skip
def test_unsupported_syntax_is_one_warning_with_its_line(body: str, line: int, message: str) -> None:
    assert (line, message) in said(rendered(body))


def test_template_code_is_named_after_the_language_of_the_tool() -> None:
    for tool, names in (
        ("", ["Liquid"]),
        ("vitepress", ["Vue's {{ }}", "Liquid"]),
        ("hugo", ["Go template code", "Liquid"]),
        ("zola", ["Tera"]),
        ("mkdocs", ["Jinja"]),
        ("docusaurus", ["template code", "Liquid"]),
    ):
        _, leftovers = carry_over("{{ $a.b }} {{ 1 + 1 }}\n\n{% x %}", URL, lambda name: None, tool)  # type: ignore[arg-type]
        assert [each.what.partition(" is not supported")[0] for each in leftovers] == names
        assert leftovers[0].lines[0] == 1


def test_html_in_capitals_and_comments_are_not_leftovers() -> None:
    body = "<BR> <IMG SRC='https://a.example/a.png' ALT='t'> {x}\n\n<!-- {% include x %} {{ y }} <Card/> -->"
    assert rendered(body).problems == ()


PIECES = st.sampled_from(
    ["{% raw %}", "{% endraw %}", "{% highlight x %}", "{% endhighlight %}", "{{ x }}", "{: .x}", "{:\n#y}",
     "## H {#z}", "\n", "\n\n", "```", "`", "^", "    ", "- ", "text", "{% comment %}", "{% endcomment %}", "{:toc}",
     "* TOC", "*a*", "<pre>", "</pre>", "{::comment}", "{:/}", "{% link a %}", "{{ site.url }}"]
)  # fmt: skip


@settings(max_examples=settings.default.max_examples, deadline=None)
@given(st.lists(PIECES, max_size=14).map("".join))
def test_no_step_changes_the_number_of_lines(body: str) -> None:
    text, leftovers = carry_over(body, URL, lambda name: None)
    assert text.count("\n") == body.count("\n")
    assert all(1 <= line <= body.count("\n") + 1 for leftover in leftovers for line in leftover.lines)
    assert "\x02" not in text
    assert "\x03" not in text


@settings(max_examples=settings.default.max_examples, deadline=None)
@given(st.lists(PIECES, max_size=14).map("".join))
def test_masking_keeps_every_position(body: str) -> None:
    view = masked(body)
    assert len(view) == len(body)
    assert [i for i, c in enumerate(view) if c == "\n"] == [i for i, c in enumerate(body) if c == "\n"]
    assert len(code_lines(body.split("\n"))) == body.count("\n") + 1


def test_a_post_about_liquid_is_shown_as_written() -> None:
    body = "Write `{% include x %}`:\n\n```liquid\n{% for a in b %}{{ a | link }}{% endfor %}\n{{ site.url }}\n```"
    assert "{{ site.url }}" in html_of(body)
    assert rendered(body).problems == ()


@pytest.mark.parametrize("mark", ["> ", ">", "- ", "1. ", "*\t", ">  "])
def test_a_line_of_hundreds_of_marks_takes_linear_time(mark: str) -> None:
    """A pattern that tried every way of dividing the spaces would run for ever."""
    deep = mark * 300
    assert code_lines([f"{deep}words", f"{deep}```", f"{deep}words", "> ```", "words"]) == [
        False,
        True,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    "mark",
    [
        "[TOC]",
        "[toc]",
        "[[TOC]]",
        "[[toc]]",
        "[[_TOC_]]",
        "[_TOC_]",
        "${toc}",
        "@[TOC](Contents)",
        "__TOC__",
        "   [TOC]  ",
    ],
)
def test_a_placeholder_for_a_table_of_contents_is_removed(mark: str) -> None:
    assert html_of(f"One\n\n{mark}\n\nTwo") == "<p>One</p>\n<p>Two</p>"
    assert mark.strip() in html_of(f"The mark `{mark.strip()}` and\n\n```\n{mark}\n```").replace("&gt;", ">")


def test_text_that_only_looks_like_such_a_placeholder_stays() -> None:
    assert html_of("See [TOC] here, and [tock]") == "<p>See [TOC] here, and [tock]</p>"
    assert ">TOC</a>" in html_of("[TOC]\n\n[toc]: https://a.example/")


def test_code_in_a_list_is_indented_four_more_than_its_text() -> None:
    for body, code in (
        ("* a\n\n      code\n      code\n\n  b", [2, 3]),
        ("* a\n\n     b", []),
        ("10. a\n\n        code\n\n    b\n\n        code", [2, 6]),
        ("- a\n  - b\n\n        code\n\n    c\n\n      d", [3]),
        ("- a\n  - b\n\n      c\n\n  d", []),
        ("- a\n\n- b\n      c", []),
        ("- a\n\n  b\n\nc\n\n    code", [6]),
        ("- a\n\n\tb", []),
    ):
        assert [number for number, is_code in enumerate(code_lines(body.split("\n"))) if is_code] == code, body
