"""publisher init, publisher new"""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from publisher.cli.app import App, plural, with_app


@click.command(short_help="Make a new project in a folder.", epilog="Example: publisher init my-letter")
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(path_type=Path))
@with_app
def init(app: App, folder: Path) -> None:
    """Make a new project in DIR (default: here).

    Writes publisher.toml with comments, a first post and .gitignore. What is there already is kept as it is.
    """
    from publisher.publishing.new_project import make_project

    made, kept = make_project(folder, app.moment())
    if app.json:
        app.print_json({"made": [str(p) for p in made], "kept": [str(p) for p in kept]})
        return
    for path in made:
        app.say(f"made  {path}")
    for path in kept:
        app.say(f"kept  {path} (was there)")
    if made:
        go = "" if folder.resolve() == Path.cwd() else f"cd {shlex.quote(str(folder))} && "
        app.say(f"\nNext: put your name and address into publisher.toml, then {go}publisher publish")


@click.command(
    short_help="Begin a post and print its path.",
    epilog='Example: publisher new "Why feeds matter" --tag feeds --tag web',
)
@click.argument("title")
@click.option("--tag", "tags", multiple=True, metavar="T", help="A tag; may be given several times.")
@with_app
def new(app: App, title: str, tags: tuple[str, ...]) -> None:
    """Begin a post called TITLE and print its path.

    The post is a draft: nobody sees it until `draft: true` is taken out. Its id is permanent; keep it whatever
    else you change, and no reader will get the post twice.
    """
    from publisher.publishing.new_project import make_post

    config = app.config()
    path = make_post(config, title, tags, app.now(config))
    shown = path.relative_to(config.root) if path.is_relative_to(config.root) else path
    if app.json:
        app.print_json({"path": str(path)})
    else:
        app.say(str(shown if config.root == Path.cwd() else path))
    if app.verbose:
        click.echo(f"{plural(len(tags), 'tag')}, a draft until `draft: true` is taken out", err=True)
