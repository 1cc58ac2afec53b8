"""The admin page at its own URL: the site and its forms are not there, and the admin page is nowhere else."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx
import pytest

from benchmarks.free_ports import free_port
from publisher.config import load_config
from publisher.core.errors import ProjectError
from publisher.web.application import open_application
from publisher.web.server import Server, listen_for
from tests.support.admin_page import PASSWORD, set_password
from tests.support.project import Project
from tests.support.web_client import NEWSLETTERS

OWN = '[admin]\nlisten = "127.0.0.1:{port}"\n'


@contextmanager
def serving(project: Project) -> Iterator[tuple[httpx.Client, ...]]:
    """Serve a project at its URLs, in this process; yield a client for each."""
    config = load_config(project.root)
    listeners = listen_for(config, port=0)
    server = Server(*listeners)
    urls = [f"http://127.0.0.1:{each.getsockname()[1]}" for each in listeners]
    with open_application(config, lambda: datetime.now(UTC)) as application:
        thread = threading.Thread(target=server.answer, args=(application,))
        thread.start()
        try:
            yield tuple(httpx.Client(base_url=url, timeout=60) for url in urls)
        finally:
            server.end(hurry=True)
            thread.join()


@pytest.fixture
def clients(project: Project) -> Iterator[tuple[httpx.Client, ...]]:
    project.configure(OWN.format(port=free_port()) + '[web]\npublic_url = "https://letters.example"\n', NEWSLETTERS)
    project.post("first", "2026-11-02")
    project.ok("build")
    set_password(project)
    with serving(project) as found:
        yield found


def test_each_url_has_its_own_pages(clients: tuple[httpx.Client, ...]) -> None:
    public, admin = clients
    assert {path: admin.get(path).status_code for path in ("/admin/login", "/healthz", "/metrics")} == dict.fromkeys(
        ("/admin/login", "/healthz", "/metrics"), 200
    )
    assert (admin.get("/").status_code, admin.get("/").headers["location"]) == (303, "/admin")
    for path in ("/feed.xml", "/subscribe", "/unsubscribe/x", "/archive/", "/index.html", "/hooks/bounce/generic"):
        assert admin.get(path).status_code == 404, path
    for path in ("/admin", "/admin/login", "/admin/assets/x", "/admin/", "/%61dmin", "/admin/progress.json"):
        assert public.get(path).status_code == 404, path
        assert admin.get(path).headers["content-security-policy"]
    assert public.post("/admin/login", data={"password": PASSWORD}).status_code in (404, 405)
    assert "set-cookie" not in public.get("/admin/login", headers={"host": str(admin.base_url.netloc)}).headers
    assert [public.get(path).status_code for path in ("/feed.xml", "/subscribe")] == [200, 200]


def test_forms_from_the_public_url_are_refused(clients: tuple[httpx.Client, ...]) -> None:
    _, admin = clients
    for origin, status in (("https://letters.example", 403), (str(admin.base_url), 303)):
        token = admin.get("/admin/login").text.partition('name="token" value="')[2].partition('"')[0]
        fields = {"token": token, "password": PASSWORD}
        answer = admin.post("/admin/login", data=fields, headers={"origin": origin.rstrip("/")})
        assert answer.status_code == status


def test_a_port_in_use_is_reported(project: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        project.configure(OWN.format(port=port), NEWSLETTERS)
        with pytest.raises(ProjectError) as refused:
            listen_for(project.config(), port=0)
    assert f"admin.listen 127.0.0.1:{port}" in refused.value.where
    project.configure('[admin]\nlisten = "8019"\n', NEWSLETTERS)
    assert "admin.listen" in project.run("check").out


def test_the_command_prints_the_url(project: Project) -> None:
    project.configure(OWN.format(port=8019), NEWSLETTERS)
    assert project.config().admin_url == "http://127.0.0.1:8019/admin"
    project.configure(OWN.format(port=8019) + '[web]\npublic_url = "https://a.example/letters"\n', NEWSLETTERS)
    assert project.config().admin_url == "http://127.0.0.1:8019/letters/admin"
