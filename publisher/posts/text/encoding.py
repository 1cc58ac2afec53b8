"""Decoding of bytes to clean text, with one kind of line end, and without garbled or forbidden characters."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from publisher.core.errors import PostError
from publisher.core.models import Problem, Severity
from publisher.posts.text.prose import code_lines, code_spans

# The characters that XML 1.0 section 2.2 forbids, and the C1 controls, which it discourages.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff\ud800-\udfff]")

# The bytes that occur in no forbidden character in UTF-8. Most bodies contain only these, and checking that takes a
# quarter of the pattern's time. 0xc2 begins the C1 controls, 0xed surrogates, 0xef U+FFFE.
_CLEAN_BYTES = bytes(b for b in range(256) if b in b"\t\n\r" or (b >= 0x20 and b not in b"\x7f\xc2\xed\xef"))

# UTF-8 that was read as Windows-1252 or Latin-1: the letter of a lead byte, then that of a continuation byte.
_SUSPECT = re.compile("[ÂÃÅÄâãäåðÐÎÏÑØÙà-ï][\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]")

# Portuguese and Icelandic words in capitals before a mark, “IRMÔ and «BORл: ftfy takes them for IRMÔ and BORл.
# If nothing else in the line is garbled, neither are these words.
_UPPER_CASE_END = re.compile(
    "(?<=[A-ZÀ-Þ])[ÃÐ](?:[”“‘’»«›‹„‚–—…•·\u00a0](?!\\w)| )"
    "|(?<=[“‘«„‚‹›”’])[ÂÃÅÄâãäåðÐÎÏÑØÙà-ï][”’»“‘«›‹](?!\\w)"  # “Ã” is a letter
    "|(?<!\\S)Ã(?: |[–—…•·\u00a0](?=\\s))"
)


@dataclass(frozen=True, slots=True)
class Repair:
    """A repair of garbled text: the line (from 1), and its words before and after."""

    line: int
    before: str
    after: str

    def warning(self, path: str, first_line: int = 1) -> Problem:
        """Return the warning for this repair.

        path        path of the file
        first_line  line of the file on which the repaired text begins
        """
        what = f"repaired garbled text: {self.before!r} → {self.after!r}"
        return Problem(path, first_line + self.line - 1, what, "save the file as UTF-8", Severity.WARNING)


def decode(data: bytes, *, whole: bool) -> str:
    r"""Decode a file, or the beginning of a file. Every line end becomes \n, and a byte order mark is removed.

    whole: whether `data` is the whole file. If it isn't, an incomplete character at its end is left out.
    Raises PostError, with the line, for bytes that are not UTF-8 text.
    """
    refuse_binary(data)
    try:
        text, _ = codecs.utf_8_decode(data.removeprefix(codecs.BOM_UTF8), "strict", whole)
    except UnicodeDecodeError as error:
        # The offsets don't count the byte order mark, which error.object doesn't have either.
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
    """Raise PostError if the bytes are not text, because they contain NUL bytes."""
    if b"\0" in data:
        raise PostError(
            "is not text: it contains NUL bytes", hint="save it as UTF-8 text, or move it out of the folder"
        )


def is_surely_clean(text: str) -> bool:
    """Quickly return True for most texts without forbidden characters; False means only that there may be some."""
    return not text.encode("utf-8", "surrogatepass").translate(None, _CLEAN_BYTES)


def without_controls(text: str) -> tuple[str, list[int]]:
    """Remove control characters; return the text, and the numbers of the lines that contained any."""
    if is_surely_clean(text) or not _FORBIDDEN.search(text):
        return text, []
    lines = [number for number, line in enumerate(text.split("\n"), 1) if _FORBIDDEN.search(line)]
    return _FORBIDDEN.sub("", text), lines


def is_suspect(text: str) -> bool:
    """Quickly return whether any part of the text may be garbled."""
    return not text.isascii() and _SUSPECT.search(text) is not None


def repair(text: str, *, markdown: bool = False) -> tuple[str, list[Repair]]:
    """Repair garbled text (mojibake) line by line, where the repair is certain; return the text and the repairs.

    A repair is certain if decoding the line's bytes correctly gives well-formed text that ftfy rates as less garbled.
    Correct text is never changed. Neither is code, in which the writer may want to show garbled text.

    markdown  whether the text is a body, which may contain blocks of code
    """
    if not is_suspect(text):
        return text, []
    lines, repairs = text.split("\n"), []
    code = code_lines(lines) if markdown else [False] * len(lines)
    for index, line in enumerate(lines):
        if code[index] or not is_suspect(line):
            continue
        repaired = _repaired_outside_code(line)
        if repaired != line:
            lines[index] = repaired
            repairs.append(Repair(index + 1, *_difference(line, repaired)))
    return "\n".join(lines), repairs


def repair_body(body: str) -> tuple[str, list[Repair]]:
    """Repair garbled text in the body of a post; see repair."""
    repaired, repairs = repair(body, markdown=True)
    if repairs:
        # A garbled zero-width space hid the indentation after it, which was never meant as code.
        repaired = re.sub(r"^\u200b[ \t]*", "", repaired, flags=re.MULTILINE)
    return repaired, repairs


def _repaired_outside_code(line: str) -> str:
    parts, last = [], 0
    for start, end in code_spans(line):
        parts += [_repaired(line[last:start]), line[start:end]]
        last = end
    return "".join([*parts, _repaired(line[last:])])


def _repaired(text: str) -> str:
    import ftfy  # takes 0.03 s, and few posts need it

    repaired = str(ftfy.fix_encoding(text))
    if repaired != text and _UPPER_CASE_END.search(text):
        rest = _UPPER_CASE_END.sub("", text)
        return text if ftfy.fix_encoding(rest) == rest else repaired
    return repaired


def _difference(before: str, after: str) -> tuple[str, str]:
    """Return the words around the first difference, short enough for a message."""
    start = next((i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), 0)
    start = before.rfind(" ", 0, start) + 1
    old, new = before[start:].split(" ")[0], after[start:].split(" ")[0]
    return old.strip()[:30], new.strip("\u200b\t ")[:30]
