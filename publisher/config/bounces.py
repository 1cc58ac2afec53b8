"""The keys of where reports of letters that came back are read, and of the providers that tell of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Annotated

from publisher.config.checks import STRICT, Check, Doc


def report_source(value: str) -> None:
    """Accept a path, or the URL of a mailbox without a password; the empty string means unset."""
    if not re.match(r"[a-z]+://", value):
        return
    if not re.fullmatch(r"imaps?://[^\s:@/]+(@[^\s:@/]+)?@(\[[0-9a-fA-F:]+\]|[^\s:@/]+)(:\d{1,5})?(/[^\s]*)?", value):
        raise ValueError("is no mailbox; write it like imaps://user@mail.example.org/INBOX, the password elsewhere")


def sns_topic(value: str) -> None:
    """Accept the name of a topic of Amazon SNS; the empty string means unset."""
    if value and not re.fullmatch(r"arn:aws(-[a-z-]+)?:sns:[a-z0-9-]+:\d{12}:[\w-]{1,256}(\.fifo)?", value):
        raise ValueError(f"{value!r} is no topic; write it like arn:aws:sns:eu-west-1:123456789012:bounces")


def shared_secret(value: str) -> None:
    """Accept what nobody guesses; the empty string means unset. The message leaves the value out."""
    if value and (len(value) < 16 or not value.isascii() or not value.isprintable()):
        raise ValueError("must be 16 or more ASCII characters; `openssl rand -hex 24` makes one")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ses:
    """[bounces.ses]: Amazon SES, by SNS."""

    __pydantic_config__ = STRICT

    topic_arn: Annotated[
        str, Check(sns_topic), Doc("The topic whose messages are taken at /hooks/bounce/ses; empty for none.")
    ] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Postmark:
    """[bounces.postmark]"""

    __pydantic_config__ = STRICT

    secret: Annotated[
        str, Check(shared_secret), Doc("Password that /hooks/bounce/postmark asks for; empty for no such address.")
    ] = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailgun:
    """[bounces.mailgun]"""

    __pydantic_config__ = STRICT

    signing_key: Annotated[str, Doc("Mailgun's webhook signing key; /hooks/bounce/mailgun is there only with it.")] = (
        field(default="", repr=False)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sendgrid:
    """[bounces.sendgrid]"""

    __pydantic_config__ = STRICT

    public_key: Annotated[
        str, Doc("SendGrid's verification key, in base64; /hooks/bounce/sendgrid is there only with it.")
    ] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounces:
    """[bounces]: where reports of letters that came back are read."""

    __pydantic_config__ = STRICT

    source: Annotated[
        str,
        Check(report_source),
        Doc("Where reports are read, by `publisher run` too: a Maildir, an mbox, imaps://user@host/folder."),
    ] = ""
    password: Annotated[
        str, Doc("Password of an IMAP source; better in the variable PUBLISHER_BOUNCES_PASSWORD than in a file.")
    ] = field(default="", repr=False)
    password_file: Annotated[str, Doc("File that holds the password, in place of `password`.")] = ""
    ses: Annotated[Ses, Doc("Amazon SES, whose reports SNS brings.")] = field(default_factory=Ses)
    postmark: Annotated[Postmark, Doc("Postmark's webhook.")] = field(default_factory=Postmark)
    mailgun: Annotated[Mailgun, Doc("Mailgun's webhook.")] = field(default_factory=Mailgun)
    sendgrid: Annotated[Sendgrid, Doc("SendGrid's signed event webhook.")] = field(default_factory=Sendgrid)
