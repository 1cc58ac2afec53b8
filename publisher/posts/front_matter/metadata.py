"""Conversion of front matter to a Post. Each tool's form of a date, a picture or an author becomes the same field."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from publisher.core.errors import PostError
from publisher.core.file_names import in_folder, is_project
from publisher.core.models import Author, Enclosure, Episode, Image, Post, Problem, Severity, Tag
from publisher.posts.blog_tools.list_pages import is_list_page
from publisher.posts.blog_tools.names import title_of_file
from publisher.posts.blog_tools.path_languages import blog_folder, in_address, path_language
from publisher.posts.cache_keys import hash_of
from publisher.posts.front_matter.attached_files import AttachedFiles
from publisher.posts.front_matter.bylines import Bylines
from publisher.posts.front_matter.dates import is_time_stamp, parse_date, place
from publisher.posts.front_matter.earlier_paths import earlier_paths, leads_on
from publisher.posts.front_matter.elsewhere import canonical, external_url, shortened
from publisher.posts.front_matter.enclosures import Enclosures, is_played
from publisher.posts.front_matter.episode import episode_of
from publisher.posts.front_matter.field_names import FrontMatter, can_hide, fields_of, first_text, fold
from publisher.posts.front_matter.post_address import Named, PostAddress, unescaped
from publisher.posts.front_matter.switches import TRUE, is_switched, word_of
from publisher.posts.permalinks import file_date, name_of, path_date, tag_uri
from publisher.posts.post_file import Head, ParsedFile, PostSettings, Tree
from publisher.posts.slugs import own_slug, post_slug, tag_slug
from publisher.posts.text.comments import without_comments
from publisher.posts.text.excerpt import decoded, is_visible, plain_line, says_more, without_pairs
from publisher.posts.text.typography import typeset
from publisher.posts.urls import quoted


def build_post(
    source: str, head: Head, digest: str, settings: PostSettings, title_in: Callable[[str], tuple[str, bool]]
) -> ParsedFile:
    """Build the Post from a file; a draft, or a page of the blog's tool, gives a ParsedFile without a Post.

    title_in  returns the title in a body, and whether the title is a heading; "" if there is no title

    Raises PostError, with the line, if the file cannot be published.
    """
    meta = FrontMatter(head.fields, head.lines)
    is_draft = meta.is_draft() or source.startswith("_drafts/") or "/_drafts/" in source
    if is_draft and not settings.shows_drafts:
        return ParsedFile(None, tuple(_published_by_hugo(meta, in_folder(settings.folder, source), settings.tool)))
    if settings.tool and settings.needs_date and is_list_page(source, head.fields, meta.find("published")[0]):
        return ParsedFile(None)
    meta.refuse_unclear()
    builder = _PostBuilder(source, head, meta, settings, title_in)
    post = builder.post(digest)
    if meta.has("aliases") or meta.has("redirect_to"):
        here = meta, post.permalink, settings, builder._warn
        post = replace(post, aliases=earlier_paths(*here), redirect_to=leads_on(*here))
    name = _TRANSLATION_KEYS.get(settings.tool)
    if name and isinstance(key := meta.at(name), str):
        post = replace(post, translation_key=key)
    return ParsedFile(post, tuple(builder.problems), tuple(builder.attached.measured.items()), unfit=builder.unfit)


def _published_by_hugo(meta: FrontMatter, path: str, tool: str) -> Iterator[Problem]:
    """Warn about a draft that Hugo publishes, because `yes` is only a text for Hugo, unlike `true`."""
    for key, value, line in meta.all("draft") if tool == "hugo" else ():
        if key.lower() == "draft" and word_of(value) in TRUE - {"true", "1"}:
            what = f"{key}: {value} makes this post a draft here; Hugo takes the value as text, and publishes the post"
            yield Problem(path, line, what, "write draft: true, or false", Severity.WARNING)


class _PostBuilder:
    """The builder of one post, which determines its fields and collects warnings."""

    def __init__(
        self,
        source: str,
        head: Head,
        meta: FrontMatter,
        settings: PostSettings,
        title_in: Callable[[str], tuple[str, bool]],
    ) -> None:
        self.source, self.head, self.meta, self.settings = source, head, meta, settings
        self.spoken = path_language(source, settings.languages, settings.translated)
        # A post that was published before endings named languages keeps its name and its address.
        self.translated = None if self.spoken and settings.was_published_before(source) else self.spoken
        self.folder, self.name = name_of(self.translated.source if self.translated else source)
        self.old = settings.old.get(source)
        self.title_in = title_in
        self.problems: list[Problem] = []
        # Not a method: the builder would then refer to itself and wait for the garbage collector.
        self._warn = partial(_add_warning, self.problems, in_folder(settings.folder, source))
        self.attached = AttachedFiles(source, settings, self._warn)
        self.misspelled = list(meta.misspelled())
        self.unfit: Problem | None = None
        self.known_authors: list[Author] = []

    def post(self, digest: str) -> Post:
        """Return the post with these fields. Raises PostError if the file cannot be a post."""
        self._look_at_keys()
        self._look_at_values()
        written, published = self._dates()
        # Unlike the date in the front matter, the day in the file name is never corrected.
        day, rest = file_date(self.name) or (written.astimezone(self.settings.zone).date(), self.name)
        title, has_title = self._title(rest)
        language = self._language()
        name = self._name(rest, day)
        path = self._permalink(written, name, title, language)
        url = self.settings.site_url + quoted(path)
        published_at = canonical(self.meta, self.settings.site_url, self._warn)
        updated = self._optional_date("updated")
        enclosures, authors = self._enclosures(url), self._authors(url)
        return Post(
            source=self.source,
            id=self._own_id() or tag_uri(self.settings.authority, day, self.folder, self._name_in_id(name)),
            title=title,
            permalink=path,
            url=published_at.url if published_at.is_elsewhere else url,
            published=published,
            updated=max(updated, published) if updated else published,
            digest=hash_of(digest, repr(self.known_authors)) if self.known_authors else digest,
            expires=self._optional_date("expires"),
            external_url=external_url(self.meta, self.settings.site_url, self._warn),
            language=language,
            excerpt=self._excerpt(title),
            excerpt_separator=self.meta.text("separator"),
            authors=authors,
            tags=self._tags(),
            image=self._image(url),
            enclosures=enclosures,
            episode=self._episode(url) if any(map(is_played, enclosures)) else None,
            has_title=has_title,
            files=tuple(self.attached.files),
            canonical=published_at.url,
            **self._outlets(),
        )

    def _outlets(self) -> dict[str, Any]:
        """Return where the post is shown: on lists, on a page, in feeds and in newsletters."""
        has_page, in_newsletters = self.meta.wants("page"), self.meta.is_listed and self.meta.wants("in_newsletters")
        if not (has_page or in_newsletters):
            what = "it has no page and is in no newsletter, so nobody sees it"
            self._warn(self.meta.find("page")[1], what, "remove `page: false`, or what keeps it out of newsletters")
        is_listed = self.meta.is_listed and has_page
        in_feeds = is_listed and self.meta.wants("in_feeds")
        return {"has_page": has_page, "is_listed": is_listed, "in_feeds": in_feeds, "in_newsletters": in_newsletters}

    def _own_id(self) -> str:
        """Return the id in the front matter, or else the id in the old feed; "" if there is neither."""
        return self.meta.text("id") or (self.old.id if self.old else "")

    def _name_in_id(self, name: str) -> str:
        """Add to a name the language that the end of the file's name gives, because all translations share one name."""
        spoken = self.translated
        return name if spoken is None or spoken.folder else f"{name}.{spoken.part.lower()}"

    def _name(self, rest: str, day: date) -> str:
        """Return the name of the post in its id and, unless it has a slug, in its address. rest: its file's name.

        A name that has no letters, or differs from another one only in punctuation, keeps its punctuation. A published
        post keeps the name that it has.
        """
        plain, own = post_slug(rest), own_slug(rest)
        if own == plain:
            return plain
        published, read = self.settings.published_id(self.source), unescaped(rest)
        if published:  # perhaps with another authority or day, so only the names are compared
            names = own, post_slug(read)
            ends = published.rpartition(":")[2]
            return next(
                (n for n in names if ends == tag_uri("", day, self.folder, self._name_in_id(n)).rpartition(":")[2]),
                plain,
            )
        if read != rest:
            return own_slug(read) if self.source in self.settings.own_names else post_slug(read)
        return own if self.source in self.settings.own_names or not any(map(str.isalnum, rest)) else plain

    def _look_at_keys(self) -> None:
        """Warn about keys that have no effect; raise PostError if they were meant to hide something."""
        for found, line in self.misspelled:
            what, hint = f"{found.key!r} is not a field of posts and has no effect", f"did you mean {found.known}?"
            if found.hides:
                raise PostError(what, line=line, hint=hint)
            self._warn(line, what, hint)
        for key, line in self.meta.hidden_elsewhere():
            hint = "write draft: true, hidden: true, feed: false or newsletter: false"
            self._warn(line, f"{key!r} is not a field of posts and hides nothing here", hint)
        for key, first, second in self.head.twice:
            self._tell_twice(key, f"{key!r} is written twice, on lines {first} and {second}; the second counts", second)
        for key, other, first, second in self.meta.twice():
            what = f"{key!r} and {other!r} are the same field, on lines {first} and {second}; the first counts"
            self._tell_twice(key, what, second)

    def _tell_twice(self, key: str, what: str, line: int) -> None:
        hint = "delete one of them"
        if can_hide(key):
            raise PostError(what, line=line, hint=hint)
        self._warn(line, what, hint)

    def _look_at_values(self) -> None:
        """Warn about parts of values that YAML does not read as text, although they were meant for readers."""
        for key, line, what, fix in self.head.unread:
            fields = fields_of(key) | fields_of(key.partition(".")[0])
            # After a date or a switch, and in "tags: a  # why", a comment is meant.
            if not fields or (what[0] == "#" and not what[1:2].strip() and fields.isdisjoint(_SENTENCES)):
                continue
            kinds = {"#": "is a comment", "!": "begins with a YAML tag", "&": "begins with a YAML anchor"}
            said = "the rest of the line, " if what[0] == "#" else ""
            hint = f"put the value in quotes: {fix}" if fix else "put the value in quotes"
            self._warn(line, f"{key}: {said}{shortened(what)!r}, {kinds[what[0]]}", hint)
        for field in filter(self.meta.has, _SENTENCES):
            value, line = self.meta.find(field)
            if isinstance(value, list | dict):
                what = f"{self.meta.key(field)}: what is in brackets is read as a list or a table, not as text"
                self._warn(line, what, "put the value in quotes")
            elif isinstance(value, str) and without_comments(value) != value:
                what = f"{self.meta.key(field)}: the comment <!-- ... --> is left out"
                self._warn(line, what, "write &lt;! for <! if readers should see it")

    def _moment(self, text: str) -> datetime:
        """Parse a date in front matter as a time; raise ValueError if it is not valid."""
        settings = self.settings
        # YAML's own time stamps without a zone are in UTC, and Jekyll leaves them like that. Other times are in its own
        # zone.
        zone = UTC if settings.tool == "jekyll" and is_time_stamp(text) else settings.zone
        return parse_date(
            text, zone, morning=settings.morning, month_first=settings.tool in _MONTH_FIRST and "/" in text
        )

    def _refuse_misspelled_date(self, published: datetime) -> None:
        """Raise PostError if a misspelled key has a date that would keep the post back for longer."""
        for found, line in self.misspelled:
            if found.field != "published" or not isinstance(found.value, str):
                continue
            if self._moment(found.value) > published:
                what = f"{found.key!r} is not a field of posts, so the post would be published earlier"
                raise PostError(what, line=line, hint=f"did you mean {found.known}?")

    def _dates(self) -> tuple[datetime, datetime]:
        """Return the dates of the post and of its publication, which may be later, under a key such as `publish`."""
        written = published = self._published()
        for key, value, line in self.meta.all("published"):
            if fold(key) in _WHEN and isinstance(value, str) and not is_switched(value):
                try:
                    published = max(published, self._moment(value))
                except ValueError as error:
                    self._warn(line, f"{key} is ignored: {error}", "delete it, or correct it")
        self._refuse_misspelled_date(published)
        return written, self.old.moment(published) if self.old else published

    def _published(self) -> datetime:
        found = self._date("published")
        if found:
            return found
        path = self.meta.at("path")
        day: date | None = path_date(path) if isinstance(path, str) else None
        if day is None:
            dated = file_date(self.name)
            day = dated[0] if dated else path_date(self.source)
        if day is None and not self.settings.needs_date:
            return _NO_DAY
        if day is None:
            raise PostError(
                "the post has no date",
                hint=f"add `date: 2024-07-06` to its front matter, or name the file 2024-07-06-{self.name}"
                f"{Path(self.source).suffix}{'; or add it to posts.exclude' if self.settings.tool else ''}",
            )
        return place(datetime.combine(day, self.settings.morning), self.settings.zone)

    def _date(self, field: str) -> datetime | None:
        value, line = self.meta.find(field)
        if value is None or (isinstance(value, str) and value.startswith("0001-01-01")):
            return None  # Hugo writes the year 1 if there is no date
        if not isinstance(value, str):
            raise PostError(
                f"{field}: a list or a table isn't a valid date", line=line, hint="write it like 2024-07-06 08:30"
            )
        try:
            return self._moment(value)
        except ValueError as error:
            raise PostError(str(error), line=line) from error

    def _optional_date(self, field: str) -> datetime | None:
        """Return a date that the post need not have; an invalid date is ignored with a warning."""
        try:
            return self._date(field)
        except PostError as error:
            what = error.message.removeprefix(f"{field}: ")
            self._warn(error.line, f"{self.meta.key(field)} is ignored: {what}", error.hint)
            return None

    def _excerpt(self, title: str) -> str:
        """Return the description of the post; "" if it is missing, or only repeats the title."""
        excerpt = typeset(plain_line(self.meta.text("excerpt")))
        return excerpt if says_more(excerpt, title) else ""

    def _title(self, rest: str) -> tuple[str, bool]:
        """Return the title, and whether the author gave it; if not, it is made from the first words or the file's name.

        A short text without a title is a note, which is shown without one. rest: the name of the file.
        """
        title = typeset(decoded(without_comments(without_pairs(self.meta.text("title")))))
        if is_visible(title):
            return title, True
        title, is_heading = self.title_in(self.head.body)
        if not is_heading and (of_file := title_of_file(self.settings.tool, self.name, rest)):
            return of_file, True
        if title and (is_heading or not self.meta.has("title")):
            return title, is_heading
        title = re.sub(r"[-_]+", " ", rest).strip().capitalize() or self.name
        self._warn(1, f"the post has no title; using {title!r}, from the file name", "add `title:`")
        return title, True

    def _permalink(self, written: datetime, name: str, title: str, language: str) -> str:
        when, settings, folder = written.astimezone(self.settings.zone), self.settings, self.folder
        if self.translated:
            pattern, folder = in_address(self.translated, settings.pattern, folder, settings.language, settings.tool)
            settings = replace(settings, pattern=pattern)
        if settings.tool == "docusaurus" and is_project(settings.folder):
            folder = blog_folder(folder)
        if settings.tool == "pelican" and self.source in settings.own_names and language != settings.language:
            settings = replace(settings, pattern=settings.pattern.replace("{slug}", "{slug}-{lang}"))
        named = Named(self.source, folder, self.name, name, title, when, language)
        old_path = self.old.path if self.old else ""
        address = PostAddress(self.meta, settings, named, self._warn, old_path)
        if address.is_unfit:
            self.unfit = replace(self.problems[-1], severity=Severity.ERROR)
        if settings.tool == "jekyll" and self.source in settings.own_names and language != settings.language:
            return f"/{language}{address.path}"  # as Polyglot does, whose translations have one permalink
        return address.path

    def _language(self) -> str:
        value, line = self.meta.find("language")
        language = _language(self.meta.text("language"))
        usual = self.spoken.language if self.spoken else self.settings.language
        if value and not language:
            what = "a list or a table" if not isinstance(value, str) else repr(shortened(value))
            self._warn(line, f"{what} is not a language tag; using {usual}", "write it like de or pt-BR")
        return language or usual

    def _tags(self) -> tuple[Tag, ...]:
        return tags_of(tuple(self.meta.tags()))

    def _authors(self, url: str) -> tuple[Author, ...]:
        value, line = self.meta.find("authors")
        bylines = Bylines(
            self.settings,
            lambda picture: self.attached.url(url, picture, line, is_picture=True),
            partial(self._warn, line),
        )
        authors = bylines.read(value)
        self.known_authors = bylines.known
        return authors

    def _image(self, url: str) -> Image | None:
        value, line = self.meta.find("image")
        if value is None:
            return None
        if isinstance(value, list):
            value = value[0] if value else None
        written = value
        alt, caption = self.meta.text("image_alt"), self.meta.text("image_caption")
        if isinstance(value, dict):
            table = FrontMatter(value, {})
            alt = alt or first_text(table, "alt", "title")
            caption = caption or first_text(table, "caption", "credit")
            value = first_text(table, "url", "src", "path", "image", "feature", "file", "teaser")
        image_url = self.attached.url(url, value, line, is_picture=True) if isinstance(value, str) else ""
        if not image_url and _means_image(written):
            what = repr(shortened(written)) if isinstance(written, str) else "a table without `url`"
            self._warn(
                line, f"the picture is left out: {what} is not a path or a web URL", "write `image: picture.jpeg`"
            )
        return Image(image_url, plain_line(alt), plain_line(caption)) if image_url else None

    def _enclosures(self, url: str) -> tuple[Enclosure, ...]:
        if not self.meta.all("audio"):
            return ()
        line = self.meta.find("audio")[1]
        found = Enclosures(lambda reference: self.attached.url(url, reference, line), self.attached.length, self._warn)
        return found.read(self.meta)

    def _episode(self, url: str) -> Episode | None:
        return episode_of(self.meta, lambda reference, line: self.attached.file_url(url, reference, line), self._warn)


def _add_warning(problems: list[Problem], path: str, line: int, message: str, hint: str) -> None:
    problems.append(Problem(path, line, message, hint, Severity.WARNING))


# The key with the same value in a post and its translations.
_TRANSLATION_KEYS = {"hugo": "translationkey", "jekyll": "ref"}
# The fields whose words readers see as they are written.
_SENTENCES = ("title", "excerpt", "image_alt", "image_caption")
# Tools that read 01/02/2024 as JavaScript or dateutil do. Quarto's documentation says so.
_MONTH_FIRST = ("astro", "docusaurus", "pelican", "quarto", "vitepress")
# The keys for the time at which a post is to appear, in addition to one for its date.
_WHEN = ("publish", "published", "posted", "publishedat", "pubdate")
# The date of a standalone page. No one sees it.
_NO_DAY = datetime(2000, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=4096)
def tags_of(names: tuple[str, ...]) -> tuple[Tag, ...]:
    """Return the tags of these names. Cached because the posts of a blog share a few combinations of tags."""
    slugs: dict[str, Tag] = {}
    for name in filter(None, map(without_comments, names)):
        slug = tag_slug(name)
        slugs.setdefault(slug, Tag(name, slug))
    return tuple(slugs.values())


def _means_image(value: Tree) -> bool:
    """Return whether a value was meant as a picture, rather than as a switch, or as the text of a teaser or hero."""
    if isinstance(value, dict):
        return any(isinstance(inner, str) and inner.strip() and not is_switched(inner) for inner in value.values())
    return isinstance(value, str) and len(value.split()) == 1 and not is_switched(value)


@lru_cache(maxsize=256)
def _language(text: str) -> str:
    """Return a language tag as BCP 47 spells it, such as zh-CN for zh_cn; "" if the text isn't a language."""
    parts = text.replace("_", "-").split("-")
    if not re.fullmatch(r"[A-Za-z]{2,3}", parts[0]):
        return ""
    rest = [part.upper() if len(part) == 2 else part.title() if len(part) == 4 else part for part in parts[1:]]
    return "-".join([parts[0].lower(), *(part for part in rest if part.isalnum())])
