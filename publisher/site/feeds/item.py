"""One entry of a feed, the same for every format: made from a post or from an edition."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

from publisher.core.models import Author, Enclosure, Image, RenderedPost
from publisher.site.feeds.text import feed_html, xml_text


@dataclass(frozen=True, slots=True)
class Item:
    """What every format says of one entry. Texts hold only what XML can hold.

    html      full text, "" in a feed of summaries
    summary   plain text, never empty
    markdown  the post as it was written, "" where nobody asked for it
    """

    id: str
    url: str
    title: str
    published: datetime
    updated: datetime
    summary: str
    html: str
    language: str
    authors: tuple[Author, ...] = ()
    tags: tuple[str, ...] = ()
    image: Image | None = None
    enclosures: tuple[Enclosure, ...] = ()
    markdown: str = ""

    @property
    def distinct_updated(self) -> datetime:
        """`updated` with a fraction of a second made from the id.

        Posts that appear at one moment (translations, say) would else share an atom:updated, which RFC 4287
        section 4.1.1 lets only copies of one entry do.
        """
        fraction = int.from_bytes(hashlib.blake2b(self.id.encode(), digest_size=4).digest()) % 1_000_000
        return self.updated.replace(microsecond=0) + timedelta(microseconds=fraction)


# A URI that every reader takes for one (RFC 3986, with the schemes that need no more than themselves).
_URI = re.compile(r"(?:tag:|urn:[A-Za-z0-9][A-Za-z0-9-]+:|https?://)[A-Za-z0-9!#$%&'()*+,./:;=?@_~-]+")


def entry_id(written: str, authority: str) -> str:
    """Return a post's id as feeds say it: Atom wants a URI, and a number of another tool's becomes part of one."""
    written = xml_text(written)
    return written if _URI.fullmatch(written) else f"tag:{authority}:id:{quote(written, safe='')}"


def post_item(rendered: RenderedPost, authority: str, *, full: bool, markdown: str = "") -> Item:
    """Return the entry of a post; authority: see entry_id."""
    post = rendered.post
    title = xml_text(post.title)
    return Item(
        id=entry_id(post.id, authority),
        url=post.url,
        title=title,
        published=post.published,
        updated=post.updated,
        summary=xml_text(rendered.excerpt) or title,
        html=feed_html(rendered.html) if full else "",
        language=post.language,
        authors=tuple(Author(xml_text(a.name), xml_text(a.email), xml_text(a.url)) for a in post.authors),
        tags=tuple(xml_text(tag.name) for tag in post.tags),
        image=post.image,
        enclosures=post.enclosures,
        markdown=xml_text(markdown),
    )
