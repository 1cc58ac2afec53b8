"""The owner's password and second factor for the admin page, and the alerts that the owner has already received."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from publisher.core.models import require_aware
from publisher.store.database import Database
from publisher.store.tables import owner, recovery_codes, sessions, told

_ONLY = 1


class Owner:
    """The owner's password and second factor, and the alerts that were sent; part of Store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def password_hash(self) -> str:
        """Return the hash of the password, or "" if no password was set."""
        with self._database.read() as connection:
            return connection.execute(sa.select(owner.c.password_hash)).scalar() or ""

    def set_password(self, password_hash: str, at: datetime) -> None:
        """Store a new password hash, and end all sessions. The second factor stays as it is."""
        with self._database.write() as connection:
            changed = connection.execute(sa.update(owner).values(password_hash=password_hash, set_at=at))
            if not changed.rowcount:
                connection.execute(sa.insert(owner).values(id=_ONLY, password_hash=password_hash, set_at=at))
            connection.execute(sa.delete(sessions))

    def totp_secret(self) -> str:
        """Return the encrypted key of the second factor, or "" if it is off."""
        with self._database.read() as connection:
            return connection.execute(sa.select(owner.c.totp_secret)).scalar() or ""

    def turn_totp_on(self, secret: str, step: int, code_hashes: Collection[str]) -> bool:
        """Turn the second factor on; return False, and change nothing, if no password is set.

        secret       its encrypted key
        step         the time step of the code that was just used
        code_hashes  the hashes of the recovery codes
        """
        with self._database.write() as connection:
            changed = connection.execute(sa.update(owner).values(totp_secret=secret, totp_step=step))
            if changed.rowcount:
                connection.execute(sa.delete(recovery_codes))
                connection.execute(sa.insert(recovery_codes), [{"code_hash": each} for each in code_hashes])
            return changed.rowcount == 1

    def turn_totp_off(self) -> bool:
        """Turn the second factor off; return whether it was on."""
        with self._database.write() as connection:
            is_on = sa.update(owner).where(owner.c.totp_secret != "")
            connection.execute(sa.delete(recovery_codes))
            return connection.execute(is_on.values(totp_secret="", totp_step=0)).rowcount == 1

    def use_totp_step(self, step: int) -> bool:
        """Use up the codes of a time step and all earlier ones; return False if its code was used already."""
        unused = sa.update(owner).where(owner.c.totp_step < step)
        with self._database.write() as connection:
            return connection.execute(unused.values(totp_step=step)).rowcount == 1

    def use_recovery_code(self, code_hash: str) -> bool:
        """Use up a recovery code; return False if there is no such code, or it was used already."""
        with self._database.write() as connection:
            used = connection.execute(sa.delete(recovery_codes).where(recovery_codes.c.code_hash == code_hash))
            return used.rowcount == 1

    def recovery_codes_left(self) -> int:
        """Return the number of unused recovery codes."""
        with self._database.read() as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(recovery_codes)).scalar_one())

    def claim_alert(self, kind: str, what: str, now: datetime) -> bool:
        """Claim an alert; return True if it was not sent before, so that the caller should send it.

        kind: the kind of alert. what: the problem that the alert is about.
        """
        require_aware("now", now)
        digest = _digest(what)
        query = sa.select(told.c.at).where(told.c.kind == kind, told.c.digest == digest)
        with self._database.read() as connection:
            if connection.execute(query).first() is not None:
                return False
        with self._database.write() as connection:
            new = self._database.insert_new(told).values(kind=kind, digest=digest, at=now)
            return connection.execute(new).rowcount == 1

    def withdraw_alert(self, kind: str, what: str) -> None:
        """Undo the claim of an alert, because the email could not be sent."""
        with self._database.write() as connection:
            connection.execute(sa.delete(told).where(told.c.kind == kind, told.c.digest == _digest(what)))

    def keep_alerts(self, kind: str, still: Collection[str], moment: datetime) -> None:
        """Forget the alerts of a kind whose problem is solved, and those sent before a moment.

        If the problem returns or remains, the owner is alerted again. still: the problems that remain
        """
        require_aware("moment", moment)
        digests = {_digest(what) for what in still}
        with self._database.read() as connection:
            known = connection.execute(sa.select(told.c.digest, told.c.at).where(told.c.kind == kind)).all()
        gone = {each.digest for each in known} - digests
        if gone or any(each.at < moment for each in known):
            these = told.c.kind == kind, sa.or_(told.c.digest.in_(gone), told.c.at < moment)
            with self._database.write() as connection:
                connection.execute(sa.delete(told).where(*these))

    def expire_alerts(self, kind: str, moment: datetime) -> None:
        """Forget the alerts of a kind sent before a moment. If the problem remains, the owner is alerted again."""
        require_aware("moment", moment)
        old = told.c.kind == kind, told.c.at < moment
        with self._database.read() as connection:
            if connection.execute(sa.select(told.c.digest).where(*old).limit(1)).first() is None:
                return
        with self._database.write() as connection:
            connection.execute(sa.delete(told).where(*old))


def _digest(what: str) -> str:
    return hashlib.sha256(what.encode("utf-8", "surrogatepass")).hexdigest()
