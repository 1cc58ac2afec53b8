"""Leaving, and coming back: /unsubscribe/<token>. Opening the link changes nothing: scanners open every link."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from publisher.mail.links import LinkPurpose
from publisher.subscribers.self_service import come_back, unsubscribe
from publisher.web.public.headers import page_headers
from publisher.web.public.offers import title_of
from publisher.web.public.subscribe import bad_link

if TYPE_CHECKING:
    from starlette.requests import Request

    from publisher.web.context import Office
    from publisher.web.forms import Form
    from publisher.web.public.pages import Pages

SOURCE = "link /unsubscribe"
ONE_CLICK = "one-click /unsubscribe"
LONGEST = 500  # characters of a token


class Leaving:
    """The handlers."""

    def __init__(self, office: Office, pages: Pages) -> None:
        self._office, self._pages = office, pages

    def look(self, request: Request) -> Response:
        """Ask whether they mean it."""
        found = self._read(request)
        if found is None:
            return bad_link(self._pages, request)
        uid, newsletter = found
        person = self._office.store.subscribers.by_uid(uid)
        return self._page(request, "leave.html", "leave", newsletter, person.language if person else "")

    def leave(self, request: Request, form: Form) -> Response:
        """Do what the form says; a mailbox provider's (RFC 8058) gets a bare answer, without cookies or redirect."""
        found = self._read(request)
        if found is None:
            return bad_link(self._pages, request)
        uid, newsletter = found
        if form.one("List-Unsubscribe") == "One-Click":
            self._unsubscribe(request, uid, newsletter, ONE_CLICK)
            return Response("You are unsubscribed.\n", 200, page_headers(), "text/plain; charset=utf-8")
        person = self._office.store.subscribers.by_uid(uid)
        language = person.language if person else ""
        match form.one("do"):
            case "leave":
                self._unsubscribe(request, uid, newsletter, SOURCE, form.one("reason"))
                return self._page(request, "left.html", "left_title", newsletter, language, scope="one")
            case "leave-all":
                self._unsubscribe(request, uid, None, SOURCE, form.one("reason"))
                return self._page(request, "left.html", "left_title", newsletter, language, scope="all")
            case "back":
                return self._back(request, uid, newsletter, form.one("scope"), language)
        return self._pages.message(request, "bad_form", "bad_form_hint", status=400)

    def _back(self, request: Request, uid: str, newsletter: str, scope: str, language: str) -> Response:
        office = self._office
        back = come_back(
            office.store,
            office.terms,
            uid,
            None if scope == "all" else newsletter,
            now=office.now(),
            evidence=office.evidence(request, SOURCE),
        )
        if back:
            return self._page(request, "message.html", "back_title", newsletter, language, hint="back")
        return self._page(request, "message.html", "bad_form", newsletter, language, status=409, hint="not_back")

    def _unsubscribe(self, request: Request, uid: str, newsletter: str | None, source: str, reason: str = "") -> None:
        office = self._office
        evidence = office.evidence(request, source)
        unsubscribe(office.store, office.terms, uid, newsletter, now=office.now(), evidence=evidence, reason=reason)

    def _page(
        self,
        request: Request,
        template: str,
        title: str,
        newsletter: str,
        known: str,
        *,
        status: int = 200,
        **more: str,
    ) -> Response:
        values = {"title": title_of(self._office.config, newsletter)}
        language = self._pages.language(request, known)
        return self._pages.page(request, template, title, status=status, language=language, values=values, **more)

    def _read(self, request: Request) -> tuple[str, str] | None:
        token = str(request.path_params["token"])
        found = self._office.links.read(LinkPurpose.UNSUBSCRIBE, token) if len(token) <= LONGEST else None
        return (found[0], found[1]) if found and len(found) == 2 else None
