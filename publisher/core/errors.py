"""What can go wrong, as one tree.

    PublisherError            one line for a person: what, where, how to mend it
    ├── ProjectError          there is no project here, or it cannot be used
    ├── ConfigError           publisher.toml or a PUBLISHER_* variable; holds every mistake at once
    ├── PostError             one post cannot be read; it is left out and the others publish
    ├── TemplateError         a template is missing or broken
    ├── StoreError            the database cannot be opened, or says no
    ├── SubscriberError       an address or a subscription is not acceptable
    ├── DnsError              the DNS gives no answer
    ├── BounceError           reports of letters that came back cannot be had from where they are
    ├── TransportError        no answer was had from the mail server or the outbox folder
    │   └── RefusedError      the mail server refuses an edition whoever it is for
    └── StoppedError          nothing is wrong: somebody asked a run to end

A server's refusal of a message is not an error: it is a value (see delivery/transport.py).
"""

from __future__ import annotations


class PublisherError(Exception):
    """The root: a problem that a person can mend.

    message: what is wrong, one sentence without a full stop at its end.
    where:   "path:line", "path" or a URL; empty if there is no such place.
    hint:    what to do about it; empty if the message says it.
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
        """Return the error as lines for a terminal, one a mistake."""
        return [str(self)]


class ProjectError(PublisherError):
    """There is no project here, or its folders cannot be used."""


class ConfigError(PublisherError):
    """Every mistake in the configuration, each with its place."""

    def __init__(self, mistakes: list[PublisherError]) -> None:
        super().__init__("; ".join(str(mistake) for mistake in mistakes))
        self.mistakes = mistakes

    def __str__(self) -> str:
        return "; ".join(self.lines())

    def lines(self) -> list[str]:
        """Return one line a mistake."""
        return [str(mistake) for mistake in self.mistakes]


class PostError(PublisherError):
    """One post cannot be read. It becomes a Problem; the other posts publish."""

    def __init__(self, message: str, *, line: int = 1, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.line = line


class TemplateError(PublisherError):
    """A template is missing or cannot be rendered."""


class StoreError(PublisherError):
    """The database cannot be opened, migrated or written."""


class SubscriberError(PublisherError):
    """An address or a subscription is not acceptable."""


class DnsError(PublisherError):
    """The DNS gives no answer: its server is away, or cannot answer this question."""


class TransportError(PublisherError):
    """The transport gave no answer: nobody listens, the login failed, the disk is full."""


class RefusedError(TransportError):
    """The mail server refuses what is in an edition, or its sender: the rest of it would fare no better."""


class BounceError(PublisherError):
    """Reports cannot be read where they are kept: no such mailbox, no login, another program has it locked."""


class StoppedError(PublisherError):
    """A run was asked to end before it was done. What is left is in the record, for the next one."""
