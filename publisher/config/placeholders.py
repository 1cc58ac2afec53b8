"""The values that `publisher init` writes for the owner to replace, and the domains that no one can own (RFC 2606).

Readers would see such a value, or follow a link with it to a site that is not the owner's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from publisher.config.origins import KeyPath
from publisher.config.project import Config
from publisher.config.site import Site
from publisher.core import patterns
from publisher.core.frozen import dataclass

# RFC 2606 and RFC 6761.
_RESERVED = patterns.compile(r"(?:^|\.)(?:example(?:\.(?:com|net|org))?|test|invalid|localhost)$", re.IGNORECASE)

# The words that templates/project/publisher.toml writes.
NAME, TITLE = "Your Name", "My newsletter"
DESCRIPTION = "What I think about, now and then."
NEWSLETTER_TITLE, NEWSLETTER_DESCRIPTION = "My newsletter, weekly", "New posts, once a week."


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A setting that still has a value which is meant to be replaced.

    keys     the path of the setting in the configuration
    message  what is wrong, in one sentence without a full stop
    hint     the solution, without a full stop
    harms    whether an email with the value would mislead its readers, and must not be sent
    """

    keys: KeyPath
    message: str
    hint: str
    harms: bool = True


def is_reserved(host: str) -> bool:
    """Return whether a host name is reserved for examples and tests."""
    return bool(_RESERVED.search(host.rstrip(".")))


def sends_for_real(config: Config) -> bool:
    """Return whether emails leave this host. They do not if they go to the outbox or to a mail server on this host."""
    return config.mail.transport == "smtp" and not all(server.address.is_near for server in config.mail.servers)


def placeholders(config: Config) -> Iterator[Placeholder]:
    """Yield the settings that readers would see and that still have the value of an example."""
    yield from _urls(config)
    yield from _names(config)
    yield from _addresses(config)
    yield from _words(config)


def _urls(config: Config) -> Iterator[Placeholder]:
    for keys, url in ((("site", "url"), config.site.url), (("web", "public_url"), config.web.public_url)):
        host = urlsplit(url).hostname or ""
        name = ".".join(keys)
        hint = "write the URL of your site" if name == "site.url" else "write the URL at which `publisher run` answers"
        if is_reserved(host):
            what = "the links in feeds and emails" if name == "site.url" else "the personal links in emails"
            yield Placeholder(keys, f"{name} is at {host}, a placeholder domain, so {what} lead nowhere", hint)
        elif _is_loopback(host) and sends_for_real(config):
            yield Placeholder(keys, f"{name} is {url}, which only this machine can reach", hint)


def _names(config: Config) -> Iterator[Placeholder]:
    if _is(config.site.author.name, NAME):
        what = f'site.author.name is still "{NAME}": every post and feed shows it'
        yield Placeholder(("site", "author", "name"), what, "write your name")
    senders: list[tuple[KeyPath, str]] = [(("mail", "sender"), config.mail.sender)]
    senders += [(("newsletters", number, "sender"), each.sender) for number, each in enumerate(config.newsletters)]
    for keys, sender in senders:
        if _is(sender.rpartition("<")[0].strip(' "'), NAME):
            yield Placeholder(keys, f'emails are still from "{NAME}"', "write the name that readers know")


def _addresses(config: Config) -> Iterator[Placeholder]:
    """Yield the addresses and servers at placeholder domains, except senders, which are checked with each email."""
    mail = config.mail
    addresses: list[tuple[KeyPath, str, str]] = [
        (("mail", key), f"mail.{key}", getattr(mail, key)) for key in ("reply_to", "owner", "bounces")
    ]
    for number, each in enumerate(config.newsletters):
        addresses.append((("newsletters", number, "reply_to"), f"newsletter {each.name}: reply_to", each.reply_to))
    for keys, name, address in addresses:
        host = address.rpartition("@")[2].strip("> ")
        if is_reserved(host):
            what = f"{name} is at {host}, a placeholder domain, where no one gets email"
            yield Placeholder(keys, what, "use an address at your own domain", harms=keys[-1] != "owner")
    for number, server in enumerate(mail.servers if mail.transport == "smtp" else ()):
        host = server.address.host
        if is_reserved(host) and not server.address.is_near:
            table: KeyPath = ("mail", "relays", number) if mail.relays else ("mail", "smtp")
            what = f"the mail server {host} is at a placeholder domain"
            yield Placeholder((*table, "url" if server.url else "host"), what, "write the name of your mail server")


def _words(config: Config) -> Iterator[Placeholder]:
    written: list[tuple[KeyPath, str, str, str]] = [
        (("site", "title"), "site.title", config.site.title, TITLE),
        (("site", "description"), "site.description", config.site.description, DESCRIPTION),
    ]
    for number, each in enumerate(config.newsletters):
        keys, name = ("newsletters", number), f"newsletter {each.name}"
        written.append(((*keys, "title"), f"{name}: title", each.title, NEWSLETTER_TITLE))
        written.append(((*keys, "description"), f"{name}: description", each.description, NEWSLETTER_DESCRIPTION))
    for path, name, value, sample in written:
        if _is(value, sample):
            what = f'{name} is still "{sample}", as `publisher init` wrote it'
            yield Placeholder(path, what, "use your own words", harms=False)


def authority_placeholder(site: Site) -> Placeholder | None:
    """Return a problem if the authority in ids is at a reserved domain, else None; published ids can never change."""
    host = site.authority.partition(",")[0]
    if not is_reserved(host.rpartition("@")[2]):
        return None
    what = f"site.authority is at {host}, a placeholder domain, and the ids of all posts would begin with it"
    return Placeholder(("site", "authority"), what, "write your own domain before you publish", harms=False)


def _is(value: str, sample: str) -> bool:
    return value.strip().casefold() == sample.casefold()


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
