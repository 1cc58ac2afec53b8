"""VERP (variable envelope return paths): each delivery has its own return address, which identifies it in a bounce."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import datetime

# A gateway may put a tag before the address of what it sends out, by which it recognises its own bounces (BATV).
_TAGS = re.compile(r"(?:(?:prvs|msprvs1)=[^=@]{1,100}=|btv1==[^=@]{1,100}==){1,3}")

# 80 bits: too many to guess, since each guess costs an attacker a message.
_SIGNATURE_BYTES = 10


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
        """Return the address that a bounce of this delivery goes to."""
        return f"{self._local}+{delivery_id}-{self._signature(str(delivery_id))}@{self._domain}"

    def read(self, address: str) -> int | None:
        """Return the id of the delivery that an address was made for; return None if it was not made here.

        A tag of a gateway before the address is ignored (BATV, draft-levine-smtp-batv), here and in `read_notice`.
        """
        local, domain = _untagged(address)
        found = re.fullmatch(r"(.+)\+([1-9][0-9]{0,18})-([a-z2-7]+)", local)
        if not found or (found[1], domain) != (self._local.lower(), self._domain.lower()):
            return None
        return int(found[2]) if hmac.compare_digest(found[3], self._signature(found[2])) else None

    def of_notice(self, subscriber_id: int, made_at: datetime) -> str:
        """Return the address that a bounce of a subscription email goes to. It encodes the subscriber and the hour.

        It looks like bounces+n<subscriber>.<hours since 1970>-<signature>@example.org, which no delivery's address
        does.
        """
        name = f"n{subscriber_id}.{int(made_at.timestamp()) // 3_600}"
        return f"{self._local}+{name}-{self._signature(name)}@{self._domain}"

    def read_notice(self, address: str) -> tuple[int, int] | None:
        """Return the subscriber's id and the hour that a subscription email's return address was made for.

        The hour is counted from the beginning of 1970. Returns None if the address was not made here.
        """
        local, domain = _untagged(address)
        found = re.fullmatch(r"(.+)\+(n([1-9][0-9]{0,18})\.([0-9]{1,9}))-([a-z2-7]+)", local)
        if not found or (found[1], domain) != (self._local.lower(), self._domain.lower()):
            return None
        signed = hmac.compare_digest(found[5], self._signature(found[2]))
        return (int(found[3]), int(found[4])) if signed else None

    def pretends(self, address: str) -> bool:
        """Return whether an address looks like one of this project's return addresses but was not made here."""
        local, domain = _untagged(address)
        ours = local.startswith(f"{self._local.lower()}+") and domain == self._domain.lower()
        return ours and self.read(address) is None and self.read_notice(address) is None

    def _signature(self, text: str) -> str:
        digest = hmac.digest(self._key, text.encode(), "sha256")[:_SIGNATURE_BYTES]
        return base64.b32encode(digest).decode("ascii").lower()


def _untagged(address: str) -> tuple[str, str]:
    """Return the local part, without tags of gateways, and the domain of an address, both in lower case."""
    local, _, domain = address.lower().rpartition("@")
    tags = _TAGS.match(local)
    return (local[tags.end() :] if tags else local), domain
