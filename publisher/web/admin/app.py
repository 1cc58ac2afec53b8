"""The owner's pages as routes, for the application that serves the readers' pages."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from starlette.routing import BaseRoute, Route

from publisher.publishing.wiring import project_secret
from publisher.web.admin.actions import Deeds
from publisher.web.admin.auth import Door
from publisher.web.admin.pages import AdminPages
from publisher.web.admin.sessions import Sessions
from publisher.web.admin.views import Desk

if TYPE_CHECKING:
    from publisher.web.context import Office
    from publisher.web.public.pages import Pages


def admin_routes(office: Office, readers: Pages) -> list[BaseRoute]:
    """Return the routes under /admin. Each answers 404 until a password was set."""
    sessions = Sessions(project_secret(office.config), timedelta(hours=office.config.admin.session_hours))
    pages = AdminPages(office, readers, sessions)
    door, desk = Door(office, readers, pages, sessions), Desk(office, pages)
    deeds = Deeds(office, pages, desk)
    root = pages.root
    looks = {
        "": desk.overview,
        "/editions": desk.editions,
        "/editions/{edition:int}": desk.edition,
        "/editions/{edition:int}/letter": desk.letter,
        "/next/{newsletter}": desk.next,
        "/next/{newsletter}/letter": desk.next_letter,
        "/readers": desk.readers,
        "/feeds": desk.feeds,
        "/posts": desk.posts,
        "/progress.json": desk.progress,
    }
    acts = {
        "/logout": door.leave,
        "/editions/{edition:int}": deeds.edition,
        "/next/{newsletter}": deeds.next,
    }
    return [
        Route(f"{root}/login", door.greet, methods=["GET"]),
        Route(f"{root}/login", door.enter(), methods=["POST"]),
        Route(f"{root}/assets/{{name}}", door.asset, methods=["GET"]),
        *(Route(root + path, door.act(act), methods=["POST"]) for path, act in acts.items()),
        *(Route(root + path, door.look(look), methods=["GET"]) for path, look in looks.items()),
    ]
