"""What the project's secret makes: signatures for links and hashes for the list of suppressed addresses.

Every use has a purpose of its own, mixed into its key, so that what was made for one opens nothing else.
"""

from __future__ import annotations

import hashlib
import hmac
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from itsdangerous import URLSafeSerializer


def signer(secret: str, purpose: str) -> URLSafeSerializer:
    """Return what signs values and reads them back, compared in constant time; HMAC with SHA-256."""
    return _serializer()(
        secret,
        salt=f"publisher {purpose}",
        signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
    )


@cache
def _serializer() -> type[URLSafeSerializer]:
    from itsdangerous import BadSignature, URLSafeSerializer
    from itsdangerous.encoding import base64_decode, base64_encode

    class Serializer(URLSafeSerializer):
        """Tokens as they are: what is as short as ours gets no shorter by zlib, which takes 30 us to find that out.

        One value has one token. The last character of base64 has bits that mean nothing, so that several texts say
        the same bytes; only the one that was made is read.
        """

        def dump_payload(self, obj: Any) -> bytes:
            return base64_encode(self.serializer.dumps(obj, **self.serializer_kwargs))

        def loads(self, s: str | bytes, salt: str | bytes | None = None, **options: Any) -> Any:
            value = super().loads(s, salt, **options)
            text = s.encode() if isinstance(s, str) else s
            if any(base64_encode(base64_decode(part)) != part for part in text.split(b".")):
                raise BadSignature("not in the form it was made in")
            return value

    return Serializer


def hashing_key(secret: str, purpose: str) -> bytes:
    """Return the key with which `keyed_hash` hashes for one purpose."""
    return hmac.digest(secret.encode(), f"publisher {purpose}".encode(), "sha256")


def keyed_hash(key: bytes, text: str) -> str:
    """Return a hash, as 64 hexadecimal digits, that only the holder of the key can make or test."""
    return hmac.digest(key, text.encode("utf-8", "surrogatepass"), "sha256").hex()
