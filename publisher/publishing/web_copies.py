"""The web versions of test emails. Links in a test email lead here, because its edition has no public web version.

The newest ones are stored in .publisher/copies/. They are for people who have the link, which is signed and only in the
test.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from publisher.config import Config
from publisher.core import patterns
from publisher.core.atomic_write import remove_left, replacing
from publisher.core.errors import ProjectError
from publisher.core.newsletter_models import Letter
from publisher.core.private_folder import make_inside
from publisher.mail.links import Links

_KEPT = 20
_NAME = patterns.compile(r"[0-9a-f]{16}")


def with_web_copy(config: Config, links: Links, letter: Letter, web_url: str) -> Letter:
    """Store the web version of a test email; return the letter with links to it instead of to `web_url`.

    A letter without a link to it is returned as it is. Raises ProjectError if it cannot be stored.
    """
    if web_url not in letter.html and web_url not in letter.text:
        return letter
    # Not at the top: it loads lxml, which a run without a test does not need.
    from publisher.newsletters.letter.web_version import web_version

    name, folder = secrets.token_hex(8), _folder(config)
    try:
        make_inside(folder)
        with replacing(folder / f"{name}.html") as part:
            part.write_text(web_version(letter.html), encoding="utf-8", errors="replace")
        _forget_old(folder)
    except OSError as error:
        raise ProjectError(f"cannot be written: {error.strerror}", where=str(folder)) from error
    url = links.copy(name)
    return replace(letter, html=letter.html.replace(web_url, url), text=letter.text.replace(web_url, url))


def web_copy(config: Config, name: str) -> str | None:
    """Return the web version of a test email by the name in its link; None if it is not kept, or not on this host."""
    if not _NAME.fullmatch(name):
        return None
    try:
        return (_folder(config) / f"{name}.html").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _folder(config: Config) -> Path:
    return config.state_dir / "copies"


def _forget_old(folder: Path) -> None:
    remove_left(folder)
    newest = sorted(folder.glob("*.html"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    for path in newest[_KEPT:]:
        with suppress(FileNotFoundError):  # another test has just removed it
            path.unlink()
