"""The variables of the email templates: `letter` and `posts`, whose values are safe to print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from typing import Literal
from urllib.parse import quote

from publisher.config import FEED_FILES, OWN_POSTS, Config, NewsletterConfig
from publisher.core.frozen import dataclass
from publisher.core.models import Image, Post, RenderedPost
from publisher.newsletters.letter.email_html import COLUMN, BodyPlace, mail_body
from publisher.newsletters.letter.email_strings import Words, direction
from publisher.newsletters.letter.plain_text import LinkPlacement, text_of
from publisher.newsletters.letter.safe_text import one_line, safe_url
from publisher.posts.rendering.code_tokens import lexed

Content = Literal["full", "excerpt", "titles"]  # how much of each post a letter contains


@dataclass(frozen=True, slots=True)
class SourceView:
    """The site that a post comes from: a source, or the site itself. title: plain text. url: its page."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class SourceGroup:
    """The posts of a letter that come from one site, in the letter's order."""

    title: str
    url: str
    posts: list[PostView]


@dataclass(frozen=True, slots=True)
class PostView:
    """One post in a letter.

    url        the URL of its page; "" for a post that is sent by email only
    external_url  the URL of the page elsewhere that a link post is about, to which its title leads; "" for other posts
    date       the time of publication, in the newsletter's time zone
    html       the body, adapted for email clients; "" if the letter contains only excerpts or titles
    text       the body as plain text, or ""
    has_title  whether a heading shows the title; a note without one is shown as its text
    image      the post's picture; None if it has none, or if the body already shows it
    image_width  the width of the picture in pixels, at most the column's width; 0 if it is unknown
    thumbnail  the URL of a small version of the picture, or ""
    listen     the URL of the first audio enclosure, or ""
    direction  "ltr" or "rtl"
    source     the source whose item it is; None for a post of this site
    is_excerpt whether `html` is only the beginning of the text on the page, so that it needs a link to the rest
    """

    id: str
    title: str
    url: str
    external_url: str
    date: datetime
    minutes: int
    excerpt: str
    authors: str
    tags: tuple[str, ...]
    language: str
    direction: str
    html: str
    text: str
    image: Image | None
    listen: str
    image_width: int = 0
    thumbnail: str = ""
    has_title: bool = True
    source: SourceView | None = None
    is_excerpt: bool = False


@dataclass(frozen=True, slots=True)
class LetterView:
    """Everything in a letter apart from its posts.

    intro, intro_text  the writer's note as HTML and as plain text; "" if there is none
    feed_url           the URL of the site's feed; "" if it has none
    postal             the lines of the postal address
    postal_name        the name above the postal address; "" if the address begins with it
    is_dated           whether it shows its date, which differs for each reader of a welcome email
    """

    newsletter: str
    title: str
    subject: str
    preheader: str
    number: int
    slot: str
    date: datetime
    language: str
    direction: str
    content: Content
    intro: str
    intro_text: str
    web_copy_url: str
    site_url: str
    feed_url: str
    postal: tuple[str, ...]
    postal_name: str
    is_dated: bool = True


def post_view(
    rendered: RenderedPost,
    content: Content,
    heading: int,
    zone: tzinfo,
    language: str,
    words: Words,
    links: LinkPlacement = "end",
) -> PostView:
    """Return the view of a post for a letter.

    content   how much of the post the letter contains
    heading   the level of the highest heading in the body
    zone      the newsletter's time zone
    language  the letter's language, in which `words` are; also used for a post that has no language of its own
    links     where the plain text shows the URLs of links (see text_of)
    """
    post = rendered.post
    reads = direction(post.language, f"{post.title} {rendered.excerpt}")
    place = BodyPlace(
        safe_url(post.url), heading, words, rtl=reads == "rtl", lex=rendered.lex or lexed, picture=rendered.picture
    )
    html = mail_body(rendered.html, place) if content == "full" or not (post.has_title and post.has_page) else ""
    image, found = _image(rendered, html), rendered.picture(post.image.url) if post.image else None
    return PostView(
        id=post.id,
        title=one_line(post.title),
        url=safe_url(post.url) if post.has_page else "",
        external_url=safe_url(post.external_url),
        date=post.published.astimezone(zone),
        minutes=rendered.minutes,
        excerpt=one_line(post.excerpt or rendered.excerpt),
        authors=", ".join(one_line(author.name) for author in post.authors),
        tags=tuple(one_line(tag.name) for tag in post.tags),
        language=post.language or language,
        direction=reads,
        html=html,
        text=text_of(html, words, links=links),
        image=image,
        listen=_listen(post),
        image_width=min(found.width, COLUMN) if image and found else 0,
        thumbnail=safe_url(found.thumbnail if found else image.url) if image else "",
        has_title=post.has_title,
        source=SourceView(one_line(post.from_title), safe_url(post.from_url)) if post.from_source else None,
        is_excerpt=post.is_excerpt,
    )


def by_source(posts: Sequence[PostView], config: Config) -> list[SourceGroup]:
    """Return the posts by the site that they come from, in the order in which the sites first appear."""
    own = SourceView(one_line(config.site.title), f"{config.site_url}/")
    groups: dict[SourceView, list[PostView]] = {}
    for post in posts:
        groups.setdefault(post.source or own, []).append(post)
    return [SourceGroup(source.title, source.url, some) for source, some in groups.items()]


def feed_url(config: Config, newsletter: NewsletterConfig | None = None) -> str:
    """Return the URL of the site's feed, which is RSS if the site has it; "" if the site has no feeds.

    It is the URL that pages name: if the feed has several names, the first in feeds.also. If another program makes the
    site, a newsletter that takes only the items of one source names the feed of that source.
    """
    if newsletter and newsletter.sources and OWN_POSTS not in newsletter.sources and not config.pages.enabled:
        source = config.source(newsletter.sources[0]) if len(newsletter.sources) == 1 else None
        return source.url if source and not (source.user or source.allow_private) else ""
    kind = next((kind for kind in FEED_FILES if kind in config.feeds.formats), "")
    if not kind:
        return ""
    path = next((name.path for name in config.feeds.other_names if name.kind == kind), FEED_FILES[kind])
    return f"{config.site_url}/{quote(path, safe='/._~-')}"


def postal_lines(config: Config) -> tuple[str, ...]:
    """Return the lines of the postal address in the footer."""
    return tuple(one_line(line) for line in config.site.postal_address.splitlines() if line.strip())


def postal_name(config: Config, title: str) -> str:
    """Return the name to print above the postal address: the title, or "" if the address begins with a name of ours."""
    first = next(iter(postal_lines(config)), "").casefold()
    names = (one_line(name).casefold() for name in (title, config.site.title, config.site.author.name))
    return "" if any(name and first.startswith(name) for name in names) else title


def _image(rendered: RenderedPost, html: str) -> Image | None:
    """Return the picture of a post; None if it has none, or if its body in the letter shows it."""
    image = rendered.post.image
    if image is None or not image.url.lower().startswith(("http://", "https://")):
        return None
    if html and rendered.shows(image.url):
        return None
    found = rendered.picture(image.url)
    return replace(
        image,
        url=safe_url(found.email if found else image.url),
        alt=one_line(image.alt),
        caption=one_line(image.caption),
    )


def _listen(post: Post) -> str:
    sounds = (part.url for part in post.enclosures if part.media_type.startswith("audio/"))
    return safe_url(next(sounds, ""))
