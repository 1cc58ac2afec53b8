"""Checks for `publisher check` that find mail settings that are valid but a bad idea. They do no input or output."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address

from publisher.config import Config
from publisher.config.mail import Dkim, Smtp
from publisher.mail.addresses import dns_name, is_within, split_mailbox

Keys = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class SettingsProblem:
    """A setting that is a bad idea.

    keys     the path of the setting in the configuration
    message  the problem, in one sentence without a full stop
    hint     the solution, without a full stop
    severe   whether the setting gives a secret away
    """

    keys: Keys
    message: str
    hint: str
    severe: bool = False


def lint_mail_settings(config: Config) -> Iterator[SettingsProblem]:
    """Yield the problems of the settings for signing emails and for handing them over to mail servers."""
    yield from _signing(config.mail.dkim, list(_senders(config)))
    if config.mail.transport == "smtp":
        for keys, server in _servers(config):
            yield from _in_the_clear(keys, server)


def _senders(config: Config) -> Iterator[tuple[Keys, str, str]]:
    """Yield each possible sender of emails: its path in the configuration, its description and its domain."""
    own = [(("newsletters", number, "sender"), each) for number, each in enumerate(config.newsletters)]
    if config.mail.sender and not (own and all(each.sender for _, each in own)):
        yield ("mail", "sender"), "mail.sender", _domain(config.mail.sender)
    for keys, each in own:
        if each.sender:
            yield keys, f"newsletter {each.name}: sender", _domain(each.sender)


def _servers(config: Config) -> Iterator[tuple[Keys, Smtp]]:
    """Yield the mail servers, each with the path of its table in the configuration."""
    if not config.mail.relays:
        yield ("mail", "smtp"), config.mail.smtp
    for number, relay in enumerate(config.mail.relays):
        yield ("mail", "relays", number), relay


def _in_the_clear(table: Keys, server: Smtp) -> Iterator[SettingsProblem]:
    """Yield a problem if others on the network can read the emails, and perhaps also the password."""
    address = server.address
    if address.tls != "none" or address.socket or _on_this_machine(address.host):
        return
    what = "the password and all emails go" if server.username else "all emails go"
    yield SettingsProblem(
        (*table, "tls"),
        f"{table[0]}.{table[1]}: {what} to {address.host} unencrypted, and others on the network can read them",
        'set tls = "starttls" or "tls"; "none" is for a server on this machine',
        severe=bool(server.username),
    )


def _on_this_machine(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost" or host.lower().endswith(".localhost")  # RFC 6761, 6.3


def _domain(sender: str) -> str:
    return dns_name(split_mailbox(sender)[1].rpartition("@")[2])


def _signing(keys: tuple[Dkim, ...], senders: Iterable[tuple[Keys, str, str]]) -> Iterator[SettingsProblem]:
    domains = [dns_name(each.domain) for each in keys]
    senders = list(senders)
    for number, domain in enumerate(domains):
        if senders and not any(is_within(sender, domain) for _, _, sender in senders):
            others = ", ".join(sorted({sender for _, _, sender in senders}))
            yield SettingsProblem(
                ("mail", "dkim", number, "domain"),
                f"mail.dkim: the key for {domain} signs nothing, because emails come from {others}",
                f'domain = "{others.partition(", ")[0]}", or remove the key',
            )
    for place, name, sender in senders if domains else ():
        if not any(is_within(sender, domain) for domain in domains):
            yield SettingsProblem(
                place,
                f"{name}: no key in mail.dkim is for {sender}, so its emails are not signed",
                f"make one with `publisher mail keys --domain {sender}`",
            )
