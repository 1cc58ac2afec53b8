"""The command `publisher build`."""

from __future__ import annotations

import gc
from functools import partial
from pathlib import Path
from typing import Any

import click

from publisher.cli.app import App, plural, with_app
from publisher.cli.terminal import bar
from publisher.cli.wording import built, scheduled
from publisher.config import Config, require_output
from publisher.core.errors import PublisherError
from publisher.posts.archive import Archive
from publisher.publishing.wiring import has_store, run_build
from publisher.site.build import BuildReport


class _Folder(click.Path):
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the folder that was given; an empty path, or one below a home folder, raises PublisherError."""
        if not str(value).strip() or str(value).startswith("~"):  # "" would become the current folder
            what = "must be the path of a folder"
            raise PublisherError(what, where=f"--out {str(value)!r}", hint="choose a different folder")
        return super().convert(value, param, ctx)


@click.command(
    short_help="Turn the posts into feeds and pages.",
    epilog="Example: publisher build --out /var/www/site",
)
@click.option(
    "--out",
    type=_Folder(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write here instead of public/.",
)
@click.option("--accept-new-ids", is_flag=True, help="Continue even though feed readers will show posts again.")
@click.option("--keep-going", is_flag=True, help="Exit with 0 even if posts have errors.")
@with_app
def build(app: App, out: Path | None, accept_new_ids: bool, keep_going: bool) -> int:
    """Turn the posts into feeds and pages.

    Writes only what changed, replaces each file atomically, and deletes the pages of posts that no longer exist.
    A post with an error is reported: a published one stays in its last readable version, a new one is skipped. The
    others are published. The exit code is then 1, so that nothing is deployed by mistake. Settings that would give
    published posts new ids are refused, and so are edits that would give one to a post that a newsletter has sent.
    """
    config = app.config()
    if out is not None:
        require_output(config, out)
    # So 10,000 posts cause no search for reference cycles, which would take a twentieth of a first build.
    gc.set_threshold(1_000_000, 20, 20)
    with bar(app, "Building") as progress:
        report = run_build(
            config,
            app.now(config),
            out=out,
            progress=progress,
            accept_new_ids=accept_new_ids,
            require=None if accept_new_ids else partial(_require_sent_ids, config),
        )
    show_build(app, report)
    if app.json:
        app.print_json(as_json(report))
    return 1 if report.errors and not keep_going else 0


def _require_sent_ids(config: Config, archive: Archive) -> None:
    if not has_store(config):
        return  # nothing has been sent
    from publisher.publishing.sent_files import require_sent_ids  # not at the top: most builds do not need it

    require_sent_ids(config, archive)


def show_build(app: App, report: BuildReport) -> None:
    """Print the summary of a build, and the posts that were skipped."""
    app.report(report.errors)
    app.say(built(_shown(report.folder), report.posts, report.pages, report.feeds, _changes(report)))
    later = scheduled(report.waiting)
    if report.kept:
        later.append(f"{plural(report.kept, 'post')} shown in the last readable version (see above)")
    skipped = {problem.path for problem in report.errors if not problem.shows_last_version}
    if len(skipped) > report.flawed_files:
        later.append(f"{plural(len(skipped) - report.flawed_files, 'file')} skipped (see above)")
    if report.flawed:
        later.append(f"{plural(report.flawed, 'post')} published with an error in the text (see above)")
    if report.warnings:
        later.append("there are warnings about posts and files (`publisher check` lists and counts them all)")
    if later:
        app.say("  " + "; ".join(later))


def as_json(report: BuildReport) -> dict[str, object]:
    """Return a build report as JSON values."""
    return {
        "folder": str(report.folder),
        "posts": report.posts,
        "last_versions": report.kept,
        "future_posts": report.waiting,
        "pages": report.pages,
        "feeds": report.feeds,
        "written": report.written,
        "removed": report.removed,
        "problems": [
            {"where": p.where, "severity": p.severity.value, "message": p.what, "mend": p.hint} for p in report.problems
        ],
    }


def _changes(report: BuildReport) -> str:
    if not report.changed:
        return "nothing changed"
    parts = [f"{plural(report.written, 'file')} written"] if report.written else []
    if report.removed:
        parts.append(f"{plural(report.removed, 'file')} removed")
    return ", ".join(parts)


def _shown(folder: Path) -> str:
    try:
        return f"{folder.resolve().relative_to(Path.cwd())}"
    except (ValueError, OSError):
        return f"{folder}"
