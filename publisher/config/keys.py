"""Every key of publisher.toml, with its type, default, check and meaning."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from publisher.config import checks
from publisher.config.checks import Check, Doc

STRICT = {"extra": "forbid", "strict": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person named in the configuration."""

    __pydantic_config__ = STRICT

    name: Annotated[str, Doc("The person's name.")] = ""
    email: Annotated[str, Check(checks.mail_address), Doc("The person's address; public in feeds.")] = ""
    url: Annotated[str, Check(checks.web_address), Doc("The person's own page.")] = ""


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
            "readers would see every post again. Default: the host of site.url."
        ),
    ] = ""
    image: Annotated[str, Doc("Picture of the site for feeds and previews: a URL or a path under static/.")] = ""


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
    formats: Annotated[tuple[Literal["rss", "atom", "json"], ...], Doc("Which formats are written.")] = (
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
    markdown: Annotated[bool, Doc("Whether RSS carries each post's Markdown too (source:markdown).")] = False
    hub: Annotated[
        str, Check(checks.web_address), Doc("WebSub hub that is told of every changed feed. Default: none.")
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


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsletterConfig:
    """[[newsletters]]: one standing promise to readers."""

    __pydantic_config__ = STRICT

    name: Annotated[
        str, Check(checks.short_name), Doc("Short and permanent: it stands in commands, paths and List-Id.")
    ]
    title: Annotated[str, Doc("What readers see. Default: the title of the site.")] = ""
    description: Annotated[str, Doc("One sentence that says what readers get.")] = ""
    schedule: Annotated[str, Check(checks.schedule), Doc("When an edition is due.")] = "manual"
    tags: Annotated[tuple[str, ...], Doc("Takes posts with any of these tags; none means all posts.")] = ()
    template: Annotated[str, Check(checks.short_name), Doc("Template of the letter: templates/email/NAME.html.")] = (
        "digest"
    )
    content: Annotated[Literal["full", "excerpt"], Doc("Whole posts in the letter, or their excerpts.")] = "excerpt"
    subject: Annotated[
        str, Doc("Subject, of {title} {number} {date} {first} {count}. Default: the first post's title.")
    ] = ""
    intro: Annotated[str, Doc("A few words above the posts, in Markdown.")] = ""
    minimum: Annotated[int, Check(checks.between(1, 1_000)), Doc("No edition before so many new posts wait.")] = 1
    maximum: Annotated[
        int,
        Check(checks.between(1, 1_000)),
        Doc("Most posts in one edition, oldest first; the rest wait for the next."),
    ] = 50
    first: Annotated[
        int,
        Check(checks.between(1, 1_000)),
        Doc("How many of the newest posts the first edition takes; older ones never go."),
    ] = 5
    since: Annotated[
        str, Check(checks.civil_date), Doc("Instead of `first`: the first edition starts from this day.")
    ] = ""
    sender: Annotated[str, Check(checks.mail_address), Doc("From address. Default: mail.sender.")] = ""
    reply_to: Annotated[str, Check(checks.mail_address), Doc("Where answers go. Default: mail.reply_to.")] = ""
    language: Annotated[
        str, Check(checks.language_tag), Doc("Language of the letter's own words. Default: site.language.")
    ] = ""
    timezone: Annotated[
        str, Check(lambda v: v and checks.time_zone(v)), Doc("Zone of the schedule. Default: site.timezone.")
    ] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Smtp:
    """[mail.smtp]: the server that takes messages."""

    __pydantic_config__ = STRICT

    host: Annotated[str, Check(checks.not_blank), Doc("Name or address of the mail server.")] = "localhost"
    port: Annotated[
        int, Check(checks.between(1, 65_535)), Doc("587 for starttls, 465 for tls, 25 for a local relay.")
    ] = 587
    username: Annotated[str, Doc("Login name; empty for none.")] = ""
    password: Annotated[
        str, Doc("Login password; better in the variable PUBLISHER_MAIL_SMTP_PASSWORD than in a file.")
    ] = field(default="", repr=False)
    tls: Annotated[
        Literal["starttls", "tls", "none"], Doc("How the connection is encrypted; none only on this machine.")
    ] = "starttls"
    timeout: Annotated[int, Check(checks.between(1, 3_600)), Doc("Seconds to wait for an answer.")] = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """[mail]: who sends, and by which way."""

    __pydantic_config__ = STRICT

    sender: Annotated[
        str, Check(checks.mail_address), Doc("From address of letters, with a name: Ada <ada@example.org>.")
    ] = ""
    reply_to: Annotated[str, Check(checks.mail_address), Doc("Where answers go, if not to the sender.")] = ""
    transport: Annotated[
        Literal["outbox", "smtp"], Doc("outbox writes .eml files into a Maildir; smtp really sends.")
    ] = "outbox"
    outbox: Annotated[str, Check(checks.project_path), Doc("Folder of the outbox.")] = "outbox"
    smtp: Annotated[Smtp, Doc("The mail server.")] = field(default_factory=Smtp)


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """[database]: where subscribers, editions and deliveries are kept."""

    __pydantic_config__ = STRICT

    url: Annotated[
        str,
        Check(checks.database_url),
        Doc("sqlite:///path (relative to the project) or postgresql://user@host/name."),
    ] = "sqlite:///.publisher/publisher.db"


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """[web]: where readers reach the pages behind the links in letters."""

    __pydantic_config__ = STRICT

    public_url: Annotated[
        str, Check(checks.web_address), Doc("Public address of the web application. Default: site.url.")
    ] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivering:
    """[delivery]: what happens between the ledger and the mail server."""

    __pydantic_config__ = STRICT

    on_uncertain: Annotated[
        Literal["resend", "hold"],
        Doc("A message that was handed over and never acknowledged: send the same again, or wait for a person."),
    ] = "resend"
    lease_seconds: Annotated[
        int,
        Check(checks.between(10, 3_600)),
        Doc("How long a worker may keep a batch before another takes it over."),
    ] = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The whole configuration of one project.

    root is the project's folder. Everything else is publisher.toml with PUBLISHER_* variables laid over it.
    """

    __pydantic_config__ = STRICT

    site: Annotated[Site, Doc("What all posts have in common.")]
    posts: Annotated[Posts, Doc("Where posts are and how they are read.")] = field(default_factory=Posts)
    feeds: Annotated[Feeds, Doc("What goes into the feeds.")] = field(default_factory=Feeds)
    pages: Annotated[Pages, Doc("The HTML site.")] = field(default_factory=Pages)
    newsletters: Annotated[tuple[NewsletterConfig, ...], Doc("The newsletters, any number.")] = ()
    mail: Annotated[Mail, Doc("Who sends, and by which way.")] = field(default_factory=Mail)
    database: Annotated[Database, Doc("Where subscribers and editions are kept.")] = field(default_factory=Database)
    web: Annotated[Web, Doc("The web application.")] = field(default_factory=Web)
    delivery: Annotated[Delivering, Doc("How messages leave the ledger.")] = field(default_factory=Delivering)
    root: Annotated[Path, Doc("")] = Path()

    @property
    def state_dir(self) -> Path:
        """The folder of caches, secrets and the default database."""
        return self.root / ".publisher"

    @property
    def site_url(self) -> str:
        """The site's address without a slash at its end."""
        return self.site.url.rstrip("/")

    @property
    def public_url(self) -> str:
        """The web application's address without a slash at its end."""
        return (self.web.public_url or self.site.url).rstrip("/")

    @property
    def zone(self) -> ZoneInfo:
        """The site's time zone."""
        return ZoneInfo(self.site.timezone)

    def newsletter(self, name: str) -> NewsletterConfig | None:
        """Return the newsletter of that name, or None."""
        return next((n for n in self.newsletters if n.name == name), None)

    def newsletter_title(self, newsletter: NewsletterConfig) -> str:
        """Return what readers see as the newsletter's name."""
        return newsletter.title or self.site.title

    def newsletter_zone(self, newsletter: NewsletterConfig) -> ZoneInfo:
        """Return the zone in which the newsletter's slots are named."""
        return ZoneInfo(newsletter.timezone or self.site.timezone)

    def newsletter_language(self, newsletter: NewsletterConfig) -> str:
        """Return the language of the letter's own words."""
        return newsletter.language or self.site.language
