"""Characters as a reader counts and sees them: whole graphemes, and raised or lowered text in plain text."""

from __future__ import annotations

import unicodedata

from publisher.core import patterns

# Characters that are never joined to their neighbours, so that a text of them can be cut anywhere.
_APART = patterns.compile(
    "[\x00-\u02ff\u0370-\u0482\u1e00-\u1fff\u2010-\u2027\u2030-\u205e\u20a0-\u20cf\u3000-\u3029\u3031-\u3098"
    "\u309b-\u30ff\u3400-\u9fff\uac00-\ud7a3\uff01-\uff60]*+"
)
# A grapheme with more code points than this many times the limit is itself cut.
_MOST_JOINED = 8

# They change the direction of the surrounding text.
_TURNS = patterns.compile("[\u202a-\u202e\u2066-\u2069]")

_LETTERS = "abcdefghijklmnoprstuvwxyzABDEGHIJKLMNOPRTUVW"
_RAISED = str.maketrans(
    f"0123456789+-−=(){_LETTERS}βγδθφχ",
    "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᴬᴮᴰᴱᴳᴴᴵᴶᴷᴸᴹᴺᴼᴾᴿᵀᵁⱽᵂᵝᵞᵟᶿᵠᵡ",
)
_LOWERED = str.maketrans("0123456789+-−=()aehijklmnoprstuvxβγρφχ", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ")
# A longer word is hard to read in raised letters.
_MOST_LETTERS = 3


def raised(text: str, behind: str = "") -> str:
    """Return a superscript in plain text: ² for 2, ⁿ for n, and ^x for text without such a character.

    behind  the text after the superscript, from which it must remain distinct
    """
    return _moved(text, _RAISED, "^", behind)


def lowered(text: str, behind: str = "") -> str:
    """Return a subscript in plain text: ₂ for 2, and _x for text without such a character; see `raised`."""
    return _moved(text, _LOWERED, "_", behind)


def _moved(text: str, table: dict[int, int], sign: str, behind: str) -> str:
    text = " ".join(text.split())
    if not text:
        return ""
    if all(ord(char) in table for char in text) and sum(map(str.isalpha, text)) <= _MOST_LETTERS:
        return text.translate(table)
    is_word = " " not in text and not behind[:1].isalnum()
    return f"{sign}{text}" if is_word else f"{sign}({text})"


MOST_LINES = 500


def clean_line(text: str, most: int) -> str:
    """Return text on one line, cut to `most` characters and without control characters.

    Characters that change the direction of the surrounding text (U+202A to U+202E, U+2066 to U+2069) are also removed,
    because a name must not be able to change how a sentence reads.
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.split())[:most].rstrip()
    visible = text[: 4 * most]
    if not visible.isprintable():  # else it has none of the characters that are taken out
        visible = "".join(" " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in visible)
        visible = _TURNS.sub("", visible)
    return unicodedata.normalize("NFC", " ".join(visible.split()))[:most].rstrip()


def clean_lines(text: str, most: int) -> str:
    """Return text of up to MOST_LINES lines and `most` characters, each line cleaned as by `clean_line`."""
    lines = (clean_line(line, most) for line in text[: 4 * most].strip().splitlines()[:MOST_LINES])
    return "\n".join(lines).strip()[:most].rstrip()


def shorten(text: str, limit: int) -> str:
    """Return at most the first `limit` graphemes of a text, cut after a word if possible, with an ellipsis.

    A text that fits is returned as it is. A grapheme, such as an accented letter, a syllable or an emoji of several
    characters, is never cut.
    """
    end = len(text) if len(text) <= limit else _offset(text, limit)
    if end == len(text):
        return text
    cut = text[: _offset(text, limit - 1)]
    head, space, _ = cut.rpartition(" ")
    if space and len(head) > limit // 2:
        cut = head
    return cut.rstrip(" ,;:.、，-–—") + "…"


def _offset(text: str, count: int) -> int:
    """Return the offset after the first `count` graphemes of a text."""
    if count < 1 or len(text) <= count or _APART.match(text, 0, count + 1).end() == count + 1:  # type: ignore[union-attr]
        return max(0, min(len(text), count))
    most, flags, before = _MOST_JOINED * count, 0, ""
    for offset, char in enumerate(text):
        if offset >= most:
            return offset
        flags = flags + 1 if "\U0001f1e6" <= char <= "\U0001f1ff" else 0
        if before and not (_joins(before, char) or (flags and flags % 2 == 0)):
            if count == 1:
                return offset
            count -= 1
        before = char
    return len(text)


def _joins(before: str, char: str) -> bool:
    """Return whether a character continues the grapheme of the previous one (UAX 29 approximately, without flags)."""
    if unicodedata.category(char) in ("Mn", "Me", "Mc") or char in "\u200c\u200d\u0e33\u0eb3":
        return True
    if "\U0001f3fb" <= char <= "\U0001f3ff" or "\U000e0020" <= char <= "\U000e007f":  # skin colours; tags in flags
        return True
    if before == "\u200d" or (before == "\r" and char == "\n"):
        return True
    if unicodedata.combining(before) == 9 and char.isalpha():  # a virama joins consonants
        return True
    return _joins_hangul(before, char)


def _joins_hangul(before: str, char: str) -> bool:
    """Return whether two letters belong to one Korean syllable."""
    is_syllable = "\uac00" <= before <= "\ud7a3"
    is_vowel, is_final = "\u1160" <= char <= "\u11a7", "\u11a8" <= char <= "\u11ff"
    if "\u1100" <= before <= "\u115f":
        return "\u1100" <= char <= "\u11a7" or "\uac00" <= char <= "\ud7a3"
    if "\u1160" <= before <= "\u11a7" or (is_syllable and (ord(before) - 0xAC00) % 28 == 0):
        return is_vowel or is_final
    return ("\u11a8" <= before <= "\u11ff" or is_syllable) and is_final
