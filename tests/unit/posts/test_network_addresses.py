"""Which IP addresses may be connected to, and which spellings of a URL are accepted."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.posts.sources.network_addresses import (
    destination_of,
    joined,
    may_be_allowed,
    refusal,
    without_login,
)

PUBLIC = ("93.184.216.34", "8.8.8.8", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.1", "198.20.0.1")
PUBLIC_V6 = ("2606:2800:220:1:248:1893:25c8:1946", "2a00:1450:4001:80e::200e", "64:ff9b::5db8:d822", "::ffff:8.8.8.8")
OF_THIS_NETWORK = (
    *("127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "10.0.0.1", "172.16.0.1"),
    *("172.31.255.255", "192.168.1.1", "::ffff:192.168.0.1", "::ffff:a00:1", "fc00::1", "fd12:3456::1", "100.64.0.1"),
    *("100.127.255.255", "64:ff9b::c0a8:1"),
)
OF_NOBODY = (
    *("169.254.169.254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "169.254.0.1", "fd00:ec2::254", "fe80::1"),
    *("168.63.129.16", "100.100.100.200", "192.0.0.192", "0.0.0.0", "0.1.2.3", "::", "224.0.0.1", "239.255.255.250"),
    *("ff02::1", "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.51.100.7", "203.0.113.9", "198.18.0.1"),
    *("2002:7f00:1::", "2002:5db8:d822::1", "2001:0:7f00:1::", "2001:db8::1", "2001:10::1", "192.88.99.1", "3fff::1"),
    *("::7f00:1", "::5db8:d822", "64:ff9b:1::7f00:1", "100::1", "5f00::1", "4000::1", "fec0::1", "fe80::1%eth0"),
    *("", "localhost", "127.1", "1.2.3.4.5"),
)


def test_only_public_addresses_are_connected_to_unless_the_owner_allows_more() -> None:
    assert [each for each in PUBLIC + PUBLIC_V6 if refusal(each)] == []
    assert [each for each in OF_THIS_NETWORK if not refusal(each)] == []
    assert [each for each in OF_THIS_NETWORK if refusal(each, allow_private=True)] == []
    assert [each for each in OF_NOBODY if not refusal(each)] == []
    assert [each for each in OF_NOBODY if not refusal(each, allow_private=True)] == []
    assert all(map(may_be_allowed, OF_THIS_NETWORK))
    assert not any(map(may_be_allowed, OF_NOBODY + PUBLIC))


def test_a_refusal_says_what_the_address_is() -> None:
    assert refusal("::ffff:127.0.0.1") == "::ffff:127.0.0.1 is this machine"
    assert refusal("169.254.169.254") == "169.254.169.254 is a metadata service"
    assert refusal("10.1.2.3") == "10.1.2.3 is a private network"


@given(st.ip_addresses(v=4))
def test_python_calls_no_accepted_ipv4_address_private(address: IPv4Address) -> None:
    assert refusal(str(address)) or address.is_global
    for wrapped in (f"::ffff:{address}", str(IPv6Address(f"64:ff9b::{address}"))):
        assert bool(refusal(wrapped)) == bool(refusal(str(address)))


@given(st.ip_addresses(v=6))
def test_python_calls_no_accepted_ipv6_address_private(address: IPv6Address) -> None:
    assert refusal(str(address)) or address.is_global or address.ipv4_mapped or str(address).startswith("64:ff9b::")


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("https://example.org", "https://example.org/"),
        ("HTTPS://Example.ORG:443/a?b=c#d", "https://example.org/a?b=c"),
        ("http://example.org.:8080/", "http://example.org:8080/"),
        ("https://bücher.example/öl?q=ä b", "https://xn--bcher-kva.example/%C3%B6l?q=%C3%A4%20b"),
        ("https://例え.テスト/", "https://xn--r8jz45g.xn--zckzah/"),
        ("https://my_blog.example.org/%7Ea/%E4", "https://my_blog.example.org/%7Ea/%E4"),
        ("http://[2606:2800:220:1::1]:81/x", "http://[2606:2800:220:1::1]:81/x"),
        ("http://[::FFFF:7F00:1]/", "http://[::ffff:7f00:1]/"),
        ("http://１２７.0.0.1/", "http://127.0.0.1/"),
        ("http://127。0。0。1/", "http://127.0.0.1/"),
        ("https://example.org?x", "https://example.org/?x"),
    ],
)
def test_a_url_has_one_spelling(written: str, url: str) -> None:
    assert destination_of(written).url == url
    assert destination_of(url).url == url


UNUSUAL = "has an IP address in an unusual form"
REFUSED = {
    "http://2130706433/": UNUSUAL,
    "http://0177.0.0.1/": UNUSUAL,
    "http://0x7f000001/": UNUSUAL,
    "http://0x7f.1/": UNUSUAL,
    "http://127.1/": UNUSUAL,
    "http://127.0.0.1.5/": UNUSUAL,
    "http://1.2.3.04/": UNUSUAL,
    "http://example.1/": UNUSUAL,
    "http://٢١٣٠٧٠٦٤٣٣/": "has no valid host",
    "http://user@example.org/": "contains a user name or password",
    "http://user:secret@example.org/": "contains a user name or password",
    "http://127.0.0.1:80@example.org/": "contains a user name or password",
    "http://@example.org/": "contains a user name or password",
    "ftp://example.org/": "begins with ftp:",
    "file:///etc/passwd": "begins with file:",
    "gopher://example.org:70/": "begins with gopher:",
    "//example.org/": "begins with no http:",
    "example.org/feed": "begins with no http:",
    "": "begins with no http:",
    "http://": "has no host",
    "http:///feed": "has no host",
    "http://:80/": "has no host",
    "http://example.org:22/": "names port 22",
    "http://example.org:0/": "names port 0",
    "http://example.org:25/": "names port 25",
    "http://example.org:6667/": "names port 6667",
    "http://example.org:65536/": "is not a valid web address",
    "http://example.org:http/": "is not a valid web address",
    "http://example.org:-1/": "is not a valid web address",
    "http://[::1/": "is not a valid web address",
    "http://[fe80::1%25eth0]/": "has no valid host",
    "http://[v1.fe80]/": "valid",
    "http://exa mple.org/": "has no valid host",
    "http://example.org%2f@127.0.0.1/": "contains a user name or password",
    "http://example.org\\@127.0.0.1/": "user name",
    "http://127.0.0.1%00.example.org/": "has no valid host",
    "http://-.example.org/": "has no valid host",
    "http://example..org/": "has no valid host",
    f"http://{'a' * 64}.org/": "has no valid host",
    f"http://{'a.' * 127}org/": "has no valid host",
    f"http://example.org/{'a' * 5000}": "is longer than 4,000 characters",
    "http://\udcff.org/": "has no valid host",
    "http://‮.org/": "has no valid host",
}


def test_urls_that_must_not_be_fetched_are_refused_with_a_reason() -> None:
    for url, words in REFUSED.items():
        with pytest.raises(ValueError, match=words) as caught:
            destination_of(url)
        assert "\n" not in str(caught.value)
        assert "secret" not in str(caught.value)


@given(st.text(max_size=60), st.sampled_from(["http://", "https://", "//", "http://a.example/", "http:"]))
def test_any_text_is_accepted_or_refused_with_a_value_error(text: str, before: str) -> None:
    try:
        found = destination_of(before + text)
    except ValueError:
        return
    assert found.url.isascii()
    assert not set("@ \\\n\r\t") & set(found.host)
    assert destination_of(found.url) == found


@given(st.text(max_size=60))
def test_any_location_is_joined_or_refused_with_a_value_error(text: str) -> None:
    try:
        joined("https://example.org/feed", text)
    except ValueError:
        return


def test_a_url_is_shown_without_its_password_in_one_short_line() -> None:
    assert without_login("https://ann:secret@example.org/a@b") == "https://example.org/a@b"
    assert without_login("https://ann:sec/ret@example.org/\r\n\x1b[31m") == "https://ann:sec/ret@example.org/???[31m"
    assert len(without_login("https://example.org/" + "a" * 10_000)) == 300
