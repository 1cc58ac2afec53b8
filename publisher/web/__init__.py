"""Everything that answers over HTTP.

`application` is what `publisher serve` and `publisher run` serve: the pages on which people subscribe, choose and
unsubscribe (public/), the owner's pages (admin/), the webhooks of mail providers, and the built site. `preview` is an
application of its own, for the person who writes. `server` puts either of them on a socket.

Handlers are plain functions that read a request, call one function of another room, and render a template. What a
response must not wait for goes to the mail worker. No rule about subscribers or editions is decided here.

Begin reading in `application`. The files of this folder serve the applications: `context` (what a handler needs),
`forms` and `responses` (what comes in and goes out), `client_address` and `rate_limit` (who asks, and how often),
`mail_worker` and `send_notices` (email caused by a page), `sample_email` (an email as a subscriber gets it),
`monitoring` (access log and metrics).

application  opens the application of one project
admin        the password of the owner (a package)
preview      the application of the preview (a package)
public       the sign-up form for other sites (a package)
server       a listening socket and the HTTP server
"""

__all__ = ["admin", "application", "preview", "public", "server"]
