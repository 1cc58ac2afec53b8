"""The website. This package turns posts and editions into the files of the output folder.

Begin with `build`, which compares every file that the site should have with the files on disk, and makes those that
changed. `feeds` and `pages` list the files and make them. Each file is an Output, whose key is known before anything is
rendered. This package parses no posts (see `posts`), renders no emails (see `newsletters`) and does not access the
database: the caller passes in the editions to show.

Public modules:
    build         bring the output folder up to date, and protect the ids of published posts
    feeds         RSS, Atom, JSON Feed and OPML, and the checks of built feeds for `publisher check`
    pages         the HTML pages, their words, and the sign-up form
    unchanged     find out, without the configuration, that a build has nothing to do
    web_versions  the web versions of editions
    websub        notify a hub of changed feeds
"""

__all__ = ["build", "feeds", "pages", "unchanged", "web_versions", "websub"]
