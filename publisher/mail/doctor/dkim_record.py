"""The check that the DNS has the public keys that belong to the signing keys (DKIM, RFC 6376 and 8463)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from publisher.mail.doctor.diagnosis import Ask, Diagnosis, Level, parse_tags, zone_line

if TYPE_CHECKING:
    from publisher.mail.dkim import Signer

_CHECK = "DKIM"

# The length that Gmail requires of new keys; see https://support.google.com/a/answer/81126.
_GOOD_RSA_BITS = 2048


def check_dkim(domain: str, signers: Sequence[Signer], ask: Ask) -> Iterator[Diagnosis]:
    """Check the keys that sign emails from a domain, and their records in the DNS."""
    if not signers:
        yield Diagnosis(
            *(_CHECK, Level.WARNING, domain, "no [[mail.dkim]] signs emails from this domain"),
            "large receivers refuse unsigned bulk mail; your mail server may sign it, but the DNS does not show that",
            "make a key with `publisher mail keys`, or look for dkim=pass with --send and --read",
        )
    elif all(signer.algorithm == "ed25519-sha256" for signer in signers):
        yield Diagnosis(
            *(_CHECK, Level.WARNING, domain, "only an Ed25519 key signs emails from this domain"),
            "most receivers know RSA signatures only, and treat the emails as unsigned",
            "make an RSA key as well, with `publisher mail keys`",
        )
    for signer in signers:
        yield _judged(signer, ask)


def _judged(signer: Signer, ask: Ask) -> Diagnosis:
    name = f"{signer.selector}._domainkey.{signer.domain}"
    expected = signer.key.record_text()
    records, kind = ask(name, "TXT"), "RSA" if signer.algorithm == "rsa-sha256" else "Ed25519"
    level, message, meaning, hint = _compared(records, expected)
    if level == Level.ERROR:
        return Diagnosis(_CHECK, level, name, message, meaning, hint, zone_line(name, "TXT", expected))
    bits = signer.key.bits or _GOOD_RSA_BITS
    if level == Level.OK and bits < _GOOD_RSA_BITS:
        level, message = Level.WARNING, f"the DNS has the key, but it has only {bits} bits"
        meaning, hint = "receivers may not trust so short a key", "make a new one with `publisher mail keys --selector`"
    return Diagnosis(_CHECK, level, name, message.replace("the key", f"the {kind} key", 1), meaning, hint)


def _compared(records: Sequence[str], expected: str) -> tuple[Level, str, str, str]:
    """Compare the records in the DNS with the expected one; return level, message, meaning and hint of a Diagnosis."""
    if not records:
        return Level.ERROR, "there is no key in the DNS", "signatures fail at every receiver", "add the record"
    if len(records) > 1:
        what = f"there are {len(records)} records where one key belongs"
        return Level.ERROR, what, "which one a receiver uses is undefined (RFC 6376, 3.6.2.2)", "keep only this one"
    tags, wanted = parse_tags(records[0]), parse_tags(expected)
    if "p" in tags and not tags["p"]:
        return Level.ERROR, "the key in the DNS is revoked (p= is empty)", "signatures fail", "put the record back"
    if _key(tags.get("p", "")) != _key(wanted["p"]) or tags.get("k", "rsa") != wanted["k"]:
        what = "the key in the DNS is not the one that signs"
        return Level.ERROR, what, "signatures fail at every receiver", "replace it with this record"
    return _restricted(tags)


def _restricted(tags: dict[str, str]) -> tuple[Level, str, str, str]:
    """Check the other tags of a record that has the right key; return level, message, meaning and hint."""
    if tags.get("v", "DKIM1") != "DKIM1" or not _has(tags.get("h", "sha256"), "sha256"):
        what = "the record of the key does not allow these signatures (v= or h=)"
        return Level.ERROR, what, "signatures fail at every receiver", "replace it with this record"
    if not _has(tags.get("s", "*"), "email", "*"):
        return Level.ERROR, "the key in the DNS is not for email (s=)", "signatures fail", "replace it with this record"
    if _has(tags.get("t", ""), "y"):
        what = "the key in the DNS is marked as a test (t=y)"
        return Level.WARNING, what, "receivers may treat the emails as unsigned", "remove t=y from the record"
    return Level.OK, "the key in the DNS is the one that signs", "receivers can verify your signatures", ""


def _has(listed: str, *wanted: str) -> bool:
    return bool(set(listed.split(":")) & set(wanted))


def _key(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return text.encode()
