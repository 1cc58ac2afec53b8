"""html-validate and the Nu HTML Checker read one page of each kind: of the site, for subscribers, and for the owner."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from publisher.cli.main import run
from tests.support.admin_page import Owner, set_password
from tests.support.mail_tools import html_validate, listed, needs, vnu
from tests.support.picture_samples import picture
from tests.support.project import Project
from tests.support.web_client import WebClient, web_client

BODY = """\
Text with `code`, a [link](https://other.example/), a note[^1] and $a^2$.

![Me](../static/me.png)

```python
print("hello")
```

| | A table |
| --- | ---: |
| one | 2 |

> [!NOTE]
> Careful.

- [x] done

[^1]: The note.
"""
ADMIN = (
    "",
    "/editions",
    "/editions/1",
    "/next/weekly",
    "/readers",
    "/readers/growth",
    "/readers/add",
    "/readers/import",
    "/segments",
    "/segments/_new",
    "/feeds",
    "/posts",
    "/access",
    "/log",
    "/login",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a page of each kind."""
    project = Project(tmp_path_factory.mktemp("valid") / "letter", None)  # type: ignore[arg-type]
    found = tmp_path_factory.mktemp("pages")
    project.write("static/me.png", picture("png", 900, 300))
    project.post("everything", body=BODY, tags="[Code, R&D]", image="/me.png", image_alt="Me")
    project.post("arabic", "2026-11-09", "نص قصير.", title="القراءة ببطء", language="ar", tags="[Code]")
    project.post("japanese", "2026-11-08", "短い文。", title="静かな読書", language="ja", image="/me.png")
    project.post(
        "heard", "2026-11-07", "Listen.", enclosure="{url: https://letters.example/a.mp3, length: 9, type: audio/mpeg}"
    )
    project.write("pages/about.md", f"---\ntitle: About\nimage: /me.png\n---\n\n{BODY}")
    more = '[pages]\nper_page = 2\n[theme]\nlogo = "me.png"\n'
    with web_client(project, more) as web:
        own = web.subscribed("ada@example.org", "weekly")
        assert run(["-C", str(project.root), "publish", "--yes"]) == 0
        set_password(project)
        for file in (project.root / "public").rglob("*.html"):
            name = file.relative_to(project.root / "public").as_posix()
            if not re.match(r"editions/\w+/(20|latest)", name):  # emails; tests/integration/newsletters validates them
                (found / f"site {name.replace('/', ' ')}").write_bytes(file.read_bytes())
        for name, text in {**_for_subscribers(web, own), **_for_the_owner(web)}.items():
            (found / f"{name}.html").write_text(text, encoding="utf-8")
    return found


def _for_subscribers(web: WebClient, own: str) -> dict[str, str]:
    web.ask("other@example.org")
    confirm, never = web.link("other@example.org"), web.link("other@example.org", "never")
    account = web.account(own)
    letter = next(mail for mail in web.mails("ada@example.org") if mail["List-Unsubscribe"])
    leave = letter["List-Unsubscribe"].strip("<>")
    pages = {
        "sign up": web.get("/subscribe"),
        "sign up in arabic": web.get("/subscribe", **{"accept-language": "ar"}),
        "error": web.ask("nobody"),
        "no choice": web.subscribe(email="eve@example.org"),
        "one more click": web.post("/subscribe", email="eve@example.org", newsletter="weekly"),
        "success": web.ask("eve@example.org"),
        "confirm": web.get(confirm),
        "preferences": web.get(own),
        "saved": web.post(own, do="save", newsletter="weekly", language="ja", pause="2"),
        "account": web.get(account),
        "erase": web.get(f"{account}/erase"),
        "unsubscribe": web.get(leave),
        "unsubscribed": web.post(leave, do="leave"),
        "never": web.get(never),
        "broken link": web.get("/confirm/x"),
        "nothing": web.get("/nothing"),
        "confirmed": web.post(confirm, do="confirm"),
    }
    return {f"subscriber {name}": page.text for name, page in pages.items()}


def _for_the_owner(web: WebClient) -> dict[str, str]:
    owner = Owner(web)
    pages = {"/login": owner.get("/login").text}
    owner.log_in()
    pages |= {path: owner.get(path).text for path in ADMIN if path != "/login"}
    pages |= _with_people(owner)
    return {f"owner {path.strip('/').replace('/', ' ') or 'overview'}": text for path, text in pages.items()}


def _with_people(owner: Owner) -> dict[str, str]:
    """Yield the pages on which the owner changes people."""

    def send(path: str, **fields: str) -> str:
        answer = owner.client.post(f"/admin{path}", data={"token": owner.token("/segments/_new"), **fields})
        return (owner.client.get(answer.headers["location"]) if answer.status_code == 303 else answer).text

    found = re.search(r"/readers/[0-9a-f]{24}", pages := owner.get("/readers").text)
    assert found, pages
    token, file = (
        {"token": owner.token("/segments/_new")},
        ("a list.csv", b"email,Vorname,Stand\nx@example.org,X,weg\n"),
    )
    sent = owner.client.post("/admin/readers/import", data=token, files={"file": file})
    path = sent.headers["location"].removeprefix("/admin")
    every = {"newsletter": "weekly"}
    return {
        "person": send(found[0], do="tag", tags="vip, press"),
        "erase": owner.get(f"{found[0]}/erase").text,
        "segment": send("/segments/_new", do="save", condition="tag:vip", name="vip"),
        "segment wrong": send("/segments/_new", do="count", condition="tag:"),
        "many": send("/readers/bulk", segment="vip"),
        "many sure": send("/readers/bulk", segment="vip", do="unsubscribe", **{"from": "weekly"}),
        "many done": send("/readers/bulk", segment="vip", do="do-untag", tags="press", expected="1"),
        "file": owner.get(path).text,
        "file asked": send(path, do="check", **every, **{"column:2": "status"}),
        "file checked": send(path, do="check", **every, **{"column:2": "ignore"}),
        "file imported": send(path, do="import"),
        "undo": send("/readers/imports/1", do="check"),
    }


def test_html_validate_finds_only_listed_exceptions(folder: Path) -> None:
    needs("node")
    exceptions = [
        (each["rule"], re.compile(each["says"])) for each in listed("../web/exceptions.toml")["html-validate"]
    ]
    found = set().union(*html_validate(folder).values())
    fit = {each: [name for name in exceptions if each[0] == name[0] and name[1].fullmatch(each[1])] for each in found}
    assert [each for each, fitting in fit.items() if not fitting] == []
    assert {name for fitting in fit.values() for name in fitting} == set(exceptions)


def test_the_nu_checker_finds_only_listed_exceptions(folder: Path) -> None:
    needs("java")
    exceptions = [each["says"] for each in listed("../web/exceptions.toml")["vnu"]]
    fit = {
        message: [says for says in exceptions if re.fullmatch(says, message)]
        for message in set().union(*vnu(folder).values())
    }
    assert [message for message, fitting in fit.items() if not fitting] == []
    assert {says for fitting in fit.values() for says in fitting} == set(exceptions)


def test_every_page_leads_to_the_standalone_pages(folder: Path) -> None:
    without = {
        file.stem
        for file in folder.glob("*.html")
        if not file.stem.startswith("owner") and not re.search(r'href="[^"]*about/"[^>]*>About</a>', file.read_text())
    }
    assert without == set()


def test_there_is_a_page_of_each_kind(folder: Path) -> None:
    names = {file.stem for file in folder.iterdir()}
    kinds = ("index", "page 2 index", "404", "about index", "archive index", "tags index", "tags code index",
             "subscribe index", "feeds index", "editions index", "editions weekly index", "2026 11 09 arabic index",
             "2026 11 08 japanese index")  # fmt: skip
    assert {f"site {kind}" for kind in kinds} <= names
    headings = {file.stem: re.findall(r"<h1[^>]*>", file.read_text(encoding="utf-8")) for file in folder.iterdir()}
    assert {name for name, found in headings.items() if len(found) != 1} == set()
    titles = {re.search(r"<title>(.*?)</title>", file.read_text(encoding="utf-8"))[1] for file in folder.iterdir()}
    assert len(titles) > 30
