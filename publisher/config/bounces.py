"""The tables about bounces: where bounce reports are read, and the providers that send them to a webhook."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Annotated

from publisher.config.keys import Check, Doc


def report_source(value: str) -> None:
    """Accept a path, or the URL of an IMAP mailbox without a password; the empty string means unset."""
    if not re.match(r"[a-z]+://", value):
        return
    if not re.fullmatch(r"imaps?://[^\s:@/]+(@[^\s:@/]+)?@(\[[0-9a-fA-F:]+\]|[^\s:@/]+)(:\d{1,5})?(/[^\s]*)?", value):
        raise ValueError(
            "isn't the URL of a mailbox; write it like imaps://user@mail.example.org/INBOX, without the password"
        )


def sns_topic(value: str) -> None:
    """Accept the ARN of an Amazon SNS topic; the empty string means unset."""
    if value and not re.fullmatch(r"arn:aws(-[a-z-]+)?:sns:[a-z0-9-]+:\d{12}:[\w-]{1,256}(\.fifo)?", value):
        raise ValueError(
            f"{value!r} isn't the ARN of a topic; write it like arn:aws:sns:eu-west-1:123456789012:bounces"
        )


def shared_secret(value: str) -> None:
    """Accept a secret of at least 16 ASCII characters; the empty string means unset. The error doesn't repeat it."""
    if value and (len(value) < 16 or not value.isascii() or not value.isprintable()):
        raise ValueError("must be 16 or more ASCII characters; `openssl rand -hex 24` generates one")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ses:
    """[bounces.ses]: Amazon SES, through SNS."""

    topic_arn: Annotated[
        str, Check(sns_topic), Doc("SNS topic whose messages /hooks/bounce/ses accepts; empty turns the webhook off.")
    ] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Postmark:
    """[bounces.postmark]: Postmark's webhook."""

    secret: Annotated[
        str, Check(shared_secret), Doc("Password for /hooks/bounce/postmark; empty turns the webhook off.")
    ] = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailgun:
    """[bounces.mailgun]: Mailgun's webhook."""

    signing_key: Annotated[
        str, Doc("Mailgun's webhook signing key, for /hooks/bounce/mailgun; empty turns the webhook off.")
    ] = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sendgrid:
    """[bounces.sendgrid]: SendGrid's signed event webhook."""

    public_key: Annotated[
        str, Doc("SendGrid's verification key in base64, for /hooks/bounce/sendgrid; empty turns the webhook off.")
    ] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generic:
    """[bounces.generic]: the webhook for any other provider."""

    secret: Annotated[
        str, Check(shared_secret), Doc("Password for /hooks/bounce/generic; empty turns the webhook off.")
    ] = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BouncesConfig:
    """[bounces]: where bounce reports are read."""

    source: Annotated[
        str,
        Check(report_source),
        Doc("Where bounce reports are read, also by `publisher run`: a Maildir, an mbox, imaps://user@host/folder."),
    ] = ""
    password: Annotated[
        str, Doc("Password of an IMAP source; better set in PUBLISHER_BOUNCES_PASSWORD than in this file.")
    ] = field(default="", repr=False)
    password_file: Annotated[str, Doc("File that contains the password, instead of `password`.")] = ""
    ses: Annotated[Ses, Doc("Amazon SES, whose reports arrive through SNS.")] = field(default_factory=Ses)
    postmark: Annotated[Postmark, Doc("Postmark's webhook.")] = field(default_factory=Postmark)
    mailgun: Annotated[Mailgun, Doc("Mailgun's webhook.")] = field(default_factory=Mailgun)
    sendgrid: Annotated[Sendgrid, Doc("SendGrid's signed event webhook.")] = field(default_factory=Sendgrid)
    generic: Annotated[Generic, Doc("The webhook for any other provider.")] = field(default_factory=Generic)
