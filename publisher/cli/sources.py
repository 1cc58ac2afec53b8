"""The commands `publisher sources list`, `fetch`, `show`, `skip` and `try`."""

from __future__ import annotations

import webbrowser
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from publisher.cli.app import App, log_action, plural, warn, with_app
from publisher.cli.completion import source_names
from publisher.cli.editions import with_stand_ins
from publisher.cli.terminal import bar, print_table
from publisher.config import Config
from publisher.core.action_kinds import ActionKind
from publisher.core.errors import PublisherError
from publisher.core.source_records import FETCHES_OF_A_MOVE
from publisher.posts.sources.item_post import item_name
from publisher.publishing.fetch_sources import SourceReport, fetch_sources
from publisher.publishing.item_states import ItemState, item_states
from publisher.publishing.source_views import SourceSummary, source_views
from publisher.publishing.wiring import Project, open_existing_store, open_project_store

if TYPE_CHECKING:
    from publisher.publishing.try_feed import TriedFeed

NO_SOURCES = "the project has no sources"
ADD_ONE = "add a [[sources]] table with name and url to publisher.toml, or see `publisher init --from-feed`"
_SHOWN = 30

EXAMPLES = """\
\b
Examples:
  publisher sources                         what there is, and whether it can be fetched
  publisher sources fetch                   fetch those that are due
  publisher sources show ada                each item, whether it goes, and why
  publisher sources skip 17                 never send item 17
  publisher sources try https://ada.example see the email that a feed would make
"""
TRY_EXAMPLES = """\
\b
Examples:
  publisher sources try https://ada.example            as plain text
  publisher sources try ada.example/feed.xml --open    in a browser
  publisher sources try ada.example --html > email.html
"""


@click.group(
    invoke_without_command=True, short_help="Fetch the feeds of other sites, and show their items.", epilog=EXAMPLES
)
@with_app
def sources(app: App) -> None:
    """Fetch the feeds of other sites, and show their items. Without a subcommand it lists the sources.

    A [[sources]] table in publisher.toml names a feed: RSS, Atom or JSON Feed. Its items become posts, and a newsletter
    with `sources = ["NAME"]` sends them. `publisher publish` and `publisher run` fetch what is due automatically.
    """
    ctx = click.get_current_context()
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_sources)


@sources.command("list", epilog="Example: publisher sources list --json")
@with_app
def list_sources(app: App) -> None:
    """List the sources: how many items each has, when it was fetched, and what is wrong with it."""
    config = app.config()
    with open_existing_store(config) as store:
        views = source_views(config, store)
    if app.json:
        app.print_json([view.as_json(config.zone) for view in views])
    elif views:
        print_table(("Name", "Title", "Items", "Newest", "Fetched", "State"), [_cells(config, view) for view in views])
    else:
        app.say(f"{NO_SOURCES}: {ADD_ONE}")


@sources.command("fetch", epilog="Examples: publisher sources fetch; publisher sources fetch ada")
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=source_names)
@with_app
def fetch(app: App, names: tuple[str, ...]) -> int:
    """Fetch the sources that are due, or those called NAME immediately.

    A feed says how often it may be fetched, and that is respected: without a name, a source that was fetched a moment
    ago waits for its time; with its name, it waits only if its server asked for that. A feed that hasn't changed is not
    sent again. Nothing is emailed. Exits with 1 if a source can't be fetched or read.
    """
    config = app.config()
    require_sources(config, names)
    now = app.now(config)
    with open_project_store(config) as store, bar(app, "Fetching") as progress:
        project = Project(config, store, lambda: now)
        reports = fetch_sources(project, now, names or None, force=bool(names), progress=progress)
        views = {view.name: view for view in source_views(config, store)}
    if app.json:
        app.print_json([_report_json(config, report) for report in reports])
    fetched = {report.name for report in reports}
    for report in reports:
        say_report(app, report)
    for name, view in views.items():
        if name not in fetched and not names and not app.json:
            app.say(f"{name}: {_not_due(config, view)}")
    return 1 if any(report.error or report.waits for report in reports) else 0


@sources.command("show", epilog="Examples: publisher sources show ada; publisher sources show ada --all")
@click.argument("name", shell_complete=source_names)
@click.option("--all", "every", is_flag=True, help=f"All items, not only the newest {_SHOWN}.")
@with_app
def show(app: App, name: str, every: bool) -> None:
    """Show the source called NAME, and the state of each of its items.

    \b
    seen        it is not sent: it was there before, is older than that, or a filter leaves it out
    resting     it is new or was changed a moment ago; it waits until it stays the same
    waiting     it goes with an edition that is not made yet
    in edition  it went with that edition
    skipped     a person skipped it, or the edition it was in
    gone        it vanished from the feed before it was sent, and is not sent
    """
    config = app.config()
    require_sources(config, [name])
    now = app.now(config)
    with open_existing_store(config) as store:
        view = next(each for each in source_views(config, store) if each.name == name)
        items = item_states(Project(config, store, lambda: now), name) if store else ()
    shown = items if every else items[:_SHOWN]
    if app.json:
        app.print_json(view.as_json(config.zone) | {"items": [item.as_json(config.zone) for item in shown]})
        return
    for line in _facts(config, view):
        app.say(line)
    if shown:
        app.say()
        print_table(("Item", "Date", "Title", "State", "Why"), [_item_cells(config, item) for item in shown])
    if len(shown) < len(items):
        app.say(f"and {len(items) - len(shown):,} older (--all)")


@sources.command("skip", epilog="Example: publisher sources skip 17")
@click.argument("items", nargs=-1, required=True, metavar="ITEM...", type=int)
@with_app
def skip(app: App, items: tuple[int, ...]) -> None:
    """Skip the items with these numbers (see `publisher sources show`): no newsletter will send them.

    An edition that contains one already stays as it is.
    """
    config = app.config()
    with open_existing_store(config) as store:
        if store is None:
            raise PublisherError("nothing has been fetched yet", hint="run `publisher sources fetch`")
        found = {number: store.sources.item(number) for number in items}
        for number, item in found.items():
            if item is None:
                raise PublisherError(f"there is no item {number}", hint="`publisher sources show NAME` lists them")
        for number, item in found.items():
            assert item is not None  # noqa: S101 - checked above
            store.sources.skip(number, app.now(config))
            title = item_name(item, store.sources.html)
            log_action(app, store, ActionKind.SKIP, f"item {number} of {item.source}: {title}")
            app.say(f"{number}: {title!r} won't be sent")
    if app.json:
        app.print_json([{"item": number, "skipped": True} for number in items])


@sources.command("try", epilog=TRY_EXAMPLES)
@click.argument("url")
@click.option("--html", "part", flag_value="html", help="Print the HTML of the email.")
@click.option("--open", "part", flag_value="open", help="Show the email in a browser.")
@click.option("--full", is_flag=True, help="Whole texts instead of excerpts.")
@click.option("--allow-private", is_flag=True, help="The feed may be on this machine or in a private network.")
@with_app
def try_url(app: App, url: str, part: str | None, full: bool, allow_private: bool) -> None:
    """Show the email that the feed at URL would make. It needs no project, and writes nothing.

    URL may also be that of a page, if the page names its feed. The email has the newest items, and is shown as plain
    text unless you ask for the HTML.
    """
    from publisher.publishing.try_feed import try_feed  # not at the top: it loads the code that renders emails

    tried = try_feed(url, app.moment(), full=full, allow_private=allow_private)
    for line in tried.problems:
        warn(line)
    if app.json:
        app.print_json(_tried_json(tried))
    elif part == "html":
        click.echo(with_stand_ins(tried.letter.html, is_html=True))
    elif part == "open":
        app.say(_tried_head(tried))
        webbrowser.open(_written(with_stand_ins(tried.letter.html, is_html=True)).as_uri())
    else:
        click.echo(f"{_tried_head(tried)}\n")
        click.echo(with_stand_ins(tried.letter.text), nl=not tried.letter.text.endswith("\n"))


def fetch_due_sources(app: App, config: Config, now: datetime) -> None:
    """Fetch the sources that are due, and print the results; a source that fails is only a warning."""
    with open_project_store(config) as store, bar(app, "Fetching") as progress:
        reports = fetch_sources(Project(config, store, lambda: now), now, progress=progress)
    for report in reports:
        if report.problem or report.has_news:
            say_report(app, report)


def require_sources(config: Config, names: Sequence[str]) -> None:
    """Raise PublisherError, with the nearest known name, if one of the names is not a configured source."""
    import difflib  # not at the top: only a typo needs it

    known = [source.name for source in config.sources]
    if not known:
        raise PublisherError(NO_SOURCES, hint=ADD_ONE)
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            raise PublisherError(
                f"there is no source {name!r}",
                hint=f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}",
            )


def say_report(app: App, report: SourceReport) -> None:
    """Print the result of fetching one source: a line on stdout, or an error on stderr."""
    app.report(report.warnings)
    if report.problem:
        app.report([report.problem])
    else:
        app.say(f"{report.name}: {report.summary}")


def _report_json(config: Config, report: SourceReport) -> dict[str, Any]:
    return {
        "name": report.name,
        "new": report.new,
        "changed": report.changed,
        "gone": report.gone,
        "held": report.is_held,
        "error": report.error,
        "waits": report.waits,
        "next_at": report.next_at.astimezone(config.zone).isoformat(timespec="seconds"),
    }


def _cells(config: Config, view: SourceSummary) -> tuple[str, ...]:
    return (
        view.name,
        view.title,
        f"{view.items:,}",
        _day(config, view.newest),
        _moment(config, view.asked_at) or "never",
        view.health if not view.why else f"{view.health} since {_moment(config, view.since)}: {view.why}",
    )


def _facts(config: Config, view: SourceSummary) -> Iterator[str]:
    """Yield the lines about a source itself."""
    yield f"{view.name}: {view.title}"
    yield f"feed         {view.url}"
    if view.address:
        yield f"now at       {view.address}, to which it was permanently redirected"
    if view.moved_to:
        seen = f"{view.moved_seen} of the {FETCHES_OF_A_MOVE} fetches"
        yield f"redirected   to {view.moved_to}, in {seen} after which that becomes its address"
    if view.link:
        yield f"site         {view.link}"
    yield f"items        {view.items:,}" + (f", the newest from {_day(config, view.newest)}" if view.newest else "")
    again = f"; next at {_moment(config, view.next_at)}" if view.next_at else ""
    yield f"fetched      {_moment(config, view.asked_at) or 'never'}{again}"
    yield f"state        {view.health}" + (f" since {_moment(config, view.since)}: {view.why}" if view.why else "")
    yield f"newsletters  {', '.join(view.newsletters) or 'none takes it'}"


def _not_due(config: Config, view: SourceSummary) -> str:
    """Return why a source was not fetched."""
    if view.next_at is None:
        return f"{view.health}: {view.why}"
    return f"was fetched at {_moment(config, view.asked_at)}, and is due again at {_moment(config, view.next_at)}"


def _item_cells(config: Config, item: ItemState) -> tuple[str, ...]:
    return str(item.number), _day(config, item.published), item.title, item.state, item.why


def _day(config: Config, moment: datetime | None) -> str:
    return f"{moment.astimezone(config.zone):%Y-%m-%d}" if moment else ""


def _moment(config: Config, moment: datetime | None) -> str:
    return f"{moment.astimezone(config.zone):%Y-%m-%d %H:%M}" if moment else ""


def _tried_head(tried: TriedFeed) -> str:
    """Return the lines above the email of a trial: the feed, the subject, how much is shown, and other feeds."""
    items = plural(len(tried.feed.document.items), "item")
    head = f"{tried.feed.title}: {tried.letter.plain_subject!r} ({tried.posts:,} newest of {items} of {tried.feed.url})"
    others = (f"not taken  {each.title or 'no title'}: {each.url}" for each in tried.feed.others)
    return "\n".join((head, *others))


def _tried_json(tried: TriedFeed) -> dict[str, Any]:
    return {
        "url": tried.feed.url,
        "kind": tried.feed.document.kind,
        "title": tried.feed.title,
        "items": len(tried.feed.document.items),
        "others": [{"title": each.title, "url": each.url} for each in tried.feed.others],
        "subject": tried.letter.plain_subject,
        "posts": tried.posts,
        "html": with_stand_ins(tried.letter.html, is_html=True),
        "text": with_stand_ins(tried.letter.text),
        "problems": list(tried.problems),
    }


def _written(html: str) -> Path:
    """Write an email to a file of its own outside the project, for a browser, and return the file's path."""
    import tempfile  # not at the top: only --open needs it

    with tempfile.NamedTemporaryFile("w", suffix=".html", prefix="publisher-", delete=False, encoding="utf-8") as file:
        file.write(html)
    return Path(file.name)
