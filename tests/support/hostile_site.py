"""A project with the hostile corpus: tests/data/hostile/posts, and posts that a repository should not contain.

Run as a program, it writes the posts to the given folder, so that other tools can be tried on them.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from publisher.config import load_config
from publisher.site.build import BuildReport, build
from tests.support import DATA

if TYPE_CHECKING:
    import pytest

CORPUS = DATA / "hostile" / "posts"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
URL = "https://hostile.example.org/blog"
TITLE = 'Use <head> & "quotes" ]]> 日本語 😀'
EPISODE = b"\xff\xfb\x90\x00" * 321

CONFIG = """\
[site]
title = 'Use <head> & "quotes" ]]> 日本語 😀'
description = "One \\u0007 & <two> ]]> three"
url = "{url}"
timezone = "Europe/Berlin"
authority = "hostile.example.org,2024"
author = {{ name = "O'Brien, \\"Bob\\" <b> & Sons", email = "bob@example.org", url = "https://example.org/bob/" }}

[feeds]
hub = "https://hub.example/"
{feeds}
"""
ALL_IN_ONE = "limit = 1000\nmax_bytes = 50_000_000"


# The images that posts show by relative paths. A missing one would be left out.
_PICTURES = ("a.png", "../b.png", "poster.png", "../one.webp", "c.png", "a,b.png", "x.png", "one,two.png", "y.png")


def make_site(folder: Path, *, url: str = URL, feeds: str = ALL_IN_ONE) -> Path:
    """Write the whole hostile project; return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "publisher.toml").write_text(CONFIG.format(url=url, feeds=feeds), encoding="utf-8")
    write_posts(folder / "posts")
    return folder


def build_site(folder: Path, now: datetime = NOW) -> BuildReport:
    """Build a project like `publisher build`."""
    return build(load_config(folder), now)


def shared_site(folders: pytest.TempPathFactory) -> Path:
    """Return the built site of the whole hostile project. It takes three seconds and is built once for all workers.

    Do not change it.
    """
    own = folders.getbasetemp()
    root = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "hostile"
    with root.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not root.exists():
            made = make_site(folders.mktemp("made"))
            build_site(made)
            made.rename(root)
    return root / "public"


def write_posts(folder: Path) -> None:
    """Write every hostile post: the files of the corpus, and the generated ones."""
    shutil.copytree(CORPUS, folder, dirs_exist_ok=True)
    for number, (name, text) in enumerate(_made().items(), 1):
        head = f"---\ntitle: {name.rpartition('.')[0]}\ndate: 2024-08-{number:02}\n---\n"
        (folder / name).write_text(head + text, encoding="utf-8")
    media = folder / "files"
    media.mkdir(exist_ok=True)
    for picture in ("my pictüre (1) 'odd'.png", "a.png", *(f"../{name}" for name in _PICTURES)):
        (media / picture).write_bytes(b"\x89PNG\r\n\x1a\n")
    (media / "episode.mp3").write_bytes(EPISODE)


def _made() -> dict[str, str]:
    """Yield posts that are too large, or have names that some file systems and tools cannot handle."""
    rows = "\n".join(f"| {number} | a & b | `|` |" for number in range(2000))
    return {
        "post-of-400-kb.md": "\n\n".join(f"Paragraph {n}. " + "Words & <words> " * 25 for n in range(1000)),
        "table-of-2000-rows.md": f"| a | b | c |\n|---|---|---|\n{rows}\n",
        "quotes-300-deep.md": ">" * 300 + " Deep.\n",
        "lists-100-deep.md": "\n".join(f"{'  ' * depth}- {depth}" for depth in range(100)),
        "elements-2000-deep.html": "<div>" * 2000 + "Deep." + "</div>" * 2000,
        "emphasis-never-closed.md": "*a **b " * 2000,
        "brackets-never-closed.md": "[" * 5000 + "a" + "](" * 1000,
        "name with spaces & ünïcode %20 'quotes' #1.md": "A paragraph.",
        "name-with-emoji-🎉.md": "A paragraph.",
        "日本語の名前.md": "A paragraph.",
        "UPPER-CASE.MD": "A paragraph.",
        f"{'long-name' * 26}.md": "A paragraph.",
    }


if __name__ == "__main__":
    write_posts(Path(sys.argv[1]))


WICKED = ["<", ">", "&", '"', "'", "]]>", "<![CDATA[", "&amp;", "&#1;", "<b>", "</b>", "<script>", "\r\n", "\ud800"]
