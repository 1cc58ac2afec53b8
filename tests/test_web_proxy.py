"""Behind nginx as docs/deployment.md has it: the site is nginx's, the readers' pages are ours."""

from __future__ import annotations

import re

import httpx
import pytest
from conftest import ROOT, Project
from static_server import has_nginx, serve_with_nginx
from web_server import serving


@pytest.mark.skipif(not has_nginx(), reason="nginx is not installed")
def test_the_documented_nginx_serves_the_site_and_leads_readers_to_us(project: Project) -> None:
    page = (ROOT / "docs/deployment.md").read_text(encoding="utf-8")
    found = re.findall(r"^```nginx\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    block = "".join(block for block in found if "8018" in block)
    assert block.count("proxy_pass") == 2
    kept = '[subscribers]\nkeep_ip = true\n[bounces.postmark]\nsecret = "correct horse battery"\n'
    proxy = 'trusted_proxies = ["127.0.0.1"]\nclient_limit = 2'
    with serving(project, kept, web=proxy) as server:
        project.ok("build")
        port = server.url.rpartition(":")[2]
        with serve_with_nginx(project.root / "public", project.root / "nginx", block.replace("8018", port)) as site:
            assert httpx.get(f"{site.url}/feed.xml").status_code == 200
            form = httpx.get(f"{site.url}/subscribe")
            style = re.search(r'rel="stylesheet" href="([^"]+)"', form.text)[1]
            assert httpx.get(site.url + style).status_code == 200
            assert httpx.get(f"{site.url}/metrics").status_code == 404

            def ask(client: str, name: str) -> int:
                fields = {"email": f"{name}@example.org", "newsletter": "weekly"}
                headers = {"x-forwarded-for": client}
                return httpx.post(f"{site.url}/subscribe", data=fields, headers=headers).status_code

            # What a client writes is not believed: nginx names 127.0.0.1 behind it, which is a proxy of ours, so
            # here, where the reader is on this machine too, the address before it counts.
            assert [ask("192.0.2.7", f"a{n}") for n in range(3)] == [200, 200, 429]
            assert ask("192.0.2.8", "b") == 200
            server.mails("b@example.org")
            assert server.show("a0@example.org")["consent"][0]["ip"] == "192.0.2.7"
            large = httpx.post(f"{site.url}/subscribe", content=b"x" * 100_000)
            assert large.status_code == 413
            sizes = (500_000, 2_000_000)
            hooks = [httpx.post(f"{site.url}/hooks/bounce/postmark", content=b"x" * size) for size in sizes]
            assert [answer.status_code for answer in hooks] == [403, 413]
        assert "confirm" not in (project.root / "nginx/access.log").read_text()
