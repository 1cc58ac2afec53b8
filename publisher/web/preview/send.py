"""Sending the letter that is looked at to somebody who wants to see it in a real mail program."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from publisher.config import Config
from publisher.core.newsletter_models import Letter
from publisher.publishing.publish import send_letter
from publisher.publishing.wiring import transport_name
from publisher.subscribers.address import normalise
from publisher.web.preview.snapshot import Snapshot
from publisher.web.preview.state import Desk


@dataclass(frozen=True, slots=True)
class _Copy:
    config: Config
    number: int
    letter: Letter
    now: datetime


def send_test_copy(desk: Desk, newsletter: str, which: str, topics: str, address: str) -> str:
    """Send one marked copy by the project's transport, and return what happened, in words.

    Raises PublisherError for an address that is none, and where the transport does not take the copy.
    """
    to = normalise(address)

    def chosen(snapshot: Snapshot) -> _Copy:
        sample = snapshot.sample(newsletter, which, topics)
        return _Copy(snapshot.config, sample.edition.number, sample.letter, desk.now(snapshot.config))

    copy = desk.ask(chosen)
    # Not in the desk's thread: a mail server may take its time, and the pages go on meanwhile.
    send_letter(copy.config, newsletter, copy.number, copy.letter, to, copy.now)
    return f"A copy went to {to} by {transport_name(copy.config)}"
