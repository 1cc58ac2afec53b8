"""Nunjucks in bodies gives the same output as in Eleventy and Hexo, unsupported tags stay, and its cost is limited."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from publisher.config import Posts
from publisher.core.errors import PostError
from publisher.posts.body_templates.eleventy_settings import EleventySettings, eleventy_settings, engine_of
from publisher.posts.body_templates.liquid_bodies import expand_liquid
from publisher.posts.body_templates.nunjucks_bodies import expand_nunjucks
from publisher.posts.body_templates.site_values import Asking
from publisher.posts.places import WrittenPost
from publisher.posts.tags.expanded import Expanded
from tests.support.posts_samples import HELLO, SITE, Folder

HEAD = "---\ntitle: Hello & more\nn: 5\nlist: [b, a]\nmap: {k: v}\n---\n"
SETTINGS = """module.exports = {
  // markdownTemplateEngine: "ejs",
  markdownTemplateEngine: "njk", htmlTemplateEngine: false,
  dir: { input: "src", includes: "../parts", data: "facts" },
};"""
FILES = {
    ".eleventy.js": SETTINGS,
    "src/facts/teas.json": '[{"name": "Assam", "minutes": 4}, {"name": "Sencha", "minutes": 2}]',
    "src/posts/posts.json": '{"author": "Ada", "private": false}',
    "parts/note.njk": "note {{ title }}",
    "parts/macros.njk": "{% macro cup(of) %}<b>{{ of }}</b>{% endmacro %}",
    "parts/loop.njk": "{% include 'loop.njk' %}",
    "templates/shortcodes/image.html": '<img src="{{ args[0] }}" alt="{{ args[1] }}">',
    "templates/shortcodes/box.html": '<div class="{{ named.kind }}">{{ inner }}</div>',
    f"src/posts/{HELLO}": HEAD,
}


def run_in(folder: Folder, *, is_hexo: bool) -> Callable[[str], Expanded]:
    """Return a function that runs the Nunjucks in a text as if it were the body of the post HELLO."""
    archive = folder.archive()
    (post,) = archive.load([HELLO])
    written = WrittenPost(HELLO, post.url, post.title, "", "", ())
    link = {"other": f"{SITE.url}/other/"}.get
    folders = [] if is_hexo else ["parts"]

    def run(body: str) -> Expanded:
        asking = Asking(written, archive.places, folder.config, HEAD + body, link, lambda text: f"<p>{text}</p>")
        return expand_nunjucks(body, asking, 200_000, folders, in_code=not is_hexo)

    return run


@pytest.fixture(scope="module")
def eleventy(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Expanded]:
    folder = Folder(tmp_path_factory.mktemp("eleventy"), posts=Posts(folder="src/posts", tool="eleventy"))
    for path, content in FILES.items():
        folder.file(path, content)
    return run_in(folder, is_hexo=False)


@pytest.fixture(scope="module")
def hexo(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Expanded]:
    folder = Folder(tmp_path_factory.mktemp("hexo"), posts=Posts(folder="source/_posts", tool="hexo"))
    folder.file(f"source/_posts/{HELLO}", HEAD)
    folder.file("source/_posts/other.md", "---\ntitle: The other\ndate: 2024-01-01\n---\n")
    folder.file("source/downloads/code/a.rb", "one\ntwo\nthree\n")
    folder.file("_config.yml", "title: Tea\n")
    return run_in(folder, is_hexo=True)


def test_nunjucks_is_run_as_in_eleventy(eleventy: Callable[[str], Expanded]) -> None:
    for body, expected in (
        ("{{ title }} {{ n + 1 }} {{ author }} {{ page.url }}", "Hello &amp; more 6 Ada /2024/07/06/hello/"),
        ("{% for tea in teas %}{{ loop.index }}{{ tea.name | upper }} {% endfor %}", "1ASSAM 2SENCHA "),
        (
            "{% for k, v in map %}{{ k }}={{ v }}{% endfor %}{% for x in nothing %}{% else %}none{% endfor %}",
            "k=vnone",
        ),
        ("{% set best = teas[0] %}{{ best.name }} {{ best.nothing }}{{ teas.length }}", "Assam 2"),
        ("{% if n === 5 && !nothing %}a{% elseif n %}b{% else %}c{% endif %}{{ 'y' if n > 9 else 'z' }}", "az"),
        ("a{# {{ x }}\n #}b {%- if true -%} c {%- endif -%} d", "abcd"),
        ("{% include 'note.njk' %} {% include \"none.njk\" ignore missing %}.", "note Hello &amp; more ."),
        ('{% from "macros.njk" import cup %}{{ cup("tea") }}', "<b>tea</b>"),
        (
            '{% image "a.png", "A cup" %} {% image "b.png", title %}',
            '<img src="a.png" alt="A cup"> <img src="b.png" alt="Hello &amp; more">',
        ),
        ('{% box kind="x" %}Hot *tea* {{ n }}{% endbox %}', '<div class="x">Hot *tea* 5</div>'),
        ("{% raw %}{{ x }} {% y %}{% endraw %}{% verbatim %}{{ z }}{% endverbatim %}", "{{ x }} {% y %}{{ z }}"),
        (
            "[a]({{ '/x/' | url }}) {{ '<b>' | safe }} {{ list | join('+') }} {{ [1, true, none] }}",
            "[a](/x/) <b> b+a 1,true,",
        ),
        (
            "{% set words %}in {{ n }}{% endset %}{{ words }} {{ nothing or 'y' }} {{ none | default('d', true) }}",
            "in 5 y d",
        ),
        ("`{{ n }}`\n\n```\n{{ n }}\n```", "`5`\n\n```\n5\n```"),
        ("{{ 'a' + 1 }} {{ 2 * 3 }} {{ 7 / 2 }} {{ 4 / 2 }} {{ 'x' * 99999999999 }}", "a1 6 3.5 2 "),
        ("{{ and }} {{", "{{ and }} {{"),
    ):
        assert eleventy(body).text == expected, body


def test_tags_of_hexo_are_run(hexo: Callable[[str], Expanded]) -> None:
    for body, expected in (
        ("{% asset_img cup.png A cup %}", '<img src="cup.png" alt="A cup" title="A cup">'),
        (
            "{% asset_img left cup.png 10 20 \"T 'alt'\" %}",
            '<img src="cup.png" alt="alt" title="T" width="10" height="20">',
        ),
        ("{% img %}", None),
        (
            "{% post_link other %} {% post_link other 'It & that' %}",
            f'<a href="{SITE.url}/other/">The other</a> <a href="{SITE.url}/other/">It &amp; that</a>',
        ),
        (
            "[x]({% post_path other %}) {% asset_path c.pdf %} {% asset_link c.pdf The c %}",
            f'[x]({SITE.url}/other/) c.pdf <a href="c.pdf">The c</a>',
        ),
        (
            "{% blockquote Ada, Notes %}\nTea *first*.\n{% endblockquote %}",
            "<blockquote>\n\nTea *first*.\n\n<footer><strong>Ada</strong> <cite>Notes</cite></footer></blockquote>\n",
        ),
        ("{% codeblock lang:js %}\nalert('{{ n }}');\n{% endcodeblock %}", "```js\nalert('5');\n```"),
        ("{% include_code lang:ruby from:2 to:3 a.rb %}", "```ruby\ntwo\nthree\n```"),
        ("{% youtube abc-1 %}", '<iframe src="https://www.youtube.com/embed/abc-1" allowfullscreen></iframe>'),
        ("{% link Tea https://tea.example %}", '<a href="https://tea.example">Tea</a>'),
        ("`{{ n }} {% post_link other %}` {{ n }} {{ config.title }}", "`{{ n }} {% post_link other %}` 5 Tea"),
    ):
        assert hexo(body).text == (body if expected is None else expected), body


def test_text_that_cannot_be_run_stays_and_is_an_error(
    eleventy: Callable[[str], Expanded], hexo: Callable[[str], Expanded]
) -> None:
    for run, body, message in (
        (eleventy, "x {% picture 'a' %}", "{% picture %}"),
        (eleventy, "{% note %}*x*{% endnote %}", "{% note %}"),
        (eleventy, "{{ contact.FIRST }} {{ '/x' + unknown }}", "{{ contact.FIRST }}, {{ '/x' + unknown }}"),
        (eleventy, "{{ title | shout }} {{ title.toUpperCase() }}", "{{ title | shout }}, {{ title.toUpperCase() }}"),
        (eleventy, "{% if n ==== 1 %}a{% endif %}", "{% if %}, {% endif %}"),
        (eleventy, "{% if n %}a", "{% if %}"),
        (eleventy, "{% include '../x' %}", "{% include %}"),
        (eleventy, "{{ 'x' | round }}", "{{ 'x' | round }}"),
        (hexo, "{% post_link none %}", "{% post_link %}"),
        (hexo, "{% grouppicture 6-3 %}x{% endgrouppicture %}", "{% grouppicture %}"),
    ):
        found = run(body)
        assert found.text == body
        said = f"Nunjucks cannot be run here, and is shown as written: {message}"
        assert [problem.message.partition(", on ")[0] for problem in found.problems if problem.is_error] == [said]
    shortcodes = 'a {{< cup size="small" >}} {{% note %}}b{{% /note %}}'
    assert (eleventy(shortcodes).text, eleventy(shortcodes).problems) == (shortcodes, ())
    code = "```\n{{ secrets.KEY }}\n```"
    assert (eleventy(code).text, eleventy(code).problems) == (code, ())


def test_nothing_of_python_can_be_reached(eleventy: Callable[[str], Expanded]) -> None:
    for words in (
        "''.__class__", "title.__class__.__mro__", "list.append('x')", "'{0.__class__}'.format(n)", "self",
        "range.__globals__", "tag_.__globals__", "out_.__self__", "cycler", "lipsum()", "namespace", "''['__class__']",
        "map.items()", "(title | attr('__class__'))", "dict", "loop", "caller", "'%s' % title", "start_.__func__",
    ):  # fmt: skip
        made = eleventy(f"{{{{ {words} }}}}").text
        assert "class" not in made.replace(words, "") and "built" not in made and "0x" not in made, made


def test_the_cost_of_nunjucks_is_limited(eleventy: Callable[[str], Expanded]) -> None:
    loops = "{% for i in range(0, 999) %}{% for j in range(0, 999) %}x{% endfor %}{% endfor %}"
    for body, said in (
        (
            "{% for i in range(0, 1000000000) %}x{% endfor %}",
            "its Nunjucks was stopped: loops run more than 100,000 times",
        ),
        (loops, "loops run more than 100,000 times"),
        ("{% for i in range(0, 90000) %}{{ title }}{% endfor %}", "the text becomes longer than 200,000 characters"),
    ):
        with pytest.raises(PostError, match=said):
            eleventy(body)
    with pytest.raises(RecursionError):  # the rendering process reports that it is nested too deeply
        eleventy("{% include 'loop.njk' %}")
    for unit in ("{%", "{{", "{#", "{% raw %}", "{{ '", "{% a ", "{% a %}{% enda %}", "{% if 1 %}"):
        eleventy(unit * 100)


def test_line_numbers_are_those_of_the_writer(eleventy: Callable[[str], Expanded]) -> None:
    found = eleventy("one\n{% for i in [1, 2] %}\n- {{ i }}\n{% endfor %}\n{# a\nb #}\nlast")
    lines = found.text.split("\n")
    assert [(found.line_of(number), line) for number, line in enumerate(lines, 1) if line] == [
        (1, "one"), (3, "- 1"), (3, "- 2"), (7, "last"),
    ]  # fmt: skip


def test_the_configuration_of_eleventy_is_read(tmp_path: Path) -> None:
    assert eleventy_settings(tmp_path) == EleventySettings()
    (tmp_path / ".eleventy.js").write_text(SETTINGS, encoding="utf-8")
    assert eleventy_settings(tmp_path) == EleventySettings("njk", "", "parts", "src/facts", ".eleventy.js")
    (tmp_path / "eleventy.config.js").write_text("c.setIncludesDirectory('../../x')", encoding="utf-8")
    assert eleventy_settings(tmp_path).includes == "_"
    for override, engine in (
        (None, "liquid"),
        ("njk,md", "njk"),
        ("md", ""),
        ("false", ""),
        (False, ""),
        ("liquid", "liquid"),
    ):
        assert engine_of(override, "liquid") == engine


def test_a_post_is_rendered_by_the_language_of_its_tool(tmp_path: Path) -> None:
    folder = Folder(tmp_path, posts=Posts(folder="src/posts", tool="eleventy"))
    for path, content in FILES.items():
        folder.file(path, content)
    for name, head, body in (
        ("njk.md", "", "{{ teas | length }}"),
        ("liquid.md", "\ntemplateEngineOverride: liquid,md", "{{ teas | size }} {% include note.njk %}"),
        ("none.md", "\ntemplateEngineOverride: md", "{{ teas }}"),
    ):
        folder.file(f"src/posts/{name}", f"---\ntitle: A\ndate: 2024-01-01{head}\n---\n{body}")
    assert folder.render("njk.md").html == "<p>2</p>\n"
    assert folder.render("liquid.md").html == "<p>2 note A</p>\n"
    assert "{{ teas }}" in folder.render("none.md").html
    assert folder.render("none.md").problems == ()


_WRITTEN = """
{{~}}~{%~%}~{#~#}~{%-~-%}~ ~```~if n~endif~for x in list~endfor~raw~endraw~comment~endcomment~else~set a~
= 1~endset~macro m(a)~endmacro~call m(1)~endcall~include~'note.njk'~note.html~title~page.title~.x~[0]~'~"~
(1..9)~range(0,9)~capture q~endcapture~assign~z = 1~note~endnote~box~endbox~case x~when 1~endcase~
cycle 'a','b'~break~highlight ruby~endhighlight~and~not~1.5~-~+~*~liquid~post_link~codeblock~endcodeblock~
|~| join(',')~| where: 'a','b'"""
_PIECES = [*_WRITTEN.replace("\n", "").split("~"), "\n"]


def test_any_text_is_rendered_or_refused(
    eleventy: Callable[[str], Expanded], hexo: Callable[[str], Expanded], tmp_path: Path
) -> None:
    folder = Folder(tmp_path, posts=Posts(folder="_posts", tool="jekyll"))
    folder.file(f"_posts/{HELLO}", HEAD)
    archive, chosen = folder.archive(), random.Random(18)
    written = WrittenPost(HELLO, f"{SITE.url}/x/", "Hello", "", "", ())

    def jekyll(body: str) -> Expanded:
        asking = Asking(written, archive.places, folder.config, HEAD + body, lambda _: None, str)
        return expand_liquid(body, asking, 200_000)

    for _ in range(60):
        tags = [f"{{% {chosen.choice(_PIECES)} {chosen.choice(_PIECES)} %}}" for _ in range(6)]
        body = " ".join(chosen.choices(_PIECES, k=20)) + "".join(tags)
        for run in (jekyll, eleventy, hexo):
            with suppress(PostError):
                found, lines = run(body), set(range(1, body.count("\n") + 2))
                assert len(found.lines) in (0, found.text.count("\n") + 1)
                assert lines.issuperset(found.lines)
                assert lines.issuperset(problem.line for problem in found.problems)
