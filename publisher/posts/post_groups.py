"""Public posts by what they have in common: tags, authors, a language, and the text that they translate.

The functions are pure and take the rows of the index, newest first, so no post is loaded for them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache

from publisher.core.models import Tag
from publisher.posts.blog_tools.path_languages import group_of
from publisher.posts.index import PostRow
from publisher.posts.index_rows import tags_of
from publisher.posts.post_file import PostSettings
from publisher.posts.slugs import tag_slug
from publisher.posts.urls import quoted


def by_tag(rows: Sequence[PostRow]) -> dict[str, list[str]]:
    """Return, by the slug of each tag, the sources of its posts that appear in feeds, newest first."""
    found: dict[str, list[str]] = {}
    lists: dict[str, list[list[str]]] = {"": []}  # by all tags of a post; few posts have a combination of their own
    for source, tags in [(row.source, row.tags) for row in rows if row.in_feeds]:
        if tags not in lists:
            lists[tags] = [found.setdefault(line.partition("\t")[0], []) for line in tags.split("\n")]
        for sources in lists[tags]:
            sources.append(source)
    return found


def all_tags(rows: Sequence[PostRow]) -> list[Tag]:
    """Return all tags of posts, sorted by slug, each with the name that most posts use."""
    counts: Counter[str] = Counter()
    for text, count in Counter(row.tags for row in rows if row.tags).items():
        for line in text.split("\n"):
            counts[line] += count
    spellings: dict[str, list[tuple[int, str]]] = {}
    for tag, count in zip(tags_of("\n".join(counts)), counts.values(), strict=True):
        spellings.setdefault(tag.slug, []).append((-count, tag.name))
    return [Tag(min(names)[1], slug) for slug, names in sorted(spellings.items())]


def by_author(rows: Sequence[PostRow]) -> dict[str, tuple[str, list[str]]]:
    """Return the name that most posts use, and the sources of the author's posts in feeds, by the author's slug.

    The sources are sorted with the newest first.
    """
    sources: dict[str, list[str]] = {}  # by all authors of a post; there are few combinations
    for row in rows:
        if row.in_feeds:
            sources.setdefault(row.authors, []).append(row.source)
    combinations: dict[str, list[str]] = {}
    spellings: dict[str, Counter[str]] = {}
    for names, found in sources.items():
        for name in names.split("\n") if names else ():
            slug = tag_slug(name)
            spellings.setdefault(slug, Counter())[name] += len(found)
            combinations.setdefault(slug, []).append(names)
    return {
        slug: (min(counts, key=lambda name: (-counts[name], name)), _merged(rows, combinations[slug], sources))
        for slug, counts in spellings.items()
    }


def _merged(rows: Sequence[PostRow], keys: list[str], lists: dict[str, list[str]]) -> list[str]:
    """Return the lists for these keys as one list, in the order of the rows."""
    if len(keys) == 1:
        return lists[keys[0]]
    wanted = {source for key in keys for source in lists[key]}
    return [row.source for row in rows if row.source in wanted]


@lru_cache(maxsize=1024)
def site_language(language: str, languages: tuple[str, ...], usual: str) -> str:
    """Return the language of the site under which a post in a language is listed: that language, or its first part.

    languages  the languages of the site; () if all posts are listed together
    usual      the language of the site, under which posts in all other languages are listed
    """
    if not languages or not language:
        return usual
    known = {each.lower(): each for each in (*languages, usual)}
    first = language.lower().partition("-")[0]
    near = next((each for low, each in known.items() if low.partition("-")[0] == first), usual)
    return known.get(language.lower()) or known.get(first) or near


def translations(
    rows: Sequence[PostRow], settings: PostSettings, keys: Mapping[str, str]
) -> dict[str, tuple[tuple[str, str], ...]]:
    """Return the (language, URL) of the other posts that are the same text in another language, by source.

    Translations are recognised by the paths of their files, by a key in front matter or, for tools whose translations
    have the same address apart from the language, by the address.

    keys  the keys of the posts that have any, by source
    """
    by_address = settings.tool in ("jekyll", "pelican") and len({row.language for row in rows}) > 1
    if not (settings.languages or settings.translated or keys or by_address):
        return {}
    groups: dict[str, list[PostRow]] = {}
    for row in rows:
        key = keys.get(row.source)
        own = f"\0{key}" if key else group_of(row.source, settings.languages, settings.translated)
        groups.setdefault(own, []).append(row)
    if by_address:
        single = [group for group in groups.values() if len(group) == 1]
        groups = {own: group for own, group in groups.items() if len(group) > 1}
        for (row,) in single:
            groups.setdefault(f"\0{_without_language(row, settings)}", []).append(row)
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    for group in groups.values():
        spoken = {row.language: row for row in sorted(group, key=lambda row: row.source)}
        if len(spoken) > 1:
            urls = {each: _url(row.permalink, settings.site_url) for each, row in sorted(spoken.items())}
            for row in spoken.values():
                found[row.source] = tuple(pair for pair in urls.items() if pair[0] != row.language)
    return found


def _without_language(row: PostRow, settings: PostSettings) -> str:
    """Return the address of a post without the part that its tool adds for a language other than the usual one."""
    if row.language == settings.language:
        return row.permalink
    if settings.tool == "jekyll":  # with Polyglot
        return row.permalink.removeprefix(f"/{row.language}")
    before, added, after = row.permalink.rpartition(f"-{row.language}")
    return before + after if added and after[:1] in ("", ".", "/") else row.permalink


def _url(permalink: str, site_url: str) -> str:
    return site_url + quoted(permalink) if permalink[0] == "/" else permalink
