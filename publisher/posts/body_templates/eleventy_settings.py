"""Eleventy's settings for templates in posts, as far as patterns can find them in its configuration (JavaScript)."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from publisher.core import patterns
from publisher.core.errors import PublisherError
from publisher.core.frozen import dataclass
from publisher.posts.text.encoding import decode

FILES = ("eleventy.config.js", "eleventy.config.mjs", "eleventy.config.cjs", "eleventy.config.ts", ".eleventy.js")
_MOST_BYTES = 1_000_000
_COMMENT = patterns.compile(r"(?<![:\"'])//[^\n]*|/\*(?:(?!\*/|/\*)[\s\S]){0,5000}+\*/")
_ENGINE = patterns.compile(r"\b(markdown|html)TemplateEngine\s{0,5}[:=]\s{0,5}(?:[\"'](\w{1,20})[\"']|(false))")
_FOLDER = patterns.compile(r"\b(input|includes|data)\s{0,5}:\s{0,5}[\"']([^\"'\n]{0,200})[\"']")
_SETTER = patterns.compile(r"\bset(Input|Includes|Data)Directory\(\s{0,5}[\"']([^\"'\n]{0,200})[\"']")


@dataclass(frozen=True, slots=True)
class EleventySettings:
    """How a project of Eleventy treats its posts.

    markdown, html  the language of templates in files with these extensions: such as "liquid" or "njk", or "" for none
    includes, data  the folders of includes and of data files, from the root of the project
    file            the configuration file; "" if there is none
    """

    markdown: str = "liquid"
    html: str = "liquid"
    includes: str = "_includes"
    data: str = "_data"
    file: str = ""


def eleventy_settings(root: Path) -> EleventySettings:
    """Return the settings of the project in a folder; the defaults where its configuration says nothing."""
    for name in FILES:
        path = root / name
        try:
            if path.is_file() and path.stat().st_size <= _MOST_BYTES:
                return _settings(decode(path.read_bytes(), whole=True), name)
        except (OSError, PublisherError):
            continue
    return EleventySettings()


def _settings(text: str, name: str) -> EleventySettings:
    text = _COMMENT.sub(" ", text)
    engines = {found[1]: "" if found[3] else found[2] for found in _ENGINE.finditer(text)}
    folders = {found[1].lower(): found[2] for found in (*_FOLDER.finditer(text), *_SETTER.finditer(text))}
    start = folders.get("input") or "."
    return EleventySettings(
        engines.get("markdown", "liquid"),
        engines.get("html", "liquid"),
        _inside(start, folders.get("includes", "_includes")),
        _inside(start, folders.get("data", "_data")),
        name,
    )


def _inside(start: str, folder: str) -> str:
    """Return a folder relative to the root of the project, or "_" if it leads out of it."""
    path = posixpath.normpath(posixpath.join(start, folder))
    return "_" if path.startswith(("..", "/")) or re.search(r"[\\\0]", path) else path


def engine_of(override: object, usual: str) -> str:
    """Return the language of the templates in a file.

    override  its `templateEngineOverride`, such as "njk,md", or None
    """
    if override is None:
        return usual
    named = str(override).split(",")[0].strip().lower()
    return "" if named in ("false", "md", "html", "") else {"nunjucks": "njk"}.get(named, named)
