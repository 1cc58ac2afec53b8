"""docs/sources.md step by step, up to an email in an outbox; and a process that fetches a blog automatically."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

from tests.support.blog_samples import write_blog
from tests.support.documents import blocks, commands, fits
from tests.support.forked_program import with_command
from tests.support.project import ROOT, Project, parse
from tests.support.run_server import running
from tests.support.static_server import serve

PAGE = ROOT / "docs/sources.md"
BLOG = "https://blog.example.org"


def test_the_page_about_feeds_ends_with_an_email_of_a_blog(tmp_path: Path) -> None:
    environment = with_command(tmp_path / "bin")
    (tmp_path / "blog").mkdir()
    folder, ran = tmp_path, 0
    with serve(tmp_path / "blog") as site:
        write_blog(tmp_path / "blog", site.url, datetime.now(UTC))
        for block in blocks(PAGE, "console"):
            for command, shown in commands(block):
                if command.startswith("cd "):
                    folder = folder / command.removeprefix("cd ")
                    continue
                here = command.replace(
                    BLOG, f"{site.url} --allow-private"
                )  # where a reader of the page would have a real blog
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


def test_a_process_fetches_a_blog_and_sends_what_is_new(project: Project, tmp_path: Path) -> None:
    (tmp_path / "blog").mkdir()
    project.subscribe("ada")
    with serve(tmp_path / "blog") as site:
        write_blog(tmp_path / "blog", site.url, datetime(2026, 11, 16, tzinfo=UTC))
        source = f'\n[[sources]]\nname = "blog"\nurl = "{site.url}/feed.xml"\nallow_private = true\n'
        newsletter = '\n[[newsletters]]\nname = "weekly"\nschedule = "weekly monday 08:00"\nsources = ["blog"]\n'
        with running(project, source, newsletters=newsletter) as run:
            run.wait("source fetched")
            run.wait("edition delivered")
    assert len(site.statuses("/feed.xml")) == 1
    ((mail,),) = project.mail().values()
    assert mail["Subject"] == "The boats are back and 2 more"
    assert run.logged("source fetched")[0]["new"] == 3
