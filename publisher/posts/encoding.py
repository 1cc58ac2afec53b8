"""From bytes to clean text: UTF-8, one kind of line end, no characters that XML cannot hold, no mojibake."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from publisher.core.errors import PostError

# What XML 1.0 section 2.2 cannot hold, and the C1 controls that it should not.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff\ud800-\udfff]")

# The bytes of UTF-8 that begin, or belong to, no forbidden character. Most bodies hold no others, and to see that
# takes a quarter of the pattern's time. 0xc2 begins the C1 controls, 0xed surrogates, 0xef U+FFFE.
_CLEAN_BYTES = bytes(b for b in range(256) if b in b"\t\n\r" or (b >= 0x20 and b not in b"\x7f\xc2\xed\xef"))

# What UTF-8 that was read as Windows-1252 or Latin-1 looks like: a lead byte's letter, then a continuation's.
_SUSPECT = re.compile("[ÂÃÅÄâãäåðÐÎÏÑØÙà-ï][\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]")

# Portuguese and Icelandic words in capitals before a mark, “IRMÔ and «BORл: ftfy takes them for IRMÔ and BORл.
# Where nothing else in the line is garbled, they are what they seem.
_UPPER_CASE_END = re.compile("(?<=[A-ZÀ-Þ])[ÃÐ](?:[”“‘’»«›‹„‚–—…•·\u00a0](?!\\w)| )")

_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)")


@dataclass(frozen=True, slots=True)
class Repair:
    """One thing that was mended in a text: the line (from 1), what it said and what it says now."""

    line: int
    before: str
    after: str


def decode(data: bytes, *, whole: bool) -> str:
    r"""Decode a file or its beginning; line ends become \n, a byte order mark goes.

    whole says whether `data` is the whole file: a character cut at the end of a part is left out.
    Raises PostError for what is no text, with the line.
    """
    refuse_binary(data)
    try:
        text, _ = codecs.utf_8_decode(data.removeprefix(codecs.BOM_UTF8), "strict", whole)
    except UnicodeDecodeError as error:
        # The decoder counts from behind a byte order mark; error.object is what it counts in.
        before = error.object[: error.start].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        raise PostError(
            f"is not UTF-8: byte 0x{error.object[error.start]:02x}",
            line=before.count(b"\n") + 1,
            hint="save it as UTF-8",
        ) from error
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text


def refuse_binary(data: bytes) -> None:
    """Raise PostError for bytes that no text editor wrote."""
    if b"\0" in data:
        raise PostError("is no text: it holds NUL bytes", hint="save it as UTF-8 text, or move it out of the folder")


def is_surely_clean(text: str) -> bool:
    """Return quickly that a text holds no forbidden character; False says only that a closer look is needed."""
    return not text.encode("utf-8", "surrogatepass").translate(None, _CLEAN_BYTES)


def without_controls(text: str) -> tuple[str, list[int]]:
    """Take out control characters; return the text and the lines that held any."""
    if is_surely_clean(text) or not _FORBIDDEN.search(text):
        return text, []
    lines = sorted({text.count("\n", 0, match.start()) + 1 for match in _FORBIDDEN.finditer(text)})
    return _FORBIDDEN.sub("", text), lines


def is_suspect(text: str) -> bool:
    """Return quickly whether a text may hold mojibake."""
    return not text.isascii() and _SUSPECT.search(text) is not None


def repair(text: str, *, markdown: bool = False) -> tuple[str, list[Repair]]:
    """Mend mojibake line by line where it is sure; return the text and what was mended.

    Sure means: reading the line's bytes the right way gives well-formed text that is less garbled by
    ftfy's measure. Text that was right is never touched, and what stands in code is what the writer shows.

    markdown  whether the text is a body, so that blocks of code have to be told from prose
    """
    if not is_suspect(text):
        return text, []
    from publisher.posts.prose import code_lines

    lines, repairs = text.split("\n"), []
    code = code_lines(lines) if markdown else [False] * len(lines)
    for index, line in enumerate(lines):
        if code[index] or not is_suspect(line):
            continue
        mended = _mended_around_code(line)
        if mended != line:
            lines[index] = mended
            repairs.append(Repair(index + 1, *_difference(line, mended)))
    return "\n".join(lines), repairs


def repair_body(body: str) -> tuple[str, list[Repair]]:
    """Mend the mojibake of a post's body; see repair."""
    mended, repairs = repair(body, markdown=True)
    if repairs:
        # A mangled zero-width space hid the indentation behind it, which was never meant as code.
        mended = re.sub(r"^\u200b[ \t]*", "", mended, flags=re.MULTILINE)
    return mended, repairs


def _mended_around_code(line: str) -> str:
    parts, last = [], 0
    for code in _CODE_SPAN.finditer(line):
        parts += [_mended(line[last : code.start()]), code[0]]
        last = code.end()
    return "".join([*parts, _mended(line[last:])])


def _mended(text: str) -> str:
    import ftfy

    mended = str(ftfy.fix_encoding(text))
    if mended != text and _UPPER_CASE_END.search(text):
        rest = _UPPER_CASE_END.sub("", text)
        return text if ftfy.fix_encoding(rest) == rest else mended
    return mended


def _difference(before: str, after: str) -> tuple[str, str]:
    """The words around the first difference, short enough for a message."""
    start = next((i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), 0)
    start = before.rfind(" ", 0, start) + 1
    old, new = before[start:].split(" ")[0], after[start:].split(" ")[0]
    return old.strip()[:30], new.strip("\u200b\t ")[:30]
