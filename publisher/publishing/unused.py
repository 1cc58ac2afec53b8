"""Find what an owner wrote in vain: templates that are never used, tags that no post has, posts far in the future.

Lines about posts that are gone, and patterns that match nothing, are found too.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path, PurePath

from publisher.config import CONFIG_FILE, Config
from publisher.config.origins import KeyLines
from publisher.core.errors import PublisherError
from publisher.core.file_names import in_folder, is_file
from publisher.core.models import Problem, Severity, problem_at
from publisher.core.templates import SHIPPED_PREFIX, Templates, shipped_folder
from publisher.newsletters.letter.own_text import OWN_TEMPLATE
from publisher.posts.adopted_entries import ENTRIES_FILE
from publisher.posts.archive import Archive
from publisher.posts.chosen_paths import OF_OTHERS, PathPatterns, written_folders
from publisher.posts.scan import is_item
from publisher.posts.slugs import topic_slug

# Files that the shipped templates include if they are there.
_INCLUDED = ("email/own.css", "email/own-kept.css")
_TEMPLATE_ENDINGS = (".html", ".txt", ".css", ".xml")
_DISTANT = timedelta(days=366)
# How many times a path is compared with a pattern, at most, to tell which patterns match nothing.
_MOST_COMPARED = 200_000


def unused_templates(config: Config) -> Iterator[Problem]:
    """Yield the files under templates/ that nothing uses, and the templates that are not valid, whether used or not."""
    own = config.root / "templates"
    templates = Templates(own)
    files = sorted(path.relative_to(own).as_posix() for path in _files(own) if path.suffix in _TEMPLATE_ENDINGS)
    # Which shortcodes posts use, and what is wrong with them, is known when posts are rendered.
    names = [name for name in files if not name.startswith("shortcodes/")]
    if config.posts.tool:  # the tool may have templates there too
        ours = {path.name for path in shipped_folder().iterdir()}
        names = [name for name in names if name.partition("/")[0] in ours]
    if not names:
        return  # reading all shipped templates would find nothing
    shipped = {path.relative_to(shipped_folder()).as_posix() for path in shipped_folder().rglob("*.*")}
    of_emails = [name for each in config.newsletters for name in (each.template, f"{each.template}-{OWN_TEMPLATE}")]
    used = {f"email/{name}{ending}" for name in (*of_emails, OWN_TEMPLATE) for ending in (".html", ".txt")}
    used.update(shipped, _INCLUDED, (name for name in files if name.startswith("shortcodes/")))
    for name in sorted(used):  # a project's own template of that name may include others
        used.update(templates.family(name))
    for name in names:
        if name not in used:
            yield _never_used(name, sorted(used - set(_INCLUDED)))
        elif not name.endswith(".css"):
            try:
                templates.require_valid(name)
            except PublisherError as error:
                yield problem_at(error)


def _files(folder: Path) -> Iterator[Path]:
    for where, folders, names in os.walk(folder):
        folders[:] = [each for each in folders if not each.startswith(".")]
        yield from (Path(where, name) for name in names)


def _never_used(name: str, used: Sequence[str]) -> Problem:
    path = PurePath(name)
    like = (each for each in used if each.endswith(path.suffix) and not each.startswith(SHIPPED_PREFIX))
    by_stem = {PurePath(each).stem: each for each in like}
    near = difflib.get_close_matches(path.stem, by_stem, n=1, cutoff=0.8)
    hint = f"did you mean templates/{by_stem[near[0]]}?" if near else "see docs/templates.md for the names of templates"
    return Problem(f"templates/{name}", 0, "this template is never used", hint, Severity.WARNING)


def unknown_tags(config: Config, archive: Archive, lines: KeyLines) -> Iterator[Problem]:
    """Yield the tags and topics of newsletters that no post has, so that nothing is sent for them."""
    known = {tag.slug: tag.name for tag in archive.tags()}
    if not known and not archive.posts:
        return  # a new project, whose posts will have them
    for number, newsletter in enumerate(config.newsletters):
        for key in ("tags", "topics"):
            for tag in getattr(newsletter, key):
                if topic_slug(tag) not in known:
                    message = f"newsletter {newsletter.name}: no post has the {key.removesuffix('s')} {tag!r}"
                    where = lines.of(("newsletters", number, key))
                    yield Problem(CONFIG_FILE, where, message, _similar(tag, known), Severity.WARNING)


def _similar(tag: str, known: Mapping[str, str]) -> str:
    near = difflib.get_close_matches(topic_slug(tag), known, n=1)
    return f"did you mean {known[near[0]]!r}?" if near else "correct it, or write a post that has it"


def distant_posts(config: Config, archive: Archive, now: datetime) -> Iterator[Problem]:
    """Yield the posts that are dated more than a year ahead, which is more often a slip than a plan."""
    for source, published in archive.waiting:
        if published <= (now + _DISTANT).timestamp() or is_item(source):
            continue
        day = f"{datetime.fromtimestamp(published, config.zone):%Y-%m-%d}"
        message = f"is dated {day}, so it is not published before that day"
        hint = "correct the year of its date, or make it a draft with draft: true"
        yield Problem(in_folder(config.posts.folder, source), 0, message, hint, Severity.WARNING)


def lost_entries(config: Config, archive: Archive) -> Iterator[Problem]:
    """Yield the lines of old-feed.tsv whose posts are gone, so that feed readers may see them again under new names."""
    known = archive.all_ids()
    for line, entry in archive.settings.old.by_line.items():
        if entry.source in known or is_file(archive.folder / entry.source):
            continue  # a draft, or a file that is left out, may become a post again
        message = f"no post at {in_folder(config.posts.folder, entry.source)}"
        hint = "if it was renamed, write its new path here; if it was deleted, delete this line"
        yield Problem(ENTRIES_FILE, line, message, hint, Severity.WARNING)


def unmatched_patterns(config: Config, lines: KeyLines) -> Iterator[Problem]:
    """Yield the patterns of posts.exclude in publisher.toml that match no file or folder.

    Patterns of folders that are not searched or not made yet, such as node_modules and the output, may match nothing.
    """
    line = lines.written(("posts", "exclude"))
    others = OF_OTHERS | written_folders(config)
    left = {
        each: PathPatterns((each,))
        for each in (config.posts.exclude if line else ())
        if not any(part[:1] == "." or part in others for part in each.split("/"))
    }
    compared = 0
    for path, is_link in _paths(config.root / config.posts.folder) if left else ():
        # What is behind a link is not looked at, so that a pattern that may match there is left alone.
        matched = [each for each, known in left.items() if known.match(path) or (is_link and known.lead_into(path))]
        compared += len(left)
        for each in matched:
            del left[each]
        if not left or compared > _MOST_COMPARED:
            return
    for each in left:
        hint = "correct it, or remove it"
        yield Problem(CONFIG_FILE, line, f"posts.exclude: {each!r} matches nothing", hint, Severity.WARNING)


def _paths(root: Path) -> Iterator[tuple[str, bool]]:
    """Yield all paths below a folder, each with whether it is a link to a folder."""
    for where, folders, names in os.walk(root):
        folders[:] = [each for each in folders if each not in OF_OTHERS and each[0] != "."]
        above = "" if where == str(root) else f"{Path(where).relative_to(root).as_posix()}/"
        yield from ((f"{above}{name}", Path(where, name).is_symlink()) for name in folders)
        yield from ((f"{above}{name}", False) for name in names)
