"""Messages that came back, and complaints of spam: read, judged, and applied to the subscriber.

A report arrives as an email (sources.py finds it in a mailbox) or as a request to a webhook (providers/). reading.py
recognises what it is: a delivery status notification (dsn.py), a complaint (arf.py), or a failure told in plain words
(legacy.py). verdict.py judges what the server's answer means for the mailbox. The result is a
core.bounce_report.Report, which belongs to one of our own messages only if a signature of ours, or the provider, says
so. apply.py then gives it its effect on the subscriber, once and in one transaction; it is the only module here that
knows the database. Begin reading with reading.py.

Public modules:
    apply       give a report its effect; stop sending to mailboxes that don't exist
    providers   the webhooks of providers (a package)
    reading     an email becomes a report
    sources     a Maildir, an mbox file, an IMAP account, a single message
"""

__all__ = ["apply", "providers", "reading", "sources"]
