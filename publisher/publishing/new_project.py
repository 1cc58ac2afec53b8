"""New projects and new posts: files that are made once and then belong to the writer."""

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

# What YAML refuses or a terminal obeys: controls, halves of surrogate pairs, no characters at all.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def make_project(folder: Path, now: datetime) -> tuple[list[Path], list[Path]]:
    """Write a new project into `folder`; return the files that were made, and those that were there and stay.

    now dates the first post and names the year in the frozen authority of its ids.
    Raises ProjectError when the folder cannot be written.
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
            continue  # a folder of posts needs no example
        if _write_new(path, templates.render(template, **context)):
            made.append(path)
        else:
            kept.append(path)
    return made, kept


def make_post(config: Config, title: str, tags: tuple[str, ...], now: datetime) -> Path:
    """Write a draft called `title`, dated `now` in the site's zone; return its path.

    Raises ProjectError for a title without a visible character, and when there is a file of that name already.
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
        raise ProjectError("is there already", where=str(path), hint="choose another title")
    return path


def local_zone() -> str:
    """Return the IANA name of this machine's time zone, UTC where it cannot be told."""
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
    """A JSON string is a YAML string; quotes keep colons, hashes and leading signs harmless."""
    return json.dumps(text, ensure_ascii=False)


def _write_new(path: Path, text: str) -> bool:
    """Write a file that must not be there yet; return whether it was written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            try:
                file.write(text)
                file.flush()
            except BaseException:
                path.unlink()  # half a file would be kept by the next run as the writer's own
                raise
    except FileExistsError:
        if path.is_file():
            return False
        raise ProjectError("is in the way", where=str(path), hint="move it, or choose another folder") from None
    except OSError as error:
        raise ProjectError(f"cannot be written: {error.strerror}", where=str(path)) from error
    return True
