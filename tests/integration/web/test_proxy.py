"""Behind nginx as documented in docs/deployment.md: nginx serves the site, the application everything else."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import httpx

from publisher.web.application import open_application
from publisher.web.monitoring import OWN
from tests.support.documented_servers import documented_nginx
from tests.support.project import Project
from tests.support.web_server import Serving, serving

# Only for the machine itself.
INSIDE = {"healthz", "metrics"}
BLOG = "https://blog.example.net"


def own_paths(project: Project) -> list[str]:
    """Return every URL of the application except those of the site, with "secret-N" for parameters."""
    with open_application(project.config(), lambda: datetime.now(UTC)) as application:
        routes = [route.path for route in application._app._app._public.routes if hasattr(route, "methods")]
    paths = sorted({re.sub(r"\{[^}]*\}", f"secret-{number}", path) for number, path in enumerate(routes)})
    families = {path.split("/")[1] for path in paths}
    assert {name for name in families if not name.startswith("readers.")} == set(OWN)
    return paths


def test_documented_nginx_passes_every_url_unlogged(
    project: Project,
) -> None:
    with serving(project) as server:
        project.ok("build")
        with documented_nginx(project.root / "public", project.root / "nginx", server.url) as url:
            reached = {path: "x-passed-on" in httpx.get(url + path, timeout=60).headers for path in own_paths(project)}
        assert {path for path, is_reached in reached.items() if not is_reached} == {f"/{name}" for name in INSIDE}
        log = (project.root / "nginx/access.log").read_text()
        assert [path for path, is_reached in reached.items() if is_reached and f" {path} " in log] == []
        assert "/metrics " in log
        assert "secret-" not in log


def test_documented_nginx_serves_site_and_application(project: Project) -> None:
    kept = '[subscribers]\nkeep_ip = true\n[bounces.postmark]\nsecret = "correct horse battery"\n'
    proxy = f'trusted_proxies = ["127.0.0.1"]\nclient_limit = 2\nform_origins = ["{BLOG}"]'
    with serving(project, kept, web=proxy) as server:
        project.ok("build")
        with documented_nginx(project.root / "public", project.root / "nginx", server.url) as url:
            assert httpx.get(f"{url}/feed.xml", timeout=60).status_code == 200
            form = httpx.get(f"{url}/subscribe", timeout=60)
            for name in ("content-security-policy", "cache-control", "x-content-type-options"):
                assert form.headers.get_list(name) == [httpx.get(f"{server.url}/subscribe", timeout=60).headers[name]]
            assert form.headers["strict-transport-security"]
            style = re.search(r'rel="stylesheet" href="([^"]+)"', form.text)[1]
            assert httpx.get(url + style, timeout=60).status_code == 200
            assert httpx.get(f"{url}/metrics", timeout=60).status_code == 404

            def ask(client: str, name: str) -> int:
                fields = {"email": f"{name}@example.org", "newsletter": "weekly", "token": server.form_token()}
                headers = {"x-forwarded-for": client}
                return httpx.post(f"{url}/subscribe", data=fields, headers=headers, timeout=60).status_code

            # What a client writes is not trusted: nginx adds 127.0.0.1 after it, which is our own proxy; here the
            # reader is on this machine, too, so the address before it counts.
            assert [ask("192.0.2.7", f"a{n}") for n in range(3)] == [200, 200, 429]
            assert ask("192.0.2.8", "b") == 200
            server.mails("b@example.org")
            assert server.show("a0@example.org")["consent"][0]["ip"] == "192.0.2.7"
            signs_up_from_elsewhere(server, url)
            large = httpx.post(f"{url}/subscribe", content=b"x" * 100_000, timeout=60)
            assert large.status_code == 413
            sizes = (500_000, 2_000_000)
            hooks = [httpx.post(f"{url}/hooks/bounce/postmark", content=b"x" * size, timeout=60) for size in sizes]
            assert [answer.status_code for answer in hooks] == [403, 413]
        assert "confirm" not in (project.root / "nginx/access.log").read_text()


def signs_up_from_elsewhere(server: Serving, url: str) -> None:
    """Check that a script and a form on another site reach the application through nginx, with all headers."""
    page, blog = f"{url}/subscribe.json", {"origin": BLOG, "x-forwarded-for": "192.0.2.9"}
    preflight = httpx.options(page, headers=blog | {"access-control-request-method": "POST"})
    assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (204, BLOG)
    offer = httpx.get(page, headers=blog, timeout=60)
    assert [each["name"] for each in offer.json()["newsletters"]] == ["weekly", "daily"]
    assert offer.headers.get_list("access-control-allow-origin") == [BLOG]
    assert offer.headers.get_list("cache-control") == [
        httpx.get(f"{server.url}/subscribe.json", timeout=60).headers["cache-control"]
    ]
    body = {"email": "json@example.org", "newsletters": ["weekly"], "token": server.form_token()}
    answer = httpx.post(page, json=body, headers=blog, timeout=60)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (202, BLOG)
    assert server.link("json@example.org")
    assert (
        httpx.post(page, json=body, headers=blog | {"origin": "https://elsewhere.example"}, timeout=60).status_code
        == 403
    )
    embedded = httpx.post(
        f"{url}/subscribe", data={"email": "form@example.org", "newsletter": "weekly"}, headers=blog, timeout=60
    )
    assert "One more click" in embedded.text
