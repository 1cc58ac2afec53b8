"""Sending emails, so that each delivery is sent only once and its status is always known.

The ledger is the table of deliveries in the database. Begin reading with `queue.deliver_editions`: it claims
deliveries from the ledger, makes their messages (message), hands them to a transport (outbox or smtp_transport), and
writes the answers into the ledger by the rules in lifecycle. Editions take turns (turns). `smtp/` has the
connections to mail servers; its `protocol` is SMTP without any input or output. The other modules make the parts of a
message (addresses, header_lines, links, dkim, verp), and the `doctor` makes the same checks as receivers. This package
does not decide who gets an edition or what it contains, and it does not read bounces.

Public modules:
    addresses       email addresses, domains and URLs in ASCII
    claim_count     whether the database is older than what this host has sent
    daily_limit     whether the mail servers have reached their daily limits of recipients
    dkim            DKIM signatures
    dkim_keys       private keys and their DNS records; loads cryptography
    doctor          SPF, DKIM, DMARC, MX, PTR, TLS and one-click unsubscribing (a package)
    lifecycle       the next status of a delivery, as one table
    link_parameters parameters added to links to the owner's site, for its statistics
    links           signed links for unsubscribing, preferences and approval
    message         the bytes of a message
    outbox          the transport that writes .eml files
    queue           delivery of editions
    run_options     the options of a run, and the request to stop it
    send_test       test emails
    settings_lint   valid mail settings that are a bad idea
    smtp_transport  the transport over mail servers
    transport       the interface of a transport, and its possible outcomes
    verp            return addresses that identify the delivery
"""

__all__ = [
    "addresses",
    "claim_count",
    "daily_limit",
    "dkim",
    "dkim_keys",
    "doctor",
    "lifecycle",
    "link_parameters",
    "links",
    "message",
    "outbox",
    "queue",
    "run_options",
    "send_test",
    "settings_lint",
    "smtp_transport",
    "transport",
    "verp",
]
