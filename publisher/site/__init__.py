"""The web site: from posts and editions to the files of the output folder.

`build` is where to begin: it compares every file that the site would have with what is on the disk, and makes those
that changed. `feeds` and `pages` say which files there are, each an Output with a key that is known before anything is
rendered, and how each is made. Nothing here parses a post (that is `posts`), renders an email (`newsletters`) or
touches the database: the caller passes in the editions to show.

build         bring the output folder up to date; ids that may not change
feeds         RSS, Atom, JSON Feed, OPML; what `publisher check` says about the built files
pages         the HTML pages, their words, and the sign-up form
web_versions  editions as the site shows them
websub        notify a hub of changed feeds
"""

__all__ = ["build", "feeds", "pages", "web_versions", "websub"]
