"""The HTML pages of a site: which there are (plan), and how each is made (everything else here).

Planning renders nothing and imports neither Jinja2 nor Pygments: a build with nothing changed compares keys.
"""

from publisher.site.pages.frame import FeedLink
from publisher.site.pages.page_files import plan_pages
from publisher.site.web_versions import WebVersion

__all__ = ["FeedLink", "WebVersion", "plan_pages"]
