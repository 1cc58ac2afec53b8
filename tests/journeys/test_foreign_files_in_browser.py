"""Files that a writer adds, opened in a real Chromium while the owner is logged in on the same host.

With the documented nginx and Caddy blocks and with the built-in server, no script in these files runs and nothing
reaches the admin page, neither in a tab nor embedded in a page; but pages still show embedded images.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks.free_ports import free_port
from tests.support.admin_page import PASSWORD, set_password
from tests.support.browser import wait_until
from tests.support.documented_servers import documented_caddy, documented_nginx
from tests.support.project import Project
from tests.support.static_server import serve, serve_with_nginx
from tests.support.web_client import NEWSLETTERS, configure
from tests.support.web_server import Serving

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.support.browser import Chromium

RAN = "new Image().src = location.origin + '/ran'; fetch('/admin')"
_NAMES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
SVG = f'<svg {_NAMES} width="40" height="30"{{}}>{{}}</svg>'
HTML = "<!doctype html><title>x</title><p>text</p>"
STEAL = (
    '<foreignObject width="40" height="30"><form xmlns="http://www.w3.org/1999/xhtml" action="/admin/logout" '
    'method="post"><button style="width:40px;height:30px">x</button></form></foreignObject>'
)
FILES = {
    "script.svg": SVG.format("", f'<g id="g"><rect width="40" height="30"/></g><script>{RAN}</script>'),
    "upper.SVG": SVG.format("", f"<script>{RAN}</script>"),
    "onload.svg": SVG.format(f' onload="{RAN}"', "<rect width='40' height='30'/>"),
    "event.svg": SVG.format("", f'<image href="none.png" onerror="{RAN}"/>'),
    "form.svg": SVG.format("", STEAL),
    "use.svg": SVG.format("", f'<use href="/script.svg#g"/><use href="/onload.svg"/><a href="javascript:{RAN}">x</a>'),
    "outside.svg": SVG.format("", '<script href="/evil.js"/><script xlink:href="/evil.js"/>'),
    "page.html": f'{HTML}<script>{RAN}</script><img src=none.png onerror="{RAN}">',
    "page.htm": f"{HTML}<script>{RAN}</script>",
    "page.xhtml": f'<html xmlns="http://www.w3.org/1999/xhtml"><script>{RAN}</script><script src="/evil.js"/></html>',
    "data.xml": f'<r><script xmlns="http://www.w3.org/1999/xhtml">{RAN}</script></r>',
    "styled.xml": '<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="/evil.xsl"?><r/>',
    "page.unknownkind": f"{HTML}<script>{RAN}</script>",
    "noending": f"{HTML}<script>{RAN}</script>",
}
EMBEDDED = ("script.svg", "onload.svg", "form.svg", "use.svg", "outside.svg", "page.xhtml", "page.unknownkind")
MORE = {
    "evil.js": RAN,
    "evil.xsl": '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">'
    f"<xsl:template match='/'><html><script>{RAN}</script></html></xsl:template></xsl:stylesheet>",
    "embedding.html": HTML
    + "".join(
        f'<img src="/{name}"><object data="/{name}"></object><embed src="/{name}"><iframe src="/{name}"></iframe>'
        for name in EMBEDDED
    ),
}
# What a browser runs of these without any headers: if it ran nothing, the test would show nothing.
RUNS = ("script.svg", "onload.svg", "outside.svg", "page.html", "page.xhtml", "data.xml")
# A server in front of the program has other types and the same headers: what it could run.
BEHIND = (*RUNS, "form.svg", "upper.SVG", "noending")


LEADING_OUT = (
    "/%5Cevil.example%2F..%2Farchive",
    "/%09%2Fevil.example%2F..%2F..%2Farchive",
    "//evil.example/..//archive",
)
FRAME = "url => { const frame = document.createElement('iframe'); frame.src = url; document.body.append(frame); }"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = Project(tmp_path_factory.mktemp("web") / "letter", None)  # type: ignore[arg-type]
    made.post("first", "2026-11-02", body="![A picture](picture.svg)")
    made.write("posts/picture.svg", FILES["script.svg"])
    for name, text in (FILES | MORE).items():
        made.write(f"static/{name}", text)
    return made


@pytest.fixture(scope="module", params=["program", "nginx", "caddy"])
def url(request: pytest.FixtureRequest, project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of one server. The owner can log in there, or at least on the same host."""
    port, public = free_port(), free_port()
    configure(project, public if request.param == "nginx" else port, newsletters=NEWSLETTERS)
    assert project.spawn("build").code == 0
    set_password(project)
    running, folder = Serving(project, port), project.root / "public"
    state = tmp_path_factory.mktemp("server") / "state"
    with ExitStack() as stack:
        stack.callback(running.end)
        if request.param == "nginx":
            yield stack.enter_context(documented_nginx(folder, state, f"http://127.0.0.1:{port}", port=public))
        elif request.param == "caddy":
            yield stack.enter_context(documented_caddy(folder, state))
        else:
            yield running.url


def log_in(page: Page, project: Project) -> None:
    page.goto(f"{project.config().public_url}/admin")
    page.fill("input[type=password]", PASSWORD)
    page.click("main button")
    page.wait_for_selector("text=What comes next")


def open_tabs(page: Page, urls: list[str]) -> None:
    """Open files in separate tabs, and give their scripts time to run; a browser may download some instead."""
    from playwright.sync_api import Error

    asked: set[str] = set()
    page.context.on("request", lambda request: asked.add(request.url))
    page.evaluate("urls => urls.forEach(url => window.open(url))", urls)
    wait_until(page, lambda: asked.issuperset(urls))
    for tab in page.context.pages[1:]:
        try:
            tab.wait_for_load_state()
        except Error:
            assert tab.is_closed()  # the browser closes the tab of a file that it downloads
    page.wait_for_timeout(700)


@pytest.mark.slow
def test_without_headers_the_files_would_run(browser: Chromium, project: Project, tmp_path: Path) -> None:
    configure(project, free_port(), newsletters=NEWSLETTERS)
    assert project.spawn("build").code == 0
    types = "include /etc/nginx/mime.types;"
    with serve_with_nginx(project.root / "public", tmp_path / "nginx", types) as site, browser.page() as page:
        ran: list[str] = []
        page.context.on("request", lambda asked: asked.url.endswith("/ran") and ran.append(asked.frame.url))
        page.goto(f"{site.url}/archive/")
        open_tabs(page, [f"{site.url}/{name}" for name in RUNS])
        wait_until(page, lambda: len(set(ran)) >= len(RUNS))
        assert {each.rpartition("/")[2] for each in ran} == set(RUNS)


@pytest.mark.slow
def test_no_file_of_a_writer_acts_for_the_owner(
    browser: Chromium, project: Project, url: str, request: pytest.FixtureRequest
) -> None:
    with browser.page() as page:
        log_in(page, project)
        page.goto(f"{url}/archive/")
        asked: list[str] = []
        page.context.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
        names = FILES if request.node.callspec.params["url"] == "program" else BEHIND
        open_tabs(page, [f"{url}/{name}" for name in [*names, "2026/11/02/first/picture.svg"]])
        page.goto(f"{url}/form.svg")
        page.mouse.click(20, 15)
        page.goto(f"{url}/embedding.html")
        wait_until(page, lambda: f"GET {url}/outside.svg" in asked)
        page.wait_for_timeout(500)
        pictures = page.evaluate("[...document.images].map(each => [each.src.split('/').pop(), each.naturalWidth])")
        assert [each for each in asked if "/ran" in each or "/admin" in each] == []
        assert {name for name, width in pictures if width} == {name for name in EMBEDDED if name.endswith(".svg")}
        page.goto(f"{url}/2026/11/02/first/")
        wait_until(page, "document.images.length == 1 && document.images[0].naturalWidth == 40")
        page.goto(f"{project.config().public_url}/admin")
        page.wait_for_selector("text=What comes next")  # still logged in: the cookie was present all the time


@pytest.mark.parametrize("url", ["program"], indirect=True)
def test_a_stolen_cookie_opens_nothing_once_the_owner_has_logged_out(
    browser: Chromium, project: Project, url: str
) -> None:
    admin = f"{project.config().public_url}/admin"
    with browser.page() as owner, browser.page() as thief:
        log_in(owner, project)
        cookies = owner.context.cookies()
        assert cookies
        thief.context.add_cookies(cookies)  # type: ignore[arg-type] - the same fields, as what is read
        thief.goto(admin)
        thief.wait_for_selector("text=What comes next")
        owner.click("form.logout button")
        owner.wait_for_selector("input[type=password]")
        for path in ("", "/access"):
            thief.goto(admin + path)
            assert thief.locator("input[type=password]").count() == 1, path


def test_no_redirect_or_frame_leads_elsewhere(browser: Chromium, project: Project, url: str) -> None:
    with browser.page() as page:
        for path in LEADING_OUT:
            page.goto(url + path)
            assert page.url.startswith(f"{url}/"), path
        # A page of another site with a frame of ours.
        page.goto(f"{url.replace('127.0.0.1', 'localhost')}/archive/")
        for path in ("/", "/script.svg", "/subscribe", "/admin/login"):
            page.evaluate(FRAME, url + path)
        assert len(page.frames) == 5
        wait_until(page, lambda: {frame.url for frame in page.frames[1:]}.isdisjoint({"", "about:blank"}))
        assert all(frame.url.startswith("chrome-error:") for frame in page.frames[1:])


PLAYER = """<!doctype html><title>Player</title><a href="/more.html" target="_blank">More</a>
<button onclick="document.documentElement.requestFullscreen().then(() => said('full screen'))">Full screen</button>
<form action="/more.html"><input name="q"><button id="send">Search</button></form><p id="said"></p>
<script>
const said = text => document.querySelector('#said').textContent += text + '; ';
try { localStorage.x = 1; document.cookie = 'a=1'; said('storage'); } catch (error) { said('no storage'); }
try { top.location = '/more.html'; } catch (error) { said('stays'); }
</script>"""


def test_a_player_in_a_frame_works_and_cannot_lead_the_page_away(
    browser: Chromium, project: Project, tmp_path: Path
) -> None:
    (tmp_path / "player.html").write_text(PLAYER)
    script = "<script>localStorage.y = 1; document.title = 'Ran'</script>"
    (tmp_path / "more.html").write_text(f"<title>More</title>{script}")
    configure(project, free_port(), newsletters=NEWSLETTERS)
    with serve(tmp_path) as player, serve(project.root / "public") as site, browser.page() as page:
        source = player.url.replace("127.0.0.1", "localhost")
        project.post("player", "2026-11-03", body=f'<iframe src="{source}/player.html" allowfullscreen></iframe>')
        assert project.spawn("build").code == 0
        page.goto(f"{site.url}/2026/11/03/player/")
        frame = page.frame_locator("iframe")
        frame.locator("text=storage; stays").wait_for()
        frame.locator("text=Full screen").click()
        frame.locator("text=full screen;").wait_for()
        page.evaluate("document.exitFullscreen()")
        with page.context.expect_page() as opened:
            frame.locator("text=More").click()
        wait_until(opened.value, "document.title == 'Ran' && localStorage.y")
        frame.locator("#send").click()
        page.frames[1].wait_for_url("**/more.html?q=")
        assert page.url == f"{site.url}/2026/11/03/player/"
