"""The problems of templates in a body: tags that stay as they are written, and tags and files that cannot be read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from publisher.posts.body_templates.site_values import Noted
from publisher.posts.tags.expanded import TagProblem

# How many names of tags are listed in a problem.
_MOST_NAMES = 3
_LONGEST = 40
# Tags of the languages themselves, which need no template of the owner.
_KNOWN = frozenset(
    (
        "include",
        "import",
        "from",
        "if",
        "elif",
        "elsif",
        "else",
        "for",
        "set",
        "filter",
        "macro",
        "call",
        "unless",
        "case",
    )
)


def problems_of(
    language: str, kept: Sequence[tuple[str, int]], wrong: Iterable[tuple[int, str, str]], noted: Noted
) -> Iterator[TagProblem]:
    """Yield the problems of a body.

    language  such as "Liquid"
    kept      (name, line) of each tag that stays as it is written
    wrong     the other problems, as (line, message, hint)
    """
    for line, message, hint in wrong:
        yield TagProblem(line, message, hint, is_error=True)
    for name, error in noted.unusable.items():
        # An edition on hold shows only the message, so the message names the file too.
        what = f"the data in {name.rpartition('/')[2]} can't be used: {error.message}"
        yield TagProblem(1, what, error.hint, is_error=True, where=error.where or name)
    if noted.missing:
        what = f"{language} uses names that don't exist: {_listed(list(noted.missing))}"
        yield TagProblem(1, what, "add the data file, or fix the name")
    tags = [each for each in kept if each[0].startswith("{%")]
    if tags:
        unknown = [name for name in (each[0].strip("{%} ").removeprefix("end") for each in tags) if name not in _KNOWN]
        how = f"write a template templates/shortcodes/{unknown[0]}.html" if unknown else "correct it"
        yield _problem(language, tags, f"{how}, or put it in backticks if readers should see it")
    values = [each for each in kept if not each[0].startswith("{%")]
    if values := [each for each in values if not any(name in each[0] for name in noted.unread)]:
        yield _problem(language, values, "fix the name, or put it in backticks if readers should see it")


def _problem(language: str, kept: Collection[tuple[str, int]], hint: str) -> TagProblem:
    names = list(dict.fromkeys(name for name, _ in kept))
    lines = sorted({line for _, line in kept})
    count = f", on {len(lines)} lines" if len(lines) > 1 else ""
    what = f"{language} cannot be run here, and is shown as written: {_listed(names)}{count}"
    return TagProblem(lines[0], what, hint, is_error=True)


def _listed(names: list[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def shortened(text: str) -> str:
    """Return a tag for a message."""
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
