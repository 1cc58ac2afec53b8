"""Find what an owner of a site in several languages should know.

These are mixed languages, languages without a newsletter, and languages without fixed texts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from publisher.config import CONFIG_FILE, Config
from publisher.config.origins import KeyLines, KeyPath
from publisher.core.i18n import translate
from publisher.core.models import Problem, Severity
from publisher.core.templates import Templates
from publisher.posts.archive import Archive
from publisher.posts.post_groups import site_language

_SHOWN = 3


def language_problems(config: Config, archive: Archive, lines: KeyLines) -> Iterator[Problem]:
    """Yield a warning for mixed languages, and one for each language without a newsletter, or with texts in English."""
    yield from _mixed(config, archive, lines)
    yield from _unsent(config, archive, lines)
    templates = Templates(config.root / "templates")
    wanted: dict[str, KeyPath] = dict.fromkeys(config.site.languages, ("site", "languages"))
    wanted.setdefault(config.site.language, ("site", "language"))
    for number, newsletter in enumerate(config.newsletters):
        wanted.setdefault(newsletter.language or config.site.language, ("newsletters", number, "language"))
    for language, key in wanted.items():
        found = translate("page", {}, language, templates.folders).language
        if _first(found) != _first(language):
            yield Problem(
                CONFIG_FILE,
                lines.of(key),
                f"there are no texts in {language!r}, so buttons, menus and the footers of emails are in English",
                f"translate templates/locale/publisher.pot as templates/locale/{language}.po",
                Severity.WARNING,
            )


def _mixed(config: Config, archive: Archive, lines: KeyLines) -> Iterator[Problem]:
    """Yield a warning if posts in several languages share a feed and newsletters, unless the owner asked for that."""
    usual = config.site.language
    named = {_first(each) for each in config.site.all_languages}
    if config.site.languages:
        counts = Counter(language for language in archive.languages() if language and _first(language) not in named)
        if counts:
            others = ", ".join(map(repr, sorted(counts)))
            yield Problem(
                CONFIG_FILE,
                lines.of(("site", "languages")),
                f"{_posts(counts.total())} in {others}, which site.languages does not name, so the index, feed and "
                f"newsletters in {usual!r} show {'them' if counts.total() > 1 else 'it'}",
                f"add {others} to site.languages",
                Severity.WARNING,
            )
    elif archive.settings.translated:
        sources = sorted(archive.settings.translated)
        more = f" and {len(sources) - _SHOWN:,} more" if len(sources) > _SHOWN else ""
        listed = ", ".join(f'"{each}"' for each in sorted(set(archive.languages()) - {usual, ""}))
        yield Problem(
            CONFIG_FILE,
            0,
            "posts in several languages share the index, the feed and the newsletters: "
            f"{', '.join(sources[:_SHOWN])}{more}",
            f"set languages = [{listed}] under [site]; each then has its own",
            Severity.WARNING,
        )


def _unsent(config: Config, archive: Archive, lines: KeyLines) -> Iterator[Problem]:
    """Yield a warning for each language of the site whose posts no newsletter takes, if there is any newsletter."""
    site = config.site
    spoken = map(config.newsletter_language, config.newsletters)
    sent = {site_language(each, site.all_languages, site.language) for each in spoken}
    for language in site.all_languages if sent else ():
        count = 0 if language in sent else len(archive.in_language(language))
        if count:
            yield Problem(
                CONFIG_FILE,
                lines.of(("site", "languages")),
                f"{_posts(count)} in {language!r}, for which there is no newsletter",
                f'add a [[newsletters]] with language = "{language}"',
                Severity.WARNING,
            )


def _first(language: str) -> str:
    return language.lower().replace("_", "-").partition("-")[0]


def _posts(count: int) -> str:
    return f"{count:,} posts are" if count > 1 else "1 post is"
