"""A blog made by another tool, as a folder for a web server: a page that links to its feed, and the feed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

PAGE = """\
<!doctype html>
<html lang="en"><head><title>Ada's notes</title>
<link rel="alternate" type="application/rss+xml" title="Ada's notes" href="/feed.xml">
<link rel="alternate" type="application/rss+xml" title="Ada's notes: comments" href="/comments/feed.xml">
</head><body><h1>Ada's notes</h1></body></html>
"""
FEED = """\
<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel>
<title>Ada's notes</title>
<link>{url}/</link>
<description>Boats, tides and the people of the harbour.</description>
<language>en-GB</language>
{items}
</channel>
</rss>
"""
ITEM = """\
<item>
<title>{title}</title>
<link>{url}/{slug}/</link>
<dc:creator><![CDATA[Ada]]></dc:creator>
<pubDate>{date}</pubDate>
<category><![CDATA[Harbour]]></category>
<guid isPermaLink="false">{url}/?p={number}</guid>
<description><![CDATA[{first} [&hellip;]]]></description>
<content:encoded><![CDATA[<p>{first}</p>
<p>There is <a href="/tides/">a table of the tides</a>, and more to say about it than fits into one line: who came, what
they brought, and why the old crane still stands where it stood.</p>]]></content:encoded>
</item>
"""
TITLES = ("The boats are back", "A crane for sale", "High water on Sunday")


def write_blog(folder: Path, url: str, now: datetime, titles: Sequence[str] = TITLES) -> None:
    """Write a blog whose newest post, a day older than `now`, has the first title; each further post is a day older.

    url  where the folder is served, without a trailing slash
    """
    items = []
    for index, title in enumerate(titles):
        date, slug = format_datetime(now - timedelta(days=index + 1)), title.lower().replace(" ", "-")
        first = f"{title}, as everybody saw who was at the quay this week."
        items.append(ITEM.format(title=title, url=url, slug=slug, date=date, number=len(titles) - index, first=first))
    folder.mkdir(exist_ok=True)
    (folder / "index.html").write_text(PAGE, encoding="utf-8")
    (folder / "feed.xml").write_text(FEED.format(url=url, items="".join(items)), encoding="utf-8")
