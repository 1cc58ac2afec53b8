"""What nobody should send: each gets a clear answer, nothing is stored wrong, nothing breaks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from publisher.web.client_address import Clients, shortened_client
from publisher.web.forms import Form, FormError, parse_form
from publisher.web.monitoring import page_of, shown_path
from publisher.web.public.strings import preferred
from publisher.web.rate_limit import household
from tests.support.project import Project
from tests.support.web_client import WebClient, web_client

NASTY = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; DROP TABLE subscribers; --",
    "Ada\r\nBcc: everybody@example.org",
    "\u202egro.elpmaxe@ada",
    "{{ 7 * 7 }}{% raise %}",
    "{title}{0.__class__}",
    "@@publisher-unsubscribe@@",
    "=cmd|' /C calc'!A0",
    "x" * 5_000,
]


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebClient]:
    project = Project(tmp_path_factory.mktemp("web") / "letter", None)  # type: ignore[arg-type]
    project.post("first", "2026-11-02")
    with web_client(project) as running:
        yield running


@pytest.mark.parametrize("nasty", NASTY)
def test_every_field_may_hold_anything(web: WebClient, nasty: str) -> None:
    for field in ("email", "name", "newsletter", "topic.weekly", "language", "do", nasty[:50]):
        fields = {"email": "ada@example.org", "newsletter": "weekly"} | {field: nasty}
        answer = web.post("/subscribe", **fields)
        assert answer.status_code in (200, 400)
        assert "<script>alert" not in answer.text
        assert "<img src=x" not in answer.text
        assert "49" not in answer.text


def test_a_name_breaks_out_of_no_header_and_of_no_letter(web: WebClient) -> None:
    name = 'Eve\r\nBcc: all@example.org\r\n\r\n<b>@@publisher-unsubscribe@@ {title}\u202e "x"'
    web.ask("eve@example.org", name=name)
    (notice,) = web.mails("eve@example.org")
    assert set(notice.keys()) >= {"From", "To", "Subject", "Message-ID", "Date", "Auto-Submitted"}
    page = web.get(web.link("eve@example.org")).text
    assert "Eve Bcc: all@example.org &lt;b&gt;@@publisher-unsubscribe@@ {title} &#34;x&#34;" in page
    assert notice["Bcc"] is None
    assert notice["To"] == "eve@example.org"
    parts = [notice.get_body((kind,)).get_content() for kind in ("html", "plain")]
    assert not [part for part in parts if "Eve" in part or "@@" in part or "\u202e" in part]


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b"email=a%00b@example.org", "application/x-www-form-urlencoded", 400),
        (b"email=%ff@example.org", "application/x-www-form-urlencoded", 400),
        (b"\xff\xfe\x00", "application/x-www-form-urlencoded", 400),
        (b"&".join(b"a=b" for _ in range(5_000)), "application/x-www-form-urlencoded", 400),
        (b"x" * 70_000, "application/x-www-form-urlencoded", 413),
        (b"no parts", "multipart/form-data", 400),
        (b"--b\r\n\r\n--b--", "multipart/form-data; boundary=b", 400),
        (b"{}", "application/json", 400),
        (b"", "", 400),
    ],
)
def test_a_body_that_is_no_form_is_refused(web: WebClient, body: bytes, kind: str, code: int) -> None:
    before = web.rows()
    for path in ("/subscribe", "/unsubscribe/x", "/preferences/x"):
        answer = web.client.post(path, content=body, headers={"content-type": kind} if kind else {})
        assert (
            answer.status_code == (404 if code == 400 and path != "/subscribe" else code) or answer.status_code == 400
        )
        assert "text/html" in answer.headers["content-type"]
    assert web.rows() == before


@given(st.text(max_size=40), st.binary(max_size=300))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_body_is_a_form_or_refused(kind: str, body: bytes) -> None:
    for shape in (kind, "multipart/form-data; boundary=b", "multipart/form-data; charset=" + kind):
        try:
            form = parse_form(shape, body)
        except FormError as error:
            assert error.status == 400
        else:
            assert isinstance(form, Form)
            assert all("\0" not in value for values in form.fields.values() for value in values)


@given(st.text(max_size=200))
def test_any_wish_for_languages_is_answered_with_one_that_is_spoken(accept: str) -> None:
    assert preferred(accept, ("ar", "de", "en"), "en").partition("-")[0].lower() in ("ar", "de", "en")


@pytest.mark.parametrize(
    ("accept", "given"),
    [
        ("de-AT, en", "de"),
        ("fr;q=0.1, de;q=0.2", "de"),
        ("nl", "en"),
        ("de;q=0, ar", "ar"),
        ("*", "en"),
        (";q=x", "en"),
    ],
)
def test_the_best_language_of_a_browser_is_taken(accept: str, given: str) -> None:
    assert preferred(accept, ("ar", "de", "en"), "en") == given


def scope(peer: str, *forwarded: str) -> dict[str, object]:
    return {"client": (peer, 1), "headers": [(b"x-forwarded-for", value.encode()) for value in forwarded]}


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.1", (), "192.0.2.1"),
        ("192.0.2.1", ("198.51.100.7",), "192.0.2.1"),
        ("10.0.0.1", ("198.51.100.7",), "198.51.100.7"),
        ("10.0.0.1", ("6.6.6.6, 198.51.100.7, 10.0.0.9",), "198.51.100.7"),
        ("10.0.0.1", ("6.6.6.6", "198.51.100.7"), "198.51.100.7"),
        ("10.0.0.1", ("unknown, <script>",), "10.0.0.1"),
        ("10.0.0.1", (), "10.0.0.1"),
    ],
)
def test_only_named_proxies_say_who_is_behind_them(peer: str, forwarded: tuple[str, ...], client: str) -> None:
    clients = Clients(["10.0.0.0/8"], ["127.0.0.1"])
    assert clients.address(scope(peer, *forwarded)) == client


def test_figures_are_for_those_named_and_never_for_who_comes_through_an_unknown_proxy() -> None:
    clients = Clients([], ["127.0.0.1"])
    assert clients.may_read_metrics(scope("127.0.0.1"))
    assert not clients.may_read_metrics(scope("192.0.2.1"))
    assert not clients.may_read_metrics(scope("127.0.0.1", "192.0.2.1"))
    behind = Clients(["127.0.0.1"], ["127.0.0.1"])
    assert not behind.may_read_metrics(scope("127.0.0.1", "192.0.2.1"))


def test_a_log_tells_nobody_apart() -> None:
    assert shortened_client("192.0.2.77") == "192.0.2.0/24"
    assert shortened_client("2001:db8:1:2:3::4") == "2001:db8:1::/48"
    assert household("2001:db8:1:2:3::4") == household("2001:db8:1:2::9")
    assert shown_path("/unsubscribe/secret", page_of("/unsubscribe/secret", ""), 200) == "/unsubscribe/…"
    assert shown_path("/approve/secret", page_of("/approve/secret", ""), 200) == "/approve/…"
    assert shown_path("/l/preferences/a/data", page_of("/l/preferences/a/data", "/l"), 200) == "/preferences/…"
    assert shown_path("/ada@example.org", "site", 200) == "…"
    assert shown_path("/posts/", "site", 200) == "/posts/"
    assert shown_path("/secret", "site", 404) == "…"


ANYTHING = st.text(st.characters(codec="utf-8"), max_size=60)


@given(
    st.dictionaries(st.sampled_from(["email", "name", "newsletter", "topic.weekly", "language", "website"]), ANYTHING)
)
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_typed_is_answered_and_never_shown_as_markup(web: WebClient, fields: dict[str, str]) -> None:
    answer = web.post("/subscribe", **fields)
    assert answer.status_code in (200, 400)
    assert answer.text.count("<script") == 0
    assert web.get("/healthz").status_code == 200
