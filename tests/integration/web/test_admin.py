"""The admin page over HTTP: who is let in, what is refused, and what the buttons change in the database."""

from __future__ import annotations

import html
import os
import pty
import re
import select
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from threading import Event

import httpx
import pytest

from publisher.bounces.apply import take_report
from publisher.cli.main import run
from publisher.core.bounce_report import Addressee, Report, Verdict
from publisher.core.errors import StoreError
from publisher.core.hold_reasons import by_person
from publisher.core.host_id import host_id
from publisher.core.newsletter_models import DeliveryStatus, Edition
from publisher.core.signing import signer
from publisher.mail.lifecycle import DeliveryEvent, moves, update_returned
from publisher.publishing.mail_wiring import subscription_policy
from publisher.publishing.wiring import open_project_store
from publisher.store import Store
from publisher.store.action_log import ActionLog
from publisher.store.workers import Heartbeat
from publisher.subscribers.privacy import erase
from publisher.web import context
from publisher.web.admin import actions
from publisher.web.admin.feed_stats import FeedStats
from tests.support.admin_page import PASSWORD, Owner, set_password
from tests.support.clockwork import DAY, HOUR, SLOT, Clockwork
from tests.support.forked_program import Program
from tests.support.project import MONDAY, ROOT, WEEKLY, Project
from tests.support.store_samples import person
from tests.support.web_client import WebClient, web_client

GETS = [
    "",
    "/editions",
    "/editions/1",
    "/editions/1/letter",
    "/editions/1/letter?variant=nobody",
    "/editions/99",
    "/next/weekly",
    "/next/weekly/letter",
    "/next/nobody",
    "/emails",
    "/emails/weekly/nothing",
    "/emails/nobody/nothing/letter",
    "/readers",
    "/readers?status=active&sort=-name&q=x&after=nobody",
    "/readers/growth",
    "/readers/nobody",
    "/readers/nobody/erase",
    "/readers/add",
    "/readers/import",
    "/readers/import/nothing",
    "/readers/imports/9",
    "/readers/bulk/nothing",
    "/job/nothing.json",
    "/segments",
    "/segments/_new",
    "/segments/nobody",
    "/feeds",
    "/posts",
    "/access",
    "/log",
    "/log?before=x",
    "/progress.json?id=1&id=x&id=99999999999999999999",
    "/login",
]
MISSING = [
    *("/emails/weekly/nothing", "/emails/nobody/nothing/letter"),
    *("/editions/1/letter?variant=nobody", "/editions/99", "/next/nobody", "/readers/nobody", "/readers/nobody/erase"),
    *("/readers/import/nothing", "/readers/imports/9", "/readers/bulk/nothing", "/segments/nobody"),
]
POSTS = [
    "/logout",
    "/logout-all",
    "/access/on",
    "/access/off",
    "/editions/1",
    "/next/weekly",
    "/readers/export",
    "/readers",
    "/readers/add",
    "/readers/import/nothing",
    "/readers/imports/9",
    "/readers/bulk",
    "/readers/nobody",
    "/readers/nobody/erase",
    "/segments/_new",
]


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebClient]:
    """A project with one edition for four subscribers, and a password. Each test leaves it in a usable state."""
    project = Project(tmp_path_factory.mktemp("admin") / "letter", None)  # type: ignore[arg-type]
    project.post("third", "2026-11-12")
    with web_client(project, newsletters=WEEKLY, now=MONDAY) as running:
        with opened(running) as store:
            people = [person(f"{name}@example.org") for name in ("ada", "bob", "eve", "joe")]
            store.subscribers.add_many(people, at=datetime(2026, 11, 1, tzinfo=UTC), source="test")
        assert run(["-C", str(project.root), "--now", MONDAY, "publish", "weekly"]) == 0
        project.post("fourth", "2026-11-15")
        set_password(project)
        yield running


@pytest.fixture
def owner(web: WebClient) -> Owner:
    """The owner, logged in."""
    found = Owner(web)
    assert found.log_in().headers["location"] == "/admin"
    return found


def opened(web: WebClient) -> Store:
    return open_project_store(web.project.config())


def edition_of(store: Store, edition_id: int = 1) -> Edition:
    found = store.editions.get(edition_id)
    assert found is not None
    return found


def set_all(store: Store, status: DeliveryStatus, reason: str = "") -> None:
    """Give every delivery of the edition one status."""
    store.ledger.move(1, dict.fromkeys(DeliveryStatus, status), next_try_at=None, reason=reason)


def test_admin_is_404_without_a_password(project: Project) -> None:
    with web_client(project) as web:
        owner = Owner(web)
        nothing = web.get("/no-such-page")
        for path in GETS:
            answer = owner.get(path)
            assert (answer.status_code, answer.text) == (404, nothing.text), path
        for path in [*POSTS, "/login"]:
            assert owner.client.post(f"/admin{path}", data={"password": ""}).status_code == 404, path


def test_command_stores_a_password_hash(project: Project) -> None:
    project.configure()
    program = [sys.executable, "-m", "publisher", "-C", str(project.root), "admin", "password"]

    def set_by(given: str) -> tuple[int, str, str]:
        pipe = subprocess.PIPE
        with Program(program, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
            out, err = process.communicate(given, timeout=240)
        return process.returncode, out, err

    assert set_by("")[0] == set_by("too short\n")[0] == 1
    code, out, err = set_by(f"{PASSWORD}\nmore lines\n")
    assert (code, err) == (0, "")
    assert "https://letters.example/admin" in out
    with open_project_store(project.config()) as store:
        assert store.owner.password_hash().startswith("$argon2id$")


def test_terminal_asks_twice_without_echo(project: Project) -> None:
    project.configure()
    ours, theirs = pty.openpty()
    program = [sys.executable, "-m", "publisher", "-C", str(project.root), "admin", "password"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        program, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    said = b""
    for question in (b"New password:", b"Repeat it:"):
        while question not in said:
            assert select.select([ours], [], [], 60)[0], said
            said += os.read(ours, 1_000)
        os.write(ours, f"{PASSWORD}\n".encode())
    with suppress(OSError):  # how the end of a terminal appears on Linux
        while part := os.read(ours, 1_000):
            said += part
    os.close(ours)
    assert process.wait(240) == 0
    assert b"The password is set" in said
    assert b"/admin" in said
    assert PASSWORD.encode() not in said


def test_owner_logs_in_and_out(web: WebClient) -> None:
    owner = Owner(web)
    assert owner.get().headers["location"] == "/admin/login"
    assert owner.log_in("wrong").status_code == 403
    assert owner.get().status_code == 303
    assert owner.log_in().status_code == 303
    assert "What comes next" in owner.get().text
    copied = dict(owner.client.cookies)
    assert owner.client.post("/admin/logout", data={"token": owner.token()}).headers["location"] == "/admin/login"
    assert owner.get().status_code == 303
    owner.client.cookies.update(copied)
    assert owner.get().headers["location"] == "/admin/login"


def test_a_login_leads_to_the_requested_page_and_nowhere_else(web: WebClient) -> None:
    def fields(page: httpx.Response) -> dict[str, str]:
        return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', html.unescape(page.text)))

    def log_in(path: str) -> str:
        client = Owner(web).client
        asked = fields(client.get(client.get(path).headers["location"]))
        again = fields(client.post("/admin/login", data=asked | {"password": "wrong"}))
        return str(client.post("/admin/login", data=again | {"password": PASSWORD}).headers["location"])

    assert log_in("/admin/readers?status=active&said=x&sort=name") == "/admin/readers?status=active&sort=name"
    assert log_in("/admin/segments/_new") == "/admin/segments/_new"
    assert log_in("/admin") == "/admin"
    owner = Owner(web)
    owner.log_in()
    for bad in ("//evil.example", "/\\evil.example", "../x", "https://evil.example/", "x\r\ny", "x" * 3_000, "login"):
        location = owner.client.get("/admin/login", params={"next": bad}).headers["location"]
        assert location == "/admin" or re.match(r"/admin/[^/]", location), bad
    owner.client.post("/admin/logout-all", data={"token": owner.token()})


def test_all_sessions_end_by_the_button_and_by_the_command(web: WebClient, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = Owner(web), Owner(web)
    for owner in (first, second):
        owner.log_in()
    page = first.get("/access").text
    assert (page.count("Logged in <time"), page.count("this one")) == (2, 1)
    assert first.client.post("/admin/logout-all", data={"token": first.token()}).headers["location"] == "/admin/login"
    assert [owner.get().status_code for owner in (first, second)] == [303, 303]
    first.log_in()
    command = ["-C", str(web.project.root), "admin", "logout-all"]
    capsys.readouterr()
    assert run(command) == run(command) == 0
    assert capsys.readouterr().out == "1 session ended\nno one was logged in\n"
    assert first.get().status_code == 303


def test_a_form_of_an_expired_session_asks_for_the_password(web: WebClient, owner: Owner) -> None:
    token, referer = owner.token("/readers"), {"referer": f"{web.url}/admin/readers?sort=name"}
    stranger = Owner(web)
    page = stranger.client.post("/admin/readers", data={"token": token, "search": "x"}, headers=referer)
    assert page.status_code == 403
    assert "You are no longer logged in, so nothing was done" in page.text
    assert 'name="next" value="readers?sort=name"' in page.text
    page = owner.client.post("/admin/readers", data={"token": "0" * 64, "search": "x"}, headers=referer)
    assert page.status_code == 403
    assert "this form is older than your login" in page.text
    assert 'href="/admin/readers?sort=name"' in page.text
    elsewhere = {"referer": "https://evil.example/admin/x", "origin": "https://evil.example"}
    foreign = Owner(web).client.post("/admin/readers", data={"token": token}, headers=elsewhere)
    assert (foreign.status_code, "set-cookie" in foreign.headers) == (403, False)
    assert owner.get("/readers/bulk").headers["location"] == "/admin/readers"


def test_logging_in_again_ends_the_session_of_the_same_browser(web: WebClient, owner: Owner) -> None:
    copied = Owner(web)
    copied.client.cookies.update(dict(owner.client.cookies))
    assert copied.get().status_code == 200
    answer = owner.client.post("/admin/login", data={"token": owner.token(), "password": PASSWORD})
    assert answer.headers["location"] == "/admin"
    assert (owner.get().status_code, copied.get().status_code) == (200, 303)


def test_a_session_of_an_older_version_has_to_log_in(web: WebClient) -> None:
    owner = Owner(web)
    secret = (web.project.root / ".publisher/secret").read_text().strip()
    ends = int(datetime(2030, 1, 1, tzinfo=UTC).timestamp())
    for content in (["a nonce", ends, 1, "0" * 24], ["a nonce", ends]):
        old = str(signer(secret, "admin session").dumps(content))
        owner.client.cookies.set("publisher_admin", old, domain="127.0.0.1", path="/admin")
        assert owner.get().headers["location"] == "/admin/login"
    owner.client.cookies.clear()
    assert owner.log_in().status_code == 303


def test_new_password_ends_every_session(web: WebClient, owner: Owner) -> None:
    token = owner.token()
    set_password(web.project, "another password entirely")
    assert owner.get().headers["location"] == "/admin/login"
    assert owner.client.post("/admin/logout", data={"token": token}).status_code == 403
    assert owner.log_in().status_code == 403
    assert owner.log_in("another password entirely").status_code == 303
    set_password(web.project)


def flags_of(cookie: str) -> set[str]:
    return {part.strip().lower() for part in cookie.split(";")[1:]}


def test_cookie_is_limited_to_admin(web: WebClient) -> None:
    owner = Owner(web)
    guest, session = (flags_of(answer.headers["set-cookie"]) for answer in (owner.get("/login"), owner.log_in()))
    assert guest == {"httponly", "samesite=strict", "path=/admin", "max-age=3600"}
    assert session == {"httponly", "samesite=strict", "path=/admin", "max-age=43200"}


@pytest.mark.parametrize(
    ("host", "name", "flags"),
    [
        ("letters.example", "__Host-publisher_admin_post", {"path=/", "secure"}),
        ("LETTERS.example:443", "__Host-publisher_admin_post", {"path=/", "secure"}),
        ("localhost:8018", "publisher_admin", {"path=/post/admin"}),
        ("127.0.0.1:8018", "publisher_admin", {"path=/post/admin"}),
        ("[::1]:8018", "publisher_admin", {"path=/post/admin"}),
        ("10.0.0.7", "publisher_admin", {"path=/post/admin"}),
    ],
)
def test_cookie_is_bound_to_the_host_with_https(
    project: Project, monkeypatch: pytest.MonkeyPatch, host: str, name: str, flags: set[str]
) -> None:
    monkeypatch.setenv("PUBLISHER_WEB_PUBLIC_URL", "https://letters.example/post")
    with web_client(project, now=MONDAY) as web:
        set_password(project)
        cookie = web.get("/post/admin/login", host=host).headers["set-cookie"]
    assert cookie.partition("=")[0] == name
    assert flags_of(cookie) == {"httponly", "samesite=strict", "max-age=3600"} | flags


def test_too_many_wrong_passwords_lock_out_the_right_one(project: Project) -> None:
    with web_client(project, "[admin]\nwrong_passwords = 3\n") as web:
        set_password(project)
        owner = Owner(web)
        assert [owner.log_in(f"guess {n}").status_code for n in range(5)] == [403, 403, 403, 429, 429]
        answer = owner.log_in()
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "3600")
    log = project.read("serve.log")
    assert "POST /admin/… 429" in log
    assert "guess" not in log


def test_buttons_need_session_token_and_origin(web: WebClient, owner: Owner) -> None:
    fields = {"do": "cancel", "sure": "yes", "address": "eve@example.org"}
    guest, token = Owner(web), owner.token()
    guests = guest.token("/login")
    other = Owner(web)
    other.log_in()
    before = web.rows()
    for path in POSTS:
        refused = [
            guest.client.post(f"/admin{path}", data=fields | {"token": guests}),
            guest.client.post(f"/admin{path}", data=fields | {"token": token}),
            owner.client.post(f"/admin{path}", data=fields),
            owner.client.post(f"/admin{path}", data=fields | {"token": other.token()}),
            owner.client.post(
                f"/admin{path}", data=fields | {"token": token}, headers={"origin": "https://evil.example"}
            ),
            owner.client.post(f"/admin{path}", data=fields | {"token": token}, headers={"origin": "null"}),
            web.client.post(f"/admin{path}", data=fields | {"token": token}),
        ]
        assert [answer.status_code for answer in refused] == [403] * len(refused), path
    assert web.rows() == before
    assert web.project.root.joinpath(".publisher/outbox/new").is_dir()
    assert owner.get().status_code == 200


def test_viewing_pages_changes_nothing(web: WebClient, owner: Owner) -> None:
    before = web.rows()
    files = {
        path: path.read_bytes() for path in web.project.root.rglob("*") if path.is_file() and ".db" not in path.name
    }
    for path in GETS:
        answer = owner.get(path)
        assert answer.status_code == {"/login": 303, **dict.fromkeys(MISSING, 404)}.get(path, 200), path
        assert answer.headers["cache-control"] == "no-store"
    assert web.rows() == before
    assert {path: path.read_bytes() for path in files} == files


def test_framed_email_can_do_nothing(owner: Owner) -> None:
    for path in ("/editions/1/letter", "/next/weekly/letter"):
        policy = owner.get(path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
        assert "sandbox allow-popups allow-popups-to-escape-sandbox" in policy
        assert "@@publisher" not in owner.get(path).text
    page = owner.get("/editions/1")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "'unsafe" not in page.headers["content-security-policy"]
    assert "style=" not in page.text


def test_edition_is_held_and_resumed(web: WebClient, owner: Owner) -> None:
    assert "no. 2" in owner.get("/next/weekly").text
    with opened(web) as store:
        store.editions.hold(1, by_person("not now"))
        store.editions.release(1)
        assert owner.press("/editions/1", do="hold", why=" a  typo\nin it ").startswith("On hold")
        assert edition_of(store).held == "a typo in it"
        assert owner.press("/editions/1", do="hold", why="") == "It was already on hold."
        assert owner.press("/editions/1", do="resume") == "Resumed: sending continues with the next run."
        assert edition_of(store).held == ""
        assert owner.press("/editions/1", do="resume") == "It was not on hold."


def test_a_button_that_worked_does_not_seem_to_have_failed(
    web: WebClient, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: list[str] = []

    def fail(*given: object, **named: object) -> None:
        """Fail as a database that is locked."""
        raise StoreError("is locked by another process")

    monkeypatch.setattr(ActionLog, "record", fail)
    monkeypatch.setattr(context, "log", lambda event, line, **facts: logged.append(line))
    with opened(web) as store:
        assert owner.press("/editions/1", do="hold", why="a typo").startswith("On hold")
        assert edition_of(store).held == "a typo"
        assert owner.press("/editions/1", do="resume").startswith("Resumed")
    assert logged == [f"action not recorded: {word}, edition 1, weekly 2026-W47" for word in ("put on hold", "resumed")]


def test_cancelling_needs_confirmation(web: WebClient, owner: Owner) -> None:
    with opened(web) as store:
        set_all(store, DeliveryStatus.QUEUED)
        assert "Nothing was cancelled" in owner.press("/editions/1", do="cancel")
        assert store.deliveries.counts(1)[DeliveryStatus.QUEUED] == 4
        assert owner.press("/editions/1", do="cancel", sure="yes").startswith("4 cancelled")
        assert store.deliveries.counts(1).by_status == {DeliveryStatus.SKIPPED: 4}


def test_cancelling_also_stops_what_a_run_has_claimed(
    web: WebClient, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "PATIENCE", 600.0)  # until the run has stopped
    pressed = Event()
    with opened(web) as store, ThreadPoolExecutor(1) as pool:
        made_at = edition_of(store).made_at
        store.ledger.move(1, dict.fromkeys(DeliveryStatus, DeliveryStatus.QUEUED), next_try_at=made_at)
        store.workers.begin("w", "a host", Heartbeat(made_at, 1_000 * DAY))
        mine = store.deliveries.claim(
            *(1, "w"),
            now=made_at,
            lease_until=made_at + 1_000 * DAY,
            limit=3,
            claimed=moves(DeliveryEvent.CLAIMED),
            left=moves(DeliveryEvent.LEFT),
        )
        assert len(mine) == 3

        def run_until_hold() -> None:
            """Give the deliveries back when the edition is on hold, as a run does, or at the end."""
            while not (store.editions.held(1) or pressed.wait(0.01)):
                continue
            returned = [update_returned(each.id, made_at, edition_id=1).settled for each in mine]
            store.deliveries.acknowledge("w", returned)

        running = pool.submit(run_until_hold)
        said = owner.press("/editions/1", do="cancel", sure="yes")
        pressed.set()
        running.result()
        store.workers.end("w")
        assert said == "4 cancelled. Messages already sent are not affected."
        assert store.deliveries.counts(1).by_status == {DeliveryStatus.SKIPPED: 4}
        assert edition_of(store).held == ""


def test_an_edition_is_sent_to_people_who_joined_later(web: WebClient, owner: Owner) -> None:
    with opened(web) as store:
        set_all(store, DeliveryStatus.SENT)
        assert "Send to people who joined later" not in owner.get("/editions/1").text
        joined = edition_of(store).made_at + HOUR
        store.subscribers.add(person("late@example.org"), at=joined, source="test")
        said = "Send it to the subscriber who joined after it was made and has not got it"
        assert said in owner.get("/editions/1").text
        assert owner.press("/editions/1", do="add") == "Nothing was sent: please tick the confirmation box."
        assert owner.press("/editions/1", do="add", sure="yes") == "1 subscriber will get it with the next run."
        assert said not in owner.get("/editions/1").text
        assert owner.press("/editions/1", do="add", sure="yes") == "Everyone who joined later already has it."
        erase(store, "late@example.org", now=joined, source="test")


def test_welcome_emails_are_listed_with_the_emails(web: WebClient, owner: Owner) -> None:
    assert "When somebody subscribes" not in owner.get("/emails").text
    first = web.project.write("letters/weekly/welcome.md", "---\nsubject: Hello & welcome\n---\nDear reader\n")
    second = web.project.write("letters/weekly/welcome-2.md", "---\nsubject: Later\n---\nDear reader\n")
    page = owner.get("/emails").text
    assert "Hello &amp; welcome" in page and "at once" in page
    assert "not sent: letters/weekly/welcome-2.md:1: it does not say when it is sent" in page
    first.unlink()
    second.unlink()


def test_failed_messages_are_retried(web: WebClient, owner: Owner) -> None:
    with opened(web) as store:
        set_all(store, DeliveryStatus.FAILED, "550 no <a@b.org>")
        assert "550 no &lt;…&gt;" in owner.get("/editions/1").text
        assert "Choose" in owner.press("/editions/1", do="retry")
        assert "Choose" in owner.press("/editions/1", do="retry", status="sent")
        assert owner.press("/editions/1", do="retry", status=["failed", "uncertain"]).startswith("4 will be retried")
        assert store.deliveries.counts(1).by_status == {DeliveryStatus.QUEUED: 4}


@pytest.fixture
def waiting(project: Project) -> Iterator[tuple[WebClient, Owner, Edition]]:
    """A project whose edition waits for approval an hour before its slot, and its owner."""
    project.configure('owner = "Olga <olga@example.net>"\n', WEEKLY + "approve = true\n")
    project.subscribe("ada")
    with open_project_store(project.config()) as store:
        clockwork = Clockwork(project, store)
        clockwork.at(SLOT - 7 * DAY)
        (edition,) = clockwork.at(SLOT - HOUR).created
    newsletters = WEEKLY + "approve = true\n"
    with web_client(project, newsletters=newsletters, now=str(SLOT - HOUR)[:16].replace(" ", "T")) as web:
        set_password(project)
        owner = Owner(web)
        owner.log_in()
        yield web, owner, edition


def test_scheduler_holds_are_approved_and_manual_holds_resumed(
    waiting: tuple[WebClient, Owner, Edition],
) -> None:
    web, owner, edition = waiting
    place = f"/editions/{edition.id}"
    assert "waits for approval" in owner.get().text
    page = owner.get(place).text
    assert 'value="approve"' in page
    assert 'value="resume"' not in page
    assert "due <time" in page
    assert owner.press(place, do="approve").startswith("Approved. It will be sent in ")
    assert owner.press(place, do="approve") == "It no longer needs your approval."
    with opened(web) as store:
        assert edition_of(store, edition.id).held == ""
        assert [len(store.editions.ready(moment)) for moment in (SLOT - HOUR / 2, SLOT)] == [0, 1]
        owner.press(place, do="hold", why="no")
        assert owner.press(place, do="approve") == "It no longer needs your approval."
        assert edition_of(store, edition.id).held == "no"
        assert 'value="resume"' in owner.get(place).text


def test_skipped_posts_move_to_the_next_slot(
    waiting: tuple[WebClient, Owner, Edition],
) -> None:
    web, owner, edition = waiting
    place = f"/editions/{edition.id}"
    assert owner.get().text.count("no new posts") == 2
    assert owner.press(place, do="skip").startswith("Nothing was skipped")
    assert owner.press(place, do="skip", sure="yes") == "Skipped. No one will receive it."
    with opened(web) as store:
        assert store.deliveries.counts(edition.id).by_status == {DeliveryStatus.SKIPPED: 1}
    assert owner.get().text.count("no new posts") == 1  # of the second slot


def test_bounces_are_shown_on_both_pages(web: WebClient, owner: Owner) -> None:
    page = owner.get("/readers/growth").text
    assert "eve@example.org" not in page
    assert "&lt;form class=&#34;publisher-form&#34;" in page  # the form for another site
    with opened(web) as store:
        delivery = next(row.id for row in store.ledger.rows(1) if row.address == "eve@example.org")
        report = Report(Verdict.REFUSED, Addressee(delivery_id=delivery), "5.7.1", "spam <b>here</b>", ("a key",))
        take_report(store, subscription_policy(web.project.config()), report, now=SLOT, source="test")
    for path in ("/readers/growth", "/editions/1"):
        text = owner.get(path).text
        assert "eve@example.org" in text
        assert "5.7.1 spam &lt;b&gt;here&lt;/b&gt;" in text


def test_unconfirmed_hosts_are_shown_and_stay_unconfirmed(web: WebClient, owner: Owner) -> None:
    here = host_id(web.project.config().root, os.environ)
    with opened(web) as store:
        store.hosts.check_in(here, "this one", SLOT)
        assert "may not send" not in owner.get().text
        store.hosts.check_in("1" * 16, "a laptop", SLOT)
        text = owner.get().text
        assert f"publisher hosts confirm {'1' * 16}" in text
        assert "This host may not send" not in text
        store.hosts.forget(here, datetime.now(UTC))
        assert "This host may not send: this host" in owner.get().text
        assert [host.name for host in store.hosts.list() if not host.forgotten_at] == ["a laptop"]
        store.hosts.confirm(here, SLOT)
        store.hosts.forget("1" * 16, datetime.now(UTC))
        assert "a laptop" not in owner.get().text


def test_test_email_changes_no_row(web: WebClient, owner: Owner) -> None:
    before = web.rows()
    assert 'value="ada@letters.example"' in owner.get("/next/weekly").text
    assert "A test was sent to test@example.org" in owner.press("/next/weekly", address="test@example.org")
    assert "A test was sent to test@example.org" in owner.press("/editions/1", do="test", address="test@example.org")
    assert "Nothing was done" in owner.press("/next/weekly", address="nobody")
    subjects = [str(message["Subject"]) for message in web.mails("test@example.org", 2)]
    assert [subject[:6] for subject in subjects] == ["[Test]", "[Test]"]
    assert "Fourth" in subjects[0]
    assert web.rows() == before


def test_feed_readers_are_counted_without_addresses(project: Project) -> None:
    agent = "Feedly/1.0 (+http://www.feedly.com/fetcher.html; 42 subscribers; like FeedFetcher-Google)"
    with web_client(project, now=MONDAY) as web:
        project.ok("build")
        for path, name in (("/feed.xml", agent), ("/feed.xml", "curl/8"), ("/atom.xml", "curl/8"), ("/", agent)):
            assert web.get(path, **{"user-agent": name}).status_code == 200
        assert web.get("/no/feed.xml", **{"user-agent": agent}).status_code == 404
        assert web.rows()["feed_readers"] == []
    rows = web.rows()
    assert len(rows["feed_readers"]) == 1
    assert "'feed.xml', 'Feedly', 42" in rows["feed_readers"][0]
    assert rows["feed_requests"] == ["('atom.xml', '2026-11-16', 1)", "('feed.xml', '2026-11-16', 1)"]


def test_only_twenty_feed_readers_are_listed(web: WebClient, owner: Owner) -> None:
    with open_project_store(web.project.config()) as store:
        stats = FeedStats(store, lambda: datetime.now(UTC))
        for number in range(300):
            stats.count("feed.xml", f"Reader{number:x}{'x' * 60}/1.0 ({number} subscribers)")
        stats.write()
    text = owner.get("/feeds").text
    assert (text.count('<th scope="row">Reader'), text.count("80 others")) == (20, 1)
    assert max(map(len, re.findall(r"Reader[0-9a-fx]+", text))) == 40
    assert '<td class="number">4,950</td>' in text  # 0 to 99, all of them together


def test_overview_shows_problems_and_next_posts(web: WebClient, owner: Owner) -> None:
    web.project.write("posts/broken.md", "---\ntitle: [unclosed\n---\n")
    web.project.post("later", "2026-11-28")
    text = owner.get().text
    assert "1 file is not published" in text
    assert "Fourth" in text
    assert "Later" in text
    assert "posts/broken.md:" in owner.get("/posts").text
