"""The keys of what everybody may read: the site, its posts, feeds and pages."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from publisher.config import checks
from publisher.config.checks import STRICT, Check, Doc


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person named in the configuration."""

    __pydantic_config__ = STRICT

    name: Annotated[str, Doc("The person's name.")] = ""
    email: Annotated[str, Check(checks.mail_address), Doc("The person's address; public in feeds.")] = ""
    url: Annotated[str, Check(checks.page_address), Doc("The person's own page.")] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """[site]: what all posts have in common."""

    __pydantic_config__ = STRICT

    title: Annotated[str, Check(checks.not_blank), Doc("The name of the site.")]
    url: Annotated[
        str,
        Check(checks.not_blank),
        Check(checks.web_address),
        Doc("Where public/ is served; every link is made absolute against it."),
    ]
    description: Annotated[str, Doc("One sentence for feeds and search engines.")] = ""
    language: Annotated[
        str, Check(checks.language_tag), Doc("Language of posts that do not name their own (BCP 47).")
    ] = "en"
    timezone: Annotated[str, Check(checks.time_zone), Doc("Zone of dates without one, and of newsletters (IANA).")] = (
        "UTC"
    )
    author: Annotated[Person, Doc("Author of posts that do not name their own.")] = field(default_factory=Person)
    postal_address: Annotated[
        str, Doc("Postal address in the footer of letters; the law of many countries wants one.")
    ] = ""
    authority: Annotated[
        str,
        Check(checks.authority),
        Doc(
            "Frozen part of generated post ids (RFC 4151), such as example.org,2026. Never change it: "
            "readers would see every post again, so a build refuses. Default: that of the ids published so far, "
            "at first the host of site.url and 2024."
        ),
    ] = ""
    image: Annotated[
        str, Check(checks.picture), Doc("Picture of the site for feeds and previews: a URL or a path under static/.")
    ] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posts:
    """[posts]: where posts are and how they are read."""

    __pydantic_config__ = STRICT

    folder: Annotated[str, Check(checks.project_path), Doc("Folder of the posts, nested as you like.")] = "posts"
    permalink: Annotated[
        str,
        Check(checks.permalink_pattern),
        Doc("Path of a post's page, of {folder} {year} {month} {day} {slug} {lang}; a post's own wins."),
    ] = "/{folder}/{year}/{month}/{day}/{slug}/"
    fix_encoding: Annotated[
        bool, Doc("Repair text that was decoded wrongly once (OpenAIâ€™s), where that is sure.")
    ] = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Feeds:
    """[feeds]: what goes into RSS, Atom and JSON Feed."""

    __pydantic_config__ = STRICT

    limit: Annotated[int, Check(checks.between(1, 10_000)), Doc("Most entries in a feed, newest first.")] = 30
    max_bytes: Annotated[
        int,
        Check(checks.between(10_000)),
        Doc("Most bytes of a feed; the oldest entries make room. Readers refuse large files."),
    ] = 500_000
    content: Annotated[Literal["full", "summary"], Doc("Full text, or the excerpt only.")] = "full"
    formats: Annotated[
        tuple[Literal["rss", "atom", "json"], ...], Check(checks.no_value_twice), Doc("Which formats are written.")
    ] = (
        "rss",
        "atom",
        "json",
    )
    per_tag: Annotated[bool, Doc("Whether each tag has feeds of its own.")] = True
    per_author: Annotated[bool, Doc("Whether each author has feeds of their own, where there are several.")] = True
    editions: Annotated[bool, Doc("Whether each newsletter has feeds of its editions.")] = True
    archives: Annotated[
        bool, Doc("Whether posts beyond `limit` stay in archive documents (RFC 5005), `limit` in each.")
    ] = True
    podcast_category: Annotated[
        str,
        Check(checks.podcast_category),
        Doc(
            "Category in Apple's directory of podcasts, such as Arts or Arts > Books, for feeds with audio. "
            "The directory takes none without; empty leaves it out."
        ),
    ] = "Society & Culture > Personal Journals"
    podcast_explicit: Annotated[
        bool, Doc("Whether episodes hold what children should not hear, for feeds with audio.")
    ] = False
    markdown: Annotated[bool, Doc("Whether RSS carries each post's Markdown too (source:markdown).")] = False
    hub: Annotated[
        str, Check(checks.hub_address), Doc("WebSub hub that is told of every changed feed. Default: none.")
    ] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """[pages]: the HTML site."""

    __pydantic_config__ = STRICT

    enabled: Annotated[bool, Doc("False writes feeds only, beside a site made by another tool.")] = True
    per_page: Annotated[int, Check(checks.between(1, 1_000)), Doc("Posts on each page of the index and of a tag.")] = 20
    output: Annotated[str, Check(checks.project_path), Doc("Folder that `publisher build` writes.")] = "public"
    static: Annotated[
        str, Check(checks.project_path), Doc("Folder whose files are copied into the output as they are.")
    ] = "static"
