"""The command `publisher import-posts`."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import click

from publisher.cli.app import App, warn, with_app
from publisher.cli.terminal import bar, print_table
from publisher.config import Config
from publisher.core.errors import PublisherError
from publisher.publishing.exports.import_posts import (
    DRAFTS,
    FILES,
    PAGES,
    POSTS,
    PostImport,
    PostImportOptions,
    import_posts,
)

EXAMPLES = """\
\b
Examples:
  publisher import-posts blog.ghost.2026-11-29.json --url https://blog.example.org
  publisher import-posts wordpress.xml --dry-run     what would be written
  publisher import-posts substack.zip --url https://ada.substack.com

Where each tool has its export, and what comes with it: docs/moving.md
"""
_SHOWN = 20


@click.command("import-posts", short_help="Write the posts of Ghost, WordPress or Substack as files.", epilog=EXAMPLES)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--url", default="", metavar="URL", help="Address of the old site, if FILE doesn't say it.")
@click.option("--no-files", is_flag=True, help="Leave pictures and other files on the old site.")
@click.option("--allow-private", is_flag=True, help="Fetch files from this machine or a private network too.")
@click.option("--dry-run", is_flag=True, help="Show what would be written; write and fetch nothing.")
@with_app
def import_file(app: App, file: Path, url: str, no_files: bool, allow_private: bool, dry_run: bool) -> int:
    """Write the posts of another tool as files: FILE is an export of Ghost, WordPress or Substack.

    Each post keeps its address, its id in feeds, its dates, tags and authors; drafts stay drafts. Members-only posts
    become drafts, because anyone could read them here. Pictures and files are fetched from the old site into the folder
    of static files, under the paths that they had. An existing file is never changed, so the command can be stopped and
    run again. Exits with 1 if a file can't be fetched.
    """
    config = app.config()
    _require_web(url)
    options = PostImportOptions(site_url=url, with_files=not no_files, allow_private=allow_private, dry_run=dry_run)
    with bar(app, "Importing") as progress:
        done = import_posts(config, file, options, progress)
    if app.json:
        app.print_json(_as_json(done))
    else:
        _show(app, config, done, dry_run)
    told: set[str] = set()
    for failed, why in done.failed[: None if app.verbose else _SHOWN]:
        if done.refused[why] and why in told:
            continue  # the same host for each file
        told.add(why)
        warn(f"{failed}: {why}")
    if private := done.refused.total():
        warn(f"{private:,} files are on this machine or in a private network; if you trust it, use --allow-private")
    if done.failed:
        more = f", {len(done.failed) - _SHOWN:,} more with -v" if len(done.failed) > _SHOWN and not app.verbose else ""
        warn(f"{len(done.failed):,} files could not be fetched{more}; run the command again to try once more")
    return 1 if done.failed else 0


def _require_web(url: str) -> None:
    if url and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname):
        raise click.BadParameter(
            f"{url!r} isn't an address; write it like https://blog.example.org", param_hint="--url"
        )


def _as_json(done: PostImport) -> dict[str, object]:
    return {
        "tool": done.tool,
        "site_url": done.site_url or None,
        "new": dict(done.new),
        "there": dict(done.there),
        "failed": [{"url": url, "reason": why} for url, why in done.failed],
        "left": dict(done.left),
        "hidden": [{"path": path, "reason": why} for path, why in done.hidden],
    }


def _show(app: App, config: Config, done: PostImport, dry_run: bool) -> None:
    app.say(f"{done.tool} export{f' of {done.site_url}' if done.site_url else ''}")
    folders = {POSTS: config.posts.folder, DRAFTS: config.posts.folder, PAGES: config.pages.folder}
    folders[FILES] = config.pages.static
    kinds = [kind for kind in folders if done.new[kind] or done.there[kind]]
    if not kinds:
        raise PublisherError("has no posts or pages", where="the export")
    written = "Would be written" if dry_run else "Written"
    rows = [(k.capitalize(), f"{done.new[k]:,}", f"{done.there[k]:,}", f"{folders[k]}/") for k in kinds]
    print_table(("", written, "Already there", "Folder"), rows)
    if done.left:
        app.say()
        print_table(("Left in the export", "Number"), [(what, f"{n:,}") for what, n in done.left.most_common()])
    if done.hidden:
        app.say()
        print_table(("Drafts, though they were published", "Because"), done.hidden[:_SHOWN])
        if len(done.hidden) > _SHOWN:
            app.say(f"and {len(done.hidden) - _SHOWN:,} more (--json lists all)")
    app.say()
    if done.site_url and urlsplit(done.site_url).hostname != urlsplit(config.site_url).hostname:
        app.say(
            f"The old site was at {done.site_url}, and site.url is {config.site_url}: redirect the one to the other."
        )
    if not dry_run:
        app.say("Next: `publisher check` lists what needs a look, and `publisher preview` shows the site.")
