"""Sources: the feed of another site is fetched and read, and its items become posts.

The fetcher opens every connection for posts, and refuses private networks. A document is read into a FeedDocument,
whatever kind of feed it is. Which of its items are new is decided by comparing them with those in the database.

Public modules:
    discovery          the feeds that a web page names
    exchange           one request and its answer, over checked connections
    feed_document      reading a feed of any kind
    feed_extras        the extras in feeds and exports: buttons, forms, counters
    fetcher            requests for URLs that strangers chose, within limits
    hub_subscription   subscriptions to the hubs that feeds name
    identity           which items of a document are new
    item_links         the links by which items are recognised
    item_post          the post that an item becomes, according to its source's settings
    network_addresses  which addresses may be connected to, and which URLs are accepted
    pace               when a source is fetched next, and from where
"""

__all__ = [
    "discovery",
    "exchange",
    "feed_document",
    "feed_extras",
    "fetcher",
    "hub_subscription",
    "identity",
    "item_links",
    "item_post",
    "network_addresses",
    "pace",
]
