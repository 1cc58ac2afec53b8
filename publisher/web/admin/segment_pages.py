"""The pages /admin/segments: the owner builds a condition on subscribers, sees who meets it, and saves it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from publisher.core.action_kinds import ActionKind
from publisher.core.errors import SegmentError
from publisher.core.segment_language import LONGEST, parse
from publisher.publishing.segment_check import require_unused, segment_findings, segment_uses
from publisher.store.segments import Segment
from publisher.subscribers.edit import known_fields
from publisher.web.responses import Flash, NotFoundError, owner_page_headers

if TYPE_CHECKING:
    from starlette.requests import Request

    from publisher.web.admin.admin_pages import AdminPages
    from publisher.web.admin.auth import OwnerAuth
    from publisher.web.admin.session_cookies import Session
    from publisher.web.context import WebContext
    from publisher.web.forms import Form

# No segment can have this name.
NEW = "_new"
_MOST_NEWSLETTERS = 10  # for which the page says how many people would get an email
_MOST_TAGS = 30  # that the page names
_EXAMPLES = (
    ("tag:vip", "everyone with the tag"),
    ("joined > 2026-01-01", "people who joined after that day; also <, <=, >= and ="),
    ("joined < 1 year ago", "counted back from today: days, weeks, months, years"),
    ("newsletter:weekly and not topic:ruby", "what they are subscribed to, and their topics"),
    ("status:active", "or pending, unsubscribed, bounced, complained, suppressed, paused"),
    ('address ~ "@example.org"', "~ means: contains"),
    ('field.city = "Oslo" or field.points >= 10', "your own fields"),
    ("field.city has no value", "or: has value"),
    ("(tag:press or tag:friends) and language:de", "join conditions with and, or, not and brackets"),
    ("source:import and bounces > 0", "where they came from, and consecutive bounces"),
)


class SegmentPages:
    """The handlers of /admin/segments."""

    def __init__(self, context: WebContext, pages: AdminPages) -> None:
        self._context, self._pages = context, pages

    def routes(self, auth: OwnerAuth) -> list[Route]:
        """Return the routes of these pages, which require a login."""
        every = f"{self._pages.root}/segments"
        return [
            Route(every, auth.get(self.overview), methods=["GET"]),
            Route(f"{every}/{{segment}}", auth.get(self.segment), methods=["GET"]),
            Route(f"{every}/{{segment}}", auth.post(self.press), methods=["POST"]),
        ]

    def overview(self, request: Request, session: Session) -> Response:
        """List the saved segments."""
        found, uses = self._context.store.segments.list(), segment_uses(self._context.config, self._context.store)
        return self._page(request, session, "segments.html", "Segments", segments=found, new=NEW, uses=uses)

    def segment(self, request: Request, session: Session) -> Response:
        """Show a saved segment with the people in it now, or an empty form for a new one."""
        saved = self._find(request)
        name, condition = (saved.name, saved.condition) if saved else ("", "")
        return self._form(request, session, saved, name, condition, counts=saved is not None)

    def press(self, request: Request, session: Session, form: Form) -> Response:
        """Count the people who meet a condition, save it, or delete the segment."""
        saved, deed = self._find(request), form.one("do")
        name, condition = form.one("name").lower(), form.one("condition")
        if deed == "delete" and saved is not None:
            return self._delete(request, saved, sure=form.one("sure") == "yes")
        if deed != "save":
            return self._form(request, session, saved, name, condition, counts=True)
        try:
            if saved is not None and form.has("was") and form.one("was") != saved.condition != condition:
                raise SegmentError(
                    f"while this page was open, the condition became {saved.condition!r}; save again to replace it"
                )
            self._save(saved, name, condition)
        except SegmentError as error:
            return self._form(request, session, saved, name, condition, trouble=str(error))
        self._context.record(request, ActionKind.SEGMENT_SAVED, about=name)
        return self._to(f"segments/{name}", Flash("Saved."))

    def _save(self, saved: Segment | None, name: str, condition: str) -> None:
        segments = self._context.store.segments
        parse(condition)
        if saved is None and segments.get(name) is not None:
            raise SegmentError(f"there is a segment {name!r} already")
        if saved is not None and saved.name != name:
            require_unused(self._context.config, self._context.store, saved.name)
            segments.rename(saved.name, name)
        segments.save(name, condition, self._context.now())

    def _delete(self, request: Request, saved: Segment, *, sure: bool) -> Response:
        if not sure:
            said = Flash("Nothing was deleted: please tick the confirmation box.", is_bad=True)
            return self._to(f"segments/{saved.name}", said)
        try:
            require_unused(self._context.config, self._context.store, saved.name)
        except SegmentError as error:
            return self._to(f"segments/{saved.name}", Flash(f"Nothing was deleted: {error}.", is_bad=True))
        self._context.store.segments.delete(saved.name)
        self._context.record(request, ActionKind.SEGMENT_DELETED, about=saved.name)
        return self._to("segments", Flash(f"The segment {saved.name} was deleted. No subscriber was deleted."))

    def _find(self, request: Request) -> Segment | None:
        """Return the segment in the URL; None for a new one. Raises NotFoundError if there is none with this name."""
        name = str(request.path_params["segment"])
        if name == NEW:
            return None
        found = self._context.store.segments.get(name) if len(name) < 100 else None
        if found is None:
            raise NotFoundError("there is no such segment")
        return found

    def _form(
        self,
        request: Request,
        session: Session,
        saved: Segment | None,
        name: str,
        condition: str,
        *,
        counts: bool = False,
        trouble: str = "",
    ) -> Response:
        context, count, some, findings = self._context, None, list[Any](), list[str]()
        mailed = list[tuple[str, int]]()
        if counts:
            try:
                wanted, now = parse(condition), context.now().astimezone(context.config.zone)
                findings = list(segment_findings(context.config, context.store, wanted))
                count, some = context.store.segments.count(wanted, now), list(context.store.segments.some(wanted, now))
                for each in context.config.newsletters[:_MOST_NEWSLETTERS] if count else ():
                    title = context.config.newsletter_title(each)
                    mailed.append((title, context.store.segments.count(wanted, now, each.name)))
            except SegmentError as error:
                trouble = str(error)
        return self._page(
            request,
            session,
            "segment.html",
            saved.name if saved else "New segment",
            saved=saved,
            name=name,
            condition=condition,
            longest=LONGEST,
            count=count,
            some=some,
            mailed=mailed,
            findings=findings,
            trouble=trouble,
            uses=segment_uses(context.config, context.store).get(saved.name, []) if saved else [],
            examples=_EXAMPLES,
            tags_in_use=list(context.store.subscribers.tags_in_use())[:_MOST_TAGS],
            fields=known_fields(context.store, context.config.fields),
        )

    def _to(self, path: str, flash: Flash) -> Response:
        name = self._pages.flashes.add(flash)
        return RedirectResponse(f"{self._pages.root}/{path}?said={name}", 303, owner_page_headers())

    def _page(self, request: Request, session: Session, template: str, title: str, **variables: Any) -> Response:
        return self._pages.page(template, title, session, said=request.query_params.get("said", ""), **variables)
