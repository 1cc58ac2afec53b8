"""Signatures and hashes with the project's secret: for links, sessions and the suppression list.

Every use has a purpose that is part of its key, so a signature made for one purpose is worthless for any other.
"""

from __future__ import annotations

import hashlib
import hmac
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from itsdangerous import URLSafeSerializer


def signer(secret: str, purpose: str) -> URLSafeSerializer:
    """Return a serializer that signs values and reads them back, comparing in constant time; HMAC with SHA-256."""
    return _serializer()(
        secret,
        salt=f"publisher {purpose}",
        signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
    )


@cache
def _serializer() -> type[URLSafeSerializer]:
    from itsdangerous import BadSignature, URLSafeSerializer  # 5 ms, and many commands sign nothing
    from itsdangerous.encoding import base64_decode, base64_encode

    class Serializer(URLSafeSerializer):
        """Tokens without compression, which takes 30 us to find out that a value as short as ours gets no shorter.

        Each value has exactly one token. The last character of base64 has unused bits, so several texts decode to the
        same bytes; only the text that was issued is accepted.
        """

        def dump_payload(self, obj: Any) -> bytes:
            return base64_encode(self.serializer.dumps(obj, **self.serializer_kwargs))

        def loads(self, s: str | bytes, salt: str | bytes | None = None, **options: Any) -> Any:
            value = super().loads(s, salt, **options)
            text = s.encode() if isinstance(s, str) else s
            if any(base64_encode(base64_decode(part)) != part for part in text.split(b".")):
                raise BadSignature("not the text that was issued")
            return value

    return Serializer


def hashing_key(secret: str, purpose: str) -> bytes:
    """Return the key for `keyed_hash` for one purpose."""
    return hmac.digest(secret.encode(), f"publisher {purpose}".encode(), "sha256")


def keyed_hash(key: bytes, text: str) -> str:
    """Return a hash of 64 hexadecimal digits that only the holder of the key can make or check."""
    return hmac.digest(key, text.encode("utf-8", "surrogatepass"), "sha256").hex()
