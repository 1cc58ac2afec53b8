"""Liquid in bodies gives the same output as in Jekyll and Eleventy, unsupported tags stay, and its cost is limited."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from publisher.config import Posts
from publisher.core.errors import PostError
from publisher.core.models import Severity
from publisher.posts.body_templates.liquid_bodies import expand_liquid
from publisher.posts.body_templates.liquid_lexer import LiquidText
from publisher.posts.body_templates.site_values import Asking
from publisher.posts.places import WrittenPost
from publisher.posts.rendering.commonmark import settled_html
from publisher.posts.tags.expanded import Expanded
from tests.support import ROOT
from tests.support.posts_samples import HELLO, SITE, Folder

HEAD = "---\ntitle: Hello\nn: 5\nflag: true\nname: Ada\nlist: [b, a]\n---\n"
FILM = '<iframe src="https://www.youtube.com/embed/ab-1" allowfullscreen></iframe>'
JEKYLL = {
    "_config.yml": "title: The blog\ncollections: {books: {output: true}}\nowner: {name: Ada}\n",
    "_data/releases.yml": '- {version: "2.7", url: {zip: "https://x.example/2.zip"}}\n'
    '- {version: "3.0", url: {zip: "https://x.example/3.zip"}, year: 2020}\n',
    "_data/deep/people.json": '{"ada": {"name": "Ada Lovelace"}}',
    "_data/table.csv": "name,age\nAda,36\n",
    "_data/broken.yml": "a: [",
    "_includes/note.html": '<div class="{{ include.kind | default: "info" }}">{{ include.text }}</div>',
    "_includes/deep/a.html": "{% include deep/b.html %}!",
    "_includes/deep/b.html": "b",
    "_includes/loop.html": "x{% include loop.html %}",
    "_includes/ada.html": "for Ada",
    "_books/one.md": "---\ntitle: A book\n---\n",
    "about.md": "---\ntitle: About\npermalink: /about-me/\n---\n",
    "contact.html": "---\n---\n",
    "assets/a b.png": "",
    "secret.md": "secret",
    "templates/shortcodes/image.html": '<img src="{{ args[0] }}" alt="{{ args[1] }}" width="{{ named.width }}">',
    "templates/shortcodes/box.html": "<aside>{{ inner }}</aside>",
    "_posts/part.txt": "a part",
}


@pytest.fixture(scope="module")
def jekyll(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    folder = Folder(tmp_path_factory.mktemp("jekyll"), posts=Posts(folder="_posts", tool="jekyll"))
    folder.file(f"_posts/{HELLO}", HEAD)
    folder.file("_posts/2024-07-01-before.md", "---\ntitle: Before\ntags: [x, y]\n---\n")
    for path, content in JEKYLL.items():
        folder.file(path, content)
    (folder.root / "_includes/out.html").symlink_to("/etc/passwd")
    return folder


def _markdown(text: str) -> str:
    return settled_html(text)[0].html.strip()


def run(folder: Folder, body: str, most: int = 200_000) -> Expanded:
    """Run the Liquid in this text as if it were the body of the post HELLO, and return the result."""
    places = folder.archive().places
    url = SITE.url + places.permalinks.get(HELLO, "/hello/")
    post = WrittenPost(HELLO, url, "Hello", "", "", ())
    link = {"2024-07-01-before": f"{SITE.url}/2024/07/01/before/"}.get
    return expand_liquid(body, Asking(post, places, folder.config, HEAD + body, link, _markdown), most)


def test_a_page_that_was_moved_to_the_folder_of_pages_is_linked_by_its_earlier_path(tmp_path: Path) -> None:
    folder = Folder(tmp_path, posts=Posts(folder="_posts", tool="jekyll"))
    folder.file(f"_posts/{HELLO}", HEAD + "[a]({% link about.md %}) [b]({% link /team/ada.md %}) [c](../about.md)")
    folder.file("pages/team/ada.md", "---\ntitle: Ada\npermalink: /ada.html\n---\n")
    assert [problem.message for problem in folder.render().problems] == [
        "broken link: about.md is not a post, a page or a file",
        "broken link: ../about.md is not a published post",
    ]
    folder.build()
    for address in ("/about/", "/about.html"):  # a build knows that the post depends on the page
        folder.file("pages/about.md", f"---\ntitle: About\npermalink: {address}\n---\n")
        folder.build()
        page = folder.public()["2024/07/06/hello/index.html"].decode()
        assert f'href="../../../..{address}">a</a>' in page
        assert 'href="../../../../ada.html">b</a>' in page
        assert f'href="../../../..{address}">c</a>' in page
    assert folder.render().problems == ()


def test_liquid_is_run_as_in_jekyll(jekyll: Folder) -> None:
    for body, expected in (
        (
            "{{ site.title }}, {{ site.owner.name }}, {{ site.url }}{{ site.baseurl }}/x",
            "The blog, Ada, https://site.example/x",
        ),
        ("{{ page.title }} {{ page.n | plus: 1 }} {% if page.flag %}yes{% else %}no{% endif %}", "Hello 6 yes"),
        ("{{ page.list | sort | join: ', ' }} {{ page.nothing }}.", "a, b ."),
        ("{{ page.date | date: '%-d %B %Y' }} {{ page.url }}", "6 July 2024 /2024/07/06/hello/"),
        ("a {%- if true -%} b {%- endif -%} c", "abc"),
        (
            "[a]({{ '/x/' | relative_url }}) ![b]({{ \"b.png\" | absolute_url }})",
            "[a](/x/) ![b](https://site.example/b.png)",
        ),
        ("{{ 'https://y.example/' | relative_url }} {{ '/x' | url }} {{ 'x' | url }}", "https://y.example/ /x x"),
        (
            "{% assign r = site.data.releases | where: 'version', '3.0' | first %}{{ r.url.zip }} {{ r.none }}",
            "https://x.example/3.zip ",
        ),
        ("{% assign r = site.data.releases | where_exp: 'item', 'item.year > 2000' | map: 'version' %}{{ r }}", "3.0"),
        (
            "{{ site.data.deep.people.ada.name }} {{ site.data.deep['people'].ada['name'] }}",
            "Ada Lovelace Ada Lovelace",
        ),
        ("{% for row in site.data.table %}{{ row.name }}:{{ row.age }}{% endfor %}", "Ada:36"),
        ("{% include note.html text='Mind \"it\"' %}", '<div class="info">Mind "it"</div>'),
        ('{% include note.html text=page.title kind="b" %}', '<div class="b">Hello</div>'),
        ("{% include deep/a.html %} {% include {{ page.name | downcase }}.html %}", "b! for Ada"),
        ("{% include_relative part.txt %}", "a part"),
        (
            "[x]({% link about.md %}) {%link contact.html%} {% link assets/a b.png %}",
            "[x](/about-me/) /contact.html /assets/a%20b.png",
        ),
        ("{% post_url 2024-07-01-before %}", "https://site.example/2024/07/01/before/"),
        (
            "{% for p in site.posts %}{{ p.title }} {{ p.tags | join: '+' }}{{ p.url }};{% endfor %}",
            "Hello /2024/07/06/hello/;Before x+y/2024/07/01/before/;",
        ),
        (
            "{% for b in site.books %}{{ b.title }}{% endfor %} {{ site.tags.x.size }} {{ site.posts.size }}",
            "A book 1 2",
        ),
        ("{% raw %}{{ x }} {% y %}{% endraw %}", "{{ x }} {% y %}"),
        ("a{% comment %} {{ x }}\n{% comment %}{% endcomment %}{% if %}{% endcomment %}b{% # c %}", "ab"),
        ("{% highlight ruby %}\nputs {{ page.n }}\n{% endhighlight %}", "```ruby\nputs 5\n```"),
        ("x {% highlight sh %}<ls>{% endhighlight %}", 'x <pre><code class="language-sh">&#60;ls&#62;</code></pre>'),
        ("```\n{{ page.title }}\n```", "```\nHello\n```"),
        ('{% image "a.png", "Words" width="3" %}', '<img src="a.png" alt="Words" width="3">'),
        ('{% image page.title "b" %}', '<img src="Hello" alt="b" width="">'),
        ("{% box %}*in* {{ page.n }}{% endbox %}", "<aside>*in* 5</aside>"),
        ("{% capture x %}{{ page.n }}{% endcapture %}{{ x }}{% unless x == '5' %}no{% endunless %}", "5"),
        ("{{ 'a b' | slugify }} {{ '<b>' | xml_escape }} {{ page.list | jsonify }}", 'a-b &lt;b&gt; ["b","a"]'),
        ("{{ page.list | array_to_sentence_string }} {{ '*x*' | markdownify }}", "b and a <p><em>x</em></p>\n"),
        ("{% include_cached deep/b.html %} {% link _books/one.md %}", "b /books/one.html"),
        ("{% youtube https://youtu.be/ab-1?t=3 %}", FILM),
        ("{% youtube 'https://www.youtube.com/watch?v=ab-1&t=3' %}{% youtube ab-1 %}", FILM + FILM),
        ("{% gist ada/1 %}", '<a href="https://gist.github.com/ada/1">https://gist.github.com/ada/1</a>'),
        ("{{ nothing | default: 'y' }} {% if nothing.x %}1{% endif %}", "y "),
        ("{{ and }} {{", "{{ and }} {{"),
    ):
        found = run(jekyll, body)
        assert found.text == expected, body
        if "{{ and" not in body:
            assert found.problems == (), body


def _other(name: str) -> str:
    return "/b/o/2024/01/02/other.html"


def test_jekyll_itself_has_the_same_output(tmp_path: Path) -> None:
    recorded = json.loads((ROOT / "tests/data/jekyll_liquid.json").read_text(encoding="utf-8"))
    site = replace(SITE, url="https://site.example/b", timezone="UTC")
    posts = Posts(
        folder="_posts", tool="jekyll", time="00:00", permalink="/{categories}/{year}/{month}/{day}/{name}.html"
    )
    folder = Folder(tmp_path, site, posts=posts)
    for path, text in recorded["files"].items():
        folder.file(path, text)
    folder.file("_posts/2024-01-02-other.html", "---\ntitle: Other\ncategories: [o]\ntags: t2\n---\n")
    head = f"---\n{recorded['head']}---\n"
    for number, case in enumerate(recorded["cases"]):
        folder.file(f"_posts/2024-07-06-c{number:02}.html", head + case["body"] + "\n")
    archive = folder.archive()
    for source in [source for source in archive.places.permalinks if "/" not in source and "-c" in source]:
        case = recorded["cases"][int(source[12:14])]
        (post,) = archive.load([source])
        written = WrittenPost(source, post.url, post.title, "", "", ())
        link = {
            "2024-01-02-other": "/b/o/2024/01/02/other.html",
            "_posts/2024-01-02-other.html": "/b/o/2024/01/02/other.html",
        }
        asking = Asking(written, archive.places, folder.config, head + case["body"], link.get, _markdown)
        assert expand_liquid(case["body"], asking, 200_000).text.rstrip() == case["jekyll"].rstrip()


def test_text_that_cannot_be_run_stays_and_is_an_error(jekyll: Folder) -> None:
    for body, message in (
        ("{% picture a.png %}", "Liquid cannot be run here, and is shown as written: {% picture %}"),
        ("{{ contact.FIRST }}", "Liquid cannot be run here, and is shown as written: {{ contact.FIRST }}"),
        (
            "{{ page.title | made_up }}",
            "Liquid cannot be run here, and is shown as written: {{ page.title | made_up }}",
        ),
        ("{% note %}x{% endnote %}", "Liquid cannot be run here, and is shown as written: {% note %}"),
        ("{% if page.x === 1 %}a{% endif %}", None),
        ("{% if page.x %}a", "{% if page.x … is not valid Liquid and will be shown as is: nothing closes it"),
        ("{% raw %}a", "{% raw … is not valid Liquid and will be shown as is: nothing closes it"),
        ("{% include none.html %}", "the include none.html doesn't exist in _includes/"),
        ("{% include ../secret.md %}", "the include ../secret.md doesn't exist in _includes/"),
        ("{% include /etc/passwd %}", "the include /etc/passwd doesn't exist in _includes/"),
        ("{% include out.html %}", "the include out.html doesn't exist in _includes/"),
        ("{% include_relative ../secret.md %}", "the include ../secret.md doesn't exist in _posts/"),
        ("{% link none.md %}", "broken link: none.md is not a post, a page or a file"),
        ("{% link ../x %}", "broken link: ../x is not a post, a page or a file"),
        ("{% post_url 2000-01-01-none %}", "broken link: 2000-01-01-none is not a post"),
        ("{{ site.data.broken.a }}", None),
    ):
        found = run(jekyll, body)
        assert found.text == body
        assert [problem.line for problem in found.problems if problem.is_error]
        assert message is None or message in [problem.message for problem in found.problems], body


def test_shortcodes_are_left_for_their_own_step(jekyll: Folder) -> None:
    body = 'a {{< cup size="small" >}} {{% note %}}b{{% /note %}} {{<y>}}\n\n    {{< cup "{{ page.n }}" >}}'
    found = run(jekyll, body)
    assert (found.text, found.problems) == (body.replace("{{ page.n }}", "5"), ())


def test_code_may_show_unknown_tags(jekyll: Folder) -> None:
    body = "`{{ secrets.KEY }}` and\n\n```yaml\nrun: ${{ secrets.KEY }} {% made_up %}\n```"
    assert run(jekyll, body) == Expanded(body, files=run(jekyll, body).files)


def test_missing_data_leaves_the_text_and_is_reported(jekyll: Folder) -> None:
    body = "{% assign r = site.data.none | where: 'v', '1' | first %}{{ r.zip }}\n\n{{ r.xz }} {{ r.gz }}"
    found = run(jekyll, body)
    assert found.text == "{{ r.zip }}\n\n{{ r.xz }} {{ r.gz }}"
    assert [(each.line, each.message) for each in found.problems] == [
        (1, "Liquid uses names that don't exist: site.data.none"),
        (1, "Liquid cannot be run here, and is shown as written: {{ r.zip }}, {{ r.xz }}, {{ r.gz }}, on 2 lines"),
    ]
    assert "_data/none.yml" in found.files


def test_line_numbers_are_those_of_the_writer(jekyll: Folder) -> None:
    body = "one\n{% for i in (1..2) %}\n- {{ i }}\n{% endfor %}\n{% include note.html text='a' %}\nlast"
    found = run(jekyll, body)
    lines = found.text.split("\n")
    assert found.line_of(lines.index("last") + 1) == 6
    assert [found.line_of(number) for number, line in enumerate(lines, 1) if line.startswith("- ")] == [3, 3]
    assert found.line_of(lines.index('<div class="info">a</div>') + 1) == 5


def test_the_cost_of_liquid_is_limited(jekyll: Folder) -> None:
    for body, said in (
        ("\n{% for i in (1..1000000000) %}x{% endfor %}", "its Liquid was stopped: loops run more than 100,000 times"),
        ("{% for i in (1..999) %}{% for j in (1..999) %}{% endfor %}{% endfor %}", "more than 100,000 times"),
        ("{% for i in (1..90000) %}{{ page.title }}{% endfor %}", "the text becomes longer than 200,000 characters"),
        (
            "{% assign a = 'xxxxxxxxxx' %}{% for i in (1..99) %}{% assign a = a | append: a %}{% endfor %}",
            "a value has more than 1,000,000 characters",
        ),
        (
            "{% assign a = 'a,b' | split: ',' %}{% for i in (1..99) %}{% assign a = a | concat: a %}{% endfor %}",
            "a list has more than 100,000 items",
        ),
        ("{% include loop.html %}", "its Liquid includes files that include each other without end"),
        ("{% if true %}" * 60 + "{% endif %}" * 60, "its Liquid is nested too deeply"),
        ("{% capture a %}{% for i in (1..90000) %}12345{% endfor %}{% endcapture %}", "was stopped"),
    ):
        with pytest.raises(PostError, match=said):
            run(jekyll, body)


def test_a_text_is_read_in_linear_time() -> None:
    for unit in (
        "{%",
        "{{",
        "{% raw %}",
        "{% comment %}",
        "{{ '",
        '{{ "a',
        "{% a",
        "{%- ",
        "{{{{'",
        "{% a %}{% enda %}",
    ):
        assert LiquidText(unit * 20_000).tokens


def test_problems_of_a_rendered_post_have_the_lines_of_its_file(tmp_path: Path) -> None:
    folder = Folder(tmp_path, posts=Posts(folder="_posts", tool="jekyll"))
    folder.file("_data/x.yml", "a: 1\n")
    body = "{% for i in (1..9) %}\n- {{ i }} {{ site.data.x.a }}\n{% endfor %}\n\n[x](none.md)\n\n{% image a %}\n"
    os.utime(folder.file(f"_posts/{HELLO}", f"---\ntitle: A title\n---\n{body}"), (10**9, 10**9))
    made = folder.render()
    assert made.html.count("<li>") == 9
    assert [(each.line, each.severity) for each in made.problems] == [(10, Severity.ERROR), (8, Severity.WARNING)]
    assert "{%" not in made.excerpt
    folder.build()
    digest = folder.archive(keep=True).digest(HELLO)
    folder.file("_data/x.yml", "a: 22\n")
    archive = folder.archive(keep=True)
    assert archive.digest(HELLO) != digest
    assert "_data/x.yml" in archive.awaited()


def test_liquid_may_be_anywhere_in_markdown(tmp_path: Path) -> None:
    folder = Folder(tmp_path, posts=Posts(folder="_posts", tool="jekyll"))
    folder.file("_config.yml", "repository: https://code.example/r\n")
    body = (
        "## About {{- ' ' -}} {{ page.n }}\n\n[bugs]({{ site.repository }}/issues) [x][r]\n\n"
        "![b]({{ site.baseurl }}/b.png)\n\n"
        '<img src="{{ "/c.png" | relative_url }}" alt="c">\n\n'
        "| a |\n| - |\n{% for i in (1..2) %}| {{ i }} |\n{% endfor %}\n"
        "[r]: {{ site.repository }}/y\n\n{% image 'x' %}\n"
    )
    folder.file(f"_posts/{HELLO}", f"---\ntitle: A title\nn: 5\n---\n{{% picture 'y' %}}\n\n{body}")
    for name in ("b.png", "c.png"):
        folder.file(name, b"")
    made = folder.render()
    links = 'href="https://code.example/r/issues"', 'href="https://code.example/r/y"'
    for part in (">About 5<", *links, f'src="{SITE.url}/b.png"', f'src="{SITE.url}/c.png"', "<td>1</td>", "<td>2</td>"):
        assert part in made.html, part
    assert {("b.png", "b.png"), ("c.png", "c.png")} <= set(made.assets)
    said = "Liquid cannot be run here, and is shown as written: {% picture %}, {% image %}, on 2 lines"
    assert [each.message for each in made.problems if "Liquid" in each.message] == [said]
    assert "{%" not in made.excerpt


def test_a_post_may_say_that_it_has_no_liquid(tmp_path: Path) -> None:
    folder = Folder(tmp_path, posts=Posts(folder="_posts", tool="jekyll"))
    folder.file("_posts/2024-07-05-run.md", "---\ntitle: Run\n---\n{{ page.title }}")
    folder.file(f"_posts/{HELLO}", "---\ntitle: A title\nrender_with_liquid: false\n---\n{{ page.title }} {% x %}")
    assert (folder.render().html, folder.render().problems) == ("<p>{{ page.title }} {% x %}</p>\n", ())
    assert folder.render("2024-07-05-run.md").html == "<p>Run</p>\n"


def test_liquid_is_run_only_for_its_tools(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(HELLO, "{{ page.title }}")
    assert "{{ page.title }}" in folder.render().html
