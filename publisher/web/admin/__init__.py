"""The owner's pages below /admin: what comes next, how sending is going, who subscribes, and what needs attention.

`auth` lets only the owner in, with the password and the sessions of `credentials`. `views` shows pages and changes
nothing; `actions` are the buttons. `admin_pages` renders templates/admin. `charts`, `delivery_progress` and
`feed_stats` prepare numbers for the pages; `feed_stats` also counts the requests for feeds. The URLs are listed in
web/application.py.

credentials  the owner's password, and the signed cookie of a session
"""

__all__ = ["credentials"]
