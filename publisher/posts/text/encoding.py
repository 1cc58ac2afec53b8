"""Decoding of bytes to clean text, with one kind of line ending, and without garbled or forbidden characters."""

from __future__ import annotations

import codecs
import re

from publisher.core import patterns
from publisher.core.errors import PostError
from publisher.core.frozen import dataclass
from publisher.core.models import Problem, Severity
from publisher.posts.text.prose import code_lines, code_spans

# The characters that XML 1.0 section 2.2 forbids, and the C1 controls, which it discourages.
_FORBIDDEN = patterns.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff\ud800-\udfff]")

# The bytes that occur in no forbidden character in UTF-8. Most bodies contain only these, and checking that takes a
# quarter of the pattern's time. 0xc2 begins the C1 controls, 0xed surrogates, 0xef U+FFFE.
CLEAN_BYTES = bytes(b for b in range(256) if b in b"\t\n\r" or (b >= 0x20 and b not in b"\x7f\xc2\xed\xef"))

# UTF-8 that was read as Windows-1252 or Latin-1: the letter of a lead byte, then those of continuation bytes.
_REST = "[\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]"
_SUSPECT = patterns.compile(f"[ÂÃÅÄâãäåðÐÎÏÑØÙà-ï]{_REST}")
_RUN = patterns.compile(f"(?:[Â-ß]{_REST}|[à-ï]{_REST}{{2}}|[ð-ô]{_REST}{{3}})++")
_TOKEN = patterns.compile(r"[^ \t]+")
# A quotation mark ” whose last byte is a control character, which has been removed by then.
_CUT_QUOTE = patterns.compile("â€(?=[\\s.,;:!?)]|\\Z)")
# À whose last byte became a plain space.
_CUT_A = patterns.compile(r"(?<!\S)Ã(?=  )")
_QUOTES = frozenset("“”‘’„‚«»‹›\"'")
# Marks after a word in capitals make pairs that may be right, as in “IRMÔ and «BORл.
_MARKS = _QUOTES | frozenset("–—…•·\u00a0™®©ª°")


@dataclass(frozen=True, slots=True)
class Repair:
    """The repairs on a line: its number (from 1), the first repair (before and after), and how many others follow."""

    line: int
    before: str
    after: str
    others: int = 0

    def warning(self, path: str, first_line: int = 1) -> Problem:
        """Return the warning for this repair.

        path        path of the file
        first_line  line of the file on which the repaired text begins
        """
        what = f"repaired garbled text: {self.before!r} → {self.after!r}"
        what += f", and {self.others} more in this line" if self.others else ""
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
        # The offsets don't count the byte order mark, which error.object doesn't contain either.
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
    return not text.encode("utf-8", "surrogatepass").translate(None, CLEAN_BYTES)


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
    """Repair garbled text (mojibake), where the repair is certain; return the text and the repairs.

    A repair is certain if the bytes of a run of characters are well-formed UTF-8, and ftfy rates the word as garbled. A
    run stays if the text also contains the repaired form, as a text about garbled text does, or if it is in quotation
    marks. Correct text is never changed. Neither is code, in which the writer may want to show garbled text.

    markdown  whether the text is a body, which may contain blocks of code
    """
    if not is_suspect(text):
        return text, []
    lines, repairs = text.split("\n"), []
    code = code_lines(lines) if markdown else [False] * len(lines)
    healthy = frozenset(_RUN.sub(" ", text))
    for index, line in enumerate(lines):
        if code[index] or not is_suspect(line):
            continue
        repaired, number = _repaired_outside_code(line, healthy)
        if repaired != line:
            lines[index] = repaired
            repairs.append(Repair(index + 1, *_difference(line, repaired), number - 1))
    return "\n".join(lines), repairs


def repair_body(body: str) -> tuple[str, list[Repair]]:
    """Repair garbled text in the body of a post; see repair."""
    repaired, repairs = repair(body, markdown=True)
    if repairs:
        # A garbled zero-width space hid the indentation after it, which was never meant as code.
        repaired = re.sub(r"^\u200b[ \t]*", "", repaired, flags=re.MULTILINE)
    return repaired, repairs


def _repaired_outside_code(line: str, healthy: frozenset[str]) -> tuple[str, int]:
    """Return a line with its repairs, and their number. healthy: the characters of the text outside garbled runs."""
    parts, last, number = [], 0, 0
    near = frozenset(_RUN.sub(" ", line))
    for start, end in [*code_spans(line), (len(line), len(line))]:
        repaired, found = _repaired(line[last:start], healthy, near)
        parts += [repaired, line[start:end]]
        last, number = end, number + found
    return "".join(parts), number


def _repaired(text: str, healthy: frozenset[str], near: frozenset[str]) -> tuple[str, int]:
    found = _repairs_in(text, healthy, near) if is_suspect(text) else []
    pieces, last = [], 0
    for start, end, right in found:
        pieces += [text[last:start], right]
        last = end
    repaired, number = "".join([*pieces, text[last:]]), len(found)
    for pattern, right, sign in ((_CUT_A, "à", ""), (_CUT_QUOTE, "”", "“")):
        if found and any(sign in each for _, _, each in found):
            repaired, more = pattern.subn(right, repaired)
            number += more
    return repaired, number


def _repairs_in(text: str, healthy: frozenset[str], near: frozenset[str]) -> list[tuple[int, int, str]]:
    """Return the start, the end and the repaired text of each garbled run."""
    import ftfy  # takes 0.03 s, and few posts need it

    found: list[tuple[int, int, str]] = []
    is_sure = False
    for token in _TOKEN.finditer(text):
        if not is_suspect(token[0]) or ftfy.fix_encoding(token[0]) == token[0]:
            continue
        for run in _RUN.finditer(text, token.start(), token.end()):
            if (right := _decoded(run[0])) and not _is_meant(run, right, healthy, near):
                found.append((*run.span(), right))
                is_sure = is_sure or run[0][1:] != "\u00a0" or _is_in_word(run)
    # À and a space that doesn't break a line look the same, so the line must be garbled elsewhere too.
    return found if is_sure else []


def _decoded(run: str) -> str:
    """Return the original of a run of garbled characters, even if garbled more than once; "" if it is not garbled."""
    while _RUN.fullmatch(run):
        data = b"".join(char.encode("latin-1" if char < "\u0100" else "cp1252") for char in run)
        try:
            run = data.decode()
        except UnicodeDecodeError:
            return ""
    return run


def _is_in_word(run: re.Match[str]) -> bool:
    """Return whether a run is among letters where no capital would be, as in café."""
    before, after = run.string[max(0, run.start() - 1) : run.start()], run.string[run.end() : run.end() + 1]
    return before.islower() or after.isalpha()


def _is_meant(run: re.Match[str], right: str, healthy: frozenset[str], near: frozenset[str]) -> bool:
    """Return whether a run that can be decoded may be intended as it is.

    right    the text that it would become
    healthy  the characters of the text outside of such runs
    near     the characters of its line
    """
    before, after = run.string[max(0, run.start() - 1) : run.start()], run.string[run.end() : run.end() + 1]
    if (before in _QUOTES and after in _QUOTES) or (right == "\ufeff" and before):
        return True
    if right.isalpha() and healthy.issuperset(right):
        return True
    if (
        not right[0].isalnum()
        and not right.isspace()
        and right[0] in near
        and not (before.isalnum() and after.isalpha())
    ):
        return True
    if len(run[0]) > 2 or _is_in_word(run):
        return False
    is_mark = run[0][1] in _MARKS and (before.isupper() or (run[0][1] != "\u00a0" and right.isalpha()))
    return is_mark or run[0][0] in healthy


def _difference(before: str, after: str) -> tuple[str, str]:
    """Return the words around the first difference, short enough for a message."""
    start = next((i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), 0)
    start = before.rfind(" ", 0, start) + 1
    old, new = before[start:].split(" ")[0], after[start:].split(" ")[0]
    return old.strip()[:30], new.strip("\u200b\t ")[:30]
