"""The pages for subscribers, and the built site that is served next to them.

Each page has a module with its handlers: `subscribe_page` (and `subscribe_json` for other people's front ends),
`preferences_page`, `account_page` and `unsubscribe_page` are for subscribers, on `approval_page` the owner approves an
edition, and `copy_page` shows a test email. A link in an email only shows a page, because mail scanners open every
link; a button on the page makes the change. `public_pages` renders the templates in templates/web in the style of the
site, with the texts of `strings` in the visitor's language. `sign_up_requests` has the rules for all kinds of sign-ups.
`static_site` serves the built files.

Public modules:
    subscribe_page  the sign-up form, which is also available as a snippet for other sites, and the confirmation
    strings         the texts of the pages, which the catalogs in locale/ translate
"""

__all__ = ["strings", "subscribe_page"]
