"""Turn the configuration of email into objects: the transport, headers, keys, links and rules for sending."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from publisher.config import Config, NewsletterConfig, Relay
from publisher.config.private_paths import password_in
from publisher.core.errors import ProjectError
from publisher.core.host_id import host_id, host_name
from publisher.core.signing import SECRET_VARIABLE
from publisher.mail.addresses import dns_name, split_mailbox
from publisher.mail.dkim import Signer
from publisher.mail.link_parameters import LinkParameters
from publisher.mail.links import Links, has_secret, load_secret
from publisher.mail.message import NewsletterHeaders
from publisher.mail.outbox import Outbox
from publisher.mail.run_options import DeliveryOptions, Stop
from publisher.mail.transport import Transport
from publisher.mail.verp import ReturnPath
from publisher.subscribers.policy import SubscriptionPolicy
from publisher.subscribers.tokens import TokenSigner

# What a host that uses another host's database needs.
SAME_SECRET = f"set {SECRET_VARIABLE} to the text of .publisher/secret on the host of `publisher run`"


def open_transport(config: Config) -> Transport:
    """Return the configured transport. An SMTP server is not contacted before the first message."""
    if config.mail.transport == "smtp":
        # Not at the top: the SMTP client brings asyncio and ssl, 45 ms that an outbox does not need.
        from publisher.mail.smtp_transport import SmtpTransport

        return SmtpTransport([_with_password(server, config.root) for server in config.mail.servers])
    return Outbox(config.root / config.outbox)


def _with_password(server: Relay, root: Path) -> Relay:
    """Return the server with the password from its `password_file`, if it has one."""
    if not server.password_file:
        return server
    return replace(server, password=password_in(root, server.password_file))


# The paths of the web application below which a URL contains a signature.
_SIGNED = ("copy", "draft", "preferences", "unsubscribe")


def headers_of(config: Config, name: str, slot: str = "") -> NewsletterHeaders:
    """Return the headers that all messages of the newsletter `name` share, for the edition of a slot.

    The newsletter need no longer be configured. Raises ProjectError if a DKIM key cannot be read.
    """
    newsletter = config.newsletter(name) or NewsletterConfig(name=name)
    host = urlsplit(config.site.url).hostname or "localhost"
    title = config.newsletter_title(newsletter)
    # The outbox needs no real sender; for SMTP the configuration requires one.
    sender = newsletter.sender or config.mail.sender or f"newsletter@{host}"
    return NewsletterHeaders(
        title=title,
        sender=sender,
        list_id=f"{name}.{host}",
        reply_to=newsletter.reply_to or config.mail.reply_to,
        archive=f"{config.site_url}/editions/{name}/" if config.pages.enabled else "",
        signers=signers_of(config, sender),
        links=LinkParameters.of(
            *(newsletter.link_parameters, name, slot),
            site=config.site_url,
            kept=(f"{config.editions_url}/editions/", *(f"{config.public_url}/{each}/" for each in _SIGNED)),
        ),
    )


def signers_of(config: Config, sender: str) -> tuple[Signer, ...]:
    """Return the signers, one for each DKIM key, for messages from `sender`; raise ProjectError for a broken key."""
    if not config.mail.dkim:
        return ()
    from publisher.mail.dkim_keys import read_key  # not at the top: loads cryptography, 80 ms

    domain = sender_domain(sender)
    signers = (
        Signer(dns_name(each.domain), each.selector, read_key(config.root / each.key)) for each in config.mail.dkim
    )
    return tuple(signer for signer in signers if signer.signs_for(domain))


def unreadable_keys(config: Config) -> list[tuple[int, ProjectError]]:
    """Return the index in mail.dkim and the error of each key that is missing or invalid."""
    if not config.mail.dkim:
        return []
    from publisher.mail.dkim_keys import read_key  # not at the top: loads cryptography, 80 ms

    found = []
    for number, each in enumerate(config.mail.dkim):
        try:
            read_key(config.root / each.key)
        except ProjectError as error:
            found.append((number, error))
    return found


def sender_domain(sender: str) -> str:
    """Return the domain of a From address in its DNS form, or "" if it has none."""
    return dns_name(split_mailbox(sender)[1].rpartition("@")[2])


def project_secret(config: Config) -> str:
    """Return the project's secret, which is created on first use; raise ProjectError if that fails."""
    return load_secret(config.state_dir, os.environ)


def known_secret(config: Config) -> str:
    """Return the project's secret; raise ProjectError if there is none, instead of creating one."""
    if not has_secret(config.state_dir, os.environ):
        raise ProjectError("the project's secret is missing", where=SECRET_VARIABLE, hint=SAME_SECRET)
    return project_secret(config)


def project_links(config: Config) -> Links:
    """Return the object that creates personal links, for example to unsubscribe or to approve an edition."""
    return Links(config.public_url, project_secret(config))


def return_path(config: Config) -> ReturnPath | None:
    """Return the object that creates return addresses, or None if mail.bounces is not set."""
    return ReturnPath(config.mail.bounces, project_secret(config)) if config.mail.bounces else None


def subscription_policy(config: Config) -> SubscriptionPolicy:
    """Return the project's rules for confirmations, bounces and the deletion of subscribers."""
    return SubscriptionPolicy(
        tokens=TokenSigner(project_secret(config)),
        confirm_within=timedelta(days=config.subscribers.confirm_days),
        keep_ip=config.subscribers.keep_ip,
        keep_user_agent=config.subscribers.keep_user_agent,
        bounce_limit=config.subscribers.bounce_limit,
        forget_after=timedelta(days=config.subscribers.forget_days),
        most_requests=config.web.email_limit,
        farewell=config.subscribers.farewell,
    )


def delivery_options(config: Config, stop: Stop | None = None) -> DeliveryOptions:
    """Return the project's rules for delivering an edition.

    stop  lets another thread end the delivery
    """
    return DeliveryOptions(
        config.state_dir,
        timedelta(seconds=config.delivery.lease_seconds),
        config.delivery.on_uncertain,
        return_path(config),
        stop=stop or Stop(),
        host=host_id(config.root, os.environ),
        host_name=host_name(config.root, os.environ),
    )
