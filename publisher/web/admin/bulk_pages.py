"""The pages /admin/readers/bulk: one action on many people, who are shown first.

The people are those of a list or of a segment. The action applies to exactly the people who were shown: if the list has
changed by then, nothing is done, and the page shows the new list.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from publisher.core.action_kinds import ActionKind
from publisher.core.errors import SegmentError, SubscriberError
from publisher.core.frozen import dataclass
from publisher.core.subscriber_fields import clean_tags
from publisher.subscribers.bulk import (
    BulkOptions,
    BulkResult,
    erase_people,
    suppress_people,
    tag_people,
    unsubscribe_people,
)
from publisher.subscribers.people_filter import PARTS
from publisher.web.admin.people_pages import PeoplePages
from publisher.web.admin.person_actions import SOURCE, words_of
from publisher.web.responses import Flash, NotFoundError, owner_page_headers

if TYPE_CHECKING:
    from starlette.requests import Request

    from publisher.store import Store
    from publisher.store.people_query import PeopleQuery
    from publisher.web.admin.admin_pages import AdminPages
    from publisher.web.admin.auth import OwnerAuth
    from publisher.web.admin.session_cookies import Session
    from publisher.web.background import Job
    from publisher.web.context import WebContext
    from publisher.web.forms import Form

_SHOWN = 20
_PATIENCE = 1.5  # seconds for which a response waits, in case the work is soon done
_BUSY = "Something else is being done at the moment. Please try again when it is finished."


@dataclass(frozen=True, slots=True)
class _BulkDeed:
    """One action on many people.

    title     the text of the button, with {count}
    question  the text that the owner must tick first; "" if the action can be undone
    past      what was done to the people, with {count}
    run       runs the action; takes a query, the text of the form, and the options
    """

    title: str
    question: str
    past: str
    what: ActionKind
    run: Callable[[Store, PeopleQuery, str, BulkOptions], BulkResult]


def _erase(store: Store, query: PeopleQuery, text: str, options: BulkOptions) -> BulkResult:
    done = erase_people(store, query, options)
    store.subscribers.scrub()
    return done


_DEEDS: Mapping[str, _BulkDeed] = {
    "tag": _BulkDeed(
        "Tag {count}",
        "",
        "{count} got a new tag",
        ActionKind.TAG,
        lambda store, query, text, options: tag_people(store, query, words_of(text), (), options),
    ),
    "untag": _BulkDeed(
        "Remove the tag from {count}",
        "",
        "{count} lost a tag",
        ActionKind.TAG,
        lambda store, query, text, options: tag_people(store, query, (), words_of(text), options),
    ),
    "unsubscribe": _BulkDeed(
        "Unsubscribe {count}",
        "I understand that no import subscribes them again: only they can, or I can, one by one, giving the reason",
        "{count} unsubscribed",
        ActionKind.UNSUBSCRIBE_MANY,
        lambda store, query, text, options: unsubscribe_people(store, query, text or None, options),
    ),
    "suppress": _BulkDeed(
        "Suppress {count}",
        "I understand that nothing will ever be sent to these addresses, and that no form or import can add them",
        "{count} suppressed",
        ActionKind.SUPPRESS_MANY,
        lambda store, query, text, options: suppress_people(store, query, options),
    ),
    "erase": _BulkDeed(
        "Delete all data about {count}",
        "I understand that everything about these people is deleted permanently",
        "all data about {count} deleted",
        ActionKind.ERASE_MANY,
        _erase,
    ),
}


class BulkPages:
    """The handlers of /admin/readers/bulk."""

    def __init__(self, context: WebContext, pages: AdminPages) -> None:
        self._context, self._pages = context, pages
        self._people = PeoplePages(context, pages)

    def routes(self, auth: OwnerAuth) -> list[Route]:
        """Return the routes of these pages, which require a login."""
        root = f"{self._pages.root}/readers/bulk"
        return [
            Route(root, auth.get(self.leave), methods=["GET"]),
            Route(root, auth.post(self.press), methods=["POST"]),
            Route(f"{root}/{{work}}", auth.get(self.work), methods=["GET"]),
        ]

    def leave(self, request: Request, session: Session) -> Response:
        """Redirect to the list, because this page needs a choice of people, which its URL does not contain."""
        return RedirectResponse(f"{self._pages.root}/readers", 303, owner_page_headers())

    def press(self, request: Request, session: Session, form: Form) -> Response:
        """Show the people of a list or segment and ask what to do; show what an action would change; or do it."""
        given = self._people.given({name: form.one(name) for name in form.fields})
        deed = _DEEDS.get(form.one("do").removeprefix("do-"))
        try:
            query = self._people.query(given)
            if deed is None:
                return self._show(request, session, given, query)
            text = self._checked(form.one("do").removeprefix("do-"), form)
            if not form.one("do").startswith("do-"):
                return self._rehearse(request, session, given, query, form, text)
            return self._do(request, session, given, query, form, text)
        except (SubscriberError, SegmentError) as error:
            try:
                return self._show(request, session, given, self._people.query(given), trouble=f"{error}")
            except (SubscriberError, SegmentError):
                flash = Flash(f"Nothing was done: {error}", is_bad=True)
                return self._to("readers", flash)

    def work(self, request: Request, session: Session) -> Response:
        """Show the progress of an action on many people, or its result."""
        job = self._context.jobs.find(f"bulk-{request.path_params['work']}")
        if job is None:
            raise NotFoundError("what was done here is in the log")
        return self._page(request, session, "bulk_work.html", "Many subscribers", job=job)

    def _checked(self, name: str, form: Form) -> str:
        """Return the text that an action needs, from its field. Raises SubscriberError if it is missing or unusable."""
        if name in ("tag", "untag"):
            tags = clean_tags(words_of(form.one("tags")))
            if not tags:
                raise SubscriberError("type a tag first")
            return ", ".join(tags)
        newsletter = form.one("from")
        if name == "unsubscribe" and newsletter and newsletter not in self._context.newsletter_names:
            raise SubscriberError("choose a newsletter")
        return newsletter if name == "unsubscribe" else ""

    def _show(
        self,
        request: Request,
        session: Session,
        given: Mapping[str, str],
        query: PeopleQuery,
        *,
        trouble: str = "",
        **variables: Any,
    ) -> Response:
        store, now = self._context.store, self._context.now()
        count = store.people.count(query, now)
        shown = store.people.find(replace(query, limit=_SHOWN), now).people
        return self._page(
            request,
            session,
            "bulk.html",
            "Many subscribers",
            count=count,
            people=_people(count),
            shown=shown,
            asked=[(name, given[name]) for name in PARTS if given[name] and name != "sort"],
            sealed=self._people.parameters(given),
            trouble=trouble,
            newsletters=self._context.config.newsletters,
            tags_in_use=list(store.subscribers.tags_in_use())[:200],
            **{"deed": "", "text": "", "title_of_deed": "", "question": "", "would": None, **variables},
        )

    def _rehearse(
        self,
        request: Request,
        session: Session,
        given: Mapping[str, str],
        query: PeopleQuery,
        form: Form,
        text: str,
    ) -> Response:
        name = form.one("do")
        deed, store, now = _DEEDS[name], self._context.store, self._context.now()
        # For a great many people, who would change is not computed beforehand.
        found = store.people.whom(query, now)
        count, would = len(found.ids), None
        if count <= 10_000 and name != "erase":
            would = deed.run(store, query, text, BulkOptions(now, SOURCE, dry_run=True)).changed
        return self._show(
            request,
            session,
            given,
            query,
            deed=name,
            text=text,
            title_of_deed=deed.title.format(count=_people(count)),
            expected=found.digest,
            question=deed.question,
            would=would,
        )

    def _do(
        self, request: Request, session: Session, given: Mapping[str, str], query: PeopleQuery, form: Form, text: str
    ) -> Response:
        deed, context = _DEEDS[form.one("do").removeprefix("do-")], self._context
        if deed.question and form.one("sure") != "yes":
            raise SubscriberError("please tick the confirmation box")
        expected = form.one("expected")
        if context.store.people.whom(query, context.now()).digest != expected:
            raise SubscriberError("these are no longer the same people; this is the new list")
        client, key = context.clients.shown(request.scope), secrets.token_hex(8)
        # The log of actions contains no names or addresses, and the owner may have searched for one.
        parts = [name if name in ("search", "field") else f"{name} {given[name]}" for name in PARTS if given[name]]
        about = ", ".join(part for part in parts if not part.startswith("sort ")) or "everyone"

        def work(job: Job) -> str:
            """Run the action on all these people, and return a message about the result."""
            done = deed.run(context.store, query, text, BulkOptions(context.now(), SOURCE, expected))
            said = deed.past.format(count=_people(done.changed))
            detail = f"{said}: {text}" if text else said
            context.record(client, deed.what, about=about, detail=detail)
            same = f"; {done.people - done.changed:,} unchanged" if done.people > done.changed else ""
            return f"{said[:1].upper()}{said[1:]}{f' ({text})' if text else ''}{same}."

        job = context.jobs.start(f"bulk-{key}", work)
        if job is None:
            return self._show(request, session, given, query, trouble=_BUSY)
        job.wait(_PATIENCE)
        return RedirectResponse(f"{self._pages.root}/readers/bulk/{key}", 303, owner_page_headers())

    def _to(self, path: str, flash: Flash) -> Response:
        name = self._pages.flashes.add(flash)
        return RedirectResponse(f"{self._pages.root}/{path}?said={name}", 303, owner_page_headers())

    def _page(self, request: Request, session: Session, template: str, title: str, **variables: Any) -> Response:
        return self._pages.page(template, title, session, said=request.query_params.get("said", ""), **variables)


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"
