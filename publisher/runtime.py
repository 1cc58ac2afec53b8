"""The only place where configuration becomes objects: the store, the transport, the templates, a build."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from publisher.build import BuildReport, build
from publisher.build.run import NO_EDITIONS, Editions, Progress
from publisher.config import Config, NewsletterConfig, Relay
from publisher.errors import ProjectError
from publisher.store.location import editions_key, store_exists

if TYPE_CHECKING:
    from publisher.delivery.deliver import Terms
    from publisher.delivery.dkim import Signer
    from publisher.delivery.links import Links
    from publisher.delivery.message import NewsletterHeaders
    from publisher.delivery.returnpath import ReturnPath
    from publisher.delivery.transport import Transport
    from publisher.pages.letters import EditionPage
    from publisher.store import Store
    from publisher.subscribers.terms import Terms as ReaderTerms


def open_project_store(config: Config) -> Store:
    """Open the project's database, making and migrating it where needed; raise StoreError when that fails."""
    from publisher.store import open_store

    return open_store(config.database.url, config.root, lambda: project_secret(config))


def has_store(config: Config) -> bool:
    """Return whether there is a database to read; never makes one."""
    return store_exists(config.database.url, config.root)


def open_transport(config: Config) -> Transport:
    """Return the transport that the configuration names. An SMTP server is only called by the first message."""
    if config.mail.transport == "smtp":
        from publisher.delivery.smtp import SmtpTransport

        return SmtpTransport([_with_password(server, config.root) for server in config.mail.servers])
    from publisher.delivery.outbox import Outbox

    return Outbox(config.root / config.mail.outbox)


def _with_password(server: Relay, root: Path) -> Relay:
    """Return the server with its password read from its file, where it has one."""
    if not server.password_file:
        return server
    path = root / server.password_file
    try:
        return replace(server, password=path.read_text("utf-8").strip())
    except (OSError, UnicodeDecodeError) as error:
        what = f"the password cannot be read: {error}"
        raise ProjectError(what, where=str(path), mend="see password_file") from error


def transport_name(config: Config) -> str:
    """Return where messages go, in words for a person."""
    if config.mail.transport == "smtp":
        return ", ".join(f"{'lmtp' if s.address.lmtp else 'smtp'}://{s.address}" for s in config.mail.servers)
    return f"{config.mail.outbox}/"


def headers_of(config: Config, name: str) -> NewsletterHeaders:
    """Return what every message of a newsletter says about itself; also of one that is no longer configured."""
    from publisher.delivery.message import NewsletterHeaders

    newsletter = config.newsletter(name) or NewsletterConfig(name=name)
    host = urlsplit(config.site.url).hostname or "localhost"
    title = config.newsletter_title(newsletter)
    # The outbox needs no real sender; with SMTP the configuration insists on one.
    sender = newsletter.sender or config.mail.sender or f"newsletter@{host}"
    return NewsletterHeaders(
        title=title,
        sender=sender,
        list_id=f"{name}.{host}",
        reply_to=newsletter.reply_to or config.mail.reply_to,
        archive=f"{config.site_url}/editions/{name}/" if config.pages.enabled else "",
        signers=signers_of(config, sender),
    )


def signers_of(config: Config, sender: str) -> tuple[Signer, ...]:
    """Return the keys that sign mail of a sender; raise ProjectError where one cannot be read."""
    if not config.mail.dkim:
        return ()
    from publisher.delivery.addresses import split_mailbox
    from publisher.delivery.dkim import Signer, read_key

    domain = split_mailbox(sender)[1].rpartition("@")[2]
    signers = (Signer(each.domain, each.selector, read_key(config.root / each.key)) for each in config.mail.dkim)
    return tuple(signer for signer in signers if signer.signs_for(domain))


def project_secret(config: Config) -> str:
    """Return the project's secret, which is made on first use; raise ProjectError where that fails."""
    import os

    from publisher.delivery.links import load_secret

    return load_secret(config.state_dir, os.environ)


def project_links(config: Config) -> Links:
    """Return the maker of personal links."""
    from publisher.delivery.links import Links

    return Links(config.public_url, project_secret(config))


def reader_terms(config: Config) -> ReaderTerms:
    """Return on which terms people confirm and are kept."""
    from publisher.subscribers.terms import Terms
    from publisher.subscribers.tokens import Tokens

    return Terms(
        tokens=Tokens(project_secret(config)),
        confirm_within=timedelta(days=config.subscribers.confirm_days),
        keep_ip=config.subscribers.keep_ip,
        keep_user_agent=config.subscribers.keep_user_agent,
        bounce_limit=config.subscribers.bounce_limit,
        forget_after=timedelta(days=config.subscribers.forget_days),
    )


def delivery_terms(config: Config) -> Terms:
    """Return on which terms deliveries are made."""
    from publisher.delivery.deliver import Terms

    seconds = config.delivery.lease_seconds
    if config.mail.transport == "smtp":
        # A batch must outlast a server that answers late, or another worker would send its messages too: within
        # half of the lease a message is begun, and then two answers may be late, the one before its own and its own.
        seconds = max(seconds, *(4 * server.timeout + 10 for server in config.mail.servers))
    lease = timedelta(seconds=seconds)
    return Terms(config.state_dir, lease, config.delivery.on_uncertain, return_path(config))


def return_path(config: Config) -> ReturnPath | None:
    """Return the maker of return addresses, where mail.bounces names one."""
    import os

    from publisher.delivery.links import load_secret
    from publisher.delivery.returnpath import ReturnPath

    if not config.mail.bounces:
        return None
    return ReturnPath(config.mail.bounces, load_secret(config.state_dir, os.environ))


def run_build(
    config: Config,
    now: datetime,
    *,
    out: Path | None = None,
    progress: Progress | None = None,
    accept_new_ids: bool = False,
) -> BuildReport:
    """Build the project with the web copies of the editions that were made."""
    editions = web_copies(config)
    return build(config, now, out=out, editions=editions, progress=progress, accept_new_ids=accept_new_ids)


def web_copies(config: Config) -> Editions:
    """Return the editions for the site, to be loaded only when there is a new one: SQLAlchemy takes 0.2 s to load."""
    if not config.pages.enabled or not has_store(config):
        return NO_EDITIONS
    key = editions_key(config.database.url, config.root)
    if key is None:
        with open_project_store(config) as store:
            key = ",".join(str(edition.id) for edition in store.editions.list())
    return Editions(key, lambda: _load_copies(config)) if key else NO_EDITIONS


def _load_copies(config: Config) -> Sequence[EditionPage]:
    from publisher.editions.webcopy import web_copy
    from publisher.pages.letters import EditionPage

    with open_project_store(config) as store:
        return [
            EditionPage(edition, web_copy(letter.html))
            for edition in store.editions.list()
            if (letter := store.editions.letter(edition.id))
        ]
