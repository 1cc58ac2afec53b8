"""The personal links in emails, which are signed, opaque and permanent.

Each link has a token that is signed for one purpose, so a token for unsubscribing cannot be used for anything else. A
subscriber's token is made from permanent values such as the public uid. So a message has the same links when it is sent
again, and tokens need not be stored.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from publisher.core.atomic_write import put_new, temporary
from publisher.core.errors import ProjectError
from publisher.core.newsletter_models import Edition
from publisher.core.private_folder import make_private
from publisher.core.signing import SECRET_VARIABLE, SHORTEST_SECRET, open_sealed, seal, signer
from publisher.mail.addresses import wire_url

SECRET_FILE = "secret"  # noqa: S105 - the name of a file, not a secret


class LinkPurpose(StrEnum):
    """The action that a token allows. It is also the path under the public URL."""

    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "preferences"
    APPROVE = "approve"
    NEVER = "never"
    COPY = "test-copy"
    DRAFT = "draft"


class Links:
    """The links of one project."""

    def __init__(self, public_url: str, secret: str) -> None:
        """Prepare to make and read links.

        public_url: the URL of the web application, without a slash at its end. secret: the project's secret, which
        signs the tokens.
        """
        self.public_url, self._secret = wire_url(public_url), secret
        self._serializers = {purpose: signer(secret, purpose) for purpose in LinkPurpose}

    def unsubscribe(self, uid: str, newsletter: str) -> str:
        """Return the URL for unsubscribing a subscriber from one newsletter. A POST does so immediately (RFC 8058)."""
        return self._url(LinkPurpose.UNSUBSCRIBE, [uid, newsletter])

    def preferences(self, uid: str) -> str:
        """Return the URL of a subscriber's preferences page."""
        return self._url(LinkPurpose.PREFERENCES, [uid])

    def never(self, address: str) -> str:
        """Return the URL of the page on which the owner of a mailbox says that they want no email at all.

        It contains the address, because that may belong to no subscriber. The address is encrypted, because URLs appear
        in other people's logs.
        """
        return self._url(LinkPurpose.NEVER, ["", seal(self._secret, LinkPurpose.NEVER, address)])

    def read_never(self, token: str) -> str | None:
        """Return the address in the token of a URL that `never` made, also in older versions; None if not ours."""
        match self.read(LinkPurpose.NEVER, token):
            case ("", sealed):
                return open_sealed(self._secret, LinkPurpose.NEVER, sealed) or None
            case (address,):
                return address
        return None

    def copy(self, name: str) -> str:
        """Return the URL of the web version of a test email."""
        return self._url(LinkPurpose.COPY, [name])

    def draft(self, kind: str, name: str, until: str) -> str:
        """Return the URL of something that is not public yet. until: when the link expires, as text."""
        return self._url(LinkPurpose.DRAFT, [kind, name, until])

    def approval(self, edition: Edition) -> str:
        """Return the URL of the page on which the owner approves or skips an edition."""
        return self._url(LinkPurpose.APPROVE, [str(edition.id), edition.newsletter, edition.slot])

    def read(self, purpose: LinkPurpose, token: str) -> tuple[str, ...] | None:
        """Return the values from which a token was made, such as (uid, newsletter); None if it was not made here."""
        from itsdangerous import BadData  # not at the top, as in core/signing

        try:
            return tuple(str(part) for part in self._serializers[purpose].loads(token))
        except (BadData, ValueError, TypeError):  # TypeError: a lone surrogate in the token
            return None

    def _url(self, purpose: LinkPurpose, parts: list[str]) -> str:
        token = self._serializers[purpose].dumps(parts)
        return f"{self.public_url}/{purpose}/{token if isinstance(token, str) else token.decode('ascii')}"


def load_secret(state_dir: Path, environment: Mapping[str, str]) -> str:
    """Return the project's secret, from the variable PUBLISHER_SECRET or else from the file <state_dir>/secret.

    The file is created on first use. Anyone who knows the secret can make links for every subscriber, so only the owner
    can read the file. Two processes that start together get the same secret. environment: the environment variables.
    Raises ProjectError if the file cannot be read or created.
    """
    if given := environment.get(SECRET_VARIABLE, "").strip():
        return given  # the configuration refuses a short one
    path = state_dir / SECRET_FILE
    try:
        if not path.exists():
            _make_secret(path)
        secret = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ProjectError(f"the secret cannot be read or made: {error}", where=str(path)) from error
    if len(secret) < SHORTEST_SECRET:
        raise ProjectError(
            "does not contain a secret",
            where=str(path),
            hint="restore it from a backup; a new one breaks the links in emails that were already sent",
        )
    return secret


def has_secret(state_dir: Path, environment: Mapping[str, str]) -> bool:
    """Return whether the project has a secret, without creating one; see load_secret."""
    return bool(environment.get(SECRET_VARIABLE, "").strip()) or (state_dir / SECRET_FILE).exists()


def _make_secret(path: Path) -> None:
    make_private(path.parent)
    with temporary(path, 0o600) as part:
        with part.open("w") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        put_new(part, path)  # this never replaces a secret that is already in use
