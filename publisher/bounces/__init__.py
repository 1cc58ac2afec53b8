"""Reads bounces and spam complaints, judges them, and applies them to the subscriber.

A report arrives as an email in a mailbox (mailboxes.py) or as a request to a webhook (providers/). reading.py knows
three kinds of emails: delivery status notifications (dsn.py), complaints (arf.py), and failures described in plain
words (legacy.py). verdict.py uses the tables codes.tsv and phrases.tsv to judge from the server's answer whether the
mailbox still exists; it also judges the answers during sending. The result is a core.bounce_report.Report, which refers
to one of our own messages only if our signature or the provider proves it. apply.py then applies the report to
the subscriber, once and in one transaction. It is the only module here that uses the database. Begin with reading.py.

Public modules:
    apply       applies reports, and refusals during sending
    providers   the webhooks of providers (a package)
    reading     turns an email into a report
    mailboxes   reads a Maildir, an mbox file, an IMAP account or a single message
    verdict     judges a mail server's answer
"""

__all__ = ["apply", "mailboxes", "providers", "reading", "verdict"]
