"""The feeds of a site in all their formats.

Begin with `feed_list.feeds_of`, which lists the feeds without reading a post. `documents` divides each feed into the
current document and its archive. `feed_files` makes outputs of these documents. `xml_feed` (with feedgen), `json_feed`
and `opml` write them. An `items.Item` is an entry, which is the same in every format.

Public modules:
    feed_list   list the feeds and the paths of their files
    feed_files  plan every feed file as an output
    items       make entries of posts or editions
    validator   find problems in built feeds
"""

__all__ = ["feed_files", "feed_list", "items", "validator"]
