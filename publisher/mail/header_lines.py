"""Header lines of a message, encoded so that no value can inject another header (RFC 5322, 2047, 6532)."""

from __future__ import annotations

import base64
import re
import unicodedata

from publisher.mail.addresses import wire_address

# RFC 2047 allows 75 characters for an encoded word. "=?utf-8?b?" and "?=" take 12; base64 puts 45 bytes into 60 more.
WORD_BYTES = 45

# RFC 5322 recommends at most 78 characters per line. A longer word gets a line of its own.
LINE = 78

# RFC 2047, section 2: the maximum length of a line with an encoded word.
ENCODED_LINE = 76

# The number of bytes of the first word that must fit next to the header's name.
_FEWEST_BYTES = 12

_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")


def one_line(text: str) -> str:
    """Return the text on one line, with single spaces.

    Control characters and lone surrogates are removed, because they could end a header line or hide in it.
    """
    if text.isprintable():  # nearly always true, and a hundred times faster than examining each character
        return " ".join(text.split())
    visible = "".join(" " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in text)
    return " ".join(visible.split())


def text_header(name: str, text: str) -> bytes:
    """Return "Name: text" for a header with free text, such as Subject. It is folded and ends with CRLF.

    ASCII text stays readable and is folded at its spaces. If a word is too long for a line, the text is encoded.
    """
    clean = one_line(text)
    words = clean.split(" ")
    if _plain(clean) and max(len(name) + 2 + len(words[0]), 1 + max(map(len, words))) <= LINE:
        return _fold(f"{name}:", words)
    return _fold(f"{name}:", _encoded_words(clean, name))


def mailbox_header(name: str, display_name: str, address: str) -> bytes:
    """Return the header "Name: Display Name <address>", folded and ending with CRLF.

    A local part that is not ASCII stays raw UTF-8 (RFC 6532). Raises ValueError if the address cannot be used in a
    header.
    """
    return named_header(name, display_name, wire_address(address))


def named_header(name: str, display_name: str, value: str) -> bytes:
    """Return the header "Name: Display Name <value>", folded and ending with CRLF.

    The display name is quoted or encoded if needed. Without a display name, only values that are not email addresses
    have angle brackets (RFC 2919).
    """
    clean = one_line(display_name)
    if not clean:
        return _fold(f"{name}:", [value if "@" in value else f"<{value}>"])
    return _fold(f"{name}:", [*_phrase(clean, name), f"<{value}>"])


def plain_header(name: str, value: str) -> bytes:
    """Return the header "Name: value" for an ASCII value made by the program. It is folded only at its spaces."""
    return _fold(f"{name}:", one_line(value).split(" "))


def _phrase(clean: str, name: str) -> list[str]:
    """Return a display name as the words of a phrase (RFC 5322, 3.2.5), which are plain, quoted or encoded.

    name  the name of the header
    """
    if _plain(clean) and len(clean) < LINE - 20:
        if _ATOMS.fullmatch(clean):
            return clean.split(" ")
        escaped = clean.replace("\\", "\\\\").replace('"', '\\"')
        return [f'"{escaped}"']
    return _encoded_words(clean, name)


def _plain(clean: str) -> bool:
    """Return whether the text needs no encoding, because it is ASCII and cannot be mistaken for an encoded word."""
    return clean.isascii() and "=?" not in clean


def _encoded_words(clean: str, name: str) -> list[str]:
    """Return the text as encoded words (RFC 2047). No character is split between two words.

    name  the name of the header, which is on the line of the first word
    """
    words, chunk = [], b""
    beside_name = (ENCODED_LINE - len(f"{name}: ") - len("=?utf-8?b??=")) // 4 * 3
    most = min(WORD_BYTES, beside_name) if beside_name >= _FEWEST_BYTES else WORD_BYTES
    for character in clean:
        encoded = character.encode()
        if len(chunk) + len(encoded) > most:
            words.append(chunk)
            chunk, most = b"", WORD_BYTES
        chunk += encoded
    words.append(chunk)
    return [f"=?utf-8?b?{base64.b64encode(word).decode('ascii')}?=" for word in words]


def _fold(start: str, words: list[str]) -> bytes:
    """Return the words on lines of at most LINE characters, ending with CRLF. Continuation lines start with a space.

    With encoded words, lines have at most ENCODED_LINE characters, unless a single other word is longer.
    """
    whole = f"{start} {' '.join(words)}"
    if (len(whole) <= LINE or len(words) == 1) and "=?" not in whole:  # nearly always true
        return whole.encode() + b"\r\n"
    lines, line = [], start
    encoded = any(word.startswith("=?") for word in words)
    most = ENCODED_LINE if encoded else LINE
    for word in words:
        if len(line) + 1 + len(word) > most and (line != start or encoded):
            lines.append(line)
            line = ""
        line += f" {word}"
    return "\r\n".join([*lines, line]).encode() + b"\r\n"
