"""Short texts that commands print. Nothing is imported here, because a build with nothing to do prints them too."""

from __future__ import annotations


def plural(number: int, noun: str, plural_noun: str = "") -> str:
    """Return a number with its noun in the singular or plural, such as "1 post" or "1,200 posts"."""
    return f"{number:,} {noun if number == 1 else plural_noun or noun + 's'}"


def built(folder: str, posts: int, pages: int, feeds: int, changes: str = "nothing changed") -> str:
    """Return the summary of a build in one line, such as "public/: 3 posts, 6 pages, 3 feeds; nothing changed".

    folder: the output folder as it is shown
    """
    counts = [plural(posts, "post"), plural(pages, "page") if pages else "", plural(feeds, "feed")]
    return f"{folder}/: {', '.join(filter(None, counts))}; {changes}"


def scheduled(waiting: int) -> list[str]:
    """Return a phrase about the posts that are scheduled for later, in a list that is empty if there are none."""
    return [f"{plural(waiting, 'post')} scheduled for later"] if waiting else []
