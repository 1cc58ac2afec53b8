"""The links in a letter that belong to one person: signed, opaque, the same for ever.

A token names what it is for, so that one made for leaving opens nothing else. Made from the subscriber's
public uid alone: the same message has the same links when it is sent again, and no row is written for them.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from itsdangerous import BadData

from publisher.core.errors import ProjectError
from publisher.core.newsletter_models import Edition
from publisher.core.signing import signer
from publisher.mail.addresses import wire_url

SECRET_FILE = "secret"  # noqa: S105 - the name of a file, not what it holds
SECRET_VARIABLE = "PUBLISHER_SECRET"  # noqa: S105 - the name of a variable, likewise


class LinkPurpose(StrEnum):
    """What a token lets its bearer do; also the path under the public URL."""

    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "preferences"
    APPROVE = "approve"


class Links:
    """Makes and reads the links of one project."""

    def __init__(self, public_url: str, secret: str) -> None:
        """public_url: where the web application is, without a slash at its end."""
        self.public_url = wire_url(public_url)
        self._serializers = {purpose: signer(secret, purpose) for purpose in LinkPurpose}

    def unsubscribe(self, uid: str, newsletter: str) -> str:
        """Return the URL that takes a subscriber off one newsletter (RFC 8058 when it is POSTed to)."""
        return self._url(LinkPurpose.UNSUBSCRIBE, [uid, newsletter])

    def preferences(self, uid: str) -> str:
        """Return the URL of a subscriber's own page."""
        return self._url(LinkPurpose.PREFERENCES, [uid])

    def approval(self, edition: Edition) -> str:
        """Return the URL of the page on which the owner approves or skips an edition."""
        return self._url(LinkPurpose.APPROVE, [str(edition.id), edition.newsletter, edition.slot])

    def read(self, purpose: LinkPurpose, token: str) -> tuple[str, ...] | None:
        """Return what a token was made from, such as (uid, newsletter); None for one not made here."""
        try:
            return tuple(str(part) for part in self._serializers[purpose].loads(token))
        except (BadData, ValueError, TypeError):  # half a surrogate is no signature either
            return None

    def _url(self, purpose: LinkPurpose, parts: list[str]) -> str:
        token = self._serializers[purpose].dumps(parts)
        return f"{self.public_url}/{purpose}/{token if isinstance(token, str) else token.decode('ascii')}"


def load_secret(state_dir: Path, environment: Mapping[str, str]) -> str:
    """Return the project's secret: PUBLISHER_SECRET, or else <state_dir>/secret, made on first use.

    Whoever knows it can make links for anybody, so the file is readable by its owner only. Two processes
    that start together get the same one. Raises ProjectError where the file cannot be read or made.
    """
    if given := environment.get(SECRET_VARIABLE, "").strip():
        return given
    path = state_dir / SECRET_FILE
    try:
        if not path.exists():
            _make_secret(path)
        secret = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ProjectError(f"the secret cannot be read or made: {error}", where=str(path)) from error
    if len(secret) < 32:
        raise ProjectError(
            "holds no secret",
            where=str(path),
            hint="restore it; a new one breaks the links in letters already sent",
        )
    return secret


def _make_secret(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # unlike a rename, a link never replaces one that letters already use
            path.hardlink_to(temporary)
    finally:
        temporary.unlink()
