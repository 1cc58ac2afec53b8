"""Email addresses, names and languages in the form in which they are stored."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from publisher.core.errors import SubscriberError

LONGEST_NAME = 200
# Local parts that need no closer look: RFC 5321's dot-string of common characters, 64 at most.
_PLAIN = re.compile(r"(?=.{1,64}\Z)[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*", re.ASCII)
_SHORT = 100  # characters; no spelling of such an address's domain is longer than RFC 5321's 254
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")


def normalise(text: str) -> str:
    """Return an address in its stored form: Unicode NFC, its domain in lower case and decoded from punycode.

    The case of the local part is kept, since the mail server may care; the database compares without it. Nothing
    is looked up in the DNS. Addresses under .test are accepted, for trials. Raises SubscriberError for anything
    but one bare address.
    """
    from email_validator import EmailNotValidError  # takes 60 ms to import

    bare = text.strip()
    try:
        local, at, domain = bare.rpartition("@")
        if at and len(bare) <= _SHORT and _PLAIN.fullmatch(local):
            return f"{local}@{_domain(domain.lower() if domain.isascii() else domain)}"
        return _validated(bare)
    except EmailNotValidError as error:
        raise SubscriberError(f"{shortened(text)!r} is not a valid email address: {str(error).rstrip('.')}") from error


def _validated(bare: str) -> str:
    from email_validator import validate_email  # see normalise

    found = validate_email(bare, check_deliverability=False, test_environment=True, strict=True, allow_smtputf8=True)
    return found.normalized


@lru_cache(maxsize=10_000)
def _domain(domain: str) -> str:
    """Return a domain in its stored form. A list of a million subscribers has a few thousand; each takes 50 us."""
    return _validated(f"a@{domain}").removeprefix("a@")


def clean_name(text: str) -> str:
    """Return a name on one line, 200 characters at most; see clean_line."""
    return clean_line(text, LONGEST_NAME)


def clean_line(text: str, most: int) -> str:
    """Return text on one line, `most` characters at most, without control characters.

    Characters that change the direction of the text around them (U+202A to U+202E, U+2066 to U+2069) are removed too,
    since a name must not be able to rewrite a sentence.
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.split())[:most].rstrip()
    visible = "".join(" " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in text[: 4 * most])
    return unicodedata.normalize("NFC", " ".join(_TURNS.sub("", visible).split()))[:most].rstrip()


def clean_language(text: str) -> str:
    """Return a language tag (BCP 47) as it is written; "" for anything else."""
    return text.strip() if re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}", text.strip(), re.ASCII) else ""


def shortened(text: str, most: int = 60) -> str:
    """Return text for a message, so that a pasted novel does not fill the screen."""
    return text if len(text) <= most else f"{text[:most]}..."
