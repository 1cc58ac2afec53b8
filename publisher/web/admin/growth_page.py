"""The page /admin/readers/growth: how many people joined and left, and when, where from and why; and bounces."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from starlette.responses import Response
from starlette.routing import Route

from publisher.core.newsletter_models import SubscriberStatus
from publisher.web.admin.charts import HEIGHT, WIDTH, share, subscribers_over_time
from publisher.web.admin.person_page import STATUS_MEANINGS
from publisher.web.admin.views import VERDICTS
from publisher.web.public.subscribe_page import snippet

if TYPE_CHECKING:
    from starlette.requests import Request

    from publisher.web.admin.admin_pages import AdminPages
    from publisher.web.admin.auth import OwnerAuth
    from publisher.web.admin.session_cookies import Session
    from publisher.web.context import WebContext

# How many of each are shown; for answers, how many are read to find equal ones.
_BOUNCES, _SOURCES, _REASONS, _ANSWERS = 20, 30, 30, 1_000
# What "lately" means in the numbers of people who joined and left.
LATELY = timedelta(days=30)


class GrowthPage:
    """The handler of /admin/readers/growth."""

    def __init__(self, context: WebContext, pages: AdminPages) -> None:
        self._context, self._pages = context, pages

    def routes(self, auth: OwnerAuth) -> list[Route]:
        """Return the route of this page, which requires a login."""
        return [Route(f"{self._pages.root}/readers/growth", auth.get(self.show), methods=["GET"])]

    def show(self, request: Request, session: Session) -> Response:
        """Show how many people joined and left over time, from where and why, and recent bounces.

        The chart is of all people, or of a newsletter or a source that the URL names.
        """
        store, config, now = self._context.store, self._context.config, self._context.now()
        newsletter, source = (request.query_params.get(name, "")[:300] for name in ("newsletter", "source"))
        numbers = store.statistics
        by_newsletter = numbers.by_newsletter()
        names = {each.name: config.newsletter_title(each) for each in config.newsletters}
        totals = {name: by_newsletter.get(name, 0) for name in (*names, *sorted(set(by_newsletter) - set(names)))}
        most = max(totals.values(), default=0)
        counts = store.subscribers.counts()
        joined, left = numbers.joined(newsletter, source), numbers.left(newsletter, source)
        return self._pages.page(
            "growth.html",
            "Growth and bounces",
            session,
            chart=subscribers_over_time(joined, left, now.date()),
            box=(WIDTH, HEIGHT),
            shown={"newsletter": newsletter, "source": source},
            shown_title=names.get(newsletter, newsletter),
            newsletters=[(name, names.get(name, name), total, share(total, most)) for name, total in totals.items()],
            lately=numbers.since(now - LATELY),
            days=LATELY.days,
            sources=numbers.by_source(now - LATELY)[:_SOURCES],
            reasons=numbers.reasons(_ANSWERS)[:_REASONS],
            subscribers={status: counts.get(status, 0) for status in SubscriberStatus},
            meanings=STATUS_MEANINGS,
            **self._bounces(),
            form_url=f"{config.public_url}/subscribe",
            snippet=snippet(config) if config.newsletters else "",
        )

    def _bounces(self) -> dict[str, Any]:
        bounces = self._context.store.bounces
        return {
            "in_a_row": self._context.store.statistics.bounces(),
            "returned": bounces.counts(),
            "by_edition": [each for each in bounces.by_edition(limit=_BOUNCES) if each.counts],
            "bounces": bounces.recent(limit=_BOUNCES),
            "verdicts": VERDICTS,
            "bounce_limit": self._context.config.subscribers.bounce_limit,
        }
