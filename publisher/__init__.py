"""Publisher: from a folder of Markdown posts to feeds, pages and newsletters."""

__version__ = "0.1.0"
