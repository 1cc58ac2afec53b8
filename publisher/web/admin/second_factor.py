"""The second factor of a login: codes from an app (TOTP, RFC 6238), and recovery codes. Owns pyotp and segno.

The key that the app and the server share is encrypted in the database with the project's secret, and of recovery codes
only keyed hashes are stored. So the database alone, for example a backup, reveals no codes.
"""

from __future__ import annotations

import hmac
import io
import re
import secrets
from datetime import datetime
from typing import TYPE_CHECKING

import pyotp

from publisher.core.errors import PublisherError
from publisher.core.signing import hashing_key, keyed_hash, open_sealed, seal

if TYPE_CHECKING:
    from publisher.store import Store

STEP = 30  # seconds for which a code is shown
_SKEW = 1  # the number of steps by which the app's clock may be wrong
RECOVERY_CODES = 10
_GROUPS, _GROUP = 4, 4
# Without characters that look alike. A code has 79 bits.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_LONGEST_CODE = 40
_PURPOSE = "admin second factor"
_KEY = re.compile(r"[A-Z2-7]{32}")


class SecondFactor:
    """The second factor of one project's owner."""

    def __init__(self, store: Store, secret: str) -> None:
        """Prepare to check codes. secret: the secret of the project."""
        self._owner, self._secret = store.owner, secret

    @property
    def is_on(self) -> bool:
        """Whether a code is needed to log in."""
        return bool(self._owner.totp_secret())

    def codes_left(self) -> int:
        """Return the number of recovery codes that have not been used yet."""
        return self._owner.recovery_codes_left()

    def turn_on(self, key: str, code: str, now: datetime) -> list[str]:
        """Turn the second factor on; return the recovery codes, which are shown only now.

        key   the key that was given to the app
        code  the code that the app shows for it
        Raises PublisherError if the code is wrong, if the second factor is already on, or if no password is set.
        """
        if self.is_on:
            raise PublisherError("the second factor is already on", hint="turn it off first")
        step = _step_of(key, code, now) if is_key(key) else None
        if step is None:
            raise PublisherError("this is not the code for this key", hint="check the clock of the device")
        codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
        sealed = seal(self._secret, _PURPOSE, key)
        if not self._owner.turn_totp_on(sealed, step, [self._hash(each) for each in codes]):
            raise PublisherError("there is no password yet", hint="set one with `publisher admin password`")
        return codes

    def turn_off(self) -> bool:
        """Turn the second factor off, and delete the recovery codes; return whether it was on."""
        return self._owner.turn_totp_off()

    def accepts(self, code: str, now: datetime) -> bool:
        """Return whether a code is right, and use it up: neither kind of code is accepted twice.

        Raises PublisherError if the key cannot be decrypted.
        """
        plain = re.sub(r"[\s-]", "", code[:_LONGEST_CODE]).lower()
        if len(plain) == _GROUPS * _GROUP:
            return self._owner.use_recovery_code(self._hash(plain))
        sealed = self._owner.totp_secret()
        step = _step_of(self._opened(sealed), plain, now) if sealed else None
        return step is not None and self._owner.use_totp_step(step)

    def _opened(self, sealed: str) -> str:
        key = open_sealed(self._secret, _PURPOSE, sealed)
        if not key:
            raise PublisherError(
                "the key of the second factor cannot be read, because the project's secret has changed",
                hint="turn it off with `publisher admin totp --off`",
            )
        return key

    def _hash(self, code: str) -> str:
        return keyed_hash(hashing_key(self._secret, "admin recovery code"), code.replace("-", ""))


def new_key() -> str:
    """Return a random key for an app: 160 bits, as RFC 4226 recommends, in base32."""
    return pyotp.random_base32()


def is_key(text: str) -> bool:
    """Return whether a text may be a key that `new_key` made."""
    return _KEY.fullmatch(text) is not None


def key_uri(key: str, site: str) -> str:
    """Return the URI that apps read from a QR code. site: the title under which the app lists it."""
    return pyotp.TOTP(key).provisioning_uri(name="owner", issuer_name=site.replace(":", " "))


def svg_code(uri: str) -> str:
    """Return a QR code as an SVG element."""
    import segno  # not at the top: loading takes 30 ms, and it is needed once

    return segno.make(uri, error="m").svg_inline(scale=4, light="#fff")


def text_code(uri: str) -> str:
    """Return a QR code as lines of text, for a terminal."""
    import segno  # the same

    lines = io.StringIO()
    segno.make(uri, error="l").terminal(lines, compact=True)
    return lines.getvalue()


def _step_of(key: str, code: str, now: datetime) -> int | None:
    """Return the time step near now for which a code is right; None if it is wrong."""
    if not re.fullmatch(r"[0-9]{6}", code):
        return None
    here, totp = int(now.timestamp()) // STEP, pyotp.TOTP(key)
    near = range(here - _SKEW, here + _SKEW + 1)
    return next((step for step in near if hmac.compare_digest(totp.generate_otp(step), code)), None)


def _recovery_code() -> str:
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)
