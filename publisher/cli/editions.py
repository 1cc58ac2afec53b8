"""The commands `publisher editions list` and `publisher editions show`."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import click

from publisher.cli.app import App, plural, require_known, with_app
from publisher.cli.completion import edition_ids, newsletter_names
from publisher.cli.terminal import print_table
from publisher.config import Config
from publisher.core.errors import PublisherError
from publisher.core.newsletter_models import Choice, DeliveryStatus, Edition, Letter, Mark, how_far, slot_name
from publisher.core.personal_marks import filled
from publisher.newsletters.variants import topic_set, variant_key, variants_of
from publisher.posts.archive import open_archive
from publisher.publishing.wiring import open_existing_store

if TYPE_CHECKING:
    from publisher.store import Store

NO_EDITIONS = "no editions yet"
_STAND_INS = {
    Mark.UNSUBSCRIBE: "UNSUBSCRIBE-LINK",
    Mark.PREFERENCES: "PREFERENCES-LINK",
    Mark.NAME: "NAME",
    Mark.ADDRESS: "ADDRESS",
}
FIRST = "`publisher publish` creates the first one"


@click.group(
    invoke_without_command=True,
    short_help="List editions, or show one.",
    epilog="Examples: publisher editions; publisher editions show 3 --text",
)
@with_app
def editions(app: App) -> None:
    """List editions, or show one. Without a subcommand it lists them."""
    ctx = click.get_current_context()
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_editions)


@editions.command("list", epilog="Example: publisher editions list --newsletter weekly")
@click.option("--newsletter", metavar="NAME", shell_complete=newsletter_names, help="Only this newsletter's.")
@with_app
def list_editions(app: App, newsletter: str | None = None) -> None:
    """List editions, newest first, with the status of their messages."""
    config = app.config()
    with open_existing_store(config) as store:
        rows = [_row(store, edition) for edition in store.editions.list(newsletter)] if store else []
    if newsletter and not rows:
        require_known(config, [newsletter])  # checked last, because a renamed newsletter may still have editions
    if app.json:
        app.print_json(rows)
    elif rows:
        print_table(
            ("ID", "Newsletter", "Slot", "Subject", "Posts", "Messages"),
            [_cells(row) for row in rows],
        )
    else:
        app.say(f"{NO_EDITIONS}: {FIRST}")


@editions.command("show", epilog="Example: publisher editions show 3 --html > email.html")
@click.argument("edition_id", metavar="ID", type=int, shell_complete=edition_ids)
@click.option("--variant", metavar="TOPICS", default="", help="The version for a selection of topics, such as ai,ml.")
@click.option("--html", "part", flag_value="html", help="Print the HTML part.")
@click.option("--text", "part", flag_value="text", help="Print the plain-text part.")
@with_app
def show(app: App, edition_id: int, variant: str, part: str | None) -> None:
    """Show the edition with this ID (see `publisher editions`): its facts and versions, or a part of one version."""
    config = app.config()
    with open_existing_store(config) as opened:
        store, edition = get_edition(opened, edition_id)
        letter = store.editions.letter(edition_id, variant) or _letter_of(app, config, store, edition, variant)
        row = _row(store, edition) | {"letters": _letters(store, edition_id)}
    if letter is None:
        raise PublisherError(
            f"edition {edition_id} has no version for {variant!r}",
            hint=f"`publisher editions show {edition_id}` lists its versions",
        )
    if part:
        shown = with_stand_ins(letter.html, is_html=True) if part == "html" else with_stand_ins(letter.text)
        click.echo(shown, nl=not letter.text.endswith("\n"))
    elif app.json:
        app.print_json(
            row
            | {"variant": letter.variant, "preheader": with_stand_ins(letter.preheader)}
            | {"html": with_stand_ins(letter.html, is_html=True), "text": with_stand_ins(letter.text)}
        )
    else:
        _facts(app, row, letter, edition)


def with_stand_ins(text: str, *, is_html: bool = False) -> str:
    """Return a part of a letter with a plain placeholder for each value that differs from subscriber to subscriber.

    The placeholders of custom fields are their defaults.
    """
    text = filled(text, {}, escape if is_html else str)
    for mark, stand_in in _STAND_INS.items():
        text = text.replace(mark, stand_in)
    return text


def get_edition(store: Store | None, edition_id: int) -> tuple[Store, Edition]:
    """Return the open store and the edition with this ID; raise PublisherError if either does not exist."""
    if store is None:
        raise PublisherError(NO_EDITIONS, hint=FIRST)
    edition = store.editions.get(edition_id)
    if edition is None:
        raise PublisherError(f"there is no edition {edition_id}", hint="`publisher editions` lists them")
    return store, edition


def _letter_of(app: App, config: Config, store: Store, edition: Edition, variant: str) -> Letter | None:
    """Return the letter for a selection of topics, which may be in any order and spelling, or None.

    If the letter for all topics also serves this selection, a line on stderr says so.
    """
    topics = topic_set(variant.split(","))
    if not topics or (letter := store.editions.letter(edition.id, variant_key(topics))):
        return letter if topics else None
    sent = {post.id for post in edition.posts}
    posts = [post for post in open_archive(config, app.now(config), keep=False).posts if post.id in sent]
    everyone = variants_of(posts, [Choice(topics, 1)])[0]
    if len(posts) < len(sent) or not everyone.subscribers:
        return None
    click.echo(f"every post has one of these topics: {', '.join(topics)}; this is the version for all topics", err=True)
    return store.editions.letter(edition.id)


def _row(store: Store, edition: Edition) -> dict[str, Any]:
    counts = store.deliveries.counts(edition.id)
    return {
        "id": edition.id,
        "newsletter": edition.newsletter,
        "slot": edition.slot,
        "kind": edition.kind.value,
        "segment": edition.segment,
        "number": edition.number or None,
        "subject": edition.subject,
        "made_at": edition.made_at.isoformat(timespec="seconds"),
        "posts": [{"id": post.id, "title": post.title, "url": post.url} for post in edition.posts],
        "deliveries": {status.value: count for status, count in counts.by_status.items() if count},
        "complete": not counts.missing,
        "missing_about": counts.missing,
        "held": edition.held,
        "held_by": edition.held_by,
    }


def _letters(store: Store, edition_id: int) -> list[dict[str, Any]]:
    messages = store.deliveries.by_variant(edition_id)
    return [
        {"variant": letter.variant, "subject": letter.plain_subject, "messages": messages.get(letter.variant, 0)}
        for letter in store.editions.letters(edition_id)
    ]


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        str(row["id"]),
        row["newsletter"],
        slot_name(row["slot"]),
        row["subject"],
        str(len(row["posts"])),
        _messages(row),
    )


def _messages(row: dict[str, Any]) -> str:
    counts = ", ".join(f"{count:,} {status}" for status, count in row["deliveries"].items())
    if not row["complete"]:
        far = how_far(sum(row["deliveries"].values()), row["missing_about"])
        counts = f"{far}; `publisher publish` completes it"
    is_over = row["complete"] and row["deliveries"].keys() <= {DeliveryStatus.SENT, DeliveryStatus.SKIPPED}
    return counts if is_over or not row["held"] else f"{counts}; on hold: {row['held']}"


def _facts(app: App, row: dict[str, Any], letter: Letter, edition: Edition) -> None:
    app.say(f"{edition.subject}")
    app.say(f"{edition.name}, created {row['made_at']}")
    if edition.segment:
        app.say(f"only to the segment {edition.segment}")
    app.say(f"messages: {_messages(row) or 'none'}")
    if edition.posts:
        app.say(f"{plural(len(edition.posts), 'post')}:")
    for post in edition.posts:
        app.say(f"  {post.title}\n    {post.url}")
    if len(row["letters"]) > 1:
        print_table(
            ("Version", "Messages", "Subject"),
            [(each["variant"] or "all topics", f"{each['messages']:,}", each["subject"]) for each in row["letters"]],
        )
    app.say(f"HTML {len(letter.html.encode()):,} bytes, text {len(letter.text.encode()):,} bytes")
