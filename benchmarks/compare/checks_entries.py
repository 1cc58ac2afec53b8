"""Rows of the table about the contents of each entry; each docstring is the promise."""

from __future__ import annotations

from urllib.parse import unquote

from benchmarks.compare import fragment
from benchmarks.compare.corpus import AUDIO_BYTES
from benchmarks.compare.evidence import Evidence
from benchmarks.compare.feed import KIND_NAMES, Entry, Feed
from benchmarks.compare.verdict import YES, Answer, Row, Verdict, in_each_format, in_entry, listed, no, of_parts, partly


def both_texts(evidence: Evidence) -> Verdict:
    """Each entry has its full text and a shorter one, even if the writer gave no summary."""
    written = in_entry(evidence.base, "plain", lambda entry: _missing_texts(entry, "endofplain."))
    made = in_entry(evidence.base, "long", lambda entry: _missing_texts(entry, "endoflong."))
    if made.answer is Answer.NO and written.answer is not Answer.NO:
        rest = f"; {written.reason}" if written.reason else ""
        return partly(f"a summary only where the front matter gives one{rest}")
    return made


def _missing_texts(entry: Entry, mark: str) -> str:
    short = bool(entry.summary.strip()) and mark not in entry.summary
    return " and ".join(["no full text"] * (mark not in entry.html) + ["no summary"] * (not short))


def absolute_links(evidence: Evidence) -> Verdict:
    """Links, images and fragments written in Markdown lead to the same targets outside the page."""
    own = f"{evidence.base.corpus.url}/"

    def fault(entry: Entry) -> str:
        found = fragment.addresses(entry.html)
        if len(found) < 6:
            return "the links are not in the feed"
        lost = fragment.relative(found)
        if lost:
            return f"relative: {listed(lost, 5)}"
        down = next((url for url in found if url.endswith("#part")), "")
        right = down.startswith(own) and len(down) > len(own) + len("#part")
        return "" if right else f"#part leads to {down or 'nothing'}"

    return in_entry(evidence.base, "links", fault)


def absolute_html(evidence: Evidence) -> Verdict:
    """URLs in hand-written HTML are absolute, also in poster, and in srcset, where they may contain commas."""
    wanted = [f"{evidence.base.corpus.url}/media/{size}/picture.png" for size in ("w_400,h_300", "w_800,h_600")]

    def fault(entry: Entry) -> str:
        sets, posters = fragment.srcset_addresses(entry.html), fragment.posters(entry.html)
        if not sets and not posters:
            return "the HTML is left out"
        faults = [] if set(wanted) <= set(map(unquote, sets)) else [f"srcset: {listed(sets, 1) or 'left out'}"]
        if not posters or fragment.relative(posters):
            faults.append(f"poster: {listed(posters, 1) or 'left out'}")
        lost = fragment.relative([*sets, *fragment.addresses(entry.html)])
        return listed(faults) or (f"relative: {listed(lost)}" if lost else "")

    return in_entry(evidence.base, "html", fault)


def alternate(evidence: Evidence) -> Verdict:
    """Every entry has an absolute link to its page, and the page exists."""

    def fault(feed: Feed) -> str:
        lost = [entry.title for entry in feed.entries if evidence.base.at(entry.link) is None]
        return f"no page behind {listed(lost, 1)}" if lost else ""

    return in_each_format(evidence.base, fault)


def authors(evidence: Evidence) -> Verdict:
    """Each entry itself names all its authors, because many feed readers ignore the feed's author."""

    def fault(feed: Feed) -> str:
        for post in evidence.base.corpus.visible():
            entry = feed.entry(post.mark, post.title)
            said = " / ".join(entry.authors) if entry else ""
            missing = [name for name in post.authors if name not in said]
            if entry and missing:
                return f"{listed(missing)} missing from {post.title!r}"
        return ""

    return in_each_format(evidence.base, fault)


def tags(evidence: Evidence) -> Verdict:
    """Each entry has all its tags, exactly as written."""
    wanted = evidence.base.corpus.post("manytags").tags

    def fault(entry: Entry) -> str:
        missing = [tag for tag in wanted if tag not in entry.tags]
        return f"missing: {listed(missing, 4)}" if missing else ""

    return in_entry(evidence.base, "manytags", fault)


def language(evidence: Evidence) -> Verdict:
    """An entry names the language of its post if that is not the site's language."""
    return in_entry(evidence.base, "language", lambda entry: "" if entry.language == "ja" else "not said")


def image(evidence: Evidence) -> Verdict:
    """Each entry has its image where programs that turn feeds into newsletters look for it."""
    wanted = f"{evidence.base.corpus.url}/media/cover.png"

    def fault(entry: Entry) -> str:
        if wanted in entry.images:
            return ""
        elsewhere = any(file.url == wanted for file in entry.attached)
        return "only as an enclosure" if elsewhere else "not there"

    return in_entry(evidence.base, "image", fault)


def enclosure(evidence: Evidence) -> Verdict:
    """A podcast episode is enclosed with its URL, its type and its true length."""
    wanted = f"{evidence.base.corpus.url}/media/episode.mp3"

    def fault(entry: Entry) -> str:
        file = next((file for file in entry.attached if file.url == wanted), None)
        if file is None:
            return "not there"
        if file.length != AUDIO_BYTES:
            return f"length {file.length} instead of {AUDIO_BYTES}" if file.length >= 0 else "no length"
        return "" if file.media_type == "audio/mpeg" else f"type {file.media_type or 'missing'}"

    return in_entry(evidence.base, "audio", fault)


def inactive(evidence: Evidence) -> Verdict:
    """Entries contain no scripts, and nothing that changes styles."""

    def fault(entry: Entry) -> str:
        return listed(fragment.active_parts(entry.html), 6)

    return in_entry(evidence.base, "active", fault)


def plain_code(evidence: Evidence) -> Verdict:
    """Code has no highlighting that needs a stylesheet."""

    def fault(entry: Entry) -> str:
        if "def area(width" not in fragment.words(entry.html):
            return "the code is not in the feed as it was written"
        return listed(fragment.highlighting(entry.html), 2)

    return in_entry(evidence.base, "code", fault)


def plain_headings(evidence: Evidence) -> Verdict:
    """Headings do not link to themselves."""

    def fault(entry: Entry) -> str:
        if "First part" not in fragment.words(entry.html):
            return "the headings are not in the feed"
        return listed(fragment.heading_anchors(entry.html))

    return in_entry(evidence.base, "headings", fault)


def same_ids(evidence: Evidence) -> Verdict:
    """All formats have the same ids in the same order, so that people who switch formats see nothing twice."""
    main = evidence.base.main
    if not main:
        return no("there is no feed")
    orders = {kind: [entry.id for entry in feed.entries] for kind, feed in main.items()}
    first = next(iter(orders.values()))
    unlike = [KIND_NAMES[kind] for kind, order in orders.items() if order != first]
    return partly(f"{listed(unlike)} has others than {KIND_NAMES[next(iter(orders))]}") if unlike else YES


def kept_ids(evidence: Evidence, variant: str) -> Verdict:
    """The id of a post survives a change of its URL."""
    changed = evidence.builds[variant]
    if changed.refused:
        return no(f"the build stops: {changed.refused}")
    post = evidence.base.corpus.post("plain")
    faults = {}
    for kind, feed in evidence.base.main.items():
        before, after = (f.entry(post.mark, post.title) if f else None for f in (feed, changed.main.get(kind)))
        kept = before and after and before.id and before.id == after.id
        faults[KIND_NAMES[kind]] = "" if kept else f"{before.id if before else ''} changes"
    return of_parts(faults)


ROWS = (
    Row("text", "Full text and a summary beside it", both_texts),
    Row("links", "Links, pictures and `#fragments` absolute", absolute_links),
    Row("srcset", "`srcset` with commas in addresses, and `poster`, absolute", absolute_html),
    Row("moved", "Id stays when the permalink changes", lambda evidence: kept_ids(evidence, "moved")),
    Row("domain", "Id stays when the domain changes", lambda evidence: kept_ids(evidence, "domain")),
    Row("ids", "Same ids in the same order in every format", same_ids),
    Row("alternate", "Each entry links to a page that exists", alternate),
    Row("authors", "Every author, by name, in every entry", authors),
    Row("tags", "Every tag", tags),
    Row("language", "Language of the post", language),
    Row("image", "Picture as `media:content` (JSON: `image`)", image),
    Row("enclosure", "Enclosure with true length and type", enclosure),
    Row("inactive", "No script, style, `on*`, `javascript:`", inactive),
    Row("code", "No highlighter's spans", plain_code),
    Row("headings", "No heading anchors", plain_headings),
)
