"""Every Location that the program writes leads to the requested origin, as a browser understands it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

from publisher.web.application import open_application
from tests.support.admin_page import Owner, set_password
from tests.support.project import Project
from tests.support.web_client import NEWSLETTERS, WebClient, in_process, web_client

PIECES = [
    "", "", ".", "..", "%2e%2e", "%2E", "evil.example", "%5Cevil.example", "%5C", "%5C%5C", "%09", "%0A", "%00",
    "%0D%0Aset-cookie:a=b", "user@evil.example", "user:x@evil.example:80", "%E2%82%AC", "%ff", "%C3%A9", "http:",
    "https:", "%3Fa", "javascript:alert(1)", "%23a", ";a", "%25", "%255c", "%20", "archive", "editions", "tags",
    "admin", "letters",
]  # fmt: skip
ENDS = [
    "archive",
    "editions",
    "tags",
    "admin",
    "admin/",
    "admin/login",
    "confirm/x",
    "subscribe",
    "letters",
    "blog",
    "",
]
SEPARATORS = ["/", "/", "/", "%2F", "%2f", "//", "/%2F"]
HOSTS = ["", "evil.example", "user@evil.example", "evil.example/"]


def hostile_paths(number: int) -> list[str]:
    """Return the same paths each time, made of parts that browsers and servers read in different ways."""
    choose = random.Random(14)
    paths = []
    for _ in range(number):
        pieces = choose.choices(PIECES, k=choose.randint(0, 4))
        path = "".join(choose.choice(SEPARATORS) + piece for piece in pieces)
        paths.append(f"{path}{choose.choice(SEPARATORS)}{choose.choice(ENDS)}")
    return [path if path.startswith("/") else f"/{path}" for path in paths]


def resolved(base: str, location: str) -> str:
    """Return the origin to which a browser goes; it drops tabs and reads a backslash as a slash (WHATWG URL)."""
    text = "".join(char for char in location.strip(" ") if char not in "\t\r\n").replace("\\", "/")
    parts = urlsplit(urljoin(base, text))
    return f"{parts.scheme}://{parts.netloc}"


@pytest.fixture(params=["", "/letters"])
def web(request: pytest.FixtureRequest, project: Project) -> Iterator[WebClient]:
    project.post("first", "2026-11-02", tags="[Reading]")
    with web_client(project, path=request.param) as running:
        project.ok("build")
        set_password(project)
        yield running


def check(web: WebClient, path: str, host: str = "") -> str:
    """Request a path exactly as written; return the Location, which must not lead to another origin."""
    origin = "http://127.0.0.1:8018"
    headers = {"host": host} if host else {}
    answer = web.client.get(httpx.URL(origin).copy_with(raw_path=path.encode()), headers=headers)
    location = answer.headers.get("location", "")
    assert answer.status_code < 500, path
    assert not set(location) & set("\r\n\t\0\\"), path
    assert resolved(origin + path, location) == origin, (path, location)
    assert "evil" not in urlsplit(location).netloc
    assert "a=b" not in answer.headers.get("set-cookie", "")
    return location


def test_no_path_redirects_to_another_site(web: WebClient) -> None:
    paths = hostile_paths(300)
    found = {check(web, path, HOSTS[number % len(HOSTS)]) for number, path in enumerate(paths)}
    assert len(found) > 3  # there were redirects


def test_buttons_of_the_owner_lead_back_to_the_admin_page(project: Project) -> None:
    with web_client(project) as web:
        set_password(project)
        owner = Owner(web)
        owner.log_in()
        token = owner.token()
        for name in ("weekly", "x%5C%5Cevil.example", "%2F%2Fevil.example", "a%0D%0Ab", "%E2%82%AC", "%00"):
            answer = owner.client.post(f"/admin/next/{name}", data={"token": token, "do": "test", "address": "x"})
            location = answer.headers.get("location", "")
            assert resolved("http://127.0.0.1:8018/admin", location) == "http://127.0.0.1:8018"
            assert not set(location) & set("\r\n\t\0\\")


def test_the_site_below_a_path_is_found_without_its_slash(project: Project) -> None:
    project.configure("", NEWSLETTERS)
    text = project.read("publisher.toml").replace("https://letters.example", "https://letters.example/blog", 1)
    project.write("publisher.toml", text)
    project.ok("build")
    with (
        open_application(project.config(), lambda: datetime.now(UTC)) as application,
        in_process(application) as transport,
        httpx.Client(base_url="http://127.0.0.1:8018", transport=transport) as client,
    ):
        answer = client.get("/blog", headers={"host": "evil.example"})
        assert (answer.status_code, answer.headers["location"]) == (307, "/blog/")
        assert client.get("/blog/archive").headers["location"] == "/blog/archive/"
        assert client.get("/blog/").status_code == 200
