"""VERP (variable envelope return paths): each delivery has its own return address, which identifies it in a bounce."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import datetime

# A gateway may put a tag before the address of outgoing email, by which it recognises its own bounces (BATV).
_TAGS = re.compile(r"(?:(?:prvs|msprvs1)=[^=@]{1,100}=|btv1==[^=@]{1,100}==){1,3}")

# 80 bits: too many to guess, because each guess costs an attacker a message.
_SIGNATURE_BYTES = 10
_SHORT = 13  # characters (65 bits) of a signature that shares its local part with a uid


class ReturnPath:
    """The return addresses of one project, such as bounces+<delivery>-<signature>@example.org.

    The local part may have at most 64 octets (RFC 5321, 4.5.3.1.1), and some servers return it in lower case. The
    signatures of itsdangerous have 43 characters of both cases, so a shortened HMAC in base32 is used instead.
    """

    def __init__(self, address: str, secret: str) -> None:
        """Prepare to make and read addresses.

        address: the bare address that receives bounces; its mailbox must accept subaddresses ("+"). secret: the
        project's secret, which signs the addresses.
        """
        self._local, _, self._domain = address.rpartition("@")
        self._key = hmac.new(secret.encode(), b"publisher return path", hashlib.sha256).digest()

    def of(self, delivery_id: int) -> str:
        """Return the address to which a bounce of this delivery goes."""
        return f"{self._local}+{delivery_id}-{self._signature(str(delivery_id))}@{self._domain}"

    def read(self, address: str) -> int | None:
        """Return the id of the delivery for which an address was made; return None if it was not made here.

        A gateway's tag before the address is ignored (BATV, draft-levine-smtp-batv), here and in `read_notice`.
        """
        local, domain = _untagged(address)
        found = re.fullmatch(r"(.+)\+([1-9][0-9]{0,18})-([a-z2-7]+)", local)
        if not found or (found[1], domain) != (self._local.lower(), self._domain.lower()):
            return None
        return int(found[2]) if hmac.compare_digest(found[3], self._signature(found[2])) else None

    def of_notice(self, subscriber_id: int, made_at: datetime) -> str:
        """Return the address to which a bounce of a subscription email goes. It encodes the subscriber and the hour.

        It looks like bounces+n<subscriber>.<hours since 1970>-<signature>@example.org, which no delivery's address
        does.
        """
        name = f"n{subscriber_id}.{int(made_at.timestamp()) // 3_600}"
        return f"{self._local}+{name}-{self._signature(name)}@{self._domain}"

    def read_notice(self, address: str) -> tuple[int, int] | None:
        """Return the subscriber's id and the hour for which a subscription email's return address was made.

        The hour is counted from the beginning of 1970. Returns None if the address was not made here.
        """
        local, domain = _untagged(address)
        found = re.fullmatch(r"(.+)\+(n([1-9][0-9]{0,18})\.([0-9]{1,9}))-([a-z2-7]+)", local)
        if not found or (found[1], domain) != (self._local.lower(), self._domain.lower()):
            return None
        signed = hmac.compare_digest(found[5], self._signature(found[2]))
        return (int(found[3]), int(found[4])) if signed else None

    def of_unsubscribing(self, subscriber_uid: str, newsletter: str) -> str:
        """Return the address to which a subscriber writes to unsubscribe from a newsletter; "" for an unusual uid.

        It looks like bounces+u<uid in base32><4 characters of the newsletter's hash>-<13 of the signature>@example.org:
        with the longest address for bounces that the configuration allows, these are exactly 64 octets.
        """
        if not re.fullmatch(r"[0-9a-f]{24}", subscriber_uid):
            return ""
        uid = base64.b32encode(bytes.fromhex(subscriber_uid)).decode("ascii").lower().rstrip("=")
        name = f"u{uid}{newsletter_key(newsletter)}"
        return f"{self._local}+{name}-{self._signature(name)[:_SHORT]}@{self._domain}"

    def read_unsubscribing(self, address: str) -> tuple[str, str] | None:
        """Return the subscriber's uid and the newsletter's key (see `newsletter_key`) for which an address was made.

        Returns None if the address was not made here.
        """
        local, domain = _untagged(address)
        found = re.fullmatch(r"(.+)\+(u([a-z2-7]{20})([a-z2-7]{4}))-([a-z2-7]+)", local)
        if not found or (found[1], domain) != (self._local.lower(), self._domain.lower()):
            return None
        if not hmac.compare_digest(found[5], self._signature(found[2])[:_SHORT]):
            return None
        return base64.b32decode(found[3].upper() + "====").hex(), found[4]

    def pretends(self, address: str) -> bool:
        """Return whether an address looks like one of this project's return addresses but was not made here."""
        local, domain = _untagged(address)
        ours = local.startswith(f"{self._local.lower()}+") and domain == self._domain.lower()
        return ours and not (self.read(address) or self.read_notice(address) or self.read_unsubscribing(address))

    def _signature(self, text: str) -> str:
        digest = hmac.digest(self._key, text.encode(), "sha256")[:_SIGNATURE_BYTES]
        return base64.b32encode(digest).decode("ascii").lower()


def newsletter_key(newsletter: str) -> str:
    """Return 4 characters that distinguish the newsletters of a project."""
    digest = hashlib.sha256(f"newsletter {newsletter}".encode()).digest()
    return base64.b32encode(digest[:5]).decode("ascii").lower()[:4]


def _untagged(address: str) -> tuple[str, str]:
    """Return the local part, without gateways' tags, and the domain of an address, both in lower case."""
    local, _, domain = address.lower().rpartition("@")
    tags = _TAGS.match(local)
    return (local[tags.end() :] if tags else local), domain
