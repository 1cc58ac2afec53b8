"""Signatures, hashes and encryption with the project's secret: for links, sessions, the suppression list, sign-ups.

Each purpose has its own key, so a signature made for one purpose is not valid for any other.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cryptography.fernet import Fernet
    from itsdangerous import URLSafeSerializer

# Writes JSON as itsdangerous does, but without creating an encoder for each value.
_as_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

SECRET_VARIABLE = "PUBLISHER_SECRET"  # noqa: S105 - the name of a variable, not a secret

# A shorter secret could be guessed from a single link, and links forged for every subscriber.
SHORTEST_SECRET = 32


def signer(secret: str, purpose: str) -> URLSafeSerializer:
    """Return a serializer that signs values with HMAC-SHA-256 and checks signatures in constant time."""
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
        """A serializer of tokens that skips compression and accepts only one spelling of each token.

        Compressing values as short as ours takes 30 us and saves nothing. The last character of base64 has unused bits,
        so several texts decode to the same bytes, but only the text that was issued is accepted. Each message has two
        tokens, so the key is derived only once rather than for each token.
        """

        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            self._mac = hmac.new(self.make_signer().derive_key(), digestmod=hashlib.sha256)

        def dump_payload(self, obj: Any) -> bytes:
            """Return a value as text, without compressing it."""
            return base64_encode(_as_json(obj))

        def dumps(self, obj: Any, salt: str | bytes | None = None) -> str:
            """Return a value as signed text, equal to what the parent class returns."""
            if salt is not None:
                return super().dumps(obj, salt)
            payload, mac = self.dump_payload(obj), self._mac.copy()  # hmac.digest() takes 1 us longer
            mac.update(payload)
            return (payload + b"." + base64_encode(mac.digest())).decode("ascii")

        def loads(self, s: str | bytes, salt: str | bytes | None = None, **options: Any) -> Any:
            """Return the value of a signed text. Raises BadSignature if it is not spelled as it was issued."""
            value = super().loads(s, salt, **options)
            text = s.encode() if isinstance(s, str) else s
            if any(base64_encode(base64_decode(part)) != part for part in text.split(b".")):
                raise BadSignature("not the text that was issued")
            return value

    return Serializer


def hashing_key(secret: str, purpose: str) -> bytes:
    """Return the key that `keyed_hash` uses for one purpose."""
    return hmac.digest(secret.encode(), f"publisher {purpose}".encode(), "sha256")


def keyed_hash(key: bytes, text: str) -> str:
    """Return a hash of 64 hexadecimal digits that only the holder of the key can make or check."""
    return hmac.digest(key, text.encode("utf-8", "surrogatepass"), "sha256").hex()


def seal(secret: str, purpose: str, text: str) -> str:
    """Encrypt and sign a text with Fernet, so that only the holder of the secret can read or change it."""
    return _fernet(secret, purpose).encrypt(text.encode()).decode("ascii")


def open_sealed(secret: str, purpose: str, sealed: str) -> str:
    """Return a text that `seal` encrypted with the same secret and purpose; "" if it was not, or has been changed."""
    from cryptography.fernet import InvalidToken  # see _fernet

    try:
        return _fernet(secret, purpose).decrypt(sealed).decode()
    except InvalidToken:
        return ""


def _fernet(secret: str, purpose: str) -> Fernet:
    from cryptography.fernet import Fernet  # 30 ms, and few commands encrypt anything

    return Fernet(base64.urlsafe_b64encode(hashing_key(secret, purpose)))
