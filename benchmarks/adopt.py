"""Compares the site that a blog's own tool has built with what Publisher makes of the same blog.

    python -m benchmarks.adopt BLOG SITE [--json] [--record FILE]

BLOG is the folder of the blog, SITE the folder that its tool has written, or a file written by --record. Adopts a copy
of the blog, unless it has a publisher.toml, renders every post, and compares: the set of posts, URLs, titles, dates,
texts, and the ids after the old feed has been imported. Nothing is written into BLOG or SITE.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

import lxml.html

from publisher.cli.main import run
from publisher.config import CONFIG_FILE, Config, load_config
from publisher.core.errors import PublisherError
from publisher.core.models import Post
from publisher.core.source_models import FeedDocument, FeedItem
from publisher.posts.archive import Archive, open_archive
from publisher.posts.markup import Renderer
from publisher.posts.sources.feed_document import read_feed
from publisher.publishing.adopt.old_addresses import is_answered, read_old_site
from publisher.publishing.adopt.old_feed import match_old_feed, write_entries

# What tools add to the text of a post: symbols next to headings, links back from footnotes.
_ADDED = (
    ".//*[contains(@class, 'headerlink') or contains(@class, 'reversefootnote') or contains(@class, 'footnote-backref')"
    " or contains(@class, 'hash-link') or contains(@class, 'header-anchor') or contains(@class, 'sr-only')"
    " or @role='doc-backlink' or @class='lang' or @id='footnote-label']"
)
_MAIN = (".//article", ".//main", ".//body")
FIELDS = ("address", "title", "date", "id", "text")


@dataclass(frozen=True)
class BuiltPost:
    """A post as the tool rendered it. text: the words of its body, "" if only its page has them. date: UTC, or ""."""

    path: str
    title: str = ""
    date: str = ""
    id: str = ""
    text: str = ""


@dataclass(frozen=True)
class BuiltSite:
    """The output of a tool: the posts of its feeds, the paths of all pages, and the words of pages not in a feed.

    made  a note on how the site was built, for people who read the record
    """

    posts: tuple[BuiltPost, ...]
    paths: tuple[str, ...]
    pages: dict[str, str] = field(default_factory=dict)
    made: str = ""


@dataclass(frozen=True)
class Difference:
    """What differs for one post. where: its file, or its URL if only the tool has it."""

    where: str
    what: str
    ours: str
    theirs: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}: {self.ours or '-'}  (the tool: {self.theirs or '-'})"


@dataclass(frozen=True)
class Comparison:
    """The number of posts, how many common posts have the same value in each field, and the differences."""

    ours: int
    theirs: int
    both: int
    same: dict[str, int]
    differences: tuple[Difference, ...]
    problems: tuple[str, ...] = ()


def read_built(site: Path) -> BuiltSite:
    """Read the folder that a tool has written, or a record of it."""
    if site.is_file():
        found = json.loads(site.read_text(encoding="utf-8"))
        posts = tuple(BuiltPost(**post) for post in found["posts"])
        return BuiltSite(posts, tuple(found["paths"]), found.get("pages", {}), found.get("made", ""))
    paths = tuple(sorted(read_old_site(str(site)).paths))
    items: dict[str, FeedItem] = {}
    for document in _feeds(site, paths):
        for item in document.items:
            items.setdefault(_path(item.link or item.guid), item)
    posts = tuple(_built_post(path, item) for path, item in sorted(items.items()))
    bare = {post.path for post in posts if post.text}
    pages = {path: words for path in paths if path not in bare and (words := _page_words(site, path))}
    return BuiltSite(posts, paths, pages)


def with_page_texts(built: BuiltSite, site: Path) -> BuiltSite:
    """Return a copy that takes all texts from pages, for a tool whose feed contains them in a different form."""
    pages = {path: words for path in built.paths if (words := _page_words(site, path))}
    return replace(built, posts=tuple(replace(post, text="") for post in built.posts), pages=pages)


def _feeds(site: Path, paths: Iterable[str]) -> Iterator[FeedDocument]:
    """Yield the feeds of a site, those nearest to its root first."""
    for path in sorted(paths, key=lambda each: (each.count("/"), each)):
        file = site / path.strip("/")
        if file.suffix in (".xml", ".rss", ".atom", ".json") and file.is_file():
            try:
                yield read_feed(file.read_bytes(), f"https://site.invalid{path}", {})
            except PublisherError as error:
                print(f"{path}: {error}", file=sys.stderr)


def _built_post(path: str, item: FeedItem) -> BuiltPost:
    date = item.published.astimezone(UTC).isoformat() if item.published else ""
    return BuiltPost(path, item.title, date, item.guid or item.link, words_of(item.html) if item.html else "")


def _page_words(site: Path, path: str) -> str:
    file = site / path.strip("/")
    file = file / "index.html" if path.endswith("/") else file
    if file.suffix not in (".html", ".htm") or not file.is_file():
        return ""
    data = file.read_bytes()
    return "" if b'http-equiv="refresh"' in data.lower() else words_of(data.decode("utf-8", "replace"), is_page=True)


def words_of(html: str, *, is_page: bool = False) -> str:
    """Return the words of HTML in lower case, separated by single spaces and without punctuation, for comparison."""
    if not html.strip():
        return ""
    tree = lxml.html.fromstring(html if is_page else f"<div>{html}</div>")
    if is_page:
        tree = next((found for place in _MAIN if (found := tree.find(place)) is not None), tree)
    for element in [*tree.iter("script", "style", "nav", "svg", "iframe", "template"), *tree.xpath(_ADDED)]:
        element.drop_tree()
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFKC", " ".join(_texts(tree))).casefold()))


_INLINE = frozenset(
    "a abbr b bdi bdo code del dfn em i ins kbd mark q s samp small span strong sub sup u var".split()  # noqa: SIM905
)


def _texts(tree: lxml.html.HtmlElement) -> Iterator[str]:
    """Yield texts without splitting them at inline elements: `<b>a</b>b` is one word, `<p>a</p><p>b</p>` are two."""
    held = ""
    for event, element in lxml.etree.iterwalk(tree, events=("start", "end", "comment")):
        if event == "comment":
            held += element.tail or ""
            continue
        if element.tag not in _INLINE:
            yield held
            held = ""
        held += (element.text if event == "start" else element.tail if element is not tree else "") or ""
    yield held


def _path(url: str) -> str:
    return unicodedata.normalize("NFC", unquote(urlsplit(url).path)) or "/"


def adopted_copy(blog: Path, scratch: Path) -> Path:
    """Copy the blog, and return the copy after adopting it. Raises SystemExit if the blog cannot be adopted."""
    copy = scratch / "blog"
    ignored = shutil.ignore_patterns(".git", "node_modules", "vendor", "_site", ".publisher")
    shutil.copytree(blog, copy, ignore=ignored, symlinks=True)
    if not (copy / CONFIG_FILE).exists() and run(["adopt", str(copy)]):
        raise SystemExit(f"{blog} cannot be adopted")
    return copy


def compare(root: Path, built: BuiltSite, now: datetime) -> Comparison:
    """Compare the project in `root` with the output of the tool, whose feed is imported before ids are compared."""
    config = load_config(root)
    archive = open_archive(config, now, keep=False)
    pairs = list(_pairs(archive.posts, built))
    taken = _with_ids(config, archive, built, now)
    differences: list[Difference] = []
    for post, theirs in pairs:
        if post is None or theirs is None:
            has = Difference(post.source, "post", "is one", "") if post else None
            differences.append(has or Difference(theirs.path if theirs else "", "post", "", "is one"))
            continue
        differences += _differing(post, theirs, taken.get(post.source, post), _text(config, archive, post), built)
    both = [post for post, theirs in pairs if post and theirs]
    wrong = {what: sum(1 for each in differences if each.what == what) for what in FIELDS}
    same = {what: len(both) - wrong[what] for what in FIELDS}
    theirs_all = sum(1 for _, theirs in pairs if theirs)
    problems = tuple(map(str, archive.problems))
    return Comparison(len(archive.posts), theirs_all, len(both), same, tuple(differences), problems)


def _pairs(posts: Iterable[Post], built: BuiltSite) -> Iterator[tuple[Post | None, BuiltPost | None]]:
    """Yield pairs of one of our posts and the tool's post, matched by URL, then by title.

    If the tool has only a page at the URL, our post is paired with that page. A post without a match is paired with
    None.
    """
    left = {post.path: post for post in built.posts}
    later = []
    for post in posts:
        path = unicodedata.normalize("NFC", post.permalink)
        if path in left:
            yield post, left.pop(path)
        else:
            later.append(post)
    titled = {_letters(each.title): each.path for each in left.values()}
    for post in later:
        path = titled.get(_letters(post.title), "")
        page = unicodedata.normalize("NFC", post.permalink)
        if path in left:
            yield post, left.pop(path)
        else:
            yield post, BuiltPost(page) if is_answered(page, built.paths) else None
    yield from ((None, post) for post in left.values())


def _with_ids(config: Config, archive: Archive, built: BuiltSite, now: datetime) -> dict[str, Post]:
    """Import the old feed, and return the posts by the path of their file."""
    items = tuple(
        FeedItem(each.id, f"{config.site_url}{each.path}", each.title, published=_moment(each.date))
        for each in built.posts
    )
    document = FeedDocument("atom", "", config.site_url, items)
    write_entries(config.root, match_old_feed(config, archive, document).entries)
    return {post.source: post for post in open_archive(config, now, keep=False).posts}


def _moment(date: str) -> datetime | None:
    return datetime.fromisoformat(date) if date else None


def _text(config: Config, archive: Archive, post: Post) -> str:
    try:
        return words_of(Renderer(archive, config).render(post).html)
    except PublisherError as error:
        return f"({error})"


def _differing(post: Post, theirs: BuiltPost, taken: Post, text: str, built: BuiltSite) -> Iterator[Difference]:
    path = unicodedata.normalize("NFC", post.permalink)
    date = post.published.astimezone(UTC).isoformat()
    pairs = {"address": (path, theirs.path), "title": (_letters(post.title), _letters(theirs.title))}
    pairs |= {"date": (date, theirs.date), "id": (taken.id, theirs.id)}
    for what, (ours, other) in pairs.items():
        if other and ours != other:
            yield Difference(post.source, what, post.title if what == "title" else ours, getattr(theirs, _FIELD[what]))
    if theirs.text:
        is_same, other = text == theirs.text, theirs.text
    else:
        other = next((built.pages[each] for each in (theirs.path, f"{theirs.path}.html") if each in built.pages), "")
        is_same = f" {text} " in f" {other} "
    if not is_same:
        yield Difference(post.source, "text", *_apart(text, other))


_FIELD = {"address": "path", "title": "title", "date": "date", "id": "id"}


def _apart(ours: str, theirs: str) -> tuple[str, str]:
    """Return the words of both texts around their first difference."""
    first, second = ours.split(" "), theirs.split(" ")
    same = next((n for n, pair in enumerate(zip(first, second, strict=False)) if pair[0] != pair[1]), 0)
    start = max(0, same - 3)
    return " ".join(first[start : same + 8]), " ".join(second[start : same + 8])


def _letters(title: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", title).casefold()))


def table(found: Comparison) -> str:
    """Return the counts, and a line for each difference."""
    lines = [f"posts here {found.ours}, of the tool {found.theirs}, of both {found.both}"]
    lines += [f"{what:8} {found.same[what]} of {found.both} the same" for what in FIELDS]
    return "\n".join([*lines, *map(str, found.differences), *(f"problem: {each}" for each in found.problems)])


def main() -> int:
    """Compare, print, and record if asked to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.adopt", description=__doc__.split("\n")[0])
    parser.add_argument("blog", type=Path, metavar="BLOG")
    parser.add_argument("site", type=Path, metavar="SITE")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--record", type=Path, metavar="FILE", help="write the output of the tool to a file, and exit")
    parser.add_argument("--page-texts", action="store_true", help="record the texts of the pages instead of the feeds")
    parser.add_argument("--made", default="", help="how the tool was run, for the record")
    arguments = parser.parse_args()
    built = read_built(arguments.site)
    if arguments.page_texts:
        built = with_page_texts(built, arguments.site)
    if arguments.record:
        record = json.dumps(asdict(replace(built, made=arguments.made)), ensure_ascii=False, indent=1)
        arguments.record.write_text(f"{record}\n", encoding="utf-8")
        return 0
    with tempfile.TemporaryDirectory(prefix="publisher-adopt-") as scratch:
        found = compare(adopted_copy(arguments.blog, Path(scratch)), built, datetime.now(UTC))
    print(json.dumps(asdict(found), ensure_ascii=False, indent=1) if arguments.json else table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
