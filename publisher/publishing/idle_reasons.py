"""Why a newsletter has no edition now: in words, or as a problem in a file."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta, tzinfo

from publisher.config import CONFIG_FILE, Config, NewsletterConfig
from publisher.core.errors import PublisherError
from publisher.core.file_names import in_folder
from publisher.core.models import Problem, problem_at
from publisher.newsletters.select import LONG_AGO, Selection
from publisher.publishing.stream_audience import StreamAudience


def too_few_posts(selection: Selection, zone: tzinfo) -> str:
    """Return a text that says how many new posts there are, and why they are too few."""
    if selection.waiting:
        posts = f"{selection.waiting} new post{'s' if selection.waiting != 1 else ''}"
        rests = f"; {resting(selection, zone)}" if selection.resting else ""
        return f"{posts}; an edition needs {selection.needed}{rests}"
    if selection.resting:
        return resting(selection, zone)
    if selection.too_old:
        posts = (
            f"{selection.too_old} post{'s' if selection.too_old != 1 else ''} from more than {LONG_AGO.days} days ago"
        )
        return f"no new posts; {posts} {'stay' if selection.too_old != 1 else 'stays'} out of a first edition"
    return "no new posts"


def for_more_posts(newsletter: NewsletterConfig, selection: Selection) -> str:
    """Return advice for a newsletter that has too few posts; "" if there is none."""
    if selection.too_old:
        return f'since = "..." under {newsletter.name} takes them'
    if selection.resting:
        return f"run it again then, or set settle_minutes under {newsletter.name} to 0"
    return ""


def resting(selection: Selection, zone: tzinfo) -> str:
    """Return a text that says how many items wait because they may still change, and until when; "" if none do."""
    if selection.rests_until is None:
        return ""
    items = f"{selection.resting} new item{'s' if selection.resting != 1 else ''}"
    until = (selection.rests_until + timedelta(seconds=59)).astimezone(zone)  # a whole minute, and not too early
    return f"{items} may still change until {until:%Y-%m-%d %H:%M}"


def nobody_in(audience: StreamAudience, selection: Selection) -> str:
    """Return a text that says how many posts no one gets, because no subscriber is in the segment."""
    waiting = len(selection.posts) + selection.waiting
    people = f"none of {audience.outside:,} subscribers is" if audience.outside > 1 else "its subscriber isn't"
    return f"{waiting} new post{'s' if waiting != 1 else ''}, but {people} in the segment {audience.segment}"


def no_subscribers(selection: Selection) -> str:
    """Return a text that says how many posts no one gets, because there are no subscribers."""
    waiting = len(selection.posts) + selection.waiting
    return f"{waiting} new post{'s' if waiting != 1 else ''}, but no subscribers yet"


def rendering_problem(config: Config, newsletter: str, error: PublisherError) -> Problem:
    """Return the error that prevents a newsletter's edition from being rendered, as a problem in its file.

    It names the newsletter, unless it is in a post, which all newsletters have in common.
    """
    found = problem_at(error)
    is_shared = found.path and found.path.startswith(in_folder(config.posts.folder, ""))
    if is_shared and not found.path.startswith((CONFIG_FILE, "letters/", "templates/")):
        return found
    return replace(found, path=found.path or CONFIG_FILE, message=f"newsletter {newsletter}: {error.message}")
