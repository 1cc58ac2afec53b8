"""Opening everything that the application of one project needs, and closing it again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from publisher.config import Config
from publisher.core.templates import Templates
from publisher.publishing.wiring import open_project_store, open_transport, project_links, subscription_policy
from publisher.web.admin.app import admin_routes
from publisher.web.admin.feed_stats import Tally
from publisher.web.app import make_app
from publisher.web.context import PATIENCE, Office
from publisher.web.mail_worker import Mailroom
from publisher.web.metrics import Metrics
from publisher.web.public.pages import Pages

if TYPE_CHECKING:
    from starlette.types import ASGIApp


@contextmanager
def opened(config: Config, now: Callable[[], datetime], *, patience: float = PATIENCE) -> Iterator[ASGIApp]:
    """Give the application, with its mailroom at work; in the end finish what waits and close all.

    now       the clock
    patience  how many seconds a form may take to arrive
    Raises PublisherError where the database cannot be opened.
    """
    with open_project_store(config) as store:
        metrics = Metrics(
            lambda: {status.value: total for status, total in store.subscribers.counts().items()},
            lambda: mailroom.waiting(),
        )
        mailroom = Mailroom(lambda: open_transport(config), metrics.worked)
        office = Office(
            config=config,
            store=store,
            terms=subscription_policy(config),
            links=project_links(config),
            templates=Templates(config.root / "templates"),
            mailroom=mailroom,
            now=now,
            patience=patience,
        )
        pages, tally = Pages(office), Tally(store, now)
        application = make_app(office, metrics, pages, admin_routes(office, pages), tally.count)
        mailroom.begin()
        tally.begin()
        try:
            yield application
        finally:
            mailroom.close()
            tally.close()
