"""Real feed readers, run as people run them: newsboat, rss2email and sfeed, each with its own home folder."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path

from tests.support import NPM
from tests.support.needs import need, need_npm

HERE = NPM / "readers"


@dataclass(frozen=True)
class Shown:
    """One entry as a feed reader shows it; fields that this reader does not show are ""."""

    id: str
    url: str
    title: str
    author: str
    enclosure: str
    text: str


class Newsboat:
    """A feed reader for the terminal; it keeps entries for ever, by id."""

    needs = ("newsboat",)
    reads_edits = True

    def __init__(self, home: Path, url: str) -> None:
        self._home = home
        home.mkdir()
        (home / "urls").write_text(f"{url}\n")
        (home / "config").write_text("download-retries 1\ndownload-timeout 60\nhttp-auth-method basic\n")

    def poll(self) -> None:
        files = ["-u", self._home / "urls", "-c", self._home / "cache.db", "-C", self._home / "config"]
        _run(["newsboat", *map(str, files), "-x", "reload"], self._home)

    def entries(self) -> list[Shown]:
        with sqlite3.connect(self._home / "cache.db") as cache:
            rows = cache.execute("SELECT guid, url, title, author, enclosure_url, content FROM rss_item ORDER BY id")
            return [Shown(*(value or "" for value in row)) for row in rows]

    def unread(self) -> int:
        with sqlite3.connect(self._home / "cache.db") as cache:
            return int(cache.execute("SELECT count(*) FROM rss_item WHERE unread").fetchone()[0])

    def read_all(self) -> None:
        with sqlite3.connect(self._home / "cache.db") as cache:
            cache.execute("UPDATE rss_item SET unread = 0")


class Rss2email:
    """Sends each new entry as a message; read_all empties the mailbox."""

    needs = ("r2e",)
    reads_edits = False

    def __init__(self, home: Path, url: str) -> None:
        self._home, self._mail = home, home / "mail"
        self._mail.mkdir(parents=True)
        (home / "config").write_text(
            "[DEFAULT]\nfrom = r@example.org\nto = r@example.org\nemail-protocol = maildir\n"
            f"maildir-path = {self._mail}\nmaildir-mailbox = inbox\nname-format = {{author}}\n"
        )
        self._r2e("add", "site", url)

    def poll(self) -> None:
        self._r2e("run")

    def entries(self) -> list[Shown]:
        return [self._shown(path.read_bytes()) for path in sorted(self._mail.glob("*/new/*"))]

    def unread(self) -> int:
        return len(self.entries())

    def read_all(self) -> None:
        for path in self._mail.glob("*/new/*"):
            path.unlink()

    def _shown(self, data: bytes) -> Shown:
        message = message_from_bytes(data, policy=policy.default)
        text = message.get_body().get_content()
        enclosure = text.partition("\nEnclosure: ")[2].partition("\n")[0]
        sender = message["From"].addresses[0].display_name
        return Shown(message["X-RSS-ID"], message["X-RSS-URL"], message["Subject"], sender, enclosure, text)

    def _r2e(self, *command: str) -> None:
        files = ["-c", str(self._home / "config"), "-d", str(self._home / "data.json")]
        _run(["r2e", *files, *command], self._home)


class Sfeed:
    """Shell tools that merge what they download into a file of lines, by id."""

    needs = ("sfeed_update", "curl")

    def __init__(self, home: Path, url: str) -> None:
        self._home = home
        home.mkdir()
        (home / "sfeedrc").write_text(f"sfeedpath='{home}/feeds'\nfeeds() {{\n\tfeed 'site' '{url}'\n}}\n")

    def poll(self) -> None:
        _run(["sfeed_update", str(self._home / "sfeedrc")], self._home)

    def entries(self) -> list[Shown]:
        lines = (self._home / "feeds" / "site").read_text(encoding="utf-8").rstrip("\n").split("\n")
        return [self._shown(line.split("\t")) for line in lines]

    @staticmethod
    def _shown(fields: list[str]) -> Shown:
        _, title, link, content, _, name, author, enclosure, *_ = fields
        return Shown(name, link, title, author, enclosure, content.replace("\\n", "\n").replace("\\t", "\t"))


READERS: dict[str, Callable[[Path, str], Newsboat | Rss2email | Sfeed]] = {
    "newsboat": Newsboat,
    "rss2email": Rss2email,
    "sfeed": Sfeed,
}


def open_reader(name: str, home: Path, url: str) -> Newsboat | Rss2email | Sfeed:
    """Return a feed reader that follows one feed; skip the test if it is not installed."""
    kind = READERS[name]
    need(*kind.needs)  # type: ignore[attr-defined]
    return kind(home, url)


def parse_with(parser: str, url: str) -> list[dict[str, object]]:
    """Return the entries that a parser from npm finds; skip the test if the parser is not installed."""
    need("node")
    need_npm("readers", parser)
    found = _run(["node", str(HERE / "parse.mjs"), parser, url], HERE)
    entries: list[dict[str, object]] = json.loads(found)
    return entries


def _run(command: list[str], home: Path) -> str:
    environment = {**os.environ, "HOME": str(home), "LC_ALL": "C.UTF-8", "no_proxy": "127.0.0.1"}
    done = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{command[0]} ended with {done.returncode}: {done.stdout[-500:]}{done.stderr[-2000:]}"
    return done.stdout
