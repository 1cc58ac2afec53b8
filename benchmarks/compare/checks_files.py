"""Rows about whole feeds, and about the files around them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urljoin

from lxml import etree

from benchmarks.compare import fragment
from benchmarks.compare.corpus import BREAKING, HUB, LIMIT, MOST_BYTES, Post
from benchmarks.compare.evidence import Build, Evidence
from benchmarks.compare.feed import KIND_NAMES, KINDS, Feed, polled_feeds
from benchmarks.compare.verdict import YES, Verdict, in_each_format, listed, no, of_parts, partly


def survives(evidence: Evidence, kind: str) -> Verdict:
    """Strict parsers accept the feeds of a project with one hostile post, and the post is there with its title."""
    build = evidence.builds[kind]
    title = BREAKING[kind][0]
    wanted = {title} if kind != "noncharacter" else {title.replace("\ufffe", ""), title.replace("\ufffe", "\ufffd")}

    def fault(feed: Feed) -> str:
        broken = [f"{other.path}: {other.broken}" for other in build.feeds if other.kind == feed.kind and other.broken]
        if broken:
            return f"not well-formed: {listed(broken, 1)}"
        entry = feed.entry(build.corpus.post("hostile").mark, title)
        if entry is None:
            return "the post is not in the feed"
        # The number of spaces in place of the character does not matter. JSON can contain any character.
        fits = _spaced(entry.title) in map(_spaced, wanted) or (feed.kind == "json" and entry.title == title)
        return "" if fits else f"the title reads {entry.title!r}"

    return in_each_format(build, fault)


def _spaced(text: str) -> str:
    return " ".join(text.split())


def has(evidence: Evidence, kind: str) -> Verdict:
    """The whole site has a feed in this format that strict parsers accept."""
    if evidence.base.refused:
        return no(f"the build stops: {evidence.base.refused}")
    feed = evidence.base.main.get(kind)
    if feed is None:
        return no("there is none")
    return partly(f"not well-formed: {feed.broken}") if feed.broken else YES


def own_address(evidence: Evidence) -> Verdict:
    """Each feed states its own URL correctly."""

    def fault(feed: Feed) -> str:
        right = evidence.base.at(feed.own) == evidence.base.folder / feed.path
        return "" if right else (f"it says {feed.own}" if feed.own else "not there")

    return in_each_format(evidence.base, fault)


def hub(evidence: Evidence) -> Verdict:
    """Each feed names its WebSub hub."""
    return in_each_format(evidence.base, lambda feed: "" if HUB in feed.hubs else "not there")


def icon(evidence: Evidence) -> Verdict:
    """Each feed has an image, with an absolute URL."""

    def fault(feed: Feed) -> str:
        if not feed.image:
            return "not there"
        return f"relative: {feed.image}" if fragment.relative([feed.image]) else ""

    return in_each_format(evidence.base, fault)


def updated(evidence: Evidence) -> Verdict:
    """A feed's date is that of its newest change; JSON Feed has no date."""
    newest = evidence.base.corpus.newest_change()

    def fault(feed: Feed) -> str:
        if feed.kind == "json":
            return ""
        if feed.updated is None:
            return "not said"
        stated = [moment for entry in feed.entries for moment in entry.dates]
        if feed.updated in (newest, max(stated)):
            return ""
        return "it says when it was built" if feed.updated > newest else f"it says {feed.updated:%Y-%m-%d %H:%M}"

    return in_each_format(evidence.base, fault)


def reproducible(evidence: Evidence) -> Verdict:
    """A fresh copy, built in another time zone, with another hash seed and other file times, gives the same bytes."""
    other = {feed.path: feed.data for feed in evidence.builds["elsewhere"].feeds}
    feeds = evidence.base.feeds
    if not feeds:
        return no("there is no feed")
    unlike = [feed.path for feed in feeds if other.get(feed.path) != feed.data]
    if not unlike:
        return YES
    reason = f"{len(unlike)} of {len(feeds)} files differ: {listed(unlike, 2)}"
    return no(reason) if len(unlike) == len(feeds) else partly(reason)


def untouched(evidence: Evidence) -> Verdict:
    """A second build without changes rewrites no feed, so that no file gets a new date."""
    feeds = evidence.base.feeds
    if evidence.again_refused or not feeds:
        return no(evidence.again_refused or "there is no feed")
    if not evidence.rewritten:
        return YES
    reason = f"{len(evidence.rewritten)} of {len(feeds)} files written anew"
    return no(reason) if len(evidence.rewritten) == len(feeds) else partly(reason)


def _feeds_of_groups(build: Build, groups: dict[str, Callable[[Post], bool]]) -> Verdict:
    """Each group of posts has a feed that contains exactly that group."""
    mains = {feed.path for feed in build.main.values()}
    held = [(feed.path, {entry.title for entry in feed.entries}) for feed in build.feeds if feed.path not in mains]
    faults = {}
    for name, belongs in groups.items():
        wanted = {post.title for post in build.corpus.visible() if belongs(post)}
        faults[name] = "" if any(wanted == titles for _, titles in held) else "no feed of it"
    return of_parts(faults)


def tag_feeds(evidence: Evidence) -> Verdict:
    """Tags in every script have feeds, and C++ and C# have different ones."""
    names = ("日本語", "C++", "C#", "R&D")
    return _feeds_of_groups(evidence.base, {name: _tagged(name) for name in names})


def author_feeds(evidence: Evidence) -> Verdict:
    """Authors in every script have feeds."""
    return _feeds_of_groups(evidence.base, {name: _written_by(name) for name in ("Zoë Ünal", "王小明")})


def _tagged(name: str) -> Callable[[Post], bool]:
    return lambda post: name in post.tags


def _written_by(name: str) -> Callable[[Post], bool]:
    return lambda post: name in post.authors


def limited(evidence: Evidence) -> Verdict:
    """A feed has at most as many entries as the limit."""

    def fault(feed: Feed) -> str:
        return "" if 0 < len(feed.entries) <= LIMIT else f"{len(feed.entries)} entries instead of {LIMIT}"

    return in_each_format(evidence.base, fault)


def small(evidence: Evidence) -> Verdict:
    """Long posts do not make a feed so large that feed readers refuse it."""
    build = evidence.builds["big"]

    def fault(feed: Feed) -> str:
        return f"{len(feed.data) / 1000:.0f} KB" if len(feed.data) > MOST_BYTES else ""

    verdict = in_each_format(build, fault)
    newest = build.corpus.posts[0].mark
    whole = any(newest in entry.html for feed in build.main.values() for entry in feed.entries)
    return partly("no limit, but no full text either") if verdict == YES and not whole else verdict


def archived(evidence: Evidence) -> Verdict:
    """Posts beyond the limit can be reached by links from document to document, each post exactly once.

    The chain may begin with posts that are also in the polled document; RFC 5005 has readers recognise them by id.
    """
    base = evidence.base
    by_path = {feed.path: feed for feed in base.feeds}

    def fault(feed: Feed) -> str:
        if not feed.older:
            return "no link to older posts"
        seen: set[str] = {feed.path}
        archive: list[str] = []
        current: Feed | None = feed
        while current and current.older:
            file = base.at(current.older)
            current = by_path.get(file.relative_to(base.folder).as_posix()) if file else None
            if current is None or current.path in seen:
                return "the chain leads nowhere"
            seen.add(current.path)
            archive = [*archive, *(entry.title for entry in current.entries)]
        missing = {post.title for post in base.corpus.visible()} - {*archive, *(e.title for e in feed.entries)}
        return f"the chain lacks {len(missing)} posts" if missing else _twice(archive)

    return in_each_format(base, fault)


def _twice(titles: list[str]) -> str:
    return "" if len(set(titles)) == len(titles) else "the chain holds posts twice"


def opml(evidence: Evidence) -> Verdict:
    """The site has a list of all its feeds, which feed readers can import."""
    base = evidence.base
    for file in sorted(base.folder.rglob("*.opml")) if base.feeds else ():
        tree = etree.fromstring(file.read_bytes())
        named = {base.at(outline.get("xmlUrl")) for outline in tree.iter("outline") if outline.get("xmlUrl")}
        polled = polled_feeds(base.feeds)
        kinds = [{base.folder / feed.path for feed in polled if feed.kind == kind} for kind in KINDS]
        return YES if any(files and files <= named for files in kinds) else partly(f"it names {len(named)} feeds")
    return no("there is none")


def hidden(evidence: Evidence) -> Verdict:
    """Drafts and posts with a date in the future are in no feed."""
    if not evidence.base.feeds:
        return no("there is no feed")
    faults = {}
    for name in ("draft", "future"):
        post = evidence.base.corpus.post(name)
        leaks = [feed.path for feed in evidence.base.feeds if feed.entry(post.mark, post.title)]
        faults[name] = f"in {listed(leaks, 1)}" if leaks else ""
    return of_parts(faults)


def discovery(evidence: Evidence) -> Verdict:
    """The home page and the page of a post list the feeds in their heads."""
    base = evidence.base
    post = base.corpus.post("plain")
    page = next((e.link for feed in base.feeds if (e := feed.entry(post.mark, post.title))), "")
    mains = {base.folder / feed.path: KIND_NAMES[kind] for kind, feed in base.main.items()}
    faults = {}
    for name, address in (("home page", f"{base.corpus.url}/"), ("post", page)):
        named = _linked(base, address, "link")
        missing = [kind for path, kind in mains.items() if path not in named]
        faults[name] = "" if mains and not missing else f"without {listed(missing) or 'feeds'}"
    return of_parts(faults)


def _linked(base: Build, address: str, element: str) -> set[Path | None]:
    """Return the files to which a page links: as alternates in its head, or in its text."""
    file = base.at(address)
    if file is None:
        return set()
    links = fragment.parse_page(file.read_text(encoding="utf-8")).iter(element)
    wanted = (link for link in links if element == "a" or "alternate" in link.get("rel", ""))
    return {base.at(urljoin(address, link.get("href", ""))) for link in wanted}


def subscribe(evidence: Evidence) -> Verdict:
    """A page for people explains feeds and links to them."""
    base = evidence.base
    feeds = {base.folder / feed.path for feed in base.feeds}
    for file in sorted(base.folder.rglob("*.html")) if base.feeds else ():
        path = file.relative_to(base.folder).as_posix()
        if "subscribe" in path or path in ("feeds.html", "feeds/index.html", "feed/index.html"):
            linked = _linked(base, f"{base.corpus.url}/{path}", "a")
            return YES if linked & feeds else partly("it links to no feed")
    return no("there is none")
