"""The HTML pages of a site: which there are, and how each is made.

Begin with `page_files.plan_pages`. Planning renders nothing and imports neither Jinja2 nor Pygments, so a build
compares ten thousand keys in a moment. The look is in templates/pages; the text that no author wrote is in `words`.

frame       what all pages share: the site, the stylesheet, keys and links
page_files  every page as an output
post_body   the body of a post for its page: coloured code, relative links
signup      the sign-up form, and the page that explains feeds
words       the words of the pages, in every language
"""

__all__ = ["frame", "page_files", "post_body", "signup", "words"]
