"""Measures how many forms a server accepts in a second; being for one address, they must cause only one email.

    python -m benchmarks.subscribing [--posts 10000] [--at-once 64]

Runs its own server, with database and outbox in a temporary folder, and with limits that let everything through, so
that only the database's own rule applies. The client runs on the same machine and takes half of the time.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

from benchmarks.free_ports import free_port

CONFIG = """\
[site]
title = "Subscribing"
url = "http://127.0.0.1:{port}"

[web]
public_url = "http://127.0.0.1:{port}"
listen = "127.0.0.1:{port}"
client_limit = 1000000
address_limit = 1000000

[[newsletters]]
name = "weekly"
"""


async def post_all(url: str, posts: int, at_once: int) -> dict[int, int]:
    """Send the same form this many times; return the number of answers by status."""
    answers: dict[int, int] = {}
    left = iter(range(posts))

    form = httpx.get(f"{url}/subscribe").text
    await asyncio.sleep(3)  # a form that is submitted too quickly is not accepted
    fields = {"email": "ada@example.org", "token": re.findall(r'name="token" value="([^"]+)"', form)[0]}

    async def one(client: httpx.AsyncClient) -> None:
        for _ in left:
            answer = await client.post(f"{url}/subscribe", data=fields)
            answers[answer.status_code] = answers.get(answer.status_code, 0) + 1

    async with httpx.AsyncClient(timeout=120) as client:
        await asyncio.gather(*(one(client) for _ in range(at_once)))
    return answers


def measure(root: Path, posts: int, at_once: int) -> None:
    """Run a server, send the forms, and print the outcome."""
    port = free_port()
    (root / "publisher.toml").write_text(CONFIG.format(port=port))
    program = [sys.executable, "-m", "publisher", "-C", str(root), "serve"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        server.stdout.readline()
        began = time.perf_counter()
        answers = asyncio.run(post_all(f"http://127.0.0.1:{port}", posts, at_once))
        took = time.perf_counter() - began
        server.terminate()
        server.wait(120)
    with sqlite3.connect(root / ".publisher/publisher.db") as connection:
        (people,) = connection.execute("select count(*) from subscribers").fetchone()
    mails = len(list((root / ".publisher/outbox/new").glob("*.eml")))
    print(f"{posts:,} forms in {took:.1f} s, {posts / took:,.0f} a second; answers {answers}")
    print(f"subscribers: {people}; mails: {mails}")
    if (people, mails) != (1, 1):
        raise SystemExit(1)


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--posts", type=int, default=10_000)
    parser.add_argument("--at-once", type=int, default=64)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), options.posts, options.at_once)


if __name__ == "__main__":
    main()
