"""Reading the head of one file, and no more of it than is needed."""

from __future__ import annotations

from pathlib import Path

from publisher.model import Problem, Severity
from publisher.posts.frontmatter import Head, Unfinished, parse_head
from publisher.posts.entry import Entry, Settings
from publisher.posts.metadata import build_post
from publisher.posts.scan import Stamp
from publisher.posts.text import decode, is_suspect, repair, without_controls


def read_entry(path: Path, source: str, stamp: Stamp, digest: str, settings: Settings, head_bytes: int) -> Entry:
    """Read the head of a post file into an Entry; raise PostError or OSError when that cannot be done.

    Most heads end within `head_bytes`; a longer one is read again with the whole file.
    """
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - Path.open takes 3 us more, 10,000 times
        data = file.read(head_bytes)
        try:
            return _entry(data, source, digest, settings, whole=len(data) >= stamp.size)
        except Unfinished:
            return _entry(data + (file.readall() or b""), source, digest, settings, whole=True)


def _entry(data: bytes, source: str, digest: str, settings: Settings, *, whole: bool) -> Entry:
    text, controls = without_controls(decode(data, whole=whole))
    head = parse_head(text, whole=whole)
    problems: list[Problem] = []
    if settings.fix_encoding and is_suspect(text[: len(text) - len(head.body)]):
        head = _mended(text, head, source, settings, problems)
    if any(line < head.body_line for line in controls):
        line = next(line for line in controls if line < head.body_line)
        problems.append(Problem(f"{settings.folder}/{source}", line, "held a control character, taken out",
                                "delete it", Severity.WARNING))
    entry = build_post(source, head, digest, settings)
    return Entry(entry.post, (*problems, *entry.problems)) if problems else entry


def _mended(text: str, head: Head, source: str, settings: Settings, problems: list[Problem]) -> Head:
    """Parse the head again with its mojibake mended; report each place."""
    end = len(text) - len(head.body)
    front, repairs = repair(text[:end])
    problems.extend(
        Problem(f"{settings.folder}/{source}", item.line, f"garbled text {item.before!r} published as {item.after!r}",
                "save the file as UTF-8", Severity.WARNING)
        for item in repairs
    )
    return parse_head(front + head.body, whole=True) if repairs else head
