"""The import of a file in the browser: the owner's decisions about it, the rehearsal, and the import itself.

The rehearsal does everything that the import does, and writes nothing. An import uses the decisions of the last
rehearsal, so that nothing is imported whose effect was not shown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from publisher.core.errors import PublisherError, SubscriberError
from publisher.core.frozen import dataclass
from publisher.core.subscriber_fields import clean_field_name
from publisher.store.subscriber_records import Added
from publisher.subscribers.address import shortened
from publisher.subscribers.csv_columns import IGNORE, STATUS_FIELDS, Choices, Columns
from publisher.subscribers.csv_fields import FieldOptions, is_own_detail
from publisher.subscribers.csv_file import look_at
from publisher.subscribers.csv_import import (
    ImportOptions,
    ImportReport,
    KeptRows,
    Listeners,
    RowResult,
    import_csv,
)
from publisher.subscribers.csv_rows import NamedNewsletters, titles_of
from publisher.subscribers.csv_status import STATUS_NAMES, STATUS_WORDS
from publisher.subscribers.csv_survey import FileQuestionError, QuestionsError
from publisher.subscribers.edit import known_fields

if TYPE_CHECKING:
    from publisher.web.background import Job
    from publisher.web.context import WebContext
    from publisher.web.forms import Form

OWN_FIELD = "own-field"
MOST_ROWS = 20  # that the rehearsal shows
MOST_REFUSED = 100

# What a column can be declared to be, in groups: (name of the group, (field, words)).
FIELDS: Sequence[tuple[str, Sequence[tuple[str, str]]]] = (
    (
        "About the person",
        (
            ("email", "Email address"),
            ("name", "Name"),
            ("first_name", "First name"),
            ("last_name", "Last name"),
            ("newsletters", "Newsletters"),
            ("topics", "Topics"),
            ("language", "Language"),
            ("joined_at", "Date of subscribing"),
            ("tags", "Tags"),
            ("note", "Note"),
            (OWN_FIELD, "A field of your own"),
        ),
    ),
    (
        "Who must not be emailed",
        (
            ("status", "Status, in words"),
            ("subscribed", "Subscribed: yes or no"),
            ("confirmed", "Confirmed: yes or no"),
            ("unconfirmed", "Unconfirmed: yes or no"),
            ("unsubscribed", "Unsubscribed: yes, no or a date"),
            ("disabled", "Email turned off: yes or no"),
            ("bounced", "Bounced: yes, no or a date"),
            ("complained", "Reported spam: yes, no or a date"),
            ("suppressed", "Suppressed: yes, no or a date"),
        ),
    ),
)
FIELD_WORDS = {name: words for _, group in FIELDS for name, words in group}
ENCODINGS = (
    ("", "UTF-8"),
    ("utf-8", "UTF-8; refuse lines in any other encoding"),
    ("windows-1252", "Windows-1252 (western Europe)"),
    ("windows-1250", "Windows-1250 (central Europe)"),
    ("windows-1251", "Windows-1251 (Cyrillic)"),
    ("shift_jis", "Shift JIS (Japanese)"),
    ("gb18030", "GB 18030 (Chinese)"),
    ("utf-16-le", "UTF-16"),
    ("mac-roman", "Mac OS Roman"),
)
_NOTHING_ELSE = (IGNORE, OWN_FIELD)
_KNOWN_AS = {Added.PENDING: "unconfirmed", Added.MOVED: "moved to another address"}


@dataclass(frozen=True, slots=True)
class FileChoices:
    """What the owner has decided about a file.

    columns      index of a column -> a field, OWN_FIELD or "ignore"; all others are read as they are recognised
    meanings     (index of a column, value) -> the name of a status
    newsletters  the newsletters for people whose row names none
    status       the status of everyone in the file, a name of STATUS_NAMES; "" leaves that to the file
    tags         tags for everyone in the file, separated by commas
    consent      where these people signed up, in the owner's words
    encoding     the encoding of the file; "" for UTF-8, or that of its byte-order mark
    """

    columns: Mapping[int, str] = field(default_factory=dict)
    meanings: Mapping[tuple[int, str], str] = field(default_factory=dict)
    newsletters: tuple[str, ...] = ()
    status: str = ""
    tags: str = ""
    consent: str = ""
    encoding: str = ""

    @classmethod
    def of_form(cls, form: Form, known: Sequence[str]) -> FileChoices:
        """Return the decisions in a form. Missing fields count as not decided. known: the newsletters."""
        columns, meanings = {}, {}
        for name in form.fields:
            kind, _, rest = name.partition(":")
            place, _, value = rest.partition(":")
            if not (place.isascii() and place.isdigit() and len(place) < 5):
                continue
            chosen = form.one(name)
            if kind == "column" and chosen in (IGNORE, *FIELD_WORDS):
                columns[int(place)] = chosen
            elif kind == "means" and chosen in STATUS_NAMES:
                meanings[int(place), value] = chosen
        status, encoding = form.one("as"), form.one("encoding")
        return cls(
            columns,
            meanings,
            tuple(name for name in known if name in form.all("newsletter")),
            status if status in STATUS_NAMES else "",
            form.one("tags"),
            form.one("consent"),
            encoding if encoding in dict(ENCODINGS) else "",
        )

    def options(self, header: Sequence[str], context: WebContext) -> ImportOptions:
        """Return the options of the import of a file with these column names.

        Raises SubscriberError if two columns were chosen for one field.
        """
        pairs: list[tuple[str, str]] = []
        for place, chosen in self.columns.items():
            if place >= len(header) or not header[place]:
                continue
            twice = [other for other, each in self.columns.items() if each == chosen and other < place]
            if twice and chosen not in (*_NOTHING_ELSE, *STATUS_FIELDS):
                names = " and ".join(repr(shortened(header[each], 40)) for each in (twice[0], place))
                raise SubscriberError(f"{names} were both chosen as: {FIELD_WORDS[chosen]}")
            pairs.append((header[place], IGNORE) if chosen in _NOTHING_ELSE else (chosen, header[place]))
        means = self.meanings.items()
        pairs += [(f"{header[place]}:{value}", chosen) for (place, value), chosen in means if place < len(header)]
        status = STATUS_NAMES[self.status] if self.status else None
        config = context.config
        asked = tuple(header[at] for at, each in self.columns.items() if each == OWN_FIELD and at < len(header))
        fields = FieldOptions(
            asked, False, known_fields(context.store, config.fields), frozenset(each.name for each in config.fields)
        )
        tags = tuple(tag for each in self.tags.split(",") if (tag := each.strip()))
        return ImportOptions(self.consent, Choices(tuple(pairs)), status, self.encoding, fields=fields, tags=tags)


@dataclass(slots=True)
class FileRun:
    """The findings of a rehearsal or an import of a file.

    file       the name of the file
    trouble    why nothing was done, in one line; "" if something was
    questions  what the owner must decide first; then nothing else was done
    rows       some of the first rows, with their results
    refused    the first rows that are refused, or in which a newsletter is refused
    """

    choices: FileChoices
    is_rehearsal: bool
    file: str = ""
    columns: Columns | None = None
    report: ImportReport | None = None
    trouble: str = ""
    questions: Sequence[FileQuestionError] = ()
    rows: list[RowResult] = field(default_factory=list)
    refused: list[RowResult] = field(default_factory=list)

    @property
    def may_be_imported(self) -> bool:
        """Whether this is a rehearsal, and an import may follow."""
        return self.is_rehearsal and self.report is not None and bool(self.report.rows)


def run_import(context: WebContext, path: Path, run: FileRun, job: Job) -> None:
    """Rehearse the import of a file, or carry it out, and write the results into the run.

    Raises StoppedError if the job should end.
    """
    config, choices = context.config, run.choices
    known = frozenset(each.name for each in config.newsletters)
    titles = titles_of({each.name: each.title or config.site.title for each in config.newsletters})

    def keep(kept: list[RowResult], result: RowResult, most: int) -> None:
        """Keep a result, if there is room for it."""
        if len(kept) < most:
            kept.append(result)

    def seen(columns: Columns) -> None:
        """Keep the columns of the file."""
        run.columns = columns

    try:
        if not choices.newsletters:
            raise SubscriberError("choose at least one newsletter")
        run.report = import_csv(
            context.store,
            path,
            NamedNewsletters(choices.newsletters, known, titles),
            at=context.now(),
            options=choices.options(look_at(path, encoding=choices.encoding).header, context),
            dry_run=run.is_rehearsal,
            listeners=Listeners(
                columns=seen,
                refused=lambda result: keep(run.refused, result, MOST_REFUSED),
                row=lambda result: keep(run.rows, result, MOST_ROWS),
                progress=job.advance,
            ),
        )
    except QuestionsError as error:
        run.questions = error.questions
    except SubscriberError as error:
        run.trouble = told(error)


def told(error: PublisherError) -> str:
    """Return an error about a file in words, without the file's path on the server and without command options."""
    hint = f" ({error.hint})" if error.hint and "--" not in error.hint and "`" not in error.hint else ""
    return f"Nothing was imported: {error.message}{hint}."


def reading(columns: Columns | None, place: int, configured: Collection[str], *, surveyed: bool) -> str:
    """Return in words how a column is read unless the owner decides otherwise.

    configured  the fields that publisher.toml names
    surveyed    whether all rows were read, so that the content of the cells is known
    """
    if columns is None:
        return "not used"
    name = next((name for name, each in columns.fields.items() if each == place), "")
    if name or place in columns.joined:
        return FIELD_WORDS[name or "joined_at"]
    detail = next((name for name, each in columns.details.items() if each == place), "")
    if detail:
        return FIELD_WORDS[detail]
    kept = [f"{each.name} ({each.kind.value})" for each in columns.kept if each.place == place]
    if kept:
        return f"field {', '.join(kept[:5])}"
    if place in columns.dated and not surveyed:
        return FIELD_WORDS["joined_at"]  # if its cells are dates, which the rehearsal finds out
    if any(each.place == place for each in columns.statuses):
        return "who must not be emailed"
    heading = columns.header[place]
    if place in columns.own.values() or (columns.tool == "Publisher" and is_own_detail(heading)):
        return "as Publisher exported it"
    with suppress(SubscriberError):
        return f"field {name}" if (name := clean_field_name(heading)) in configured else "not used"
    return "not used"


def described(report: ImportReport, *, is_rehearsal: bool) -> Iterator[tuple[int, str, str]]:
    """Yield the lines of a report as (level, number of rows, words). Level 0 is a heading, 1 a line below it."""
    yield 0, f"{report.mailed:,}", f"{'would get' if is_rehearsal else 'get'} the next edition"
    for count, words in (
        (report.added, "new"),
        (report.subscribed, "already known, and subscribed to another newsletter"),
        (report.updated, "already known, with different topics"),
        (report.unchanged, "already known, with the same subscriptions"),
        (report.described, "of those already known, with new tags, fields or notes"),
        (report.newer, "unsubscribed in the file, but agreed here since then"),
        (report.left_some, "unsubscribed from some newsletters, but get others"),
        (report.stay.count, "unconfirmed in the file, but subscribed here"),
        (report.partly, "of these, not added to a newsletter from which they unsubscribed"),
    ):
        if count:
            yield 1, f"{count:,}", words
    yield 0, f"{report.not_mailed:,}", f"{'would be ' if is_rehearsal else ''}stored, and get no email"
    for status, rows in report.kept.items():
        yield 1, f"{rows.count:,}", f"{STATUS_WORDS[status]} ({_lines(rows)})"
    yield 0, f"{report.refused:,}", "refused"
    for why, count in report.known.items():
        yield 1, f"{count:,}", f"{_KNOWN_AS.get(why, why.value)} here"
    if report.left_behind:
        yield 0, f"{report.left_behind:,}", "left behind: entries of the other project's suppression list"


def doubts(report: ImportReport) -> Iterator[str]:
    """Yield warnings about what the owner may not have intended."""
    yield from report.doubts
    if report.languages:
        shown = ", ".join(repr(shortened(word, 30)) for word in report.languages[:5])
        yield f"Languages that are not understood, and therefore ignored: {shown}"
    for encoding, lines in report.coded.items():
        yield f"{lines:,} {'line seems' if lines == 1 else 'lines seem'} to be {encoding}: choose it as the encoding."


def _lines(rows: KeptRows) -> str:
    return f"line {rows.first}" if rows.count == 1 else f"lines {rows.first} to {rows.last}"
