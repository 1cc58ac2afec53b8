"""What may stand in a feed: characters that XML holds, dates that no locale changes, HTML without frames."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from publisher.posts.text import is_surely_clean

# What XML 1.0 section 2.2 cannot hold.
_FORBIDDEN = "[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]"
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_FRAME = re.compile(r'<iframe\b[^>]*?\bsrc="([^"]*)"[^>]*>.*?</iframe>', re.DOTALL)


def xml_text(text: str) -> str:
    r"""Return the text without what XML cannot hold; a carriage return, which XML turns into \n, is one already."""
    if is_surely_clean(text) and "\r" not in text:
        return text
    return re.sub(_FORBIDDEN, "", text.replace("\r\n", "\n").replace("\r", "\n"))


def rfc2822(moment: datetime) -> str:
    """Return a date as RSS wants it (RFC 2822), in UTC, in English whatever the locale."""
    utc = moment.astimezone(UTC)
    return f"{_DAYS[utc.weekday()]}, {utc.day:02} {_MONTHS[utc.month - 1]} {utc.year:04} {utc:%H:%M:%S} +0000"


def rfc3339(moment: datetime) -> str:
    """Return a date as Atom and JSON Feed want it (RFC 3339), in UTC."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def feed_html(fragment: str) -> str:
    """Return a rendered post's HTML for feeds: frames, which readers drop or flag, become links."""
    if "<iframe" in fragment:
        fragment = _FRAME.sub(r'<p><a href="\1">\1</a></p>', fragment)
    return xml_text(fragment)
