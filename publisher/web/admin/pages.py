"""The owner's pages: templates, stylesheet and script. In English, in the site's look."""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from babel.dates import format_datetime, format_timedelta
from markupsafe import Markup
from starlette.responses import Response

from publisher.core.templates import Templates, shipped_folder
from publisher.web.admin.headers import SANDBOX, admin_headers, asset_headers
from publisher.web.admin.sessions import Session, Sessions

if TYPE_CHECKING:
    from publisher.web.context import Office
    from publisher.web.public.pages import Pages

_KEPT_NOTICES = 50
_MENU = (
    ("", "Overview"),
    ("editions", "Editions"),
    ("readers", "Readers"),
    ("feeds", "Feeds"),
    ("posts", "Posts"),
)


@dataclass(frozen=True, slots=True)
class Notice:
    """What became of a button that was pressed, said once on the next page."""

    text: str
    is_bad: bool = False


class AdminPages:
    """Makes the pages. root: the path under which they stand, "/admin" or "/letters/admin"."""

    def __init__(self, office: Office, pages: Pages, sessions: Sessions) -> None:
        self._office, self._sessions = office, sessions
        # Not the project's own: what is shown here must be what was meant.
        self._templates = Templates(shipped_folder())
        self.root = f"{pages.prefix}/admin"
        self._home = pages.home
        self._assets = {
            name: (text, kind)
            for text, name, kind in (
                _named(pages.style + self._templates.source("admin/admin.css"), "css", "text/css"),
                _named(self._templates.source("admin/admin.js"), "js", "text/javascript"),
            )
        }
        self._notices: OrderedDict[str, Notice] = OrderedDict()

    def page(
        self, template: str, title: str, session: Session, *, status: int = 200, said: str = "", **context: Any
    ) -> Response:
        """Return templates/admin/<template> as an answer. said: the name of a notice that is kept."""
        style, script = self._assets
        text = self._templates.render(
            f"admin/{template}",
            title=title,
            site=self._office.config.site,
            home=self._home,
            root=self.root,
            menu=_MENU,
            style=style,
            script=script,
            sandbox=SANDBOX,
            is_owner=session.is_owner,
            token=self._sessions.form_token(session),
            notice=self._notices.get(said),
            moment=self.moment,
            ago=self.ago,
            **context,
        )
        return Response(text.encode("utf-8", "replace"), status, admin_headers(), "text/html; charset=utf-8")

    def asset(self, name: str) -> Response | None:
        """Return the stylesheet or the script; None for any other name."""
        found = self._assets.get(name)
        return Response(found[0], 200, asset_headers(), found[1]) if found else None

    def remember(self, notice: Notice) -> str:
        """Keep a notice for the next page, and return its name."""
        name = secrets.token_urlsafe(9)
        self._notices[name] = notice
        while len(self._notices) > _KEPT_NOTICES:
            self._notices.popitem(last=False)
        return name

    def moment(self, at: datetime, zone: str = "") -> Markup:
        """Return a moment as HTML, in words of the site's zone, or of another by its name."""
        from zoneinfo import ZoneInfo

        local = at.astimezone(ZoneInfo(zone) if zone else self._office.config.zone)
        words = format_datetime(local, "EEE d MMM y, HH:mm", locale="en_GB")
        return Markup('<time datetime="{}">{}</time>').format(at.isoformat(timespec="seconds"), words)

    def ago(self, at: datetime) -> str:
        """Return how far a moment is from now: "in 3 days", "2 hours ago"."""
        return format_timedelta(at - self._office.now(), add_direction=True, locale="en_GB")


def _named(text: str, ending: str, kind: str) -> tuple[str, str, str]:
    return text, f"admin.{hashlib.sha256(text.encode()).hexdigest()[:10]}.{ending}", kind
