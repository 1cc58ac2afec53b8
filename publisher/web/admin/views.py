"""What the owner looks at. Nothing here changes anything."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from publisher.config import Config, NewsletterConfig
from publisher.core.bounce_report import Verdict
from publisher.core.host_id import host_id
from publisher.core.models import Severity
from publisher.core.newsletter_models import DeliveryStatus, Edition, SubscriberStatus
from publisher.mail.addresses import split_mailbox
from publisher.newsletters.slots import is_post_slot
from publisher.posts.archive import open_archive
from publisher.publishing.approval import waits
from publisher.publishing.check import Inspection, inspect_project
from publisher.publishing.forecast import timetables
from publisher.publishing.tick import waits_here
from publisher.web.admin.auth import NotThereError
from publisher.web.admin.charts import HEIGHT, WIDTH, readers_over_time, share
from publisher.web.admin.failure_groups import grouped
from publisher.web.admin.headers import admin_headers, letter_headers
from publisher.web.admin.next_letter import next_letter
from publisher.web.admin.progress import ORDER, WORDS, Progress
from publisher.web.preview.sample import make_sample

if TYPE_CHECKING:
    from starlette.requests import Request

    from publisher.store.hosts import Host
    from publisher.web.admin.pages import AdminPages
    from publisher.web.admin.sessions import Session
    from publisher.web.context import Office

_LISTED, _RECENT, _REASONS, _SLOTS, _BOUNCES = 100, 5, 1_000, 3, 20
_UNSENT = [status for status in DeliveryStatus if status is not DeliveryStatus.SENT]
# What a letter that came back means, by the word that stands in the record.
VERDICTS = {
    Verdict.PERMANENT: "the mailbox is gone",
    Verdict.TEMPORARY: "full, or not to be reached",
    Verdict.REFUSED: "the letter was refused, which is not held against its reader",
    Verdict.COMPLAINT: "reported as spam",
}
_READERS_SEEN = timedelta(days=30)
_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)


class Desk:
    """The handlers of GET."""

    def __init__(self, office: Office, pages: AdminPages) -> None:
        self._office, self._pages = office, pages

    def overview(self, request: Request, session: Session) -> Response:
        """Show what comes, what is going on, and what is wrong, in short."""
        office = self._office
        unfinished = self._progress(office.store.editions.unfinished()[::-1])
        held = [each for each in unfinished if each.state == "held"]
        going = [each for each in unfinished if each.state != "held"]
        listed = {each.edition.id for each in unfinished}
        tables = timetables(office.config, office.store, (), office.now(), _SLOTS, keep=True)
        recent = [edition for edition in office.store.editions.list(limit=_RECENT) if edition.id not in listed]
        return self._page(
            request,
            session,
            "overview.html",
            "Overview",
            coming=[(each, office.config.newsletter_title(each.newsletter)) for each in tables],
            broken=left_out(office.config, office.now()),
            held=held,
            editions=[*going, *self._progress(recent)],
            people=_counts(office),
            waits=waits_here(office.config, office.store),
            hosts=_strangers(office),
        )

    def editions(self, request: Request, session: Session) -> Response:
        """List the editions, newest first."""
        found = self._progress(self._office.store.editions.list(limit=_LISTED))
        return self._page(request, session, "editions.html", "Editions", editions=found, limit=_LISTED)

    def edition(self, request: Request, session: Session) -> Response:
        """Show one edition: how far it is, why some of it is not sent, and its letters."""
        store, edition = self._office.store, self._edition(request)
        (progress,) = self._progress([edition])
        variants = [letter.variant for letter in store.editions.letters(edition.id)]
        return self._page(
            request,
            session,
            "edition.html",
            edition.subject,
            progress=progress,
            waits=waits(edition),
            frees_posts=not is_post_slot(edition.slot),
            is_ahead=edition.goes_at is not None and edition.goes_at > self._office.now(),
            returned=store.bounces.counts(edition_id=edition.id),
            bounces=store.bounces.recent(edition_id=edition.id, limit=_BOUNCES),
            verdicts=VERDICTS,
            order=ORDER,
            words=WORDS,
            reasons=grouped(store.ledger.reasons(edition.id, _UNSENT, limit=_REASONS)),
            variants=variants,
            variant=request.query_params.get("variant", ""),
            messages=store.deliveries.by_variant(edition.id),
            owner=owner_address(self._office, edition.newsletter),
            retryable=[
                status for status in (DeliveryStatus.FAILED, DeliveryStatus.UNCERTAIN) if progress.counts[status]
            ],
        )

    def letter(self, request: Request, session: Session) -> Response:
        """Give a letter of an edition to a frame, as one reader would get it."""
        edition = self._edition(request)
        letter = self._office.store.editions.letter(edition.id, request.query_params.get("variant", ""))
        if letter is None:
            raise NotThereError("there is no such letter of this edition")
        return _framed(make_sample(self._office.config, edition, letter, ()).html)

    def next(self, request: Request, session: Session) -> Response:
        """Show the next letter of a newsletter."""
        newsletter = self.newsletter(request)
        draft = next_letter(self._office.config, self._office.store, newsletter, self._office.now())
        return self._page(
            request,
            session,
            "next.html",
            f"Next letter of {self._office.config.newsletter_title(newsletter)}",
            newsletter=newsletter,
            draft=draft,
            owner=owner_address(self._office, newsletter.name),
        )

    def next_letter(self, request: Request, session: Session) -> Response:
        """Give the next letter of a newsletter to a frame."""
        newsletter = self.newsletter(request)
        draft = next_letter(self._office.config, self._office.store, newsletter, self._office.now())
        if draft is None:
            raise NotThereError("there is no post to show")
        return _framed(draft.html)

    def readers(self, request: Request, session: Session) -> Response:
        """Show how many read, over time and by newsletter, and whose letters come back."""
        store, today = self._office.store, self._office.now().date()
        by_newsletter = store.statistics.by_newsletter()
        names = {newsletter.name: self._office.config.newsletter_title(newsletter) for newsletter in self._newsletters}
        totals = {name: by_newsletter.get(name, 0) for name in (*names, *sorted(set(by_newsletter) - set(names)))}
        most = max(totals.values(), default=0)
        return self._page(
            request,
            session,
            "readers.html",
            "Readers",
            chart=readers_over_time(store.statistics.joined(), store.statistics.left(), today),
            box=(WIDTH, HEIGHT),
            newsletters=[(names.get(name, name), total, share(total, most)) for name, total in totals.items()],
            people=_counts(self._office),
            in_a_row=store.statistics.bounces(),
            returned=store.bounces.counts(),
            by_edition=[each for each in store.bounces.by_edition(limit=_BOUNCES) if each.counts],
            bounces=store.bounces.recent(limit=_BOUNCES),
            verdicts=VERDICTS,
            bounce_limit=self._office.config.subscribers.bounce_limit,
        )

    def feeds(self, request: Request, session: Session) -> Response:
        """Show for how many readers' programs say they fetch the feeds."""
        store, now = self._office.store, self._office.now()
        found = store.feed_readers.list(now - _READERS_SEEN)
        feeds = {each.feed: [one for one in found if one.feed == each.feed] for each in found}
        since = now - timedelta(days=6)
        requests: dict[str, int] = {}
        for (feed, _), total in store.feed_readers.requests(f"{since:%Y-%m-%d}").items():
            requests[feed] = requests.get(feed, 0) + total
        return self._page(request, session, "feeds.html", "Feeds", feeds=feeds, requests=requests)

    def posts(self, request: Request, session: Session) -> Response:
        """Show what is wrong with posts, settings and letters: what `publisher check` tells."""
        found = inspect_project(self._office.config, self._office.now(), None)
        errors = [problem for problem in found.problems if problem.severity is Severity.ERROR]
        warnings = [problem for problem in found.problems if problem.severity is not Severity.ERROR]
        letters = _findings(found)
        return self._page(request, session, "posts.html", "Posts", errors=errors, warnings=warnings, letters=letters)

    def progress(self, request: Request, session: Session) -> Response:
        """Give how far editions are, for the script on the page: those that are named, at most so many."""
        wanted = [
            int(each) for each in request.query_params.getlist("id")[:_LISTED] if each.isdecimal() and len(each) < 15
        ]
        editions = [edition for each in wanted if (edition := self._office.store.editions.get(each))]
        return JSONResponse([each.as_json() for each in self._progress(editions)], 200, admin_headers())

    def newsletter(self, request: Request) -> NewsletterConfig:
        """Return the newsletter of an address; raise NotThereError for one that is not configured."""
        found = self._office.config.newsletter(str(request.path_params["newsletter"]))
        if found is None:
            raise NotThereError("there is no such newsletter")
        return found

    @property
    def _newsletters(self) -> Sequence[NewsletterConfig]:
        return self._office.config.newsletters

    def _edition(self, request: Request) -> Edition:
        return find_edition(self._office, request)

    def _progress(self, editions: Sequence[Edition]) -> list[Progress]:
        counts = self._office.store.statistics.deliveries([edition.id for edition in editions])
        return [Progress(edition, counts[edition.id]) for edition in editions]

    def _page(self, request: Request, session: Session, template: str, title: str, **context: Any) -> Response:
        return self._pages.page(template, title, session, said=request.query_params.get("said", ""), **context)


def find_edition(office: Office, request: Request) -> Edition:
    """Return the edition of an address; raise NotThereError for one that was not made."""
    number = request.path_params["edition"]
    edition = office.store.editions.get(number) if number < 2**62 else None
    if edition is None:
        raise NotThereError(f"there is no edition {number}")
    return edition


def left_out(config: Config, now: datetime) -> int:
    """Return how many files of posts are left out of everything, because of what is wrong in them."""
    archive = open_archive(config, now)
    return len({problem.path for problem in archive.problems if problem.severity is Severity.ERROR})


def owner_address(office: Office, newsletter: str) -> str:
    """Return where a test goes if nobody says otherwise: the author's address, or the sender's; "" if there is none."""
    config = office.config
    found = config.newsletter(newsletter)
    author = config.site.author.email if config.site.author else ""
    return author or split_mailbox((found.sender if found else "") or config.mail.sender)[1]


def _counts(office: Office) -> dict[SubscriberStatus, int]:
    counts = office.store.subscribers.counts()
    return {status: counts.get(status, 0) for status in SubscriberStatus}


def _strangers(office: Office) -> list[Host]:
    """Return the other machines that have run the project and may not send."""
    here = host_id(office.config.root, os.environ)
    return [host for host in office.store.hosts.list() if host.confirmed_at is None and host.id != here]


def _framed(html: str) -> Response:
    # Links open beside the page, not in the frame.
    based = _HEAD.sub(lambda head: f'{head[0]}<base target="_blank">', html, count=1)
    return Response(based.encode("utf-8", "replace"), 200, letter_headers(), "text/html; charset=utf-8")


def _findings(found: Inspection) -> list[tuple[str, object]]:
    return [
        (name, told)
        for proof in found.proofs
        if (name := proof.planned.newsletter.name)
        and (told := [finding for finding in proof.findings if finding.level != "note"])
    ]
