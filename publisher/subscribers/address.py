"""Email addresses and names in the form in which they are stored."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from publisher.core import patterns
from publisher.core.characters import clean_line
from publisher.core.errors import SubscriberError
from publisher.store.subscriber_records import address_key

LONGEST_NAME = 200
# Local parts that need no further validation: a dot-string (RFC 5321) of up to 64 common characters.
_PLAIN = patterns.compile(r"(?=.{1,64}\Z)[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*", re.ASCII)
_SHORT = 100  # characters; no spelling of such an address can exceed the limit of 254 in RFC 5321
_JOINERS = "\u200c\u200d"
_INVISIBLE = frozenset("\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufeff\ufe0e\ufe0f")
_PERHAPS_INVISIBLE = _INVISIBLE | set(_JOINERS)


def normalise(text: str) -> str:
    """Return an address in its stored form: in Unicode NFKC, with the domain in lower case and decoded from punycode.

    Invisible characters, which can come with an address that was copied from a web page, are removed, and full-width
    letters become plain ones, because no mailbox is spelled with them.

    The case of the local part is kept, because it may matter to the mail server; the database ignores case when it
    compares addresses. The domain is not looked up in the DNS. Addresses under .test are accepted, for trials. Raises
    SubscriberError if the text is not exactly one bare address.
    """
    bare = bare_address(text)
    try:
        local, at, domain = bare.rpartition("@")
        if at and len(bare) <= _SHORT and _PLAIN.fullmatch(local):
            return f"{local}@{_domain(domain.lower() if domain.isascii() else domain)}"
        return _validated(bare)
    except ValueError as error:
        from email_validator import EmailNotValidError  # takes 60 ms to import

        if not isinstance(error, EmailNotValidError):
            raise
        raise SubscriberError(f"{shortened(text)!r} is not a valid email address: {str(error).rstrip('.')}") from error


def bare_address(text: str) -> str:
    """Return the characters of an address that can be part of one, in NFKC, without surrounding white space."""
    if text.isascii():
        return text.strip()
    if not _PERHAPS_INVISIBLE.isdisjoint(text):
        text = "".join(sign for place, sign in enumerate(text) if not _is_invisible(text, place))
    return unicodedata.normalize("NFKC", text).strip()


def _is_invisible(text: str, place: int) -> bool:
    """Return whether a character is invisible. In scripts such as Persian, joiners between letters belong to the word.

    Characters that reverse the direction of the text do not count: they make an address look like a different one.
    """
    if text[place] in _JOINERS:
        return text[place - 1 : place].isascii() or text[place + 1 : place + 2].isascii()
    return text[place] in _INVISIBLE


def _validated(bare: str) -> str:
    from email_validator import validate_email  # see normalise

    found = validate_email(bare, check_deliverability=False, test_environment=True, strict=True, allow_smtputf8=True)
    return found.normalized


@lru_cache(maxsize=10_000)
def _domain(domain: str) -> str:
    """Return a domain in its stored form.

    The results are cached, because validation takes 50 us, and a million subscribers share a few thousand domains.
    """
    return _validated(f"a@{domain}").removeprefix("a@")


# Domains of the same provider with the same mailboxes, and domains that ignore dots in the local part.
_SAME_DOMAINS = {
    "googlemail.com": "gmail.com",
    "mac.com": "icloud.com",
    "me.com": "icloud.com",
    "pm.me": "proton.me",
    "protonmail.ch": "proton.me",
    "protonmail.com": "proton.me",
    "ya.ru": "yandex.ru",
    "yandex.com": "yandex.ru",
}
_IGNORED_SIGNS = {"gmail.com": ".", "proton.me": "._-"}


def mailbox_of(address: str) -> str:
    """Return a text that is the same for all spellings of a normalised address that reach the same mailbox.

    A tag after "+" is removed, because most providers ignore it (RFC 5233), and so are characters that the provider
    ignores. The text is only for counting emails: at an unusual server, two mailboxes may share it.
    """
    local, _, domain = address_key(address).rpartition("@")
    domain = _SAME_DOMAINS.get(domain, domain)
    bare = local.partition("+")[0] or local
    kept = "".join(sign for sign in bare if sign not in _IGNORED_SIGNS.get(domain, ""))
    return f"{kept or bare}@{domain}"


def clean_name(text: str) -> str:
    """Return a name on one line, cut to 200 characters; see clean_line."""
    return clean_line(text, LONGEST_NAME)


def checked_name(text: str) -> str:
    """Return a name on one line; raise SubscriberError if it is longer than 200 characters."""
    if len(clean_line(text, LONGEST_NAME + 1)) > LONGEST_NAME:
        raise SubscriberError(f"a name can have at most {LONGEST_NAME} characters")
    return clean_name(text)


def shortened(text: str, most: int = 60) -> str:
    """Return a text for a message; if it is longer than `most` characters, it is cut and "..." follows."""
    return text if len(text) <= most else f"{text[:most]}..."
