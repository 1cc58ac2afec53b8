"""Hosts of one fleet that may send without being confirmed by a person, because they were given a token.

`publisher hosts token` prints it, and each new machine gets it as PUBLISHER_JOIN. It is signed with the secret of the
project and is valid for its database only. So a copy of the machine, of the folder or of the database that lacks the
token, or that uses another database, sends nothing: a host with the token of another database does not send, whatever
the table of hosts says.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from publisher.config import Config
from publisher.core.errors import ProjectError
from publisher.core.host_id import JOIN_VARIABLE
from publisher.core.signing import hashing_key, keyed_hash
from publisher.mail.links import load_secret
from publisher.store.location import SQLITE

_PURPOSE = "join"
_PORT = 5432  # PostgreSQL's own, if the URL names none


def join_token(config: Config) -> str:
    """Return the token with which hosts join a project; raise ProjectError if its database is SQLite."""
    if config.database.url.startswith(SQLITE):
        raise ProjectError(
            "several hosts need a database on PostgreSQL",
            where="database.url",
            hint="`publisher database copy` moves everything there",
        )
    return keyed_hash(hashing_key(load_secret(config.state_dir, os.environ), _PURPOSE), _place(config))


def may_join(config: Config, environment: Mapping[str, str]) -> bool:
    """Return whether PUBLISHER_JOIN has the token of this project and database, alone or as the line that sets it."""
    token = environment.get(JOIN_VARIABLE, "").strip().removeprefix(f"{JOIN_VARIABLE}=")
    if not token or config.database.url.startswith(SQLITE):
        return False
    return hmac.compare_digest(token.encode("utf-8", "surrogateescape"), join_token(config).encode())


def _place(config: Config) -> str:
    """Return where the database is: its server, and its name there."""
    parts = urlsplit(config.database.url)
    return f"{(parts.hostname or '').lower()}:{parts.port or _PORT}/{parts.path.strip('/')}?{parts.query}"
