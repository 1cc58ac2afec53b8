"""The documented nginx and Caddy blocks send the files of the site with the same headers as the program."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.integration.web.test_static_site import REDIRECTS
from tests.support import ROOT
from tests.support.documented_servers import blocks, documented_caddy, documented_nginx
from tests.support.needs import need, needs
from tests.support.project import Project
from tests.support.web_client import WebClient, web_client

FILES = ["a.svg", "a.SVG", "a.xhtml", "a.xml", "a.html", "a.htm", "a.pdf", "a.unknown", "a.png", "a.js", "a.txt"]
SAME = (
    "cache-control",
    "content-security-policy",
    "cross-origin-opener-policy",
    "referrer-policy",
    "x-content-type-options",
)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebClient]:
    project = Project(tmp_path_factory.mktemp("web") / "letter", None)  # type: ignore[arg-type]
    project.post("first", "2026-11-02")
    for name in FILES:
        project.write(f"static/{name}", "text " * 300)
    project.write("static/.well-known/security.txt", "found")
    project.write("static/.hidden", "secret")
    with web_client(project) as running:
        assert project.spawn("build").code == 0
        yield running


@pytest.fixture(
    scope="module", params=[pytest.param("nginx", marks=needs("nginx")), pytest.param("caddy", marks=needs("caddy"))]
)
def server(
    request: pytest.FixtureRequest, program: WebClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The URL of a documented server, which sends the policy for the public URL of the program."""
    folder, state = program.project.root / "public", tmp_path_factory.mktemp("server") / "state"
    with ExitStack() as stack:
        if request.param == "nginx":
            yield stack.enter_context(documented_nginx(folder, state, program.url, program.url))
        else:
            yield stack.enter_context(documented_caddy(folder, state, program.url))


def test_headers_are_the_same_as_those_of_the_program(program: WebClient, server: str) -> None:
    paths = ["/", "/feed.xml", "/atom.xml", "/feed.json", "/feeds.opml", "/sitemap.xml", "/archive/", "/nothing"]
    paths += [f"/{name}" for name in FILES]
    paths += [f"/assets/{each.name}" for each in (program.project.root / "public/assets").glob("site.*.css")]
    for path in paths:
        ours, theirs = program.get(path), httpx.get(server + path, timeout=60)
        assert theirs.status_code == ours.status_code, path
        assert {name: theirs.headers.get(name) for name in SAME} == {name: ours.headers.get(name) for name in SAME}, (
            path
        )
        if path in ("/", "/feed.xml", "/atom.xml", "/feed.json", "/feeds.opml", "/nothing"):
            assert theirs.headers["content-type"] == ours.headers["content-type"], path
        assert theirs.headers["strict-transport-security"]


def test_text_is_compressed(server: str) -> None:
    for path in ("/feed.xml", "/atom.xml", "/feed.json", "/a.txt"):
        answer = httpx.get(server + path, timeout=60)
        assert answer.headers.get("content-encoding") == "gzip", path
        assert "accept-encoding" in answer.headers["vary"].lower()


def test_hidden_files_are_404(server: str) -> None:
    for path in ("/.publisher-files.json", "/.hidden", "/%2ehidden", "/a/../.hidden", "//.hidden"):
        answer = httpx.get(httpx.URL(server).copy_with(raw_path=path.encode()), timeout=60)
        assert answer.status_code == 404, path
        assert "secret" not in answer.text
    assert httpx.get(f"{server}/.well-known/security.txt", timeout=60).text == "found"


@pytest.mark.parametrize("path", REDIRECTS)
def test_a_redirect_never_leaves_the_site(server: str, path: bytes) -> None:
    answer = httpx.get(httpx.URL(server).copy_with(raw_path=path), follow_redirects=False, timeout=60)
    assert answer.status_code in (200, 301, 302, 307, 308, 400, 404)
    target = answer.headers.get("location", "/archive/")
    assert httpx.URL(server).join(target).netloc == httpx.URL(server).netloc
    assert "\\" not in target
    assert not target.startswith("//")


def test_caddy_accepts_the_file_of_the_compose_file_and_the_documented_proxy(tmp_path: Path) -> None:
    proxy = next(block for block in blocks("caddy") if "reverse_proxy" in block)
    (tmp_path / "Caddyfile").write_text(proxy)
    for file in (ROOT / "deploy/Caddyfile", tmp_path / "Caddyfile"):
        command = [need("caddy"), "adapt", "--config", str(file), "--adapter", "caddyfile"]
        adapted = subprocess.run(command, env={"DOMAIN": "letters.example.org"}, capture_output=True, check=True).stdout
        assert b"8018" in adapted
        assert b'"encodings"' not in adapted  # pages with tokens are not compressed
