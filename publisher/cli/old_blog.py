"""The report of `publisher adopt` on a blog's old feed, and on the addresses of its old site."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from publisher.cli.app import App, plural, protected_config
from publisher.core.file_names import in_folder

if TYPE_CHECKING:
    from publisher.config import Config
    from publisher.posts.archive import Archive
    from publisher.publishing.adopt.adopted_blog import AdoptedBlog
    from publisher.publishing.adopt.old_addresses import AddressDifferences, PostElsewhere
    from publisher.publishing.adopt.old_feed import OldFeedMatch
    from publisher.publishing.adopt_feed import AdoptedFeed

# How many addresses are listed without -v.
_MOST = 20

_FEED_ENDINGS = (".xml", ".rss", ".atom", ".json")


class OldBlog(NamedTuple):
    """The old feed and site that a command line names, or None. read: the feed, if it has already been read."""

    feed: str | None
    site: str | None
    allow_private: bool = False
    read: AdoptedFeed | None = None


@dataclass
class Looked:
    """The findings. values: for --json. lines, doubts: for people."""

    values: dict[str, object] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def with_feed_read(old: OldBlog, blog: AdoptedBlog) -> tuple[OldBlog, AdoptedBlog]:
    """Return both with the old feed read, if there is one. Raises PublisherError if the feed cannot be read."""
    if not old.feed:
        return old, blog
    from publisher.publishing.adopt.old_feed import read_old_feed, with_old_feed  # not at the top: as above

    site_url = str(blog.value("site.url") or "https://example.org")
    feed = read_old_feed(old.feed, site_url, allow_private=old.allow_private)
    return old._replace(read=feed), with_old_feed(blog, feed)


def look_at_old(app: App, folder: Path, old: OldBlog, *, dry_run: bool = False) -> Looked:
    """Adopt the old feed, and compare the addresses with those of the old site, for the project in a folder.

    dry_run  whether old-feed.tsv is left unchanged
    Raises PublisherError if a feed or site cannot be read, or the folder is not a project.
    """
    from publisher.posts.archive import open_archive  # not at the top: `--help` must load quickly

    config = protected_config(folder)
    found = Looked()
    now = app.now(config)
    if old.feed:
        _take_feed(config, open_archive(config, now, keep=False), old, found, dry_run=dry_run)
    if old.site:
        _compare(app, config, open_archive(config, now, keep=False), old, found)
    return found


def _take_feed(config: Config, archive: Archive, old: OldBlog, found: Looked, *, dry_run: bool) -> None:
    # Not at the top: it loads the HTTP client.
    from publisher.publishing.adopt.old_feed import (
        feed_keys,
        match_old_feed,
        pass_over_again,
        read_old_feed,
        write_entries,
    )

    feed = old.read or read_old_feed(old.feed or "", config.site_url, allow_private=old.allow_private)
    match = match_old_feed(config, archive, feed.document)
    if not dry_run:
        pass_over_again(config, match)
    is_new = bool(match.entries) if dry_run else write_entries(config.root, match.entries)
    keys = feed_keys(config, feed)
    total = len(feed.document.items)
    found.lines.append(f"\nold feed  {feed.url}: {plural(total, 'item')}, {_matched(match, total)}")
    if is_new:
        found.lines += _made(match, dry_run=dry_run)
    if keys:
        lines = "; ".join(f"{key} = {json.dumps(values, ensure_ascii=False)}" for key, values in keys.items())
        found.doubts.append(f"publisher.toml: readers of the old feed don't find the new one (under [feeds]: {lines})")
    if match.again and total < config.feeds.limit:
        found.doubts.append(
            f"{plural(match.again, 'older post')} would be new to readers, because the old feed has only the newest "
            f"{total} (under [feeds]: limit = {total})"
        )
    found.doubts += match.conflicts
    found.doubts += [f"no post was found for {item.title or 'an item'!r} ({item.link})" for item in match.unmatched]
    found.values["feed"] = _feed_values(feed.url, match, keys)


def _made(match: OldFeedMatch, *, dry_run: bool) -> list[str]:
    from publisher.posts.adopted_entries import ENTRIES_FILE  # not at the top: `--help` must load quickly

    count = len(match.entries)
    lines = [
        f"{'would be made' if dry_run else 'made'}  {ENTRIES_FILE}, with {plural(count, 'post')}: "
        f"commit it, so that every build keeps {'its id' if count == 1 else 'their ids'}"
    ]
    if match.guessed == 1:
        lines.append(
            f"           {'it' if count == 1 else '1 of them'} is an older post, with an id made in the same way"
        )
    elif match.guessed:
        lines.append(f"           {match.guessed:,} of them are older posts, with ids made in the same way")
    return lines


def _matched(match: OldFeedMatch, total: int) -> str:
    lost = len(match.unmatched)
    return "each with its post here" if not lost else f"{total - lost} with a post here"


def _feed_values(url: str, match: OldFeedMatch, keys: dict[str, tuple[str, ...]]) -> dict[str, object]:
    return {
        "url": url,
        "entries": [
            {**each._asdict(), "published": each.published.isoformat() if each.published else None}
            for each in match.entries
        ],
        "known": match.known,
        "guessed": match.guessed,
        "conflicts": match.conflicts,
        "unmatched": [{"id": item.guid, "url": item.link, "title": item.title} for item in match.unmatched],
        "missing_settings": keys,
    }


def _compare(app: App, config: Config, archive: Archive, old: OldBlog, found: Looked) -> None:
    # Not at the top: only a comparison with an old site needs it.
    from publisher.publishing.adopt.old_addresses import compare_addresses, read_old_site

    site = read_old_site(old.site or "", allow_private=old.allow_private)
    differences = compare_addresses(config, archive, site)
    found.lines.append(
        f"\nold site  {site.place}: {len(site.paths):,} addresses; {plural(differences.shared, 'post')} of "
        f"{len(archive.ids()):,} where they were"
    )
    found.lines += _listed(app, config, differences)
    found.values["addresses"] = {
        "place": site.place,
        "shared": differences.shared,
        "elsewhere": [asdict(each) for each in differences.elsewhere],
        "gone": differences.gone,
    }


def _listed(app: App, config: Config, differences: AddressDifferences) -> list[str]:
    moved = [
        f"  {each.path}  ({_path(config, each)}{f'; there it is {each.near}' if each.near else ''})"
        for each in differences.elsewhere
    ]
    lines = [f"Posts that the old site lacks, or has elsewhere: {len(moved):,}", *_some(app, moved)] if moved else []
    near = next((each for each in differences.elsewhere if each.near), None)
    if near:
        lines.append(f"  To keep the old address: permalink: {near.near} in the front matter of {_path(config, near)}")
    if differences.gone:
        is_whole = config.pages.enabled
        whose = f"Addresses of the old site that {'a build does not write' if is_whole else 'do not belong to posts'}"
        lines += [f"{whose}: {len(differences.gone):,}", *_some(app, [f"  {path}" for path in differences.gone])]
        lines += _ways_to_keep(config, differences.gone) if is_whole else []
    return lines


def _path(config: Config, post: PostElsewhere) -> str:
    return in_folder(config.posts.folder, post.source)


def _ways_to_keep(config: Config, gone: Sequence[str]) -> list[str]:
    """Return advice on how the owner can keep addresses of the old site working."""
    feeds = [path for path in gone if path.endswith(_FEED_ENDINGS)]
    page = next((path for path in gone if path not in feeds), "")
    lines = []
    if page:
        lines += [
            f"  To keep one: redirect_from: {json.dumps(page, ensure_ascii=False)} in the front matter of the post or "
            "page that has its content now,",
            f"  or put its page into {config.pages.folder}/, or the file as it is into {config.pages.static}/",
        ]
    if feeds:
        name = json.dumps(feeds[0][1:], ensure_ascii=False)
        lines.append(f"  To keep a feed: add {name} to also, under [feeds] in publisher.toml")
    return lines


def _some(app: App, lines: list[str]) -> list[str]:
    if app.verbose or len(lines) <= _MOST + 1:
        return lines
    return [*lines[:_MOST], f"  and {len(lines) - _MOST:,} more (all with -v)"]
