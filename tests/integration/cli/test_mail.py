"""`publisher mail keys`: a key, its DNS record, and signed emails."""

from __future__ import annotations

import re

import dkim
import pytest

from tests.support.project import CONFIG, WEEKLY, Project

SIGNING = """
[[mail.dkim]]
domain = "letters.example"
selector = "letters"
key = ".publisher/dkim/letters.letters.example.pem"
"""


def test_a_key_is_created_once(empty: Project) -> None:
    empty.configure()
    first, again = empty.ok("mail", "keys").out, empty.ok("mail", "keys").out
    assert "Created .publisher/dkim/letters.letters.example.pem" in first
    assert "Already exists: .publisher/dkim/letters.letters.example.pem" in again
    assert re.search(r'letters\._domainkey\.letters\.example\. IN TXT \( "v=DKIM1; k=rsa; p=', first)
    assert first.partition("In the DNS")[2] == again.partition("In the DNS")[2]
    assert SIGNING.strip() in first


def test_a_configured_key_is_not_suggested_again(empty: Project) -> None:
    empty.configure()
    empty.ok("mail", "keys", "--domain", "letters.example")
    empty.configure(SIGNING)
    assert "[[mail.dkim]]" not in empty.ok("mail", "keys").out


def test_the_signature_verifies_with_the_record(empty: Project) -> None:
    empty.configure()
    record = empty.ok("mail", "keys", "--json").json["record"]
    empty.configure(SIGNING)
    empty.post("hello")
    empty.ok("subscribers", "add", "reader@example.org")
    empty.ok("publish")
    (letter,) = (empty.root / ".publisher/outbox/new").iterdir()
    text = "".join(record.split('"')[1::2]).encode()
    assert dkim.verify(letter.read_bytes(), dnsfunc=lambda name, timeout=5: text)


def test_each_kind_of_key_has_its_selector(empty: Project) -> None:
    empty.configure()
    made = empty.ok("mail", "keys", "--kind", "ed25519", "--json").json
    assert (made["selector"], made["made"]) == ("letters-ed25519", True)
    assert "k=ed25519" in made["record"]


def test_a_key_of_the_other_kind_is_refused(empty: Project) -> None:
    empty.configure()
    empty.ok("mail", "keys", "--kind", "ed25519", "--selector", "both")
    assert "k=ed25519" in empty.ok("mail", "keys", "--selector", "both").out
    ran = empty.run("mail", "keys", "--selector", "both", "--kind", "rsa")
    assert (ran.code, ran.out) == (1, "")
    assert "the existing key is an Ed25519 key, not RSA (choose a different --selector)" in ran.err


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(
            ("--domain", value)
            for value in ("x/../../../../esc/h", "../../x y", "a..b", "-a.example", "x" * 64, "a\n", "ü/x")
        ),
        *(("--selector", value) for value in ("a/b", "../up", "a b", "a.", "ä", "a\0b", "a_b", ".")),
    ],
)
def test_an_invalid_dns_name_creates_no_key(empty: Project, option: str, value: str) -> None:
    empty.configure()
    ran = empty.run("mail", "keys", option, value)
    assert (ran.code, ran.out) == (1, "")
    assert "isn't" in ran.err or "is not a valid domain" in ran.err
    assert list(empty.root.parent.rglob("*.pem")) == []


def test_a_domain_gets_its_dns_form(empty: Project) -> None:
    empty.configure()
    made = empty.ok("mail", "keys", "--domain", "Bücher.example.", "--selector", "S1.letters", "--json").json
    assert (made["domain"], made["selector"]) == ("xn--bcher-kva.example", "s1.letters")
    assert made["key"] == ".publisher/dkim/s1.letters.xn--bcher-kva.example.pem"


@pytest.mark.parametrize("change", [("letters.example", "../x"), ('selector = "letters"', 'selector = "a/b"')])
def test_a_configured_key_has_valid_dns_names(empty: Project, change: tuple[str, str]) -> None:
    empty.configure(SIGNING.replace(*change))
    ran = empty.run("status")
    assert ran.code == 1
    assert "mail.dkim" in ran.err and "isn't" in ran.err


def test_keys_need_a_domain(empty: Project) -> None:
    empty.write("publisher.toml", CONFIG.partition("[mail]")[0] + WEEKLY)
    ran = empty.run("mail", "keys")
    assert ran.code == 1
    assert "add --domain" in ran.err


def test_a_missing_key_stops_publish(empty: Project) -> None:
    empty.configure(SIGNING)
    empty.post("hello")
    empty.ok("subscribers", "add", "reader@example.org")
    ran = empty.run("publish")
    assert ran.code == 1
    why = "newsletter weekly: the key cannot be read: No such file or directory"
    assert f"letters.letters.example.pem: {why}" in ran.err
