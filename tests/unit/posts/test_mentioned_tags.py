"""A tag that a sentence only mentions stays a word and formats nothing after it; real tags stay tags."""

from __future__ import annotations

from publisher.posts.rendering.allowed_html import sanitise
from publisher.posts.rendering.commonmark import _markdown
from publisher.posts.rendering.lone_tags import may_swallow, settle_markdown
from tests.support.posts_samples import rendered, said

ORDINARY = """
    a abbr b blockquote cite code dd del dfn div dl dt em figcaption figure h1 h2 h6 i img input ins kbd label li mark
    ol optgroup option p q s samp section small span strike strong sub summary sup time tt u ul var button
    form Foo string
""".split()  # noqa: SIM905 - as in allowed_html
PLACES = (
    "Use the {} tag here.\n\nNext **bold**.",
    "Use the\n{} tag here.\n\nNext **bold**.",
    "- Take an {}, please here.\n- Next **bold**.",
    "| Use a {} tag here. |\n|---|\n| Next **bold**. |",
    "## Use the {} tag here.\n\nNext **bold**.",
    "> Use *the {} tag* here.\n\nNext **bold**.",
    "Use ({}) here.\n\nNext **bold**.",
)
MENTIONED = {
    "Prefer <strong> over <b>, and <em>": "Prefer <strong> over <b>, and <em>",
    "if a<b>c then": "if a<b>c then",
    "vector<int> and List<String> of <your name>": "vector<int> and List<String> of <your name>",
    "Map<String, List<Integer>> m": "Map<String, List<Integer>> m",
    "Between <b> and </b> it is bold": "Between <b> and </b> it is bold",
    "A <label> or a </label> and a </p> tag": "A <label> or a </label> and a </p> tag",
    "Begin <s>, then\n\nend it with the </s> tag": "Begin <s>, then\nend it with the </s> tag",
    "<s>\nold\n\nnew": "<s>\nold\nnew",
    "Never write <br>, use a <br> tag or <hr/>.": "Never write <br>, use a <br> tag or <hr/>.",
    "A <Card title='x'/> b": "A <Card title='x'/> b",
    "<p> is a paragraph.\n\nb": "<p> is a paragraph.\nb",
    "Never use <li>\nor <p>": "Never use <li>\nor <p>",
    "the <button type=submit> tag": "the <button type=submit> tag",
    "an <input type='text'> field": "an <input type='text'> field",
    "<div>\nThe <b> tag, and <i>, too\n</div>\n\nb": "<div>\nThe <b> tag, and <i>, too\n</div>\nb",
    "<li> elements are in a list": "<li> elements are in a list",
    "Use <b> here; a <b>bold</b> word": "Use <b> here; a [b]bold[/b] word",
    "An <a href='https://a.example/'>open link\n\nb": "An <a href='https://a.example/'>open link\nb",
}
MEANT = {
    "<b>bold</b> <i>it <u>under</u></i>": "<b>bold</b> <i>it <u>under</u></i>",
    "<i>A quotation\n\nof two parts</i>": "<p><i>A quotation</i></p><i>\n</i><p><i>of two parts</i></p>",
    "<p> It is a paragraph.\n<p>Is it?": "<p> It is a paragraph.\n</p><p>Is it?",
    "One.<p>Two. <p> Three</p>": "<p>One.</p><p>Two. </p><p> Three</p>",
    "One <br> two<br/>three.<br>\nfour": "One <br> two<br>three.<br>\nfour",
    "A word.</b> B</p>": "<p>A word. B</p>",
    '<a name="top">A and <a id="x"/> b': '<p><a name="top"></a>A and <a id="x"></a> b</p>',
    'A <span style="x">b <font color="red">c': "<p>A <span>b c",
    "<ul>\n<li>One\n<li>Two\n</ul>": "<ul>\n<li>One\n</li><li>Two\n</li></ul>",
    "<div>\n\nA <b>b</b>\n\n</div>": "<div>\n<p>A <b>b</b></p>\n</div>",
    "- [x] done <input type='checkbox'>": '<input type="checkbox" checked="" disabled=""> done <input type="checkbox">',
    "<select><option>A<option>B</select>": "\nA\nB",
    "<div>\nThe <b>bold</b> tag, <i>\n</div>": "<div>\nThe <b>bold</b> tag, <i>\n</i></div>",
    "<form>A <input type=text> b</form>": "A  b",
    "A <embed src='x'> b": "<p>A  b</p>",
    "<label>A</label> <custom-tag>b</custom-tag>": "<p>A b</p>",
    "<https://a.example/> <me@a.example> 1 < 2": '<a href="https://a.example/">https://a.example/</a>',
    "`<b>` and <code>&lt;b></code>": "<code>&lt;b&gt;</code> and <code>&lt;b&gt;</code>",
}


def cleaned(body: str) -> str:
    """Return the sanitised HTML of a body, in which tags that are only mentioned are text."""
    html = settle_markdown(body, _markdown).html if may_swallow(body) else _markdown(body)
    return sanitise(html, lambda tag, reference: reference)


def test_a_lone_tag_in_a_sentence_is_a_word() -> None:
    for place in PLACES:
        for name in ORDINARY:
            for tag in (f"<{name}>", f"</{name}>"):
                if place[7:9] == "\n{" and name.lower() not in ("a", "b", "em", "i", "s", "string", "label"):
                    continue  # a line with this beginning may be a block of HTML, or an intended paragraph
                if tag[1] == "/" and (place[7:9] == "\n{" or name in ("img", "input")):
                    continue  # many people write real closing tags at the beginning of a line
                html = cleaned(place.format(tag))
                assert tag.replace("<", "&lt;").replace(">", "&gt;") in html, (tag, html)
                assert "here." in html.replace("</em> ", "") and "Next <strong>bold</strong>" in html, (
                    place,
                    tag,
                    html,
                )


def test_a_mentioned_tag_is_shown_as_written() -> None:
    for body, words in MENTIONED.items():
        html = cleaned(body).replace("&lt;", "\x01").replace("&gt;", "\x02")
        html = html.replace("<b>", "[b]").replace("</b>", "[/b]").replace("<p>", "").replace("</p>", "").strip()
        text = html.replace("\x01", "<").replace("\x02", ">").replace("‘", "'").replace("’", "'")
        assert text == words, html


def test_an_intended_tag_stays_a_tag() -> None:
    for body, expected in MEANT.items():
        assert expected in cleaned(body), cleaned(body)


def test_a_check_reports_mentioned_tags_and_removed_fields() -> None:
    body = "Shops love\n<s> here.\n\nA vector<int> and <br>.\n\n<form><input type='text'></form>"
    assert sorted(said(rendered(body))) == [
        (5, "<s> is shown as text, because it is never closed"),
        (7, "<br> is shown as text, because it seems to be a word in the sentence"),
        (7, "<int> is shown as text, because it isn't allowed in a post"),
        (9, "the HTML tag <form> was removed"),
        (9, "the HTML tag <input> was removed"),
    ]
