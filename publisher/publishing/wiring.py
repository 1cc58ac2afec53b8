"""The only place where configuration becomes objects: the store, the transport, the templates, a build."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from publisher.config import Config, NewsletterConfig, Relay
from publisher.core.errors import ProjectError
from publisher.site.build import BuildReport, build
from publisher.site.build.folder import Progress
from publisher.site.web_versions import NO_WEB_VERSIONS, WebVersions
from publisher.store.location import editions_key, store_exists

if TYPE_CHECKING:
    from publisher.mail.dkim import Signer
    from publisher.mail.doctor.examine import MailSetup
    from publisher.mail.links import Links
    from publisher.mail.message import NewsletterHeaders
    from publisher.mail.run_options import DeliveryOptions, Stop
    from publisher.mail.transport import Outcome, Transport
    from publisher.mail.verp import ReturnPath
    from publisher.site.web_versions import WebVersion
    from publisher.store import Store
    from publisher.subscribers.policy import SubscriptionPolicy


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
        from publisher.mail.smtp_transport import SmtpTransport

        return SmtpTransport([_with_password(server, config.root) for server in config.mail.servers])
    from publisher.mail.outbox import Outbox

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
        raise ProjectError(what, where=str(path), hint="see password_file") from error


def transport_name(config: Config) -> str:
    """Return where messages go, in words for a person."""
    if config.mail.transport == "smtp":
        return ", ".join(f"{'lmtp' if s.address.lmtp else 'smtp'}://{s.address}" for s in config.mail.servers)
    return f"{config.mail.outbox}/"


def headers_of(config: Config, name: str) -> NewsletterHeaders:
    """Return what every message of a newsletter says about itself; also of one that is no longer configured."""
    from publisher.mail.message import NewsletterHeaders

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
    from publisher.mail.addresses import dns_name
    from publisher.mail.dkim import Signer
    from publisher.mail.dkim_keys import read_key  # loads cryptography, 80 ms

    domain = sender_domain(sender)
    signers = (
        Signer(dns_name(each.domain), each.selector, read_key(config.root / each.key)) for each in config.mail.dkim
    )
    return tuple(signer for signer in signers if signer.signs_for(domain))


def unreadable_keys(config: Config) -> list[tuple[int, ProjectError]]:
    """Return the keys of mail.dkim that are not there or are none, by their place in the list."""
    found = []
    if config.mail.dkim:
        from publisher.mail.dkim_keys import read_key  # loads cryptography, 80 ms

        for number, each in enumerate(config.mail.dkim):
            try:
                read_key(config.root / each.key)
            except ProjectError as error:
                found.append((number, error))
    return found


def project_secret(config: Config) -> str:
    """Return the project's secret, which is made on first use; raise ProjectError where that fails."""
    import os

    from publisher.mail.links import load_secret

    return load_secret(config.state_dir, os.environ)


def project_links(config: Config) -> Links:
    """Return the maker of personal links."""
    from publisher.mail.links import Links

    return Links(config.public_url, project_secret(config))


def subscription_policy(config: Config) -> SubscriptionPolicy:
    """Return on which terms people confirm and are kept."""
    from publisher.subscribers.policy import SubscriptionPolicy
    from publisher.subscribers.tokens import TokenSigner

    return SubscriptionPolicy(
        tokens=TokenSigner(project_secret(config)),
        confirm_within=timedelta(days=config.subscribers.confirm_days),
        keep_ip=config.subscribers.keep_ip,
        keep_user_agent=config.subscribers.keep_user_agent,
        bounce_limit=config.subscribers.bounce_limit,
        forget_after=timedelta(days=config.subscribers.forget_days),
    )


def delivery_terms(config: Config, stop: Stop | None = None) -> DeliveryOptions:
    """Return on which terms deliveries are made; stop: who may end them from outside."""
    from publisher.mail.run_options import DeliveryOptions, Stop

    seconds = config.delivery.lease_seconds
    if config.mail.transport == "smtp":
        # A batch must outlast a server that answers late, or another worker would send its messages too: within
        # half of the lease a message is begun, and then two answers may be late, the one before its own and its own.
        seconds = max(seconds, *(4 * server.timeout + 10 for server in config.mail.servers))
    lease = timedelta(seconds=seconds)
    back = return_path(config)
    return DeliveryOptions(config.state_dir, lease, config.delivery.on_uncertain, back, stop=stop or Stop())


def return_path(config: Config) -> ReturnPath | None:
    """Return the maker of return addresses, where mail.bounces names one."""
    import os

    from publisher.mail.links import load_secret
    from publisher.mail.verp import ReturnPath

    if not config.mail.bounces:
        return None
    return ReturnPath(config.mail.bounces, load_secret(config.state_dir, os.environ))


def mail_patient(config: Config, domain: str, addresses: tuple[str, ...], at: datetime) -> MailSetup:
    """Return what the mail of a domain is made of, for the doctor; raise ProjectError where a key cannot be read.

    addresses: from which mail leaves, where a person knows better. at: the Date of the sample.
    """
    from publisher.mail.addresses import wire_domain
    from publisher.mail.doctor.examine import MailSetup
    from publisher.mail.send_test import doctor_message

    newsletter = next((n for n in config.newsletters if sender_domain(n.sender or config.mail.sender) == domain), None)
    name = newsletter.name if newsletter else "letters"
    headers = headers_of(config, name)
    if sender_domain(headers.sender) != domain:
        headers = replace(headers, sender=f"letters@{domain}", signers=signers_of(config, f"letters@{domain}"))
    bounces = config.mail.bounces.rpartition("@")[2]
    return MailSetup(
        domain=domain,
        return_domain=wire_domain(bounces).lower() if bounces else domain,
        signers=headers.signers,
        servers=config.mail.servers if config.mail.transport == "smtp" else (),
        public_url=config.public_url,
        addresses=addresses,
        sample=doctor_message(headers, project_links(config), name, f"postmaster@{domain}", at),
    )


def sender_domain(sender: str) -> str:
    """Return the domain of a From address as the DNS has it, "" where there is none."""
    from publisher.mail.addresses import dns_name, split_mailbox

    return dns_name(split_mailbox(sender)[1].rpartition("@")[2])


def send_trial(config: Config, to: str, at: datetime) -> Outcome:
    """Send a test message to an address as a letter is sent; raise PublisherError like any sending.

    The return address is one of no delivery, so that its bounce is nobody's.
    """
    from publisher.mail.send_test import doctor_message

    name = config.newsletters[0].name if config.newsletters else "letters"
    headers = headers_of(config, name)
    message = doctor_message(headers, project_links(config), name, to, at)
    path = return_path(config)
    with open_transport(config) as transport:
        return transport.send(path.of(0) if path else headers.sender_address, to, message, f"{name}-trial/{at:%H%M%S}")


def run_build(
    config: Config,
    now: datetime,
    *,
    out: Path | None = None,
    progress: Progress | None = None,
    accept_new_ids: bool = False,
) -> BuildReport:
    """Build the project with the web copies of the editions that were made."""
    editions = web_copies(config, now)
    return build(config, now, out=out, editions=editions, progress=progress, accept_new_ids=accept_new_ids)


def web_copies(config: Config, now: datetime) -> WebVersions:
    """Return the editions that the site shows at a moment, to be loaded only when there is a new one.

    SQLAlchemy takes 0.2 s to load.
    """
    if not config.pages.enabled or not has_store(config):
        return NO_WEB_VERSIONS
    key = editions_key(config.database.url, config.root, now)
    if key is None:
        with open_project_store(config) as store:
            key = ",".join(str(edition.id) for edition in store.editions.public(now))
    return WebVersions(key, lambda: _load_copies(config, now)) if key else NO_WEB_VERSIONS


def _load_copies(config: Config, now: datetime) -> Sequence[WebVersion]:
    from publisher.newsletters.letter.web_version import web_version
    from publisher.site.web_versions import WebVersion

    with open_project_store(config) as store:
        return [
            WebVersion(edition, web_version(letter.html))
            for edition in store.editions.public(now)
            if (letter := store.editions.letter(edition.id))
        ]
