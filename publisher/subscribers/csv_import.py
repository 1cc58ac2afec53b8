"""Importing subscribers from a CSV file of any size. A file can be imported again, and each refused row is reported."""

from __future__ import annotations

import hashlib
import shlex
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from publisher.core.characters import clean_line
from publisher.core.errors import SubscriberError
from publisher.core.frozen import dataclass
from publisher.core.newsletter_models import SubscriberStatus
from publisher.core.subscriber_fields import FieldKind, clean_tags
from publisher.core.subscriber_status import SubscriberEvent
from publisher.store.subscriber_records import Added, AddOptions, AddResult, NewSubscriber, source_of
from publisher.subscribers.address import shortened
from publisher.subscribers.csv_columns import Choices, Columns
from publisher.subscribers.csv_fields import DetailReader, FieldOptions, is_own_detail
from publisher.subscribers.csv_file import CsvFile, CsvRow
from publisher.subscribers.csv_groups import RowGroup, add_group, read_group, written
from publisher.subscribers.csv_own import by_person
from publisher.subscribers.csv_repeats import Repeats
from publisher.subscribers.csv_rows import NamedNewsletters, RowReader
from publisher.subscribers.csv_status import HARDNESS, STATUS_WORDS
from publisher.subscribers.csv_survey import FileQuestionError, QuestionsError, Survey, survey

if TYPE_CHECKING:
    from publisher.store import Store

GROUP = 2_000  # rows per transaction
LONGEST_CONSENT = 300  # characters
MOST_TOPICS = 1_000  # topics kept for the report
MOST_PARTED = 20  # selections of newsletters that the report distinguishes


@dataclass(frozen=True, slots=True)
class RowResult:
    """The result for a row. Its `line` is counted from 1, including the header.

    refused  whether it was not imported
    """

    line: int
    address: str
    reason: str
    refused: bool = False

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


# The newsletters that somebody left and those that they still get.
Parted = tuple[tuple[str, ...], tuple[str, ...]]


@dataclass(slots=True)
class KeptRows:
    """The rows of people who are kept, or stay subscribed, for the same reason. first, last: their lines."""

    count: int = 0
    first: int = 0
    last: int = 0

    def add(self, line: int) -> None:
        """Count another row."""
        self.count += 1
        self.first, self.last = min(self.first or line, line), max(self.last, line)


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The result of importing a file, as numbers of rows.

    subscribed  rows that subscribed a known subscriber to another newsletter
    unchanged   rows that changed nothing for a known subscriber
    updated     rows that changed the topics of a known subscriber
    partly      imported rows in which a newsletter was refused because the person unsubscribed from it
    again       rows of people who have agreed here since the date of the opt-out in the file
    stay        rows of people who are unconfirmed in the file but subscribed here
    parted      (newsletters that they left, those that they still get) -> rows of people who left only some; beyond
                MOST_PARTED the newsletters are empty
    known       reason known here why a person must not get email -> rows that were refused for it
    kept        status -> rows of people who are recorded and get no email
    left_behind entries of a suppression list that the operator leaves behind because its secret is missing
    topics      the topics in the rows, MOST_TOPICS at most
    nothing     rows whose topics occur in no post
    languages   languages that are not understood
    described   rows that gave a known subscriber tags, fields or a note
    fields      the fields that have values, with their kinds
    doubts      lines about tags and fields that were left out
    coded       likely encoding -> lines that are not valid in the file's encoding
    number      the number of the import, by which it can be undone; 0 for a dry run
    """

    rows: int
    added: int
    subscribed: int
    unchanged: int
    refused: int
    updated: int = 0
    partly: int = 0
    again: KeptRows = field(default_factory=KeptRows)
    stay: KeptRows = field(default_factory=KeptRows)
    parted: Mapping[Parted, KeptRows] = field(default_factory=dict)
    known: Mapping[Added, int] = field(default_factory=dict)
    kept: Mapping[SubscriberStatus, KeptRows] = field(default_factory=dict)
    left_behind: int = 0
    topics: tuple[str, ...] = ()
    nothing: int = 0
    languages: tuple[str, ...] = ()
    coded: Mapping[str, int] = field(default_factory=dict)
    number: int = 0
    described: int = 0
    fields: Mapping[str, FieldKind] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()

    @property
    def newer(self) -> int:
        """The number of rows of people who have agreed here since the date of the opt-out in the file."""
        return self.again.count

    @property
    def left_some(self) -> int:
        """The number of rows of people who left a newsletter and still get another one."""
        return sum(rows.count for rows in self.parted.values())

    @property
    def mailed(self) -> int:
        """The number of rows of people who will get email."""
        stay = self.newer + self.stay.count + self.left_some
        return self.added + self.subscribed + self.unchanged + self.updated + stay

    @property
    def not_mailed(self) -> int:
        """The number of rows of people who are kept and get no email."""
        return sum(rows.count for rows in self.kept.values())


def _unreported(result: RowResult) -> None:
    """Ignore the result of a row."""


def _unwatched(rows: int, of_about: int) -> None:
    """Ignore progress."""


@dataclass(frozen=True, slots=True)
class Listeners:
    """The functions that are called during an import.

    columns   called with the mapping of the columns, before anything is written
    refused   called with each row that is not imported
    row       called with each other row
    progress  called with the number of rows so far and the approximate total
    """

    columns: Callable[[Columns], None] = lambda columns: None
    refused: Callable[[RowResult], None] = _unreported
    row: Callable[[RowResult], None] = _unreported
    progress: Callable[[int, int], None] = _unwatched


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How to read a file.

    consent    where these people gave their consent, in the operator's words. It is stored for each new subscriber,
               along with the name of the file and the date of consent in the file
    choices    which columns contain which fields. All others are recognised by their names
    status     the status that the operator gives to every row; None leaves it to the file
    encoding   the encoding of the file; "" means that of its byte-order mark, or UTF-8
    has_posts  whether there are posts about a topic; None if that is not known
    fields     which columns become fields
    tags       tags for everybody in the file
    """

    consent: str = ""
    choices: Choices = field(default_factory=Choices)
    status: SubscriberStatus | None = None
    encoding: str = ""
    has_posts: Callable[[str], bool] | None = None
    fields: FieldOptions = field(default_factory=FieldOptions)
    tags: tuple[str, ...] = ()


def import_csv(
    store: Store,
    path: Path,
    newsletters: NamedNewsletters,
    *,
    at: datetime,
    options: ImportOptions | None = None,
    dry_run: bool = False,
    listeners: Listeners | None = None,
) -> ImportReport:
    """Add the subscribers in a CSV file, and record where their consent came from.

    The file is read twice. All questions are asked before anything is written. If the file says that people must not
    get email, that is recorded.

    Topics in a row replace the topics of a known subscriber; a row without topics leaves them alone. If a person has
    several rows for a newsletter, the topics of the first count. A row is refused if the database knows that the
    subscriber must not get email. Importing the same file again, for example after an interruption, is the same as
    importing it once. Memory use stays constant.

    dry_run: report what would happen to each row, but write nothing. An address that occurs twice may then be counted
    twice.

    Raises QuestionsError if the operator must say what a part of the file means. Raises SubscriberError if the file
    cannot be read, if no column contains addresses, or if the options name something that does not exist.
    """
    options, listeners = options or ImportOptions(), listeners or Listeners()
    with CsvFile(path, options.choices, encoding=options.encoding, bare=options.status is not None) as file:
        reader = _row_reader(file.columns, newsletters, options, at)
        try:
            found = _surveyed(file, reader, path, options, listeners)
            _require_secret(store, found, path, options.choices)
            run = _Import(store, reader, _begun(store, file, path, reader, options, dry_run), dry_run, listeners)
            file.rewind()
            with store.database.for_many_rows() as busy:
                for group, added in written(run.groups(file), run.write, busy=busy):
                    run.tell(group, added)
        except OSError as error:
            raise SubscriberError(f"cannot be read: {error.strerror}", where=str(path)) from error
    return run.report(found)


def _row_reader(columns: Columns, newsletters: NamedNewsletters, options: ImportOptions, at: datetime) -> RowReader:
    """Return the reader of subscribers in rows. Raises SubscriberError if the options name something unknown."""
    return RowReader(
        columns=columns,
        newsletters=newsletters,
        consent=clean_line(options.consent, LONGEST_CONSENT),
        at=at,
        forced=options.status or SubscriberStatus.ACTIVE,
        has_posts=options.has_posts and lru_cache(MOST_TOPICS)(options.has_posts),
        repeats=Repeats(newsletters.known) if "topics" in columns.fields else None,
        details=_details(columns, options),
    )


def _details(columns: Columns, options: ImportOptions) -> DetailReader:
    """Return the reader of tags, notes and fields. Raises SubscriberError for an unknown column, or a bad tag.

    A column that only seems to say who must not get email may become a field if it turns out to say something else.
    """
    used = columns.used - {each.place for each in columns.statuses if not each.sure}
    free = set(range(len(columns.header))) - used - set(columns.details.values())
    asked = {columns.header.index(each) for each in options.fields.asked if each in columns.header}
    reader = DetailReader(
        columns.details.get("tags", -1), columns.details.get("note", -1), given=clean_tags(options.tags)
    )
    own = columns.tool == "Publisher"
    free -= {place for place in columns.settled - asked if not (own and is_own_detail(columns.header[place]))}
    reader.choose(columns.header, free, options.fields, own=own)
    return reader


def _begun(
    store: Store, file: CsvFile, path: Path, reader: RowReader, options: ImportOptions, dry_run: bool
) -> AddOptions:
    """Record that the import begins, and return the options for adding its people."""
    name, at = clean_line(path.name, 100), reader.at
    kinds = reader.details.kinds
    if dry_run:
        return AddOptions(at, source_of(name), SubscriberEvent.IMPORTED, kinds=kinds)
    shown = [f"--map={key}={column}" for key, column in options.choices.fields]
    shown += [f"--as={STATUS_WORDS[options.status]}"] if options.status else []
    shown += [f"--encoding={options.encoding}"] if options.encoding else []
    shown += [f"--fields={','.join(options.fields.asked)}"] if options.fields.asked else []
    shown += ["--all-fields"] if options.fields.everything else []
    shown += [f"--tag={tag}" for tag in options.tags]
    if set(reader.newsletters.chosen) != reader.newsletters.known:
        shown += [f"--newsletter={each}" for each in reader.newsletters.chosen]
    everything = "\n".join((file.digest(), name, *shown, *sorted(reader.newsletters.chosen)))
    digest = hashlib.sha256(everything.encode("utf-8", "surrogatepass")).hexdigest()
    number, since = store.imports.begin(name, clean_line(shlex.join(shown), 1_000), digest, at)
    return AddOptions(at, source_of(name), SubscriberEvent.IMPORTED, number=number, since=since, kinds=kinds)


def _require_secret(store: Store, found: Survey, path: Path, choices: Choices) -> None:
    """Raise QuestionsError if the file has entries of a suppression list that were hashed with a different secret."""
    if not found.key_ids or all(map(store.suppressions.knows, found.key_ids)):
        return
    question = FileQuestionError(
        "its suppression list was made with a different secret, so no address on it would be recognised",
        hint="copy .publisher/secret from the other project to this one before you import anything;"
        " or --map suppressed_hash=ignore to leave that list behind",
    )
    raise QuestionsError([question], str(path))


def _surveyed(file: CsvFile, reader: RowReader, path: Path, options: ImportOptions, listeners: Listeners) -> Survey:
    """Read the file once, prepare the reader, and return what the file contains. Raises QuestionsError."""
    asks = options.status in (None, SubscriberStatus.ACTIVE)
    found = survey(file, reader.look, statuses=asks)
    if reader.repeats is not None:
        reader.repeats.settle()
    reader.details.settle(found.columns.used)
    found.columns = replace(found.columns, kept=reader.details.columns)
    reader.columns, reader.day_first = found.columns, found.day_first
    listeners.columns(found.columns)
    encoding = found.of_encoding() if not options.encoding and not file.marked else []
    questions = found.questions(path.name if options.status is None else "") if asks else []
    if questions := [*encoding, *questions, *(reader.questions() if asks else [])]:
        raise QuestionsError(questions, str(path))
    return found


@dataclass(frozen=True, slots=True)
class _Import:
    """The import of one file."""

    store: Store
    reader: RowReader
    options: AddOptions
    dry_run: bool
    listeners: Listeners
    counts: Counter[str] = field(default_factory=Counter)
    known: Counter[Added] = field(default_factory=Counter)
    kept: dict[SubscriberStatus, KeptRows] = field(default_factory=dict)
    again: KeptRows = field(default_factory=KeptRows)
    stay: KeptRows = field(default_factory=KeptRows)
    parted: dict[Parted, KeptRows] = field(default_factory=dict)
    topics: set[str] = field(default_factory=set)

    def groups(self, file: CsvFile) -> Iterator[RowGroup]:
        """Yield the rows of the file in groups. Each person is a row, or several rows of our own export."""
        people = by_person(self.reader.columns, file)
        while some := list(islice(people, GROUP)):
            yield read_group(self.reader, some, file.share)

    def write(self, group: RowGroup) -> Sequence[AddResult]:
        """Write a group, and return the result for each of its people."""
        return add_group(self.store, group, self.options, dry_run=self.dry_run)

    def tell(self, group: RowGroup, added: Sequence[AddResult]) -> None:
        """Count the results for the rows of a group, and report them in the order of the file."""
        self.counts["rows"] += group.size
        self.counts["left_behind"] += group.left_behind
        for line in group.listed:
            self.kept.setdefault(SubscriberStatus.SUPPRESSED, KeptRows()).add(line)
        refused = group.refused[::-1]
        for (rows, subscriber), result in zip(group.people, added, strict=True):
            while refused and refused[-1][0][0].line < rows[0].line:
                self._refuse(*refused.pop())
            self._count(rows, subscriber, result)
        while refused:
            self._refuse(*refused.pop())
        self.listeners.progress(self.counts["rows"], round(self.counts["rows"] / (group.share or 1)))

    def _count(self, rows: list[CsvRow], subscriber: NewSubscriber, done: AddResult) -> None:
        if done.result.refused:
            self.known[done.result] += len(rows)
            self._refuse(rows, f"{subscriber.address} {done.reason}")
            return
        if done.described and done.result is not Added.ADDED:
            self.counts["described"] += 1
        if done.refusals:
            self.counts["partly"] += 1
            said = f"{subscriber.address} {done.reason}"
            self.listeners.refused(RowResult(rows[0].line, subscriber.address, said))
        is_gone = subscriber.says is not None or (subscriber.ended and not subscriber.subscriptions)
        if is_gone:
            into, what = self._gone(rows, subscriber, done)
            for row in rows:
                into.add(row.line)
        else:
            what = done.result
            self.counts[what] += len(rows)
            if len(self.topics) < MOST_TOPICS:
                self.topics.update(*[wish.topics for wish in subscriber.subscriptions])
        if self.listeners.row is not _unreported:
            said = f"{subscriber.address}: {what}"
            self.listeners.row(RowResult(rows[0].line, subscriber.address, said))

    def _gone(self, rows: list[CsvRow], subscriber: NewSubscriber, done: AddResult) -> tuple[KeptRows, str]:
        """Return the report's count for the rows of a person who must not get email, and the result in words.

        Some of these people still get email, because of what is known about them here.
        """
        status = self.reader.gone_as(rows)
        if not done.still:
            said = f"gets no email, {STATUS_WORDS[status]} in the file"
            return self.kept.setdefault(status, KeptRows()), said
        names = ", ".join(done.still)
        if done.result is Added.NEWER:
            return self.again, f"{STATUS_WORDS[status]} in the file, but agreed again later, and gets {names}"
        if status is SubscriberStatus.PENDING:
            return self.stay, f"unconfirmed in the file, but stays subscribed here to {names}"
        named = {wish.newsletter for wish in subscriber.subscriptions}
        named |= {record.newsletter for record in subscriber.ended}
        left = tuple(sorted(named.difference(done.still)))
        parted = (left, done.still)
        if parted not in self.parted and len(self.parted) >= MOST_PARTED:
            parted = ((), ())
        said = f"unsubscribed from {', '.join(left) or 'some newsletters'}, and still gets {names}"
        return self.parted.setdefault(parted, KeptRows()), said

    def report(self, found: Survey) -> ImportReport:
        """Return a report of the rows so far."""
        of, reader = self.counts, self.reader
        return ImportReport(
            rows=of["rows"],
            added=of["added"],
            subscribed=of["subscribed"],
            unchanged=of["unchanged"],
            refused=of["refused"],
            updated=of["updated"],
            partly=of["partly"],
            again=self.again,
            stay=self.stay,
            parted=dict(self.parted),
            known=dict(self.known),
            kept={status: self.kept[status] for status in HARDNESS if status in self.kept},
            left_behind=of["left_behind"],
            topics=tuple(sorted(self.topics)[:MOST_TOPICS]),
            nothing=reader.nothing,
            languages=tuple(word for word, _ in reader.languages.most_common()),
            coded=dict(found.coded),
            number=self.options.number or 0,
            described=of["described"],
            fields=reader.details.kinds,
            doubts=tuple(reader.details.doubts()),
        )

    def _refuse(self, rows: list[CsvRow], reason: str) -> None:
        self.counts["refused"] += len(rows)
        address = shortened(self.reader.address(rows[0]))
        self.listeners.refused(RowResult(rows[0].line, address, reason, refused=True))
