"""The input of the rules: the parsed letter, its newsletter and posts, and the source of each part."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape, unescape
from urllib.parse import unquote

from publisher.config import CONFIG_FILE, Config, NewsletterConfig
from publisher.config.origins import KeyLines
from publisher.core.errors import PostError
from publisher.core.file_names import in_folder
from publisher.core.models import RenderedPost
from publisher.core.newsletter_models import Letter
from publisher.core.templates import Templates
from publisher.newsletters.letter.note import note_path
from publisher.newsletters.lint.parsed_letter import ParsedLetter
from publisher.posts.front_matter.parsing import split_body
from publisher.posts.permalinks import site_path
from publisher.posts.text.merge_tags import shown_prose, with_escapes_shown
from publisher.posts.text.prose import LineFinder, line_at

_TAG = re.compile(r"<[^<>]*+>")
_MARKS = str.maketrans("", "", "*_\\~`")


@dataclass(frozen=True)
class LintContext:
    """A letter, with everything that the rules need to know about it.

    posts  the rendered posts of the letter
    paths  every file that a build writes, relative to the output folder; None if they are not known
    """

    parsed: ParsedLetter
    locator: SourceLocator
    posts: Sequence[RenderedPost]
    paths: frozenset[str] | None = None

    @property
    def letter(self) -> Letter:
        """The letter that is checked."""
        return self.parsed.letter

    @property
    def config(self) -> Config:
        """The project's configuration."""
        return self.locator.config

    @property
    def newsletter(self) -> NewsletterConfig:
        """The newsletter of the letter."""
        return self.locator.newsletter

    def site_path(self, url: str) -> str | None:
        """Return the path of a URL relative to the root of the project's own site; None for other sites."""
        return site_path(url, self.config.site_url)


@dataclass(frozen=True)
class SourceLocator:
    """Finds the file and line of a part of a letter: in a post, the note, a template or publisher.toml.

    Places are returned as "file:line", or as "file" if the line is not known or the file cannot be read.

    slot  the scheduled time of the edition, which names its note; "" for a letter without a note
    """

    config: Config
    newsletter: NewsletterConfig
    posts: Sequence[RenderedPost]
    templates: Templates
    slot: str = ""

    def post(self, post: RenderedPost, *needles: str) -> str:
        """Return the place of the first of the strings `needles` that occurs in the post's file, or else the file."""
        path = post.post.where(self.config.posts.folder)
        return self._place(path, "" if post.post.from_source else self._read(path), needles)

    def source(self, post: RenderedPost) -> str:
        """Return the text of a post's source file; for an item of a source, its HTML."""
        return post.html if post.post.from_source else self._read(post.post.where(self.config.posts.folder))

    def of_url(self, url: str) -> str:
        """Return the place of a URL of the letter: in a post, in the note or intro, or in a template."""
        if not url:
            return self.template(r"(?:href|src)\s*=\s*[\"']\s*[\"']")
        pictures = (picture for post in self.posts for picture in post.pictures.values())
        url = next((each.url for each in pictures if url in (each.email, each.thumbnail)), url)
        start, name = url.partition("?")[0], url.rstrip("/").rpartition("/")[2]
        if places := [self._first_with[spelling] for spelling in (url, escape(url)) if spelling in self._first_with]:
            return self._in_prose(self.posts[min(places)], url, url.removeprefix(self.config.site_url), name)
        needles = [needle for needle in (url, start, name) if needle]  # a subscriber's value can follow the start
        if self._note and any(needle in self._note for needle in needles):
            return self._place(self._note_path, self._note, needles)
        if any(needle in self.newsletter.intro for needle in needles):
            return self.key("", "intro")
        return self.template(re.escape(url))

    def of_text(self, text: str) -> str:
        """Return the place of a text of the letter: in a post, in the note or intro, or in a template.

        Returns "" if the text is in a post, the note or the intro, but only where it is code. A template tag that is in
        a post's file but not on its page was executed, so that post is skipped.
        """
        only_code = False
        run = {
            post.post.where(self.config.posts.folder)
            for post, shown in zip(self.posts, self._shown if text.startswith(("{{", "{%")) else (), strict=False)
            if _spelled(text) not in shown
        }
        for path, file, prose in self._prose():
            if path in run and text not in file[: len(file) - len(_body(file))]:
                continue
            if text in prose:
                return self._place(path, prose, (text,)) if path != CONFIG_FILE else self.key("", "intro")
            only_code = only_code or text in file or text in with_escapes_shown(file)
        return "" if only_code else self.template(re.escape(text))

    def _prose(self) -> Iterator[tuple[str, str, str]]:
        """Yield the path, the text and the prose of each post's file, of the note and of the intro."""
        for post in self.posts:
            text = self.source(post)
            yield post.post.where(self.config.posts.folder), text, shown_prose(text, _body(text))
        for path, text in ((self._note_path, self._note), (CONFIG_FILE, self.newsletter.intro)):
            if text:
                yield path, text, shown_prose(text, text)

    def template(self, *patterns: str) -> str:
        """Return the first place in the letter's templates that matches one of the patterns, or else the template.

        For an email without posts, the fallback is its own file.
        """
        for pattern in patterns:
            for name, text in self._template_texts.items():
                found = re.search(pattern, text, re.IGNORECASE)
                if found:
                    return f"templates/email/{name}:{line_at(text, found.start())}"
        return self._note_path if self.is_text else f"templates/email/{self.newsletter.template}.html"

    def text_template(self) -> str:
        """Return the path of the plain-text template: the newsletter's own, or the shared one."""
        own = f"email/{self.newsletter.template}.txt"
        return f"templates/{own if self.templates.exists(own) else 'email/letter.txt'}"

    def kept_css(self) -> str:
        """Return the path of the longest CSS file whose rules stay in a <style>."""
        files = {name: text for name, text in self._template_texts.items() if name.endswith("-kept.css")}
        return f"templates/email/{max(files, key=lambda name: len(files[name]))}"

    def of_colour(self, value: str, *, dark: bool) -> str:
        """Return the place where a text colour is set: in the CSS for light or dark mode, or in publisher.toml."""
        first, second = ("letter-kept.css", "letter.css") if dark else ("letter.css", "letter-kept.css")
        order = sorted(self._template_texts, key=lambda name: (name == second, name != first))
        pattern = rf"(?<![\w-])color\s*:\s*{re.escape(value)}(?![\w%])"
        for name in order:
            found = re.search(pattern, self._template_texts[name], re.IGNORECASE)
            if found:
                return f"templates/email/{name}:{line_at(self._template_texts[name], found.start())}"
        settings = self._place(CONFIG_FILE, self._read(CONFIG_FILE), (value,))
        return settings if ":" in settings else f"templates/email/{first}"

    def key(self, *path: str | int) -> str:
        """Return the place of a key in publisher.toml, such as ("site", "title"), or else of its table.

        A key of the letter's own newsletter is given as ("", "subject").
        """
        keys: tuple[str | int, ...] = path
        if path[0] == "":
            numbers = [i for i, each in enumerate(self.config.newsletters) if each.name == self.newsletter.name]
            keys = ("newsletters", *numbers[:1], *path[1:])
        line = KeyLines(self._read(CONFIG_FILE)).of(keys)
        return f"{CONFIG_FILE}:{line}" if line else CONFIG_FILE

    @property
    def is_text(self) -> bool:
        """Whether the letter is an email without posts, whose file takes the place of the note."""
        return bool(self._note) and not self.posts

    def words(self, key: str) -> str:
        """Return the place where the subject or preheader is set: the note, the newsletter or the first post."""
        if re.search(rf"^{key}\s*:", self._note, re.MULTILINE):
            return self._place(self._note_path, self._note, (f"{key}:",))
        if getattr(self.newsletter, key, ""):
            return self.key("", key)
        if self.posts:
            return self.post(self.posts[0], *(("excerpt:", "description:") if key == "preheader" else ("title:",)))
        return self._note_path if self.is_text else CONFIG_FILE

    @staticmethod
    def _urls_in_front_matter(post: RenderedPost) -> set[str]:
        image = {post.post.image.url} if post.post.image else set()
        return image | {post.post.url, *(each.url for each in post.post.enclosures)}

    def _in_prose(self, post: RenderedPost, *needles: str) -> str:
        """Return the place of a link or picture in a post; similar text in code does not count."""
        text = self.source(post)
        if post.post.from_source:
            return self.post(post)
        try:
            prose = LineFinder(text, split_body(text)[0])
        except PostError:  # the file has changed since it was rendered
            return self.post(post, *needles)
        for needle in needles:
            if needle and needle in text:
                return f"{in_folder(self.config.posts.folder, post.post.source)}:{prose.line_of(needle)}"
        return self.post(post)

    @cached_property
    def _first_with(self) -> dict[str, int]:
        """The index of the first post that contains each URL, by URL. Other text in quotation marks is included."""
        found: dict[str, int] = {}
        for index, post in enumerate(self.posts):
            for text in (*self._urls_in_front_matter(post), *post.html.split('"')[1:-1]):
                found.setdefault(text, index)
        return found

    @cached_property
    def _shown(self) -> list[str]:
        """The text that readers see of each post, and its attributes' values, in the form that `_spelled` returns."""
        return [
            _spelled(unquote(unescape(f"{_TAG.sub('', post.html)} {post.html} {post.excerpt}"))) for post in self.posts
        ]

    @property
    def _note_path(self) -> str:
        return note_path(self.newsletter, self.slot)

    @cached_property
    def _note(self) -> str:
        return self._read(self._note_path) if self.slot else ""

    @cached_property
    def _template_texts(self) -> dict[str, str]:
        own = f"{self.newsletter.template}.html"
        folder = self.config.root / "templates/email"
        written = sorted(path.name for path in folder.glob("*") if path.suffix in (".html", ".css"))
        names = dict.fromkeys((own, "base.html", "parts.html", "letter.css", "letter-kept.css", *written))
        return {
            name: self.templates.source(f"email/{name}") for name in names if self.templates.exists(f"email/{name}")
        }

    @cached_property
    def _files(self) -> dict[str, str]:
        return {}

    def _read(self, path: str) -> str:
        if path not in self._files:
            try:
                self._files[path] = (self.config.root / path).read_text(encoding="utf-8-sig", errors="replace")
            except OSError:
                self._files[path] = ""
        return self._files[path]

    @staticmethod
    def _place(path: str, text: str, needles: Sequence[str]) -> str:
        for needle in needles:
            if needle and needle in text:
                return f"{path}:{line_at(text, text.index(needle))}"
        return path


def _body(text: str) -> str:
    """Return the text after the front matter of a file, or all of it if the file has changed since it was rendered."""
    try:
        return split_body(text)[0]
    except PostError:
        return text


def _spelled(text: str) -> str:
    """Return a text without spaces and the characters that Markdown removes."""
    return "".join(text.split()).translate(_MARKS)
