"""What may stand in a feed: characters that XML holds, dates that no locale changes, HTML without frames."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import format_datetime

# What XML 1.0 section 2.2 cannot hold.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_FRAME = re.compile(r'<iframe\b[^>]*?\bsrc="([^"]*)"[^>]*>.*?</iframe>', re.DOTALL)
_PLAYER_NOISE = re.compile(r"\s(?:autoplay|loop|muted)(?:=\"[^\"]*\")?(?=[^<>]*>)")


def xml_text(text: str) -> str:
    r"""Return the text without what XML cannot hold; a carriage return, which XML turns into \n, is one already."""
    return _FORBIDDEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def rfc2822(moment: datetime) -> str:
    """Return a date as RSS wants it (RFC 2822), in UTC, in English whatever the locale."""
    return format_datetime(moment.astimezone(UTC))


def rfc3339(moment: datetime) -> str:
    """Return a date as Atom and JSON Feed want it (RFC 3339), in UTC."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def feed_html(fragment: str) -> str:
    """Return a rendered post's HTML for feeds: frames, which readers drop or flag, become links."""
    if "<iframe" in fragment:
        fragment = _FRAME.sub(r'<p><a href="\1">\1</a></p>', fragment)
    return xml_text(fragment)
