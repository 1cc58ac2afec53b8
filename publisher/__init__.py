"""Publisher: from a folder of Markdown posts to feeds, pages and newsletters."""

__version__ = "0.2.0.dev0"
