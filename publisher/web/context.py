"""What the handlers have in common: the record, the terms, the clock, and who carries the mail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from publisher.config import Config
from publisher.core.templates import Templates
from publisher.mail.links import Links
from publisher.store import Store
from publisher.store.consent import Evidence
from publisher.subscribers.policy import SubscriptionPolicy
from publisher.web.client_address import Clients
from publisher.web.mail_worker import Mailroom
from publisher.web.rate_limit import Gate

if TYPE_CHECKING:
    from starlette.requests import Request

MOST_AGENT = 300
PATIENCE = 30.0  # seconds


@dataclass(frozen=True)
class Office:
    """One project's.

    now       the clock
    patience  how many seconds a form may take to arrive
    """

    config: Config
    store: Store
    terms: SubscriptionPolicy
    links: Links
    templates: Templates
    mailroom: Mailroom
    now: Callable[[], datetime]
    patience: float = PATIENCE

    @cached_property
    def gate(self) -> Gate:
        """Who may send how many forms."""
        web = self.config.web
        return Gate(web.client_limit, web.address_limit, self.config.admin.wrong_passwords)

    @cached_property
    def clients(self) -> Clients:
        """Who is asking."""
        return Clients(self.config.web.trusted_proxies, self.config.web.metrics_for)

    @property
    def known(self) -> tuple[str, ...]:
        """The newsletters that there are."""
        return tuple(newsletter.name for newsletter in self.config.newsletters)

    def evidence(self, request: Request, source: str, text_version: str = "") -> Evidence:
        """Return how something came to us; the terms decide what of it is kept."""
        agent = request.headers.get("user-agent", "")[:MOST_AGENT]
        return Evidence(source, text_version, self.clients.address(request.scope), agent)
