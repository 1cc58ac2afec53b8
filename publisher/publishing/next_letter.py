"""Proofs: each newsletter's next letter as it would go out now, and what is wrong with it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from publisher.config import Config, NewsletterConfig, ScheduleKind, parse_schedule
from publisher.core.errors import PublisherError
from publisher.core.models import RenderedPost
from publisher.core.newsletter_models import Edition, Letter
from publisher.core.templates import Templates
from publisher.newsletters.lint.finding_codes import Finding
from publisher.newsletters.select import select_posts
from publisher.newsletters.slots import post_slot
from publisher.posts.archive import Archive
from publisher.publishing.render import Planned, Press, newsletter_posts
from publisher.site.build.site_files import built_paths

if TYPE_CHECKING:
    from publisher.store import Store

# Signs links that no project can read: whoever follows one of a sample changes nobody's subscription.
_SECRET = secrets.token_hex(32)


@dataclass(frozen=True, slots=True)
class Proof:
    """One newsletter's next letter with its findings, or why it cannot be made."""

    planned: Planned
    letter: Letter | None
    findings: tuple[Finding, ...]
    error: PublisherError | None = None


def next_edition(
    config: Config, store: Store | None, newsletter: NewsletterConfig, archive: Archive, now: datetime
) -> Planned:
    """Return the edition that comes next, whether or not it is due: of what was never sent.

    A newsletter that has sent everything, or nothing yet, shows what it would begin with. Of a newsletter that
    sends each post by itself, the oldest new post.
    """
    planned = newsletter_posts(config, newsletter, archive, now)
    if store is None:
        return planned
    posts, slot, number = planned.posts, planned.slot, planned.number
    if store.editions.slots(newsletter.name):
        handled = store.editions.handled_posts(newsletter.name)
        new = select_posts(
            list(archive.posts), newsletter, handled, False, now, config.newsletter_zone(newsletter)
        ).posts
        if new:
            posts, number = new, store.editions.next_number(newsletter.name)
        if new and parse_schedule(newsletter.schedule).kind is ScheduleKind.EACH_POST:
            posts, slot = new[-1:], post_slot(new[-1].id)
    next_one = replace(planned, posts=posts, slot=slot, number=number)
    return next_one.for_choices(store.subscribers.choices(newsletter.name, now))


class Proofreader:
    """Looks at letters of one project at one state of its posts. What letters share is made once."""

    def __init__(self, config: Config, archive: Archive) -> None:
        from publisher.posts.markup import Renderer

        self._config, self._archive = config, archive
        self._renderer = Renderer(archive, config)
        self._templates = Templates(config.root / "templates")

    def findings(self, planned: Planned, letter: Letter) -> list[Finding]:
        """Return what is wrong with a letter of a planned edition, without running another program."""
        from publisher.newsletters.lint.lint_letter import lint_letter

        posts = [self._renderer.render(post) for post in planned.posts]
        return lint_letter(
            letter,
            config=self._config,
            newsletter=planned.newsletter,
            posts=posts,
            templates=self._templates,
            slot=planned.slot,
            paths=self._paths(posts),
        )

    def spam(self, planned: Planned, letter: Letter, now: datetime) -> list[Finding]:
        """Return what SpamAssassin says of the letter as a message; takes some seconds."""
        from publisher.newsletters.lint.spam import spam_findings

        where = f"templates/email/{planned.newsletter.template}.html"
        edition = Edition(0, planned.newsletter.name, planned.slot, planned.number, letter.subject, now)
        return spam_findings(sample_message(self._config, edition, letter), where)

    def _paths(self, posts: Sequence[RenderedPost]) -> frozenset[str] | None:
        if not self._config.pages.enabled:
            return None  # another tool makes the site
        files = (path for post in posts for path, _ in (*post.assets, *post.post.files))
        return self._planned_paths.union(files)

    @cached_property
    def _planned_paths(self) -> frozenset[str]:
        return built_paths(self._config, self._archive, ())


def read_proofs(
    config: Config, store: Store | None, archive: Archive, now: datetime, *, spam: bool = False
) -> Iterator[Proof]:
    """Yield the proof of each newsletter that has a post to show; a letter that cannot be made has its error.

    spam  asks SpamAssassin too
    """
    press, reader = Press(config, archive), Proofreader(config, archive)
    for newsletter in config.newsletters:
        planned = next_edition(config, store, newsletter, archive, now)
        if not planned.posts:
            continue
        try:
            letter = press.letter(planned, now)
        except PublisherError as error:
            yield Proof(planned, None, (), error)
            continue
        measured = reader.spam(planned, letter, now) if spam else []
        yield Proof(planned, letter, (*reader.findings(planned, letter), *measured))


def sample_message(config: Config, edition: Edition, letter: Letter, *, name: str = "", address: str = "") -> bytes:
    """Return the letter as the message that this reader would get; the links in it belong to nobody.

    address  the sender's own, if none is given. Raises ValueError for a sender that cannot stand in a header.
    """
    from publisher.mail.links import Links
    from publisher.mail.message import MessageTemplate, Recipient, message_id
    from publisher.mail.send_test import NOBODY
    from publisher.publishing.wiring import headers_of

    headers = headers_of(config, edition.newsletter)
    links = Links(config.public_url, _SECRET)
    recipient = Recipient(
        address=address or headers.sender_address,
        name=name,
        message_id=message_id(edition, NOBODY, headers.sender),
        unsubscribe_url=links.unsubscribe(NOBODY, edition.newsletter),
        preferences_url=links.preferences(NOBODY),
    )
    return MessageTemplate.of(letter, headers, edition.made_at).join(recipient)
