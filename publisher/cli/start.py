"""The commands `publisher init`, `new` and `keep-id`, which write files for the author."""

from __future__ import annotations

import os
import shlex
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from publisher.cli.app import App, plural, warn, with_app
from publisher.config import CONFIG_FILE, Config, load_config
from publisher.core.errors import PublisherError
from publisher.core.file_names import in_folder
from publisher.posts.archive import open_archive
from publisher.posts.front_matter.post_id import write_id
from publisher.publishing.adopt.adopted_blog import TOOL_NAMES
from publisher.publishing.adopt.tool_files import tools_of
from publisher.publishing.new_project import CreatedProject, create_post, create_project
from publisher.publishing.sent_files import sent_again
from publisher.publishing.wiring import Project, open_existing_store, open_project_store

if TYPE_CHECKING:
    from publisher.publishing.adopt_feed import AdoptedFeed

INIT_EXAMPLES = """\
\b
Examples:
  publisher init my-newsletter                                  for posts that you write here
  publisher init weekly --from-feed https://blog.example.org    for a blog that another tool makes
"""


@click.command(short_help="Create a new project.", epilog=INIT_EXAMPLES)
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path))
@click.option(
    "--from-feed",
    "url",
    metavar="URL",
    help="Take the posts from the feed, or the feed of the page, at this address.",
)
@click.option("--allow-private", is_flag=True, help="The feed may be on this machine or in a private network.")
@with_app
def init(app: App, folder: Path, url: str | None, allow_private: bool) -> None:
    """Create a new project in DIR (default: here).

    Writes publisher.toml with comments, a first post and .gitignore. Existing files are left alone, except that the
    project's own files are added to .gitignore and, in the folder of a Jekyll blog, to `exclude` in _config.yml.

    With --from-feed there is no first post: the items of the feed become posts, and the title, the language and the
    description of the project come from it.
    """
    if url is not None:
        _init_from_feed(app, folder, url, allow_private)
        return
    done = create_project(folder, app.moment())
    if app.json:
        app.print_json(_paths(done))
        return
    _say_files(app, done)
    if folder / CONFIG_FILE in done.made and (tools := tools_of(folder)):
        app.say(f"\n{tools[0][1]}: {TOOL_NAMES[tools[0][0]]} makes a site here. To take its posts and settings,")
        app.say(f"delete {CONFIG_FILE} and run: {_go(folder)}publisher adopt")
    if done.made:
        app.say("\nNext: replace the examples in publisher.toml and posts/; `publisher check` lists them.")
        app.say(f"When all of it is yours, run: {_go(folder)}publisher publish")


def _init_from_feed(app: App, folder: Path, url: str, allow_private: bool) -> None:
    # Not at the top: these load the HTTP client.
    from publisher.publishing.adopt_feed import adopt_feed, project_values, source_table
    from publisher.publishing.source_check import doubts_about

    now = app.moment()
    feed = adopt_feed(url, allow_private=allow_private)
    done = create_project(folder, now, project_values(feed, now, allow_private=allow_private))
    is_new = folder / CONFIG_FILE in done.made
    if is_new:
        _record(load_config(folder), feed, now)
    if app.json:
        app.print_json(_paths(done) | _feed_json(feed))
        return
    app.say(f"found  {feed.title}: {feed.url} ({_kind(feed)}, {plural(len(feed.document.items), 'item')})")
    for each in feed.others:
        app.say(f"not taken  {each.title or 'another feed'}: {each.url}")
    _say_files(app, done)
    for line in doubts_about(feed.document, now):
        warn(line)
    if not is_new:
        app.say(f"\n{CONFIG_FILE} already existed. To use the feed, add to it:\n\n{source_table(feed, allow_private)}")
        app.say(f'\nand to a newsletter: sources = ["{feed.name}"]')
        return
    app.say(f"\nNext: {_go(folder)}publisher preview")
    app.say(f"shows the first email. `publisher check` lists what only you can fill in in {CONFIG_FILE}.")
    if feed.others:
        app.say(f"To use another feed too, add a [[sources]] table with its address to {CONFIG_FILE}.")


def _record(config: Config, feed: AdoptedFeed, now: datetime) -> None:
    """Record the items of a feed that was just read, so that it need not be fetched again."""
    from publisher.publishing.fetch_sources import take_document  # not at the top: it loads the HTTP client

    with open_project_store(config) as store:
        take_document(Project(config, store, lambda: now), config.sources[0], feed.document, now, feed.answer)


def _kind(feed: AdoptedFeed) -> str:
    return {"rss": "RSS", "atom": "Atom", "json": "JSON Feed"}[feed.document.kind]


def _feed_json(feed: AdoptedFeed) -> dict[str, object]:
    found = {"url": feed.url, "kind": feed.document.kind, "title": feed.title, "name": feed.name}
    return {
        "feed": found,
        "others": [{"title": each.title, "url": each.url, "kind": each.kind} for each in feed.others],
    }


def _go(folder: Path) -> str:
    return "" if folder.resolve() == Path.cwd() else f"cd {shlex.quote(str(folder))} && "


def _paths(done: CreatedProject) -> dict[str, object]:
    paths = {"made": done.made, "changed": done.changed, "kept": done.kept}
    return {key: [str(path) for path in found] for key, found in paths.items()}


def _say_files(app: App, done: CreatedProject) -> None:
    for path in done.made:
        app.say(f"made  {path}")
    for path in done.changed:
        app.say(f"added to  {path}")
    for path in done.kept:
        app.say(f"kept  {path} (already exists)")
    for line in done.advice:
        warn(line)


@click.command(
    short_help="Create a post and print its path.",
    epilog='Example: publisher new "Why feeds matter" --tag feeds --tag web',
)
@click.argument("title")
@click.option("--tag", "tags", multiple=True, metavar="T", help="A tag; can be repeated.")
@with_app
def new(app: App, title: str, tags: tuple[str, ...]) -> None:
    """Create a post titled TITLE and print its path.

    The post is a draft: it stays hidden until you delete `draft: true`. Whatever else you change, keep its id: it is
    how feed readers and newsletters know that they have this post.
    """
    config = app.config()
    path = create_post(config, title, tags, app.now(config))
    shown = path.relative_to(config.root) if path.is_relative_to(config.root) else path
    if app.json:
        app.print_json({"path": str(path)})
    else:
        app.say(str(shown if config.root == Path.cwd() else path))
    if app.verbose:
        click.echo(f"{plural(len(tags), 'tag')}; a draft until you delete `draft: true`", err=True)


@click.command(
    name="keep-id",
    short_help="Write the id of a post into it, so that it never changes.",
    epilog="Example: publisher keep-id posts/2026-11-21-boats.md",
)
@click.argument("posts", nargs=-1, required=True, metavar="POST...", type=click.Path(path_type=Path))
@with_app
def keep_id(app: App, posts: tuple[Path, ...]) -> None:
    """Write `id:` into the front matter of each POST, and change nothing else in it.

    Feed readers and newsletters know a post by its id, which is otherwise made from its date and file name. A post that
    has been sent, and then got a different date or name, gets back the id under which it was sent.
    """
    config = app.config()
    archive = open_archive(config, app.now(config), keep=False)
    ids = archive.all_ids()
    with open_existing_store(config) as store:
        ids |= {each.source: each.old for each in sent_again(config, store, archive)}
    sources = [_source(config, path, ids) for path in posts]
    done = [(source, write_id(archive.folder / source, ids[source])) for source in dict.fromkeys(sources)]
    if app.json:
        app.print_json([{"post": source, "id": ids[source], "changed": changed} for source, changed in done])
    for source, changed in done:
        app.say(f"{in_folder(config.posts.folder, source)}: {'' if changed else 'already has '}id {ids[source]}")


def _source(config: Config, path: Path, ids: Collection[str]) -> str:
    """Return the path of a post in the posts folder; raise PublisherError if there is no such post."""
    folder = (config.root / config.posts.folder).resolve()
    for start in (Path.cwd(), config.root, folder):
        found = Path(os.path.normpath(start / path))
        for each in (found, found.resolve()):
            if each.is_relative_to(folder) and each.relative_to(folder).as_posix() in ids:
                return each.relative_to(folder).as_posix()
    hint = "name the file of a post that is not a draft and has no error"
    raise PublisherError("is not a post of this project", where=str(path), hint=hint)
