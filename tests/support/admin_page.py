"""The owner using the admin page of a running server, without a browser."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import httpx
from argon2 import PasswordHasher

from publisher.publishing.wiring import open_project_store
from tests.support.project import Project
from tests.support.web_client import WebClient

_CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

PASSWORD = "correct horse battery staple"


def set_password(project: Project, password: str = PASSWORD) -> None:
    """Set the password like `publisher admin password`, but with a hash that is cheap to check."""
    config = project.config()
    with open_project_store(config) as store:
        store.owner.set_password(_CHEAP.hash(password), datetime.now(UTC))


class Owner:
    """A client at /admin with its own cookies."""

    def __init__(self, web: WebClient) -> None:
        self.client = web.browser(origin=web.url)

    def get(self, path: str = "") -> httpx.Response:
        """Get a page; redirects are returned, not followed."""
        return self.client.get(f"/admin{path}")

    def token(self, path: str = "") -> str:
        """Return the token in the forms of a page."""
        found = re.search(r'name="token" value="([0-9a-f]{64})"', self.get(path).text)
        assert found
        return found[1]

    def log_in(self, password: str = PASSWORD, **fields: str) -> httpx.Response:
        """Load the form, fill it in, and submit it."""
        return self.client.post("/admin/login", data={"token": self.token("/login"), "password": password, **fields})

    def press(self, path: str, **fields: str | list[str]) -> str:
        """Press a button; return what the page then says about the result."""
        answer = self.client.post(f"/admin{path}", data={"token": self.token(path), **fields})
        assert answer.status_code == 303, answer.text
        page = self.client.get(answer.headers["location"]).text
        found = re.search(r'<p class="(?:said|trouble)" role="\w+">([^<]*)</p>', page)
        assert found, page
        return found[1]
