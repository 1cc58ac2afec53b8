"""All kinds of findings: the code of each, its level, its meaning and a hint.

docs/findings.md is generated from this file: run docs/generate_findings.py after a change.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from publisher.core.frozen import dataclass

FindingLevel = Literal["error", "warning", "note"]
_RANKS = {"error": 0, "warning": 1, "note": 2}


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem of an email, described in one line.

    level    error: the problem harms subscribers or breaks the law; warning: the email looks worse than intended;
             note: no action is needed
    code     a short and permanent name, such as "alt-missing"
    message  a description of the problem, without a full stop at the end
    where    a place in the project: "posts/hello.md:12", "templates/email/digest.html:40", "publisher.toml:9"
    hint     how to fix it
    """

    level: FindingLevel
    code: str
    message: str
    where: str
    hint: str

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.where}: {self.message}{hint}"


class FindingKind(NamedTuple):
    """The level, meaning and hint of all findings with the same code."""

    level: FindingLevel
    meaning: str
    hint: str


def found(code: str, where: str, message: str, hint: str = "", level: FindingLevel | None = None) -> Finding:
    """Return a finding with a code of CODES, which also provides the level and the hint unless they are given."""
    kind = CODES[code]
    return Finding(level or kind.level, code, message, where, hint or kind.hint)


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings without duplicates: errors, then warnings, then notes, each sorted by place."""
    return sorted(set(findings), key=lambda each: (_RANKS[each.level], each.where, each.code, each.message))


CODES: dict[str, FindingKind] = {
    # What the law and the large providers require.
    "unsubscribe-missing": FindingKind(
        "error",
        "There is no unsubscribe link. Most countries, Gmail, Yahoo and Outlook require one in every newsletter.",
        'link to {{ mark.UNSUBSCRIBE }}, or keep the block "links" of the shipped template',
    ),
    "unsubscribe-unanswered": FindingKind(
        "error",
        "Nothing answers the unsubscribe link, because it leads to a site that another program makes or that consists "
        "of files. Only `publisher run` or `publisher serve` answers it.",
        "set web.public_url to where `publisher run` answers",
    ),
    "postal-missing": FindingKind(
        "warning",
        "There is no postal address. Many countries require one by law in every newsletter.",
        'postal_address = "..." under [site]',
    ),
    "sender-missing": FindingKind(
        "warning",
        "No From address is set, so emails are sent from a made-up address.",
        'sender = "Ada <ada@your.domain>" under [mail]',
    ),
    "sender-placeholder": FindingKind(
        "error",
        "The From address is at a domain reserved for examples (RFC 2606), which mail servers reject. It is a note if "
        "emails go to the outbox, and a warning if the mail server is on this host, where you may be testing.",
        "use an address at your own domain",
    ),
    "setting-placeholder": FindingKind(
        "error",
        "A setting still has the value of an example: a domain that is reserved for examples (RFC 2606), or the name "
        "that `publisher init` writes. `publisher check` reports it as a warning if emails go to the outbox.",
        "write your own",
    ),
    "name-alone": FindingKind(
        "warning",
        'The email prints subscribers\' names with {{ mark.NAME }}, and nothing for people without one: "Dear ,".',
        'write {{ subscriber.name | default("friend") }}',
    ),
    # What the inbox shows before the email is opened.
    "subject-empty": FindingKind("error", "The email has no subject.", "write a subject"),
    "subject-long": FindingKind(
        "warning",
        "The subject is longer than the 60 characters that an inbox shows on a wide screen; a phone shows about 40.",
        "put what matters first and cut the rest",
    ),
    "subject-unknown": FindingKind(
        "warning",
        "The subject has an unknown placeholder, which subscribers will see as is.",
        "use {title}, {number}, {date}, {first} and {count}",
    ),
    "preheader-missing": FindingKind(
        "warning",
        "There is no preview text, so the inbox shows whatever comes first in the email.",
        "give the first post an excerpt, or the edition's note a preheader",
    ),
    "preheader-repeats": FindingKind(
        "warning",
        "The preheader repeats the subject; use it to say what else is inside.",
        "give the edition's note a preheader of its own",
    ),
    # The email as a whole.
    "size-fallback": FindingKind(
        "warning",
        "With everything that the newsletter is set to include, Gmail would cut the email off: it does so near 102 KB "
        "of HTML, and hides the unsubscribe link at the end. So the email has excerpts instead of whole posts, or "
        "titles instead of excerpts.",
        'set content = "excerpt" yourself, put fewer posts in an edition (maximum), or shorten the longest',
    ),
    "size-clipped": FindingKind(
        "warning",
        "The HTML is over 100,000 bytes even with titles alone, so Gmail cuts the email off and hides its end.",
        "put fewer posts in an edition (maximum), or make the template smaller",
    ),
    "style-budget": FindingKind(
        "warning",
        "The <style> blocks left in the email have more than 16,384 characters together, so Gmail drops them all.",
        "keep only media, hover and dark-mode rules there; put the rest in letter.css, which is inlined",
    ),
    "style-nested": FindingKind(
        "warning",
        "A <style> block has an at-rule inside another one, so Gmail drops the whole block.",
        "combine the conditions in one at-rule: @media (a) and (b)",
    ),
    "text-missing": FindingKind(
        "error",
        "The plain-text version is empty. People who read plain text see nothing, and spam filters mark it down.",
        "fix the template's .txt file, or delete it to use the shipped one",
    ),
    "posts-missing": FindingKind(
        "error",
        "None of the edition's posts appears in the email.",
        'use the template digest, post or plain, or fill the block "posts"',
    ),
    "block-unknown": FindingKind(
        "warning",
        "A template overrides a block that does not exist in any template it extends, so nothing is shown.",
        "see docs/templates.md for the names of the blocks",
    ),
    "post-empty": FindingKind(
        "warning",
        "A post in the email has neither text nor a picture, or only inside a condition that some "
        "subscribers don't meet.",
        "write it, or keep it out with draft: true",
    ),
    "text-hidden": FindingKind(
        "error",
        "Readers would miss words of a post, because a comment in it is never closed and hides everything after it; "
        "or they would see a comment, because it is written as in another editor.",
        "write <!-- before a comment, and --> where it ends",
    ),
    "foreign-code": FindingKind(
        "error",
        "The email shows code of another tool, such as {{ site.time }}, {% include %} or the merge tag *|FNAME|*. "
        "Nothing replaces it, so subscribers would see it as is.",
        "write what subscribers should read, or put it in backticks to show it as code",
    ),
    "post-sample": FindingKind(
        "error",
        "A post in the email still has the sample text of `publisher init`.",
        "replace the text with your own, or keep the post out with draft: true",
    ),
    # What email clients can show.
    "client-support": FindingKind(
        "warning",
        "Gmail, Outlook, Apple Mail or Yahoo do not support something in the email, and nothing takes its place. "
        "The finding names the clients, according to caniemail.com.",
        "do without it, or offer an alternative next to it",
    ),
    "client-fallback": FindingKind(
        "note",
        "Some email clients do not support something in the email. The email reads well without it.",
        "no action needed",
    ),
    "client-removed": FindingKind(
        "warning",
        "Every email client removes this element for safety.",
        "use a link or a linked picture instead",
    ),
    # Pictures.
    "alt-missing": FindingKind(
        "warning",
        "A picture has no alt text: people who block pictures or use a screen reader get nothing.",
        "describe in words what it shows",
    ),
    "picture-heavy": FindingKind(
        "warning",
        "A picture is over 1 MB: slow on a phone, and expensive on a metered connection.",
        "save a smaller version; 1,200 pixels is wide enough for every screen",
    ),
    "picture-width": FindingKind(
        "note",
        "A picture has no width, so Outlook shows it as wide as its file is.",
        'write it as <img src="..." width="300">, in pixels',
    ),
    # Links.
    "link-empty": FindingKind("warning", "A link has no URL.", "give it a URL, or remove it"),
    "link-relative": FindingKind(
        "error",
        "An email has no base URL, so a link without a domain leads nowhere.",
        "write the full URL, with https://",
    ),
    "link-scheme": FindingKind(
        "warning",
        "Email clients only follow links to web pages, email addresses and telephone numbers.",
        "write a URL that starts with https://",
    ),
    "link-fragment": FindingKind(
        "warning",
        "Links within an email (#name) do not work in every email client.",
        "link to that part of the post's page",
    ),
    "link-broken": FindingKind(
        "warning",
        "A link or picture of your own site points to a page that the build does not create.",
        "fix the URL",
    ),
    "link-elsewhere": FindingKind(
        "note",
        "A link is written with your site's own domain, but the build does not create that page. Something else may.",
        "check that it exists",
    ),
    "link-local": FindingKind(
        "warning",
        "A link leads to a host that only you can reach.",
        "write the public URL",
    ),
    "link-placeholder": FindingKind(
        "note",
        "A link leads to a domain reserved for examples (RFC 2606). In a template it is a warning, and an error if "
        "emails are really sent.",
        "write the real URL, unless it is meant as an example",
    ),
    # Colours.
    "contrast": FindingKind(
        "warning",
        "The text has too little contrast with its background: less than 4.5 to 1, or 3 to 1 for large text "
        "(WCAG 2.2, 1.4.3).",
        "make the text darker, or its background lighter",
    ),
    "contrast-dark": FindingKind(
        "warning",
        "The same in dark mode, according to the rules in @media (prefers-color-scheme: dark).",
        "make the text lighter there, or its background darker",
    ),
    # The project's own CSS, before it becomes style attributes.
    "css-import": FindingKind(
        "error",
        "The CSS of an email has an @import. It is refused, and no email is made, because nothing is fetched for one.",
        "put the rules themselves in its place",
    ),
    "css-link": FindingKind(
        "error",
        'An email template links to a stylesheet (<link rel="stylesheet">). It is refused, like an @import.',
        "put the rules in a <style>",
    ),
    "css-nested": FindingKind(
        "error",
        "A rule or at-rule is inside another one. It is left out, because Gmail drops all styles of an email that "
        "has one.",
        "write it separately",
    ),
    "css-unclosed": FindingKind(
        "error",
        "A block or comment is never closed, so all rules after it are lost. No email is made.",
        "add the missing } or */",
    ),
    "css-syntax": FindingKind("warning", "Invalid CSS; ignored, as in browsers.", "fix it"),
    "css-selector": FindingKind("warning", "Invalid selector; its rule is ignored.", "fix it"),
    "css-declaration": FindingKind("warning", "Invalid declaration; ignored.", "write `property: value;`"),
    "css-at-rule": FindingKind("warning", "An at-rule that email clients do not know is left out.", "do without it"),
    "css-kept": FindingKind(
        "note",
        "A rule that can't be inlined stays in a <style>, which some clients ignore; a warning for @font-face, which "
        "most clients ignore.",
        "if this is intended, put it in templates/email/letter-kept.css",
    ),
    "css-weak": FindingKind(
        "note",
        "A declaration in a kept rule has no !important, so a style attribute overrides it.",
        "add !important",
    ),
    # Spam, only with --spam.
    "spam-score": FindingKind(
        "warning",
        "The score of SpamAssassin's local tests: a note below two points, a warning from two points, and an error "
        "where it counts as spam (five points by default).",
        "look at the tests that are named",
    ),
    "spam-unmeasured": FindingKind(
        "note",
        "SpamAssassin is not installed, or gave no answer.",
        "install it (on Debian: apt install spamassassin)",
    ),
}
