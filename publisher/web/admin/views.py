"""The pages that the owner sees below /admin. Viewing them changes nothing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from publisher.config import Config, NewsletterConfig, ScheduleKind, parse_schedule
from publisher.core.bounce_report import Verdict
from publisher.core.errors import ProjectError, PublisherError
from publisher.core.file_names import out_of_folder
from publisher.core.host_id import host_id
from publisher.core.models import Problem, Severity
from publisher.core.newsletter_models import DeliveryStatus, Edition, SubscriberStatus
from publisher.mail.addresses import split_mailbox
from publisher.newsletters.slots import is_post_slot
from publisher.posts.archive import open_archive
from publisher.posts.last_versions import LastVersions
from publisher.publishing.forecast import Forecast, forecasts
from publisher.publishing.later_recipients import add_recipients
from publisher.publishing.operations import group_reasons, waits
from publisher.publishing.project_check import ProjectCheck, check_project
from publisher.publishing.source_views import source_views, troubled
from publisher.publishing.wiring import build_failure, way_to_send, why_unconfirmed
from publisher.web.admin.delivery_progress import MEANINGS, ORDER, EditionProgress
from publisher.web.responses import NotFoundError, admin_email_headers, owner_page_headers
from publisher.web.sample_email import make_sample_email, next_email, open_links_in_tabs

if TYPE_CHECKING:
    from starlette.requests import Request

    from publisher.store.hosts import Host
    from publisher.web.admin.admin_pages import AdminPages
    from publisher.web.admin.session_cookies import Session
    from publisher.web.context import WebContext

# How many items of each kind are shown.
_EDITIONS, _RECENT, _REASONS, _SHOWN_REASONS, _SLOTS, _BOUNCES = 100, 5, 1_000, 20, 3, 20
_ACTIONS = 100
_FEED_READERS_SEEN = timedelta(days=30)
_UNSENT = [status for status in DeliveryStatus if status is not DeliveryStatus.SENT]
VERDICTS = {
    Verdict.PERMANENT: "the mailbox does not exist",
    Verdict.TEMPORARY: "mailbox full or unreachable",
    Verdict.REFUSED: "rejected because of its content or sender; not the subscriber's fault",
    Verdict.COMPLAINT: "reported as spam",
}


class AdminViews:
    """The GET handlers of the admin pages."""

    def __init__(self, context: WebContext, pages: AdminPages) -> None:
        self._context, self._pages = context, pages

    def overview(self, request: Request, session: Session) -> Response:
        """Show an overview of upcoming emails, current deliveries, and problems that need the owner's attention."""
        context = self._context
        unfinished = self._progress(context.store.editions.unfinished()[::-1])
        held = [each for each in unfinished if each.state == "held"]
        going = [each for each in unfinished if each.state != "held"]
        listed = {each.edition.id for each in unfinished}
        errors, tables = _errors(context.config, context.now()), self._forecasts()
        title = context.config.newsletter_title
        coming = [(table, title(table.newsletter), _sends_each_post(table.newsletter)) for table in tables]
        recent = [edition for edition in context.store.editions.list(limit=_RECENT) if edition.id not in listed]
        return self._page(
            request,
            session,
            "overview.html",
            "Overview",
            coming=coming,
            broken=len({problem.path for problem in errors if not problem.shows_last_version}),
            kept=_last_versions(context.config, errors),
            failure=build_failure(context.config),
            held=held,
            editions=[*going, *self._progress(recent)],
            subscribers=self._subscriber_counts(),
            waits=(waits := why_unconfirmed(context.config, context.store)),
            way=way_to_send(waits),
            hosts=self._unconfirmed_hosts(),
            sources=troubled(source_views(context.config, context.store)),
        )

    def _forecasts(self) -> list[Forecast]:
        """Return forecasts of the next emails; none if the posts cannot be read, which the page reports elsewhere."""
        context = self._context
        try:
            return forecasts(context.config, context.store, (), context.now(), _SLOTS, keep=True)
        except ProjectError:
            return []

    def editions(self, request: Request, session: Session) -> Response:
        """List the editions, newest first."""
        found = self._progress(self._context.store.editions.list(limit=_EDITIONS))
        return self._page(request, session, "editions.html", "Editions", editions=found, limit=_EDITIONS)

    def edition(self, request: Request, session: Session) -> Response:
        """Show one edition with the progress of its delivery, the reasons for failures, and its email."""
        store, edition = self._context.store, find_edition(self._context, request)
        (progress,) = self._progress([edition])
        return self._page(
            request,
            session,
            "edition.html",
            edition.subject,
            progress=progress,
            waits=waits(edition),
            frees_posts=not is_post_slot(edition.slot),
            is_ahead=edition.goes_at is not None and edition.goes_at > self._context.now(),
            joined_later=0 if progress.counts.missing else self._joined_later(edition),
            returned=store.bounces.counts(edition_id=edition.id),
            bounces=store.bounces.recent(edition_id=edition.id, limit=_BOUNCES),
            verdicts=VERDICTS,
            order=ORDER,
            meanings=MEANINGS,
            reasons=group_reasons(store.ledger.reasons(edition.id, _UNSENT, limit=_REASONS))[:_SHOWN_REASONS],
            variants=[letter.variant for letter in store.editions.letters(edition.id)],
            variant=request.query_params.get("variant", ""),
            messages=store.deliveries.by_variant(edition.id),
            owner=owner_address(self._context.config, edition.newsletter),
            retryable=[
                status for status in (DeliveryStatus.FAILED, DeliveryStatus.UNCERTAIN) if progress.counts[status]
            ],
        )

    def edition_email(self, request: Request, session: Session) -> Response:
        """Return the HTML of an edition's email as a subscriber would see it, for a frame on a page."""
        edition = find_edition(self._context, request)
        letter = self._context.store.editions.letter(edition.id, request.query_params.get("variant", ""))
        if letter is None:
            raise NotFoundError("this edition has no such version")
        return framed(make_sample_email(self._context.config, edition, letter, ()).html)

    def next(self, request: Request, session: Session) -> Response:
        """Show the page with a newsletter's next email."""
        newsletter, context = self.newsletter(request), self._context
        return self._page(
            request,
            session,
            "next.html",
            f"Next email of {context.config.newsletter_title(newsletter)}",
            newsletter=newsletter,
            draft=next_email(context.config, context.store, newsletter, context.now()),
            owner=owner_address(context.config, newsletter.name),
        )

    def next_email(self, request: Request, session: Session) -> Response:
        """Return the HTML of a newsletter's next email, for a frame on a page."""
        context = self._context
        draft = next_email(context.config, context.store, self.newsletter(request), context.now())
        if draft is None:
            raise NotFoundError("there is no post to show")
        return framed(draft.html)

    def feeds(self, request: Request, session: Session) -> Response:
        """Show, for each feed, the subscribers that feed readers report, and the number of other requests."""
        store, now = self._context.store, self._context.now()
        found = store.feed_readers.list(now - _FEED_READERS_SEEN)
        feeds = {each.feed: [one for one in found if one.feed == each.feed] for each in found}
        since = now - timedelta(days=6)
        requests: dict[str, int] = {}
        for (feed, _), total in store.feed_readers.requests(f"{since:%Y-%m-%d}").items():
            requests[feed] = requests.get(feed, 0) + total
        return self._page(request, session, "feeds.html", "Feeds", feeds=feeds, requests=requests)

    def posts(self, request: Request, session: Session) -> Response:
        """Show the problems with posts, settings and emails that `publisher check` reports."""
        found = check_project(self._context.config, self._context.now(), None)
        errors = [problem for problem in found.problems if problem.severity is Severity.ERROR]
        warnings = [problem for problem in found.problems if problem.severity is not Severity.ERROR]
        findings = _findings(found)
        return self._page(request, session, "posts.html", "Posts", errors=errors, warnings=warnings, letters=findings)

    def log(self, request: Request, session: Session) -> Response:
        """Show what people did with buttons and commands, and who logged in, a page at a time."""
        before = request.query_params.get("before", "")
        limit = int(before) if before.isdecimal() and before.isascii() and len(before) < 15 else None
        found = self._context.store.actions.list(limit=_ACTIONS, before=limit)
        more = found[-1].id if len(found) == _ACTIONS else 0
        days = self._context.config.admin.log_days
        return self._page(request, session, "log.html", "Log", actions=found, more=more, days=days)

    def progress(self, request: Request, session: Session) -> Response:
        """Return the progress of the editions in the `id` query parameters as JSON, for the script on the pages."""
        asked = request.query_params.getlist("id")[:_EDITIONS]
        ids = [int(each) for each in asked if each.isdecimal() and len(each) < 15]
        editions = [edition for each in ids if (edition := self._context.store.editions.get(each))]
        return JSONResponse([each.as_json() for each in self._progress(editions)], 200, owner_page_headers())

    def newsletter(self, request: Request) -> NewsletterConfig:
        """Return the newsletter named in the URL. Raise NotFoundError if it is not configured."""
        found = self._context.config.newsletter(str(request.path_params["newsletter"]))
        if found is None:
            raise NotFoundError("there is no such newsletter")
        return found

    def _progress(self, editions: Sequence[Edition]) -> list[EditionProgress]:
        counts = self._context.store.statistics.deliveries([edition.id for edition in editions])
        return [EditionProgress(edition, counts[edition.id]) for edition in editions]

    def _joined_later(self, edition: Edition) -> int:
        """Return how many subscribers joined after an edition was made and could still get it."""
        context = self._context
        try:
            return add_recipients(context.config, context.store, edition, context.now(), dry_run=True).added
        except ProjectError:
            raise
        except PublisherError:  # it was cancelled, or is too old
            return 0

    def _subscriber_counts(self) -> dict[SubscriberStatus, int]:
        counts = self._context.store.subscribers.counts()
        return {status: counts.get(status, 0) for status in SubscriberStatus}

    def _unconfirmed_hosts(self) -> list[Host]:
        """Return the other hosts that have run the project but may not send, because they are not confirmed."""
        here = host_id(self._context.config.root, os.environ)
        return [
            host
            for host in self._context.store.hosts.list()
            if host.confirmed_at is None and host.forgotten_at is None and host.id != here
        ]

    def _page(self, request: Request, session: Session, template: str, title: str, **variables: Any) -> Response:
        return self._pages.page(template, title, session, said=request.query_params.get("said", ""), **variables)


def find_edition(context: WebContext, request: Request) -> Edition:
    """Return the edition whose number is in the URL. Raise NotFoundError if it does not exist."""
    number = request.path_params["edition"]
    edition = context.store.editions.get(number) if number < 2**62 else None
    if edition is None:
        raise NotFoundError(f"there is no edition {number}")
    return edition


def _errors(config: Config, now: datetime) -> list[Problem]:
    """Return the errors of posts, which are skipped or shown in their last readable version."""
    return [problem for problem in open_archive(config, now).problems if problem.severity is Severity.ERROR]


def _last_versions(config: Config, errors: Sequence[Problem]) -> list[tuple[str, datetime | None]]:
    """Return the posts that the site shows in their last readable version, and since when, if that is recorded."""
    since = LastVersions(config).unreadable_since()
    paths = sorted({problem.path for problem in errors if problem.shows_last_version})
    return [(path, since.get(out_of_folder(config.posts.folder, path))) for path in paths]


def owner_address(config: Config, newsletter: str) -> str:
    """Return the default address for test emails.

    It is the author's address, or else the sender's, or "" if neither is configured.
    """
    found = config.newsletter(newsletter)
    author = config.site.author.email if config.site.author else ""
    return author or split_mailbox((found.sender if found else "") or config.mail.sender)[1]


def _sends_each_post(newsletter: NewsletterConfig) -> bool:
    return parse_schedule(newsletter.schedule).kind is ScheduleKind.EACH_POST


def framed(html: str) -> Response:
    """Return the HTML of an email for a frame on a page."""
    body = open_links_in_tabs(html).encode("utf-8", "replace")
    return Response(body, 200, admin_email_headers(), "text/html; charset=utf-8")


def _findings(found: ProjectCheck) -> list[tuple[str, object]]:
    """Return the name of each newsletter with the errors and warnings about its next email.

    Newsletters without any are omitted.
    """
    shown = [
        (proof.planned.newsletter.name, [finding for finding in proof.findings if finding.level != "note"])
        for proof in found.letters
    ]
    return [(name, findings) for name, findings in shown if findings]
