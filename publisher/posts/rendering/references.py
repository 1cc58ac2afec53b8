"""The references in a post to other posts, files, the post itself and the web, which are made absolute."""

from __future__ import annotations

import posixpath
import re
import unicodedata
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from publisher.config import Config
from publisher.core import patterns
from publisher.core.file_names import composed, existing, is_file, out_of_folder
from publisher.core.models import Picture, bare_url
from publisher.posts.bundles import is_resource
from publisher.posts.media_types import is_picture, is_published
from publisher.posts.named_files import NamedFiles, key_of_name, without_ending
from publisher.posts.permalinks import is_feed
from publisher.posts.picture_pixels import measured
from publisher.posts.pictures import as_picture, doubts, shown_as
from publisher.posts.places import Places, WrittenPost
from publisher.posts.rendering.allowed_html import has_safe_scheme
from publisher.posts.rendering.tool_pages import content_paths, of_pelican, page_of_tool
from publisher.posts.scan import ENDINGS
from publisher.posts.urls import (
    ELSEWHERE,
    absolute,
    from_root,
    is_disguised,
    left_out,
    local_file,
    other_places,
    own_path,
    quoted,
    static_path,
    static_paths,
)

# The templates of Eleventy's pages, to which posts link by their files.
_TEMPLATES = (".njk", ".liquid", ".webc")
_MARKDOWN = tuple(ending for ending in ENDINGS if ending != ".html")


# "https:page" means a different place in every feed reader, and is invalid in most.
_HALF_URL = patterns.compile(r"https?:(?!//[^/])", re.IGNORECASE)
_WHOLE_URL = patterns.compile(r"https?://[^/]")

# A path from the root without dots, which is neither a file nor a post's file, and needs no resolving.
_PLAIN_PATH = patterns.compile(r"(?:/[A-Za-z0-9_~-]+)+/?")


class _NoPageError(ValueError):
    """Raised if a link leads to a post that has no page."""


class References:
    """The references in one post, which are collected while they are made absolute.

    links          the sources of the posts that it links to, whether they exist or not; and the paths from the root,
                   beginning with "/", whose URLs depend on the site's files; and after "./" the paths of files whose
                   content is part of the post
    assets         the files that it shows, and the copies of its pictures, as (site path, project path)
    pictures       the pictures of the project that it shows, by URL without query and escapes
    fragments      the names after # in links to the post itself
    local          the links that were written without a domain, as URL -> link as written
    problems       the problems in the body, as (reference as written, message, hint)
    doubts         problems that only a check reports, in the same form
    head_problems  the problems with pictures and enclosures in the front matter, in the same form
    lost           the URLs, without query and escapes, of pictures in the front matter that are known to be missing
    """

    def __init__(self, post: WrittenPost, places: Places, config: Config) -> None:
        self._post, self._places, self._config = post, places, config
        self._path = urlsplit(config.site_url).path
        self._origin = config.site_url.removesuffix(self._path)
        self._base = posixpath.dirname(post.source) or "."
        self.links: dict[str, None] = {}
        self.assets: dict[tuple[str, str], None] = dict.fromkeys(post.files)
        self.pictures: dict[str, Picture] = {}
        self.doubts: list[tuple[str, str, str]] = []
        self.fragments: dict[str, None] = {}
        self.local: dict[str, str] = {}
        self.problems: list[tuple[str, str, str]] = []
        self._missing: set[str] = set()
        self._broken: set[str] = set()  # the references in `problems`
        self.lost: list[str] = []
        for path, project_path in post.files:
            self._must_exist(path, project_path, PurePosixPath(project_path).name)
            self._show(path, project_path, PurePosixPath(project_path).name)
            if self._lacks(path, project_path):
                self.lost.append(bare_url(f"{config.site_url}/{quoted(path)}"))
        self.head_problems, self.problems = self.problems, []
        self._broken.clear()

    def absolutise(self, tag: str, reference: str) -> str | None:
        """Return the absolute URL of a reference in an HTML tag; None if it is not allowed in a post."""
        reference = reference.strip()
        if not reference and tag not in ("a", "blockquote", "q"):
            return None  # the page itself isn't a picture
        if _WHOLE_URL.match(reference):
            return self._whole(tag, reference)
        if not has_safe_scheme(reference, tag):
            return None
        if reference.startswith("#"):
            self.fragments[unquote(reference[1:])] = None
            return self._post.url + reference
        if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:", reference):
            return None if _HALF_URL.match(reference) else reference
        if not self._path and _PLAIN_PATH.fullmatch(reference):
            url: str | None = (
                self._origin + reference
            )  # nine in ten of the remaining references, and ten times as fast as urljoin
        else:
            url = self._joined(tag, reference)
        if url and reference not in self._broken and (tag == "a" or reference.startswith("/")):
            self.local.setdefault(url, reference)
        return url

    def _whole(self, tag: str, reference: str) -> str:
        """Return a whole URL. If it is on this site, it may lead to a file of the project, or nowhere."""
        if tag == "a" and reference.startswith(f"{self._config.site_url}/"):
            self.local.setdefault(reference, reference)
        path = own_path(reference, self._config.site_url)
        if not path:
            return reference
        return (self._joined(tag, path) if is_published(urlsplit(path).path) else None) or reference

    def foreign_post(self, name: str) -> str | None:
        """Return the URL of the post that Jekyll calls _posts/2024-07-06-hello.md, with or without the ending.

        Returns None if there is no such post, or more than one.
        """
        name = composed(name.strip("\"'").removesuffix("/"))
        wanted = [part for part in name.split("/") if part not in ("_posts", ".", "")]
        if not wanted:
            return None
        stem = re.sub(r"\.(?:mdx?|markdown|mdown|mkdn?|mkdown|qmd|rst|html)$", "", wanted[-1])
        folders = set(wanted[:-1])
        found = [
            (len(folders & set(PurePosixPath(composed(source)).parts[:-1])), source)
            for source in self._places.by_stem().get(stem, ())
        ]
        best = max((score for score, _ in found), default=0)
        matches = [source for score, source in found if score == best]
        if len(matches) != 1:
            return None
        self.links[matches[0]] = None
        permalink = self._places.permalinks.get(matches[0])
        return self._url(permalink) if permalink else None

    def named_post(self, path: str) -> str | None:
        """Return the URL of the post that Hugo's `ref` names; None if there is no such post.

        path  the path of its file or bundle, with or without the ending: from the post, from the folder of posts or the
              folder above it, or a file's name alone
        """
        path, _, place = path.strip().partition("#")
        fragment = f"#{place}" if place else ""
        if not path:
            return fragment or None
        folder = PurePosixPath(posixpath.normpath(self._config.posts.folder)).name
        below = path.strip("/").removeprefix(f"{folder}/")
        roots = [below] if path.startswith("/") else [posixpath.join(self._base, path), below]
        for each in map(posixpath.normpath, roots):
            for written in (each, *(f"{each}{end}" for end in (".md", "/index.md", "/_index.md", ".html"))):
                source = self._places.source_of(written)
                if source is not None and source not in self._places.by_email:
                    self.links[source] = None
                    return self._url(self._places.permalinks[source]) + fragment
            self.links[f"{each.removesuffix('.md')}.md"] = None  # it may be published later
        url = self.foreign_post(below) or self._named_page(path)
        return url + fragment if url else None

    def _named_page(self, path: str) -> str | None:
        """Return the URL of a page of the blog's tool that Hugo's `ref` names; None if there is no such page."""
        if not self._config.posts.tool:
            return None
        if not path.strip("/"):
            return self._url("/")
        plain = posixpath.normpath(path.strip("/"))
        for written in (plain, *(f"{plain}{end}" for end in (".md", "/index.md", "/_index.md"))):
            for each in content_paths(self._config.posts, written):
                if found := self._tool_page(each):
                    return self._url(found)
        return None

    def _joined(self, tag: str, reference: str) -> str | None:
        if self._config.posts.tool == "pelican":
            reference = of_pelican(reference, self._base, is_here=self._config.pages.enabled)
        try:
            return self._other_post(reference) or self._file(tag, reference) or None
        except ValueError:
            return None  # not a URL at all, such as //[, or without a page

    def _other_post(self, reference: str) -> str | None:
        """Return the URL of a post's page for a link to its file; None for other links."""
        parts = urlsplit(reference)
        path = unquote(parts.path)
        endings = (*ENDINGS, *_TEMPLATES) if self._config.posts.tool == "eleventy" else ENDINGS
        if parts.netloc or not path.lower().endswith(endings):
            return None
        fragment = f"#{parts.fragment}" if parts.fragment else ""
        whole = self._project_path(path)
        written = out_of_folder(posixpath.normpath(self._config.posts.folder), whole)
        source = self._places.source_of(written)
        if source is None:
            permalink = self._other_folder(reference, path, whole, written)
            return self._url(permalink) + fragment if permalink else None
        self.links[source] = None
        if source in self._places.by_email:
            message = f"broken link: {path} is sent by email only (page: false), so there is no page to link to"
            self._report(reference, message, "remove the link; until then its text is shown without a link")
            raise _NoPageError
        return self._url(self._places.permalinks[source]) + fragment

    def _other_folder(self, reference: str, path: str, whole: str, written: str) -> str:
        """Return the permalink of a page that a post links to, or of a post that a page links to; "" if there is none.

        whole    the path of the file from the root of the project
        written  the same path as a source, if the file is in the posts folder
        A page of a blog's tool that was moved to the folder of pages is found by its earlier path too. A link to any
        other Markdown file is reported.
        """
        there, others = composed(whole), self._places.others
        moved = f"{self._config.pages.folder}/{there}" if self._config.posts.tool else ""
        permalink = others.get(there, "") or self._tool_page(whole) or others.get(moved, "")
        if permalink or path.lower().endswith(_MARKDOWN):
            self.links.update({f"../{each}": None for each in (there, moved) if each})
        if not permalink and path.lower().endswith(_MARKDOWN):
            for form in ("NFC", "NFD"):  # the post may be published later, in either form
                self.links[unicodedata.normalize(form, written)] = None
            is_page = there.startswith(f"{posixpath.normpath(self._config.pages.folder)}/")
            what, hint = ("page", "the file of a page") if is_page else ("published post", "a post's file")
            message = f"broken link: {path} is not a {what}"
            self._report(reference, message, f"write the path of {hint}, relative to this file")
        return permalink

    def _project_path(self, path: str) -> str:
        """Return the path in the project of the Markdown file in a link. It may be outside the posts folder.

        In an Obsidian vault, a link may be only the name of a note. A path from the root may also be one from the root
        of the tool's content, as Zola's paths (@/blog/x.md) always are.
        """
        posts = self._config.posts
        if not path.startswith(("/", "@/", "@site/")):
            plain = posixpath.normpath(posixpath.join(posts.folder, self._base, path))
            if posts.tool == "eleventy" and not self._is_known(plain):
                return self._below_input(path, plain)
            named = (
                "" if posts.tool != "obsidian" or self._is_known(plain) else self._names(path).post(path, self._base)
            )
            return posixpath.normpath(posixpath.join(posts.folder, named)) if named else plain
        plain = posixpath.normpath(path.partition("/")[2].lstrip("/"))
        if path[0] == "@" or posts.tool:
            found = [plain] if path.startswith("@site/") else content_paths(posts, plain)
            return next(filter(self._is_known, found if path[0] == "@" else [plain, *found]), found[0])
        return plain

    def _below_input(self, path: str, plain: str) -> str:
        """Return the path of a post or page from Eleventy's input folder; else `plain`, the path from the post."""
        found = content_paths(self._config.posts, posixpath.normpath(path))
        folder = posixpath.normpath(self._config.posts.folder)
        self.links.update(dict.fromkeys(out_of_folder(folder, each) for each in found))  # it may be published later
        return next(filter(self._is_known, found), plain)

    def _names(self, path: str) -> NamedFiles:
        """Return the posts and files by their names; the post then depends on the files with this name."""
        self.links[f"*/{key_of_name(without_ending(path).rpartition('/')[2])}"] = None
        return self._places.named

    def _is_known(self, path: str) -> bool:
        """Return whether a path from the root of the project leads to a post, or to a page with an address."""
        source = out_of_folder(posixpath.normpath(self._config.posts.folder), path)
        is_post = self._places.source_of(source) is not None
        return is_post or path in self._places.others or bool(self._tool_page(path))

    def _tool_page(self, path: str) -> str:
        found = page_of_tool(self._config.posts, self._config.root, path) if self._config.posts.tool else ""
        if found:
            self.links[f"/{path}"] = None  # it may be deleted
        return found

    def _url(self, permalink: str) -> str:
        return self._config.site_url + quoted(permalink) if permalink[0] == "/" else permalink

    def _file(self, tag: str, reference: str) -> str:
        config = self._config
        url = from_root(reference, absolute(self._post.url, reference), config.site_url, self._has)
        where = reference, url, config.site_url, config.posts.folder, self._post.source
        found = local_file(*where)
        if found:
            url, found = self._where_it_is(tag, where, found)
        if found and tag != "a":
            url, found = as_picture(url, found, config.site_url)
        if found and self._is_shown(found, reference):
            self.assets[found] = None
            if tag != "a":
                self._show(*found, reference)
                if not reference.startswith("/") and self._lacks(*found):
                    return ""
        elif not found and not urlsplit(reference).path.lower().endswith(ENDINGS) and not self._is_in_bundle(reference):
            why = left_out(*where, config.root, config.pages.places)
            if why and not self._is_made_elsewhere(url):
                self._report(reference, why, ELSEWHERE)
        return url

    def _is_made_elsewhere(self, url: str) -> bool:
        """Return whether the site has a feed at a URL, or the blog's tool makes a page there from a project file.

        Jekyll makes a page from every file outside of folders that begin with _, such as the template atom.xml.
        """
        path, config = unquote(urlsplit(url).path)[len(self._path) :], self._config
        if is_feed(path) or path.lstrip("/") in {name.path for name in config.feeds.other_names}:
            return True
        return config.posts.tool == "jekyll" and not config.pages.enabled and "/_" not in path

    def _is_in_bundle(self, reference: str) -> bool:
        """Return whether a path relative to the post leads to a file that is published with the post's bundle."""
        path = unquote(urlsplit(reference).path)
        project_path = self._project_path(path) if path and path[0] != "/" else ""
        return is_resource(self._post.source, project_path, self._config)

    def _where_it_is(
        self, tag: str, where: tuple[str, str, str, str, str], found: tuple[str, str]
    ) -> tuple[str, tuple[str, str]]:
        """Return the URL and the paths of a file: next to the post, in the static folder, or where other tools look."""
        config, (reference, url, *_) = self._config, where
        found = self._or_static(tag, reference, (found[0], existing(config.root, found[1])))
        if reference.startswith("/") or self._exists(*found):
            return url, found
        for site_path, project_path in other_places(*where, config.pages.places):
            self.links[f"/{project_path}"] = None  # it may be added later
            there = existing(config.root, project_path)
            if is_file(config.root / there):
                return (url if site_path == found[0] else f"{config.site_url}/{quoted(site_path)}"), (site_path, there)
        path = unquote(urlsplit(reference).path)
        named = self._names(path).file(path, self._base) if config.posts.tool == "obsidian" else ""
        if named:
            return f"{config.site_url}/{quoted(named)}", (named, posixpath.join(config.posts.folder, named))
        return url, found

    def _or_static(self, tag: str, reference: str, found: tuple[str, str]) -> tuple[str, str]:
        """Return the (site path, project path) of a static file if a path from the root refers to it, or else `found`.

        This is needed only for a picture that is shown, or if the static file's name has a different Unicode form.
        """
        pages, path = self._config.pages, found[0]
        if not reference.startswith("/") or not pages.enabled:
            return found
        static = static_path(self._config.root, pages.places, path)
        is_needed = static not in static_paths(pages.places, path) or (tag != "a" and is_picture(path))
        return (path, static) if static and is_needed else found

    def _show(self, path: str, project_path: str, reference: str) -> None:
        """Note how a picture is shown, the copies that it needs and, for a check, its drawbacks."""
        url = bare_url(f"{self._config.site_url}/{quoted(path)}")
        if url in self.pictures or not is_picture(project_path):
            return
        file = self._config.root / project_path
        found = measured(file) if is_file(file) and not is_disguised(self._config.root, project_path) else None
        if found:
            shown = shown_as(found, path, project_path, self._config)
            self.pictures[url] = shown.picture
            self.assets.update(dict.fromkeys((copy, project_path) for copy in shown.copies))
        self.doubts.extend((reference, *doubt) for doubt in doubts(file, project_path, found))

    def _has(self, path: str) -> bool:
        if "\0" not in path:
            self.links[posixpath.normpath(path)] = None
        return self._places.has(path)

    def _is_shown(self, found: tuple[str, str], reference: str) -> bool:
        """Return whether the file should be published. A path from the root may refer to a static file instead."""
        if is_disguised(self._config.root, found[1]):
            self._report(
                reference,
                f"the file {found[1]} is a symbolic link, and is not published",
                "copy the file into the project",
            )
            return False
        if reference.startswith("/"):
            self.links[f"/{found[1]}"] = None  # it may be added later
            return is_file(self._config.root / found[1])
        self._must_exist(*found, reference)
        return True

    def _lacks(self, path: str, project_path: str) -> bool:
        """Return whether a picture is known to be missing. Without pages, another program may publish it."""
        return self._config.pages.enabled and is_picture(project_path) and not self._exists(path, project_path)

    def _exists(self, path: str, project_path: str) -> bool:
        """Return whether a file is next to the post, or in the static folder at the path that the page loads."""
        if is_file(self._config.root / project_path):
            return True
        self.links[f"/{path}"] = None  # it may be added later
        return self._config.pages.enabled and static_path(self._config.root, self._config.pages.places, path) != ""

    def _must_exist(self, path: str, project_path: str, shown: str) -> None:
        if project_path not in self._missing and not self._exists(path, project_path):
            self._missing.add(project_path)
            self._report(shown, f"the file {project_path} doesn't exist", "add it, or fix the path")

    def _report(self, reference: str, message: str, hint: str) -> None:
        self._broken.add(reference)
        self.problems.append((reference, message, hint))
