"""The program's own words on the pages. All other text comes from the project."""

from __future__ import annotations

from types import SimpleNamespace

from publisher.core.i18n import Plural, direction, translate
from publisher.core.templates import Templates

ENGLISH: dict[str, str | Plural] = {
    "skip": "Skip to content",
    "site_menu": "Site",
    "archive": "Archive",
    "all_posts": "All posts",
    "tags": "Tags",
    "tag_intro": "Posts tagged",
    "editions": "Newsletter",
    "all_editions": "All editions",
    "edition_number": "No. {number}",
    "feed": "Feed",
    "all_feeds": "All feeds",
    "follow": "Follow {title}",
    "follow_hint": "Get new posts in your feed reader. Add one of these feeds:",
    "follow_by_feed": "Or follow with a feed reader:",
    "follow_letters": "Or read past editions:",
    "subscribe": "Subscribe",
    "by_feed": "Follow with a feed reader",
    "subscribe_what": "A feed is a list of new posts that an app checks for you. You choose the app, no one can see "
    "who you are, and nothing is filtered.",
    "subscribe_how": "Copy a feed’s URL from the list below (one click selects it) and paste it where your feed "
    "reader says “add” or “subscribe”. Any of the formats will do. If you don’t have a feed reader yet, search for "
    "“feed reader” or “RSS reader”; there are good ones for every device.",
    "subscribe_all": "All of these feeds in one file, for feed readers that import lists:",
    "feeds_of_site": "All posts",
    "feeds_of_newsletters": "Newsletters, one entry for each edition",
    "feeds_of_tags": "By tag",
    "feeds_of_authors": "By author",
    "minutes": Plural("{count} min read", "{count} min read"),
    "updated": "Updated",
    "related": "On the same subject",
    "newer": "Newer",
    "older": "Older",
    "pages_menu": "Pages",
    "neighbours_menu": "Newer and older posts",
    "page_of": "Page {number} of {count}",
    "count_of_posts": "Posts: {count}",
    "no_posts": "Nothing has been published here yet.",
    "listen": "Listen",
    "download": "Download",
    "table": "Scrollable table",
    "not_found": "Page not found",
    "not_found_hint": "The address may be mistyped, or the page may have moved. Try one of these:",
    "home": "Home",
}


def words_for(language: str, templates: Templates) -> SimpleNamespace:
    """Return the words in a language (a BCP 47 tag). Templates use them as `words.older`.

    `words.language` is the language of the catalog that was found, or English if there is none for this language.
    """
    spoken = translate("page", ENGLISH, language, templates.folders)
    tongue = {"language": spoken.language, "direction": direction(spoken.language)}
    return SimpleNamespace(**tongue, **spoken.phrases, **spoken.counted)
