"""Sending emails: from the rows of the ledger to the mail server, each delivery once and its status always known.

`queue.deliver` sends an edition, and is the place to begin reading: it claims deliveries from the ledger, makes their
messages (message), hands them to a transport (outbox or smtp_transport), and writes the answers into the ledger as
lifecycle says. `smtp/` has the connections to mail servers; its `protocol` is SMTP without any input or output. Around
that are the parts of a message (addresses, headers, links, dkim, verp), and the `doctor`, which checks what receivers
check. This room does not decide who gets an edition or what is in it, and it does not read bounces.

Public modules:
    addresses       email addresses, domains and URLs in ASCII
    dkim            signatures; a message's Signer
    dkim_keys       private keys and their DNS records; loads cryptography
    doctor          SPF, DKIM, DMARC, MX, PTR, TLS and one-click unsubscribing (a package)
    lifecycle       the next status of a delivery, as one table
    links           signed links to unsubscribe, to preferences and to approval
    message         the bytes of a message
    outbox          the transport that writes .eml files
    queue           deliver an edition
    run_options     the options of a run, and the request to stop it
    send_test       test emails
    settings_lint   mail settings that are a bad idea
    smtp_transport  the transport over mail servers
    transport       what a transport is, and what it may answer
    verp            return addresses that name the delivery
"""

__all__ = [
    "addresses",
    "dkim",
    "dkim_keys",
    "doctor",
    "lifecycle",
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
