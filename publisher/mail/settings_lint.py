"""Checks for `publisher check` that find valid mail settings that are a bad idea. They do no input or output."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from publisher.config import Config
from publisher.config.mail import Dkim, Smtp
from publisher.config.placeholders import sends_for_real
from publisher.core.frozen import dataclass
from publisher.mail.addresses import dns_name, is_within, split_mailbox

Keys = tuple[str | int, ...]

# Hosts of static sites, which run no program of the site's owner.
_STATIC_HOSTS = (
    "github.io", "gitlab.io", "bitbucket.io", "codeberg.page", "srht.site", "pages.dev", "netlify.app", "netlify.com",
    "vercel.app", "web.app", "firebaseapp.com", "surge.sh", "neocities.org", "readthedocs.io", "tiiny.site",
    "s3.amazonaws.com", "cloudfront.net", "storage.googleapis.com",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SettingsProblem:
    """A setting that is a bad idea.

    keys     the path of the setting in the configuration
    message  the problem, in one sentence without a full stop
    hint     the solution, without a full stop
    severe   whether the setting reveals a secret, or prevents all sending
    """

    keys: Keys
    message: str
    hint: str
    severe: bool = False


def lint_mail_settings(config: Config) -> Iterator[SettingsProblem]:
    """Yield problems with the settings for links in emails, for signing, and for handing emails to mail servers."""
    if config.newsletters and (problem := unanswered_links(config)):
        yield problem
    yield from _signing(config.mail.dkim, list(_senders(config)))
    if config.mail.transport == "smtp":
        for keys, server in _servers(config):
            yield from _unnamed(keys, server)
            yield from _in_the_clear(keys, server)


def unanswered_links(config: Config) -> SettingsProblem | None:
    """Return a problem if nothing, or perhaps nothing, answers the links for unsubscribing; None if all is well.

    They lead to web.public_url or else to site.url, and only the web application answers them (RFC 8058). It is severe
    if it is certain that no one could unsubscribe from emails that are really sent.
    """
    keys, url = (
        (("web", "public_url"), config.public_url) if config.web.public_url else (("site", "url"), config.public_url)
    )
    real = sends_for_real(config)
    host = (urlsplit(url).hostname or "").rstrip(".")
    if any(f".{host}".endswith(f".{name}") for name in _STATIC_HOSTS):
        what = f"{host} serves only files, so nothing answers the links to confirm or unsubscribe at {url}"
    elif config.web.public_url:
        return None
    elif not config.pages.enabled:
        what = f"another program makes the site, so nothing answers the links to confirm or unsubscribe at {url}"
    elif real:
        what = (
            f"web.public_url is not set: the links to confirm or unsubscribe lead to {url}, and perhaps nothing answers"
        )
        return SettingsProblem(keys, what, "set it to where `publisher run` answers, even if that is site.url")
    else:
        return None
    return SettingsProblem(keys, what, "set web.public_url to where `publisher run` answers", severe=real)


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


def _unnamed(table: Keys, server: Smtp) -> Iterator[SettingsProblem]:
    """Yield a problem if no mail server is named. Emails then go to this machine, which rarely accepts any."""
    if not server.host and not server.url:
        name = f"{table[0]}.{table[1]}"
        what = f"{name}: no mail server is named, so emails would go to {server.address} on this machine"
        yield SettingsProblem(
            table, what, f'host = "..." under [{name}], or "localhost" if that is intended', severe=True
        )


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
