"""Create new projects and new posts. Their files are never overwritten."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from publisher.config import CONFIG_FILE, Config
from publisher.core.errors import ProjectError
from publisher.core.templates import Templates
from publisher.posts.permalinks import tag_uri
from publisher.posts.published import authority_of
from publisher.posts.scan import scan
from publisher.posts.slugs import post_slug

# Characters that YAML rejects or a terminal obeys: control characters, lone surrogates, non-characters.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def create_project(folder: Path, now: datetime) -> tuple[list[Path], list[Path]]:
    """Write a new project into `folder`; return the files that were created, and the existing ones left alone.

    now  date of the first post, and the year in `site.authority`
    Raises ProjectError if the folder cannot be written.
    """
    zone = local_zone()
    now = now.astimezone(ZoneInfo(zone))
    context = {"moment": f"{now:%Y-%m-%d %H:%M}", "year": now.year, "zone": zone}
    templates = Templates(folder / "templates")
    files = {
        CONFIG_FILE: "project/publisher.toml",
        f"posts/{now:%Y-%m-%d}-hello-world.md": "project/hello-world.md",
        ".gitignore": "project/gitignore",
    }
    made, kept = [], []
    begun = bool(scan(folder / "posts", "posts")[0])
    for name, template in files.items():
        path = folder / name
        if name.startswith("posts/") and begun:
            continue  # a folder with posts needs no example
        if _write_new(path, templates.render(template, **context)):
            made.append(path)
        else:
            kept.append(path)
    return made, kept


def create_post(config: Config, title: str, tags: tuple[str, ...], now: datetime) -> Path:
    """Write a draft titled `title`, dated `now` in the site's time zone; return its path.

    Raises ProjectError if the title has no visible character, or if a file with that name already exists.
    """
    title = " ".join(_UNSEEN.sub(" ", title).split())
    if not title:
        raise ProjectError("a post needs a title", hint='publisher new "Hello, world"')
    local = now.astimezone(config.zone)
    slug = post_slug(title)
    path = config.root / config.posts.folder / f"{local:%Y-%m-%d}-{slug}.md"
    post_id = tag_uri(authority_of(config), local.date(), "", slug)
    lines = [
        "---",
        f"title: {_yaml(title)}",
        f"date: {local:%Y-%m-%d %H:%M}",
        f"id: {_yaml(post_id)}",
    ]
    if tags:
        lines.append(f"tags: [{', '.join(_yaml(_UNSEEN.sub(' ', tag).strip()) for tag in tags)}]")
    lines += ["draft: true", "---", "", ""]
    if not _write_new(path, "\n".join(lines)):
        raise ProjectError("already exists", where=str(path), hint="choose a different title")
    return path


def local_zone() -> str:
    """Return the IANA name of this machine's time zone, or UTC if it is not known."""
    try:
        target = str(Path("/etc/localtime").resolve())
        name = target.partition("zoneinfo/")[2]
        if name:
            ZoneInfo(name)
            return "UTC" if name in ("Etc/UTC", "Etc/UCT") else name
    except (OSError, ValueError, KeyError):
        pass
    return "UTC"


def _yaml(text: str) -> str:
    """Quote a string for YAML as a JSON string, which is also valid YAML."""
    return json.dumps(text, ensure_ascii=False)


def _write_new(path: Path, text: str) -> bool:
    """Write a file unless it exists; return whether it was written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            try:
                file.write(text)
                file.flush()
            except BaseException:
                path.unlink()  # the next run would take half a file for the author's own
                raise
    except FileExistsError:
        if path.is_file():
            return False
        raise ProjectError("is in the way", where=str(path), hint="move it, or choose a different folder") from None
    except OSError as error:
        raise ProjectError(f"cannot be written: {error.strerror}", where=str(path)) from error
    return True
