"""Return addresses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.mail.verp import ReturnPath

PATH = ReturnPath("bounces@example.org", "a secret for tests only")


@given(st.integers(1, 10**18))
def test_a_return_address_reads_back(number: int) -> None:
    address = PATH.of(number)
    assert PATH.read(address) == PATH.read(address.upper()) == number
    assert len(address.partition("@")[0]) <= 64


@pytest.mark.parametrize(
    "address",
    [
        "bounces@example.org",
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
