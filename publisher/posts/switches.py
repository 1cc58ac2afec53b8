"""The fields that keep a post back, or out of feeds and newsletters: their names, their values, and their misspellings.

A misspelled value must not publish and email a post that its author meant to keep back. So a value that is not known is
an error of the post, and a key that is nearly one of these fields gets a warning.
"""

from __future__ import annotations

from datetime import UTC
from functools import lru_cache

from publisher.posts.dates import parse_date
from publisher.posts.post_file import Tree

# Switches. A key that hides the post takes precedence over the others.
SWITCHES: dict[str, tuple[str, ...]] = {
    "draft": ("draft", "private", "unlisted"),
    "shown": ("published",),
    "state": ("status", "visibility"),
    "in_feeds": ("feed", "feeds", "infeeds", "infeed"),
    "in_newsletters": ("newsletter", "newsletters", "innewsletters", "innewsletter", "email"),
}

TRUE = frozenset(("true", "yes", "on", "1", "y"))
FALSE = frozenset(("false", "no", "off", "0", "n"))
HIDDEN_STATES = frozenset(("draft", "private", "hidden", "pending", "trash", "unlisted", "unpublished", "skip"))
HIDDEN_STATES |= {"auto-draft", "inherit", "password"}  # WordPress
HIDDEN_STATES |= {"members", "paid", "tiers"}  # Ghost
_SHOWN_STATES = frozenset(("published", "publish", "public", "live", "visible", "listed", "released", "active"))
_SHOWN_STATES |= {"future", "scheduled", "sent"}  # WordPress and Ghost; the date decides when the post appears
_SHOWN_STATES |= {"ready", "final", "finished", "done", "complete", "completed", "stable", "updated"}
_SHOWN_STATES |= {"seedling", "budding", "evergreen"}  # notes of a digital garden

# Tables that other tools write under a key of ours: jekyll-feed, and the records in a Ghost export.
_TABLES = {"in_feeds": {"excerpt_only"}, "in_newsletters": {"id", "uuid", "slug"}}


def word_of(value: Tree) -> str:
    """Return a value of a switch as it is compared: in lower case, without spaces around it; "" if it is not text."""
    return value.strip().lower() if isinstance(value, str) else ""


def is_switched(value: str) -> bool:
    """Return whether a value is written as true or false, in words."""
    return word_of(value) in (TRUE | FALSE) - {"0", "1"}


def hides(key: str, word: str) -> bool:
    """Return whether a key with a value hides a post, or is meant to although the value is misspelled.

    key   the key, in lower case and without signs
    word  its value, as word_of returns it
    """
    if key in SWITCHES["draft"]:
        return word not in FALSE and bool(word)
    if key in SWITCHES["shown"]:
        return bool(word) and word not in TRUE and not word[:1].isdigit()
    return key in SWITCHES["state"] and bool(word) and word not in _SHOWN_STATES


def is_hidden_by(key: str, word: str) -> bool:
    """Return whether a key with a value certainly hides a post; see hides."""
    return hides(key, word) and word in TRUE | FALSE | HIDDEN_STATES


def why_unclear(switch: str, key: str, value: Tree) -> tuple[str, str] | None:
    """Return what is wrong with the value of a switch, and how to correct it; None if the value is clear.

    switch  the name of the field in SWITCHES
    key     its key, as it is written in the post
    """
    if not value or (isinstance(value, str) and not value.strip()):
        return None
    if not isinstance(value, str):
        if isinstance(value, dict) and not _TABLES.get(switch, set()).isdisjoint(value):
            return None
        return f"{key}: a list or a table is not a valid value", f"write `{key}: {_examples(switch)[0]}`"
    word = word_of(value)
    if word in _words(switch) or (switch == "shown" and _is_date(value)) or (key.lower() == "email" and "@" in value):
        return None
    shown = value if len(value) <= 40 else f"{value[:39]}…"
    what = {"state": "is not a known status", "shown": "is neither true nor false, nor a valid date"}
    return f"{key}: {shown!r} {what.get(switch, 'is neither true nor false')}", _hint(switch, word)


def _words(switch: str) -> frozenset[str]:
    return HIDDEN_STATES | _SHOWN_STATES if switch == "state" else TRUE | FALSE


def _examples(switch: str) -> tuple[str, str]:
    return ("draft", "published") if switch == "state" else ("true", "false")


def _hint(switch: str, word: str) -> str:
    import difflib  # only for a mistake: it costs 2 ms

    first, second = _examples(switch)
    near = difflib.get_close_matches(word[:40], sorted(_words(switch)), n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else f"write {first} or {second}"


def _is_date(value: str) -> bool:
    try:
        parse_date(value, UTC)
    except ValueError:
        return False
    return True


# The fields whose misspelling publishes a post, or publishes it too early, by what their values look like.
_SWITCH_KEYS = [spelling for spellings in SWITCHES.values() for spelling in spellings]
_DATE_KEYS = ["date", "publishdate", "publishedat", "expires", "expirydate", "unpublishdate"]


@lru_cache(maxsize=1024)
def near_keys(folded: str) -> tuple[str, ...]:
    """Return the fields, as they are spelled in the tables, for which this unknown key may be a misspelling."""
    return tuple(known for known in (*_SWITCH_KEYS, *_DATE_KEYS) if _is_near(folded, known))


def meant(near: tuple[str, ...], value: Tree) -> str:
    """Return which of the fields in `near` an unknown key means, judging by its value; "" if it means none.

    A key `mail` is near `email`, but it means that field only if its value is one for a switch.
    """
    word = word_of(value)
    for known in near:
        states = known in SWITCHES["state"]
        if known in _DATE_KEYS:
            fits = word[:2].isdigit() and _is_date(word)
        else:
            words = _words("state" if states else "draft")
            fits = word in words or (not states and any(len(word) > 2 and _is_near(word, one) for one in words))
        if word and fits:
            return known
    return ""


def _is_near(word: str, known: str) -> bool:
    """Return whether a word differs from a known one by one letter, or two in a long word; swapped letters are one."""
    most = 2 if len(known) >= 8 else 1
    if word == known or abs(len(word) - len(known)) > most or (len(known) <= 4 and word[:1] != known[:1]):
        return False
    before: list[int] = []
    row = list(range(len(known) + 1))
    for i, letter in enumerate(word, 1):
        above, row = row, [i]
        for j, other in enumerate(known, 1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == known[j - 2] and word[i - 2] == other:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before = above
    return row[-1] <= most
