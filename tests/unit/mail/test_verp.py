"""The return address of an email (VERP) identifies its delivery, and foreign return addresses are refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.mail.verp import ReturnPath, newsletter_key

PATH = ReturnPath("bounces@example.org", "a secret for tests only")


@given(st.integers(1, 10**18))
def test_a_return_address_reads_back(number: int) -> None:
    address = PATH.of(number)
    assert PATH.read(address) == PATH.read(address.upper()) == number
    assert len(address.partition("@")[0]) <= 64


TAGS = ("prvs=1234ABCDEF=", "msprvs1=17550kaPb1GuO=", "btv1==0123456789a==", "prvs=2071f6d5a=msprvs1=1abc=")


@pytest.mark.parametrize("tag", TAGS)
def test_a_tag_of_a_gateway_is_ignored(tag: str) -> None:
    asked = datetime(2026, 11, 21, 9, tzinfo=UTC)
    assert PATH.read(tag + PATH.of(7)) == PATH.read((tag + PATH.of(7)).lower()) == 7
    assert PATH.read_notice(tag + PATH.of_notice(3, asked)) == (3, int(asked.timestamp()) // 3_600)
    assert not PATH.pretends(tag + PATH.of(7))
    forged = tag + PATH.of(7).replace("+7-", "+8-")
    assert PATH.read(forged) is None and PATH.pretends(forged)


@pytest.mark.parametrize(
    "address",
    [
        "bounces@example.org",
        "prvs=" + PATH.of(7),
        "prvs==" + PATH.of(7),
        "xprvs=1234=" + PATH.of(7),
        "srs0=1234=" + PATH.of(7),
        "bounces+7@example.org",
        "bounces+7-aaaaaaaaaaaaaaaa@example.org",
        PATH.of(7).replace("+7-", "+8-"),
        PATH.of(7).replace("example.org", "example.com"),
        PATH.of(7).replace("bounces", "other"),
        PATH.of(7).replace("+7-", "+07-"),
        PATH.of(7) + "x",
        ReturnPath("bounces@example.org", "another secret").of(7),
        "",
    ],
)
def test_a_foreign_return_address_is_refused(address: str) -> None:
    assert PATH.read(address) is None


LONGEST = ReturnPath(f"{'b' * 24}@example.org", "a secret for tests only")


@given(st.binary(min_size=12, max_size=12).map(bytes.hex), st.text(max_size=100))
def test_an_unsubscribe_address_reads_back(uid: str, newsletter: str) -> None:
    address = LONGEST.of_unsubscribing(uid, newsletter)
    assert len(address.partition("@")[0]) <= 64
    for spelling in (address, address.upper()):
        assert LONGEST.read_unsubscribing(spelling) == (uid, newsletter_key(newsletter))
        assert (LONGEST.read(spelling), LONGEST.read_notice(spelling)) == (None, None)
        assert not LONGEST.pretends(spelling)
    changed = f"{address[:30]}{'a' if address[30] != 'a' else 'b'}{address[31:]}"
    assert LONGEST.read_unsubscribing(changed) is None
    assert LONGEST.pretends(changed)
    assert PATH.read_unsubscribing(address) is None


def test_an_unusual_uid_has_no_unsubscribe_address() -> None:
    assert PATH.of_unsubscribing("u1", "weekly") == ""
