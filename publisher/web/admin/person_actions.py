"""What the owner does to one person on the admin page: add, correct, tag, subscribe, unsubscribe, suppress, delete.

Every action is a button of a form. If the action can't be undone, the owner is asked first, on a separate page or part
of a page.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from publisher.config import Config, frequency_schedules
from publisher.core.action_kinds import ActionKind
from publisher.core.errors import PublisherError, SubscriberError
from publisher.core.newsletter_models import Subscriber, SubscriberStatus
from publisher.core.subscriber_fields import LONGEST_NOTE, LONGEST_VALUE, FieldKind, shown_value
from publisher.core.subscriber_status import SubscriberEvent
from publisher.store.subscriber_records import Added
from publisher.subscribers.address import shortened
from publisher.subscribers.double_opt_in import ask_again
from publisher.subscribers.edit import Change, edit, known_fields, require_offered
from publisher.subscribers.languages import clean_language
from publisher.subscribers.manage import HINTS, lift_suppression, subscribe, suppress, unsubscribe
from publisher.subscribers.privacy import erase, export_data, rows_about
from publisher.web.responses import Flash, NotFoundError, owner_page_headers
from publisher.web.send_notices import queue_notice

if TYPE_CHECKING:
    from starlette.requests import Request

    from publisher.web.admin.admin_pages import AdminPages
    from publisher.web.admin.auth import OwnerAuth
    from publisher.web.admin.session_cookies import Session
    from publisher.web.context import WebContext
    from publisher.web.forms import Form

# What histories of consent say about the owner's buttons.
SOURCE = "the owner, on the admin page"
_FIELD = "field."
_EMPTY = dict.fromkeys(("address", "name", "language", "tags", "why", "again"), "")
_NOTHING = dict.fromkeys(("do", "tags", "newsletter", "why", "address"), "")
# The hints for this page, by the corresponding hints for commands.
_HINTS = {
    HINTS[Added.BOUNCED]: "if they asked you to subscribe them again, tick the last box and say how they asked",
    HINTS[Added.SUPPRESSED]: "with this person's consent you can take it off the list",
}
_MOST_TAGS_SHOWN = 200  # that the browser suggests


class PersonActions:
    """The handlers of the buttons on a person's page, and the page on which a person is added."""

    def __init__(self, context: WebContext, pages: AdminPages) -> None:
        self._context, self._pages = context, pages
        self._deeds: Mapping[str, Callable[[Request, Subscriber, Form], Flash]] = {
            "save": self._save,
            "address": self._correct,
            "tag": self._tag,
            "often": self._change_frequency,
            "ask": self._ask_again,
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "suppress": self._suppress,
            "lift": self._lift,
        }

    def routes(self, auth: OwnerAuth) -> list[Route]:
        """Return the routes of these pages, which require a login."""
        root = f"{self._pages.root}/readers"
        return [
            Route(f"{root}/add", auth.get(self.show_add), methods=["GET"]),
            Route(f"{root}/add", auth.post(self.add), methods=["POST"]),
            Route(f"{root}/{{uid}}/erase", auth.get(self.show_erase), methods=["GET"]),
            Route(f"{root}/{{uid}}/erase", auth.post(self.erase), methods=["POST"]),
        ]

    def variables(self, person: Subscriber, form: Form | None = None) -> dict[str, Any]:
        """Return what the template person_actions.html needs to know about a person.

        form: a form that was refused, and is shown again with what was typed
        """
        context, chosen = self._context, {each.newsletter for each in person.subscriptions}
        labels = {each.name: each.label for each in context.config.fields}
        known, shown = known_fields(context.store, context.config.fields), self._details(person)
        given = _NOTHING | ({name: form.exact(name) for name in form.fields} if form else {})
        typed = shown | given if given["do"] == "save" else shown
        return {
            "person": person,
            "given": given,
            "typed": typed,
            "was": {name: _print_of(text) for name, text in shown.items()},
            "can_join": [each for each in context.config.newsletters if each.name not in chosen],
            "titles": {each.name: each.title or each.name for each in context.config.newsletters},
            "own_fields": [
                {
                    "name": name,
                    "label": labels.get(name) or name.replace("_", " "),
                    "kind": known.get(name, FieldKind.TEXT).value,
                    "value": typed[f"{_FIELD}{name}"],
                }
                for name in (each.removeprefix(_FIELD) for each in shown if each.startswith(_FIELD))
            ],
            "often": _often(context.config, person),
            "tags_in_use": list(context.store.subscribers.tags_in_use())[:_MOST_TAGS_SHOWN],
            "is_pending": person.status is SubscriberStatus.PENDING,
            "has_asked": self._has_asked(person),
            "is_suppressed": context.store.suppressions.is_listed(person.address),
            "has_left": bool(person.ended) or person.status is not SubscriberStatus.ACTIVE,
            "longest": {"value": LONGEST_VALUE, "note": LONGEST_NOTE},
        }

    def show_add(self, request: Request, session: Session) -> Response:
        """Show the form for adding a person."""
        return self._add_page(request, session, {})

    def add(self, request: Request, session: Session, form: Form) -> Response:
        """Add a person, and go to their page; if that fails, show the form again with the reason."""
        context, why = self._context, form.one("why")
        if form.one("do") == "lift":
            return self._lift_before(request, session, form)
        newsletters = [name for name in context.newsletter_names if name in form.all("newsletter")]
        try:
            if not newsletters or not why:
                raise SubscriberError("choose at least one newsletter, and say how they agreed")
            done = subscribe(
                context.store,
                form.one("address"),
                newsletters=newsletters,
                at=context.now(),
                name=form.one("name"),
                language=_language(form),
                source=SOURCE,
                consent=why,
                again=why if form.one("again") == "yes" else "",
            )
            person = self._by_address(form.one("address"))
            if tags := words_of(form.one("tags")):
                self._edit(person, Change(tags=tags))
        except SubscriberError as error:
            given = {name: form.one(name) for name in form.fields} | {"newsletter": newsletters}
            can_lift = error.hint == HINTS[Added.SUPPRESSED]
            return self._add_page(request, session, given, trouble=_told(error), can_lift=can_lift)
        chosen = ", ".join(name for name in newsletters if name not in done.refused)
        self._record(request, ActionKind.ADD, person, f"{chosen}: {done.result.value}; {why}")
        said = f"{done.result.value.capitalize()}: {chosen}."
        if done.refusals:
            said += f" But this person {done.reason}, and is not subscribed to it again."
        return self._to(f"readers/{person.uid}", Flash(said, is_bad=bool(done.refusals)))

    def _lift_before(self, request: Request, session: Session, form: Form) -> Response:
        """Remove an address from the suppression list so that it can be added, and show the form again."""
        given = {name: form.one(name) for name in form.fields} | {"newsletter": list(form.all("newsletter"))}
        try:
            if lift_suppression(self._context.store, form.one("address"), now=self._context.now(), source=SOURCE):
                person = self._context.store.subscribers.get(form.one("address"))
                self._context.record(request, ActionKind.LIFT, subscriber_id=person.id if person else None)
        except SubscriberError as error:
            return self._add_page(request, session, given, trouble=_told(error))
        return self._add_page(request, session, given, done="The address is off the suppression list. Now add it.")

    def press(self, request: Request, person: Subscriber, form: Form) -> Response:
        """Run the action of the button that was pressed on a person's page, and go back to that page.

        Raises SubscriberError, with a sentence for the owner, if nothing was done.
        """
        deed = self._deeds.get(form.one("do"))
        if deed is None:
            raise NotFoundError("there is no such button")
        try:
            flash = deed(request, person, form)
        except SubscriberError as error:
            raise SubscriberError(f"Nothing was changed: {_told(error)}") from error
        return self._to(f"readers/{person.uid}", flash)

    def show_erase(self, request: Request, session: Session) -> Response:
        """Show what would be deleted, and ask for confirmation."""
        person, store = find_person(self._context, request), self._context.store
        return self._page(
            request,
            session,
            "person_erase.html",
            "Delete all data",
            person=person,
            data=export_data(store, person.uid) or {},
            rows=rows_about(store, person.address, self._context.now()),
        )

    def erase(self, request: Request, session: Session, form: Form) -> Response:
        """Delete everything about a person if the form confirms it."""
        person = find_person(self._context, request)
        if form.one("sure") != "yes":
            said = Flash("Nothing was deleted: please tick the confirmation box.", is_bad=True)
            return self._to(f"readers/{person.uid}/erase", said)
        done = erase(self._context.store, person.address, now=self._context.now(), source=SOURCE)
        self._context.record(request, ActionKind.ERASE, detail=f"{done.rows:,} rows")
        told = (
            f"All data about {person.address} was deleted ({done.rows:,} rows). The address is on the suppression list."
        )
        if not done.scrubbed:
            told += (
                f" Traces may remain in the database file: run `publisher subscribers erase {person.address}` later."
            )
        return self._to("readers", Flash(told))

    def _save(self, request: Request, person: Subscriber, form: Form) -> Flash:
        """Save the name, the language, the note and the fields, as far as they differ from those in the opened form.

        Raises SubscriberError if one of them was changed in the meantime, such as in another tab of the browser.
        """
        now, changed = self._details(person), dict[str, str]()
        for name in form.fields:
            is_detail = name in now or name.startswith(_FIELD)
            if not is_detail or _print_of(form.exact(name)) in (form.one(f"was.{name}"), _print_of(now.get(name, ""))):
                continue
            if form.has(f"was.{name}") and form.one(f"was.{name}") != _print_of(now.get(name, "")):
                said, what = shortened(now.get(name, ""), 300), name.removeprefix(_FIELD)
                became = f"became {said!r}" if said else "was emptied"
                raise SubscriberError(
                    f"while this page was open, the {what} {became}",
                    hint="your text is still below: save it to overwrite that change",
                )
            changed[name] = form.exact(name)
        if "language" in changed:
            _language(form)
        change = Change(
            name=changed.get("name"),
            language=changed.get("language"),
            fields={name.removeprefix(_FIELD): text for name, text in changed.items() if name.startswith(_FIELD)},
            note=changed["note"].replace("\r\n", "\n") if "note" in changed else None,
        )
        return self._changed(request, person, change)

    def _details(self, person: Subscriber) -> dict[str, str]:
        """Return a person's values in the form of details, by the names of its fields."""
        known = known_fields(self._context.store, self._context.config.fields)
        values = {**dict.fromkeys(known, ""), **{name: shown_value(each) for name, each in person.fields.items()}}
        details = {"name": person.name, "language": person.language, "note": person.note}
        return details | {f"{_FIELD}{name}": text for name, text in values.items()}

    def _correct(self, request: Request, person: Subscriber, form: Form) -> Flash:
        return self._changed(request, person, Change(address=form.one("address")))

    def _tag(self, request: Request, person: Subscriber, form: Form) -> Flash:
        tags, untags = words_of(form.one("tags")), form.all("untag")
        if not tags and not untags:
            raise SubscriberError("type a tag first")
        return self._changed(request, person, Change(tags=tags, untags=untags))

    def _change_frequency(self, request: Request, person: Subscriber, form: Form) -> Flash:
        newsletter = self._context.config.newsletter(form.one("newsletter"))
        wanted = form.one("frequency")
        if newsletter is None:
            raise SubscriberError("the project has no such newsletter")
        require_offered(newsletter, wanted)
        return self._changed(request, person, Change(frequencies={newsletter.name: wanted}))

    def _changed(self, request: Request, person: Subscriber, change: Change) -> Flash:
        changed = self._edit(person, change)
        if not changed:
            return Flash("Nothing was different.")
        self._record(request, ActionKind.EDIT, person, ", ".join(changed))
        return Flash(f"Saved: {', '.join(changed)}.")

    def _edit(self, person: Subscriber, change: Change) -> tuple[str, ...]:
        context = self._context
        known = known_fields(context.store, context.config.fields)
        return edit(context.store, person, change, at=context.now(), source=SOURCE, known=known).changed

    def _ask_again(self, request: Request, person: Subscriber, form: Form) -> Flash:
        context = self._context
        if person.status is SubscriberStatus.PENDING and not self._has_asked(person):
            raise SubscriberError(f"{person.address} has never asked for email here")
        names, now = context.newsletter_names, context.now()
        notice = ask_again(context.store, context.policy, person, newsletters=names, now=now, source=SOURCE)
        queue_notice(context, notice)
        self._record(request, ActionKind.ASK_AGAIN, person)
        return Flash(f"Another confirmation email is on its way to {person.address}.")

    def _has_asked(self, person: Subscriber) -> bool:
        """Return whether a person signed up here, rather than only being in a file as someone who never confirmed."""
        return any(
            each.what == SubscriberEvent.REQUESTED for each in self._context.store.subscribers.consent(person.id)
        )

    def _subscribe(self, request: Request, person: Subscriber, form: Form) -> Flash:
        newsletter, why = form.one("newsletter"), form.one("why")
        if newsletter not in self._context.newsletter_names:
            raise SubscriberError("choose a newsletter")
        if not why:
            raise SubscriberError("say how they agreed")
        now = self._context.now()
        done = subscribe(
            self._context.store, person.address, newsletters=[newsletter], at=now, source=SOURCE, again=why
        )
        self._record(request, ActionKind.ADD, person, f"{newsletter}: {done.result.value}; {why}")
        return Flash(f"Subscribed to {newsletter}.")

    def _unsubscribe(self, request: Request, person: Subscriber, form: Form) -> Flash:
        newsletter = form.one("newsletter") or None
        now = self._context.now()
        if not unsubscribe(self._context.store, person.address, newsletter, at=now, source=SOURCE):
            return Flash("They were not subscribed.")
        self._record(request, ActionKind.UNSUBSCRIBE, person, newsletter or "from everything")
        return Flash(f"Unsubscribed from {newsletter or 'everything'}.")

    def _suppress(self, request: Request, person: Subscriber, form: Form) -> Flash:
        if form.one("sure") != "yes":
            raise SubscriberError("please tick the confirmation box")
        if not suppress(self._context.store, person.address, now=self._context.now(), source=SOURCE):
            return Flash("The address was already on the suppression list.")
        self._record(request, ActionKind.SUPPRESS, person)
        return Flash("The address is on the suppression list: nothing will be sent to it.")

    def _lift(self, request: Request, person: Subscriber, form: Form) -> Flash:
        if not lift_suppression(self._context.store, person.address, now=self._context.now(), source=SOURCE):
            return Flash("The address was not on the suppression list.")
        self._record(request, ActionKind.LIFT, person)
        return Flash("The address is off the suppression list. That alone subscribes no one.")

    def _by_address(self, address: str) -> Subscriber:
        person = self._context.store.subscribers.get(address)
        if person is None:
            raise SubscriberError("this subscriber was deleted in the meantime")
        return person

    def _record(self, request: Request, what: ActionKind, person: Subscriber, detail: str = "") -> None:
        self._context.record(request, what, detail=detail, subscriber_id=person.id)

    def _add_page(self, request: Request, session: Session, given: Mapping[str, Any], **shown: Any) -> Response:
        names = list(self._context.newsletter_names)
        return self._pages.page(
            "person_add.html",
            "Add a subscriber",
            session,
            given={**_EMPTY, "newsletter": names[:1] if len(names) == 1 else [], **given},
            **dict[str, Any](trouble="", done="", can_lift=False) | shown,
            newsletters=self._context.config.newsletters,
            tags_in_use=list(self._context.store.subscribers.tags_in_use())[:_MOST_TAGS_SHOWN],
        )

    def _to(self, path: str, flash: Flash) -> Response:
        name = self._pages.flashes.add(flash)
        return RedirectResponse(f"{self._pages.root}/{path}?said={name}", 303, owner_page_headers())

    def _page(self, request: Request, session: Session, template: str, title: str, **variables: Any) -> Response:
        return self._pages.page(template, title, session, said=request.query_params.get("said", ""), **variables)


def find_person(context: WebContext, request: Request) -> Subscriber:
    """Return the person named in the URL. Raise NotFoundError if there is none."""
    uid = str(request.path_params["uid"])
    person = context.store.subscribers.by_uid(uid) if len(uid) < 100 else None
    if person is None:
        raise NotFoundError("there is no such subscriber")
    return person


def _print_of(text: str) -> str:
    """Return a short hash of a text, which ignores how its lines end."""
    return hashlib.sha256("\n".join(text.strip().splitlines()).encode("utf-8", "replace")).hexdigest()[:16]


def words_of(text: str) -> tuple[str, ...]:
    """Return the tags in a text, in which commas separate them."""
    return tuple(word for part in text.split(",") if (word := part.strip()))


def _often(config: Config, person: Subscriber) -> list[dict[str, Any]]:
    """Return the chosen frequency, and the possible ones, of each of a person's newsletters that offers a choice."""
    chosen = {each.newsletter: each.frequency for each in person.records if each.is_subscribed}
    return [
        {
            "newsletter": newsletter.name,
            "chosen": chosen[newsletter.name] if chosen[newsletter.name] in offered else "",
            "choices": {"": newsletter.schedule, **offered},
        }
        for newsletter in config.newsletters
        if newsletter.name in chosen and (offered := frequency_schedules(newsletter))
    ]


def _language(form: Form) -> str:
    given = form.one("language")
    if given and not clean_language(given):
        raise SubscriberError("this isn't a language tag", hint="use one such as de or pt-BR")
    return given


def _told(error: PublisherError) -> str:
    """Return an error in words, with a hint for this page instead of one for the command line."""
    here = _HINTS.get(error.hint, "" if "`" in error.hint or "--" in error.hint else error.hint)
    hint = f" ({here})" if here else ""
    return f"{error.message}{hint}."
