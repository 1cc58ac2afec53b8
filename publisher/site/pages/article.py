"""The page of a post, standalone pages, and the details of a post that other pages show."""

from __future__ import annotations

import json
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from functools import partial
from hashlib import blake2b
from sys import intern
from typing import Any, NamedTuple

from publisher.config import Person
from publisher.core.characters import shorten
from publisher.core.frozen import dataclass
from publisher.core.i18n import direction
from publisher.core.models import Image, Output, Post, RenderedPost, Tag
from publisher.posts.rendering.code_tokens import lexed
from publisher.site.pages.frame import SEPARATOR, Frame, Page, day_in_words, href, output_path, root, tag_path
from publisher.site.pages.look import Card
from publisher.site.pages.post_body import PagePicture, colour_with, page_body, page_picture

DESCRIPTION_LENGTH = 300
_RELATED = 3
_json = json.JSONEncoder(ensure_ascii=False).encode


@dataclass(frozen=True, slots=True)
class ListedPost:
    """A post as shown in lists, tag pages, the archive and the pages of neighbouring posts.

    It keeps only what those pages show, because a build has one for every post from the plan to the end. The rest of
    the post is loaded again when its own page is made.

    source, title, permalink, url, excerpt, image, tags, canonical, redirect_to, is_listed: the same as in the post
    path      its output path; the source of a post whose page is elsewhere
    language  its language, or the site's if it has none
    stamp     when it was published, in ISO 8601
    updated   when it was last changed, in ISO 8601
    alternates  the (language, URL) of the post and of its translations; () if it is not translated
    digest    hash of what its page shows but lists do not, apart from the day of the last change
    """

    source: str
    title: str
    path: str
    language: str
    stamp: str
    updated: str
    permalink: str
    url: str
    excerpt: str
    image: Image | None
    tags: tuple[Tag, ...]
    canonical: str
    redirect_to: str
    is_listed: bool
    alternates: tuple[tuple[str, str], ...]
    digest: bytes
    _posts: Sequence[Post]
    _number: int

    @property
    def post(self) -> Post:
        """The whole post."""
        return self._posts[self._number]

    @property
    def is_elsewhere(self) -> bool:
        """Whether its page is elsewhere (see Post.is_elsewhere)."""
        return bool(self.canonical) and self.url == self.canonical

    @property
    def link(self) -> str:
        """Everything that a link to it shows, as one string: title, URL and language."""
        address = self.url if self.is_elsewhere else self.permalink
        return f"{self.title}{SEPARATOR}{address}{SEPARATOR}{self.language}"

    @property
    def face(self) -> str:
        """Everything that a list shows, as one string: link, date, image and the excerpt in its front matter."""
        image = f"{self.image.url}{SEPARATOR}{self.image.alt}" if self.image else ""
        return SEPARATOR.join((self.link, self.stamp, self.excerpt, image))

    @property
    def href(self) -> str:
        """The quoted path of its page from the root of the site; the whole URL of a page elsewhere (see address)."""
        if self.is_elsewhere:
            return self.url
        bare = self.path.removesuffix(".html")
        return href(bare if self.permalink == f"/{bare}" else self.path)

    def address(self, root: str) -> str:
        """Return the target of a link to it. root: the path from the page with the link to the root of the site."""
        return self.url if self.is_elsewhere else f"{root}{self.href}"

    @property
    def direction(self) -> str:
        """The direction in which its language is written: "ltr" or "rtl"."""
        return direction(self.language)

    @property
    def year(self) -> int:
        """The year in which it was published."""
        return int(self.stamp[:4])

    def day(self, language: str, style: str = "long") -> str:
        """Return the day of publication in the format of a language."""
        return day_in_words(date.fromisoformat(self.stamp[:10]), language, style)


def listed_post(post: Post, site_language: str, posts: Sequence[Post] = (), number: int = 0) -> ListedPost:
    """Return the ListedPost of a post. A build calls it for every post.

    posts, number  where the post is loaded from when it is needed again; by default the post itself is kept
    """
    language = intern(post.language or site_language)
    stamp = _iso(post.published)
    return ListedPost(
        source=post.source,
        title=post.title,
        path=post.source if post.is_elsewhere else output_path(post.permalink),
        language=language,
        stamp=stamp,
        updated=stamp if post.updated is post.published else _iso(post.updated),
        permalink=post.permalink,
        url=post.url,
        excerpt=post.excerpt,
        image=post.image,
        tags=post.tags,
        canonical=post.canonical,
        redirect_to=post.redirect_to,
        is_listed=post.is_listed,
        alternates=tuple(sorted((*post.translations, (language, post.url)))) if post.translations else (),
        digest=blake2b(facts(post).encode("utf-8", "surrogatepass"), digest_size=16).digest(),
        _posts=posts or (post,),
        _number=number,
    )


def _iso(moment: datetime) -> str:
    """Return a time in ISO 8601. HTML allows no seconds in an offset, but local mean time before 1900 has them."""
    offset = moment.utcoffset() or timedelta(0)
    seconds = offset % timedelta(minutes=1)
    return (moment.replace(tzinfo=timezone(offset - seconds)) if seconds else moment).isoformat()


def as_rendered(entry: ListedPost, rendered: RenderedPost) -> ListedPost:
    """Return the entry of a post with the picture that the post has after rendering, which may be none."""
    return replace(entry, image=rendered.post.image, _posts=(rendered.post,), _number=0)


class Around(NamedTuple):
    """The parts of a post's page that are not in the post: links to other posts, and the picture for link previews."""

    newer: ListedPost | None = None
    older: ListedPost | None = None
    related: Sequence[ListedPost] = ()
    card: Card | None = None

    @property
    def identity(self) -> str:
        """All of these parts as one string."""
        links = [each.link if each else "" for each in (self.newer, self.older)]
        links += [f"{each.link}{each.stamp}" for each in self.related]
        return SEPARATOR.join((*links, self.card.path if self.card else ""))


def plan_articles(
    frame: Frame, entries: Sequence[ListedPost], render: Callable[[Post], RenderedPost], cards: int = 0
) -> Iterator[Output]:
    """Yield an output for the page of each post, newest first. A post is rendered only when its page is made.

    entries  posts whose pages are on this site

    cards    how many posts get a drawn picture for link previews if they have no picture
    """
    articles = Articles(frame, entries, render, cards)
    for index, entry in enumerate(entries):
        around = articles.around(index)
        key = frame.key("post", entry.face, entry.updated, entry.digest.hex(), around.identity)
        yield Output(entry.path, key, Article(articles, index), entry.source)
        if around.card:
            yield around.card.output()


class Articles:
    """The pages of several posts, newest first. Links to others are found when they are needed, not kept."""

    def __init__(
        self, frame: Frame, entries: Sequence[ListedPost], render: Callable[[Post], RenderedPost], cards: int
    ) -> None:
        """See plan_articles."""
        self._frame, self._entries, self._render, self._cards = frame, entries, render, cards
        self._related = RelatedPosts(entries)

    def around(self, index: int) -> Around:
        """Return the links to other posts on the page of a post, and its picture for link previews."""
        frame, entries, entry = self._frame, self._entries, self._entries[index]
        newer = entries[index - 1] if index else None
        older = entries[index + 1] if index + 1 < len(entries) else None
        drawn = frame.card is not None and index < self._cards and not entry.image
        card = frame.card(entry.title, entry.language) if frame.card and drawn else None
        return Around(newer, older, self._related.of(index), card)

    def make(self, index: int) -> bytes:
        """Render a post and return its page."""
        return make_article(self._frame, self._entries[index], self.around(index), self._render)


class Article:
    """Makes the page of one post. A build has one for every post; a functools.partial takes four times the memory."""

    __slots__ = ("_articles", "_index")

    def __init__(self, articles: Articles, index: int) -> None:
        self._articles, self._index = articles, index

    def __call__(self) -> bytes:
        return self._articles.make(self._index)


class RelatedPosts:
    """The related posts of each post: up to three, which have the most tags in common with it.

    Among posts with equally many common tags, the nearest in time come first. For each tag, only the two posts before
    and the two after are considered. The next newer and the next older post on the site are left out, because the page
    shows them anyway. So a new post changes few other pages.
    """

    def __init__(self, entries: Sequence[ListedPost]) -> None:
        self._entries = entries
        self._of_tag: dict[str, array[int]] = {}
        for index, entry in enumerate(entries):
            for tag in entry.tags:
                self._of_tag.setdefault(tag.slug, array("L")).append(index)
        self._order = {slug: number for number, slug in enumerate(self._of_tag)}

    def of(self, index: int) -> list[ListedPost]:
        """Return the posts related to the one at this index, the nearest first."""
        near: dict[int, int] = {}
        for slug in sorted((tag.slug for tag in self._entries[index].tags), key=self._order.__getitem__):
            members = self._of_tag[slug]
            at = bisect_left(members, index)
            for place in (at - 1, at + 1, at - 2, at + 2):
                if 0 <= place < len(members) and abs(members[place] - index) > 1:
                    near[members[place]] = near.get(members[place], 0) + 1
        nearest = sorted(near, key=lambda other: (-near[other], abs(other - index)))
        return [self._entries[other] for other in nearest[:_RELATED]]


def facts(post: Post) -> str:
    """Return, as one string, what a post's page shows but lists do not, apart from the day of the last change."""
    parts = [post.digest, post.url, post.canonical]
    parts += [f"by\0{author.name}\0{author.url}" for author in post.authors]
    parts += [f"tag\0{tag.name}\0{tag.slug}" for tag in post.tags]
    if post.enclosures:
        parts.append(repr(post.enclosures))
    if post.image:
        parts.append(post.image.caption)
    return SEPARATOR.join(parts)


def make_article(
    frame: Frame,
    entry: ListedPost,
    around: Around,
    render: Callable[[Post], RenderedPost],
) -> bytes:
    """Render a post and return its page."""
    rendered = render(entry.post)
    post = rendered.post
    up = root(entry.path)
    page = _page(frame, entry, rendered, around.card)
    picture, faces = _picture(rendered, frame, up), _faces(frame, rendered)
    return frame.render(
        "post.html",
        page,
        post=post,
        its=frame.words_in(page.language),
        entry=entry,
        body=_body(rendered, frame, up),
        minutes=rendered.minutes,
        updated=_updated(entry),
        image_src=picture.src if picture else "",
        picture=picture,
        tags=[(tag, href(tag_path(tag))) for tag in post.tags],
        audio=_audio(post, frame, up),
        structured=structured_data(frame, post, page),
        newer=around.newer,
        older=around.older,
        related=around.related,
        faces=faces,
        author=faces[0] if faces else None,
    )


def plan_standalone(frame: Frame, pages: Sequence[RenderedPost]) -> Iterator[Output]:
    """Yield an output for each standalone page. They are already rendered, so a key covers all that a page shows."""
    for rendered in pages:
        page = repr(replace(rendered.post, digest=""))  # the digest changes with what the page does not show, too
        key = frame.key("standalone", page, repr(rendered.pictures), rendered.html, rendered.excerpt)
        yield Output(output_path(rendered.post.permalink), key, partial(make_standalone, frame, rendered))


def make_standalone(frame: Frame, rendered: RenderedPost) -> bytes:
    """Return a standalone page: its title, its picture and its text."""
    entry = listed_post(rendered.post, frame.site.language)
    page = replace(_page(frame, entry, rendered), kind="website", section=rendered.post.permalink)
    body, picture = _body(rendered, frame, page.root), _picture(rendered, frame, page.root)
    return frame.render("page.html", page, post=rendered.post, body=body, picture=picture)


def _faces(frame: Frame, rendered: RenderedPost) -> list[Person]:
    """Return the authors of a post who have more than a name to show, from its front matter or from the site."""
    found = []
    for each in rendered.post.authors:
        if each.image or each.about:
            picture = rendered.picture(each.image)
            image = page_picture(picture, lambda url: url).small if picture else each.image
            found.append(Person(name=each.name, url=each.url, image=image, about=each.about))
        elif frame.site.author and each.name == frame.site.author.name:
            found.append(frame.site.author)
    return found


def _body(rendered: RenderedPost, frame: Frame, up: str) -> str:
    return page_body(
        rendered.html,
        title=rendered.post.title,
        url=rendered.post.url,
        site_url=frame.site.url,
        root=up,
        table_label=frame.words_in(rendered.post.language or frame.site.language).table,
        colour=rendered.colour or partial(colour_with, rendered.lex or lexed),
        maths=rendered.maths,
        picture=rendered.picture,
    )


def _picture(rendered: RenderedPost, frame: Frame, up: str) -> PagePicture | None:
    """Return the picture above the text; None if the post has no picture, or shows it in the text."""
    image = rendered.post.image
    return None if image is None or rendered.shows(image.url) else image_on_page(rendered, frame, up)


def image_on_page(rendered: RenderedPost, frame: Frame, up: str) -> PagePicture | None:
    """Return the picture of a post for a page whose root is `up`; None if it has none."""
    image = rendered.post.image
    if image is None:
        return None
    found = rendered.picture(image.url)
    if found:
        return page_picture(found, lambda url: frame.site.near(url, up))
    url = frame.site.near(image.url, up)
    return PagePicture(url, url)


def _page(frame: Frame, entry: ListedPost, rendered: RenderedPost, card: Card | None = None) -> Page:
    post = rendered.post
    drawn = f"{frame.site.url}/{card.path}" if card else frame.site.image
    return Page(
        title=post.title,
        url=post.canonical or post.url,
        root=root(entry.path),
        language=entry.language,
        description=shorten(rendered.excerpt or post.excerpt, DESCRIPTION_LENGTH),
        image=post.image.url if post.image else drawn,
        image_alt=post.image.alt if post.image else "",
        kind="article",
        alternates=entry.alternates,
    )


def structured_data(frame: Frame, post: Post, page: Page) -> str:
    """Return the post as JSON-LD (schema.org BlogPosting), escaped to be safe inside <script>."""
    data: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "BlogPosting",
        "headline": post.title,
        "url": page.url,
        "datePublished": _iso(post.published),
        "dateModified": _iso(post.updated),
        "inLanguage": page.language,
        "isPartOf": {"@type": "Blog", "name": frame.site.title, "url": f"{frame.site.url}/"},
    }
    if page.description:
        data["description"] = page.description
    if post.image:
        data["image"] = post.image.url
    if post.authors:
        data["author"] = [
            {"@type": "Person", "name": author.name, **({"url": author.url} if author.url else {})}
            for author in post.authors
        ]
    text = _json(data)
    # Even inside a JSON string, "</script>" and "<!--" would end or change the script element.
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _updated(entry: ListedPost) -> str:
    """Return the day of the last change in the post's language; "" if it is not after the day of publication."""
    published, updated = (date.fromisoformat(stamp[:10]) for stamp in (entry.stamp, entry.updated))
    return day_in_words(updated, entry.language) if updated > published else ""


def _audio(post: Post, frame: Frame, up: str) -> list[dict[str, str]]:
    return [
        {
            "src": frame.site.near(enclosure.url, up),
            "media_type": enclosure.media_type,
            "duration": clock(enclosure.duration),
            "size": _size(enclosure.length),
        }
        for enclosure in post.enclosures
        if enclosure.media_type.startswith("audio/") and enclosure.url.startswith(("https://", "http://"))
    ]


def _size(length: int) -> str:
    """Return a number of bytes as text such as 24.5 MB or 48 kB; "" for 0, which means unknown."""
    return f"{length / 1_000_000:.1f} MB" if length >= 1_000_000 else f"{-(-length // 1_000)} kB" if length else ""


def clock(seconds: int) -> str:
    """Return a duration in seconds as text such as 1:02:03 or 2:03; "" for 0, which means unknown."""
    if not seconds:
        return ""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
