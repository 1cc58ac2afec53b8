"""The second factor accepts each code, and each recovery code, only once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest

from publisher.core.errors import PublisherError
from publisher.store import open_store
from publisher.web.admin.second_factor import RECOVERY_CODES, SecondFactor, key_uri, new_key, svg_code, text_code

NOW = datetime(2026, 11, 21, 9, 0, 10, tzinfo=UTC)
KEY = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def code_at(seconds: int, key: str = KEY) -> str:
    return pyotp.TOTP(key).at(NOW + timedelta(seconds=seconds))


@pytest.fixture
def second(tmp_path: Path) -> Iterator[SecondFactor]:
    """The second factor of an owner who has a password. It is not turned on yet."""
    with open_store("sqlite:///publisher.db", tmp_path) as store:
        store.owner.set_password("hash", NOW)
        yield SecondFactor(store, "secret")


@pytest.fixture
def codes(second: SecondFactor) -> list[str]:
    """The recovery codes of a second factor that was turned on an hour ago."""
    return second.turn_on(KEY, code_at(-3_600), NOW - timedelta(hours=1))


@pytest.mark.parametrize(
    ("seconds", "accepted"), [(-90, False), (-60, False), (-30, True), (0, True), (30, True), (60, False)]
)
def test_the_clock_may_be_wrong_by_one_step(
    second: SecondFactor, codes: list[str], seconds: int, accepted: bool
) -> None:
    assert second.accepts(code_at(seconds), NOW) is accepted


def test_a_code_is_not_accepted_twice(second: SecondFactor, codes: list[str]) -> None:
    assert second.accepts(code_at(0), NOW)
    assert not second.accepts(code_at(0), NOW + timedelta(seconds=20))
    assert not second.accepts(code_at(-30), NOW)  # an earlier code that someone saw over the owner's shoulder
    assert second.accepts(code_at(30), NOW + timedelta(seconds=30))


def test_the_code_that_turned_on_the_second_factor_cannot_be_used_again(second: SecondFactor) -> None:
    second.turn_on(KEY, code_at(0), NOW)
    assert not second.accepts(code_at(0), NOW)


def test_spaces_and_hyphens_in_a_code_do_not_matter(second: SecondFactor, codes: list[str]) -> None:
    code = code_at(0)
    assert second.accepts(f" {code[:3]} {code[3:]}\u00a0", NOW)
    assert second.accepts(codes[0].upper().replace("-", " "), NOW)


def test_each_recovery_code_is_accepted_once(second: SecondFactor, codes: list[str]) -> None:
    assert len(set(codes)) == second.codes_left() == RECOVERY_CODES
    assert [second.accepts(code, NOW) for code in (codes[3], codes[3], codes[7])] == [True, False, True]
    assert second.codes_left() == RECOVERY_CODES - 2


@pytest.mark.parametrize("code", ["", "12345", "1234567", "٠١٢٣٤٥", "12345x", "x" * 40, "a" * 16, "9" * 100_000, "\0"])
def test_other_texts_are_not_codes(second: SecondFactor, codes: list[str], code: str) -> None:
    assert not second.accepts(code, NOW)


def test_a_wrong_code_does_not_turn_on_the_second_factor(second: SecondFactor) -> None:
    for key, code in ((KEY, "000000"), (KEY, code_at(0, new_key())), ("no key", "000000"), ("A" * 5_000, "000000")):
        with pytest.raises(PublisherError):
            second.turn_on(key, code, NOW)
    assert not second.is_on
    assert not second.accepts(code_at(0), NOW)


def test_the_second_factor_is_turned_on_once_and_off_permanently(second: SecondFactor, codes: list[str]) -> None:
    with pytest.raises(PublisherError, match="already on"):
        second.turn_on(KEY, code_at(0), NOW)
    assert second.turn_off()
    assert not second.turn_off()
    assert not second.accepts(codes[0], NOW)
    assert not second.accepts(code_at(0), NOW)


def test_the_second_factor_needs_a_password(tmp_path: Path) -> None:
    with open_store("sqlite:///publisher.db", tmp_path) as store, pytest.raises(PublisherError, match="no password"):
        SecondFactor(store, "secret").turn_on(KEY, code_at(0), NOW)


def test_the_database_alone_reveals_no_code(second: SecondFactor, codes: list[str], tmp_path: Path) -> None:
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("publisher.db*"))
    assert KEY.encode() not in stored
    assert not any(code.encode() in stored or code.replace("-", "").encode() in stored for code in codes)


def test_a_changed_secret_of_the_project_is_explained(tmp_path: Path) -> None:
    with open_store("sqlite:///publisher.db", tmp_path) as store:
        store.owner.set_password("hash", NOW)
        SecondFactor(store, "secret").turn_on(KEY, code_at(-3_600), NOW - timedelta(hours=1))
        other = SecondFactor(store, "another secret")
        with pytest.raises(PublisherError, match="secret has changed"):
            other.accepts(code_at(0), NOW)
        assert other.turn_off()


def test_the_qr_code_contains_the_site_and_the_key() -> None:
    uri = key_uri(KEY, "My site: a & b")
    parts = urlsplit(uri)
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert parse_qs(parts.query) == {"secret": [KEY], "issuer": ["My site  a & b"]}
    assert svg_code(uri).startswith("<svg")
    assert "style=" not in svg_code(uri)  # the policy of the page forbids it
    assert len(text_code(uri).splitlines()) > 15


def test_keys_are_unique(second: SecondFactor) -> None:
    assert len({new_key() for _ in range(50)}) == 50
