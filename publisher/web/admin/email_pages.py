"""The pages /admin/emails: emails without posts, their states, what each looks like, and who would get it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from publisher.core.errors import PublisherError
from publisher.core.personal_marks import Person, for_everyone
from publisher.publishing.email_views import (
    EmailState,
    EmailView,
    WholeEmail,
    email_views,
    find_email,
    findings_of,
    recipients_of,
    render_email,
)
from publisher.publishing.farewell import all_steps
from publisher.publishing.own_emails import FOLDER, OwnEmail
from publisher.publishing.publish import send_letter
from publisher.publishing.wiring import transport_name
from publisher.subscribers.address import normalise
from publisher.web.admin.views import framed, owner_address
from publisher.web.responses import Flash, NotFoundError, owner_page_headers
from publisher.web.sample_email import SAMPLE_ADDRESS, make_sample_email

if TYPE_CHECKING:
    from starlette.requests import Request

    from publisher.web.admin.admin_pages import AdminPages
    from publisher.web.admin.auth import OwnerAuth
    from publisher.web.admin.session_cookies import Session
    from publisher.web.context import WebContext
    from publisher.web.forms import Form


class EmailPages:
    """The handlers of /admin/emails."""

    def __init__(self, context: WebContext, pages: AdminPages) -> None:
        self._context, self._pages = context, pages

    def routes(self, auth: OwnerAuth) -> list[Route]:
        """Return the routes of these pages, which require a login."""
        every = f"{self._pages.root}/emails"
        one = f"{every}/{{newsletter}}/{{name}}"
        return [
            Route(every, auth.get(self.overview), methods=["GET"]),
            Route(f"{one}/letter", auth.get(self.letter), methods=["GET"]),
            Route(one, auth.get(self.email), methods=["GET"]),
            Route(one, auth.post(self.test), methods=["POST"]),
        ]

    def overview(self, request: Request, session: Session) -> Response:
        """List the emails without posts: those that are still to be sent first."""
        context = self._context
        views = email_views(context.config, context.store, context.now())
        titles = {each.name: context.config.newsletter_title(each) for each in context.config.newsletters}
        config, store, now = context.config, context.store, context.now()
        steps = [step for each in config.newsletters for step in all_steps(config, store, each, now)]
        return self._page(
            *(request, session, "emails.html", "Emails"),
            emails=views,
            steps=steps,
            titles=titles,
            folder=FOLDER,
            states=EmailState,
        )

    def email(self, request: Request, session: Session) -> Response:
        """Show an email that is still to be sent; one that is in the ledger is shown as its edition."""
        email, context = self._find(request), self._context
        view = self._view(email)
        if view.edition:
            return RedirectResponse(f"{self._pages.root}/editions/{view.edition.id}", 303, owner_page_headers())
        now, trouble = context.now(), ""
        shown: dict[str, Any] = {"whole": None, "recipients": [], "findings": []}
        try:
            whole = render_email(context.config, context.store, email, now)
            recipients = recipients_of(context.config, context.store, whole.planned, now)
            findings = findings_of(context.config, whole, now)
            shown = {
                "whole": whole,
                "recipients": recipients,
                "findings": findings,
                "preheader": for_everyone(whole.letter.preheader),
                "segment": email.to if context.store.segments.get(email.to) else "",
            }
        except PublisherError as error:
            trouble = str(error)
        return self._page(
            request,
            session,
            "email.html",
            view.subject or email.name,
            email=email,
            view=view,
            states=EmailState,
            newsletter=context.config.newsletter_title(email.newsletter),
            zone=context.config.newsletter_zone(email.newsletter).key,
            trouble=trouble,
            viewed_as=request.query_params.get("as", ""),
            owner=owner_address(context.config, email.newsletter.name),
            **shown,
        )

    def letter(self, request: Request, session: Session) -> Response:
        """Return the HTML of an email as a subscriber would see it, for a frame on a page."""
        context, email = self._context, self._find(request)
        whole = render_email(context.config, context.store, email, context.now())
        edition, person = whole.edition(context.now()), self._viewed_as(request, whole)
        return framed(make_sample_email(context.config, edition, whole.letter, (), person).html)

    def _viewed_as(self, request: Request, whole: WholeEmail) -> Person | None:
        """Return the person for whom the email is filled in, as the URL says; None for the sample."""
        match request.query_params.get("as", ""):
            case "nobody":
                return {"name": "", "address": SAMPLE_ADDRESS}
            case "first":
                context = self._context
                for each in recipients_of(context.config, context.store, whole.planned, context.now()):
                    return {**each.fields, "name": each.name, "address": each.address}
        return None

    def test(self, request: Request, session: Session, form: Form) -> Response:
        """Send an email to the address in the form, as a test."""
        email, context = self._find(request), self._context
        try:
            address = normalise(form.one("address"))
            whole = render_email(context.config, context.store, email, context.now())
            send_letter(context.config, email.newsletter.name, email.slot, 0, whole.letter, address, context.now())
            flash = Flash(f"A test was sent to {address} through {transport_name(context.config)}.")
        except PublisherError as error:
            flash = Flash(f"Nothing was done: {error}", is_bad=True)
        said = self._pages.flashes.add(flash)
        path = f"{self._pages.root}/emails/{email.newsletter.name}/{email.name}"
        return RedirectResponse(f"{path}?said={said}", 303, owner_page_headers())

    def _find(self, request: Request) -> OwnEmail:
        """Return the email in the URL; raise NotFoundError if there is no such file."""
        newsletter = self._context.config.newsletter(str(request.path_params["newsletter"]))
        if newsletter is None:
            raise NotFoundError("there is no such newsletter")
        try:
            return find_email(self._context.config, newsletter, str(request.path_params["name"]))
        except PublisherError as error:
            raise NotFoundError("there is no such email") from error

    def _view(self, email: OwnEmail) -> EmailView:
        context = self._context
        views = email_views(context.config, context.store, context.now(), email.newsletter.name)
        return next(each for each in views if each.name == email.name)

    def _page(self, request: Request, session: Session, template: str, title: str, **variables: Any) -> Response:
        return self._pages.page(template, title, session, said=request.query_params.get("said", ""), **variables)
