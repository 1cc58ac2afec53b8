"""WordPress' export: an extended feed called WXR (Tools, Export), which is read as a stream."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import BinaryIO
from xml.parsers import expat

from publisher.publishing.exports.exported import (
    MOST_POSTS,
    MOST_TEXT,
    Export,
    ExportedPost,
    ExportError,
    LeftInPosts,
    moment,
    one_line,
    path_of,
    public_name,
)
from publisher.publishing.exports.wordpress_access import (
    PART,
    Rules,
    has_hidden_part,
    is_about_access,
    whom_for,
    with_marks,
)
from publisher.publishing.exports.wordpress_library import Attachment, Library
from publisher.publishing.exports.wordpress_text import html_of

_PIECE = 262_144
_DEEPEST = 50
# Control characters, which WordPress writes into its exports although XML forbids them.
_FORBIDDEN = bytes(code for code in range(32) if code not in (9, 10, 13))
# The kinds of items in an export besides posts, pages and pictures, as the summary calls them.
_OTHER_KINDS = {
    "nav_menu_item": "entries of menus",
    "revision": "revisions",
    "wp_global_styles": "styles",
    "wp_template": "templates",
    "wp_template_part": "templates",
    "wp_navigation": "menus",
    "guest-author": "profiles of guest authors",
    Rules.KIND: "rules of MemberPress",
    "custom_css": "styles",
    "oembed_cache": "cached embeds",
}
# The fields of items that are needed, and how many are kept of those that say who can read a post.
_FIELDS = frozenset(
    (
        "_thumbnail_id",
        "_wp_attachment_image_alt",
        "enclosure",
        "footnotes",
        "cap-user_login",
        "cap-display_name",
    )
)
_MOST_FIELDS = 200
_DRAFTS = ("draft", "pending", "auto-draft", "private")

# The parts of an item whose text is needed, by their names in the file.
_WANTED = frozenset(
    (
        "title",
        "link",
        "pubDate",
        "guid",
        "dc:creator",
        "content:encoded",
        "excerpt:encoded",
        "wp:post_id",
        "wp:post_date_gmt",
        "wp:post_date",
        "wp:post_modified_gmt",
        "wp:post_name",
        "wp:status",
        "wp:post_type",
        "wp:post_password",
        "wp:post_parent",
        "wp:attachment_url",
        "wp:author_login",
        "wp:author_display_name",
        "wp:author_first_name",
        "wp:author_last_name",
        "wp:base_blog_url",
        "wp:meta_key",
        "wp:meta_value",
        "category",
    )
)


@dataclass(slots=True)
class WordPressItem:
    """An item of an export while it is read."""

    texts: dict[str, str] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    authors: list[str] = field(default_factory=list)
    terms: list[str] = field(default_factory=list)
    meta: dict[str, str] = field(default_factory=dict)
    comments: int = 0


def read_wordpress(openers: list[Callable[[], BinaryIO]], where: str) -> Export:
    """Return the export in one or more files of WXR.

    openers  each opens a file from its beginning, whenever it is called
    where    the file, for messages
    Raises ExportError if one of them isn't WXR, or has a document type, which WordPress doesn't write.
    """
    blog = _Blog(openers, where)
    for item in blog.items():
        blog.note(item)
    if not blog.is_wordpress:
        hint = "in WordPress, use Tools, Export, All content"
        raise ExportError("isn't an export of WordPress", where=where, hint=hint)
    left: Counter[str] = Counter()

    def posts() -> Iterator[ExportedPost]:
        """Yield the posts of the export, and note what cannot be carried over."""
        left.clear()
        lost = LeftInPosts()
        for item in blog.items():
            if post := blog.post(item, left, lost):
                yield post
        left.update(dict(lost.summary()))
        if unused := len(blog.library.blocks.keys() - blog.library.used):
            left["reusable blocks that no post shows"] = unused

    return Export("WordPress", blog.url, posts, left, blog.pages)


class _Blog:
    """The data in an export about its blog as a whole, to which its posts refer."""

    def __init__(self, openers: list[Callable[[], BinaryIO]], where: str) -> None:
        self._openers, self._where = openers, where
        self.url = ""
        self.is_wordpress = False
        self._authors: dict[str, str] = {}
        self.pages: dict[str, str] = {}
        self.library = Library()
        self._rules = Rules()

    def items(self) -> Iterator[WordPressItem]:
        """Yield the items of all files, one after the other."""
        for opener in self._openers:
            with opener() as file:
                yield from self._items(file, self._where)

    def _items(self, file: BinaryIO, where: str) -> Iterator[WordPressItem]:
        reader = _WxrReader(self)
        try:
            while piece := file.read(_PIECE):
                reader.parser.Parse(piece.translate(None, _FORBIDDEN))
                yield from reader.taken()
            reader.parser.Parse(b"", True)
        except expat.ExpatError as error:
            what = f"isn't XML that can be read: {expat.errors.messages[error.code]}"
            raise ExportError(what, where=f"{where}:{error.lineno}", hint="export it again") from error
        except _RefusedXml as error:
            raise ExportError(str(error), where=f"{where}:{reader.parser.CurrentLineNumber}") from error
        yield from reader.taken()

    def know(self, key: str, texts: Mapping[str, str]) -> None:
        """Note an element of the channel that isn't an item: the address of the blog, or an author."""
        if key == "wp:base_blog_url":
            self.url = one_line(texts.get(key)).rstrip("/")
        elif key == "wp:wxr_version":
            self.is_wordpress = True
        elif key == "wp:author":
            first, last = one_line(texts.get("wp:author_first_name")), one_line(texts.get("wp:author_last_name"))
            name = public_name(texts.get("wp:author_display_name")) or public_name(f"{first} {last}")
            self._authors[one_line(texts.get("wp:author_login"))] = name

    def note(self, item: WordPressItem) -> None:
        """Note what posts refer to: where attachments and other posts are, reusable blocks, and guest authors."""
        texts = item.texts
        number, kind = one_line(texts.get("wp:post_id")), one_line(texts.get("wp:post_type")) or "post"
        url, page = one_line(texts.get("wp:attachment_url")), one_line(texts.get("link"))
        has_address = "?" not in page and page.strip("/") != self.url
        if url:
            alt, caption = item.meta.get("_wp_attachment_image_alt", ""), texts.get("excerpt:encoded", "")
            self.library.attachments[number] = Attachment(url, one_line(alt), caption.strip())
            self.library.attached.setdefault(one_line(texts.get("wp:post_parent")), []).append(number)
            if has_address:
                self.pages[page.rstrip("/")] = url
        elif kind == "wp_block":
            self.library.keep_block(number, texts.get("content:encoded", ""))
        elif kind == Rules.KIND and texts.get("wp:status") == "publish":
            self._rules.add(item.meta)
        elif kind == "guest-author":
            login = one_line(item.meta.get("cap-user_login")) or one_line(texts.get("wp:post_name"))
            name = public_name(item.meta.get("cap-display_name")) or public_name(texts.get("title"))
            self._authors.setdefault(login.removeprefix("cap-"), name)
        elif kind in ("post", "page") and page and has_address:
            self.library.links[number] = page

    def post(self, item: WordPressItem, left: Counter[str], lost: LeftInPosts) -> ExportedPost | None:
        """Return the post or page in an item; None for anything else, which is counted in `left`."""
        if not self._is_post(item, left):
            return None
        texts = item.texts
        kind, status = one_line(texts.get("wp:post_type")), one_line(texts.get("wp:status"))
        title, html = one_line(texts.get("title")), self._html(item, lost)
        is_draft = status in _DRAFTS
        image = self.library.attachments.get(one_line(item.meta.get("_thumbnail_id")), Attachment(""))
        return ExportedPost(
            kind="page" if kind == "page" else "post",
            title=title,
            html=html,
            slug=one_line(texts.get("wp:post_name")),
            path=path_of(one_line(texts.get("link")), self.url),
            id=one_line(texts.get("guid")),
            published=None if is_draft and status != "private" else _published(texts),
            updated=moment(texts.get("wp:post_modified_gmt")),
            tags=tuple(dict.fromkeys(item.tags)),
            authors=self._authors_of(item),
            excerpt=_words(texts.get("excerpt:encoded", "")),
            image=image.url,
            image_alt=image.alt,
            image_caption=_words(image.caption),
            audio=_audio(item.meta.get("enclosure", "")),
            is_draft=is_draft,
            why_draft=_why_draft(status, item, html) or self._why_hidden(kind or "post", item),
        )

    def _why_hidden(self, kind: str, item: WordPressItem) -> str:
        number = one_line(item.texts.get("wp:post_id"))
        return "a rule of MemberPress hides it" if self._rules.hide(kind, number, item.terms) else ""

    def _html(self, item: WordPressItem, lost: LeftInPosts) -> str:
        texts, left = item.texts, Counter[str]()
        number = one_line(texts.get("wp:post_id"))
        written = with_marks(self.library.with_blocks(texts.get("content:encoded", ""), left))
        html, more = html_of(written, self.library, number, item.meta.get("footnotes", ""))
        lost.add(one_line(texts.get("title")) or one_line(texts.get("link")), left + more)
        return self.library.with_addresses(html, self.url)

    def _authors_of(self, item: WordPressItem) -> tuple[str, ...]:
        """Return the names of a post's authors: those of Co-Authors Plus, or else the user who entered it."""
        logins = item.authors or [one_line(item.texts.get("dc:creator"))]
        names = (self._authors.get(login) or public_name(login) for login in logins)
        return tuple(dict.fromkeys(filter(None, names)))

    def _is_post(self, item: WordPressItem, left: Counter[str]) -> bool:
        """Return whether an item becomes a file; count it in `left` if not."""
        texts = item.texts
        kind, status = one_line(texts.get("wp:post_type")) or "post", one_line(texts.get("wp:status"))
        if item.comments:
            left["comments"] += item.comments
        if kind == "attachment" or (kind == "wp_block" and item.texts.get("wp:post_id")):
            return False
        if kind not in ("post", "page"):
            left[_OTHER_KINDS.get(kind, f"entries of the kind {kind[:60]}")] += 1
            return False
        if status in ("trash", "auto-draft"):
            left["posts in the trash" if status == "trash" else "empty drafts"] += 1
            return False
        if len(texts.get("content:encoded", "")) > MOST_TEXT:
            left[f"texts of more than {MOST_TEXT // 1_000_000} MB"] += 1
            return False
        return True


def _published(texts: Mapping[str, str]) -> datetime | None:
    """Return when a post was published. Some exports have only the date of the feed, which is in UTC too."""
    if found := moment(texts.get("wp:post_date_gmt")):
        return found
    try:
        feed = moment(parsedate_to_datetime(one_line(texts.get("pubDate"))).isoformat())
    except (ValueError, TypeError, OverflowError, IndexError):
        feed = None
    return feed or moment(texts.get("wp:post_date"))


def _audio(enclosure: str) -> str:
    """Return a post's recording: its URL, length and type, from the lines that PodPress and PowerPress write."""
    url = one_line(enclosure).partition(" ")[0]
    return one_line(enclosure)[:2_000] if url.startswith(("https://", "http://")) else ""


def _why_draft(status: str, item: WordPressItem, html: str) -> str:
    if one_line(item.texts.get("wp:post_password")):
        return "it has a password"
    if status == "private":
        return "it is private"
    return whom_for(item.meta) or (PART if has_hidden_part(html) else "")


def _words(excerpt: str) -> str:
    from publisher.posts.text.excerpt import plain_text  # not at the top: few excerpts have markup

    return plain_text(excerpt) if "<" in excerpt else one_line(excerpt)


class _RefusedXml(Exception):  # noqa: N818 - it is turned into an ExportError, with the file's name
    """XML that WordPress doesn't write, and that could need any amount of memory."""


class _WxrReader:
    """The handlers of a parser, which collect items."""

    def __init__(self, blog: _Blog) -> None:
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._refuse
        self._blog = blog
        self._path: list[str] = []
        self._item: WordPressItem | None = None
        self._author: dict[str, str] = {}
        self._pair: dict[str, str] = {}
        self._pieces: list[str] = []
        self._size = self._count = 0
        self._domain = self._nicename = ""
        self._done: list[WordPressItem] = []

    def taken(self) -> list[WordPressItem]:
        """Return the items that were read since the last call."""
        done, self._done = self._done, []
        return done

    def _refuse(self, *_: object) -> None:
        raise _RefusedXml("has a document type, which no export of WordPress has")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name)
        if len(self._path) > _DEEPEST:
            raise _RefusedXml("is nested too deeply")
        self._pieces, self._size = [], 0
        if name == "item":
            self._count += 1
            if self._count > MOST_POSTS:
                raise _RefusedXml(f"has more than {MOST_POSTS:,} items")
            self._item = WordPressItem()
        elif name == "category":
            self._domain, self._nicename = attributes.get("domain", ""), attributes.get("nicename", "")
        elif name == "wp:comment" and self._item:
            self._item.comments += 1

    def _text(self, text: str) -> None:
        if self._path and self._path[-1] in _WANTED and self._size <= MOST_TEXT:
            self._size += len(text)
            self._pieces.append(text)

    def _end(self, name: str) -> None:
        text, self._pieces = "".join(self._pieces), []
        self._path.pop()
        above = self._path[-1] if self._path else ""
        if above == "item" and self._item:
            self._field(name, text)
        elif above == "wp:postmeta" and self._item:
            self._pair[name] = text
        elif above == "wp:author":
            self._author[name] = text
        elif above == "channel":
            self._channel(name, text)

    def _field(self, name: str, text: str) -> None:
        assert self._item is not None  # noqa: S101 - see _end
        if name == "category":
            if self._domain in ("category", "post_tag", "tag") and self._nicename != "uncategorized" and one_line(text):
                self._item.tags.append(one_line(text))
                self._item.terms.append(self._nicename)
            elif self._domain == "author":
                self._item.authors.append(one_line(text) or self._nicename.removeprefix("cap-"))
        elif name == "wp:postmeta":
            self._meta(one_line(self._pair.pop("wp:meta_key", "")), self._pair.pop("wp:meta_value", ""))
        elif name in _WANTED:
            self._item.texts[name] = text

    def _meta(self, key: str, value: str) -> None:
        """Keep a field of the item. A field that says who can read the item may occur several times."""
        assert self._item is not None  # noqa: S101 - see _end
        meta = self._item.meta
        if key in _FIELDS:
            meta.setdefault(key, value)
        elif is_about_access(key) and (key in meta or len(meta) < _MOST_FIELDS):
            meta[key] = "\n".join(filter(None, (meta.get(key), value[:20_000])))[:20_000]

    def _channel(self, name: str, text: str) -> None:
        if name == "item" and self._item:
            self._done.append(self._item)
            self._item = None
        elif name == "wp:author":
            self._blog.know(name, self._author)
            self._author = {}
        else:
            self._blog.know(name, {name: text})
