"""The owner's pages below /admin. They show upcoming emails, deliveries, subscribers, and problems to solve.

`auth` admits only the owner, using the password of `credentials`, the codes of `second_factor` and the sessions of
`session_cookies`; `guesses` slows down people who guess them. `access_page` shows and changes who has access. `views`
shows pages and changes nothing, while `actions` handles the buttons. `admin_pages` renders templates/admin. `charts`,
`delivery_progress` and `feed_stats` prepare numbers for the pages; `feed_stats` also counts the requests for feeds. The
URLs are listed in web/application.py.

Public modules:
    credentials    the owner's password
    second_factor  codes from an app, and recovery codes
"""

__all__ = ["credentials", "second_factor"]
