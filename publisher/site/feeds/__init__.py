"""The feeds of a site: which there are, what each contains, and how each format is written.

Begin with `feed_list.feeds_of`: it decides which feeds there are without reading a post. `documents` cuts each into
the current document and its archive, `feed_files` makes outputs of these, and `xml_feed`, `json_feed` and `opml` write
them, feedgen doing RSS and Atom. An `items.Item` is one entry, the same in every format.

feed_list   which feeds there are, and where
feed_files  every feed file as an output
items       entries, made from posts or editions
validator   what is wrong with feeds that were built
"""

__all__ = ["feed_files", "feed_list", "items", "validator"]
