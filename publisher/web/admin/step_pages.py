"""The pages /admin/welcome/NEWSLETTER/NAME: a welcome email or a farewell, as the next subscriber would get it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from publisher.core.errors import PublisherError
from publisher.core.newsletter_models import Edition, EditionKind, Letter
from publisher.publishing.farewell import all_steps, render_any_step
from publisher.publishing.publish import send_letter
from publisher.publishing.sequences import StepView
from publisher.publishing.wiring import transport_name
from publisher.subscribers.address import normalise
from publisher.web.admin.views import framed, owner_address
from publisher.web.responses import Flash, NotFoundError, owner_page_headers
from publisher.web.sample_email import make_sample_email

if TYPE_CHECKING:
    from starlette.requests import Request

    from publisher.web.admin.admin_pages import AdminPages
    from publisher.web.admin.auth import OwnerAuth
    from publisher.web.admin.session_cookies import Session
    from publisher.web.context import WebContext
    from publisher.web.forms import Form


class StepPages:
    """The handlers of /admin/welcome."""

    def __init__(self, context: WebContext, pages: AdminPages) -> None:
        self._context, self._pages = context, pages

    def routes(self, auth: OwnerAuth) -> list[Route]:
        """Return the routes of these pages, which require a login."""
        one = f"{self._pages.root}/welcome/{{newsletter}}/{{name}}"
        return [
            Route(f"{one}/letter", auth.get(self.letter), methods=["GET"]),
            Route(one, auth.get(self.step), methods=["GET"]),
            Route(one, auth.post(self.test), methods=["POST"]),
        ]

    def step(self, request: Request, session: Session) -> Response:
        """Show what is known about an email, and what it looks like."""
        step, context = self._find(request), self._context
        trouble = ""
        try:
            self._render(step)
        except PublisherError as error:
            trouble = str(error)
        return self._pages.page(
            "step.html",
            step.subject or step.name,
            session,
            said=request.query_params.get("said", ""),
            step=step,
            trouble=trouble,
            newsletters={each.name: context.config.newsletter_title(each) for each in context.config.newsletters},
            owner=owner_address(context.config, step.newsletter),
        )

    def letter(self, request: Request, session: Session) -> Response:
        """Return the HTML of an email as a subscriber would see it, for a frame on a page."""
        step, config = self._find(request), self._context.config
        letter, now = self._render(step), self._context.now()
        kind = EditionKind.FAREWELL if step.is_farewell else EditionKind.WELCOME
        edition = Edition(0, step.newsletter, step.name, 0, letter.plain_subject, now, kind=kind)
        return framed(make_sample_email(config, edition, letter, ()).html)

    def test(self, request: Request, session: Session, form: Form) -> Response:
        """Send an email to the address in the form, as a test."""
        step, config = self._find(request), self._context.config
        try:
            address = normalise(form.one("address"))
            send_letter(config, step.newsletter, step.name, 0, self._render(step), address, self._context.now())
            flash = Flash(f"A test was sent to {address} through {transport_name(config)}.")
        except PublisherError as error:
            flash = Flash(f"Nothing was done: {error}", is_bad=True)
        said = self._pages.flashes.add(flash)
        path = f"{self._pages.root}/welcome/{step.newsletter}/{step.name}"
        return RedirectResponse(f"{path}?said={said}", 303, owner_page_headers())

    def _find(self, request: Request) -> StepView:
        """Return the email in the URL; raise NotFoundError if there is none."""
        config, name = self._context.config, str(request.path_params["name"])
        newsletter = config.newsletter(str(request.path_params["newsletter"]))
        steps = all_steps(config, self._context.store, newsletter, self._context.now()) if newsletter else ()
        found = next((each for each in steps if each.name == name), None)
        if found is None:
            raise NotFoundError("there is no such email")
        return found

    def _render(self, step: StepView) -> Letter:
        """Return the letter of an email. Raises PublisherError if its file is invalid or missing."""
        config = self._context.config
        newsletter = config.newsletter(step.newsletter)
        letter = render_any_step(config, newsletter, step.name, self._context.now()) if newsletter else None
        if letter is None:
            raise PublisherError("it is not sent", where=step.path)
        return letter
