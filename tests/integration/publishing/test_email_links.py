"""Every link that the program puts into an email leads to something that answers, whichever tool makes the pages."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import httpx
import pytest

from publisher.config import load_config
from publisher.mail.settings_lint import unanswered_links
from publisher.web.application import open_application
from tests.support.project import CONFIG, WEEKLY, Project
from tests.support.web_client import clock, in_process

SITE, LETTERS = "https://letters.example/notes", "https://mail.letters.example/list"
WAYS = [
    ("", SITE),
    (f'[web]\npublic_url = "{LETTERS}"\n', LETTERS),
    ("[pages]\nenabled = false\n", SITE),
    (f'[pages]\nenabled = false\noutput = "feeds"\n[web]\npublic_url = "{LETTERS}"\n', LETTERS),
    ('[pages]\nenabled = false\n[feeds]\nformats = ["json"]\n', SITE),
    ("[feeds]\nformats = []\neditions = false\n", SITE),
]


@pytest.mark.parametrize(("more", "public"), WAYS)
def test_every_link_in_an_email_leads_to_something(project: Project, more: str, public: str) -> None:
    project.write("publisher.toml", CONFIG.replace("https://letters.example", SITE) + "\n" + more + WEEKLY)
    project.subscribe("ada")
    project.ok("publish")
    output = project.config().pages.output
    (message,) = project.mail()["ada@example.org"]
    texts = [message.get_body((kind,)).get_content() for kind in ("html", "plain")]
    headers = [str(message[name]) for name in message if name.startswith("List-") or name == "Archived-At"]
    links = {url for text in (*texts, *headers) for url in re.findall(r"https://[^\s\"<>)]+", text)}
    posts = {url for url in links if re.fullmatch(rf"{SITE}/2026/\d\d/\d\d/[a-z]+/", url)}
    assert len(posts) == 3
    copies = [url for url in links if "/editions/weekly/2026-W47/" in url]
    assert len(copies) == 1
    assert "All about first" in project.read(f"{output}/editions/weekly/2026-W47/index.html")
    config = project.config()
    with open_application(config, clock("", config)) as application, in_process(application) as transport:
        web = httpx.Client(base_url=f"https://{urlsplit(public).netloc}", transport=transport)
        for url in links - posts - {f"{SITE}/"}:
            if urlsplit(url).netloc == urlsplit(public).netloc:
                assert web.get(url).status_code == 200, url
            else:  # the other tool's site, into which the output folder is copied
                assert (project.root / output / url.removeprefix(f"{SITE}/")).exists(), url
    entries = project.read(f"{output}/editions/weekly/feed.xml") if "formats" not in more else copies[0]
    assert copies[0] in entries


REAL = 'transport = "smtp"\nsmtp = { host = "mx.quiet-reader.eu" }\n'
NEAR = 'transport = "smtp"\nsmtp = { host = "localhost" }\n'
APART = "[pages]\nenabled = false\n"


def test_broken_links_are_reported(project: Project) -> None:
    own = CONFIG.replace("letters.example", "quiet-reader.eu")
    hosted = own.replace("https://quiet-reader.eu", "https://ada.github.io/letters")
    web = '[web]\npublic_url = "https://list.quiet-reader.eu"\n'
    pages = '[web]\npublic_url = "https://ada.netlify.app"\n'
    for text, told in (
        (own, None),
        (own + REAL, ("warning", "site.url")),
        (own + REAL + web, None),
        (own + APART, ("warning", "site.url")),
        (own + NEAR + APART, ("warning", "site.url")),
        (own + REAL + APART, ("error", "site.url")),
        (own + REAL + APART + web, None),
        (hosted + REAL, ("error", "site.url")),
        (hosted + REAL + web, None),
        (own + REAL + pages, ("error", "web.public_url")),
    ):
        project.write("publisher.toml", text + WEEKLY)
        found = unanswered_links(load_config(project.root, {}))
        level = found and (("error" if found.severe else "warning"), ".".join(map(str, found.keys)))
        assert level == told, text
    project.write("publisher.toml", own + REAL + APART)
    assert "confirm or unsubscribe" not in project.run("check").out  # nothing is sent without a newsletter
    project.write("publisher.toml", own + REAL + APART + WEEKLY)
    said = project.fails("check").out
    assert said.count("confirm or unsubscribe") == 1
    assert said.startswith("error: publisher.toml:3: another program makes the site, so nothing answers")
    project.subscribe("ada")
    assert "on hold" in project.run("publish", "--yes").out


def test_links_in_a_test_email_say_so_and_change_no_one(project: Project) -> None:
    project.configure()
    project.subscribe("ada")
    before = project.ok("subscribers", "list", "--json").json
    project.ok("publish", "--to", "ada@example.org")
    (message,) = project.mail()["ada@example.org"]
    texts = [message.get_body((kind,)).get_content() for kind in ("html", "plain")]
    config = project.config()
    with open_application(config, clock("", config)) as application, in_process(application) as transport:
        web = httpx.Client(base_url="https://letters.example", transport=transport)
        for page in ("unsubscribe", "preferences", "test-copy"):
            urls = {url for text in texts for url in re.findall(rf"https://letters\.example/{page}/[\w.~-]+", text)}
            assert len(urls) == 1, page
            (url,) = urls
            answer = web.get(url, headers={"accept-language": "de"})
            assert answer.status_code == 200
            assert "Dies ist ein Testexemplar" in answer.text
            assert ("All about first" in answer.text) is (page == "test-copy")
            assert "ada@example.org" not in answer.text
            assert "no-store" in answer.headers["cache-control"]
            if page != "test-copy":
                assert url in message["List-Unsubscribe"] or page == "preferences"
                for form in ({"List-Unsubscribe": "One-Click"}, {"do": "leave-all"}, {"do": "save"}, {"do": "account"}):
                    assert web.post(url, data=form).status_code == 200
            assert web.get(f"{url}x").status_code == 404
        for copy in (project.root / ".publisher/copies").iterdir():
            copy.unlink()
        assert "This is a test copy" in web.get(url).text  # like on another host, where no email is stored
    assert "/editions/weekly/2026-W47/" not in "".join(texts)
    assert project.ok("subscribers", "list", "--json").json == before
    for number in range(22):
        project.write(f".publisher/copies/{number}.html", "An older one")
    project.ok("publish", "--to", "bob@example.org")
    kept = project.files(".publisher/copies")
    assert len(kept) == 20
    assert len([name for name in kept if "All about first" in project.read(f".publisher/copies/{name}")]) == 1
