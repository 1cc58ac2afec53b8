"""Settings of mail that are allowed and still a bad idea: pure, for `publisher check`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from publisher.config import Config
from publisher.config.mail import Dkim
from publisher.delivery.addresses import dns_name, is_within, split_mailbox

Keys = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Doubt:
    """One of them.

    keys     where it stands in the configuration
    message  what is wrong, one sentence without a full stop
    """

    keys: Keys
    message: str
    mend: str


def doubts(config: Config) -> Iterator[Doubt]:
    """Yield what is doubtful about how mail is signed and handed over."""
    yield from _signing(config.mail.dkim, list(_senders(config)))


def _senders(config: Config) -> Iterator[tuple[Keys, str, str]]:
    """Yield each sender that letters may have: where it stands, its name in words, and its domain."""
    own = [(("newsletters", number, "sender"), each) for number, each in enumerate(config.newsletters)]
    if config.mail.sender and not (own and all(each.sender for _, each in own)):
        yield ("mail", "sender"), "mail.sender", _domain(config.mail.sender)
    for keys, each in own:
        if each.sender:
            yield keys, f"newsletter {each.name}: sender", _domain(each.sender)


def _domain(sender: str) -> str:
    return dns_name(split_mailbox(sender)[1].rpartition("@")[2])


def _signing(keys: tuple[Dkim, ...], senders: Iterable[tuple[Keys, str, str]]) -> Iterator[Doubt]:
    domains = [dns_name(each.domain) for each in keys]
    senders = list(senders)
    for number, domain in enumerate(domains):
        if senders and not any(is_within(sender, domain) for _, _, sender in senders):
            others = ", ".join(sorted({sender for _, _, sender in senders}))
            yield Doubt(
                ("mail", "dkim", number, "domain"),
                f"mail.dkim: the key of {domain} signs nothing: letters come from {others}",
                f'domain = "{others.partition(", ")[0]}", or take the key out',
            )
    for place, name, sender in senders if domains else ():
        if not any(is_within(sender, domain) for domain in domains):
            yield Doubt(
                place,
                f"{name}: no key of mail.dkim is for {sender}, so its letters are not signed",
                f"publisher mail keys --domain {sender} makes one",
            )
