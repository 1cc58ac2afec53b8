"""The owner's pages below /admin. They show upcoming emails, deliveries, subscribers, and problems to solve.

`auth` admits only the owner, using the password of `credentials` and the sessions of `session_cookies`. `views` shows
pages and changes nothing, while `actions` handles the buttons. `admin_pages` renders templates/admin. `charts`,
`delivery_progress` and `feed_stats` prepare numbers for the pages; `feed_stats` also counts the requests for feeds. The
URLs are listed in web/application.py.

Public modules:
    credentials  the owner's password
"""

__all__ = ["credentials"]
