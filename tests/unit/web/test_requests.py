"""What is read from a request: forms, languages, the client's address, and how much of it is logged."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from publisher.web.client_address import Clients, household, shortened_client
from publisher.web.forms import Form, FormError, parse_form
from publisher.web.monitoring import page_of, shown_path
from publisher.web.public.strings import preferred


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
def test_any_accept_language_gives_a_known_language(accept: str) -> None:
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
def test_best_accepted_language_wins(accept: str, given: str) -> None:
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
def test_only_trusted_proxies_are_believed(peer: str, forwarded: tuple[str, ...], client: str) -> None:
    clients = Clients(["10.0.0.0/8"], ["127.0.0.1"])
    assert clients.address(scope(peer, *forwarded)) == client


def test_metrics_are_not_given_to_unknown_proxies() -> None:
    clients = Clients([], ["127.0.0.1"])
    assert clients.may_read_metrics(scope("127.0.0.1"))
    assert not clients.may_read_metrics(scope("192.0.2.1"))
    assert not clients.may_read_metrics(scope("127.0.0.1", "192.0.2.1"))
    behind = Clients(["127.0.0.1"], ["127.0.0.1"])
    assert not behind.may_read_metrics(scope("127.0.0.1", "192.0.2.1"))


def test_log_identifies_no_one() -> None:
    assert shortened_client("192.0.2.77") == "192.0.2.0/24"
    assert shortened_client("2001:db8:1:2:3::4") == "2001:db8:1::/48"
    assert household("2001:db8:1:2:3::4") == household("2001:db8:1:2::9")
    assert shown_path("/unsubscribe/secret", page_of("/unsubscribe/secret", ""), 200) == "/unsubscribe/…"
    assert shown_path("/approve/secret", page_of("/approve/secret", ""), 200) == "/approve/…"
    assert shown_path("/l/account/a/erase", page_of("/l/account/a/erase", "/l"), 200) == "/account/…"
    assert shown_path("/never/secret", page_of("/never/secret", ""), 200) == "/never/…"
    assert shown_path("/ada@example.org", "site", 200) == "…"
    assert shown_path("/posts/", "site", 200) == "/posts/"
    assert shown_path("/secret", "site", 404) == "…"
