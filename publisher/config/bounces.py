"""The tables about bounces: where bounce reports are read, and the providers that send them to a webhook."""

from __future__ import annotations

import base64
import re
from dataclasses import field
from typing import Annotated

from publisher.config.keys import Check, Doc
from publisher.core.frozen import dataclass


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


# A shorter secret can be guessed from one signature.
SHORTEST_SECRET = 16

# SendGrid's key in DER: a point on the smallest curve in use, with its type.
_SHORTEST_KEY = 60


def shared_secret(value: str) -> None:
    """Accept a secret of at least 16 ASCII characters; the empty string means unset. The error doesn't repeat it."""
    if value and _is_weak(value):
        raise ValueError(f"must be {SHORTEST_SECRET} or more ASCII characters; `openssl rand -hex 24` generates one")


def provider_key(value: str) -> None:
    """Accept a key that a provider shows, by the same rules as `shared_secret`."""
    if value and _is_weak(value):
        raise ValueError(f"must be {SHORTEST_SECRET} or more ASCII characters; copy it from the provider's pages")


def public_key(value: str) -> None:
    """Accept a public key in base64; the empty string means unset."""
    if not value:
        return
    try:
        key = base64.b64decode("".join(value.split()), validate=True)
    except ValueError:
        key = b""
    if len(key) < _SHORTEST_KEY or not key.startswith(b"\x30"):
        raise ValueError("isn't a public key in base64; copy the verification key from the provider's pages")


def _is_weak(value: str) -> bool:
    return len(value.strip()) < SHORTEST_SECRET or not value.isascii() or not value.isprintable()


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
        str,
        Check(provider_key),
        Doc("Mailgun's webhook signing key, for /hooks/bounce/mailgun; empty turns the webhook off."),
    ] = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sendgrid:
    """[bounces.sendgrid]: SendGrid's signed event webhook."""

    public_key: Annotated[
        str,
        Check(public_key),
        Doc("SendGrid's verification key in base64, for /hooks/bounce/sendgrid; empty turns the webhook off."),
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
        Doc("Source of bounce reports, also for `publisher run`: a Maildir, an mbox or imaps://user@host/folder."),
    ] = ""
    password: Annotated[
        str, Doc("Password for an IMAP source; better set in PUBLISHER_BOUNCES_PASSWORD than in this file.")
    ] = field(default="", repr=False)
    password_file: Annotated[str, Doc("File that contains the password, instead of `password`.")] = ""
    ses: Annotated[Ses, Doc("Amazon SES, whose reports arrive through SNS.")] = field(default_factory=Ses)
    postmark: Annotated[Postmark, Doc("Postmark's webhook.")] = field(default_factory=Postmark)
    mailgun: Annotated[Mailgun, Doc("Mailgun's webhook.")] = field(default_factory=Mailgun)
    sendgrid: Annotated[Sendgrid, Doc("SendGrid's signed event webhook.")] = field(default_factory=Sendgrid)
    generic: Annotated[Generic, Doc("The webhook for any other provider.")] = field(default_factory=Generic)
