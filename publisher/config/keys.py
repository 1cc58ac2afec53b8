"""Every table of publisher.toml: the whole of it is one frozen Config.

A key's type, default, check and meaning stand together, and docs/configuration.md is made from them.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from publisher.config import checks
from publisher.config.admin import Admin
from publisher.config.bounces import Bounces
from publisher.config.checks import STRICT, Check, Doc
from publisher.config.letters import Delivering, Mail, NewsletterConfig
from publisher.config.readers import Readers
from publisher.config.run import Run
from publisher.config.site import Feeds, Pages, Posts, Site
from publisher.config.theme import DEFAULT, Theme
from publisher.config.web import Web


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
    theme: Annotated[Theme, Doc("How all letters look.")] = field(default_factory=Theme)
    mail: Annotated[Mail, Doc("Who sends, and by which way.")] = field(default_factory=Mail)
    database: Annotated[Database, Doc("Where subscribers and editions are kept.")] = field(default_factory=Database)
    subscribers: Annotated[Readers, Doc("How people confirm, and what is kept of them.")] = field(
        default_factory=Readers
    )
    web: Annotated[Web, Doc("The web application.")] = field(default_factory=Web)
    admin: Annotated[Admin, Doc("The owner's page.")] = field(default_factory=Admin)
    delivery: Annotated[Delivering, Doc("How messages leave the ledger.")] = field(default_factory=Delivering)
    bounces: Annotated[Bounces, Doc("Letters that came back.")] = field(default_factory=Bounces)
    run: Annotated[Run, Doc("The one process that does everything on time.")] = field(default_factory=Run)
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

    def newsletter_theme(self, newsletter: NewsletterConfig) -> Theme:
        """Return how the newsletter's letters look: a whole theme, but for an accent that nobody chose."""
        return newsletter.theme.over(self.theme).over(DEFAULT)

    def missing_logo(self, theme: Theme) -> str:
        """Return the path under static/ of a theme's logo that is not there; "" if nothing is missing."""
        logo = theme.logo.removeprefix("/")
        if not logo or "://" in logo or (self.root / self.pages.static / logo).is_file():
            return ""
        return logo
