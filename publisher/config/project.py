"""The whole configuration of a project: every table of publisher.toml in one frozen Config."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import field, replace
from functools import lru_cache
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from publisher.config.bounces import BouncesConfig
from publisher.config.keys import Doc
from publisher.config.mail import DeliveryConfig, Mail
from publisher.config.newsletters import FieldConfig, NewsletterConfig, SubscribersConfig
from publisher.config.server import Admin, DatabaseConfig, LogConfig, RunConfig, Web
from publisher.config.site import AuthorConfig, Feeds, PagesConfig, Posts, Site
from publisher.config.sources import SourceConfig
from publisher.config.theme import DEFAULT, Theme
from publisher.core.frozen import dataclass
from publisher.core.private_folder import STATE_FOLDER

# The default outbox of version 0.1.
OLD_OUTBOX = "outbox"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The whole configuration of one project.

    `root` is the project's folder. `scratch` is the folder that replaces .publisher in a process that writes nothing
    into the project; otherwise it is None. The other fields come from publisher.toml and the PUBLISHER_* variables.
    """

    site: Annotated[Site, Doc("What all posts share.")]
    posts: Annotated[Posts, Doc("Where the posts are and how they are read.")] = field(default_factory=Posts)
    authors: Annotated[tuple[AuthorConfig, ...], Doc("People whom posts name by a short id.")] = ()
    feeds: Annotated[Feeds, Doc("What goes into the feeds.")] = field(default_factory=Feeds)
    pages: Annotated[PagesConfig, Doc("The HTML site.")] = field(default_factory=PagesConfig)
    sources: Annotated[tuple[SourceConfig, ...], Doc("Feeds of other sites, whose items become posts.")] = ()
    newsletters: Annotated[tuple[NewsletterConfig, ...], Doc("Any number of newsletters.")] = ()
    fields: Annotated[tuple[FieldConfig, ...], Doc("What you know about subscribers besides name and address.")] = ()
    theme: Annotated[Theme, Doc("How the site and all emails look.")] = field(default_factory=Theme)
    mail: Annotated[Mail, Doc("The sender and how email is sent.")] = field(default_factory=Mail)
    database: Annotated[DatabaseConfig, Doc("Where subscribers and editions are stored.")] = field(
        default_factory=DatabaseConfig
    )
    subscribers: Annotated[SubscribersConfig, Doc("How people confirm, and what is stored about them.")] = field(
        default_factory=SubscribersConfig
    )
    web: Annotated[Web, Doc("The web application.")] = field(default_factory=Web)
    admin: Annotated[Admin, Doc("The admin page.")] = field(default_factory=Admin)
    delivery: Annotated[DeliveryConfig, Doc("How messages are delivered.")] = field(default_factory=DeliveryConfig)
    bounces: Annotated[BouncesConfig, Doc("How bounces are processed.")] = field(default_factory=BouncesConfig)
    run: Annotated[RunConfig, Doc("The process that does everything on schedule.")] = field(default_factory=RunConfig)
    log: Annotated[LogConfig, Doc("What the logs show of visitors.")] = field(default_factory=LogConfig)
    root: Path = Path()
    scratch: Path | None = None

    @property
    def state_dir(self) -> Path:
        """The folder of caches, secrets and the default database."""
        return self.scratch or self.root / STATE_FOLDER

    @property
    def outbox(self) -> str:
        """The path of the outbox in the project. By default it is in `.publisher`, where no site generator copies it.

        A project of version 0.1 keeps its outbox/, so that its messages are found and not written again.
        """
        if self.mail.outbox:
            return self.mail.outbox
        return OLD_OUTBOX if (self.root / OLD_OUTBOX / "new").is_dir() else f"{STATE_FOLDER}/outbox"

    @property
    def site_url(self) -> str:
        """The site's URL without a trailing slash, with its host in ASCII."""
        return _in_ascii(self.site.url)

    @property
    def public_url(self) -> str:
        """The web application's URL without a trailing slash, with its host in ASCII."""
        return _in_ascii(self.web.public_url or self.site.url)

    @property
    def editions_url(self) -> str:
        """The URL, without a trailing slash, below which the web versions of editions are.

        If another tool makes the site, that is where the web application serves the output folder.
        """
        if self.pages.enabled:
            return self.site_url
        web = urlsplit(self.public_url)
        return f"{web.scheme}://{web.netloc}{urlsplit(self.site_url).path}"

    @property
    def admin_url(self) -> str:
        """The URL of the admin page, which may have an address of its own."""
        if not self.admin.listen:
            return f"{self.public_url}/admin"
        return f"http://{self.admin.listen}{urlsplit(self.public_url).path}/admin"

    @property
    def zone(self) -> ZoneInfo:
        """The site's time zone."""
        return ZoneInfo(self.site.timezone)

    @property
    def posts_zone(self) -> ZoneInfo:
        """The time zone of dates in posts that name none."""
        return ZoneInfo(self.posts.timezone or self.site.timezone)

    def newsletter(self, name: str) -> NewsletterConfig | None:
        """Return the newsletter of that name, or None."""
        return next((n for n in self.newsletters if n.name == name), None)

    def source(self, name: str) -> SourceConfig | None:
        """Return the source of that name, or None."""
        return next((each for each in self.sources if each.name == name), None)

    def newsletter_title(self, newsletter: NewsletterConfig) -> str:
        """Return the newsletter's name as subscribers see it."""
        return newsletter.title or self.site.title

    def newsletter_zone(self, newsletter: NewsletterConfig) -> ZoneInfo:
        """Return the time zone of the newsletter's schedule, in which its slots (scheduled times) are named."""
        return ZoneInfo(newsletter.timezone or self.site.timezone)

    def newsletter_language(self, newsletter: NewsletterConfig) -> str:
        """Return the language of the fixed texts in the newsletter's emails."""
        return newsletter.language or self.site.language

    def newsletter_theme(self, newsletter: NewsletterConfig) -> Theme:
        """Return the newsletter's theme with all defaults filled in, except those for unset accents."""
        return newsletter.theme.over(self.theme).over(DEFAULT)

    @property
    def site_theme(self) -> Theme:
        """The site's theme with all defaults filled in, except those for unset accents and a logo that is missing."""
        theme = self.theme.over(DEFAULT)
        return replace(theme, logo="") if self.missing_logo(theme) else theme

    def missing_logo(self, theme: Theme) -> str:
        """Return the path under static/ of a theme's logo if the file is missing, else ""."""
        logo = theme.logo.removeprefix("/")
        if not logo or "://" in logo or (self.root / self.pages.static / logo).is_file():
            return ""
        return logo


@lru_cache(maxsize=64)
def _in_ascii(url: str) -> str:
    """Return a URL without a trailing slash, with its scheme in lower case and the name of its host in ASCII.

    RFC 3986 section 3.2.2 recommends that form. URLs that are joined to this one have it too.
    """
    scheme, divided, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    if not host.isascii():
        import idna  # 4 ms, and few sites need it

        name, colon, port = host.partition(":")
        with suppress(idna.IDNAError):
            host = f"{idna.encode(name, uts46=True).decode('ascii')}{colon}{port}"
    return f"{scheme.lower()}{divided}{host}{slash}{path}".rstrip("/")
