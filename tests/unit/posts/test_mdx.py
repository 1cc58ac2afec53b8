"""MDX is read as Markdown, and none of its code is run or shown."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from publisher.config import Posts, Tool
from publisher.core.models import RenderedPost, Severity
from publisher.posts.formats.jsx_calls import calls_of
from publisher.posts.formats.mdx import without_modules
from publisher.posts.markup import BrokenPost
from tests.support.posts_samples import URL, Folder

NAME = "2024-07-06-hello.mdx"
PAGE = f"{URL}/2024/07/06/hello/"


def shown(
    body: str, tool: Tool = "astro", name: str = NAME, head: str = "title: A title", **templates: str
) -> RenderedPost:
    with tempfile.TemporaryDirectory() as root:
        folder = Folder(Path(root), posts=Posts(tool=tool))
        folder.write(name, body, head)
        folder.file("posts/a.png", b"")
        for each, text in templates.items():
            folder.file(f"templates/shortcodes/{each}.html", text)
        return folder.render(name, inspect=False)


def html(body: str, **more: str) -> str:
    result = shown(body, **more)  # type: ignore[arg-type]
    assert [p for p in result.problems if "a.png" not in p.message] == [], body
    return result.html.strip()


def test_mdx_is_read_without_its_code() -> None:
    for body, expected in (
        ("# Hi\n\n*a* -- b", '<h1 id="hi">Hi</h1>\n<p><em>a</em> – b</p>'),
        ("import A from './a'\nimport {\n  B,\n} from 'b'\n\nA", "<p>A</p>"),
        ("export const x = {\n  a: 1,\n\n  b: 2,\n}\n\nA", "<p>A</p>"),
        ("import './x.css';\nA", "<p>A</p>"),
        ("export default function L({ children }) {\n  return <b>{children}</b>\n}\n\nA", "<p>A</p>"),
        ("```js\nimport A from 'a'\nexport const x = <B/>\n```", '<pre><code class="language-js">import A from \'a\'\n'
         "export const x = &lt;B/&gt;\n</code></pre>"),
        ("`<A/>` and `{x}` \\{x} \\<A>", "<p><code>&lt;A/&gt;</code> and <code>{x}</code> {x} &lt;A&gt;</p>"),
        ("A{/* no\n\nno */} b{' '}c {\"d\"} {`e`} {5}", "<p>A b c d e 5</p>"),
        ("{frontMatter.title} {props.frontmatter.deep.er}", "<p>A title 7</p>"),
        ('<div className="x" style={{color: "red"}}>\n*a*\n\n- b\n</div>',
         "<div>\n<p><em>a</em></p>\n<ul>\n<li>b</li>\n</ul>\n</div>"),
        ("A <b onClick={() => { x(\"}\") }}>*c*</b><br/>d", "<p>A <b><em>c</em></b><br>d</p>"),
        ("<>\n\n**a**\n\n</>", "<p><strong>a</strong></p>"),
        ("<img src={require('./a.png').default} alt=\"A\" />", f'<p><img src="{PAGE}a.png" alt="A"></p>'),
        ("import pic from './a.png'\n\n<Image src={pic} alt=\"A\" />", f'<p><img src="{PAGE}a.png" alt="A"></p>'),
        ("<style>{`p { color: red }`}</style>\n\nA", "<p>A</p>"),
        ("## A {#b}\n\n:::note[T]{x=y}\n\nB\n\n:::",
         '<h2 id="a"><a id="b"></a>A</h2>\n<div class="markdown-alert markdown-alert-note">\n'
         '<p class="markdown-alert-title">T</p>\n<p>B</p>\n</div>'),
        ("Mathematics: $\\frac{a}{b}$", '<p>Mathematics: <code class="math">\\frac{a}{b}</code></p>'),
        ("1 < 2 and a <b", "<p>1 &lt; 2 and a &lt;b</p>"),
    ):  # fmt: skip
        assert html(body, head="title: A title\ndeep: {er: 7}") == expected, body


def test_built_in_components_of_tools_are_shown_as_in_the_tools() -> None:
    for body, expected in (
        ('<Admonition type="tip" title="T">\n  A\n</Admonition>',
         '<div class="markdown-alert markdown-alert-tip"><p class="markdown-alert-title">T</p>\n<p>A</p>\n</div>'),
        ("<Tabs>\n  <TabItem label='One'>\n\n    - x\n      - y\n\n    ```js\n      z\n    ```\n  </TabItem>\n</Tabs>",
         '<p><strong>One</strong></p>\n<ul>\n<li>x\n<ul>\n<li>y</li>\n</ul>\n</li>\n</ul>\n'
         '<pre><code class="language-js">  z\n</code></pre>'),
        ('<Link to="/a">*b*</Link>', f'<p><a href="{URL}/a"><em>b</em></a></p>'),
        ('<CodeBlock language="js">{`a < b`}</CodeBlock>', '<pre><code class="language-js">a &lt; b\n</code></pre>'),
    ):  # fmt: skip
        assert html(body) == expected, body
    assert "youtube.com/embed/abc" in html('<YouTube id="https://youtu.be/abc" />')
    assert "youtube.com/embed/abc" in html("<LiteYouTubeEmbed id='abc' />")


def test_a_component_is_rendered_with_the_template_of_the_owner() -> None:
    body = "<Box a={1} b='c' on>\n  **x**\n</Box>"
    assert html(body, Box="<p>{{ a }}{{ b }}{{ on }}</p><div>{{ inner }}</div>") == (
        "<p>1cTrue</p><div>\n<p><strong>x</strong></p>\n</div>"
    )
    assert html("A <Box/>.", Box="<i>b</i>") == "<p>A <i>b</i>.</p>"
    assert html("<Note>a</Note>", Note="<p>mine {{ inner }}</p>") == "<p>mine a</p>"


def test_unknown_components_are_reported_with_their_lines() -> None:
    result = shown(
        "import A from 'a'\n\n<Card2 x={y}>\n\n*a*\n\n</Card2>\n\n<Map2 lat={1} />\n\n{list.map((x) => <b>{x}</b>)}"
    )
    assert result.html.strip() == "<p><em>a</em></p>"
    assert [(p.line, p.message.partition(" is ")[0]) for p in result.problems] == [
        (6, "the component Card2"),
        (12, "the component <Map2>"),
        (14, "the expression {list.map((x) => <b>{x}</b>)}"),
    ]
    assert "templates/shortcodes/Card2.html" in result.problems[0].hint
    assert [p.line for p in shown("import A from 'a'\n\n{/*\n\n*/}\n\n{{< x >}}").problems] == [10]


def test_markdown_of_docusaurus_is_mdx() -> None:
    body = "import A from 'a'\n\n<A2>b</A2> {/* c */}"
    assert shown(body, "docusaurus", "2024-07-06-hello.md").html == "<p>b</p>\n"
    assert "import" in shown(body, "", "2024-07-06-hello.md").html
    styled = shown('<div style={{margin: "auto"}}>b</div>\n\n{page.x}', "docusaurus", "2024-07-06-hello.md")
    assert [each.message for each in styled.problems] == [
        "the expression {page.x} is not run, and nothing is shown for it"
    ]


def test_the_title_of_mdx_is_its_first_heading() -> None:
    result = shown("import A from 'a'\n\n# Tea\n\nx", head="date: 2024-07-06")
    assert (result.post.title, result.html) == ("Tea", "<p>x</p>\n")


def test_hostile_mdx_costs_little() -> None:
    for part in (
        "<A>",
        "<A ",
        "<A {",
        "{",
        "<A b={`",
        "import A from\n",
        "export const a = {\n\n",
        "</A>",
        "<A>\n</A>\n",
    ):
        text = without_modules(part * 10_000)
        assert len(calls_of(text, {})) <= 10_000
    nested = "<Q>\n" * 2_000 + "</Q>\n" * 2_000
    with pytest.raises(BrokenPost, match="nested more than 100 deep"):
        shown(nested)


def test_an_import_of_text_that_is_not_read_is_an_error() -> None:
    for path, use in (
        ("!!raw-loader!./x.js", "{raw}"),
        ("./x.js?raw", "{ raw }"),
        ("!!raw-loader!./x.js", '<CodeBlock language="js">{raw}</CodeBlock>'),
    ):
        result = shown(f"import raw from '{path}';\n\nA\n\n{use}", tool="docusaurus")
        (problem,) = result.problems
        assert (result.html, problem.line, problem.severity) == ("<p>A</p>\n", 8, Severity.ERROR), use
        assert problem.message.startswith("the file ./x.js"), use
    assert html("import raw from './x.js?raw'\n\n{'raw'} `{raw}`") == "<p>raw <code>{raw}</code></p>"
