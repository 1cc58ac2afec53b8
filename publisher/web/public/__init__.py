"""The pages for subscribers, and the built site next to them.

Each page is a module with its handlers: `subscribe_page`, `preferences_page` and `unsubscribe_page` for subscribers,
`approval_page` for the owner's approval of an edition. A link from an email shows a page and changes nothing, since
scanners open every link; a button on the page does. `public_pages` renders the templates in templates/web in the look
of the site, with the words of `strings` in the visitor's language. `static_site` serves the files of a build.

subscribe_page  the form, also as a snippet for other sites, and the confirmation
strings         the words of the pages, which the catalogs in locale/ translate
"""

__all__ = ["strings", "subscribe_page"]
