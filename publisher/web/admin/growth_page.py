"""The page /admin/readers/growth: how many people joined and left, and when, where from and why; and bounces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route

from publisher.core.newsletter_models import SubscriberStatus
from publisher.web.admin.charts import HEIGHT, WIDTH, share, subscribers_over_time
from publisher.web.admin.views import VERDICTS
from publisher.web.public.subscribe_page import snippet

if TYPE_CHECKING:
    from starlette.requests import Request

    from publisher.web.admin.admin_pages import AdminPages
    from publisher.web.admin.auth import OwnerAuth
    from publisher.web.admin.session_cookies import Session
    from publisher.web.context import WebContext

_BOUNCES = 20


class GrowthPage:
    """The handler of /admin/readers/growth."""

    def __init__(self, context: WebContext, pages: AdminPages) -> None:
        self._context, self._pages = context, pages

    def routes(self, auth: OwnerAuth) -> list[Route]:
        """Return the route of this page, for somebody who is logged in."""
        return [Route(f"{self._pages.root}/readers/growth", auth.get(self.show), methods=["GET"])]

    def show(self, request: Request, session: Session) -> Response:
        """Show the number of subscribers over time and for each newsletter, and recent bounces."""
        store, config, today = self._context.store, self._context.config, self._context.now().date()
        by_newsletter = store.statistics.by_newsletter()
        names = {each.name: config.newsletter_title(each) for each in config.newsletters}
        totals = {name: by_newsletter.get(name, 0) for name in (*names, *sorted(set(by_newsletter) - set(names)))}
        most = max(totals.values(), default=0)
        counts = store.subscribers.counts()
        return self._pages.page(
            "growth.html",
            "Growth and bounces",
            session,
            chart=subscribers_over_time(store.statistics.joined(), store.statistics.left(), today),
            box=(WIDTH, HEIGHT),
            newsletters=[(names.get(name, name), total, share(total, most)) for name, total in totals.items()],
            subscribers={status: counts.get(status, 0) for status in SubscriberStatus},
            in_a_row=store.statistics.bounces(),
            returned=store.bounces.counts(),
            by_edition=[each for each in store.bounces.by_edition(limit=_BOUNCES) if each.counts],
            bounces=store.bounces.recent(limit=_BOUNCES),
            verdicts=VERDICTS,
            bounce_limit=config.subscribers.bounce_limit,
            form_url=f"{config.public_url}/subscribe",
            snippet=snippet(config) if config.newsletters else "",
        )
