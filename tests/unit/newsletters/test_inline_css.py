"""CSS that premailer alone would drop or misplace is inlined into the right elements."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lxml import html as lxml_html

from publisher.core.errors import TemplateError
from publisher.core.templates import Templates
from publisher.newsletters.letter.inline_css import inline_css
from publisher.newsletters.lint.project_templates import css_findings, template_findings

DOCUMENT = '<!DOCTYPE html><html><head><style>{css}</style></head><body class="b">{body}</body></html>'


def inlined(css, body):
    return lxml_html.document_fromstring(inline_css(DOCUMENT.format(css=css, body=body), "email/test.html"))


def style(css, body='<p class="z" id="me">x</p>'):
    tree = inlined(css, body)
    return re.sub(r":(?=\S)", ": ", tree.get_element_by_id("me").get("style", ""))


@pytest.mark.parametrize(
    ("css", "expected"),
    [
        ("p {margin: 0} p {margin-top: 5px} .z {margin: 9px}", "margin: 9px"),
        ("p {margin-top: 5px} p {margin: 0} .z {margin-top: 1px}", "margin: 0; margin-top: 1px"),
        ("p {font: 12px serif} p {font-size: 9px} .z {font: 20px serif}", "font-size: 9px; font: 20px serif"),
        ("p {color: red !important} .z {color: blue}", "color: red"),
        ("P.z {color: red}", "color: red"),
        ("p {color: rgb(0 0 0 / 50%)}", "color: rgba(0, 0, 0, 0.5)"),
        ("p {color: #11223380}", "color: rgba(17, 34, 51, 0.502)"),
        ("p {background: red; background: url(x)}", "background: red; background: url(x)"),
        ("p:not(.y) {color: red}", "color: red"),
        (":is(p, li).z {color: red}", "color: red"),
        ("p:nth-child(1) {color: red}", "color: red"),
        ("body p:first-child {color: red}", "color: red"),
        ("p:nth-last-of-type(1) {color: red}", "color: red"),
        ('[id^="me"], a[href^="https://x"] {color: red}', "color: red"),
        ("p {color: red} #me {color: blue} .z.z.z {color: green}", "color: blue"),
        (".b p {color: red} p.z, p {color: blue}", "color: blue"),
        ("p.z {color: blue} p, .b p {color: red}", "color: red"),
        ("p {color: red} svg|p, p {color: blue} [x|y] {color: blue} p[lang|=en] {color: blue}", "color: red"),
        ("p {width: calc(100% - 2px)}", "width: calc(100% - 2px)"),
        ("/* p {color: red} */ p {color: blue /* now */}", "color: blue"),
        ("", ""),
        ("   \n", ""),
    ],
)  # fmt: skip
def test_rules_are_inlined_by_the_cascade(css, expected):
    assert style(css) == expected


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ("color: blue", "color: red"),
        ("color: blue !important", "color: blue !important"),
        ("margin-top: 1px", "margin-top: 1px; color: red"),
        ("color: rgb(0 0 0 / 50%) !important", "color: rgba(0, 0, 0, 0.5) !important"),
    ],
)
def test_an_important_rule_beats_an_ordinary_attribute(own, expected):
    assert style("p {color: red !important}", f'<p id="me" style="{own}">x</p>') == expected


def test_an_unmatched_style_attribute_is_unchanged():
    assert style("a {color: red}", '<p id="me" style="mso-line-height-rule:exactly;COLOR: red">x</p>') == (
        "mso-line-height-rule: exactly;COLOR: red"
    )


def test_escaped_class_names_are_inlined():
    assert style(r".\31 0 {color: red} .md\:x {margin: 0}", '<p id="me" class="10 md:x">x</p>') == (
        "color: red; margin: 0"
    )


@pytest.mark.parametrize(
    ("css", "kept"),
    [
        ("p:hover {color: red}", "p:hover {color: red !important}"),
        ("p::before {color: red}", "p::before {color: red !important}"),
        ("* {box-sizing: border-box}", "* {box-sizing: border-box}"),
        ("@media (max-width: 9px) {.z {color: red}}", "@media (max-width: 9px) {\n.z {color: red !important}\n}"),
        ("@supports (color: red) {.z {color: red}}", "@supports (color: red) {\n.z {color: red !important}\n}"),
        ("@font-face {font-family: X; src: url(x.woff)}", "@font-face {font-family: X; src: url(x.woff)}"),
    ],
)
def test_a_rule_that_cannot_be_inlined_is_kept(css, kept):
    tree = inlined(css, '<p class="z">x</p>')
    assert [element.text.strip() for element in tree.iter("style")] == [kept]
    assert tree.find(".//p").get("style") is None
    assert tree.find(".//p").get("class") == ("z" if ".z" in kept else None)


def test_a_nested_at_rule_never_reaches_gmail():
    tree = inlined("@media screen {.z {color: red} @media print {.z {color: blue}}}", '<p class="z">x</p>')
    assert re.findall("@[a-z]+", tree.find(".//style").text) == ["@media"]


def test_a_kept_block_loses_only_nested_rules():
    css = (
        ".z:hover {color: red} @media screen {.z {color: blue} @media print {.z {color: red}}} @layer x {p {margin: 0}}"
    )
    good = "@media (max-width: 9px) {.z {color: red}}"
    for written, kept in (
        (css, ".z:hover {color: red}\n@media screen {\n.z {color: blue}\n}"),
        (good, good),
    ):
        tree = inlined(f'</style><style data-premailer="ignore">{written}', '<p class="z">x</p>')
        assert [element.text for element in tree.iter("style")] == [kept]


@pytest.mark.parametrize(
    ("css", "kept"),
    [
        ("/* a */ @media print {.z {color: red}}", " @media print {.z {color: red}}"),
        ("/* a */\n\n/* b */\n.z:hover {color: red}", "\n.z:hover {color: red}"),
        (".z:hover {/* a */color: red/* b */}/* c */", ".z:hover {color: red}"),
        ("@media print {/* a */.z/* b */.y {color: red}/* * / ** */}", "@media print {.z.y {color: red}}"),
        (".z:hover {margin: 1px/**/2px 3/**/.5px}", ".z:hover {margin: 1px 2px 3 .5px}"),
        (".z::before {content: '/* a */ \\' /* b'}", ".z::before {content: '/* a */ \\' /* b'}"),
        ('.z::before {content: "/*"} /* " */', '.z::before {content: "/*"} '),
        (".z {background: url(https://x.example/*/a/*.png)}", ".z {background: url(https://x.example/*/a/*.png)}"),
        (".z {background: url( '/*' )}/**/", ".z {background: url( '/*' )}"),
        (".a\\/* b {color: red}", ".a\\/* b {color: red}"),
        ("/**/", None),
    ],
)
def test_no_comment_stays_in_a_kept_block(css, kept):
    tree = inlined(f'</style><style data-premailer="ignore">{css}', '<p class="z">x</p>')
    assert next((element.text for element in tree.iter("style")), None) == kept


def test_no_comment_moves_into_the_kept_block():
    css = "/* a */ p:hover {color/* b */: red} @font-face {/* c */ font-family: X/* d */; src: url(x.woff)} /* e */"
    kept = "\n".join(element.text for element in inlined(css, "<p>x</p>").iter("style"))
    assert "/*" not in kept
    assert "color: red" in kept
    assert "font-family: X" in kept


def project(tmp_path, **files):
    (tmp_path / "email").mkdir()
    for name, text in files.items():
        (tmp_path / "email" / name.replace("_", ".").replace("kept", "-kept")).write_text(text)
    return Templates(tmp_path)


@pytest.mark.parametrize("template", ["digest", "post", "plain"])
def test_the_shipped_css_has_no_findings(template, tmp_path):
    assert template_findings(Templates(tmp_path), f"email/{template}.html") == []


def found(templates):
    return [(each.code, each.level, each.where) for each in template_findings(templates, "email/digest.html")]


def test_findings_name_the_line_in_a_stylesheet(tmp_path):
    css = (
        '{% include "shipped/email/letter.css" %}\n'
        ".a {color: {{ letter.language }}}\n"
        "p:hover {color: red}\n"
        "p > {color: red} svg|p, [x|y], p:not(a|b) {color: red}\n"
        "@layer x;\n"
        "@media screen {\n  @media print {p {color: red}}\n}\n"
        "p {color red; margin: 0}\n"
        "p {margin: 0; b {color: red}}\n"
        "@font-face {font-family: X}\n"
    )
    where = "templates/email/letter.css"
    assert found(project(tmp_path, letter_css=css)) == [
        ("css-kept", "note", f"{where}:3"),
        ("css-selector", "warning", f"{where}:4"),
        ("css-selector", "warning", f"{where}:4"),
        ("css-at-rule", "warning", f"{where}:5"),
        ("css-kept", "note", f"{where}:6"),
        ("css-nested", "error", f"{where}:7"),
        ("css-declaration", "warning", f"{where}:9"),
        ("css-nested", "error", f"{where}:10"),
        ("css-kept", "warning", f"{where}:11"),
    ]


def test_findings_name_the_line_in_a_template(tmp_path):
    digest = (
        '{% extends "shipped/email/digest.html" %}\n'
        "{# two\nlines #}\n"
        "{% block style %}\n"
        ".a {color: {{ letter.language }};\n margin: 0}\n"
        "p:hover {color: red}\n"
        "{% endblock %}\n"
        "{% block kept_style %}\n.a {color: red}{% endblock %}\n"
        "{% block intro %}\n"
        "<style>\np {color: red}\np::after {color: red}\n</style>\n"
        "{% endblock %}\n"
    )
    where = "templates/email/digest.html"
    assert sorted(found(project(tmp_path, digest_html=digest))) == [
        ("css-kept", "note", f"{where}:14"),
        ("css-kept", "note", f"{where}:7"),
        ("css-weak", "note", f"{where}:10"),
    ]


WORDS = """p .z # #a * : :: :not( :is(p) :hover ::before > + ~ , { } ( ) [ ] [x='y'] ; ! !important @media @import @x
url( color:red margin:0 --a:1 \\ \\31 /* */ <!-- --> " ' rgb(1 2 3/4%) #abcd font: x | x|y & $= 5px nth-child(2n+1)"""
PIECES = st.sampled_from(WORDS.split())


@settings(deadline=None)
@given(st.lists(PIECES | st.text(max_size=3), max_size=25).map(" ".join) | st.text())
@example("p {color: " + "(" * 5000)
@example(":not(" * 3000 + "p" + ")" * 3000 + "{color: red}")
@example("@media x {" * 3000)
@example("a " * 3000 + "{color: red}")
def test_any_css_is_inlined_or_refused(css):
    assert all(each.where.startswith("x.css:") for each in css_findings(css, "x.css"))
    document = f"<html><head><style></style></head><body><p class='z' id='a' style='{css[:40]}'>x</p></body></html>"
    tree = lxml_html.document_fromstring(document)
    tree.find(".//style").text = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]", "", css)
    try:
        out = inline_css(lxml_html.tostring(tree, encoding="unicode"), "email/test.html")
    except TemplateError as error:
        assert "nothing is fetched" in error.message or "never closed" in error.message
    else:
        assert out.rstrip().endswith("</html>")


def test_lines_are_counted_from_the_given_one():
    assert [each.where for each in css_findings("\n\n@layer x;", "templates/email/x.html:7")] == [
        "templates/email/x.html:9"
    ]
