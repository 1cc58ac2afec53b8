"""What a newsletter owes its readers: a way out, an address, a sender, and a text that everybody can read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.utils import parseaddr

from publisher.config import Mail
from publisher.core.newsletter_models import Mark
from publisher.newsletters.letter.compose import SUBJECT_LENGTH
from publisher.newsletters.letter.note import NOTES_FOLDER
from publisher.newsletters.letter.safe_text import one_line, safe_url
from publisher.newsletters.lint.findings import Finding, Level, found
from publisher.newsletters.lint.letter_context import LintContext

# RFC 2606 and RFC 6761: names that nobody will ever own.
_RESERVED = re.compile(r"(?:^|\.)(?:example(?:\.(?:com|net|org))?|test|invalid|localhost)$", re.IGNORECASE)


def is_reserved(host: str) -> bool:
    """Return whether a host's name is one of those that exist for examples and tests only."""
    return bool(_RESERVED.search(host.rstrip(".")))


def duty_findings(context: LintContext) -> Iterator[Finding]:
    """Yield what the letter owes its readers and does not hold."""
    yield from _way_out(context)
    yield from _postal_address(context)
    yield from _sender(context)
    if not context.letter.text.strip():
        yield found("text-missing", context.locator.text_template(), "the plain-text part is empty")
    if context.posts and not _shows_posts(context):
        yield found("posts-missing", context.locator.template(), "the letter shows none of its posts")
    for post in context.posts:
        if not post.words and "<img" not in post.html and not post.post.image and not post.post.enclosures:
            yield found("post-empty", context.locator.post(post), f"the post {post.post.title!r} is empty")


def _shows_posts(context: LintContext) -> bool:
    addresses = {link.get("href", "") for link in context.parsed.tree.iter("a")}
    shown = " ".join(" ".join(each.text_content().split()) for each in context.parsed.tree.iter("body"))
    return any(safe_url(each.post.url) in addresses or one_line(each.post.title) in shown for each in context.posts)


def _way_out(context: LintContext) -> Iterator[Finding]:
    if not any(Mark.UNSUBSCRIBE in link.get("href", "") for link in context.parsed.tree.iter("a")):
        yield found(
            "unsubscribe-missing", context.locator.template(r"block links"), "the letter has no link for unsubscribing"
        )
    elif context.letter.text.strip() and Mark.UNSUBSCRIBE not in context.letter.text:
        yield found(
            "unsubscribe-missing",
            context.locator.text_template(),
            "the plain text has no link for unsubscribing",
            "write {{ mark.UNSUBSCRIBE }}",
        )


def _postal_address(context: LintContext) -> Iterator[Finding]:
    lines = [one_line(line) for line in context.config.site.postal_address.splitlines() if line.strip()]
    if not lines:
        yield found("postal-missing", context.locator.key("site", "postal_address"), "site.postal_address is not set")
        return
    shown = " ".join(context.parsed.tree.text_content().split())
    if any(" ".join(line.split()) not in shown for line in lines):
        yield found(
            "postal-missing",
            context.locator.template(r"block address"),
            "the letter does not show the postal address",
            'keep the block "address" of the shipped template, or print letter.postal',
        )


def _harm(mail: Mail) -> Level:
    """Return how bad a sender is that nobody can be: a mail server on this machine may well be a trial."""
    if mail.transport != "smtp":
        return "note"
    return "warning" if all(server.address.is_near for server in mail.servers) else "error"


def _sender(context: LintContext) -> Iterator[Finding]:
    sender = context.newsletter.sender or context.config.mail.sender
    place = context.locator.key("", "sender") if context.newsletter.sender else context.locator.key("mail", "sender")
    if not sender:
        yield found("sender-missing", place, "mail.sender is not set: letters have no From address")
        return
    address = parseaddr(sender)[1]
    if is_reserved(address.rpartition("@")[2]):
        yield found(
            "sender-placeholder",
            place,
            f"{address} is an address for examples; nobody can send from it",
            level=_harm(context.config.mail),
        )


def inbox_findings(context: LintContext) -> Iterator[Finding]:
    """Yield what is wrong with the letter's subject and preheader."""
    subject, preheader = context.letter.subject.strip(), context.letter.preheader.strip()
    if not subject:
        yield found("subject-empty", context.locator.words("subject"), "the letter has no subject")
    elif len(subject) > SUBJECT_LENGTH:
        yield found(
            "subject-long",
            context.locator.words("subject"),
            f"the subject has {len(subject)} characters, more than {SUBJECT_LENGTH}: {subject!r}",
        )
    yield from _placeholders(context)
    if not preheader:
        yield found("preheader-missing", context.locator.words("preheader"), "the letter has no preheader")
    elif subject and _repeats(preheader, subject):
        yield found(
            "preheader-repeats", context.locator.words("preheader"), f"the preheader repeats the subject: {preheader!r}"
        )


def _placeholders(context: LintContext) -> Iterator[Finding]:
    """Yield what a subject asks for in vain; braces in the title of a post are meant."""
    place = context.locator.words("subject")
    for name in re.findall(r"\{\w+\}", context.letter.subject):
        if place.startswith(f"{NOTES_FOLDER}/") or name in context.newsletter.subject:
            yield found("subject-unknown", place, f"the subject says {name}, which stands for nothing")


_NEWS = 20  # characters that a preheader has to say beyond the subject that it begins with


def _repeats(preheader: str, subject: str) -> bool:
    """Whether the preheader says no more than the subject; what an ellipsis cut off does not count."""
    one, other = (" ".join(text.casefold().rstrip(" .…!?").split()) for text in (preheader, subject))
    return one in other or (one.startswith(other) and len(one) < len(other) + _NEWS)
