"""Warnings about a body that only `publisher check` shows: removed tags, missing alt texts, broken fragments."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from urllib.parse import urlsplit

from publisher.core import patterns
from publisher.core.personal_templates import tags_of
from publisher.posts.rendering.allowed_html import dropped_tags, has_safe_scheme
from publisher.posts.rendering.heading_targets import targets_in
from publisher.posts.rendering.settled_tags import SettledHtml, ShownTag
from publisher.posts.text.other_editors import shown_as_typed
from publisher.posts.text.prose import LineFinder, line_at
from publisher.posts.text.typography import unknown_codes

# How many warnings of one kind are yielded.
_MOST = 100

BodyWarning = tuple[int, str, str]  # line of the file, message, hint


def body_warnings(
    raw: str, clean: str, lines: LineFinder, fragments: Iterable[str], mentioned: Collection[str], settled: SettledHtml
) -> Iterator[BodyWarning]:
    """Yield the warnings about a body.

    raw        the HTML before it was sanitised
    clean      the HTML after it was sanitised
    lines      the finder of lines in the post's file
    fragments  the names after # in links to the post itself
    mentioned  the tags that earlier warnings mentioned, which are not repeated
    settled    the tags that were changed before the HTML was sanitised
    """
    yield from islice(_shown(settled.shown, lines), _MOST)
    for found in (
        _dropped(raw, settled.removed, lines, mentioned),
        _unsafe(raw, lines),
        _without_address(raw, lines),
        _lost_frames(raw, lines),
        _without_alt(clean, lines),
    ):
        yield from islice(found, _MOST)
    yield from islice(_broken_fragments(clean, lines, fragments), _MOST)
    yield from islice(_odd_marks(lines.prose), _MOST)
    yield from islice(shown_as_typed(lines.prose), _MOST)
    yield from islice(_unknown_emoji(clean, lines), _MOST)


def personal_words(title: str, summary: str, file: str) -> Iterator[BodyWarning]:
    """Yield an error if the title or summary of an email-only post addresses subscribers, which only its text can do.

    file: the text of the post's file
    """
    lines = [(number, line.split("subscriber")[0]) for number, line in _about_subscribers(file)]
    for what, words in (("title", title), ("summary", summary)):
        if tags_of([words]):
            places = [number for number, before in lines if ("title" in before.lower()) is (what == "title")]
            hint = f"write the {what} without it, or set the newsletter's `subject`" if what == "title" else ""
            message = f"the {what} of a post can't contain a tag about the subscriber, which would be shown as is"
            yield (places or [1])[0], message, hint or "write the summary without it"


def _about_subscribers(file: str) -> Iterator[tuple[int, str]]:
    """Yield the lines with a tag about the subscriber, each with its number."""
    for number, line in enumerate(file.split("\n"), 1):
        if "subscriber" in line and "{" in line:
            yield number, line


def _broken_fragments(clean: str, lines: LineFinder, fragments: Iterable[str]) -> Iterator[BodyWarning]:
    # Browsers look for the name as it is written, and decoded (HTML, "find a potential indicated element").
    names = list(fragments)
    targets = targets_in(clean) if names else ()
    for name in names:
        if name not in targets and name != "top":
            what = f"broken link: there is no #{name} in this post"
            yield lines.line_of(f"#{name}"), what, "link to a heading, or add an id to the target"


def _shown(shown: Sequence[ShownTag], lines: LineFinder) -> Iterator[BodyWarning]:
    for tag in shown:
        what = f"{tag.short} is shown as text, because {tag.why}"
        yield lines.line_of_body(tag.line), what, "put it in backticks if that is intended, or close it"


def _dropped(
    raw: str, removed: Sequence[ShownTag], lines: LineFinder, mentioned: Collection[str]
) -> Iterator[BodyWarning]:
    known = {tag.why for tag in removed}
    places = [(tag.why, lines.line_of_body(tag.line)) for tag in removed if not tag.loses_text]
    places += [(name, lines.line_of(f"<{name}")) for name in dropped_tags(raw) if name not in known]
    for name, line in dict.fromkeys(places):
        if name not in mentioned:
            yield line, f"the HTML tag <{name}> was removed", "put it in backticks to show it"


# It begins with characters that few texts have, so that the search is quick.
_WITH_SCHEME = patterns.compile(r'="(?:(?<=\bhref=")|(?<=\bsrc="))([a-zA-Z][\w+.-]*:[^"]*)"')


def _unsafe(raw: str, lines: LineFinder) -> Iterator[BodyWarning]:
    for reference in _WITH_SCHEME.findall(raw):
        if not has_safe_scheme(reference, "img"):
            why = "its scheme isn't allowed" if _is_url(reference) else "it isn't a valid URL"
            what = f"the URL {reference[:60]!r} was removed, because {why}"
            yield lines.line_of(reference), what, "use an https:// URL"


def _is_url(reference: str) -> bool:
    try:
        urlsplit(reference)
    except ValueError:
        return False
    return True


_NO_ADDRESS = patterns.compile(r"<img\b(?![^<>]*\ssrc(?:set)?\s*=\s*[\"']?[^\s\"'<>])[^<>]*>", re.IGNORECASE)


def _without_address(raw: str, lines: LineFinder) -> Iterator[BodyWarning]:
    for tag in _NO_ADDRESS.findall(raw):
        alt = re.search(r'\balt="([^"]+)"', tag)
        line = lines.line_of(tag if tag in lines.prose else alt[1] if alt else "![](")
        yield line, "a picture without an address was left out", "write its path: ![description](picture.png)"


_FRAME = patterns.compile(r"<iframe\b((?:[^<>\"']++|\"[^\"]*+\"|'[^']*+')*+)", re.IGNORECASE)
_QUOTED = patterns.compile(r"=\s*+(?:\"[^\"]+\"|'[^']+')")
_HAS_SOURCE = patterns.compile(r"\ssrc\s*+=\s*+[^\s\"'<>]", re.IGNORECASE)


def _lost_frames(raw: str, lines: LineFinder) -> Iterator[BodyWarning]:
    for tag in _FRAME.finditer(raw):
        if not _HAS_SOURCE.search(_QUOTED.sub("=x", tag[1])):
            line = lines.line_of(tag[0] if tag[0] in lines.prose else "<iframe")
            yield line, "a frame without an address was left out", 'give it a src="https://...", or show its text'


def _without_alt(clean: str, lines: LineFinder) -> Iterator[BodyWarning]:
    for tag in re.findall(r"<img\b[^<>]*>", clean):
        if not re.search(r'\balt="[^"]+"', tag):
            source = re.search(r'\bsrc="([^"]*)"', tag)
            name = source[1].rpartition("/")[2] if source else "?"
            what = f"the picture {name} has no alt text"
            yield lines.line_of(name), what, "describe what it shows: ![description](picture)"


def _odd_marks(prose: str) -> Iterator[BodyWarning]:
    for match in re.finditer(r"\]\(\(", prose):
        yield line_at(prose, match.start()), "a link is written with two brackets: ]((", "write [text](URL)"
    for match in re.finditer(r"[^\s`]```+[ \t]*$", prose, re.MULTILINE) if "```" in prose else ():
        what = "a ``` at the end of a line doesn't open a code block"
        yield line_at(prose, match.start()), what, "put it on a line of its own"


_MAYBE_EMOJI = patterns.compile(r":[a-z][a-z0-9_+-]+:")
# Code, and the tags of the rest.
_NOT_PROSE = patterns.compile(r"<(code|pre|kbd|samp)\b.*?(?:</\1>|\Z)|<[^<>]*>", re.DOTALL)


def _unknown_emoji(clean: str, lines: LineFinder) -> Iterator[BodyWarning]:
    if _MAYBE_EMOJI.search(clean):
        for code in unknown_codes(_NOT_PROSE.sub(" ", clean)):
            what = f"{code} is not one of GitHub's emoji, and is shown as it is"
            yield lines.line_of(code), what, "write the emoji itself, or put it in backticks if readers should see it"
