"""Turn the configuration into objects: the open project, its database and its build.

Email has its own module, `mail_wiring`, which a build does not load.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from publisher import __version__
from publisher.config import Config
from publisher.core.frozen import dataclass
from publisher.core.host_id import JOIN_VARIABLE, host_id, host_name
from publisher.core.models import Problem, Severity, problem_at
from publisher.site.build.manifest import Manifest, manifest_file
from publisher.site.web_versions import NO_WEB_VERSIONS, WebVersion, WebVersions
from publisher.store import open_store
from publisher.store.location import editions_key, store_exists

if TYPE_CHECKING:
    from publisher.core.errors import PublisherError
    from publisher.posts.archive import Archive
    from publisher.site.build import BuildReport, BuildStart
    from publisher.site.build.folder import Progress
    from publisher.store import Store

# Why a host with a database that was restored from a backup does not send.
OLDER = "the database is older than what this host has sent, as after restoring a backup"

# Why a host that has the token of another database does not send, as after cloning.
NOT_THE_TOKEN = f"{JOIN_VARIABLE} is not the token of this database and secret"

_OTHER_SECRET = "the secret of this host differs from that of "  # noqa: S105 - a sentence

# What to do about each reason why a host does not send, by the beginning of the reason.
_WAYS = {
    OLDER: "if it was copied from another database: run `publisher database copy` again; otherwise, if this host is to "
    "send: publisher database accept",
    NOT_THE_TOKEN: "print a new one with `publisher hosts token`, or remove it",
    _OTHER_SECRET: "give it the same secret; after a deliberate change, `publisher hosts forget` the others",
}

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Project:
    """An open project: its configuration, its database, and the clock to use."""

    config: Config
    store: Store
    clock: Clock


def open_project_store(config: Config) -> Store:
    """Open the project's database, creating and migrating it if needed; raise StoreError if that fails."""
    return open_store(config.database.url, config.root, lambda: _secret(config))


def open_existing_store(config: Config) -> AbstractContextManager[Store | None]:
    """Return a context manager that opens the project's database, or gives None if there is no database yet."""
    return open_project_store(config) if has_store(config) else nullcontext()


def open_rehearsal_store(config: Config, folder: Path) -> Store:
    """Open an empty database in a folder, to try something out in a project that has no database yet.

    It uses the project's secret if there is one, but creates none.
    """
    from publisher.mail.links import has_secret  # not at the top, as in _secret

    secret = partial(_secret, config) if has_secret(config.state_dir, os.environ) else lambda: "rehearsal"
    return open_store("sqlite:///rehearsal.db", folder, secret)


def has_store(config: Config) -> bool:
    """Return whether the project has a database, without creating one."""
    return store_exists(config.database.url, config.root)


def check_in_host(config: Config, store: Store, now: datetime) -> str:
    """Record this host; return why it may not send, or "" if it may. A project's first host counts as confirmed."""
    here = host_id(config.root, os.environ), host_name(config.root, os.environ)
    if _has_wrong_token(config):
        return NOT_THE_TOKEN
    key_id = store.suppressions.key_id()
    joins = _may_join(config) and store.hosts.with_another_key(here[0], key_id) is None
    host = store.hosts.check_in(*here, now, joins=joins, key_id=key_id)
    store.hosts.note_active(host.id, __version__, now)
    return why_unconfirmed(config, store)


def why_unconfirmed(config: Config, store: Store) -> str:
    """Return why this host may not send, or "" if it may or would be the project's first host. Writes nothing."""
    known, here = store.hosts.list(), host_id(config.root, os.environ)
    if why := _why_in_any_case(config, store):
        return why
    mine = next((host for host in known if host.id == here), None)
    if not known or (mine and mine.confirmed_at) or (not (mine and mine.forgotten_at) and _may_join(config)):
        return ""
    others = ", ".join(host.name for host in known if host.confirmed_at is not None) or "a different one"
    return f"this host, {host_name(config.root, os.environ)}, is not confirmed, and the project has run on {others}"


def way_to_send(waits: str) -> str:
    """Return advice on how to allow this host to send. waits: the result of check_in_host or why_unconfirmed."""
    ways = (way for why, way in _WAYS.items() if waits.startswith(why))
    return next(ways, "if this host is to send: publisher hosts confirm")


def why_secret_differs(store: Store, host: str, key_id: str) -> str:
    """Return why a host that uses this secret may not send, or ""."""
    other = store.hosts.with_another_key(host, key_id)
    return f"{_OTHER_SECRET}{other.name}" if other else ""


def _why_in_any_case(config: Config, store: Store) -> str:
    """Return why this host may not send even if it is confirmed, or "". Creates no secret."""
    from publisher.mail.links import has_secret  # not at the top, as in _secret

    if _has_wrong_token(config):
        return NOT_THE_TOKEN
    if older := _why_older(config, store):
        return older
    if not has_secret(config.state_dir, os.environ):
        return ""
    return why_secret_differs(store, host_id(config.root, os.environ), store.suppressions.key_id())


def _has_wrong_token(config: Config) -> bool:
    return bool(os.environ.get(JOIN_VARIABLE, "").strip()) and not _may_join(config)


def _may_join(config: Config) -> bool:
    if JOIN_VARIABLE not in os.environ:
        return False
    from publisher.publishing.joining import may_join  # a build does not load the email modules

    return may_join(config, os.environ)


def _why_older(config: Config, store: Store) -> str:
    from publisher.mail.claim_count import is_older_than_sent  # a build does not load the email modules

    return OLDER if is_older_than_sent(store, config.state_dir, host_id(config.root, os.environ)) else ""


def transport_name(config: Config) -> str:
    """Return the destination of messages in readable form: `smtp://mail.example.org:587` or `outbox/`."""
    if config.mail.transport == "smtp":
        return ", ".join(f"{'lmtp' if s.address.lmtp else 'smtp'}://{s.address}" for s in config.mail.servers)
    return f"{config.outbox}/"


def run_build(
    config: Config,
    now: datetime,
    *,
    out: Path | None = None,
    progress: Progress | None = None,
    accept_new_ids: bool = False,
    require: Callable[[Archive], None] | None = None,
    start: BuildStart | None = None,
) -> BuildReport:
    """Build the site, including the web versions of the editions that are public at `now`; see publisher.site.build."""
    from publisher.site.build import build  # not at the top: most commands build nothing

    editions = web_copies(config, now)
    return build(
        config,
        now,
        out=out,
        editions=editions,
        progress=progress,
        accept_new_ids=accept_new_ids,
        require=require,
        start=start,
    )


def add_web_versions(config: Config, now: datetime) -> None:
    """Write the web versions that the site lacks because a build failed, so that emails can link to them."""
    if editions := web_copies(config, now).load():
        from publisher.site.build.rebuild import put_web_versions  # not at the top: loads the renderer

        put_web_versions(config, editions)


def site_problems(config: Config) -> tuple[list[Problem], list[Problem]]:
    """Return why the last build of the output folder failed, if it did, and the errors of the last successful one."""
    manifest = Manifest.read(manifest_file(config, config.root / config.pages.output))
    errors = [problem for problem in manifest.problems if problem.severity is Severity.ERROR]
    return [manifest.failure] if manifest.failure else [], errors


def shown_with_errors(config: Config) -> tuple[int, int]:
    """Return how many posts the last build shows despite errors in their bodies, and in how many files these are."""
    facts = Manifest.read(manifest_file(config, config.root / config.pages.output)).facts
    return facts.get("flawed", 0), facts.get("flawed_files", 0)


def build_failure(config: Config) -> tuple[Problem, datetime] | None:
    """Return why builds of the output folder fail, and since when; None if the last one succeeded."""
    manifest = Manifest.read(manifest_file(config, config.root / config.pages.output))
    return (manifest.failure, manifest.failing_since) if manifest.failure and manifest.failing_since else None


def note_build_failure(config: Config, error: PublisherError, now: datetime) -> None:
    """Record why a build failed, if its process ended before it could do so itself."""
    Manifest.read(manifest_file(config, config.root / config.pages.output)).note_failure(problem_at(error), now)


def web_version_url(config: Config, newsletter: str, slot: str) -> str:
    """Return the URL of the web version of a newsletter's edition for a slot."""
    from publisher.core.newsletter_models import slot_path  # a build does not load these models

    return f"{config.editions_url}/editions/{newsletter}/{slot_path(slot)}/"


def web_copies(config: Config, now: datetime) -> WebVersions:
    """Return the web versions to publish at `now`, to which emails link. They are loaded only if they have changed."""
    url = config.database.url
    if not has_store(config):
        return replace(NO_WEB_VERSIONS, database=url)
    key = editions_key(url, config.root, now)
    if key is not None:
        return (
            WebVersions(key, lambda: _load_copies(config, now), url) if key else replace(NO_WEB_VERSIONS, database=url)
        )
    with open_project_store(config) as store:
        key = ",".join(str(edition.id) for edition in store.editions.public(now))
    return WebVersions(key, lambda: _load_copies(config, now)) if key else NO_WEB_VERSIONS


def _load_copies(config: Config, now: datetime) -> Sequence[WebVersion]:
    # Not at the top: it takes 15 ms to load, and a build that changes nothing does not need it.
    from publisher.newsletters.letter.web_version import web_version

    with open_project_store(config) as store:
        return [
            WebVersion(edition, web_version(letter.html))
            for edition in store.editions.public(now)
            if (letter := store.editions.letter(edition.id))
        ]


def _secret(config: Config) -> str:
    from publisher.mail.links import load_secret  # not at the top: most runs never need the secret

    return load_secret(config.state_dir, os.environ)
