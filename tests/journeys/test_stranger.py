"""A stranger's path to the first edition in the inbox: from the site, from a form on another site, and through JSON.

The mail server is a real one.
"""

from __future__ import annotations

import email.policy
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from lxml import html

from tests.support.browser import faults, load_axe
from tests.support.project import Project
from tests.support.smtp_server import Mailboxes, mail_server
from tests.support.static_server import serve
from tests.support.web_client import WebClient, link_in, until, web_client
from tests.support.web_server import serving

if TYPE_CHECKING:
    from tests.support.browser import Chromium

ADDRESS = "stranger@example.org"
NEWSLETTER = '\n[[newsletters]]\nname = "weekly"\ndescription = "New posts."\nschedule = "weekly monday 08:00"\n'
ELSEWHERE = {"origin": "https://elsewhere.example", "referer": "https://elsewhere.example/"}


@pytest.fixture
def mails() -> Iterator[tuple[Mailboxes, str]]:
    """A mail server, and the configuration for it."""
    with mail_server() as (mailboxes, smtp):
        yield (
            mailboxes,
            f'transport = "smtp"\n[mail.smtp]\nhost = "127.0.0.1"\nport = {smtp.port}\ntls = "none"\n',
        )


def mail(mailboxes: Mailboxes, number: int) -> EmailMessage:
    found = until(lambda: mailboxes.messages.get(ADDRESS, [])[number - 1 :])
    message = BytesParser(policy=email.policy.default).parsebytes(found[0])
    assert isinstance(message, EmailMessage)
    return message


def send_form(web: WebClient, page: str, headers: dict[str, str] | None = None, **typed: str) -> httpx.Response:
    """Submit the only form of a page like a browser without scripts."""
    (form,) = html.fromstring(page).forms
    fields = {name: value for name, value in form.form_values() if name != "email"} | typed
    assert form.method == "POST"
    return web.client.post(str(form.action).removeprefix(web.url), data=fields, headers=headers)


def one_more_click(web: WebClient, answer: httpx.Response) -> httpx.Response:
    """Press the button on the page that follows a form without a token, some seconds later."""
    assert "One more click" in answer.text
    fields = dict(html.fromstring(answer.text).forms[0].form_values())
    return web.client.post("/subscribe", data=fields | {"token": web.form_token()})


def from_the_index(web: WebClient) -> str:
    index = web.get("/").text
    assert "Subscribe" in index.partition("<main")[0]  # the word in the menu
    return one_more_click(web, send_form(web, index, email=ADDRESS)).text


def from_a_post(web: WebClient) -> str:
    link = re.search(r'<h2><a href="\./([^"]+)"', web.get("/").text)
    assert link
    return one_more_click(web, send_form(web, web.get(f"/{link[1]}").text, email=ADDRESS)).text


def from_another_site(web: WebClient) -> str:
    page = f"<html><body>{web.project.ok('serve', '--snippet').out}</body></html>"
    return one_more_click(web, send_form(web, page, ELSEWHERE, email=ADDRESS)).text


def by_json(web: WebClient) -> str:
    (newsletter,) = web.get("/subscribe.json").json()["newsletters"]
    body = {"email": ADDRESS, "newsletters": [newsletter["name"]], "token": web.form_token()}
    answer = web.client.post("/subscribe.json", json=body, headers=ELSEWHERE)
    assert answer.headers["access-control-allow-origin"] == ELSEWHERE["origin"]
    return str(answer.json()["title"])


@pytest.mark.parametrize("ask", [from_the_index, from_a_post, from_another_site, by_json])
def test_a_stranger_gets_the_first_edition(
    project: Project, mails: tuple[Mailboxes, str], ask: Callable[[WebClient], str]
) -> None:
    mailboxes, more = mails
    settings = f'form_origins = ["{ELSEWHERE["origin"]}"]'
    with web_client(project, more, newsletters=NEWSLETTER, web=settings) as web:
        project.ok("build")
        assert "Check your inbox" in ask(web)
        link = link_in(mail(mailboxes, 1), "confirm")
        assert web.show(ADDRESS)["status"] == "pending"
        confirmed = send_form(web, web.get(link).text.replace('method="post"', f'method="post" action="{link}"'))
        assert "You’re subscribed" in confirmed.text
        project.ok("publish", "--yes")
        edition = mail(mailboxes, 2)
        assert "Third" in edition.get_body(("plain",)).get_content()
        assert edition["List-Unsubscribe"]
        assert len(mailboxes.messages[ADDRESS]) == 2


FRONT_END = """<!doctype html><html lang="en"><title>A front end</title><main><h1>Letters</h1>
<form id="own"><label>Email <input name="email"></label> <button>Go</button></form>
<p id="said" role="status"></p></main>
<script>
const url = "URL/subscribe.json", said = document.getElementById("said");
const loaded = fetch(url).then((answer) => answer.json());
document.getElementById("own").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    const offer = await loaded, body = {email: event.target.email.value, token: offer.token};
    body.newsletters = offer.newsletters.map((each) => each.name);
    const headers = {"Content-Type": "application/json"};
    const answer = await fetch(url, {method: "POST", headers, body: JSON.stringify(body)});
    said.textContent = (await answer.json()).message;
  } catch { said.textContent = "refused by the browser"; }
});
</script>"""


def test_a_browser_signs_up_on_the_site_and_from_other_origins(
    axe: Path, project: Project, browser: Chromium, tmp_path: Path
) -> None:
    with serve(tmp_path) as other, serve(tmp_path) as unlisted:
        settings = f'form_origins = ["{other.url.rstrip("/")}"]\nclient_limit = 1000'
        with (
            serving(project, newsletters=NEWSLETTER, web=settings) as server,
            browser.page(width=360, base_url=server.url) as page,
        ):
            with ThreadPoolExecutor(1) as apart:  # the browser's driver keeps an event loop in this thread
                made = apart.submit(lambda: (project.ok("build"), project.ok("serve", "--snippet").out)).result()[1]
            head = '<!doctype html><html lang="en"><title>A blog</title><meta name="viewport" content="width=360">'
            (tmp_path / "index.html").write_text(f"{head}<main><h1>Blog</h1>{made}</main>")
            (tmp_path / "own.html").write_text(FRONT_END.replace("URL", server.url))
            load_axe(page, axe)

            page.goto("/")  # with the keyboard alone
            page.focus(".site-header a >> nth=-1")
            page.keyboard.press("Tab")
            page.keyboard.type("index@example.org")
            page.keyboard.press("Enter")
            page.wait_for_selector("h1:has-text('Check your inbox')")
            assert server.link("index@example.org")

            page.goto(other.url)
            assert faults(page) == []
            assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
            page.fill("input[type=email]", "blog@example.org")
            page.click("button")
            page.wait_for_selector("h1:has-text('Check your inbox')")
            assert server.link("blog@example.org")

            for site, said in ((other, "If json@example.org can receive email"), (unlisted, "refused by the browser")):
                page.goto(f"{site.url.rstrip('/')}/own.html")
                page.evaluate("loaded.then(() => 1, () => 0)")  # whether it was refused or not
                page.wait_for_timeout(2_200)  # a form that is submitted sooner is a robot's
                page.fill("input[name=email]", "json@example.org")
                page.click("button")
                page.wait_for_selector(f"#said:has-text('{said}')")
            assert server.link("json@example.org")
