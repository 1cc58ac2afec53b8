"""Nothing in a post can run, submit a form, or hide a URL of a dangerous kind."""

from __future__ import annotations

import gc
import re
import weakref

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lxml import html as lxml_html

from publisher.posts.rendering import allowed_html
from publisher.posts.rendering.allowed_html import (
    FRAME_SANDBOX,
    MATHML,
    SCHEMES,
    TAGS,
    Sanitiser,
    dropped_tags,
    has_safe_scheme,
    sanitise,
)
from publisher.posts.text.encoding import without_controls
from tests.support.posts_samples import PAGE, html_of

URL_ATTRIBUTES = ("href", "src", "poster", "cite", "action", "formaction", "data", "background", "xlink:href", "srcset")
SANITISER = Sanitiser()


def keep(tag: str, reference: str) -> str | None:
    """Return the reference if its scheme is safe, otherwise None, as References.absolutise does."""
    return reference if has_safe_scheme(reference, tag) else None


def assert_harmless(clean: str) -> None:
    """Parse the fragment as a browser would, and check every tag, attribute and URL."""
    for element in lxml_html.fragment_fromstring(clean, create_parent="body").iter():
        assert isinstance(element.tag, str), "no comment, no processing instruction"
        assert element.tag in TAGS | MATHML or element.tag == "body", element.tag
        for name, value in element.attrib.items():
            assert not name.startswith("on"), name
            assert name not in ("style", "srcdoc", "action", "formaction", "ping", "http-equiv"), name
            if name in URL_ATTRIBUTES:
                bare = re.sub(r"[\x00-\x20\x7f-\x9f]", "", value).lower()
                scheme = re.match(r"([a-z][a-z0-9+.-]*):", bare)
                assert not scheme or scheme[1] in SCHEMES, value
                assert not bare.startswith("data:") or bare.startswith("data:image/"), value


HOSTILE = [
    "<script>alert(1)</script>", "<ScRiPt src=//x></sCrIpT>", "<style>*{x:expression(1)}</style>",
    "<img src=x onerror=alert(1)>", "<a onclick=x href=y onmouseover='z'>t</a>", "<p style='background:url(x)'>t</p>",
    "<iframe src=javascript:alert(1)></iframe>", "<iframe srcdoc='<script>1</script>'></iframe>",
    "<svg onload=x><script>1</script><a xlink:href=javascript:1>t</a></svg>", "<math><mi xlink:href='javascript:1'>",
    "<form action=/x><input name=q><button>b</button></form>", "<object data=x.swf></object><embed src=x.swf>",
    "<base href=//evil.example>", "<meta http-equiv=refresh content='0;url=//x'>", "<link rel=stylesheet href=//x>",
    "<template><script>1</script></template>", "<noscript><p title='</noscript><img src=x onerror=1>'></noscript>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<svg></p><style><a id='</style><img src=1 onerror=alert(1)>'>", "<!--><img src=x onerror=1>-->",
    "<isindex action=javascript:1>", "<a href='data:text/html,<script>1</script>'>t</a>",
    "<table background=x><tr><td>",
    "<video><source onerror=x src=y></video>", "<input type=image src=x formaction=javascript:1>", "<textarea><script>",
    "<select><option><script>1</script></select>", "<plaintext><script>", "<xmp><script>1</script></xmp>",
    "<img src='data:image/svg+xml,<svg onload=1>'>", "<details ontoggle=x open>", "<a href=x ping=//evil>t</a>",
    "<Card><script>1</script></Card>", "<scr<Card>ipt>alert(1)</scr</Card>ipt>", "<<script>script>alert(1)</script>",
]  # fmt: skip
SPELLINGS = [
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "java\tscript:alert(1)", "java\nscript:1",
    "\x01javascript:alert(1)", "javascript&colon;alert(1)", "&#106;avascript:alert(1)", "&#x6A&#x61vascript:alert(1)",
    "jav&#x0A;ascript:alert(1)", "jav&Tab;ascript:alert(1)", "vbscript:msgbox(1)", "data:text/html;base64,PHNjcmlwdD4=",
    "data:,x", "DATA:text/html,x", "livescript:1", "mocha:1", "file:///etc/passwd", "blob:https://x/1", "about:blank",
    "view-source:https://x", "data:image/svg+xml;base64,PHN2Zz4=", "filesystem:x", "jar:x", "ws://x",
]  # fmt: skip


@pytest.mark.parametrize("fragment", HOSTILE)
@pytest.mark.parametrize("ending", ["md", "html"])
def test_nothing_hostile_survives(fragment: str, ending: str) -> None:
    clean = html_of(f"Before.\n\n{fragment}", name=f"2024-07-06-hello.{ending}", head="title: x")
    assert "Before." in clean
    assert_harmless(clean)


@pytest.mark.parametrize("reference", SPELLINGS)
@pytest.mark.parametrize(
    "template",
    [
        '<a href="{}">t</a>', "<img src='{}' alt=t>", '<iframe src="{}"></iframe>', '<video poster="{}"></video>',
        '<img srcset="{} 2x" alt=t>', '<blockquote cite="{}">t</blockquote>', '<audio src="{}"></audio>',
        '<source src="{}">', '<track src="{}">', "[t]({})", "![t]({})", "[t]\n\n[t]: {}",
    ],
)  # fmt: skip
def test_no_dangerous_url_survives_in_any_spelling(reference: str, template: str) -> None:
    clean = html_of(template.format(reference))
    assert_harmless(clean)
    for value in re.findall(r'\b(?:href|src|poster|cite|srcset)="([^"]*)"', clean):
        assert value.startswith((PAGE, "https://site.example/")), value


def test_a_picture_may_have_a_data_url_and_a_link_may_not() -> None:
    picture = "data:image/png;base64,iVBORw0KGgo="
    assert f'src="{picture}"' in html_of(f'<img src="{picture}" alt="dot">')
    assert "data:" not in html_of(f'<a href="{picture}">dot</a>')


@pytest.mark.parametrize(
    "reference",
    ["mailto:a@b.example", "tel:+49123", "https://a.example/?a=b&c=d", "xmpp:a@b", "magnet:?xt=1", "geo:1,2"],
)
def test_a_safe_url_is_kept_exactly(reference: str) -> None:
    assert f'href="{reference.replace("&", "&amp;")}"' in html_of(f"[t]({reference})")


def test_only_check_boxes_of_a_form_stay() -> None:
    clean = html_of("<input><input type=text value=x><input type='hidden'><input type=checkbox checked> t\n\n- [x] d")
    assert clean.count("<input") == clean.count('type="checkbox"') == 2


def test_only_classes_that_the_templates_use_stay() -> None:
    clean = html_of('<p class="hero language-c++ x">t</p>\n\n<div class="wp-block">u</div>')
    assert 'class="language-c++"' in clean
    assert clean.count("class=") == 1


@pytest.mark.parametrize(
    ("fragment", "names"),
    [
        ("<p>t</p>", []),
        ("<p><Foo a='b'>t</Foo><script></script>", ["Foo", "script"]),
        ("<!-- <x> -->a < b", []),
        ("", []),
    ],
)
def test_removed_tags_are_reported_once(fragment: str, names: list[str]) -> None:
    assert dropped_tags(fragment) == names


PIECES = st.sampled_from(
    [*HOSTILE, "<", ">", "</", "<!--", "-->", "<![CDATA[", "]]>", "'", '"', "=", "&lt;", "&#60;", "/", " ", "x", "\0",
     "\n", "<svg>", "<math>", "<p>", "</p>", "<table>", "<td>", "<style>", "<title>", "<script", "on", "src=", "href='",
     "<a ", "<noscript>", "<textarea>", "<template>", "<select>", "<annotation-xml encoding=text/html>", "<desc>"]
)  # fmt: skip


@settings(max_examples=2 * settings.default.max_examples, deadline=None)
@given(st.lists(PIECES | st.text(max_size=4), max_size=10).map("".join))
@example("<table><a href='</table><img src=x onerror=1>'>")
def test_no_mixture_of_hostile_pieces_survives(fragment: str) -> None:
    clean = SANITISER.clean(fragment, keep)
    if clean.strip():
        assert_harmless(without_controls(clean)[0])
    assert SANITISER.clean(clean, keep).split() == SANITISER.clean(SANITISER.clean(clean, keep), keep).split()


@pytest.mark.parametrize(
    "fragment",
    ["<a " * 20_000, "<img srcset='" + "a, " * 20_000 + "'>", "<p title='" * 5_000, "<x y='" * 5_000, "<" * 50_000],
)
def test_a_monstrous_fragment_is_cleaned(fragment: str) -> None:
    assert_harmless(sanitise(f"<p>x</p>{fragment}", keep))


def test_a_sanitiser_keeps_no_post_in_memory() -> None:
    class Posts:
        def __init__(self) -> None:
            self.sanitiser = Sanitiser()

        def absolutise(self, tag: str, reference: str) -> str:
            return f"https://a.example/{reference}"

    posts = Posts()
    assert "https://a.example/b" in posts.sanitiser.clean('<a href="b">c</a>', posts.absolutise)
    gone = weakref.ref(posts), weakref.ref(posts.sanitiser)
    del posts
    gc.collect()
    assert [reference() for reference in gone] == [None, None]


@pytest.mark.parametrize("written", ["", " sandbox", ' sandbox="allow-top-navigation"', " SANDBOX=allow-downloads"])
def test_every_frame_has_the_same_sandbox(written: str) -> None:
    clean = sanitise(f'<iframe src="https://video.example/1"{written}></iframe>', lambda tag, reference: reference)
    assert clean.count("sandbox=") == 1
    assert f'sandbox="{FRAME_SANDBOX}"' in clean
    assert "allow-top-navigation" not in clean


@pytest.mark.parametrize(
    ("style", "width"),
    [
        ("width:40px", "40"), ("border: 0; WIDTH: 40.5px !important", "40"), ("width:50%;", "50%"),
        ("width: 2em", "32"), ("max-width: 40px", None), ("width:auto", None), ("width:expression(1)", None),
        ("", None),
    ],
)  # fmt: skip
def test_the_width_in_the_style_of_a_picture_is_kept(style: str, width: str | None) -> None:
    result = html_of(f'<p><img src="https://a.example/a.png" alt="a" width="7" height="8" style="{style}"></p>')
    assert "style" not in result
    assert re.findall(r' (width|height)="([^"]*)"', result) == (
        [("width", width)] if width else [("width", "7"), ("height", "8")]
    )


@given(st.lists(st.sampled_from((
    *("<p>", "</p>", "<a href='/x'>", "</a>", "<IMG src=/a.png style='width: 9px'>", "<image src=/a.png>", "words"),
    *("<input type=checkbox>", "<isindex>", "<iframe src='/a'>", "<math>", "<mi>", "</math>", "<Card>", "<x"),
    *("<table>", "<td>", "<li>", "<select>", "-->", "<svg>", "<b title='<math'>", "'", '"', "<!--"),
)), max_size=12))  # fmt: skip
def test_usual_tags_are_cleaned_like_all_others(pieces: list[str]) -> None:
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(allowed_html, "_USUAL", frozenset())
        long_way = SANITISER.clean("".join(pieces), lambda tag, reference: reference)
    assert SANITISER.clean("".join(pieces), lambda tag, reference: reference) == long_way
