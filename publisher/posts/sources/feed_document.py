"""Reading a feed of any kind: RSS 0.9x, 1.0 and 2.0, Atom, and JSON Feed become a FeedDocument.

A document is read in a child process that has limits of time and memory, since a stranger wrote it. Its first
characters decide how it is read, not the media type of the answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from publisher.core.errors import FeedError
from publisher.core.source_models import FeedDocument
from publisher.posts.bounded_process import OverLimit, TimeLimit, feed_process
from publisher.posts.sources.inflating import BadBodyError, Inflater
from publisher.posts.urls import absolute, is_web_url

__all__ = ["FeedError", "read_feed"]

# The largest document, in bytes, and the most items in it.
MOST_BYTES = 20_000_000
MOST_ITEMS = 20_000

# A feed of 20 items with whole texts is read in 0.03 s, and 20,000 items of 18 MB in 9 s.
_TIME = TimeLimit(seconds=5.0, per_mb=2.5)

_GZIP = b"\x1f\x8b\x08"
_LONGEST_HEADER = 8_000
_LINK = re.compile(r"<([^<>]{1,2000})>((?:\s*+;\s*+[\w*-]++(?:\s*+=\s*+(?:\"[^\"]*+\"|[^\s\",;]++))?)*+)")
_RELATION = re.compile(r";\s{0,9}rel\s{0,9}=\s{0,9}\"?([^\";,]{1,200})", re.IGNORECASE)
_JSON = re.compile(rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?\0?\s*+[\[{]")


def read_feed(body: bytes, url: str, headers: Mapping[str, str]) -> FeedDocument:
    """Return the content of a feed, with clean texts and absolute URLs.

    body     the document, inflated
    url      the address that answered with it
    headers  the headers of the answer, by name in lower case
    Raises FeedError, with the address as its place, if it is not a feed or exceeds a limit.
    """
    if len(body) > MOST_BYTES:
        raise FeedError(
            f"is {len(body) / 1_000_000:.1f} MB, and the limit is {MOST_BYTES // 1_000_000} MB",
            where=url,
            hint="ask the site for a feed with fewer posts",
        )
    try:
        found: FeedDocument = feed_process().call(_read, body, url, dict(headers), seconds=_TIME.for_size(len(body)))
    except OverLimit as over:
        hint = "ask the site for a feed with fewer or shorter posts"
        raise FeedError(over.said("to read"), where=url, hint=hint) from over
    except FeedError as error:
        raise FeedError(error.message, where=url, hint=error.hint) from error
    return found


def _read(body: bytes, url: str, headers: dict[str, str]) -> FeedDocument:
    """Read a document, in the child. The headers may add data that the document lacks."""
    found = _parsed(_unpacked(body) if body.startswith(_GZIP) else body, url, headers)
    hub, own = found.hub or _linked(headers, "hub", url), found.url or _linked(headers, "self", url)
    language = found.language or headers.get("content-language", "").partition(",")[0].strip()[:40]
    items = tuple(item for item in found.items if item.title or item.html or item.summary or item.link)
    return replace(found, items=items, hub=hub, url=own, language=language)


def _unpacked(body: bytes) -> bytes:
    """Return the content of a gzip file that the server did not declare as one."""
    inflater = Inflater("gzip", MOST_BYTES)
    try:
        for _ in inflater.add(body):
            pass  # each piece is counted, and refused if there are too many
        return inflater.result()
    except BadBodyError as error:
        raise FeedError(str(error), hint="ask the site for a feed with fewer posts") from error


def _linked(headers: Mapping[str, str], relation: str, url: str) -> str:
    """Return the absolute URL of a relation in the Link header (RFC 8288); "" if it isn't there."""
    for reference, parameters in _LINK.findall(headers.get("link", "")[:_LONGEST_HEADER]):
        if relation in " ".join(_RELATION.findall(parameters)).lower().split():
            found = absolute(url, reference)
            return found if is_web_url(found) else ""
    return ""


def _parsed(body: bytes, url: str, headers: dict[str, str]) -> FeedDocument:
    if _is_json(body):
        # Not at the top: a project needs only the kinds that its sources have.
        from publisher.posts.sources.json_items import read_json

        return read_json(body, url, headers, MOST_ITEMS)
    # Not at the top: a project needs only the kinds that its sources have.
    from publisher.posts.sources.xml_items import read_xml

    return read_xml(body, url, headers, MOST_ITEMS)


def _is_json(body: bytes) -> bool:
    """Return whether the first character of a document in UTF-8 or UTF-16 begins a JSON value."""
    return _JSON.match(body) is not None
