"""Bounce reports in the formats of mail servers, with our own texts."""

from __future__ import annotations

from publisher.bounces.reading import Signatures
from publisher.mail.links import Links
from publisher.mail.verp import ReturnPath

SECRET = "a secret for tests only, long enough"
RETURN_PATH = ReturnPath("bounces@letters.example", SECRET)
LINKS = Links("https://letters.example", SECRET)
SIGNATURES = Signatures(RETURN_PATH, LINKS)
READER = "ada@reader.example"

LETTER = """\
Return-Path: <{path}>
From: The Quiet Reader <ada@letters.example>
To: ada@reader.example
Subject: 550 5.1.1 user unknown, and other poems
Message-ID: <letter-1@letters.example>
List-Unsubscribe: <https://letters.example/unsubscribe/{token}>

Dear reader, 550 5.1.1 nobody@reader.example: user unknown; no such user here.
"""


def letter(delivery: int = 7, uid: str = "u7", *, path: str | None = None) -> str:
    """Return the email that a report is about."""
    token = LINKS.unsubscribe(uid, "weekly").rpartition("/")[2]
    return LETTER.format(path=RETURN_PATH.of(delivery) if path is None else path, token=token)


def report(
    fields: str,
    *,
    to: str | None = None,
    text: str = "Sorry.",
    extra: str = "",
    sender: str = "MAILER-DAEMON@mx.example",
) -> bytes:
    """Return a delivery status notification (RFC 3464). fields: its groups of fields."""
    return f"""\
Return-Path: <>
Delivered-To: {RETURN_PATH.of(7) if to is None else to}
From: Mail Delivery System <{sender}>
To: {RETURN_PATH.of(7) if to is None else to}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
{extra}MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b1"

--b1
Content-Type: text/plain; charset=us-ascii

{text}

--b1
Content-Type: message/delivery-status

{fields}
--b1
Content-Type: message/rfc822

{letter()}
--b1--
""".replace("\n", "\r\n").encode()


def failed(status: str, words: str = "", action: str = "failed", server: str = "mx.example") -> str:
    """Return the groups of a DSN for one recipient."""
    said = f"Diagnostic-Code: smtp; {words}\n" if words else ""
    return (
        f"Reporting-MTA: dns; {server}\n\nFinal-Recipient: rfc822; {READER}\nAction: {action}\nStatus: {status}\n{said}"
    )


POSTFIX = report(
    "Reporting-MTA: dns; mx.example\nX-Postfix-Queue-ID: 4ABC\nX-Postfix-Sender: rfc822; x@letters.example\n\n"
    f"Final-Recipient: rfc822; {READER}\nOriginal-Recipient: rfc822;{READER}\nAction: failed\nStatus: 5.1.1\n"
    f"Remote-MTA: dns; mx.reader.example\nDiagnostic-Code: smtp; 550 5.1.1 <{READER}>: Recipient address\n"
    "    rejected: User unknown in virtual mailbox table\n"
)
EXIM = report(
    "Reporting-MTA: dns; mx.example\n\nAction: failed\nFinal-Recipient: rfc822;ada@reader.example\nStatus: 5.0.0\n"
    "Remote-MTA: dns; mx.reader.example\nDiagnostic-Code: smtp; 550 No such user here\n",
    extra="X-Failed-Recipients: ada@reader.example\n",
)
SENDMAIL = report(
    "Reporting-MTA: dns; mx.example\nArrival-Date: Sat, 21 Nov 2026 09:00:00 GMT\n\n"
    "Final-Recipient: RFC822; ada@reader.example\nAction: failed\nStatus: 5.1.1\n"
    "Diagnostic-Code: SMTP; 550 5.1.1 ada: unknown in this place\nLast-Attempt-Date: Sat, 21 Nov 2026 09:00:01 GMT\n"
)
EXCHANGE = report(
    "Reporting-MTA: dns;EX01.corp.example\nReceived-From-MTA: dns;mx.example\n\n"
    "Final-Recipient: rfc822;ada@reader.example\nAction: failed\nStatus: 5.1.10\n"
    "Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient ada@reader.example not found\n",
    sender="postmaster@corp.example",
)
GMAIL = report(
    "Reporting-MTA: dns; googlemail.com\n\nFinal-Recipient: rfc822; ada@reader.example\nAction: failed\n"
    "Status: 5.1.1\nRemote-MTA: dns; gmail-smtp-in.example. (192.0.2.27, the server for the domain.)\n"
    "Diagnostic-Code: smtp; 550-5.1.1 The account that you wrote to is not there. Look for typing errors.\n"
    " 550 5.1.1 https://support.example/mail/?p=NoSuchUser - gsmtp\n",
    sender="mailer-daemon@googlemail.com",
)


def qmail(words: str, sender: str = "MAILER-DAEMON@mx.example") -> bytes:
    """Return a report in qmail's format: only text."""
    return f"""\
Return-Path: <>
Delivered-To: {RETURN_PATH.of(7)}
From: {sender}
To: {RETURN_PATH.of(7)}
Subject: failure notice

Hi. This is the qmail-send program at mx.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<{READER}>:
192.0.2.1 does not like recipient.
{words}
Giving up on 192.0.2.1.

--- Below this line is a copy of the message.

{letter()}""".encode()


def old_exim(words: str) -> bytes:
    """Return a report in the format of Exim before 4.80: only text, and marked as an automatic reply."""
    return f"""\
Return-path: <>
Envelope-to: {RETURN_PATH.of(7)}
X-Failed-Recipients: {READER}
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@mx.example>
To: {RETURN_PATH.of(7)}
Subject: Mail delivery failed: returning message to sender

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  {READER}
    SMTP error from remote mail server after RCPT TO:<{READER}>:
    host mx.reader.example [192.0.2.1]: {words}

------ This is a copy of the message, including all the headers. ------

{letter()}""".encode()


def plain(headers: str, body: str, *, to: str | None = None) -> bytes:
    """Return a message that people or their programs send to the return address."""
    return f"To: {RETURN_PATH.of(7) if to is None else to}\n{headers}\n\n{body}\n".encode()


AUTOMATIC = {
    "vacation": plain(
        "From: Ada <ada@reader.example>\nAuto-Submitted: auto-replied (vacation)\n"
        "In-Reply-To: <letter-1@letters.example>\n"
        "Subject: Away until Monday",
        "I am away. My old address bob@reader.example: 550 5.1.1 user unknown.",
    ),
    "out of office": plain(
        "From: Ada <ada@reader.example>\nX-Auto-Response-Suppress: All\nAuto-Submitted: auto-generated\n"
        "Subject: Automatic reply: hello",
        "This mailbox no longer exists. 550 5.1.1 user unknown",
    ),
    "autoresponder as the postmaster": plain(
        "From: postmaster@reader.example\nX-Autoreply: yes\nSubject: Undeliverable?",
        "The following address failed:\n\n  ada@reader.example\n    550 5.1.1 user unknown",
    ),
    "challenge": plain(
        "From: ada-confirm@reader.example\nSubject: Please confirm that you are a person",
        "Your message could not be delivered until you press this link.",
    ),
    "reading receipt": plain(
        "From: ada@reader.example\nMIME-Version: 1.0\nSubject: Read: hello\n"
        'Content-Type: multipart/report; report-type=disposition-notification; boundary="b"',
        "--b\nContent-Type: text/plain\n\nRead.\n--b\nContent-Type: message/disposition-notification\n\n"
        "Final-Recipient: rfc822; ada@reader.example\n"
        "Disposition: automatic-action/MDN-sent-automatically; deleted\n--b--",
    ),
    "a person": plain("From: Ada <ada@reader.example>\nSubject: Re: 550 5.1.1 user unknown", "Lovely poem!"),
    "delayed": report(failed("4.4.1", "451 4.4.1 no answer yet", "delayed")),
    "delivered": report(failed("2.0.0", "", "delivered")),
    "relayed": report(failed("2.0.0", "", "relayed")),
    "expanded": report(failed("2.0.0", "", "expanded")),
}


def complaint(
    kind: str = "abuse",
    *,
    inside: str | None = None,
    fields: str = "",
    to: str = "feedback@letters.example",
    as_headers: bool = False,
) -> bytes:
    """Return a spam complaint (RFC 5965)."""
    return f"""\
From: <feedback@provider.example>
To: <{to}>
Subject: A reader's complaint
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b2"

--b2
Content-Type: text/plain

This is an email abuse report.

--b2
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: Provider-FBL/1.0
Version: 1
{fields}
--b2
Content-Type: {"text/rfc822-headers" if as_headers else "message/rfc822"}

{letter() if inside is None else inside}
--b2--
""".encode()
