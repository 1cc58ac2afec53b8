"""What is read from a request (forms, languages, the client's IP address), and how much of the request is logged."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from publisher.web.client_address import Clients, household, parse_ip, shortened_client
from publisher.web.forms import Form, FormError, parse_form, parse_sign_up
from publisher.web.monitoring import page_of, shown_path
from publisher.web.public.strings import preferred


@given(st.text(max_size=40), st.binary(max_size=300))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_any_body_is_a_form_or_refused(kind: str, body: bytes) -> None:
    for shape in (kind, "multipart/form-data; boundary=b", "multipart/form-data; charset=" + kind):
        try:
            form = parse_form(shape, body)
        except FormError as error:
            assert error.status == 400
        else:
            assert isinstance(form, Form)
            assert all("\0" not in value for values in form.fields.values() for value in values)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["email", "topics", "weekly"]), inner),
    max_leaves=10,
)


@given(st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
@settings(deadline=None)
def test_any_json_is_a_form_or_refused(body: bytes) -> None:
    try:
        form = parse_sign_up(body)
    except FormError as error:
        assert error.status == 400
    else:
        texts = [value for values in form.fields.values() for value in values]
        assert "\0" not in "".join(texts).encode().decode()


def part(head: str, body: str = "x") -> str:
    return f"--b\r\n{head}\r\n\r\n{body}\r\n"


FIELD = 'Content-Disposition: form-data; name="email"'
DEEP = "".join(f"--b{'x' * n}\nContent-Type: multipart/x; boundary=b{'x' * (n + 1)}\n\n" for n in range(200))


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (part(FIELD, "ada@example.org") + "--b--", {"email": ("ada@example.org",)}),
        (part(FIELD, " é\n") + part(FIELD) + "--b--", {"email": (" é\n", "x")}),
        (part(FIELD + "\r\nContent-Transfer-Encoding: base64", "YUBi") + "--b--", {"email": ("a@b",)}),
        (part(f"{FIELD}; filename=a.txt") + part("X: y") + part(FIELD), {"email": ("x",)}),
        (part(FIELD) * 100, {"email": ("x",) * 100}),
        (part(FIELD) * 101, None),
        (part("Content-Type: multipart/mixed; boundary=c", "--c\r\n\r\nx\r\n--c--"), None),
        (part("Content-Type: message/rfc822", FIELD), None),
        (DEEP + "\n" * 5_000, None),
        (part("Content-Disposition: form-data; name*=a''b; name*0=c"), None),
        (part(FIELD, "\0"), None),
    ],
)
def test_a_multipart_form_has_fields_and_no_parts_in_parts(
    body: str, fields: dict[str, tuple[str, ...]] | None
) -> None:
    kind = "multipart/form-data; boundary=b"
    if fields is None:
        with pytest.raises(FormError, match="400"):
            parse_form(kind, body.encode())
    else:
        assert parse_form(kind, body.encode()).fields == fields


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
        ("10.0.0.1", ("unknown, <script>",), "unknown"),
        ("10.0.0.1", (), "10.0.0.1"),
        ("10.0.0.1", ("127.0.0.1, 198.51.100.7:4711",), "198.51.100.7"),
        ("10.0.0.1", ("127.0.0.1, [2001:db8::1]:443",), "2001:db8::1"),
        ("10.0.0.1", ("127.0.0.1, [2001:db8::1]",), "2001:db8::1"),
        ("10.0.0.1", ("127.0.0.1, 2001:DB8:0::1 ",), "2001:db8::1"),
        ("10.0.0.1", ("127.0.0.1, ::ffff:198.51.100.7",), "198.51.100.7"),
        ("10.0.0.1", ("127.0.0.1, [::ffff:198.51.100.7]:80",), "198.51.100.7"),
        ("::ffff:10.0.0.1", ("127.0.0.1, fe80::1%eth0",), "fe80::1"),
        ("10.0.0.1", ("127.0.0.1, [fe80::1%eth0]:80",), "fe80::1"),
        ("10.0.0.1", ("127.0.0.1, unknown",), "unknown"),
        ("10.0.0.1", ("127.0.0.1, unix:",), "unknown"),
        ("10.0.0.1", ("127.0.0.1, ",), "unknown"),
        ("10.0.0.1", ("127.0.0.1", ""), "unknown"),
        ("10.0.0.1", ("",), "unknown"),
        ("10.0.0.1", ("127.0.0.1, 198.51.100.7:x",), "unknown"),
        ("10.0.0.1", ("127.0.0.1, 198.51.100.7:4711:1",), "unknown"),
        ("10.0.0.1", ("127.0.0.1, 198.51.100.007",), "unknown"),
        ("10.0.0.1", ("127.0.0.1, 198.51.100.7 8.8.8.8",), "unknown"),
        ("10.0.0.1", ("127.0.0.1, unknown, 10.0.0.2:99",), "unknown"),
        ("10.0.0.1", ("10.0.0.50",), "10.0.0.50"),
        ("10.0.0.1", ("x," * 30_000 + "198.51.100.7, 10.0.0.2",), "198.51.100.7"),
    ],
)
def test_only_trusted_proxies_are_believed(peer: str, forwarded: tuple[str, ...], client: str) -> None:
    clients = Clients(["10.0.0.0/8"], ["127.0.0.1"])
    assert clients.address(scope(peer, *forwarded)) == client


@pytest.mark.parametrize(
    ("headers", "client"),
    [
        ([("forwarded", "for=198.51.100.7")], "198.51.100.7"),
        ([("forwarded", 'for=127.0.0.1, For="[2001:db8::1]:4711";proto=http;by=10.0.0.1')], "2001:db8::1"),
        ([("forwarded", "for=127.0.0.1"), ("forwarded", 'proto=https ; for="198.51.100.7:_odd"')], "198.51.100.7"),
        ([("forwarded", "for=127.0.0.1, for=_hidden")], "unknown"),
        ([("forwarded", "for=127.0.0.1, for=unknown")], "unknown"),
        ([("forwarded", "for=127.0.0.1, proto=https")], "unknown"),
        ([("forwarded", "for=127.0.0.1, for=127.0.0.1;for=198.51.100.7")], "unknown"),
        ([("forwarded", 'for="198.51.100.7, for=127.0.0.1')], "127.0.0.1"),
        ([("forwarded", "for=198.51.100.7, for=10.0.0.2")], "198.51.100.7"),
        ([("forwarded", "for=198.51.100.7"), ("x-forwarded-for", "198.51.100.7")], "198.51.100.7"),
        ([("forwarded", "for=198.51.100.7"), ("x-forwarded-for", "127.0.0.1")], "unknown"),
        ([("forwarded", "for=127.0.0.1"), ("x-forwarded-for", "198.51.100.7")], "unknown"),
    ],
)
def test_forwarded_is_read_and_must_agree(headers: list[tuple[str, str]], client: str) -> None:
    asked = {"client": ("10.0.0.1", 1), "headers": [(name.encode(), value.encode()) for name, value in headers]}
    assert Clients(["10.0.0.0/8"], []).address(asked) == client


@given(st.text(max_size=60), st.sampled_from(["x-forwarded-for", "forwarded"]))
def test_an_address_that_a_proxy_cannot_have_written_is_never_the_proxy(text: str, name: str) -> None:
    value = text.encode("latin-1", "replace")
    found = Clients(["10.0.0.1"], []).address({"client": ("10.0.0.1", 1), "headers": [(name.encode(), value)]})
    assert found != "10.0.0.1" or "10.0.0.1" in text
    assert found == "unknown" or parse_ip(found)


def test_a_proxy_that_is_not_trusted_is_reported_once() -> None:
    clients = Clients(["10.0.0.1"], [])
    direct, trusted, unknown = (scope(peer, "1.1.1.1") for peer in ("8.8.8.8", "10.0.0.1", "127.0.0.1"))
    asked = [direct, trusted, scope("127.0.0.1"), unknown, unknown]
    assert [clients.should_warn(each) for each in asked] == [False, False, False, True, False]


def test_metrics_are_not_given_to_unknown_proxies() -> None:
    clients = Clients([], ["127.0.0.1"])
    assert clients.may_read_metrics(scope("127.0.0.1"))
    assert not clients.may_read_metrics(scope("192.0.2.1"))
    for forwarded in ("192.0.2.1", "unknown", "", "127.0.0.1"):
        assert not clients.may_read_metrics(scope("127.0.0.1", forwarded))
    behind = Clients(["127.0.0.1"], ["127.0.0.1"])
    for forwarded in ("192.0.2.1", "127.0.0.1, 8.8.8.8:4711", "8.8.8.8:4711", "[2001:db8::1]:443", "unknown", ""):
        assert not behind.may_read_metrics(scope("127.0.0.1", forwarded))
    assert behind.may_read_metrics(scope("127.0.0.1"))


def test_the_log_identifies_no_one() -> None:
    assert shortened_client("192.0.2.77") == "192.0.2.0/24"
    assert shortened_client("2001:db8:1:2:3::4") == "2001:db8:1::/48"
    assert household("::ffff:192.0.2.7") == household("192.0.2.7")
    assert household("2001:db8:1:2:3::4") == household("2001:db8:1:2::9")
    assert shown_path("/unsubscribe/secret", page_of("/unsubscribe/secret", ""), 200) == "/unsubscribe/…"
    assert shown_path("/approve/secret", page_of("/approve/secret", ""), 200) == "/approve/…"
    assert shown_path("/l/account/a/erase", page_of("/l/account/a/erase", "/l"), 200) == "/account/…"
    assert shown_path("/never/secret", page_of("/never/secret", ""), 200) == "/never/…"
    assert shown_path("/ada@example.org", "site", 200) == "…"
    assert shown_path("/posts/", "site", 200) == "/posts/"
    assert shown_path("/secret", "site", 404) == "…"
