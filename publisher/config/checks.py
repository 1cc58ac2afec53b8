"""Checks of single values. Each raises ValueError with a message for the person who wrote the value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from publisher.config.schedule import parse_schedule
from publisher.core import patterns

# The name of the project's own posts in a newsletter's list of sources.
OWN_POSTS = "posts"

# Folders in which git, Mercurial and Subversion keep their own files, and those for templates and notes.
_OF_VERSIONS = (".git", ".hg", ".svn")
_WRITTEN_BY_HAND = ("templates", "letters")

# Addresses that are certainly valid, with or without a display name; Python's parser decides on all others.
_PLAIN_ADDRESS = patterns.compile(
    r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+"
    r"|[A-Za-z0-9]+( [A-Za-z0-9]+)* <[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+>"
)


class between:  # noqa: N801 - used like the other checks, which are functions
    """A check that accepts whole numbers from `least` to `most` (inclusive). docs/configuration.md shows the range."""

    __slots__ = ("least", "most")

    def __init__(self, least: int, most: int | None = None) -> None:
        self.least, self.most = least, most

    def __call__(self, value: int) -> None:
        """Raise ValueError for a number outside the range."""
        least, most = self.least, self.most
        if value < least or (most is not None and value > most):
            raise ValueError(f"{value} is not between {least} and {most}" if most else f"{value} is less than {least}")

    def __str__(self) -> str:
        """Return the range in words: "15 to 60", "10000 or more"."""
        return f"{self.least} or more" if self.most is None else f"{self.least} to {self.most}"


def web_address(value: str) -> None:
    """Accept an absolute http(s) URL without login, query or fragment; the empty string means unset.

    Paths are appended to this URL, so nothing may follow its own path.
    """
    page_address(value)
    parts = urlsplit(value)
    if parts.query or parts.fragment or value.endswith(("?", "#")):
        raise ValueError(f"{value!r} must have no ? or #")
    if "//" in parts.path:  # a path that begins with // would lead to another site
        raise ValueError(f"{value!r} must have no // after the host name")


def hub_address(value: str) -> None:
    """Accept an absolute http(s) URL to which requests are sent. It may have a query, but not a fragment."""
    page_address(value)
    if "#" in value:
        raise ValueError(f"{value!r} must have no #")


def feed_address(value: str) -> None:
    """Accept an absolute http(s) URL of a feed. It may have a query, but not a fragment, and can't be empty."""
    if not value:
        raise ValueError("must not be empty; write the address of a feed, like https://example.org/feed.xml")
    hub_address(value)


def source_name(value: str) -> None:
    """Accept a short name, except the one that means the project's own posts."""
    short_name(value)
    if value == OWN_POSTS:
        raise ValueError(f"{value!r} means your own posts; choose a different name")


def page_address(value: str) -> None:
    """Accept an absolute http(s) URL for links, which may have a query and a fragment; "" means unset."""
    if not value:
        return
    if "@" in value:
        raise ValueError("must not contain a user name or password")  # so the message doesn't repeat the value
    try:
        parts = urlsplit(value)
    except ValueError as error:
        raise ValueError(f"{value!r} isn't a valid web address; write it like https://example.org") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"[\s\x00-\x1f<>\"\\]", value):
        raise ValueError(f"{value!r} isn't a valid web address; write it like https://example.org")
    try:
        good = parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise ValueError(f"{value!r} has an invalid port")


def picture(value: str) -> None:
    """Accept an absolute http(s) URL, or a path inside the folder of static files; "" means unset."""
    if value.lower().startswith(("http:", "https:")):
        page_address(value)
    elif (
        re.match(r"//|[A-Za-z][A-Za-z0-9+.-]*:", value)
        or ".." in value.split("/")
        or re.search(r"[\\?#\x00-\x1f]", value)
        or (value and not value.strip("/ ."))
    ):
        raise ValueError(f"{value!r} isn't a picture; write a URL, or a path under static/ such as logo.png")


def no_value_twice(value: Sequence[str]) -> None:
    """Accept a list without duplicates."""
    twice = next((item for item in value if list(value).count(item) > 1), None)
    if twice is not None:
        raise ValueError(f"{twice!r} is listed twice")


# A path below the site's URL: no dot segments, no hidden files, nothing with a special meaning in URLs.
_FEED_PATH = patterns.compile(r"(?![.])[^\\?#:\x00-\x20=<>\"%]+")
_OF_PAGES = ("index.html", "404.html", "sitemap.xml", "feeds.opml")


def feed_names(value: Sequence[str]) -> None:
    """Accept paths such as index.xml or rss/, each optionally with a format, as in `feed.xml = atom`."""
    for item in value:
        path, _, kind = (part.strip() for part in item.partition("="))
        parts = path.lstrip("/").removesuffix("/").split("/")
        if not all(_FEED_PATH.fullmatch(part) for part in parts) or parts == list(_OF_PAGES[:1]) or path in _OF_PAGES:
            raise ValueError(f"{item!r} isn't a path for a feed; write it like index.xml, rss/ or feed.xml = atom")
        if kind not in ("", "rss", "atom", "json") or item.count("=") > 1:
            raise ValueError(f"{item!r}: {kind!r} isn't a format; write rss, atom or json")
    no_value_twice([item.partition("=")[0].strip().lstrip("/") for item in value])


def menu(value: Sequence[str]) -> None:
    """Accept entries such as about or Code = https://example.org/: a page or URL, optionally with a title."""
    for item in value:
        target = item.partition(" = ")[2] or item
        has_title = item.partition(" = ")[0].strip() != ""
        if not has_title or not target.strip() or re.search(r"[\s<>\"\\\\\x00-\x1f]", target.strip()):
            raise ValueError(f"{item!r} isn't an entry of a menu; write archive, about or Code = https://example.org/")
        if re.match(r"//|[A-Za-z][A-Za-z0-9+.-]*:", target.strip()):
            page_address(target.strip())
    no_value_twice([item.partition(" = ")[2] or item for item in value])


# https://podcasters.apple.com/support/1691-apple-podcasts-categories
_PODCASTS = (
    "Arts", "Business", "Comedy", "Education", "Fiction", "Government", "Health & Fitness", "History", "Kids & Family",
    "Leisure", "Music", "News", "Religion & Spirituality", "Science", "Society & Culture", "Sports", "TV & Film",
    "Technology", "True Crime",
)  # fmt: skip


def podcast_category(value: str) -> None:
    """Accept a category of Apple's podcast directory, with or without a subcategory; the empty string means unset."""
    category, *below = (part.strip() for part in value.split(">"))
    if value and (category not in _PODCASTS or len(below) > 1 or "" in below):
        raise ValueError(f"{value!r} isn't a podcast category; write it like Arts or Arts > Books")


def not_blank(value: str) -> None:
    """Accept text with at least one visible character."""
    if not any(char.isprintable() and not char.isspace() for char in value):
        raise ValueError("must not be empty")


def time_zone(value: str) -> None:
    """Accept a name from the IANA time zone database."""
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        near = _similar_zone(value)
        advice = f"did you mean {near}?" if near else "write it like Europe/Berlin"
        raise ValueError(f"{value!r} is not a time zone; {advice}") from error


# Abbreviations that are not zones in the database, each with the largest city that uses it.
_ABBREVIATIONS = {
    "pst": "America/Los_Angeles", "pdt": "America/Los_Angeles", "pt": "America/Los_Angeles", "mdt": "America/Denver",
    "mt": "America/Denver", "cst": "America/Chicago", "cdt": "America/Chicago", "ct": "America/Chicago",
    "edt": "America/New_York", "et": "America/New_York", "ast": "America/Halifax", "brt": "America/Sao_Paulo",
    "bst": "Europe/London", "ist": "Asia/Kolkata", "cest": "Europe/Berlin", "mez": "Europe/Berlin",
    "mesz": "Europe/Berlin", "eest": "Europe/Athens", "west": "Europe/Lisbon", "msk": "Europe/Moscow",
    "jst": "Asia/Tokyo", "kst": "Asia/Seoul", "hkt": "Asia/Hong_Kong", "sgt": "Asia/Singapore",
    "aest": "Australia/Sydney", "aedt": "Australia/Sydney", "acst": "Australia/Adelaide", "awst": "Australia/Perth",
    "nzst": "Pacific/Auckland", "nzdt": "Pacific/Auckland", "sast": "Africa/Johannesburg",
}  # fmt: skip


def _similar_zone(value: str) -> str:
    """Return the time zone with the most similar name, ignoring case and spaces; "" if no name is similar."""
    import difflib  # 2 ms, and only a mistake needs it

    known = {name.lower(): name for name in sorted(available_timezones())}
    wanted = value.strip().lower().replace(" ", "_")[:60]
    if wanted in _ABBREVIATIONS:
        return _ABBREVIATIONS[wanted]
    cities = {name.rpartition("/")[2]: full for name, full in known.items() if full.count("/") == 1}
    if wanted in cities and wanted not in known:
        return cities[wanted]
    near = difflib.get_close_matches(wanted, known, n=1, cutoff=0.8)
    return known[near[0]] if near else ""


def time_zone_or_none(value: str) -> None:
    """Accept a name from the IANA time zone database; the empty string means unset."""
    if value:
        time_zone(value)


def language_tag(value: str) -> None:
    """Accept text in the form of a BCP 47 language tag; the empty string means unset."""
    if value and not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", value):
        raise ValueError(f"{value!r} isn't a language tag; write it like en or pt-BR")


def language_tags(values: Sequence[str]) -> None:
    """Accept different BCP 47 language tags."""
    for value in values:
        if not value:
            raise ValueError("a language tag must not be empty; write it like en or pt-BR")
        language_tag(value)
    no_value_twice([value.lower() for value in values])


def time_of_day(value: str) -> None:
    """Accept a civil time as HH:MM."""
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        raise ValueError(f"{value!r} isn't a time; write it like 09:00")


def schedule(value: str) -> None:
    """Accept a schedule that parse_schedule understands."""
    parse_schedule(value)


def short_name(value: str) -> None:
    """Accept a name that is safe in a path, a header and on a command line."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", value):
        raise ValueError(f"{value!r} isn't a valid name; use lower-case letters, digits and hyphens")


def mail_address(value: str) -> None:
    """Accept an email address with or without a display name; the empty string means unset."""
    if not value or _PLAIN_ADDRESS.fullmatch(value):
        return
    from email.policy import default  # Python's email package takes 13 ms to import, and most addresses are plain

    if re.search(r"[\r\n\0]", value):
        raise ValueError(f"{value!r} must be one line")
    try:
        parsed: Any = default.header_factory("to", value)
    except IndexError:  # Python's parser fails on "ada@"
        parsed = None
    addresses: Any = parsed.addresses if parsed and not parsed.defects else ()
    if len(addresses) != 1 or not addresses[0].username or not addresses[0].domain:
        raise ValueError(f"{value!r} isn't a valid email address; write it like Ada Lovelace <ada@example.org>")


# The placeholders of posts.permalink; posts.address_parts computes their values.
PERMALINK_PARTS = frozenset(
    (
        *("slug", "name", "file", "title", "slug_or_title", "slug_or_file", "folder", "section", "lang"),
        *("category", "categories", "slugified_categories", "year", "short_year", "month", "i_month", "short_month"),
        *("long_month", "day", "i_day", "y_day", "i_y_day", "w_year", "week", "w_day", "i_w_day", "short_day"),
        *("long_day", "hour", "minute", "second"),
    )
)
_TELL_APART = ("slug", "name", "file", "title", "slug_or_title", "slug_or_file")


def permalink_pattern(value: str) -> None:
    """Accept a path that starts with / and contains {slug}, {name} or the like, and no unknown placeholders."""
    unknown = [part for part in re.findall(r"\{([^{}]*)\}", value) if part not in PERMALINK_PARTS]
    if unknown:
        known = ", ".join(f"{{{part}}}" for part in sorted(PERMALINK_PARTS))
        raise ValueError(f"{{{unknown[0]}}} is not a known placeholder; use {known}")
    if not any(f"{{{part}}}" in value for part in _TELL_APART) or not value.startswith("/"):
        raise ValueError("must start with / and contain {slug}, or {name}, {file} or {title}")
    if ".." in value or re.search(r"[\s?#\\]", value):
        raise ValueError("must be a plain path")


def authority(value: str) -> None:
    """Accept the authority of a tag: URI (RFC 4151 section 2.1): a domain or address, a comma, a date."""
    if value and not re.fullmatch(r"[A-Za-z0-9._@-]+,\d{4}(-\d{2}){0,2}", value):
        raise ValueError(f"{value!r} isn't a valid authority; write a domain, a comma and a year: example.org,2026")


def project_path(value: str) -> None:
    """Accept a folder inside the project, other than .publisher, which contains databases and secrets."""
    parts = [part for part in re.split(r"[/\\]", value) if part not in ("", ".")]
    if value.startswith(("/", "\\", "~")) or ".." in parts or "\0" in value or not "".join(parts).strip():
        raise ValueError(f"{value!r} must be the path of a folder inside the project")
    if parts[0].casefold() == ".publisher":
        raise ValueError(f"{value!r} is where Publisher keeps its own files; choose a different folder")
    if any(part.casefold() in _OF_VERSIONS for part in parts):
        raise ValueError(f"{value!r} is where git or a similar tool keeps its own files; choose a different folder")


def posts_path(value: str) -> None:
    """Accept a folder inside the project, or "." for the project itself."""
    if value not in (".", "./"):
        project_path(value)


def path_patterns(values: Sequence[str]) -> None:
    """Accept patterns of relative paths, as in .gitignore: * for a part of a name, ** for any number of folders."""
    for value in values:
        if not value.strip("/ ") or ".." in value.split("/") or re.search(r"[\\\x00-\x1f]", value) or len(value) > 500:
            raise ValueError(f"{value!r} isn't a path pattern; write it like drafts/** or README.md")


def copied_folders(values: Sequence[str]) -> None:
    """Accept folders inside the project, each optionally with its path on the site: assets/img = /img."""
    for value in values:
        folder, divided, place = (part.strip() for part in value.partition("="))
        project_path(folder)
        if divided and (not place.startswith("/") or ".." in place.split("/") or re.search(r"[\\?#\x00-\x1f]", place)):
            raise ValueError(f"{value!r}: {place!r} isn't a path on the site; write it like assets/img = /img")
    no_value_twice(values)


def output_path(value: str) -> None:
    """Accept a folder inside the project that a build may fill, which excludes the folders of templates and notes."""
    project_path(value)
    first = next(part for part in re.split(r"[/\\]", value) if part not in ("", ".")).casefold()
    if first in _WRITTEN_BY_HAND:
        raise ValueError(f"{value!r} contains files that you write; choose a different folder")


def outbox_path(value: str) -> None:
    """Accept a folder inside the project, or below .publisher; the empty string means unset."""
    if value:
        project_path(re.sub(r"^(\./)*\.publisher/(?=[^/.])", "", value, flags=re.IGNORECASE))


def colour(value: str) -> None:
    """Accept a colour as #rrggbb, which all email clients understand; the empty string means unset."""
    if value and not re.fullmatch(r"#[0-9A-Fa-f]{6}", value):
        raise ValueError(f"{value!r} isn't a valid colour; write it like #0a5a8a, or as a CSS name such as teal")


def font(value: str) -> None:
    """Accept comma-separated font names that need no quotes in CSS; the empty string means unset."""
    if value and not re.fullmatch(r"-?[A-Za-z][\w-]*( [A-Za-z][\w-]*)*(, ?-?[A-Za-z][\w-]*( [A-Za-z][\w-]*)*)*", value):
        raise ValueError(f"{value!r} isn't a list of fonts; write system, sans, serif, or names like Georgia, serif")


def listen_address(value: str) -> None:
    """Accept an IP address or "localhost", with a port: 127.0.0.1:8018 or [::1]:8018."""
    host, _, port = value.rpartition(":")
    try:
        if host != "localhost":
            ip_address(host.strip("[]"))
        good = port.isascii() and port.isdigit() and int(port) < 65_536 and (":" not in host or host.startswith("["))
    except ValueError:
        good = False
    if not good:
        raise ValueError(f"{value!r} isn't an IP address with a port; write it like 127.0.0.1:8018")


def own_listen_address(value: str) -> None:
    """Accept what `listen_address` accepts; "" means unset."""
    if value:
        listen_address(value)


def networks(values: tuple[str, ...]) -> None:
    """Accept IP addresses and networks, such as 10.0.0.7, 10.0.0.0/8 or ::1."""
    for value in values:
        try:
            ip_network(value)
        except ValueError as error:
            raise ValueError(f"{value!r} isn't an IP address or network; write it like 10.0.0.0/8") from error


def origins(values: tuple[str, ...]) -> None:
    """Accept origins of web pages (RFC 6454), such as https://example.org or http://127.0.0.1:4000, or *."""
    for value in values:
        if value == "*":
            continue
        page_address(value)
        parts = urlsplit(value)
        if not value or value != f"{parts.scheme}://{parts.netloc}".lower():
            raise ValueError(f"{value!r} isn't an origin; write it like https://example.org, without a path")


def civil_date(value: str) -> None:
    """Accept YYYY-MM-DD; the empty string means unset."""
    if value:
        try:
            date.fromisoformat(value)
        except ValueError as error:
            raise ValueError(f"{value!r} isn't a valid date; write it like 2026-01-31") from error


# A user and password, as SQLAlchemy finds them, and what follows.
_USER_OF_DATABASE = patterns.compile(r"[^:]+://(?:[^:/]*(?P<password>:[^@]*)?@)?(?P<rest>.*)")


def server_database_url(value: str) -> None:
    """Accept PostgreSQL URLs; the empty string means unset."""
    if value.startswith("sqlite"):
        raise ValueError("is for PostgreSQL; SQLite has no connection pooler")
    if value:
        database_url(value)


def database_url(value: str) -> None:
    """Accept SQLite and PostgreSQL URLs. The error doesn't repeat the value, which may contain a password.

    An unescaped special character would end the password, and the rest of it would be shown as the server's name.
    """
    if not re.match(r"(sqlite:///.|postgres(ql(\+psycopg)?)?://.)", value):
        raise ValueError("unsupported database; use sqlite:///path or postgresql://host/name")
    if re.search(r"[\x00-\x1f\x7f]", value):
        raise ValueError("must not contain control characters")
    found = _USER_OF_DATABASE.match(value)
    if value.startswith("sqlite") or found is None or "@" not in found["rest"]:
        return
    if "@" in found["rest"].partition("?")[0] or found["password"]:
        raise ValueError("has an @ in its user, password or options; write @ as %40, / as %2F, : as %3A and ? as %3F")
