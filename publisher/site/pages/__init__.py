"""The HTML pages of a site: which there are (plan), and how each is made (everything else here).

Planning renders nothing and imports neither Jinja2 nor Pygments: a build with nothing changed compares keys.
"""

from publisher.site.pages.frame import FeedLink
from publisher.site.pages.letters import EditionPage
from publisher.site.pages.plan import plan_pages

__all__ = ["EditionPage", "FeedLink", "plan_pages"]
