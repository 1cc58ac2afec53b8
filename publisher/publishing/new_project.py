"""Create new projects and new posts. Existing files keep their content."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from publisher.config import CONFIG_FILE, Config, NewsletterConfig
from publisher.core import atomic_write
from publisher.core.errors import ProjectError
from publisher.core.frozen import dataclass
from publisher.core.private_folder import COPY_IT
from publisher.core.templates import Templates
from publisher.posts.chosen_paths import place_for
from publisher.posts.permalinks import tag_uri
from publisher.posts.published import authority_of
from publisher.posts.scan import scan
from publisher.posts.slugs import post_slug
from publisher.publishing.own_emails import FOLDER, require_name
from publisher.publishing.site_generators import JEKYLL_FILES, is_jekyll, with_exclusions

# Characters that YAML rejects or a terminal obeys: control characters, lone surrogates, non-characters.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class CreatedProject:
    """The files that `create_project` wrote, those that it added lines to, and those that it left alone.

    advice  what the owner has to do by hand, as lines; () if nothing is left to do
    """

    made: tuple[Path, ...]
    changed: tuple[Path, ...]
    kept: tuple[Path, ...]
    advice: tuple[str, ...] = ()


def create_project(folder: Path, now: datetime, feed: Mapping[str, str | bool] | None = None) -> CreatedProject:
    """Write a new project into `folder`. Existing files are kept, but git's and Jekyll's ignore lists get more lines.

    In a folder with a Jekyll blog, the project reads the blog's posts, and Jekyll publishes nothing of the project.

    now   date of the first post, the year in `site.authority`, and the day from which a blog's posts are sent
    feed  the result of adopt_feed.project_values for the feed whose items become the posts; None for other projects
    Raises ProjectError if the folder cannot be written.
    """
    zone = local_zone()
    now = now.astimezone(ZoneInfo(zone))
    beside_jekyll = is_jekyll(folder) and not (folder / CONFIG_FILE).exists()
    begun = is_jekyll(folder) or bool(scan(folder / "posts", "posts")[0])
    context: dict[str, object] = {"moment": f"{now:%Y-%m-%d %H:%M}", "year": now.year, "zone": zone}
    since = f"{now:%Y-%m-%d}" if begun else ""  # readers of a blog know its old posts
    context |= {"jekyll": beside_jekyll, "since": since, "today": f"{now:%Y-%m-%d}", **(feed or {})}
    templates = Templates(folder / "templates")
    files = {CONFIG_FILE: "project/from-feed.toml" if feed else "project/publisher.toml"}
    if not (begun or feed):  # a folder with posts needs no example
        files[f"posts/{now:%Y-%m-%d}-hello-world.md"] = "project/hello-world.md"
    files[".gitignore"] = "project/gitignore"
    refuse_links_out(folder, [*files, *(JEKYLL_FILES if beside_jekyll else ())])
    made, kept = [], []
    for name, template in files.items():
        path = folder / name
        if write_new(path, templates.render(template, **context)):
            made.append(path)
        else:
            kept.append(path)
    changed = []
    if folder / CONFIG_FILE in made:
        ignored = templates.render(files[".gitignore"], **context)
        changed = [path for path in kept if path.name == ".gitignore" and ignore_more(path, ignored)]
    advice: list[str] = []
    if beside_jekyll:
        made, changed, advice = leave_out_of_jekyll(folder, made, changed)
    kept = [path for path in kept if path not in changed]
    return CreatedProject(tuple(made), tuple(changed), tuple(kept), tuple(advice))


def refuse_links_out(folder: Path, names: Iterable[str]) -> None:
    """Raise ProjectError if one of these files, or a folder above it, is a link to something outside a project."""
    root = folder.resolve()
    for name in names:
        try:
            is_inside = (folder / name).resolve().is_relative_to(root)
        except (OSError, RuntimeError) as error:  # a link that leads back to itself
            raise ProjectError("is a link that leads back to itself", where=str(folder / name)) from error
        if not is_inside:
            message = "is a link to something outside the project, so nothing is written there"
            raise ProjectError(message, where=str(folder / name), hint=COPY_IT)


def create_post(config: Config, title: str, tags: tuple[str, ...], now: datetime) -> Path:
    """Write a draft titled `title`, dated `now` in the time zone of posts; return its path.

    Raises ProjectError if the title has no visible character, or if a file with that name already exists.
    """
    title = " ".join(_UNSEEN.sub(" ", title).split())
    if not title:
        raise ProjectError("a post needs a title", hint='publisher new "Hello, world"')
    local = now.astimezone(config.posts_zone)
    slug = post_slug(title)
    path = config.root / config.posts.folder / place_for(config, f"{local:%Y-%m-%d}-{slug}.md")
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
    if not write_new(path, "\n".join(lines)):
        raise ProjectError("already exists", where=str(path), hint="choose a different title")
    return path


def create_email(config: Config, newsletter: NewsletterConfig, name: str, subject: str = "", to: str = "") -> Path:
    """Write a draft of an email without posts; return its path. to: the segment that it is for, or "" for everyone.

    Raises PublisherError if an email cannot have this name, or if a file with that name already exists.
    """
    path = config.root / FOLDER / newsletter.name / f"{name}.md"
    require_name(name, "")
    subject = " ".join(_UNSEEN.sub(" ", subject).split()) or name.replace("-", " ").capitalize()
    lines = ["---", "send: draft", f"subject: {_yaml(subject)}"]
    if to.strip():
        lines.append(f"to: {_yaml(' '.join(_UNSEEN.sub(' ', to).split()))}")
    if not write_new(path, "\n".join([*lines, "---", "", ""])):
        raise ProjectError("already exists", where=str(path), hint="choose a different name")
    return path


def local_zone() -> str:
    """Return the IANA name of this machine's time zone, or UTC if it is unknown."""
    try:
        target = str(Path("/etc/localtime").resolve())
        name = target.partition("zoneinfo/")[2]
        if name:
            ZoneInfo(name)
            return "UTC" if name in ("Etc/UTC", "Etc/UCT") else name
    except (OSError, ValueError, KeyError):
        pass
    return "UTC"


def leave_out_of_jekyll(
    folder: Path, made: list[Path], changed: list[Path]
) -> tuple[list[Path], list[Path], list[str]]:
    """Add the project's files to `exclude` in Jekyll's settings; return the files made and changed, and advice."""
    names = [CONFIG_FILE, *(f"{name}/" for name in ("letters", "templates") if not (folder / name).exists())]
    path = next((folder / name for name in JEKYLL_FILES if (folder / name).is_file()), folder / JEKYLL_FILES[0])
    by_hand = [f"add these to `exclude` in {path.name}, so that Jekyll does not publish them: {', '.join(names)}"]
    if not path.exists():
        write_new(path, with_exclusions("", names) or "")
        return [*made, path], changed, []
    try:
        text = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return made, changed, by_hand
    more = None if path.suffix == ".toml" else with_exclusions(text, names)
    if more is None:
        return made, changed, by_hand
    if more != text:
        _rewrite(path, more)
        changed = [*changed, path]
    return made, changed, []


def ignore_more(path: Path, wanted: str) -> bool:
    """Add the lines that are missing from an existing .gitignore; return whether there were any."""
    try:
        text = path.read_bytes().decode("utf-8", "surrogateescape")
    except OSError:
        return False
    there = {line.strip().strip("/") for line in text.splitlines()}
    missing = [line for line in wanted.split() if line.strip("/") not in there]
    if missing:
        line = "\r\n" if "\r\n" in text else "\n"
        begin = "" if not text or text.endswith("\n") else line
        _rewrite(path, text + begin + "".join(f"{each}{line}" for each in missing))
    return bool(missing)


def _rewrite(path: Path, text: str) -> None:
    """Replace the text of an existing file, which keeps its permissions."""
    try:
        with atomic_write.replacing(path.resolve()) as part:
            part.write_bytes(text.encode("utf-8", "surrogateescape"))
            part.chmod(path.stat().st_mode & 0o777)
    except OSError as error:
        raise ProjectError(f"cannot be written: {error.strerror}", where=str(path)) from error


def _yaml(text: str) -> str:
    """Quote a string for YAML as a JSON string, which is also valid YAML."""
    return json.dumps(text, ensure_ascii=False)


def write_new(path: Path, text: str) -> bool:
    """Write a file unless it exists; return whether it was written."""
    try:
        # As a whole: the next run would mistake half a file for the author's own.
        is_written = atomic_write.write_new(path, text.encode("utf-8"))
    except FileExistsError:
        is_written = False
    except OSError as error:
        raise ProjectError(f"cannot be written: {error.strerror}", where=str(path)) from error
    if not (is_written or path.is_file()):
        raise ProjectError("is in the way", where=str(path), hint="move it, or choose a different folder")
    return is_written
