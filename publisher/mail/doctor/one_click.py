"""The check that subscribers can unsubscribe with one click (RFC 8058), which large receivers require."""

from __future__ import annotations

import re
from collections.abc import Iterator

from publisher.core.mime import head_and_body
from publisher.mail.doctor.diagnosis import Diagnosis, Level, parse_tags

_CHECK = "one-click"
_HEADERS = ("list-unsubscribe", "list-unsubscribe-post")


def check_one_click(public_url: str, answer: str, sample: bytes) -> Iterator[Diagnosis]:
    """Check that the links in emails lead to the web application, and that the signatures cover the right headers.

    answer: the result of `reach`. sample: a message as subscribers receive it, signed if a key is configured.
    """
    if not public_url.startswith("https://"):
        yield Diagnosis(
            *(_CHECK, Level.ERROR, public_url, "the links in emails do not lead to an https URL"),
            "emails cannot offer one-click unsubscribing, and large receivers treat them as spam",
            "set web.public_url to the https URL of `publisher serve`",
        )
    elif answer:
        yield Diagnosis(
            *(_CHECK, Level.ERROR, public_url, f"`publisher serve` does not answer at this URL: {answer}"),
            "people who want to unsubscribe cannot, and report the email as spam",
            "start `publisher serve` behind this URL; see web.public_url",
        )
    else:
        yield Diagnosis(_CHECK, Level.OK, public_url, "`publisher serve` answers", "subscribers can unsubscribe")
    yield from check_unsubscribe_headers(sample)


def check_unsubscribe_headers(message: bytes) -> Iterator[Diagnosis]:
    """Check that a message has both headers for one-click unsubscribing, and one signature over both (RFC 8058, 4)."""
    read, _ = head_and_body(message.decode("ascii", "surrogateescape"))
    missing = [name for name in _HEADERS if read[name] is None]
    if missing:
        yield Diagnosis(
            *(_CHECK, Level.ERROR, "headers", f"the message has no {' and no '.join(map(_shown, missing))}"),
            "email clients show no unsubscribe button, and large receivers treat bulk mail without it as spam",
            "see web.public_url; one-click unsubscribing needs https",
        )
        return
    signed = [
        set(parse_tags(str(value)).get("h", "").lower().split(":")) for value in read.get_all("DKIM-Signature", [])
    ]
    if not signed:
        meaning = "the signature of your mail server must cover List-Unsubscribe and List-Unsubscribe-Post"
        hint = "check a received email with --read"
        yield Diagnosis(_CHECK, Level.NOTE, "headers", "both are there, not signed yet", meaning, hint)
    elif any(set(_HEADERS) <= names for names in signed):
        yield Diagnosis(_CHECK, Level.OK, "headers", "both are there and signed", "email clients show a button")
    else:
        yield Diagnosis(
            *(_CHECK, Level.ERROR, "headers", "no signature covers both of them (h=)"),
            "receivers ignore them",
            "let Publisher sign (`publisher mail keys`), or add both to what your mail server signs",
        )


def reach(public_url: str, seconds: float) -> str:
    """Request the health of `publisher serve` at its public URL; return "" if all is well, or else the problem."""
    import httpx  # takes 0.1 s to load, and `mail doctor --read` does not need it

    try:
        answer = httpx.get(f"{public_url}/healthz", timeout=seconds, follow_redirects=False)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        words = re.sub(r"^\[Errno -?\d+] ", "", " ".join(str(error).split()))  # without the system's error number
        return words or type(error).__name__
    return "" if answer.is_success else f"{answer.status_code} {answer.reason_phrase}"


def _shown(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("-"))
