"""Ghost's export: one JSON file with the tables of its database (Settings, Migration tools, Export)."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from html import escape
from typing import Any

from publisher.posts.text.paid_parts import paid_part
from publisher.publishing.exports.element_parts import words_of
from publisher.publishing.exports.exported import (
    MOST_POSTS,
    MOST_TEXT,
    Export,
    ExportedPost,
    ExportError,
    LeftInPosts,
    moment,
    one_line,
    public_name,
)
from publisher.publishing.exports.ghost_cards import with_plain_cards
from publisher.publishing.exports.ghost_documents import DocumentReader

# The placeholder for the site's address in texts.
PLACEHOLDER = "__GHOST_URL__"

# Who may read a post that isn't public.
_AUDIENCES = {"members": "for members only", "paid": "for paying members only", "tiers": "for some members only"}
# Tables about people and settings, as the summary calls them.
_OTHER_TABLES = {
    "members": "members; import them with `publisher subscribers import`",
    "newsletters": "newsletters",
    "snippets": "snippets",
    "offers": "offers",
    "products": "tiers",
    "comments": "comments",
}

Row = Mapping[str, Any]


def read_ghost(data: bytes, where: str) -> Export:
    """Return the export in a JSON file of Ghost, of any version since 1.0.

    where  the file, for messages
    Raises ExportError if it isn't one.
    """
    left: Counter[str] = Counter()
    return Export("Ghost", PLACEHOLDER, _Ghost(_tables(data, where), left).posts, left)


def _tables(data: bytes, where: str) -> Mapping[str, list[Row]]:
    try:
        whole = json.loads(data)
    except (ValueError, RecursionError) as error:
        what = f"isn't JSON that can be read: {error}" if isinstance(error, ValueError) else "is nested too deeply"
        raise ExportError(what, where=where, hint="export it again") from error
    inner = whole.get("db") if isinstance(whole, dict) else None
    inner = inner[0] if isinstance(inner, list) and inner else whole
    found = inner.get("data") if isinstance(inner, dict) else None
    if not isinstance(found, dict) or not isinstance(found.get("posts"), list):
        hint = "in Ghost, use Settings, Import/Export, Export"
        raise ExportError("isn't an export of Ghost: it has no table of posts", where=where, hint=hint)
    return {
        name: [row for row in rows if isinstance(row, dict)] for name, rows in found.items() if isinstance(rows, list)
    }


class _Ghost:
    """The tables of an export."""

    def __init__(self, tables: Mapping[str, list[Row]], left: Counter[str]) -> None:
        self._tables, self._left = tables, left
        self._lost = LeftInPosts()
        self._tags = self._names_of("posts_tags", "tag_id", "tags")
        self._authors = self._names_of("posts_authors", "author_id", "users")
        self._users = {row.get("id"): public_name(row.get("name")) for row in tables.get("users", ())}
        self._meta = {row.get("post_id"): row for row in tables.get("posts_meta", ())}

    def posts(self) -> Iterator[ExportedPost]:
        """Yield the posts of the export, and note what cannot be carried over."""
        self._left.clear()
        self._lost = LeftInPosts()
        for name, said in _OTHER_TABLES.items():
            if count := len(self._tables.get(name, ())):
                self._left[said] = count
        rows = self._tables["posts"]
        if len(rows) > MOST_POSTS:
            self._left[f"posts beyond the first {MOST_POSTS:,}"] = len(rows) - MOST_POSTS
        for row in rows[:MOST_POSTS]:
            if post := self._post(row):
                yield post
        self._left.update(dict(self._lost.summary()))

    def _post(self, row: Row) -> ExportedPost | None:
        meta: Row = self._meta.get(row.get("id"), {})
        html = self._html(row)
        if html is None:
            return None
        slug, status = one_line(row.get("slug")), one_line(row.get("status"))
        is_page = row.get("type") == "page" or row.get("page") in (1, True)
        published = (moment(row.get("published_at")) or moment(row.get("created_at"))) if status != "draft" else None
        names = self._tags.get(row.get("id"), [])
        return ExportedPost(
            kind="page" if is_page else "post",
            title=one_line(row.get("title")),
            html=html,
            slug=slug,
            path=f"/{slug}/" if slug else "",
            id=one_line(row.get("id")),
            published=published,
            updated=self._updated(row, published),
            tags=tuple(name for name in names if name and not name.startswith("#")),
            authors=tuple(
                self._authors.get(row.get("id"), ()) or filter(None, [self._users.get(row.get("author_id"))])
            ),
            excerpt=one_line(row.get("custom_excerpt")) or one_line(meta.get("meta_description")),
            image=one_line(row.get("feature_image")) or one_line(row.get("image")),
            image_alt=one_line(meta.get("feature_image_alt")),
            image_caption=words_of(one_line(meta.get("feature_image_caption"))),
            canonical=one_line(row.get("canonical_url")),
            is_draft=status not in ("published", "scheduled", "sent"),
            why_draft=self._why_draft(row, meta, status, html) if status != "draft" else "",
        )

    def _why_draft(self, row: Row, meta: Row, status: str, html: str) -> str:
        if status == "sent" or meta.get("email_only") in (1, True):
            return "it was sent by email only"
        visibility = one_line(row.get("visibility")) or "public"
        if visibility != "public":
            return _AUDIENCES.get(visibility, "for some members only")
        if not html and (row.get("lexical") or row.get("mobiledoc")):
            return "its text is in a form of Ghost's editor that can't be read"
        return "a part of it is for members only" if paid_part(html, is_markdown=False) else ""

    def _html(self, row: Row) -> str | None:
        """Return the text of a post, "" if it has none; None if it is too long."""
        html, plain = row.get("html"), row.get("plaintext")
        if isinstance(html, str) and html.strip():
            html = with_plain_cards(html) if len(html) <= MOST_TEXT else html
        else:
            reader = DocumentReader()
            html = reader.html(row.get("lexical"), row.get("mobiledoc"))
            self._lost.add(one_line(row.get("title")) or one_line(row.get("slug")), reader.left)
            if not html and isinstance(plain, str):
                parts = (escape(part.strip(), quote=False) for part in plain.split("\n\n"))
                html = "\n".join(f"<p>{part}</p>" for part in parts if part)
        if len(html) > MOST_TEXT:
            self._left[f"texts of more than {MOST_TEXT // 1_000_000} MB"] += 1
            return None
        return html

    def _updated(self, row: Row, published: datetime | None) -> datetime | None:
        return moment(row.get("updated_at")) if published else None

    def _names_of(self, links: str, key: str, table: str) -> Mapping[Any, list[str]]:
        """Return the names that are linked to each post, in their order."""
        name_of = public_name if table == "users" else one_line
        names = {row.get("id"): name_of(row.get("name")) for row in self._tables.get(table, ())}
        found: defaultdict[Any, list[tuple[int, str]]] = defaultdict(list)
        for row in self._tables.get(links, ()):
            order = row.get("sort_order")
            if name := names.get(row.get(key)):
                found[row.get("post_id")].append((order if isinstance(order, int) else 0, name))
        return {post: [name for _, name in sorted(each, key=lambda pair: pair[0])] for post, each in found.items()}
