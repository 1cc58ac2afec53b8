"""The second factor: turned on and off on the page and by the command, and required by the login form."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import httpx
import pyotp
import pytest

from publisher.publishing.wiring import open_project_store
from tests.support.admin_page import PASSWORD, Owner, set_password
from tests.support.project import Project
from tests.support.web_client import WebClient, web_client

# The fixed clock of the web application, and later times, at which an app shows a different code.
MOMENTS = ["2026-11-16T09:00", "2026-11-16T09:02", "2026-11-16T09:04"]


def code_at(web: WebClient, key: str, moment: str) -> str:
    zone = web.project.config().zone
    return pyotp.TOTP(key).at(datetime.fromisoformat(moment).replace(tzinfo=zone))


def turn_on(web: WebClient, owner: Owner, **fields: str) -> tuple[httpx.Response, str]:
    """Fill in the form on the page; return the answer, and the key."""
    key = re.search(r'name="key" value="([A-Z2-7]{32})"', owner.get("/access").text)[1]
    given = {"token": owner.token(), "key": key, "password": PASSWORD, "code": code_at(web, key, MOMENTS[0])}
    return owner.client.post("/admin/access/on", data=given | fields), key


def recovery_codes(page: str) -> list[str]:
    return re.findall(r"<li><code>((?:\w{4}-){3}\w{4})</code>", page)


def turned_on(project: Project) -> tuple[str, list[str]]:
    """Turn on the second factor on the page; return the key and the recovery codes."""
    with web_client(project, now=MOMENTS[0]) as web:
        set_password(project)
        owner, other = Owner(web), Owner(web)
        owner.log_in()
        other.log_in()
        answer, key = turn_on(web, owner)
        assert answer.status_code == 200
        assert [owner.get().status_code, other.get().status_code] == [200, 303]
        return key, recovery_codes(answer.text)


def test_a_password_alone_no_longer_logs_in(project: Project) -> None:
    key, codes = turned_on(project)
    assert len(codes) == 10
    with web_client(project, now=MOMENTS[1]) as web:
        assert 'autocomplete="one-time-code"' in Owner(web).get("/login").text
        code = code_at(web, key, MOMENTS[1])
        for fields in ({}, {"code": ""}, {"code": "000000"}, {"code": code_at(web, key, MOMENTS[0])}):
            refused = Owner(web).log_in(**fields)
            assert refused.status_code == 403
            assert "Wrong password or code." in refused.text
        assert Owner(web).log_in("wrong password", code=code).status_code == 403  # does not use the code up
        assert Owner(web).log_in(code=code).status_code == 303
        assert Owner(web).log_in(code=code).status_code == 403
        owner = Owner(web)
        assert owner.log_in(code=codes[0]).status_code == 303
        assert Owner(web).log_in(code=codes[0]).status_code == 403
        page = owner.get("/access").text
        assert "9 of your recovery codes are left" in page
        assert key not in page
        assert not any(each in page for each in codes)


def test_turning_off_the_second_factor_needs_password_and_code(project: Project) -> None:
    key, codes = turned_on(project)
    with web_client(project, now=MOMENTS[2]) as web:
        owner = Owner(web)
        owner.log_in(code=codes[0])
        given = {"token": owner.token(), "password": PASSWORD, "code": code_at(web, key, MOMENTS[2])}
        for wrong in ({"password": ""}, {"password": "wrong password"}, {"code": ""}, {"code": codes[0]}):
            assert owner.client.post("/admin/access/off", data=given | wrong).status_code == 403
        assert owner.client.post("/admin/access/off", data=given | {"token": ""}).status_code == 403
        assert "Wrong" in owner.client.post("/admin/access/off", data=given | {"code": "000000"}).text
        done = owner.client.post("/admin/access/off", data=given)
        assert done.status_code == 303
        assert "The second factor is off." in owner.client.get(done.headers["location"]).text
        assert Owner(web).log_in().status_code == 303


def test_turning_on_the_second_factor_needs_password_and_code(project: Project) -> None:
    with web_client(project, now=MOMENTS[0]) as web:
        set_password(project)
        owner = Owner(web)
        owner.log_in()
        assert turn_on(web, owner, password="wrong password")[0].status_code == 403
        answer, key = turn_on(web, owner, code="000000")
        assert answer.status_code == 400
        assert f'name="key" value="{key}"' in answer.text  # the app has this key already
        assert turn_on(web, owner, key="<script>")[0].status_code == 400
        assert Owner(web).log_in().status_code == 303


def test_wrong_codes_count_as_guesses(project: Project) -> None:
    _, codes = turned_on(project)
    with web_client(project, "[admin]\nwrong_passwords = 3\n", now=MOMENTS[1]) as web:
        assert [Owner(web).log_in(code="000000").status_code for _ in range(4)] == [403, 403, 403, 429]
        assert Owner(web).log_in(code=codes[0]).status_code == 429


def test_the_command_turns_off_the_second_factor_without_a_code(project: Project) -> None:
    turned_on(project)
    refused = project.run("admin", "totp")
    assert (refused.code, "already on" in refused.err) == (1, True)
    refused = project.run("admin", "totp", "--off")
    assert (refused.code, "--yes" in refused.err) == (1, True)
    assert project.ok("admin", "totp", "--off", "--yes").out == "The second factor is off.\n"
    assert project.ok("admin", "totp", "--off", "--yes").out == "It was already off.\n"
    with web_client(project) as web:
        assert Owner(web).log_in().status_code == 303


class App:
    """A stdin from which the code of an authenticator app can be read once the key has been printed."""

    def __init__(self, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
        self.keys: list[str] = []
        monkeypatch.setattr("publisher.cli.admin.new_key", self.key)
        monkeypatch.setattr("sys.stdin", self)
        self._zone = project.config().zone

    def key(self) -> str:
        self.keys.append(pyotp.random_base32())
        return self.keys[-1]

    def readline(self) -> str:
        return pyotp.TOTP(self.keys[-1]).at(datetime.fromisoformat(MOMENTS[0]).replace(tzinfo=self._zone)) + "\n"

    def isatty(self) -> bool:
        return False


def test_the_command_turns_on_the_second_factor(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.configure()
    app = App(project, monkeypatch)
    refused = project.run("admin", "totp", now=MOMENTS[0])
    assert (refused.code, "publisher admin password" in refused.err) == (1, True)
    set_password(project)
    done = project.ok("admin", "totp", now=MOMENTS[0])
    assert app.keys[-1] in done.err
    assert "█" in done.err or "▄" in done.err
    codes = re.findall(r"^  (\S+)$", done.out, re.MULTILINE)
    assert len(codes) == 10
    with open_project_store(project.config()) as store:
        assert store.owner.recovery_codes_left() == 10


def test_a_changed_secret_is_explained_in_the_log(project: Project) -> None:
    turned_on(project)
    Path(project.root / ".publisher/secret").write_text("another secret of at least 32 characters")
    with web_client(project, now=MOMENTS[1]) as web:
        assert Owner(web).log_in(code="000000").status_code == 503
