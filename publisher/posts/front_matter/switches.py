"""The fields that keep a post back, off lists, or out of feeds and newsletters: their names and their values.

A misspelled value must not publish and email a post that its author meant to keep back. So an unknown value is an error
of the post. Misspelled keys are in posts.front_matter.misspelled.
"""

from __future__ import annotations

from datetime import UTC

from publisher.posts.front_matter.dates import parse_date
from publisher.posts.post_file import Tree

# Switches. A key that hides the post takes precedence over the others.
SWITCHES: dict[str, tuple[str, ...]] = {
    "draft": (
        "draft",
        "private",
        "unlisted",
        "isdraft",
        "headless",  # Hugo: a bundle without a page
        "emailonly",  # Ghost: no page
        "extra.draft",
        "params.draft",
    ),
    # Obsidian: publish. Zola: render. Hugo: build.render.
    "shown": ("published", "publish", "ispublished", "render", "build.render"),
    "state": ("status", "visibility", "state"),
    # The page is written, but no list shows it. Jekyll and Hexo: hidden.
    "not_listed": ("eleventyexcludefromcollections", "hidden", "extra.hidden", "params.hidden"),
    "listed": ("build.list",),  # Hugo
    "page": ("page",),  # the post is sent by email only
    "in_feeds": ("feed", "feeds", "infeeds", "infeed"),
    "in_newsletters": ("newsletter", "newsletters", "innewsletters", "innewsletter", "email"),
}

# Keys that other tools use for other things as well, so only their values for hiding and showing mean anything.
_ALSO_OTHERS = frozenset(
    (
        "isdraft",
        "headless",
        "emailonly",
        "ispublished",
        "render",
        "build.render",
        "build.list",
        "state",
        "hidden",
        "page",
    )
)

TRUE = frozenset(("true", "yes", "on", "1", "y"))
FALSE = frozenset(("false", "no", "off", "0", "n"))
_IN_WORDS = (TRUE | FALSE) - {"0", "1"}
HIDDEN_STATES = frozenset(("draft", "private", "hidden", "pending", "trash", "unlisted", "unpublished", "skip"))
HIDDEN_STATES |= {"auto-draft", "inherit", "password"}  # WordPress
HIDDEN_STATES |= {"members", "paid", "tiers"}  # Ghost
# Values of Hugo's build.render and build.list.
_NEVER = frozenset(("never", "link", "local"))
_ALWAYS = frozenset(("always",))
_SHOWN_STATES = frozenset(("published", "publish", "public", "live", "visible", "listed", "released", "active"))
_SHOWN_STATES |= {"future", "scheduled", "sent"}  # WordPress and Ghost; the date decides when the post appears
_SHOWN_STATES |= {"ready", "final", "finished", "done", "complete", "completed", "stable", "updated"}
_SHOWN_STATES |= {"seedling", "budding", "evergreen"}  # notes of a digital garden

# Tables that other tools write under a key of ours: jekyll-feed, and the records in a Ghost export.
_TABLES = {"in_feeds": {"excerpt_only"}, "in_newsletters": {"id", "uuid", "slug"}}


def word_of(value: Tree) -> str:
    """Return a switch's value as it is compared: in lower case, without spaces around it; "" if it is not text."""
    return value.strip().lower() if isinstance(value, str) else ""


def is_switched(value: str) -> bool:
    """Return whether a value is a word for true or false."""
    return word_of(value) in _IN_WORDS


def hiding_words(switch: str) -> frozenset[str]:
    """Return the values of a switch that hide the post, or keep it off lists or out of feeds and newsletters."""
    return _HIDING[switch]


_HIDING = dict.fromkeys(SWITCHES, FALSE) | {"draft": TRUE, "not_listed": TRUE, "state": HIDDEN_STATES}
_HIDING |= dict.fromkeys(("shown", "listed"), FALSE | _NEVER) | {"page": FALSE & _IN_WORDS}  # 0 is the number of a page


def hides(key: str, word: str) -> bool:
    """Return whether a key with a value hides a post, or is meant to, although the value is misspelled.

    key   the key, in lower case and without punctuation
    word  its value, as word_of returns it
    """
    if key in _ALSO_OTHERS:
        return is_hidden_by(key, word)
    if key in ("permalink", "password"):
        return word in FALSE if key == "permalink" else bool(word) and word not in FALSE
    if key in SWITCHES["draft"]:
        return word not in FALSE and bool(word)
    if key in SWITCHES["shown"]:
        return bool(word) and word not in TRUE and not word[:1].isdigit()
    return key in SWITCHES["state"] and bool(word) and word not in _SHOWN_STATES


def is_hidden_by(key: str, word: str) -> bool:
    """Return whether a key with a value certainly hides a post; see hides."""
    return any(key in SWITCHES[switch] and word in hiding_words(switch) for switch in ("draft", "shown", "state"))


def keeps_back(key: str, word: str) -> bool:
    """Return whether a key with a value certainly hides a post, or keeps it off lists or out of feeds or emails.

    key, word  see hides
    """
    if key == "permalink":
        return word in FALSE
    return any(key in keys and word in hiding_words(switch) for switch, keys in SWITCHES.items())


def why_unclear(switch: str, key: str, spelling: str, value: Tree) -> tuple[str, str] | None:
    """Return the fault in the value of a switch, and how to correct it; None if the value is clear.

    switch    the name of the field in SWITCHES
    key       its key, as it is written in the post
    spelling  the spelling of the key in SWITCHES
    """
    if not value or (isinstance(value, str) and not value.strip()):
        return None
    if not isinstance(value, str):
        if switch == "not_listed" or spelling in _ALSO_OTHERS:
            return None
        if isinstance(value, dict) and not _TABLES.get(switch, set()).isdisjoint(value):
            return None
        return f"{key}: a list or a table is not a valid value", f"write `{key}: {_examples(switch)[0]}`"
    word = word_of(value)
    if word in words_of(switch) or (switch == "shown" and is_date(value)) or (key.lower() == "email" and "@" in value):
        return None
    if spelling in _ALSO_OTHERS and not any(len(word) > 2 and is_near(word, one) for one in words_of(switch)):
        return None
    shown = value if len(value) <= 40 else f"{value[:39]}…"
    what = {"state": "is not a known status", "shown": "is neither true nor false, nor a valid date"}
    return f"{key}: {shown!r} {what.get(switch, 'is neither true nor false')}", _hint(switch, word)


def words_of(switch: str) -> frozenset[str]:
    """Return all values of a switch that are known."""
    if switch == "state":
        return HIDDEN_STATES | _SHOWN_STATES
    return TRUE | FALSE | _NEVER | _ALWAYS if switch in ("shown", "listed") else TRUE | FALSE


def _examples(switch: str) -> tuple[str, str]:
    return ("draft", "published") if switch == "state" else ("true", "false")


def _hint(switch: str, word: str) -> str:
    import difflib  # only for an error: it costs 2 ms

    first, second = _examples(switch)
    near = difflib.get_close_matches(word[:40], sorted(words_of(switch)), n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else f"write {first} or {second}"


def is_date(value: str) -> bool:
    """Return whether a value of front matter is a valid date."""
    try:
        parse_date(value, UTC)
    except ValueError:
        return False
    return True


def is_near(word: str, known: str) -> bool:
    """Return whether a word differs from a known one by a letter, or by two if it is long; a swap counts as one."""
    most = 2 if len(known) >= 8 else 1
    if word == known or abs(len(word) - len(known)) > most or (len(known) <= 4 and word[:1] != known[:1]):
        return False
    if len(set(word) ^ set(known)) > 2 * most:
        return False  # one mistake adds one letter and removes another
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
