"""Every row of the table, in order."""

from __future__ import annotations

from functools import partial

from benchmarks.compare import checks_entries
from benchmarks.compare import checks_files as files
from benchmarks.compare.verdict import Row

PARSING = (
    Row("control", "A control character in a post: still well-formed", partial(files.survives, kind="control")),
    Row("cdata", "`]]>` in a title and a text", partial(files.survives, kind="cdata")),
    Row("noncharacter", "U+FFFE in a title and a text", partial(files.survives, kind="noncharacter")),
    Row("title", "`Use <head> & <3` as a title", partial(files.survives, kind="title")),
)

FORMATS = (
    Row("rss", "RSS 2.0", partial(files.has, kind="rss")),
    Row("atom", "Atom 1.0", partial(files.has, kind="atom")),
    Row("json", "JSON Feed 1.1", partial(files.has, kind="json")),
)

WHOLE = (
    Row("self", "Link to itself", files.own_address),
    Row("hub", "WebSub hub", files.hub),
    Row("icon", "Icon or picture of the site", files.icon),
    Row("updated", "`updated` is the newest entry's, never the clock's", files.updated),
    Row("bytes", "Same bytes in another zone, hash seed, folder", files.reproducible),
    Row("untouched", "Nothing changed: no feed written anew", files.untouched),
    Row("limit", "At most so many entries", files.limited),
    Row("size", "At most so many bytes", files.small),
    Row("archive", "The rest in an archive chain (RFC 5005, `next_url`)", files.archived),
    Row("hidden", "Drafts and future posts do not leak", files.hidden),
)

AROUND = (
    Row("tag-feeds", "A feed for each tag: 日本語, C++, C#, R&D", files.tag_feeds),
    Row("author-feeds", "A feed for each author, in any script", files.author_feeds),
    Row("opml", "OPML list of all feeds", files.opml),
    Row("discovery", "Autodiscovery on pages", files.discovery),
    Row("subscribe", "A page about the feeds, for people", files.subscribe),
)

ROWS = (*PARSING, *FORMATS, *checks_entries.ROWS, *WHOLE, *AROUND)
