"""CSS in emails is inlined or kept in the head, and nothing that it refers to is ever fetched."""

from __future__ import annotations

import http.server
import logging
import re
import threading

import pytest
from lxml import html as lxml_html

from publisher.core.errors import TemplateError
from publisher.core.templates import Templates
from publisher.newsletters.letter.inline_css import STYLE_LIMIT
from tests.support.editions_samples import (
    FULL,
    LETTERS,
    make,
    rendered,
)
from tests.support.editions_samples import post as make_post


@pytest.fixture(params=LETTERS)
def letter(request):
    return make(*LETTERS[request.param])


def test_ids_and_unused_classes_are_removed(letter):
    tree = lxml_html.document_fromstring(letter.html)
    kept = "".join(style.text for style in tree.iter("style"))
    used = {name for names in tree.xpath("//@class") for name in names.split()}
    assert {name for name in used if f".{name}" not in kept} <= {"personal"}
    assert tree.xpath("//@id") == []


def test_kept_rules_survive_within_the_limit_of_gmail(letter):
    styles = re.findall(
        r"<style[^>]*>(.*?)</style>", re.sub(r"<!--.*?-->", "", letter.html, flags=re.DOTALL), re.DOTALL
    )
    assert all(style.strip() for style in styles)
    assert "prefers-color-scheme: dark" in styles[0]
    assert "!important" in styles[0]
    assert sum(map(len, re.findall(r"<style[^>]*>(.*?)</style>", letter.html, re.DOTALL))) < STYLE_LIMIT
    depth = [
        styles[0][: match.start()].count("{") - styles[0][: match.start()].count("}")
        for match in re.finditer("@", styles[0])
    ]
    assert set(depth) == {0}
    assert "!important" not in "".join(re.findall(r' style="([^"]*)"', letter.html))


@pytest.fixture
def counting_server():
    hits = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            hits.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"p {color: red}")

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", hits
    server.shutdown()
    thread.join()
    server.server_close()


REMOTE = [
    '@import url("{server}/a.css");',
    "@import '{server}/a.css';",
    '@import"{server}/a.css"layer(x);',
    "p {{color: red}} @import url({server}/a.css);",
    r"@\69mport url({server}/a.css);",
    r"@\000049 MPORT url({server}/a.css);",
    "@IMPORT url({server}/a.css) screen;",
    "@im/**/port x; @import/**/url({server}/a.css);",
    "@media screen {{ @import url({server}/a.css); }}",
    "p {{ @import url({server}/a.css); }}",
    "<!-- @import url({server}/a.css); -->",
    "p {{color: red; @import '{server}/a.css'}}",
    "@import url({server}/a.css)",
]


@pytest.mark.parametrize("css", REMOTE)
def test_an_import_is_refused_and_not_fetched(css, counting_server, tmp_path):
    server, hits = counting_server
    (tmp_path / "email").mkdir()
    (tmp_path / "email" / "letter.css").write_text("p {color: red}\n\n" + css.format(server=server))
    with pytest.raises(TemplateError, match="nothing is fetched") as raised:
        make(templates=Templates(tmp_path))
    assert raised.value.where == "templates/email/letter.css:3"
    assert hits == []


@pytest.mark.parametrize(
    "html",
    [
        '<link rel="stylesheet" href="{server}/a.css">',
        "<LINK REL='alternate StyleSheet'\n href={server}/a.css>",
        '<style data-premailer="ignore">@import url({server}/a.css);</style>',
        '<style media="print">@import url({server}/a.css);</style>',
        "{{% if true %}}<style>{{# no #}}@import url({server}/a.css);</style>{{% endif %}}",
    ],
)
def test_a_stylesheet_link_is_refused_and_not_fetched(html, counting_server, tmp_path):
    server, hits = counting_server
    (tmp_path / "email").mkdir()
    (tmp_path / "email" / "digest.html").write_text("<p>x</p>\n" + html.format(server=server))
    with pytest.raises(TemplateError, match="nothing is fetched") as raised:
        make(templates=Templates(tmp_path))
    assert raised.value.where == "templates/email/digest.html:2"
    assert hits == []


HARMLESS = [
    "/* @import url({server}/a.css); */",
    '.x {{content: "@import url({server}/a.css)"}}',
    "p {{background: url({server}/b.png)}}",
    "p {{background: url('{server}/b.png')}} @font-face {{font-family: X; src: url({server}/x.woff)}}",
    r"@\40 import url({server}/a.css);",
]


@pytest.mark.parametrize("css", HARMLESS)
def test_harmless_urls_in_css_are_not_fetched(css, counting_server, tmp_path):
    server, hits = counting_server
    (tmp_path / "email").mkdir()
    (tmp_path / "email" / "letter.css").write_text(css.format(server=server))
    assert make(templates=Templates(tmp_path)).html
    assert hits == []


def test_css_in_a_post_fetches_nothing(counting_server):
    server, hits = counting_server
    body = f'<style>@import url({server}/a.css);</style><p style="background:url({server}/b.png)">x</p>'
    letter = make(newsletter=FULL, posts=[rendered(make_post(1), body)])
    assert server not in letter.html
    assert hits == []


def test_composing_logs_nothing(caplog, capfd):
    import cssutils

    logger = logging.getLogger("CSSUTILS")
    before = (logger.level, cssutils.log.raiseExceptions)
    make()
    assert (logger.level, cssutils.log.raiseExceptions) == before
    assert capfd.readouterr() == ("", "")
