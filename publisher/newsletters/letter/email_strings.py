"""The fixed phrases of emails, such as "Unsubscribe", in the language of the newsletter."""

from __future__ import annotations

import unicodedata

from publisher.core import i18n
from publisher.core.frozen import dataclass
from publisher.core.i18n import Counted, Plural, translate
from publisher.core.templates import Templates, shipped_folder

ENGLISH: dict[str, str | Plural] = {
    "issue": "No. {number}",
    "minutes": Plural("{count} min read", "{count} min read"),
    "and_more": Plural(" and {count} more", " and {count} more"),
    "contents": "In this edition",
    "read_on": "Continue reading",
    "listen": "Listen to the episode",
    "watch": "Watch the video",
    "play": "Listen to the recording",
    "embedded": "Open the embedded page on {host}",
    "picture": "Picture: {alt}",
    "why": "You’re receiving this email because {address} is subscribed to {title}.",
    "preferences": "Manage preferences",
    "unsubscribe": "Unsubscribe",
    "web_copy": "View in browser",
    "feed": "Follow the feed",
    "labelled": "{label}: {value}",
}


@dataclass(frozen=True, slots=True)
class Words:
    """The phrases of one language; phrases with braces are filled in with format()."""

    language: str
    issue: str
    minutes: Counted
    and_more: Counted
    contents: str
    read_on: str
    listen: str
    watch: str
    play: str
    embedded: str
    picture: str
    why: str
    preferences: str
    unsubscribe: str
    web_copy: str
    feed: str
    labelled: str

    @property
    def direction(self) -> str:
        """The direction of the phrases, which are English if there is no catalog for the language of the email."""
        return i18n.direction(self.language)


def words_of(language: str, templates: Templates | None = None) -> Words:
    """Return the phrases in a language (a BCP 47 tag); phrases without a translation are in English.

    templates  the project's templates, whose own catalogs may change phrases; None stands for the shipped catalogs
    """
    folders = templates.folders if templates else (shipped_folder(),)
    spoken = translate("letter", ENGLISH, language, folders)
    return Words(language=spoken.language, **spoken.phrases, **spoken.counted)  # type: ignore[arg-type]


def direction(language: str, sample: str = "") -> str:
    """Return "rtl" or "ltr": the direction of the language, or else of the first strong character in `sample`."""
    if language:
        return i18n.direction(language)
    for character in sample:
        side = unicodedata.bidirectional(character)
        if side in ("R", "AL"):
            return "rtl"
        if side == "L":
            return "ltr"
    return "ltr"
