"""`publisher mail keys`: a key, its record, and a journey from there to signed letters."""

from __future__ import annotations

import re

import dkim
from conftest import CONFIG, WEEKLY, Project

SIGNING = """
[[mail.dkim]]
domain = "letters.example"
selector = "letters"
key = ".publisher/dkim/letters.letters.example.pem"
"""


def test_a_key_is_made_once_and_its_record_is_shown_each_time(empty: Project) -> None:
    empty.configure()
    first, again = empty.ok("mail", "keys").out, empty.ok("mail", "keys").out
    assert "Made .publisher/dkim/letters.letters.example.pem" in first
    assert "There already: .publisher/dkim/letters.letters.example.pem" in again
    assert re.search(r'letters\._domainkey\.letters\.example\. IN TXT \( "v=DKIM1; k=rsa; p=', first)
    assert first.partition("In the DNS")[2] == again.partition("In the DNS")[2]
    assert SIGNING.strip() in first


def test_what_is_configured_already_is_not_asked_for_again(empty: Project) -> None:
    empty.configure()
    empty.ok("mail", "keys", "--domain", "letters.example")
    empty.configure(SIGNING)
    assert "[[mail.dkim]]" not in empty.ok("mail", "keys").out


def test_letters_are_signed_by_the_key_and_verify_by_its_record(empty: Project) -> None:
    empty.configure()
    record = empty.ok("mail", "keys", "--json").json["record"]
    empty.configure(SIGNING)
    empty.post("hello")
    empty.ok("subscribers", "add", "reader@example.org")
    empty.ok("publish")
    (letter,) = (empty.root / "outbox/new").iterdir()
    text = "".join(record.split('"')[1::2]).encode()
    assert dkim.verify(letter.read_bytes(), dnsfunc=lambda name, timeout=5: text)


def test_a_key_of_the_other_kind_has_a_selector_of_its_own(empty: Project) -> None:
    empty.configure()
    made = empty.ok("mail", "keys", "--kind", "ed25519", "--json").json
    assert (made["selector"], made["made"]) == ("letters-ed25519", True)
    assert "k=ed25519" in made["record"]


def test_without_a_sender_the_domain_is_asked_for(empty: Project) -> None:
    empty.write("publisher.toml", CONFIG.partition("[mail]")[0] + WEEKLY)
    ran = empty.run("mail", "keys")
    assert ran.code == 1
    assert "name one with --domain" in ran.err


def test_a_key_that_is_not_there_stops_a_publish_with_one_line(empty: Project) -> None:
    empty.configure(SIGNING)
    empty.post("hello")
    empty.ok("subscribers", "add", "reader@example.org")
    ran = empty.run("publish")
    assert ran.code == 1
    why = "newsletter weekly: the key cannot be read: No such file or directory"
    assert f"letters.letters.example.pem: {why}" in ran.err
