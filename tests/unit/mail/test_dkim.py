"""DKIM signatures are verified with an independent program, dkimpy."""

from __future__ import annotations

import email
import stat
from dataclasses import replace
from email.policy import default
from pathlib import Path
from typing import Any

import dkim
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher.core.errors import ProjectError
from publisher.core.newsletter_models import Letter, Mark
from publisher.mail.dkim import Signer, canonical, hash_body, sign
from publisher.mail.dkim_keys import dns_record, make_key, read_key
from publisher.mail.message import MessageTemplate, Recipient
from tests.support.delivery_samples import HEADERS, LETTER
from tests.support.store_samples import NOW

TO = Recipient(
    address="reader@example.org",
    name="Ré  Ader",
    message_id="<7f3a@example.org>",
    unsubscribe_url="https://letters.example.org/unsubscribe/token",
    preferences_url="https://letters.example.org/preferences/token",
)


@pytest.fixture(scope="session")
def signers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Signer, Signer]:
    folder = tmp_path_factory.mktemp("keys")
    made = []
    for kind in ("rsa", "ed25519"):
        path = folder / f"{kind}.pem"
        assert make_key(path, kind)
        made.append(Signer("example.org", kind, read_key(path)))
    return made[0], made[1]


def dns(*signers: Signer) -> Any:
    """Return a function that looks up DNS records and finds only the keys of these signers."""
    records = {f"{s.selector}._domainkey.{s.domain}.".encode(): s.key.record_text().encode() for s in signers}
    return lambda name, timeout=5: records.get(name)


def verifies(message: bytes, signer: Signer, index: int = 0) -> bool:
    try:
        return bool(dkim.DKIM(message).verify(idx=index, dnsfunc=dns(signer)))
    except dkim.ValidationError:
        return False


def test_every_key_signs_every_message(signers: tuple[Signer, Signer]) -> None:
    message = MessageTemplate.of(LETTER, replace(HEADERS, signers=signers), NOW).join(TO)
    assert message.count(b"DKIM-Signature: ") == 2
    assert verifies(message, signers[0], 0)
    assert verifies(message, signers[1], 1)
    assert max(map(len, message.partition(b"\r\nDate: ")[0].split(b"\r\n"))) <= 78


def test_visible_headers_are_signed_and_sealed(signers: tuple[Signer, Signer]) -> None:
    message = MessageTemplate.of(LETTER, replace(HEADERS, signers=signers[1:]), NOW).join(TO)
    parsed = email.message_from_bytes(message, policy=default)
    tags = dict(part.strip().split("=", 1) for part in str(parsed["DKIM-Signature"]).split(";"))
    names = [name.strip() for name in tags["h"].split(":")]
    assert {"list-unsubscribe", "list-unsubscribe-post", "to", "date", "message-id", "content-type"} <= set(names)
    assert names.count("from") == names.count("subject") == 2
    assert tags["a"] == "ed25519-sha256"
    assert tags["c"] == "relaxed/relaxed"
    assert tags["t"] == str(int(NOW.timestamp()))


@pytest.mark.parametrize(
    ("what", "instead"),
    [
        (b"Subject: Hello", b"Subject: Hallo"),
        (b"List-Unsubscribe-Post: List", b"List-Unsubscribe-Post: Lost"),
        (b"<p>Hello", b"<p>Hallo"),
        (b"\r\nFrom: ", b"\r\nFrom: Eve <eve@example.com>\r\nFrom: "),
    ],
)
def test_a_changed_message_does_not_verify(signers: tuple[Signer, Signer], what: bytes, instead: bytes) -> None:
    message = MessageTemplate.of(LETTER, replace(HEADERS, signers=signers[1:]), NOW).join(TO)
    assert what in message
    assert not verifies(message.replace(what, instead, 1), signers[1])


def test_signing_again_gives_equal_signatures(signers: tuple[Signer, Signer]) -> None:
    headers = replace(HEADERS, signers=signers)
    assert MessageTemplate.of(LETTER, headers, NOW).join(TO) == MessageTemplate.of(LETTER, headers, NOW).join(TO)


@settings(deadline=None, max_examples=60)
@given(
    text=st.text(max_size=300),
    name=st.text(max_size=40),
    ends=st.lists(st.sampled_from(["\n", "  \n", "\t", " ", Mark.NAME]), max_size=8).map("".join),
)
def test_any_letter_verifies_for_any_name(signers: tuple[Signer, Signer], text: str, name: str, ends: str) -> None:
    letter = Letter("", text, "", f"<p>{Mark.NAME}\n{text}{ends}", f"{ends}{text}{Mark.UNSUBSCRIBE}\n{ends}")
    headers = replace(HEADERS, signers=signers[1:])
    message = MessageTemplate.of(letter, headers, NOW).join(replace(TO, name=name))
    assert verifies(message, signers[1])


@pytest.mark.parametrize(
    "body", [b"", b"\r\n", b"a", b"a\r\n\r\n\r\n", b" a \t b  \r\n  \r\n", b"\r\n\r\na\r\n", b"a  ", b" \r\n\t\r\n"]
)
def test_any_other_message_verifies(signers: tuple[Signer, Signer], body: bytes) -> None:
    message = b"From: ada@example.org\r\nTo:  a@example.org\r\nSubject: =?utf-8?b?w6Q=?=\r\n  folded\r\n\r\n" + body
    signed = sign(message, signers, NOW)
    if body and not body.endswith(b"\r\n"):
        signed += b"\r\n"  # with the line end that SMTP requires
    assert verifies(signed, signers[0], 0)
    assert verifies(signed, signers[1], 1)


@given(st.lists(st.sampled_from([b"a\r\n", b"\r\n", b" b  c \r\n", b" \r\n", b"\t\r\n\r\n"]), max_size=12))
def test_pieces_hash_like_the_whole_body(pieces: list[bytes]) -> None:
    whole = hash_body([canonical(b"".join(pieces))])
    assert hash_body(map(canonical, pieces)) == whole


def test_a_key_signs_for_subdomains(signers: tuple[Signer, Signer]) -> None:
    signer = signers[1]
    assert signer.signs_for("example.org")
    assert signer.signs_for("News.Example.org")
    assert not signer.signs_for("notexample.org")
    assert not signer.signs_for("example.com")


def test_a_key_is_private_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "dkim/a.pem"
    assert make_key(path, "ed25519")
    before = path.read_bytes()
    assert not make_key(path, "ed25519")
    assert path.read_bytes() == before
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert dns_record(path, "a", "example.org").startswith('a._domainkey.example.org. IN TXT ( "v=DKIM1; k=ed25519; p=')


def test_a_long_record_is_cut_into_strings(tmp_path: Path) -> None:
    make_key(tmp_path / "rsa.pem", "rsa")
    strings = dns_record(tmp_path / "rsa.pem", "s", "example.org").split('"')[1::2]
    assert max(map(len, strings)) <= 255
    assert "".join(strings) == read_key(tmp_path / "rsa.pem").record_text()


@pytest.mark.parametrize(
    "content", [None, b"nonsense", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_an_invalid_key_file_is_reported_with_its_path(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "key.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ProjectError, match=r"key\.pem: .*publisher mail keys"):
        read_key(path)
