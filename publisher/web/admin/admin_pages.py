"""Renders the admin pages in English and in the style of the site, with their stylesheet and script."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_timedelta
from markupsafe import Markup
from starlette.responses import Response

from publisher.core.templates import Templates, shipped_folder
from publisher.newsletters.slots import is_post_slot
from publisher.web.admin.session_cookies import Session, Sessions
from publisher.web.responses import ADMIN_SANDBOX, Flashes, asset_headers, owner_page_headers

if TYPE_CHECKING:
    from publisher.web.context import WebContext
    from publisher.web.public.public_pages import PublicPages

_MENU = (
    ("", "Overview"),
    ("editions", "Editions"),
    ("emails", "Emails"),
    ("readers", "Subscribers"),
    ("segments", "Segments"),
    ("feeds", "Feeds"),
    ("sources", "Sources"),
    ("posts", "Posts"),
    ("log", "Log"),
    ("access", "Access"),
)


class AdminPages:
    """Renders the admin pages of one project.

    root     the path of the overview, such as "/admin" or "/letters/admin"; the other pages are below it
    flashes  messages to show on the page after a form was sent
    """

    def __init__(self, context: WebContext, public_pages: PublicPages, sessions: Sessions) -> None:
        self._context, self._sessions = context, sessions
        # Use the shipped templates, not the project's, because a theme must not change the admin pages.
        self._templates = Templates(shipped_folder())
        self.root = f"{public_pages.prefix}/admin"
        self._home = public_pages.home
        style = public_pages.style + self._templates.source("admin/admin.css")
        script = self._templates.source("admin/admin.js")
        self._style, self._script = _asset_name(style, "css"), _asset_name(script, "js")
        self._assets = {self._style: (style, "text/css"), self._script: (script, "text/javascript")}
        self.flashes = Flashes()

    def page(
        self, template: str, title: str, session: Session, *, status: int = 200, said: str = "", **variables: Any
    ) -> Response:
        """Return a page made from templates/admin/<template>. said: the name of the flash to show."""
        text = self._templates.render(
            f"admin/{template}",
            title=title,
            site=self._context.config.site,
            home=self._home,
            root=self.root,
            menu=[each for each in _MENU if self._context.config.sources or each[0] != "sources"],
            style=self._style,
            script=self._script,
            sandbox=ADMIN_SANDBOX,
            is_owner=session.is_owner,
            token=self._sessions.form_token(session),
            flash=self.flashes.get(said),
            is_post_slot=is_post_slot,
            moment=self.moment,
            day=self.day,
            ago=self.ago,
            **variables,
        )
        return Response(text.encode("utf-8", "replace"), status, owner_page_headers(), "text/html; charset=utf-8")

    def asset(self, name: str) -> Response | None:
        """Return the stylesheet or the script with this name; None for any other name."""
        found = self._assets.get(name)
        return Response(found[0], 200, asset_headers(), found[1]) if found else None

    def moment(self, at: datetime, zone: str = "") -> Markup:
        """Return a time as HTML, in the named time zone or else in the site's."""
        local = at.astimezone(ZoneInfo(zone) if zone else self._context.config.zone)
        words = format_datetime(local, "EEE d MMM y, HH:mm", locale="en_GB")
        return Markup('<time datetime="{}">{}</time>').format(at.isoformat(timespec="seconds"), words)

    def day(self, at: datetime) -> str:
        """Return the day of a time in the site's time zone, such as "21 Nov 2026"."""
        return format_date(at.astimezone(self._context.config.zone), "d MMM y", locale="en_GB")

    def ago(self, at: datetime) -> str:
        """Return a time relative to now, such as "in 3 days" or "2 hours ago"."""
        return format_timedelta(at - self._context.now(), add_direction=True, locale="en_GB")


def _asset_name(text: str, ending: str) -> str:
    """Return a file name that changes with the content, so that the file can be cached forever."""
    return f"admin.{hashlib.sha256(text.encode()).hexdigest()[:10]}.{ending}"
