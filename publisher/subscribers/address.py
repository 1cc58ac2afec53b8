"""An address and a name as they are kept."""

from __future__ import annotations

import unicodedata

from publisher.errors import SubscriberError

LONGEST_NAME = 200


def normalise(text: str) -> str:
    """Return an address in its kept form: Unicode NFC, its domain in lower case and decoded from punycode.

    Case in the local part is kept, since the mail server may care; the record compares without it. Nothing
    is looked up in the DNS. Addresses under .test are taken, for rehearsals. Raises SubscriberError for
    anything that is not one bare address.
    """
    from email_validator import EmailNotValidError, validate_email  # takes 60 ms to import

    try:
        found = validate_email(
            text.strip(), check_deliverability=False, test_environment=True, strict=True, allow_smtputf8=True
        )
    except EmailNotValidError as error:
        raise SubscriberError(f"{shortened(text)!r} is no mail address: {str(error).rstrip('.')}") from error
    return found.normalized


def clean_name(text: str) -> str:
    """Return a person's name on one line, without control characters, at most 200 characters."""
    visible = "".join(" " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in text)
    return unicodedata.normalize("NFC", " ".join(visible.split()))[:LONGEST_NAME]


def shortened(text: str, most: int = 60) -> str:
    """Return text for a message: a pasted novel must not fill the screen."""
    return text if len(text) <= most else f"{text[:most]}..."
