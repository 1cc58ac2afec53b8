"""A blog that another tool makes becomes a project: its folder, its old feed and its addresses.

Public modules:
    old_addresses  what the addresses of the old site and of the new one have in common
    old_feed       take what readers know from the old feed: ids, addresses and moments
"""

__all__ = ["old_addresses", "old_feed"]
