"""docs/sources.md as it stands: its commands are run against a blog on this machine, up to an email in an outbox."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from tests.support.blog_samples import write_blog
from tests.support.documents import blocks, commands, fits
from tests.support.project import ROOT, parse
from tests.support.static_server import serve

PAGE = ROOT / "docs/sources.md"
BLOG = "https://blog.example.org"


def test_the_page_about_feeds_ends_with_an_email_of_a_blog(tmp_path: Path) -> None:
    program = tmp_path / "bin/publisher"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m publisher "$@"\n')
    program.chmod(0o755)
    environment = os.environ | {
        "PATH": os.pathsep.join([str(program.parent), os.environ["PATH"]]),
        "PYTHONPATH": str(ROOT),
    }
    (tmp_path / "blog").mkdir()
    folder, ran = tmp_path, 0
    with serve(tmp_path / "blog") as site:
        write_blog(tmp_path / "blog", site.url, datetime.now(UTC))
        for block in blocks(PAGE, "console"):
            for command, shown in commands(block):
                if command.startswith("cd "):
                    folder = folder / command.removeprefix("cd ")
                    continue
                here = command.replace(BLOG, f"{site.url} --allow-private")  # where the page's reader has a real blog
                done = subprocess.run(
                    here, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=False
                )
                said = (done.stdout + done.stderr).replace(site.url, BLOG)
                assert done.returncode == 0, (command, said)
                assert fits(shown, said), (command, shown, said)
                ran += 1
        asked = [each for each in site.asked if each.path == "/feed.xml"]
    assert ran >= 6
    (mail,) = (parse(path.read_bytes()) for path in (folder / ".publisher/outbox/new").iterdir())
    text = mail.get_body(("plain",)).get_content()
    assert mail["Subject"] == "The boats are back and 2 more"
    assert all(title in text for title in ("The boats are back", "A crane for sale", "High water on Sunday"))
    assert f"{site.url}/the-boats-are-back/" in text
    assert len(asked) <= 4
