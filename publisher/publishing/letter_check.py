"""Check the next email of each newsletter as it would be sent now."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache, partial
from typing import TYPE_CHECKING

from publisher.config import Config, NewsletterConfig
from publisher.core.errors import PublisherError
from publisher.core.frozen import dataclass
from publisher.core.models import RenderedPost
from publisher.core.newsletter_models import Edition, Letter, slot_path
from publisher.core.personal_marks import Person
from publisher.core.templates import Templates
from publisher.mail.links import Links
from publisher.mail.message import MessageTemplate, Recipient, message_id
from publisher.mail.send_test import NOBODY
from publisher.newsletters.letter.note import NOTES_FOLDER, default_note, note_path, read_note
from publisher.newsletters.letter.own_text import message_template
from publisher.newsletters.letter.personal import marked_setting
from publisher.newsletters.lint.finding_codes import Finding
from publisher.newsletters.lint.lint_letter import lint_letter
from publisher.newsletters.lint.spam import spam_findings
from publisher.posts.archive import Archive
from publisher.posts.markup import Renderer
from publisher.publishing.edition_plan import PlannedEdition
from publisher.publishing.mail_wiring import headers_of
from publisher.publishing.own_emails import OwnEmail, email_name, paths_of_emails, unmade_emails, whole_email
from publisher.publishing.render import EditionRenderer, with_found_fields
from publisher.publishing.sample_editions import next_edition
from publisher.site.build.site_files import built_paths

if TYPE_CHECKING:
    from publisher.store import Store

# Signs the links in samples with a key that no project has, so that following one changes no subscription.
_SECRET = secrets.token_hex(32)


@dataclass(frozen=True, slots=True)
class LetterCheck:
    """One newsletter's next letter with its findings, or why it cannot be rendered."""

    planned: PlannedEdition
    letter: Letter | None
    findings: tuple[Finding, ...]
    error: PublisherError | None = None


def check_letters(
    config: Config,
    store: Store | None,
    archive: Archive,
    now: datetime,
    *,
    spam: bool = False,
    site_paths: Callable[[], frozenset[str]] | None = None,
) -> Iterator[LetterCheck]:
    """Check the next letter of each newsletter that has posts to show, and its emails without posts except drafts.

    spam        whether to ask SpamAssassin too, which takes a few seconds for each letter
    site_paths  returns the same as built_paths, if the site has already been planned
    """
    renderer, checker = EditionRenderer(config, archive), LetterChecker(config, archive, site_paths)
    for newsletter in config.newsletters:
        first = next_edition(config, store, newsletter, archive, now)
        emails = (each for each in unmade_emails(config, store, newsletter) if not each.is_draft)
        for planned in (*([first] if first.posts else []), *(_sample(config, store, each, now) for each in emails)):
            if isinstance(planned, LetterCheck):
                yield planned
                continue
            try:
                letter = renderer.letter(planned, now)
            except PublisherError as error:
                yield LetterCheck(planned, None, (), error)
                continue
            scored = checker.spam(planned, letter, now) if spam else []
            yield LetterCheck(planned, letter, (*checker.findings(planned, letter), *scored))


def _sample(config: Config, store: Store | None, email: OwnEmail, now: datetime) -> PlannedEdition | LetterCheck:
    """Return the edition of an email without posts, or why there cannot be one."""
    try:
        return whole_email(config, store, email, now)
    except PublisherError as error:
        return LetterCheck(PlannedEdition(email.newsletter, email.slot, 0, (), (), ()), None, (), error)


def broken_notes(config: Config, store: Store | None) -> Iterator[tuple[str, PublisherError]]:
    """Yield the problems of notes that wait for their editions, and of texts in a newsletter's settings.

    Each error comes with the name of the newsletter.
    """
    config = with_found_fields(config)
    for newsletter in config.newsletters:
        taken = {slot_path(slot) for slot in store.editions.slots(newsletter.name)} if store else set()
        emails = set(paths_of_emails(config, newsletter))
        names = sorted(path.stem for path in (config.root / NOTES_FOLDER / newsletter.name).glob("*.md"))
        notes = [name for name in names if name not in taken and note_path(newsletter, name) not in emails]
        texts: list[Callable[[], object]] = [
            partial(default_note, config, newsletter),
            partial(marked_setting, config, newsletter, "subject", is_markdown=False),
            *(partial(read_note, config, newsletter, name) for name in notes),
        ]
        for read in texts:
            try:
                read()
            except PublisherError as error:
                yield newsletter.name, error


class LetterChecker:
    """Checks the letters of one project. Posts that several letters have in common are rendered once."""

    def __init__(
        self, config: Config, archive: Archive, site_paths: Callable[[], frozenset[str]] | None = None
    ) -> None:
        self._config = with_found_fields(config)
        self._site_paths = site_paths or cache(partial(built_paths, self._config, archive))
        self._renderer = Renderer(archive, config)
        self._templates = Templates(config.root / "templates")

    def findings(self, planned: PlannedEdition, letter: Letter) -> list[Finding]:
        """Return the findings about a letter of a planned edition, without running another program."""
        newsletter, slot = planned.newsletter, planned.slot
        if planned.text:
            newsletter, slot = as_message(newsletter, slot, self._templates)
        self._renderer.expect(planned.posts)
        posts = [self._renderer.render(post) for post in planned.posts]
        return lint_letter(
            letter,
            config=self._config,
            newsletter=newsletter,
            posts=posts,
            templates=self._templates,
            slot=slot,
            paths=self._paths(posts),
        )

    def spam(self, planned: PlannedEdition, letter: Letter, now: datetime) -> list[Finding]:
        """Return SpamAssassin's findings about the letter as an email. This takes a few seconds."""
        where = planned.text.path if planned.text else f"templates/email/{planned.newsletter.template}.html"
        edition = Edition(0, planned.newsletter.name, planned.slot, planned.number, letter.plain_subject, now)
        return spam_findings(sample_message(self._config, edition, letter), where)

    def _paths(self, posts: Sequence[RenderedPost]) -> frozenset[str] | None:
        if not self._config.pages.enabled:
            return None  # a different tool makes the site
        files = (path for post in posts for path, _ in (*post.assets, *post.post.files))
        return self._site_paths().union(files)


def as_message(newsletter: NewsletterConfig, slot: str, templates: Templates) -> tuple[NewsletterConfig, str]:
    """Return a newsletter and a slot with which the rules find the template and the file of an email without posts."""
    template = message_template(newsletter, templates)
    return replace(newsletter, template=template, subject="", intro=""), email_name(slot).partition(":")[0]


def sample_message(config: Config, edition: Edition, letter: Letter, person: Person | None = None) -> bytes:
    """Return the message that one subscriber would get with this letter. Its personal links do nothing.

    person  the subscriber's name, address and fields; the default address is the sender's own
    Raises ValueError if the sender is not valid in a header.
    """
    person = person or {}
    headers = headers_of(config, edition.newsletter, edition.slot)
    links = Links(config.public_url, _SECRET)
    recipient = Recipient(
        address=str(person.get("address") or headers.sender_address),
        name=str(person.get("name", "")),
        message_id=message_id(edition, NOBODY, headers.sender),
        unsubscribe_url=links.unsubscribe(NOBODY, edition.newsletter),
        preferences_url=links.preferences(NOBODY),
        fields=person,
    )
    return MessageTemplate.of(letter, headers, edition.made_at).join(recipient)
