"""The tables about the public site: [site], [posts], [feeds] and [pages]."""

import posixpath
from dataclasses import field
from functools import lru_cache
from typing import Annotated, Literal, NamedTuple

from publisher.config import checks
from publisher.config.keys import Check, Doc
from publisher.core.frozen import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person named in the configuration."""

    name: Annotated[str, Doc("The person's name.")] = ""
    email: Annotated[str, Check(checks.mail_address), Doc("The person's email address; public in feeds.")] = ""
    url: Annotated[str, Check(checks.page_address), Doc("URL of the person's own page.")] = ""
    image: Annotated[
        str, Check(checks.picture), Doc("Picture of the person, below their posts: a URL or a path under static/.")
    ] = ""
    about: Annotated[str, Doc("A line about the person, below their posts.")] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """[site]: the settings that all posts share."""

    title: Annotated[str, Check(checks.not_blank), Doc("The name of the site.")]
    url: Annotated[
        str,
        Check(checks.not_blank),
        Check(checks.web_address),
        Doc("URL at which public/ is served; every link is made absolute with it."),
    ]
    description: Annotated[str, Doc("One sentence for feeds and search engines.")] = ""
    language: Annotated[
        str, Check(checks.language_tag), Doc("Language of posts that do not name their own (BCP 47).")
    ] = "en"
    languages: Annotated[
        tuple[str, ...],
        Check(checks.language_tags),
        Doc(
            "Languages of the posts, if there are several (BCP 47). A file such as hello.fr.md, or a folder fr/, is "
            "then in that language. Each language has its own pages and feeds below its name (/fr/), and a newsletter "
            "takes the posts in its own language."
        ),
    ] = ()
    timezone: Annotated[
        str, Check(checks.time_zone), Doc("Time zone of dates without one, and of newsletters (IANA).")
    ] = "UTC"
    author: Annotated[Person, Doc("Author of posts that do not name their own.")] = field(default_factory=Person)
    postal_address: Annotated[
        str, Doc("Postal address in the footer of emails; many countries require one by law.")
    ] = ""
    authority: Annotated[
        str,
        Check(checks.authority),
        Doc(
            "Permanent part of generated post ids (RFC 4151), such as example.org,2026. Never change it: "
            "feed readers would show every post again, so the build refuses. Default: the one in the ids published "
            "so far, or else the host of site.url and 2024."
        ),
    ] = ""
    image: Annotated[
        str,
        Check(checks.picture),
        Doc("Picture of the site for feeds and link previews: a URL or a path under static/."),
    ] = ""

    @property
    def all_languages(self) -> tuple[str, ...]:
        """The languages of the site, the usual one first; () if `languages` is not set."""
        others = tuple(each for each in self.languages if each.lower() != self.language.lower())
        return (self.language, *others) if self.languages else ()

    def language_folder(self, language: str) -> str:
        """Return the folder of the pages and feeds in a language of the site, such as fr/; "" for the usual one."""
        return "" if language.lower() == self.language.lower() else f"{language}/"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorConfig:
    """[[authors]]: a person whom posts name by a short id, as in `author: ada`."""

    id: Annotated[str, Check(checks.not_blank), Doc("What posts write.")]
    name: Annotated[str, Check(checks.not_blank), Doc("The person's name, as readers see it.")]
    email: Annotated[str, Check(checks.mail_address), Doc("The person's email address; public in feeds.")] = ""
    url: Annotated[str, Check(checks.page_address), Doc("URL of the person's own page.")] = ""
    image: Annotated[
        str, Check(checks.picture), Doc("Picture of the person, below their posts: a URL or a path under static/.")
    ] = ""
    about: Annotated[str, Doc("A line about the person, below their posts.")] = ""


# The static site generators whose rules and tags are supported; "" for none.
Tool = Literal[
    "",
    "astro",
    "docusaurus",
    "eleventy",
    "hexo",
    "hugo",
    "jekyll",
    "mkdocs",
    "obsidian",
    "pelican",
    "quarto",
    "vitepress",
    "zola",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Posts:
    """[posts]: where posts are stored and how they are read."""

    folder: Annotated[
        str, Check(checks.posts_path), Doc('Folder of the posts; it may have subfolders. "." is the whole project.')
    ] = "posts"
    include: Annotated[
        tuple[str, ...],
        Check(checks.path_patterns),
        Doc(
            "Patterns of the paths in that folder that are posts, such as en/news/_posts/** or *.md. "
            "Empty means all paths."
        ),
    ] = ()
    exclude: Annotated[
        tuple[str, ...],
        Check(checks.path_patterns),
        Doc("Patterns of paths in that folder that are left out, such as README.md or notes/**."),
    ] = ()
    tool: Annotated[
        Tool,
        Doc(
            "The tool that the posts were written for; `publisher adopt` sets it. The tool's rules then apply to names "
            "in addresses, and its tags and data files are understood. Empty means none."
        ),
    ] = ""
    permalink: Annotated[
        str,
        Check(checks.permalink_pattern),
        Doc(
            "Path of a post's page. It may contain {folder} {year} {month} {day} {slug} {lang}, {name} (the name of "
            "the file, unchanged), {categories} and others (docs/posts.md). A permalink in the post itself takes "
            "precedence."
        ),
    ] = "/{folder}/{year}/{month}/{day}/{slug}/"
    timezone: Annotated[
        str,
        Check(checks.time_zone_or_none),
        Doc("Time zone of dates without one (IANA). Default: the time zone of the site."),
    ] = ""
    time: Annotated[
        str, Check(checks.time_of_day), Doc("Time of day at which a post is published if its date has none, as HH:MM.")
    ] = "09:00"
    fix_encoding: Annotated[
        bool, Doc("Repair text that was once decoded wrongly (OpenAIâ€™s), where there is no doubt.")
    ] = True


# The names of feeds, by format.
FEED_FILES = {"rss": "feed.xml", "atom": "atom.xml", "json": "feed.json"}


class FeedName(NamedTuple):
    """One more name of the main feed: its path in URLs, its format (rss, atom or json), and the path of its file."""

    path: str
    kind: str
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Feeds:
    """[feeds]: the content of the RSS, Atom and JSON feeds."""

    limit: Annotated[
        int, Check(checks.between(1, 10_000)), Doc("Maximum number of entries per feed, newest first.")
    ] = 30
    max_bytes: Annotated[
        int,
        Check(checks.between(10_000)),
        Doc(
            "Maximum size of a feed in bytes, because feed readers reject large files; "
            "entries whose full text does not fit have only their excerpt."
        ),
    ] = 500_000
    content: Annotated[Literal["full", "summary"], Doc("The full text, or only the excerpt.")] = "full"
    formats: Annotated[
        tuple[Literal["rss", "atom", "json"], ...], Check(checks.no_value_twice), Doc("The formats to write.")
    ] = (
        "rss",
        "atom",
        "json",
    )
    also: Annotated[
        tuple[str, ...],
        Check(checks.feed_names),
        Doc(
            "Other paths of the main feed, such as index.xml, rss/ or feed/feed.xml, for a blog that moves here. "
            "The name determines the format (atom, .json, otherwise RSS), unless it is given: feed.xml = atom."
        ),
    ] = ()
    per_tag: Annotated[bool, Doc("Whether each tag has its own feeds.")] = True
    per_author: Annotated[bool, Doc("Whether each author has their own feeds, if there are several authors.")] = True
    editions: Annotated[bool, Doc("Whether each newsletter has feeds of its editions.")] = True
    archives: Annotated[
        bool, Doc("Whether posts beyond `limit` are kept in archive documents (RFC 5005), `limit` in each.")
    ] = True
    podcast_category: Annotated[
        str,
        Check(checks.podcast_category),
        Doc(
            "Category in Apple's podcast directory, such as Arts or Arts > Books, for feeds with audio or video. "
            "The directory requires one; if empty, it is left out."
        ),
    ] = "Society & Culture > Personal Journals"
    podcast_explicit: Annotated[bool, Doc("Whether episodes that do not say so themselves are explicit.")] = False
    podcast_type: Annotated[
        Literal["episodic", "serial"],
        Doc("How podcast apps order episodes: the newest first or, if serial, the oldest first."),
    ] = "episodic"
    markdown: Annotated[bool, Doc("Whether RSS also contains each post's Markdown (source:markdown).")] = False
    hub: Annotated[
        str, Check(checks.hub_address), Doc("WebSub hub to notify of every changed feed. Default: none.")
    ] = ""

    @property
    def other_names(self) -> tuple[FeedName, ...]:
        """The paths in `also`, with their formats."""
        return tuple(map(_feed_name, self.also))


@lru_cache(maxsize=64)
def _feed_name(text: str) -> FeedName:
    path, _, kind = (part.strip() for part in text.partition("="))
    path = path.lstrip("/")
    guessed = "json" if path.endswith(".json") else "atom" if "atom" in path.lower() else "rss"
    return FeedName(path, kind or guessed, f"{path}index.html" if path.endswith("/") else path)


class MenuItem(NamedTuple):
    """An entry of the menu. title: "" for the page's own. target: a section, the name or path of a page, or a URL."""

    title: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PagesConfig:
    """[pages]: the HTML site."""

    enabled: Annotated[
        bool,
        Doc("Whether to write pages; false writes only feeds and web versions of emails, next to another tool's site."),
    ] = True
    per_page: Annotated[int, Check(checks.between(1, 1_000)), Doc("Posts per page of the index and of a tag.")] = 20
    output: Annotated[str, Check(checks.output_path), Doc("Folder that `publisher build` writes.")] = "public"
    static: Annotated[
        str,
        Check(checks.project_path),
        Doc("Folder whose files are copied into the output; pictures lose their metadata."),
    ] = "static"
    copy: Annotated[
        tuple[str, ...],
        Check(checks.copied_folders),
        Doc(
            "Other folders and files that are copied into the output, each with its path on the site if that differs: "
            "assets, or assets/img = /img."
        ),
    ] = ()
    folder: Annotated[
        str,
        Check(checks.project_path),
        Doc("Folder of standalone pages, such as about.md: no date, no feed, no newsletter."),
    ] = "pages"
    cards: Annotated[
        int,
        Check(checks.between(0, 10_000)),
        Doc(
            "How many of the newest posts without a picture get one for link previews, which shows their title. "
            "The other pages then get one that shows the name of the site. site.image takes precedence."
        ),
    ] = 0
    menu: Annotated[
        tuple[str, ...],
        Check(checks.menu),
        Doc(
            "Entries of the menu, in order: archive, tags, editions, subscribe, feeds, the name of a page (about), a "
            'path or a URL, optionally with its own title ("Code = https://..."). Pages that are not in it are '
            "linked at the bottom. Default: all sections, and all pages."
        ),
    ] = ()

    @property
    def copies(self) -> tuple[tuple[str, str], ...]:
        """The folders and files in `copy`, each with its path in the output; "" is the output itself."""
        return tuple(map(_copied, self.copy))

    @property
    def places(self) -> tuple[tuple[str, str], ...]:
        """Everything that is copied into the output, with its path there: the static folder first."""
        return ((self.static, ""), *self.copies)

    @property
    def menu_items(self) -> tuple[MenuItem, ...]:
        """The entries in `menu`."""
        return tuple(map(_menu_item, self.menu))


@lru_cache(maxsize=256)
def _copied(text: str) -> tuple[str, str]:
    folder, divided, place = (part.strip() for part in text.partition("="))
    folder = posixpath.normpath(folder)
    return folder, "/".join(part for part in (place if divided else folder).split("/") if part not in ("", "."))


def _menu_item(text: str) -> MenuItem:
    title, divided, target = text.partition(" = ")
    return MenuItem(title.strip(), target.strip()) if divided else MenuItem("", text.strip())
