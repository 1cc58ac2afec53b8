"""Prepare what `publisher mail doctor` needs: the email setup of a domain, and a test message."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from publisher.config import Config
from publisher.mail.addresses import wire_domain
from publisher.mail.doctor.examine import MailSetup
from publisher.mail.send_test import doctor_message
from publisher.mail.transport import Outcome
from publisher.publishing.mail_wiring import (
    headers_of,
    open_transport,
    project_links,
    return_path,
    sender_domain,
    signers_of,
)


def mail_patient(config: Config, domain: str, addresses: tuple[str, ...], at: datetime) -> MailSetup:
    """Return the email setup of a domain, for the doctor to examine.

    addresses  public IP addresses from which email leaves, if the user named any
    at         date of the sample message
    Raises ProjectError if a DKIM key cannot be read.
    """
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


def send_trial(config: Config, to: str, at: datetime) -> Outcome:
    """Send a test message to an address in the same way as an edition, and return the outcome.

    Its return address belongs to no delivery, so a bounce of the message changes nothing. Raises PublisherError if
    it cannot be sent.
    """
    name = config.newsletters[0].name if config.newsletters else "letters"
    headers = headers_of(config, name)
    message = doctor_message(headers, project_links(config), name, to, at)
    path = return_path(config)
    with open_transport(config) as transport:
        return transport.send(path.of(0) if path else headers.sender_address, to, message, f"{name}-trial/{at:%H%M%S}")
