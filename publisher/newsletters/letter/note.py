"""A writer's note for one edition: letters/<newsletter>/<slot>.md, next to the posts.

---
subject: Three things that surprised me
preheader: One of them is a bird
---
Dear readers, ...
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime
from functools import cached_property
from itertools import islice
from urllib.parse import urljoin
from zoneinfo import ZoneInfo

import comrak

from publisher.config import Config, NewsletterConfig, Schedule, ScheduleKind, parse_schedule
from publisher.config.private_paths import PublicFiles
from publisher.core.errors import PostError, PublisherError, file_and_line
from publisher.core.file_names import existing
from publisher.core.frozen import dataclass
from publisher.core.models import Problem, Severity, problem_at
from publisher.core.newsletter_models import slot_path
from publisher.core.private_folder import COPY_IT
from publisher.newsletters.letter.personal import (
    known_fields,
    line_before,
    marked,
    marked_setting,
    place_of_setting,
    rendered,
)
from publisher.newsletters.letter.safe_text import clean
from publisher.newsletters.slots import slot_label, upcoming
from publisher.newsletters.streams import streams_of
from publisher.posts.bounded_process import OverLimit, TimeLimit, shared_process
from publisher.posts.front_matter.parsing import parse_head
from publisher.posts.front_matter.preamble import front_start
from publisher.posts.rendering import lone_tags
from publisher.posts.rendering.allowed_html import sanitise
from publisher.posts.rendering.fences import with_fence_lines
from publisher.posts.rendering.lost_words import LostWords, lost_elements, with_all_cells, with_all_words
from publisher.posts.rendering.mathml import maths_of
from publisher.posts.text import comments
from publisher.posts.text.hidden_words import hidden_words
from publisher.posts.text.nesting import require_shallow_html, require_shallow_markdown
from publisher.posts.text.paid_parts import refuse_paid_part
from publisher.posts.text.prose import line_at, masked
from publisher.posts.text.tex import take_out
from publisher.posts.text.typography import finished, prepared

NOTES_FOLDER = "letters"
_KEYS = ("subject", "preheader")

_MOST_CHARACTERS = 500_000  # in a note's file; Gmail shows a fifth as many in a whole email

# A note with this many characters of HTML is refused: Gmail cuts off an email of a fifth of that.
_LONGEST = 500_000
_TIME = TimeLimit()


@dataclass(frozen=True, slots=True)
class Note:
    """A writer's note for one edition, with sealed marks; an empty subject or preheader stands for the default.

    html  the intro above the posts, sanitised and with absolute URLs
    """

    subject: str = ""
    preheader: str = ""
    html: str = ""


def note_path(newsletter: NewsletterConfig, slot: str) -> str:
    """Return the path of a slot's note, relative to the project."""
    return f"{NOTES_FOLDER}/{newsletter.name}/{slot_path(slot)}.md"


def read_note(config: Config, newsletter: NewsletterConfig, slot: str) -> Note | None:
    """Read the note for a slot, which is a scheduled time; return None if there is no note.

    A note without an intro gets the newsletter's intro. Raises PublisherError with the name of the file if the note
    cannot be read, because an edition must not be sent without the note that was written for it.
    """
    file = read_file(config, note_path(newsletter, slot))
    if file is None:
        return None
    file.require_keys(_KEYS)
    language = config.newsletter_language(newsletter)
    return Note(
        subject=file.marked("subject", config, language),
        preheader=file.marked("preheader", config, language),
        html=file.html(config, language) if file.body.strip() else default_note(config, newsletter).html,
    )


@dataclass(frozen=True, slots=True)
class NoteFile:
    """A file under letters/ as it was read: the keys of its front matter with their lines, and its Markdown.

    path        relative to the project
    first_line  the line of the file on which the Markdown begins
    """

    path: str
    fields: Mapping[str, object]
    lines: Mapping[str, int]
    body: str
    first_line: int

    def text(self, key: str) -> str:
        """Return the value of a key; "" if it is missing."""
        return str(self.fields.get(key) or "")

    def marked(self, key: str, config: Config, language: str) -> str:
        """Return the value of a key as text, with marks for its tags about the subscriber (see `personal.marked`)."""
        return marked(self.text(key), known_fields(config), self.where(key), language=language, is_markdown=False)

    def where(self, key: str) -> str:
        """Return the place of a key, or of the beginning of the file if it is missing."""
        return f"{self.path}:{self.lines.get(key, 1)}"

    def html(self, config: Config, language: str) -> str:
        """Return the Markdown as sanitised HTML with sealed marks; raise PublisherError as `marked_markdown` does."""
        return marked_markdown(self.body, config, self.path, language, first_line=self.first_line)

    def require_keys(self, known: Collection[str]) -> None:
        """Raise PublisherError if the front matter has an unknown key, or a key whose value is not a single text."""
        for key, value in self.fields.items():
            _require_text(key, value, self.where(key), known)


def read_file(config: Config, path: str) -> NoteFile | None:
    """Read a file under letters/ by its path relative to the project; return None if there is none.

    Raises PublisherError with the name of the file if it cannot be read, or if its front matter is not valid.
    """
    path = existing(config.root, path)
    if why := PublicFiles(config).why_not(config.root / path):
        raise PublisherError(why, where=path, hint=COPY_IT)
    try:
        with (config.root / path).open(encoding="utf-8-sig") as file:
            text = file.read(_MOST_CHARACTERS + 1)
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise PublisherError("not UTF-8 text", where=path, hint="save it as UTF-8") from error
    except OSError as error:
        raise PublisherError(f"cannot be read: {error.strerror}", where=path) from error
    if len(text) > _MOST_CHARACTERS:
        raise PublisherError(f"has more than {_MOST_CHARACTERS:,} characters", where=path, hint="make it shorter")
    text = clean(text)
    fields, lines, body = _split(text, path)
    return NoteFile(path, fields, lines, body, text.count("\n", 0, len(text) - len(body)) + 1)


def require_notes(config: Config) -> None:
    """Raise PublisherError if letters/, or a newsletter's folder in it, exists but cannot be read.

    Its notes would seem to be missing, and editions would be sent without them. The folder need not exist.
    """
    for path in (NOTES_FOLDER, *(f"{NOTES_FOLDER}/{newsletter.name}" for newsletter in config.newsletters)):
        try:
            any((config.root / path).iterdir())
        except OSError as error:
            if isinstance(error, FileNotFoundError) and not os.path.lexists(config.root / path):
                continue
            hint = "restore the folder and its permissions; or remove it, to send editions without notes"
            raise PublisherError(f"cannot be read: {error.strerror}", where=path, hint=hint) from error


def default_note(config: Config, newsletter: NewsletterConfig) -> Note:
    """Return the note for an edition without a note of its own: the newsletter's intro, which may be empty."""
    html = markdown(marked_setting(config, newsletter, "intro", is_markdown=True), config.site_url)
    return Note(html=rendered(html, lambda: place_of_setting(config, newsletter, "intro")))


def marked_markdown(text: str, config: Config, where: str, language: str, *, first_line: int = 0) -> str:
    """Convert a short Markdown text as `markdown` does, with sealed marks for its tags about the subscriber.

    language  the language in which dates are written
    Raises PublisherError as `markdown` does, and for a wrong tag or a condition that does not enclose whole paragraphs.
    """
    text = marked(text, known_fields(config), where, first_line=first_line, language=language)
    try:
        html = markdown(text, config.site_url, where, first_line=first_line)
    except PublisherError as error:
        path, line = file_and_line(error.where)
        if first_line and line:
            error.where = f"{path}:{first_line - 1 + line_before(text, line - first_line + 1)}"
        raise
    return rendered(html, lambda: where)


def markdown(
    text: str, base: str, where: str = "newsletters.intro", limit: TimeLimit = _TIME, *, first_line: int = 0
) -> str:
    """Convert a short Markdown text to sanitised HTML; relative URLs are resolved against `base`.

    Like a post, it is rendered in a child process. Raises PublisherError if that takes too long, if the text is nested
    too deeply, or if readers would not see all of its words where they belong.

    where       the file or key that the text is from, for errors
    first_line  the line of the file on which it begins; 0 if it is not in a file
    """
    if not text.strip():
        return ""
    try:
        require_shallow_markdown(text, first_line)
        begin = first_line + text[: len(text) - len(text.lstrip())].count("\n")
        html = shared_process().call(rendered_note, text.strip(), base, begin, seconds=limit.for_size(len(text)))
        require_shallow_html(html, text, first_line)
    except PostError as error:
        place = f"{where}:{error.line}" if first_line else where
        raise PublisherError(error.message, where=place, hint=error.hint) from error
    except OverLimit as over:
        raise PublisherError(over.said("to render"), where=where, hint="simplify it") from over
    if len(html) > _LONGEST:
        what = "becomes more than 0.5 MB of HTML, and Gmail cuts emails off near 0.1 MB"
        raise PublisherError(what, where=where, hint="make it shorter")
    return str(html)


def rendered_note(text: str, base: str, first_line: int = 1) -> str:
    """Return the HTML of a note, which begins on a line of its file. This runs in the child process."""
    refuse_paid_part(text, first_line, is_markdown=True)
    taken = take_out(text)
    html, lost = _html_of(taken.body)
    for each in lost:
        if each.is_error:
            raise PostError(each.message, line=first_line + each.line - 1, hint=each.hint)
    if len(html) > _LONGEST:
        return html[: _LONGEST + 1]
    clean = sanitise(taken.put_back(html), lambda tag, url: urljoin(f"{base}/", url))
    clean = comments.without_comments_in_attributes(clean)
    view = masked(text)
    for shown in comments.shown_comments(view, clean, is_markdown=True):
        if shown.is_certain:
            raise PostError(shown.message, line=first_line + line_at(view, shown.place) - 1, hint=shown.hint)
    if tag := hidden_words(html):
        raise PostError(f"readers would see what {tag} hides in a browser", line=first_line, hint="delete it")
    return maths_of(clean, 0).html


def _html_of(body: str) -> tuple[str, list[LostWords]]:
    """Return a note without its formulas as HTML, and the words that are not where the writer meant them to be."""
    extensions = comrak.ExtensionOptions()
    extensions.autolink = extensions.strikethrough = extensions.table = extensions.cjk_friendly_emphasis = True
    parsing = comrak.ParseOptions()
    parsing.smart = True
    cells: dict[int, LostWords] = {}

    def parsed(body: str, escape: bool = True, placed: bool = True) -> str:
        """Return the HTML of a note in Markdown, with the place of each element if that is wanted."""
        rendering = comrak.RenderOptions()
        rendering.sourcepos = parsing.sourcepos_chars = placed
        rendering.unsafe_ = True  # inline HTML is allowed; it is sanitised later
        rendering.escape = escape
        rendering.full_info_string = True  # its words are needed
        return finished(comrak.render_markdown(body, extensions, parsing, rendering))

    def render(body: str, escape: bool = False) -> str:
        """Return the HTML of a body whose tables have all their cells."""
        return parsed(with_all_cells(body, parsed, cells), escape, placed=False)

    body, lost = with_all_words(body, footnotes=False)
    body = prepared(body)
    if lone_tags.may_swallow(body):
        settled = lone_tags.settle_markdown(body, render)
        lost += lost_elements(settled.removed)
        html = settled.html
    else:
        html = render(body)
    html, at_fences = with_fence_lines(html, body, parsed)
    return html, [*lost, *cells.values(), *at_fences]


def stray_notes(
    config: Config, now: datetime, taken: Mapping[str, Collection[str]], emails: Collection[str] = ()
) -> Iterator[Problem]:
    """Yield a warning for each folder under letters/ without a newsletter, and for each note that no email will carry.

    taken   the slots that have an edition, by the name of the newsletter
    emails  the paths of files under letters/ that are emails without posts, not notes
    Notes from earlier years are not checked, because the schedule may have been different then.
    """
    names = [each.name for each in config.newsletters]
    folder = config.root / NOTES_FOLDER
    try:
        require_notes(config)
    except PublisherError as error:
        yield problem_at(error)
        return
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        newsletter = config.newsletter(path.name)
        place = f"{NOTES_FOLDER}/{path.name}"
        if newsletter is not None and path.is_dir():
            slots = frozenset(map(slot_path, taken.get(path.name, ())))
            stray = _stray_notes_of(config, newsletter, now, slots)
            yield from (problem for problem in stray if problem.path not in emails)
        elif path.is_dir() or path.suffix == ".md":
            near = difflib.get_close_matches(path.name, names, n=1, cutoff=0.5)
            hint = f"did you mean {NOTES_FOLDER}/{near[0]}/?" if near else f"put notes in {NOTES_FOLDER}/NEWSLETTER/"
            yield Problem(place, 0, f"there is no newsletter called {path.stem!r}", hint, Severity.WARNING)


def _stray_notes_of(
    config: Config, newsletter: NewsletterConfig, now: datetime, taken: Collection[str]
) -> Iterator[Problem]:
    schedule = parse_schedule(newsletter.schedule)
    zone = config.newsletter_zone(newsletter)
    each_post = schedule.kind is ScheduleKind.EACH_POST
    label = "post-ID" if each_post else slot_path(slot_label(schedule, now, zone))
    notes = sorted((config.root / NOTES_FOLDER / newsletter.name).glob("*.md"))
    notes = [path for path in notes if path.name.isprintable()]  # others are reported as emails
    coming = {each.slot(""): _Coming(each.schedule, now, zone) for each in streams_of(newsletter)}
    for name in (path.stem for path in notes):
        message = ""
        prefix = next((each for each in coming if each and name.startswith(each)), "")
        if name in taken or name[len(prefix) :][:4] < f"{now:%Y}":
            continue
        if each_post and not prefix:
            message = "" if name.startswith("post-") else _NO_SLOT
        else:
            message = coming[prefix].why_not(re.sub(r"\.\d+$", "", name[len(prefix) :]))
        if message:
            yield Problem(
                f"{NOTES_FOLDER}/{newsletter.name}/{name}.md",
                0,
                message.format(newsletter=newsletter.name, name=name),
                f"name it after a slot, such as {label}.md" + ("" if name[0].isdigit() else _OR_SEND),
                Severity.WARNING,
            )


class _Coming:
    """The slots of a schedule from now on, as far ahead as is needed to judge the names of notes."""

    def __init__(self, schedule: Schedule, now: datetime, zone: ZoneInfo) -> None:
        self._schedule, self._now, self._zone = schedule, now, zone

    @cached_property
    def _labels(self) -> list[str]:
        """The label of the current slot and, except for a manual newsletter, the labels of the years to come."""
        labels = [slot_label(self._schedule, self._now, self._zone)]
        labels += [slot.label for slot in islice(upcoming(self._schedule, self._now, self._zone), _FAR_AHEAD)]
        return sorted(map(slot_path, labels))

    def why_not(self, name: str) -> str:
        """Return why no edition from now on will have the slot of this name, or "" if an edition may have it."""
        first, last = self._labels[0], self._labels[-1]
        if not _is_like(name, first):
            return _NO_SLOT
        if name < first:
            return "the slot {name!r} of {newsletter} is past and has no edition, so this note will never be used"
        return "" if name in self._labels or name > last else _NO_SLOT


_NO_SLOT = "{newsletter} has no slot called {name!r}, so this note will never be used"
_FAR_AHEAD = 500
_OR_SEND = "; or add `send: draft` to make it an email of its own"


def _is_like(name: str, label: str) -> bool:
    """Return whether a name has the form of a label, and the date in it exists."""
    if _shape(name) != _shape(label):
        return False
    try:
        if "W" in name:
            date.fromisocalendar(int(name[:4]), int(name[6:8]), 1)
        else:
            date.fromisoformat(f"{name}-01" if len(name) == len("2026-11") else name[:10])
    except ValueError:
        return False
    return True


def _shape(label: str) -> str:
    return re.sub(r"\d", "0", label)


def _split(text: str, path: str) -> tuple[Mapping[str, object], Mapping[str, int], str]:
    """Return the front matter with its lines, and the body; raise PublisherError if the front matter is invalid."""
    start = front_start(text)[0]
    if not _has_front_matter(text[start:]):
        return {}, {}, text
    skipped = text.count("\n", 0, start)
    try:
        head = parse_head(text[start:], whole=True)
    except PostError as error:
        raise PublisherError(error.message, where=f"{path}:{error.line + skipped}", hint=error.hint) from error
    if again := _SECOND.match(head.body):
        line = skipped + head.body_line + again[0].count("\n")
        hint = "move its keys into the first; if it is text, put it between lines of ```"
        raise PublisherError("a second block of front matter", where=f"{path}:{line}", hint=hint)
    return head.fields, {key: line + skipped for key, line in head.lines.items()}, head.body


def _has_front_matter(text: str) -> bool:
    """Return whether a note starts with front matter; --- without a key below it is only a horizontal rule."""
    lines = text.splitlines()
    if not lines or lines[0].rstrip() not in ("---", "+++"):
        return False
    below = next((line for line in lines[1:] if line.strip()), "")
    return lines[0].startswith("+++") or bool(re.match(r"(?:subject|preheader)\b|[\w-]+\s*:", below))


_SECOND = re.compile(r"\s*+(?=(---|\+\+\+)[ \t]*\n(?:[\w-]+[ \t]*[:=].*\n)+\1[ \t]*(?:\n|\Z))")


def _require_text(key: str, value: object, where: str, known: Collection[str]) -> None:
    if key not in known:
        *others, last = known
        raise PublisherError(f"{key!r} is unknown", where=where, hint=f"use {', '.join(others)} and {last}")
    if isinstance(value, list | dict):
        raise PublisherError(f"{key} is not text", where=where, hint=f'put it in quotes: {key}: "..."')
    if isinstance(value, str) and (sign := comments.comment_in(value)):
        what = f"the {key} shows readers the comment that begins with {sign}"
        raise PublisherError(what, where=where, hint="delete it")
