"""The page at /test-copy/<token>: the web version of a test email, with a line above it that says so."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from starlette.responses import Response

from publisher.mail.links import LinkPurpose
from publisher.publishing.web_copies import web_copy
from publisher.web.public.public_pages import token_of
from publisher.web.public.strings import speech
from publisher.web.responses import test_copy_headers

if TYPE_CHECKING:
    from starlette.requests import Request

    from publisher.web.context import WebContext
    from publisher.web.public.public_pages import PublicPages

_LONGEST_TOKEN = 500
_BODY = re.compile(r"<body\b[^<>]*>", re.IGNORECASE)
_LINE = "margin:0;padding:12px 16px;background:#fff8dc;color:#222222;font:16px/1.5 sans-serif;text-align:center"


class CopyPages:
    """The handler of /test-copy."""

    def __init__(self, context: WebContext, pages: PublicPages) -> None:
        self._context, self._pages = context, pages

    def show(self, request: Request) -> Response:
        """Show the web version of a test email, or only say that it was a test if it is no longer stored here."""
        token = token_of(request)
        found = self._context.links.read(LinkPurpose.COPY, token) if len(token) <= _LONGEST_TOKEN else None
        if not found:
            return self._pages.bad_link(request)
        html = web_copy(self._context.config, found[0])
        if html is None:
            return self._pages.test_copy(request)
        say = speech(self._pages.language(request), self._context.templates)
        shown = below_line(html, say.language, say.test_copy)
        return Response(shown.encode("utf-8", "replace"), 200, test_copy_headers(), "text/html; charset=utf-8")


def below_line(html: str, language: str, text: str) -> str:
    """Return a page with a line of text above everything that it shows."""
    line = f'<p lang="{language}" style="{_LINE}">{escape(text)}</p>'
    return _BODY.sub(lambda body: f"{body[0]}{line}", html, count=1)
