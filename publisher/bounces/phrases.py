"""What mail servers write when they refuse a message: the table in phrases.tsv, and how an answer is compared with it.

In a phrase, "a|b" is one word or the other, "word*" any word that begins with "word", and "…" up to sixty characters of
the same sentence. A phrase after "not" is ignored. Phrases and answers are compared in a plain form: lower case, no
accents, hyphens, quotes, addresses, host names and URLs. To add a phrase, add a row with the server that uses it, and
the server's whole answer to tests/data/refusals.tsv.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files

# Longer answers are very rare; the rest is a copy of the message, or an attempt to waste our time.
MOST_COMPARED = 4_000

_NOT_WORDS = re.compile(
    r"https?://\S+|[^\s<>()\[\]\"',;:]{0,100}@[^\s<>()\[\]\"',;:]{0,300}"  # URLs and addresses
    r"|(?<![\w.])(?!(?:resolver|storedrv|smtpsend|queue|routing)\.)(?:[\w-]{1,63}\.){1,8}"  # host names
    r"(?:com|net|org|edu|gov|info|biz|example|test|invalid|local|[a-z]{2})(?![\w.]\w)"
    r"|(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]\w)"  # IP addresses
)
_SHORT_FORMS = (("can't", "cannot"), ("won't", "will not"), ("n't", " not"), (" e mail", " email"))
_PUNCTUATION = re.compile(r"[<>()\[\]{}\"`_/*|=-]+")

# What a gateway adds to any answer: that the message is returned to its sender, or its own guess at the failure.
_AROUND = re.compile(
    r"\b(?:return|returned|returning|back|sent|bounced) to (?:the )?sender\b|\bunknown address error\b"
    r"|\bremote server returned (?:unknown recipient or mailbox unavailable|invalid recipient address)\b"
)


class Meaning(StrEnum):
    """The meaning of a phrase."""

    FULL = "full"  # the mailbox or its disk is full
    BLAMED = "blamed"  # the sender, its server or the message is refused
    NOBODY = "nobody"  # there is no such mailbox or domain, or it is closed
    LATER = "later"  # too many messages at once, or a temporary problem
    HINTED = "hinted"  # a word that spam filters and policies use, which other refusals may contain too
    DENIED = "denied"  # a word used in refusals, which says little next to a code about the mailbox


def meanings_of(words: str) -> frozenset[Meaning]:
    """Return the meanings of the phrases in a server's answer. The time is linear in its length."""
    text = plain_text(words)
    return frozenset(meaning for meaning, pattern in _patterns().items() if pattern.search(text))


def plain_text(words: str) -> str:
    """Return words in the form in which they are compared with the phrases."""
    text = words[:MOST_COMPARED].casefold().replace("\u2019", "'")
    text = _PUNCTUATION.sub(" ", _NOT_WORDS.sub(" ", text))
    text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    for short, long in _SHORT_FORMS:
        text = text.replace(short, long)
    return _AROUND.sub(" ", " ".join(text.replace("'", " ").split()))


def phrases() -> Iterator[tuple[Meaning, str, str]]:
    """Yield the rows of the table: the meaning, the phrase, and the servers or documents that use it."""
    yield from ((Meaning(meaning), phrase, source) for meaning, phrase, source in table_of("phrases.tsv"))


def table_of(name: str) -> Iterator[list[str]]:
    """Yield the rows of a table that belongs to this package, without its header line."""
    lines = files("publisher.bounces").joinpath(name).read_text("utf-8").splitlines()
    yield from (line.split("\t") for line in lines[1:])


@lru_cache(maxsize=1)
def _patterns() -> dict[Meaning, re.Pattern[str]]:
    found: dict[Meaning, list[str]] = {meaning: [] for meaning in Meaning}
    for meaning, phrase, _ in phrases():
        found[meaning].append(_regex(phrase))
    return {meaning: re.compile(rf"(?<!\bnot )\b(?:{'|'.join(each)})") for meaning, each in found.items()}


def _regex(phrase: str) -> str:
    text = r"\b[^.;!?]{0,60}?\b".join(" ".join(map(_word, part.split())) for part in phrase.split(" … "))
    return rf"{text}\b" if phrase[-1].isalnum() else text


def _word(word: str) -> str:
    """Return the regular expression of one word of a phrase: alternatives, which may end with "*"."""
    each = [re.escape(plain_text(one.removesuffix("*"))) + r"\w{0,20}" * one.endswith("*") for one in word.split("|")]
    return each[0] if len(each) == 1 else rf"(?:{'|'.join(each)})"
