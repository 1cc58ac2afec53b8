"""Whether readers can leave with one click (RFC 8058), as large receivers demand."""

from __future__ import annotations

import re
from collections.abc import Iterator

from publisher.mail.doctor.diagnosis import Diagnosis, Level, parse_tags

_CHECK = "one-click"
_HEADERS = ("list-unsubscribe", "list-unsubscribe-post")


def one_click(public_url: str, answer: str, sample: bytes) -> Iterator[Diagnosis]:
    """Judge where the links in letters lead, and what signatures cover.

    answer: what `reach` returned. sample: a message as readers get it, signed if any key signs.
    """
    if not public_url.startswith("https://"):
        yield Diagnosis(
            *(_CHECK, Level.ERROR, public_url, "the address behind the links in letters is not https"),
            "letters cannot promise one-click, and large receivers junk them",
            "set web.public_url to the https address of `publisher serve`",
        )
    elif answer:
        yield Diagnosis(
            *(_CHECK, Level.ERROR, public_url, f"it does not answer as `publisher serve` does: {answer}"),
            "who wants to leave cannot, and reports the letter as spam",
            "start `publisher serve` behind that address; see web.public_url",
        )
    else:
        yield Diagnosis(_CHECK, Level.OK, public_url, "`publisher serve` answers there", "readers can leave")
    yield from covered(sample)


def covered(message: bytes) -> Iterator[Diagnosis]:
    """Tell whether a message has both headers and one signature of it covers them (RFC 8058, 4)."""
    from email import message_from_bytes

    read = message_from_bytes(message)
    missing = [name for name in _HEADERS if read[name] is None]
    if missing:
        yield Diagnosis(
            *(_CHECK, Level.ERROR, "headers", f"the message has no {' and no '.join(map(_shown, missing))}"),
            "receivers show no button to leave; large ones junk bulk mail without it",
            "see web.public_url; one-click is promised for https only",
        )
        return
    signed = [
        set(parse_tags(str(value)).get("h", "").lower().split(":")) for value in read.get_all("DKIM-Signature", [])
    ]
    if not signed:
        meaning = "the one that your mail server makes must cover List-Unsubscribe and List-Unsubscribe-Post"
        hint = "look at a received copy with --read"
        yield Diagnosis(_CHECK, Level.NOTE, "headers", "both are there, and no signature yet", meaning, hint)
    elif any(set(_HEADERS) <= names for names in signed):
        yield Diagnosis(_CHECK, Level.OK, "headers", "both are there and signed", "receivers show a button to leave")
    else:
        yield Diagnosis(
            *(_CHECK, Level.ERROR, "headers", "no signature covers both of them (h=)"),
            "receivers do not believe them",
            "let Publisher sign (`publisher mail keys`), or add both to what your mail server signs",
        )


def reach(public_url: str, seconds: float) -> str:
    """Ask `publisher serve` behind the address how it is; return "" when it is well, or what is wrong."""
    import httpx

    try:
        answer = httpx.get(f"{public_url}/healthz", timeout=seconds, follow_redirects=False)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        words = re.sub(r"^\[Errno -?\d+] ", "", " ".join(str(error).split()))  # as the system says it, for people
        return words or type(error).__name__
    return "" if answer.is_success else f"{answer.status_code} {answer.reason_phrase}"


def _shown(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("-"))
