"""Find private files in a project: those that the configuration names, and lists, emails and keys left in it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from publisher.config import CONFIG_FILE, Config
from publisher.config.private_paths import private_paths

# A project has thousands of posts, but one with a million files must not take minutes.
_MOST_FILES = 50_000
_HEAD_BYTES = 16_384

_NOT_ENTERED = {
    ".git",
    ".hg",
    ".svn",
    ".venv",
    "venv",
    "node_modules",
    "__pycache__",
    "_site",
    ".tox",
    ".cache",
    "tests",
}

# It matches only from the beginning of a word, so that no long word is searched again from each of its characters.
_CHAR, _LABEL = rb"[^\s@,;:\"'<>()\[\]]", rb"[^\s@,;:\"'<>()\[\].]"
_ADDRESS = rb"(?<!" + _CHAR + rb")" + _CHAR + rb"++@" + _LABEL + rb"++(?:\.++" + _LABEL + rb"++)++"
_SOME_ADDRESS = re.compile(_ADDRESS)
_BARE_ADDRESS = re.compile(rb"^[ \t\"']*" + _ADDRESS + rb"[ \t\"',;]*\r?$", re.MULTILINE)
_COLUMN = re.compile(rb"e[-_ ]?mail|address", re.IGNORECASE)
_VALUE = re.compile(rb"\"(?=[\w -]*e-?mail)[\w -]*+\"\s*+:\s*+\"(" + _ADDRESS + rb")", re.IGNORECASE)
_ARCHIVE = re.compile(
    r"(?=.*?(?:subscriber|member|contact|audience|newsletter|mailchimp|substack)).*\.(?:zip|gz|xlsx?|ods)$", re.I
)


def private_files(config: Config) -> dict[Path, str]:
    """Return the private files and folders of a project that exist, each with a description.

    The files in a private folder are not listed separately. publisher.toml is listed only if it contains a password.
    """
    named = [path for path in private_paths(config) if path.exists()]
    found = {
        path: _named(config, path)
        for path in named
        if not any(other in path.parents for other in named) and (path.name != CONFIG_FILE or _has_password(path))
    }
    for path in _candidates(config, set(found)):
        if what := _kind(path):
            found[path] = what
    return found


def _named(config: Config, path: Path) -> str:
    if path == config.state_dir:
        return "the folder of subscribers and secrets"
    if path.is_dir():
        return "the outbox"
    if path.name == CONFIG_FILE or path.name.startswith(".env"):
        return "a file with passwords"
    keys = [config.root / each.key for each in config.mail.dkim]
    passwords = [config.root / each.password_file for each in config.mail.servers if each.password_file]
    return "a key" if path in keys else "a file with a password" if path in passwords else "the database"


def _has_password(path: Path) -> bool:
    try:
        text = path.read_text("utf-8-sig", errors="replace")
    except OSError:
        return False
    return (
        re.search(r"^[ \t]*(?:password|secret|signing_key)\s*=\s*[\"'](?=[^\"'])|://[^/\s:@]+:[^/\s@]+@", text, re.M)
        is not None
    )


def _candidates(config: Config, known: set[Path]) -> Iterator[Path]:
    """Yield the files of the project whose names suggest that they are private, among the first 50,000 files."""
    seen = 0
    output = config.root / config.pages.output
    for folder, folders, names in os.walk(config.root):
        here = Path(folder)
        folders[:] = sorted(
            name for name in folders if name not in _NOT_ENTERED and here / name not in known and here / name != output
        )
        seen += len(names)
        if seen > _MOST_FILES:
            return
        yield from (here / name for name in sorted(names) if here / name not in known and _may_be_private(name))


def _may_be_private(name: str) -> bool:
    if "sample" in name.lower() or "example" in name.lower():
        return False
    ending = name.lower().rpartition(".")[2]
    return ending in _KINDS or name.startswith(".env") or _ARCHIVE.match(name) is not None


def _kind(path: Path) -> str:
    """Return a description of a private file, judging by its name and its beginning; "" if it is not private."""
    if path.is_symlink() or not path.is_file():
        return ""
    if path.name.startswith(".env"):
        return "a file with passwords"
    if _ARCHIVE.match(path.name):
        return "probably a list of subscribers"
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError:
        return ""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head.decode("utf-16", "replace").encode()
    what, is_it = _KINDS[path.name.lower().rpartition(".")[2]]
    return what if is_it(head) else ""


def _is_table(head: bytes) -> bool:
    head = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    lines = sum(_SOME_ADDRESS.search(line) is not None for line in head.split(b"\n"))
    return len(_BARE_ADDRESS.findall(head)) > 2 or (lines > 0 and (_names_addresses(head) or lines > 2))


def _is_list(head: bytes) -> bool:
    return len(_BARE_ADDRESS.findall(head)) > 2 or (_names_addresses(head) and b"," in head and _is_table(head))


def _names_addresses(head: bytes) -> bool:
    """Return whether the first line seems to name a column of addresses."""
    return _COLUMN.search(head.partition(b"\n")[0]) is not None


def _is_json(head: bytes) -> bool:
    is_ours = b'"consent"' in head or b'"subscriptions"' in head
    return len(set(_VALUE.findall(head))) > (0 if is_ours else 1)


def _is_message(head: bytes) -> bool:
    return re.search(rb"^(?:To|Delivered-To|Return-Path):", head, re.MULTILINE | re.IGNORECASE) is not None


def _is_key(head: bytes) -> bool:
    return b"PRIVATE KEY-----" in head


def _is_database(head: bytes) -> bool:
    return head.startswith(b"SQLite format 3") and b"subscribers" in head


def _is_log(head: bytes) -> bool:
    return head.startswith(b"publisher ") or _SOME_ADDRESS.search(head) is not None


_LIST, _MAIL, _COPY = "a list of subscribers", "email", "a copy of the database"
_KINDS = {
    **dict.fromkeys(("csv", "tsv"), (_LIST, _is_table)),
    "txt": (_LIST, _is_list),
    **dict.fromkeys(("json", "jsonl", "ndjson"), (_LIST, _is_json)),
    **dict.fromkeys(("eml", "mbox", "mbx"), (_MAIL, _is_message)),
    **dict.fromkeys(("pem", "key"), ("a private key", _is_key)),
    **dict.fromkeys(("db", "sqlite", "sqlite3", "bak"), (_COPY, _is_database)),
    "tar": ("a backup", lambda head: head.startswith(b"backup.json\0")),
    "log": ("a log", _is_log),
    "sql": (_COPY, lambda head: b"subscribers" in head),
}
