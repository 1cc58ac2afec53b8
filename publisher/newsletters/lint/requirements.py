"""Checks that a newsletter has an unsubscribe link, a postal address, a sender, a subject, text and posts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.utils import parseaddr

from publisher.config import Mail
from publisher.config.placeholders import is_reserved, placeholders, sends_for_real
from publisher.core.errors import PublisherError
from publisher.core.models import RenderedPost, Severity
from publisher.core.newsletter_models import Mark
from publisher.mail.settings_lint import unanswered_links
from publisher.newsletters.letter.compose import SUBJECT_LENGTH
from publisher.newsletters.letter.note import NOTES_FOLDER
from publisher.newsletters.letter.personal import is_empty_for_some, personal_post
from publisher.newsletters.letter.safe_text import one_line, safe_url
from publisher.newsletters.letter.template_context import postal_lines
from publisher.newsletters.lint.finding_codes import Finding, FindingLevel, found
from publisher.newsletters.lint.letter_context import LintContext

# What a post without words may show, and the part of it that becomes a link with words in an email.
_SHOWS = re.compile(r"<(?:img|iframe|video|audio)\b")
_PLAYS = re.compile(r"<(?:iframe|video|audio)\b")
# How the first post of `publisher init` begins, in this version and in 0.1.
_SAMPLE = re.compile(
    r"^This is the first paragraph, (?:so it is also|and so it is) the excerpt that lists and", re.MULTILINE
)
_NEWS = 20  # characters that a preheader must add if it begins with the subject


def requirement_findings(context: LintContext) -> Iterator[Finding]:
    """Yield a finding for each required part that the letter lacks."""
    yield from _unsubscribe_link(context)
    yield from _name_alone(context)
    yield from _postal_address(context)
    yield from _sender(context)
    yield from _placeholder_settings(context)
    yield from _unsubscribe_answer(context)
    if not context.letter.text.strip():
        yield found("text-missing", context.locator.text_template(), "the plain-text version is empty")
    if context.posts and not _shows_posts(context):
        yield found("posts-missing", context.locator.template(), "the email shows none of its posts")
    for post in context.posts:
        yield from _of_post(context, post)


def _of_post(context: LintContext, post: RenderedPost) -> Iterator[Finding]:
    if not post.words and not _SHOWS.search(post.html) and not post.post.image and not post.post.enclosures:
        yield found("post-empty", context.locator.post(post), f"the post {post.post.title!r} is empty")
    elif _is_empty_for_some(context, post):
        what = f"subscribers who don't meet the condition in the post {post.post.title!r} see nothing of it"
        yield found("post-empty", context.locator.post(post, "{%"), what, "add {% else %} with words for them")
    for problem in post.problems:
        if problem.severity is Severity.ERROR:
            yield found("text-hidden", problem.where, problem.message, problem.hint)
    if sample := _SAMPLE.search(context.locator.source(post)):
        where = context.locator.post(post, sample[0])
        yield found("post-sample", where, f"the post {post.post.title!r} has the text that `publisher init` wrote")


def _is_empty_for_some(context: LintContext, post: RenderedPost) -> bool:
    try:
        return is_empty_for_some(personal_post(post, context.config, context.newsletter).html)
    except PublisherError:  # a tag is wrong, which is an error of the letter
        return False


def inbox_findings(context: LintContext) -> Iterator[Finding]:
    """Yield findings about the subject and the preheader, which an inbox shows before the email is opened."""
    subject, preheader = context.letter.subject.strip(), context.letter.preheader.strip()
    if not subject:
        yield found("subject-empty", context.locator.words("subject"), "the email has no subject")
    elif len(subject) > SUBJECT_LENGTH and [one_line(post.post.title) for post in context.posts] != [subject]:
        yield found(
            "subject-long",
            context.locator.words("subject"),
            f"the subject has {len(subject)} characters, more than {SUBJECT_LENGTH}: {subject!r}",
        )
    yield from _placeholders(context)
    if not preheader:
        if not (context.posts and _PLAYS.search(context.posts[0].html)):
            hint = "begin its text with a sentence, or add a line `preheader: ...`" if context.locator.is_text else ""
            yield found("preheader-missing", context.locator.words("preheader"), "the email has no preheader", hint)
    elif subject and _repeats(preheader, subject):
        what = f"the preheader repeats the subject: {preheader!r}"
        hint = "give it a `preheader` of its own" if context.locator.is_text else ""
        yield found("preheader-repeats", context.locator.words("preheader"), what, hint)


def _unsubscribe_link(context: LintContext) -> Iterator[Finding]:
    if not any(Mark.UNSUBSCRIBE in link.get("href", "") for link in context.parsed.tree.iter("a")):
        yield found(
            "unsubscribe-missing", context.locator.template(r"block links"), "the email has no unsubscribe link"
        )
    elif context.letter.text.strip() and Mark.UNSUBSCRIBE not in context.letter.text:
        yield found(
            "unsubscribe-missing",
            context.locator.text_template(),
            "the plain text has no unsubscribe link",
            "write {{ mark.UNSUBSCRIBE }}",
        )


def _name_alone(context: LintContext) -> Iterator[Finding]:
    """Yield a finding if a template prints a name without a text for people who have none."""
    if Mark.NAME in context.letter.html or Mark.NAME in context.letter.text:
        place = context.locator.template(r"\bmark\.NAME\b")
        if place.endswith(".html") and Mark.NAME not in context.letter.html:
            place = context.locator.text_template()
        yield found("name-alone", place, "people without a name see nothing in place of their name")


def _postal_address(context: LintContext) -> Iterator[Finding]:
    lines = postal_lines(context.config)
    if not lines:
        yield found("postal-missing", context.locator.key("site", "postal_address"), "site.postal_address is not set")
        return
    shown = " ".join(context.parsed.tree.text_content().split())
    if any(" ".join(line.split()) not in shown for line in lines):
        yield found(
            "postal-missing",
            context.locator.template(r"block address"),
            "the email does not show the postal address",
            'keep the block "address" of the shipped template, or print letter.postal',
        )


def _sender(context: LintContext) -> Iterator[Finding]:
    sender = context.newsletter.sender or context.config.mail.sender
    place = context.locator.key("", "sender") if context.newsletter.sender else context.locator.key("mail", "sender")
    if not sender:
        yield found("sender-missing", place, "mail.sender is not set, so emails have no From address")
        return
    address = parseaddr(sender)[1]
    if is_reserved(address.rpartition("@")[2]):
        yield found(
            "sender-placeholder",
            place,
            f"{address} is at a placeholder domain, from which no one can send",
            level=_placeholder_level(context.config.mail),
        )


def _placeholder_settings(context: LintContext) -> Iterator[Finding]:
    """Yield a finding for each setting that still has an example's value, if emails are really sent."""
    if sends_for_real(context.config):
        for each in placeholders(context.config):
            if each.harms:
                place = context.locator.key(*each.keys)
                yield found("setting-placeholder", place, each.message, each.hint)


def _unsubscribe_answer(context: LintContext) -> Iterator[Finding]:
    problem = unanswered_links(context.config)
    if problem and problem.severe:
        yield found("unsubscribe-unanswered", context.locator.key(*problem.keys), problem.message, problem.hint)


def _placeholder_level(mail: Mail) -> FindingLevel:
    """Return the level for a sender at a placeholder domain; a mail server on this host may be there for testing."""
    if mail.transport != "smtp":
        return "note"
    return "warning" if all(server.address.is_near for server in mail.servers) else "error"


def _shows_posts(context: LintContext) -> bool:
    urls = {link.get("href", "") for link in context.parsed.tree.iter("a")}
    shown = " ".join(" ".join(each.text_content().split()) for each in context.parsed.tree.iter("body"))
    return any(safe_url(each.post.url) in urls or one_line(each.post.title) in shown for each in context.posts)


def _placeholders(context: LintContext) -> Iterator[Finding]:
    """Yield unknown placeholders in a configured subject; braces that come from a post's title are ignored."""
    place = context.locator.words("subject")
    for name in re.findall(r"\{\w+\}", context.letter.subject):
        if place.startswith(f"{NOTES_FOLDER}/") or name in context.newsletter.subject:
            yield found("subject-unknown", place, f"the subject has an unknown placeholder: {name}")


def _repeats(preheader: str, subject: str) -> bool:
    """Return whether a preheader repeats the subject or adds fewer than _NEWS characters; ignores an ellipsis."""
    one, other = (" ".join(text.casefold().rstrip(" .…!?").split()) for text in (preheader, subject))
    return one in other or (one.startswith(other) and len(one) < len(other) + _NEWS)
