"""What a newsletter owes its readers: a way out, an address, a sender, and a text that everybody can read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.utils import parseaddr

from publisher.config import Mail
from publisher.core.newsletter_models import Mark
from publisher.newsletters.letter import sanitise as defuse
from publisher.newsletters.letter.finding import Finding, Level
from publisher.newsletters.lint.codes import found
from publisher.newsletters.lint.letter_context import Case

# RFC 2606 and RFC 6761: names that nobody will ever own.
_RESERVED = re.compile(r"(?:^|\.)(?:example(?:\.(?:com|net|org))?|test|invalid|localhost)$", re.IGNORECASE)


def is_reserved(host: str) -> bool:
    """Return whether a host's name is one of those that exist for examples and tests only."""
    return bool(_RESERVED.search(host.rstrip(".")))


def duty_findings(case: Case) -> Iterator[Finding]:
    """Yield what the letter owes its readers and does not hold."""
    yield from _way_out(case)
    yield from _postal_address(case)
    yield from _sender(case)
    if not case.letter.text.strip():
        yield found("text-missing", case.places.text_template(), "the plain-text part is empty")
    if case.posts and not _shows_posts(case):
        yield found("posts-missing", case.places.template(), "the letter shows none of its posts")
    for post in case.posts:
        if not post.words and "<img" not in post.html and not post.post.image and not post.post.enclosures:
            yield found("post-empty", case.places.post(post), f"the post {post.post.title!r} is empty")


def _shows_posts(case: Case) -> bool:
    addresses = {link.get("href", "") for link in case.sheet.tree.iter("a")}
    shown = " ".join(" ".join(each.text_content().split()) for each in case.sheet.tree.iter("body"))
    return any(
        defuse.address(each.post.url) in addresses or defuse.one_line(each.post.title) in shown for each in case.posts
    )


def _way_out(case: Case) -> Iterator[Finding]:
    if not any(Mark.UNSUBSCRIBE in link.get("href", "") for link in case.sheet.tree.iter("a")):
        yield found(
            "unsubscribe-missing", case.places.template(r"block links"), "the letter has no link for unsubscribing"
        )
    elif case.letter.text.strip() and Mark.UNSUBSCRIBE not in case.letter.text:
        yield found(
            "unsubscribe-missing",
            case.places.text_template(),
            "the plain text has no link for unsubscribing",
            "write {{ mark.UNSUBSCRIBE }}",
        )


def _postal_address(case: Case) -> Iterator[Finding]:
    lines = [defuse.one_line(line) for line in case.config.site.postal_address.splitlines() if line.strip()]
    if not lines:
        yield found("postal-missing", case.places.key("site", "postal_address"), "site.postal_address is not set")
        return
    shown = " ".join(case.sheet.tree.text_content().split())
    if any(" ".join(line.split()) not in shown for line in lines):
        yield found(
            "postal-missing",
            case.places.template(r"block address"),
            "the letter does not show the postal address",
            'keep the block "address" of the shipped template, or print letter.postal',
        )


def _harm(mail: Mail) -> Level:
    """Return how bad a sender is that nobody can be: a mail server on this machine may well be a trial."""
    if mail.transport != "smtp":
        return "note"
    return "warning" if all(server.address.is_near for server in mail.servers) else "error"


def _sender(case: Case) -> Iterator[Finding]:
    sender = case.newsletter.sender or case.config.mail.sender
    place = case.places.key("", "sender") if case.newsletter.sender else case.places.key("mail", "sender")
    if not sender:
        yield found("sender-missing", place, "mail.sender is not set: letters have no From address")
        return
    address = parseaddr(sender)[1]
    if is_reserved(address.rpartition("@")[2]):
        yield found(
            "sender-placeholder",
            place,
            f"{address} is an address for examples; nobody can send from it",
            level=_harm(case.config.mail),
        )
