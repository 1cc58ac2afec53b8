"""The exceptions of the program, as one tree.

    PublisherError            one line for the user: what is wrong, where, and how to fix it
    ├── ProjectError          there is no project in this folder, or it cannot be used
    ├── ConfigError           publisher.toml or a PUBLISHER_* variable is not valid; contains every mistake
    ├── PostError             one post cannot be read; it is skipped, and the others are published
    ├── TemplateError         a template is missing or broken
    ├── StoreError            the database cannot be opened, migrated or written
    │   ├── StoreAwayError    the database's server cannot be reached at present
    │   └── StillSendingError a database cannot be replaced, because workers are sending from it
    ├── SubscriberError       an address or a subscription is not acceptable
    ├── SegmentError          a condition on subscribers is not valid, or there is no such segment
    ├── DnsError              a DNS query got no answer
    ├── FeedError             the document at a source's address is not a feed, or can't be read
    ├── BounceError           bounce reports cannot be read
    ├── TransportError        the mail server or the outbox folder cannot be used
    │   ├── RefusedError      the mail server refuses an edition for every recipient
    │   └── DailyLimitError   every mail server has reached its daily limit of recipients
    ├── LeaseLostError        a worker was silent for so long that others have taken over its deliveries
    └── StoppedError          not a failure: a run was asked to stop

A server's refusal of one message is not an error but a value (see mail/transport.py).
"""

from __future__ import annotations

from datetime import datetime


class PublisherError(Exception):
    """The base class of all errors: a problem that the user can fix.

    message  what is wrong, in one sentence without a full stop
    where    "path:line", "path" or a URL; "" if there is no such place
    hint     what to do about it; "" if the message says it
    """

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{place}{self.message}{hint}"

    def lines(self) -> list[str]:
        """Return the error as lines for a terminal."""
        return [str(self)]


def file_and_line(where: str) -> tuple[str, int]:
    """Split the `where` of an error in a file into its path and line number; the line is 0 if it has none."""
    path, _, line = where.rpartition(":")
    return (path, int(line)) if path and line.isdecimal() else (where, 0)


class ProjectError(PublisherError):
    """There is no project in this folder, or its folders cannot be used."""


class ChangedError(ProjectError):
    """Another process changed what this one was working on. Its work can be begun again."""


class ConfigError(PublisherError):
    """All mistakes in the configuration, each with its place."""

    def __init__(self, mistakes: list[PublisherError]) -> None:
        super().__init__("; ".join(str(mistake) for mistake in mistakes))
        self.mistakes = mistakes

    def __str__(self) -> str:
        return "; ".join(self.lines())

    def lines(self) -> list[str]:
        """Return a line for each mistake."""
        return [str(mistake) for mistake in self.mistakes]


class PostError(PublisherError):
    """One post cannot be read. It becomes a Problem, and the other posts are published."""

    def __init__(self, message: str, *, line: int = 1, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.line = line


class TemplateError(PublisherError):
    """A template is missing or cannot be rendered."""


class StoreError(PublisherError):
    """The database cannot be opened, migrated or written."""


class StoreAwayError(StoreError):
    """The database's server cannot be reached at present, so waiting may help."""


class StillSendingError(StoreError):
    """A database cannot be replaced, because workers are sending from it."""


class SubscriberError(PublisherError):
    """An address or a subscription is not acceptable."""


class SegmentError(PublisherError):
    """A condition on subscribers cannot be understood, or there is no segment of this name."""


class DnsError(PublisherError):
    """A DNS query got no answer: the server can't be reached, or it can't answer this query."""


class FeedError(PublisherError):
    """A document is not a feed, or it cannot be read as one."""


class TransportError(PublisherError):
    """The transport cannot be used: for example, nothing listens, the login failed or the disk is full."""


class RefusedError(TransportError):
    """The mail server refuses an edition's content or sender, so it would refuse the other messages too."""


class DailyLimitError(TransportError):
    """Every mail server has reached its daily limit of recipients. It isn't a failure: sending resumes the next day.

    until  when that day begins (midnight, UTC)
    """

    def __init__(self, until: datetime, where: str = "") -> None:
        again = f"sending resumes at {until:%Y-%m-%d %H:%M} UTC, by `publisher run` or with `publisher publish`"
        super().__init__("every mail server has reached its daily limit of recipients", where=where, hint=again)
        self.until = until


class LeaseLostError(PublisherError):
    """A worker was silent for so long that others have taken over its deliveries. It must hand over nothing more."""


class BounceError(PublisherError):
    """Bounce reports cannot be read: the mailbox is missing or locked by another program, or the login failed."""


class StoppedError(PublisherError):
    """A run was asked to stop before it finished. The remaining work is in the database, for the next run."""
