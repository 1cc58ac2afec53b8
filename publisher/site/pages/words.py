"""The pages' own words, all in one place: what is not here was written by the writer."""

from __future__ import annotations

from types import SimpleNamespace

from publisher.core.i18n import Plural, direction, speak
from publisher.core.templates import Templates

ENGLISH: dict[str, str | Plural] = {
    "skip": "Skip to the text",
    "site_menu": "Site",
    "archive": "Archive",
    "all_posts": "All posts",
    "tags": "Tags",
    "tag_intro": "Posts tagged",
    "editions": "Letters",
    "all_editions": "All letters",
    "edition_number": "No. {number}",
    "feed": "Feed",
    "follow": "Follow {title}",
    "follow_hint": "Add one of these addresses to a feed reader, and new posts come to you:",
    "follow_letters": "Or look at the letters sent so far:",
    "subscribe": "Follow this site",
    "subscribe_what": "A feed is a list of the newest posts that a program reads for you. You choose the program, "
    "nobody learns who you are, and nothing stands between a post and you.",
    "subscribe_how": "Copy an address from below (one click on it selects it whole) and paste it where your feed "
    "reader says “add” or “subscribe”. Any of the formats will do. If you have no reader yet, look for one "
    "under “feed reader” or “RSS reader”; there are good ones for every device.",
    "subscribe_all": "All of these feeds in one file, for a reader that imports lists:",
    "feeds_of_site": "Everything",
    "feeds_of_newsletters": "Newsletters, one entry for each edition",
    "feeds_of_tags": "By subject",
    "feeds_of_authors": "By author",
    "minutes": Plural("{count} min read", "{count} min read"),
    "updated": "Updated",
    "newer": "Newer",
    "older": "Older",
    "pages_menu": "Pages",
    "neighbours_menu": "Newer and older posts",
    "page_of": "Page {number} of {count}",
    "count_of_posts": "Posts: {count}",
    "no_posts": "Nothing is published here yet.",
    "listen": "Listen",
    "download": "Download",
    "table": "Table, scrolls sideways",
    "not_found": "This page is not here",
    "not_found_hint": "The address may be mistyped, or the page has moved. These may help:",
    "home": "Home",
}


def words_for(language: str, templates: Templates) -> SimpleNamespace:
    """Return the words in a language (BCP 47). Templates say `words.older`; `words.language` is what they are in."""
    spoken = speak("page", ENGLISH, language, templates.folders)
    tongue = {"language": spoken.language, "direction": direction(spoken.language)}
    return SimpleNamespace(**tongue, **spoken.phrases, **spoken.counted)
