"""The commands `publisher init` and `publisher new`."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from publisher.cli.app import App, plural, warn, with_app
from publisher.publishing.new_project import create_post, create_project


@click.command(short_help="Create a new project.", epilog="Example: publisher init my-newsletter")
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path))
@with_app
def init(app: App, folder: Path) -> None:
    """Create a new project in DIR (default: here).

    Writes publisher.toml with comments, a first post and .gitignore. Existing files are left alone, except that the
    project's own files are added to .gitignore and, in the folder of a Jekyll blog, to `exclude` in _config.yml.
    """
    done = create_project(folder, app.moment())
    if app.json:
        paths = {"made": done.made, "changed": done.changed, "kept": done.kept}
        app.print_json({key: [str(path) for path in found] for key, found in paths.items()})
        return
    for path in done.made:
        app.say(f"made  {path}")
    for path in done.changed:
        app.say(f"added to  {path}")
    for path in done.kept:
        app.say(f"kept  {path} (already exists)")
    for line in done.advice:
        warn(line)
    if done.made:
        go = "" if folder.resolve() == Path.cwd() else f"cd {shlex.quote(str(folder))} && "
        app.say(f"\nNext: set your name and email address in publisher.toml, then run: {go}publisher publish")


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
