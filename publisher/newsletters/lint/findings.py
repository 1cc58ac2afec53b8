"""Every finding there is: its code, how bad it is, what it means, how it is mended. docs/findings.md says the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

Level = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a letter, said in one line.

    level    error: readers or the law are wronged; warning: readers see something worse than was meant;
             note: good to know, and nothing has to be done
    code     short and permanent, such as "alt-missing"; docs/findings.md lists them all
    message  what is wrong, without a full stop at its end
    where    a place of the project: "posts/hello.md:12", "templates/email/digest.html:40", "publisher.toml:9"
    mend     what to do about it
    """

    level: Level
    code: str
    message: str
    where: str
    hint: str

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.where}: {self.message}{hint}"


class Kind(NamedTuple):
    """What all findings of one code have in common."""

    level: Level
    meaning: str
    hint: str


CODES: dict[str, Kind] = {
    # The law, and the way out.
    "unsubscribe-missing": Kind(
        "error",
        "The letter has no link for leaving. The law of most countries and the rules of Gmail, Yahoo and Outlook "
        "want one in every newsletter.",
        'link to {{ mark.UNSUBSCRIBE }}, or keep the block "links" of the shipped template',
    ),
    "postal-missing": Kind(
        "warning",
        "The letter names no postal address. The law of many countries wants one in newsletters.",
        'postal_address = "..." under [site]',
    ),
    "sender-missing": Kind(
        "warning",
        "No From address is set, so letters come from a made-up one.",
        'sender = "Ada <ada@your.domain>" under [mail]',
    ),
    "sender-placeholder": Kind(
        "error",
        "The From address is of a domain that exists for examples only (RFC 2606). Mail servers refuse it; in an "
        "outbox it is only noted, and with a mail server on this machine, which may be a trial, it is a warning.",
        "use an address of your own domain",
    ),
    # What an inbox shows before the letter is opened.
    "subject-empty": Kind("error", "The letter has no subject.", "write a subject"),
    "subject-long": Kind(
        "warning",
        "The subject is longer than the 60 characters that an inbox on a wide screen shows; a phone shows about 40.",
        "begin with what matters, and leave the rest out",
    ),
    "subject-unknown": Kind(
        "warning",
        "The subject asks in braces for something that there is not, so readers see the braces.",
        "use {title}, {number}, {date}, {first} and {count}",
    ),
    "preheader-missing": Kind(
        "warning",
        "Nothing stands behind the subject in the inbox, so mail programs show whatever comes first in the letter.",
        "give the first post an excerpt, or the letter's note a preheader",
    ),
    "preheader-repeats": Kind(
        "warning",
        "The preheader says the subject again, where it could say what else there is.",
        "give the letter's note a preheader of its own",
    ),
    # The letter as a whole.
    "size-fallback": Kind(
        "warning",
        "With all that the newsletter asks for, Gmail would cut the letter off (near 102 KB of HTML, with the link "
        "for leaving at the end). So it carries excerpts instead of whole posts, or titles instead of excerpts.",
        'say content = "excerpt" yourself, put fewer posts into an edition (maximum), or shorten the longest',
    ),
    "size-clipped": Kind(
        "warning",
        "The HTML is over 100,000 bytes even with titles alone: Gmail cuts the letter off and hides its end.",
        "put fewer posts into an edition (maximum), or make the template smaller",
    ),
    "style-budget": Kind(
        "warning",
        "The <style> blocks that stay in the letter have more than 16,384 characters together: Gmail drops them all.",
        "keep only media, hover and dark rules there; the rest belongs into letter.css, which is inlined",
    ),
    "style-nested": Kind(
        "warning",
        "A <style> block holds an at-rule inside another: Gmail drops the whole block.",
        "write the conditions into one at-rule: @media (a) and (b)",
    ),
    "text-missing": Kind(
        "error",
        "The plain-text part is empty. People without HTML read nothing, and spam filters count it against you.",
        "mend the template's .txt file, or delete it to get the shipped one",
    ),
    "posts-missing": Kind(
        "error",
        "The letter shows none of its posts.",
        'take the template digest, post or plain, or fill the block "posts"',
    ),
    "block-unknown": Kind(
        "warning",
        "A template overrides a block that no template it extends has, so it shows nothing.",
        "docs/templates.md names the blocks",
    ),
    "post-empty": Kind(
        "warning",
        "A post of the letter has neither words nor a picture.",
        "write it, or keep it out with draft: true",
    ),
    # What mail programs can show.
    "client-support": Kind(
        "warning",
        "Gmail, Outlook, Apple Mail or Yahoo do not support something the letter uses, and nothing takes its place. "
        "The finding names the programs, by the data of caniemail.com.",
        "do without it, or offer something beside it",
    ),
    "client-fallback": Kind(
        "note",
        "Some mail programs do not support something the letter uses. The letter reads well without it.",
        "nothing has to be done",
    ),
    "client-removed": Kind(
        "warning",
        "Every mail program takes such an element out, for safety.",
        "put a link or a linked picture in its place",
    ),
    # Pictures.
    "alt-missing": Kind(
        "warning",
        "A picture has no alt text: who has pictures off, or cannot see, gets nothing.",
        "say in words what it shows",
    ),
    "picture-heavy": Kind(
        "warning",
        "A picture is over 1 MB: slow on a phone, and a price for many.",
        "save it smaller; 1,200 pixels are wide enough for every screen",
    ),
    "picture-width": Kind(
        "note",
        "A picture has no width, so Outlook shows it as wide as its file is.",
        'write it as <img src="..." width="300">, in pixels',
    ),
    # Links.
    "link-empty": Kind("warning", "A link leads nowhere.", "give it an address, or take it out"),
    "link-relative": Kind(
        "error",
        "A letter has no place of its own, so an address without a domain leads nowhere in it.",
        "write the whole address, with https://",
    ),
    "link-scheme": Kind(
        "warning",
        "Mail programs follow only addresses of the web, of mail and of telephones.",
        "write an address that begins with https://",
    ),
    "link-fragment": Kind(
        "warning",
        "Links inside a letter (#name) do not work in all mail programs.",
        "link to the place on the post's page",
    ),
    "link-broken": Kind(
        "warning",
        "A link or picture of your own site leads to what the build does not write.",
        "mend the address",
    ),
    "link-elsewhere": Kind(
        "note",
        "A link is written with your site's own domain, and the build writes nothing there. Something else may.",
        "look whether it is there",
    ),
    "link-local": Kind(
        "warning",
        "A link leads to a machine that only you can reach.",
        "write the public address",
    ),
    "link-placeholder": Kind(
        "note",
        "A link leads to a domain that exists for examples only (RFC 2606).",
        "write the real address, unless it is meant as an example",
    ),
    # Colours.
    "contrast": Kind(
        "warning",
        "Text has too little contrast to its background: under 4.5 to 1, or 3 to 1 for large text (WCAG 2.2, 1.4.3).",
        "make the text darker, or its background lighter",
    ),
    "contrast-dark": Kind(
        "warning",
        "The same in dark mode, by the rules of @media (prefers-color-scheme: dark).",
        "make the text lighter there, or its background darker",
    ),
    # The writer's CSS, before it becomes style attributes.
    "css-import": Kind(
        "error",
        "A letter's CSS has an @import. It is refused, and no letter is made: nothing is ever fetched.",
        "copy the rules in its place",
    ),
    "css-link": Kind(
        "error",
        'A letter\'s template links to a stylesheet (<link rel="stylesheet">). It is refused, as @import is.',
        "put the rules into a <style>",
    ),
    "css-nested": Kind(
        "error",
        "A rule or at-rule stands inside another. It is left out: Gmail drops all styles of a letter that holds one.",
        "write it by itself",
    ),
    "css-unclosed": Kind(
        "error",
        "A block or comment is never closed, so all rules behind it are lost. No letter is made.",
        "write the } or */ that is missing",
    ),
    "css-syntax": Kind("warning", "This is no CSS, and is skipped, as browsers skip it.", "mend it"),
    "css-selector": Kind("warning", "This selector is none, and its rule is skipped.", "mend it"),
    "css-declaration": Kind("warning", "This is no declaration, and is skipped.", "write `property: value;`"),
    "css-at-rule": Kind("warning", "An at-rule that mail programs do not know is left out.", "do without"),
    "css-kept": Kind(
        "note",
        "A rule that no style attribute can say stays a rule, which programs that read none skip; for @font-face, "
        "which most skip, a warning.",
        "if that is meant, it reads better in templates/email/letter-kept.css",
    ),
    "css-weak": Kind(
        "note",
        "A kept declaration has no !important, so a style attribute wins over it.",
        "add !important",
    ),
    # Spam, only with --spam.
    "spam-score": Kind(
        "warning",
        "The score of SpamAssassin's local tests: a note below two points, a warning from there on, an error where it "
        "counts as spam (at five, as it comes).",
        "look at the tests that are named",
    ),
    "spam-unmeasured": Kind(
        "note",
        "SpamAssassin is not installed, or gave no answer.",
        "install it (on Debian: apt install spamassassin)",
    ),
}


def found(code: str, where: str, message: str, hint: str = "", level: Level | None = None) -> Finding:
    """Return a finding of a code of CODES; its level and its mend are the code's, unless given."""
    kind = CODES[code]
    return Finding(level or kind.level, code, message, where, hint or kind.hint)


_RANKS = {"error": 0, "warning": 1, "note": 2}


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings without repetition: errors, warnings, notes, and each by place."""
    return sorted(set(findings), key=lambda each: (_RANKS[each.level], each.where, each.code, each.message))
