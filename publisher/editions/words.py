"""The letter's own words, in one place: everything a reader sees that no writer wrote.

English only; a further language is a further entry of CATALOGS.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

RTL_LANGUAGES = frozenset({"ar", "arc", "ckb", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi"})


@dataclass(frozen=True, slots=True)
class Words:
    """The phrases of one language; those with braces are filled with str.format."""

    issue: str
    minutes: str
    and_more: str
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


CATALOGS = {
    "en": Words(
        issue="No. {number}",
        minutes="{count} min read",
        and_more=" and {count} more",
        contents="In this letter",
        read_on="Continue reading",
        listen="Listen to the episode",
        watch="Watch the video",
        play="Listen to the recording",
        embedded="Open the embedded page on {host}",
        picture="Picture: {alt}",
        why="You get this letter because {address} subscribed to {title}.",
        preferences="Choose what you get",
        unsubscribe="Unsubscribe",
        web_copy="Read on the web",
        feed="Follow the feed",
    )
}


def words_of(language: str) -> Words:
    """Return the letter's words in a language (BCP 47), or in English where they are not translated."""
    return CATALOGS.get(language.split("-")[0].lower(), CATALOGS["en"])


def direction(language: str, sample: str = "") -> str:
    """Return "rtl" or "ltr" by the language; without one, by the first letter of `sample` that has a side."""
    if language:
        return "rtl" if language.split("-")[0].lower() in RTL_LANGUAGES else "ltr"
    for character in sample:
        side = unicodedata.bidirectional(character)
        if side in ("R", "AL"):
            return "rtl"
        if side == "L":
            return "ltr"
    return "ltr"
