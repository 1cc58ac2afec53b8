"""The objects that the handlers of a project need: its configuration, store, clock, limits and mail worker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from publisher.config import Config
from publisher.core.action_kinds import ActionKind, Via
from publisher.core.errors import StoreError
from publisher.core.logging import log
from publisher.core.templates import Templates
from publisher.mail.links import Links
from publisher.store import Store
from publisher.store.subscriber_records import Evidence
from publisher.subscribers.policy import SubscriptionPolicy
from publisher.web.background import BackgroundJobs
from publisher.web.client_address import Clients
from publisher.web.mail_worker import MailWorker
from publisher.web.rate_limit import RateLimits

if TYPE_CHECKING:
    from starlette.requests import Request

FORM_SECONDS = 30.0
_LONGEST_USER_AGENT = 300


@dataclass(frozen=True)
class WebContext:
    """The objects that the handlers of one project share.

    now           returns the current time
    form_seconds  the number of seconds within which the body of a form must arrive
    jobs          the work that continues after the response
    """

    config: Config
    store: Store
    policy: SubscriptionPolicy
    links: Links
    templates: Templates
    mail_worker: MailWorker
    now: Callable[[], datetime]
    form_seconds: float = FORM_SECONDS
    jobs: BackgroundJobs = field(default_factory=BackgroundJobs)

    @cached_property
    def rate_limits(self) -> RateLimits:
        """The limits on the numbers of forms and passwords that a client may send."""
        web = self.config.web
        return RateLimits(web.client_limit, web.address_limit, self.config.admin.wrong_passwords)

    @cached_property
    def clients(self) -> Clients:
        """The object that determines the IP addresses of clients."""
        web = self.config.web
        return Clients(web.trusted_proxies, web.metrics_for, shows_addresses=self.config.log.addresses)

    @property
    def newsletter_names(self) -> tuple[str, ...]:
        """The names of the configured newsletters."""
        return tuple(newsletter.name for newsletter in self.config.newsletters)

    def record(
        self,
        by: Request | str,
        what: ActionKind,
        *,
        via: Via = Via.PAGE,
        about: str = "",
        detail: str = "",
        subscriber_id: int | None = None,
    ) -> None:
        """Add what the owner did to the log of actions.

        by             the request, or what Clients.shown has returned for an earlier one
        subscriber_id  the person affected, if there is one

        If the database is unavailable now, it is written to the process's log instead: it is done, so no error may say
        that it is not.
        """
        client = by if isinstance(by, str) else self.clients.shown(by.scope)
        try:
            self.store.actions.record(
                what, self.now(), via=via, client=client, about=about, detail=detail, subscriber_id=subscriber_id
            )
        except StoreError as error:
            text = f"action not recorded: {', '.join(filter(None, (what.value, about)))}"
            facts = {"what": what.value, "about": about, "client": client, "error": type(error).__name__}
            log("action not recorded", text, level="warning", **facts)

    def evidence(self, request: Request, source: str, text_version: str = "") -> Evidence:
        """Return the origin of a consent or its withdrawal. The policy decides how much of it is stored.

        source        the form or link, such as "form /subscribe"
        text_version  the version of the consent text that was shown
        """
        agent = request.headers.get("user-agent", "")[:_LONGEST_USER_AGENT]
        return Evidence(source, text_version, self.clients.address(request.scope), agent)
