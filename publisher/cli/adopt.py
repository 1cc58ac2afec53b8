"""The command `publisher adopt`, which makes a project next to a blog that another tool makes."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from publisher.cli.app import App, plural, warn, with_app
from publisher.cli.old_blog import Looked, OldBlog, look_at_old, with_feed_read
from publisher.cli.terminal import print_table
from publisher.config import CONFIG_FILE

if TYPE_CHECKING:
    from publisher.publishing.adopt.adopted_blog import Taken
    from publisher.publishing.adopt.adopted_project import AdoptedProject
    from publisher.publishing.new_project import CreatedProject

EXAMPLES = """\
\b
Examples:
  publisher adopt --dry-run           what would be written, for the blog in this folder
  publisher adopt ~/blog              feeds and emails alongside the pages of the blog's own tool
  publisher adopt ~/blog --instead    pages too, if you leave that tool
  publisher adopt --feed https://blog.example.org/feed.xml    keep the ids that feed readers know
  publisher adopt --check-against _site                       the addresses that would be lost
"""


@click.command(short_help="Make a project for a blog that another tool makes.", epilog=EXAMPLES)
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path))
@click.option("--instead", is_flag=True, help="Also write the pages, so that the tool is no longer needed.")
@click.option("--dry-run", is_flag=True, help="Show what would be written, and write nothing.")
@click.option("--feed", metavar="URL|FILE", help="Keep the ids, addresses and times of the posts in the old feed.")
@click.option(
    "--check-against",
    "site",
    metavar="FOLDER|SITEMAP|URL",
    help="List the addresses that the old site has but the new one does not.",
)
@click.option("--allow-private", is_flag=True, help="These may be on this machine or in a private network.")
@with_app
def adopt(
    app: App,
    folder: Path,
    instead: bool,
    dry_run: bool,
    feed: str | None,
    site: str | None,
    allow_private: bool,
) -> None:
    """Make a project for the blog in DIR (default: here) that Jekyll, Hugo or another tool makes.

    Finds the tool by its own configuration, and writes a publisher.toml with what it says: where the posts are,
    their addresses, the title and the language of the site, the paths of its feeds. The posts and the tool's files stay
    unchanged, except that the project's own files are added to .gitignore and to what the tool ignores. No code of
    the blog is run. What could not be carried over is listed.

    --feed writes old-feed.tsv, so that no one sees a post again in a feed reader. --check-against only compares. In a
    folder that has a publisher.toml, both use it unchanged.

    It knows Astro, Docusaurus, Eleventy, Hexo, Hugo, Jekyll, MkDocs, Obsidian, Pelican, Quarto, VitePress and Zola.
    """
    folder = app.project if app.project and folder == Path() else folder
    old = OldBlog(feed, site, allow_private)
    if (feed or site) and (folder / CONFIG_FILE).exists():
        _say_old(app, look_at_old(app, folder, old, dry_run=dry_run), alone=True)
        return
    from publisher.publishing.adopt.adopted_project import adopted_project, next_steps, refuse_second, write_project
    from publisher.publishing.adopt.recognise import recognise  # not at the top: `--help` must load quickly

    if not dry_run:
        refuse_second(folder)
    old, blog = with_feed_read(old, recognise(folder))
    project = adopted_project(blog, app.moment(), instead=instead)
    done = None if dry_run else write_project(folder, project, instead=instead)
    steps = next_steps(project, instead=instead, has_feed=feed is not None)
    found = look_at_old(app, folder, old) if done else Looked()
    if app.json:
        app.print_json(_as_json(project, done, steps) | found.values)
        return
    _show(app, project)
    if done is None:
        _say_dry_run(app, project, has_old=bool(feed or site))
        return
    _say_files(app, done)
    _say_old(app, found)
    _say_steps(app, folder, steps)


def _say_dry_run(app: App, project: AdoptedProject, *, has_old: bool) -> None:
    app.say(f"\nDry run: nothing is written. publisher.toml would be:\n\n{project.text}")
    if has_old:
        app.say("The old feed and the old site can be compared once there is a publisher.toml.")


def _show(app: App, project: AdoptedProject) -> None:
    blog = project.blog
    app.say(f"{blog.name} ({blog.file}), {plural(blog.posts, 'post') if blog.posts else 'no posts'}\n")
    rows = [_row(each) for each in project.taken]
    rows += [("authors", ", ".join(each.id for each in blog.authors), blog.file)] if blog.authors else []
    print_table(("Setting", "Value", "From"), rows)
    if blog.left:
        app.say("\nNot carried over:")
        for line in blog.left:
            app.say(f"  {line}")


def _say_old(app: App, found: Looked, *, alone: bool = False) -> None:
    """Print the findings for people. With --json, print them as JSON if nothing else is printed, or else nothing."""
    if app.json:
        if alone:
            app.print_json(found.values)
        return
    for line in found.lines:
        app.say(line)
    for line in found.doubts:
        warn(line)


def _row(taken: Taken) -> tuple[str, str, str]:
    value = taken.value
    shown = (
        ", ".join(value) if isinstance(value, tuple) else str(value).lower() if isinstance(value, bool) else str(value)
    )
    return taken.key, shown, taken.where


def _say_files(app: App, done: CreatedProject) -> None:
    app.say()
    for path in done.made:
        app.say(f"made  {path}")
    for path in done.changed:
        app.say(f"added to  {path}")
    for line in done.advice:
        warn(line)


def _say_steps(app: App, folder: Path, steps: list[tuple[str, str]]) -> None:
    app.say("\nNext:" if folder.resolve() == Path.cwd() else f"\nNext, after `cd {shlex.quote(str(folder))}`:")
    for number, (what, why) in enumerate(steps, 1):
        app.say(f"  {number}. {what}\n     {why}")


def _as_json(project: AdoptedProject, done: CreatedProject | None, steps: list[tuple[str, str]]) -> dict[str, object]:
    blog = project.blog
    return {
        "tool": blog.tool,
        "file": blog.file,
        "posts": blog.posts,
        "settings": {each.key: each.value for each in project.taken},
        "from": {each.key: each.where for each in project.taken},
        "authors": [asdict(each) for each in blog.authors],
        "left": blog.left,
        "next": [{"do": what, "why": why} for what, why in steps],
        "text": project.text,
        "made": [str(path) for path in done.made] if done else [],
        "changed": [str(path) for path in done.changed] if done else [],
    }
