"""The HTML pages of a site.

Begin with `page_files.plan_pages`. Planning renders nothing and imports neither Jinja2 nor Pygments, so a build
compares ten thousand keys quickly. The design is in templates/pages, and Publisher's own words are in `words`.

Public modules:
    frame       the parts that all pages share: the site, keys and links
    look        the stylesheet and the logo, from the theme
    menu        the menu, and problems with it
    page_files  plan every page as an output
    post_body   prepare the body of a post for its page, with coloured code and relative links
    signup      the sign-up form, what it offers, and its words
    words       the words of the pages, in every language
"""

__all__ = ["frame", "look", "menu", "page_files", "post_body", "signup", "words"]
