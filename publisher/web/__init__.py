"""The web applications, and the HTTP server that runs them.

`publisher serve` and `publisher run` serve `application`. It consists of the pages on which people subscribe, change
their preferences and unsubscribe (public/), the owner's pages (admin/), the webhooks of mail providers, and the built
site. `preview` is a separate application for the author of the posts. `server` serves either of them on a socket.

Handlers are plain functions that read a request, call one function of another package, and render a template. Slow work
that would delay a response goes to the mail worker. This package contains no rules about subscribers or editions.

Start reading in `application`. The other modules support the applications: `context` (the objects that handlers need),
`forms` and `responses` (reading forms, and headers of responses), `client_address` and `rate_limit` (identifying and
limiting clients), `mail_worker` and `send_notices` (emails triggered by a page), `sample_email` (an email as a
subscriber would see it), `connections` (limits of the server), `compression` (gzip), and `monitoring` (the access log
and metrics).

Public modules:
    application  the application of one project
    admin        the owner's pages (a package)
    preview      the preview application (a package)
    public       the subscribers' pages and the sign-up form (a package)
    server       a listening socket and the HTTP server
"""

__all__ = ["admin", "application", "preview", "public", "server"]
