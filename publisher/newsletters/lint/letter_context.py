"""One letter under examination, with all that a finding about it is drawn from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from urllib.parse import unquote, urlsplit

from publisher.config import CONFIG_FILE, Config, NewsletterConfig
from publisher.core.errors import PostError
from publisher.core.models import RenderedPost
from publisher.core.newsletter_models import Letter
from publisher.core.templates import Templates
from publisher.newsletters.letter.note import note_path
from publisher.newsletters.lint.parsed_letter import ParsedLetter
from publisher.posts.frontmatter import split_body
from publisher.posts.prose import LineFinder, line_at


@dataclass(frozen=True)
class SourceLocator:
    """Finds the places of one letter's parts. Reads the files that it names; a file that cannot be read has no lines.

    slot  "" for a letter without one: then there is no note
    """

    config: Config
    newsletter: NewsletterConfig
    posts: Sequence[RenderedPost]
    templates: Templates
    slot: str = ""

    def post(self, post: RenderedPost, *needles: str) -> str:
        """Return the place of the first needle that stands in the post's file; without any, the file."""
        path = f"{self.config.posts.folder}/{post.post.source}"
        return self._place(path, self._read(path), needles)

    def source(self, post: RenderedPost) -> str:
        """Return the text of a post's file as it was written."""
        return self._read(f"{self.config.posts.folder}/{post.post.source}")

    def of_address(self, address: str) -> str:
        """Return where an address of the letter was written: in a post, in the note or intro, in a template."""
        if not address:
            return self.template(r"(?:href|src)\s*=\s*[\"']\s*[\"']")
        name = address.rstrip("/").rpartition("/")[2]
        spelled = (address, escape(address))
        for post in self.posts:
            if address in self._of_head(post) or any(f'"{spelling}"' in post.html for spelling in spelled):
                return self._in_prose(post, address, self._local(address), name)
        if self._note and any(needle in self._note for needle in (address, name) if needle):
            return self._place(self._note_path, self._note, (address, name))
        if any(needle in self.newsletter.intro for needle in (address, name) if needle):
            return self.key("", "intro")
        return self.template(re.escape(address))

    def template(self, *patterns: str) -> str:
        """Return the place in the letter's templates that matches the first pattern; without any, the template."""
        for pattern in patterns:
            for name, text in self._template_texts.items():
                found = re.search(pattern, text, re.IGNORECASE)
                if found:
                    return f"templates/email/{name}:{line_at(text, found.start())}"
        return f"templates/email/{self.newsletter.template}.html"

    def text_template(self) -> str:
        """Return the template of the plain text: the newsletter's own, or the one that all share."""
        own = f"email/{self.newsletter.template}.txt"
        return f"templates/{own if self.templates.exists(own) else 'email/letter.txt'}"

    def kept_css(self) -> str:
        """Return the longest file of rules that stay rules."""
        files = {name: text for name, text in self._template_texts.items() if name.endswith("-kept.css")}
        return f"templates/email/{max(files, key=lambda name: len(files[name]))}"

    def of_colour(self, value: str, *, dark: bool) -> str:
        """Return where a text's colour is set: in the CSS of the letter, dark or light, or in publisher.toml."""
        first, second = ("letter-kept.css", "letter.css") if dark else ("letter.css", "letter-kept.css")
        order = sorted(self._template_texts, key=lambda name: (name == second, name != first))
        pattern = rf"(?<![\w-])color\s*:\s*{re.escape(value)}(?![\w%])"
        for name in order:
            found = re.search(pattern, self._template_texts[name], re.IGNORECASE)
            if found:
                return f"templates/email/{name}:{line_at(self._template_texts[name], found.start())}"
        settings = self._place(CONFIG_FILE, self._read(CONFIG_FILE), (value,))
        return settings if ":" in settings else f"templates/email/{first}"

    def key(self, *path: str) -> str:
        """Return the place of a key such as ("site", "title"), else of its table; the newsletter's: ("", "subject")."""
        from publisher.config.origins import KeyLines

        keys: tuple[str | int, ...] = path
        if path[0] == "":
            numbers = [i for i, each in enumerate(self.config.newsletters) if each.name == self.newsletter.name]
            keys = ("newsletters", *numbers[:1], *path[1:])
        line = KeyLines(self._read(CONFIG_FILE)).of(keys)
        return f"{CONFIG_FILE}:{line}" if line else CONFIG_FILE

    def words(self, key: str) -> str:
        """Return where the letter's subject or preheader comes from: its note, its newsletter or its first post."""
        if re.search(rf"^{key}\s*:", self._note, re.MULTILINE):
            return self._place(self._note_path, self._note, (f"{key}:",))
        if getattr(self.newsletter, key, ""):
            return self.key("", key)
        if self.posts:
            return self.post(self.posts[0], *(("excerpt:", "description:") if key == "preheader" else ("title:",)))
        return CONFIG_FILE

    @staticmethod
    def _of_head(post: RenderedPost) -> set[str]:
        image = {post.post.image.url} if post.post.image else set()
        return image | {post.post.url, *(each.url for each in post.post.enclosures)}

    def _in_prose(self, post: RenderedPost, *needles: str) -> str:
        """The place of a link or picture: where one is written, rather than in code that looks like it."""
        text = self.source(post)
        try:
            prose = LineFinder(text, split_body(text)[0])
        except PostError:  # the file changed since it was rendered
            return self.post(post, *needles)
        for needle in needles:
            if needle and needle in text:
                return f"{self.config.posts.folder}/{post.post.source}:{prose.line_of(needle)}"
        return self.post(post)

    def _local(self, address: str) -> str:
        return address.removeprefix(self.config.site_url)

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


@dataclass(frozen=True)
class LintContext:
    """A letter, taken apart, and where its parts come from.

    posts  those of the letter, rendered
    paths  what a build writes, relative to the output; None when that is not known
    """

    parsed: ParsedLetter
    locator: SourceLocator
    posts: Sequence[RenderedPost]
    paths: frozenset[str] | None = None

    @property
    def letter(self) -> Letter:
        return self.parsed.letter

    @property
    def config(self) -> Config:
        return self.locator.config

    @property
    def newsletter(self) -> NewsletterConfig:
        return self.locator.newsletter

    def site_path(self, address: str) -> str | None:
        """Return the path of an address of the own site, relative to its root; None for the rest of the world."""
        if address != self.config.site_url and not address.startswith(f"{self.config.site_url}/"):
            return None
        return unquote(urlsplit(address).path)[len(urlsplit(self.config.site_url).path) :].lstrip("/")
