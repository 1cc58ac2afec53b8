"""Substack's export: a zip archive with posts.csv, and an HTML file for each post (Settings, Export your data)."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import unquote

from publisher.posts.sources.feed_extras import without_marked
from publisher.publishing.exports.export_archive import ExportArchive
from publisher.publishing.exports.exported import (
    MOST_POSTS,
    MOST_TEXT,
    Export,
    ExportedPost,
    ExportError,
    LeftInPosts,
    moment,
    one_line,
)
from publisher.publishing.exports.substack_embeds import with_embeds

TABLE = "posts.csv"
_AUDIENCES = {
    "everyone": "",
    "": "",
    "only_paid": "for paying subscribers only",
    "only_free": "for free subscribers only",
    "founding": "for founding members only",
}
# Where the free part of a post ends. `publisher check` refuses a post that has this mark.
_WALL = re.compile(
    r"<div\b(?:[^<>]{0,500}?\s)(?:class=\"[^\"<>]{0,200}paywall[^\"<>]{0,200}\"|data-component-name=\"Paywall)"
    r"[^<>]{0,2000}>(?:\s{0,9}</div>)?",
    re.IGNORECASE,
)
_MARK = "<!--paywall-jump-->"
# A button to subscribe, share or comment. One with a different address is the author's.
_BUTTON = re.compile(
    r"<p class=\"button-wrapper\"[^<>]{0,5000}>\s{0,9}<a [^<>]{0,3000}?"
    r"href=\"[^\"<>]{0,2000}(?:/subscribe|/comments|action=share|/p/[^\"<>/]{1,200}\?|%%[a-z_]{1,40}_url%%)[^\"<>]{0,2000}\""
    r"[^<>]{0,1000}>(?:<span>)?[^<>]{0,200}(?:</span>)?</a>\s{0,9}</p>"
)
# Where Substack's pictures are shown from: the address of the original is a part of it.
CDN = re.compile(
    r"https://substackcdn\.com/image/(?:fetch|upload)/[^\s\"'<>]*?(https(?:%3A|:)(?:%2F|/){2}[^\s\"'<>,]{1,1500})"
)


def read_substack(archive: ExportArchive, site_url: str, where: str) -> Export:
    """Return the export in an archive of Substack.

    site_url  the address of the old site, which the archive doesn't say; "" if it isn't known
    where     the file, for messages
    Raises ExportError if the table of posts can't be read.
    """
    try:
        text = archive.read(archive.named(TABLE)).decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ExportError(f"can't be read: {error}", where=f"{where}/{TABLE}", hint="export it again") from error
    if not rows or "post_id" not in rows[0]:
        raise ExportError("has no column post_id", where=f"{where}/{TABLE}", hint="export it again")
    left: Counter[str] = Counter()

    url = site_url.rstrip("/")
    return Export("Substack", url, lambda: _posts(rows, archive, url, left), left)


def _posts(
    rows: Sequence[Mapping[str, str]], archive: ExportArchive, site_url: str, left: Counter[str]
) -> Iterator[ExportedPost]:
    left.clear()
    lost = LeftInPosts()
    if others := sum(name.endswith(".csv") and name.rpartition("/")[2] != TABLE for name in archive.names):
        left["tables about subscribers and opened emails"] = others
    if len(rows) > MOST_POSTS:
        left[f"posts beyond the first {MOST_POSTS:,}"] = len(rows) - MOST_POSTS
    texts = {name.rpartition("/")[2].removesuffix(".html"): name for name in archive.names if name.endswith(".html")}
    for row in rows[:MOST_POSTS]:
        if post := _post(row, archive, texts, site_url, left, lost):
            yield post
    for name in sorted(texts.keys() - {one_line(row.get("post_id")) for row in rows}):
        lost.add(f"{name}.html", {f"texts that {TABLE} doesn't list": 1})
    left.update(dict(lost.summary()))


def _post(
    row: Mapping[str, str],
    archive: ExportArchive,
    texts: Mapping[str, str],
    site_url: str,
    left: Counter[str],
    lost: LeftInPosts,
) -> ExportedPost | None:
    key = one_line(row.get("post_id"))
    kind = one_line(row.get("type")) or "newsletter"
    if kind in ("thread", "restack", "note"):
        left[f"{kind}s"] += 1
        return None
    name = texts.get(key)
    html = archive.read(name).decode("utf-8", "replace") if name else ""
    title = one_line(row.get("title"))
    if not (html.strip() or title):
        left["empty drafts"] += 1
        return None
    if len(html) > MOST_TEXT:
        left[f"texts of more than {MOST_TEXT // 1_000_000} MB"] += 1
        return None
    slug = key.partition(".")[2]
    is_published = one_line(row.get("is_published")).lower() == "true"
    text, unshown = with_embeds(clean(html))
    lost.add(title or key, unshown)
    text = _with_podcast(text, one_line(row.get("podcast_url")))
    return ExportedPost(
        kind="page" if kind == "page" else "post",
        title=title,
        html=text,
        slug=slug,
        path=f"/p/{slug}" if slug and is_published else "",
        id=f"{site_url}/p/{slug}" if slug and is_published and site_url else "",
        published=moment(row.get("post_date")) if is_published else None,
        excerpt=one_line(row.get("subtitle")),
        is_draft=not is_published,
        why_draft=_why_draft(row, text) if is_published else "",
    )


def _why_draft(row: Mapping[str, str], text: str) -> str:
    """Return why a post that was published must not be seen by everyone; "" if it may."""
    audience = one_line(row.get("audience"))
    why = _AUDIENCES.get(audience, f"for subscribers of the kind {audience} only")
    if not why and _MARK in text:
        return "a part of it is for paying subscribers only"
    if not why and not text.strip():
        return "the export does not contain its text"
    return why


def clean(html: str) -> str:
    """Return a text without Substack's buttons and forms, with marks for paid parts, and with the original pictures."""
    text = without_marked(_BUTTON.sub("", _WALL.sub(_MARK, html)))
    return CDN.sub(lambda found: unquote(found[1]), text)


def _with_podcast(html: str, url: str) -> str:
    return f'<p><audio controls src="{url}"></audio></p>\n{html}' if re.fullmatch(r"https?://[^\s\"<>]+", url) else html
