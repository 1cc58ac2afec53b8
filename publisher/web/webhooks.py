"""The webhooks at /hooks/bounce/<provider>, where mail providers report bounces and complaints.

A request is only accepted with the provider's signature or our secret. GET requests have no effect.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from publisher.bounces.providers.generic import read_generic
from publisher.bounces.providers.mailgun import read_mailgun
from publisher.bounces.providers.postmark import read_postmark
from publisher.bounces.providers.sendgrid import read_sendgrid
from publisher.bounces.providers.ses import Fetch, Sns, fetch_from_amazon
from publisher.bounces.providers.webhook import MOST_BYTES, WebhookError, WebhookRequest
from publisher.core.bounce_report import Report
from publisher.core.errors import PublisherError
from publisher.core.logging import log
from publisher.publishing.read_bounces import apply_reports, signatures_of
from publisher.web.responses import public_page_headers
from publisher.web.send_notices import queue_farewell
from publisher.web.worker_threads import run_in_thread

if TYPE_CHECKING:
    from publisher.config import Config
    from publisher.web.context import WebContext

PATH = "/hooks/bounce/{provider}"

_MESSAGES = {
    400: "this cannot be read\n",
    403: "wrong signature or secret\n",
    413: "too long\n",
    503: "temporarily unavailable; please try again later\n",
}

Reader = Callable[[WebhookRequest], list[Report]]


class BounceWebhooks:
    """The handler of the webhooks. It answers 404 for a provider that has no secret or key in publisher.toml."""

    def __init__(self, context: WebContext, fetch: Fetch = fetch_from_amazon) -> None:
        self._context = context
        self._readers = _readers(context.config, Sns(fetch))

    async def post(self, request: Request) -> Response:
        """Store the reports in a request.

        The response is 200 once all reports are stored; otherwise its status tells the provider whether to retry.
        """
        provider = str(request.path_params["provider"])
        reader = self._readers.get(provider)
        if reader is None:
            raise HTTPException(404)
        try:
            body = await _body(request)
            return await run_in_thread("webhook", self._take, provider, reader, dict(request.headers.items()), body)
        except WebhookError as error:
            return _refused(error.status)
        except ClientDisconnect:
            return Response(status_code=400)
        except PublisherError as error:  # the database is unavailable; the message may contain an address
            log("busy", f"busy: {type(error).__name__}", level="warning", error=type(error).__name__)
            return _refused(503)

    def _take(self, provider: str, reader: Reader, headers: dict[str, str], body: bytes) -> Response:
        context, now = self._context, self._context.now()
        webhook_request = WebhookRequest(
            {name.lower(): value for name, value in headers.items()}, body, now, signatures_of(context.config)
        )
        reports = reader(webhook_request)
        farewell_to = partial(queue_farewell, context)
        taken = apply_reports(context.config, context.store, reports, now, f"webhook {provider}", farewell_to)
        return PlainTextResponse(f"{taken.summary}\n", 200, public_page_headers())


def _readers(config: Config, sns: Sns) -> dict[str, Reader]:
    bounces = config.bounces
    ses, postmark = bounces.ses.topic_arn, bounces.postmark.secret
    mailgun, sendgrid = bounces.mailgun.signing_key, bounces.sendgrid.public_key
    found: dict[str, tuple[str, Reader]] = {
        "ses": (ses, lambda request: sns.read(request, ses)),
        "postmark": (postmark, lambda request: read_postmark(request, postmark)),
        "mailgun": (mailgun, lambda request: read_mailgun(request, mailgun)),
        "sendgrid": (sendgrid, lambda request: read_sendgrid(request, sendgrid)),
    }
    if generic := bounces.generic.secret:
        found["generic"] = generic, lambda request: read_generic(request, generic)
    return {name: reader for name, (secret, reader) in found.items() if secret}


async def _body(request: Request) -> bytes:
    """Return the body of a request. Raises WebhookError(413) if it is longer than MOST_BYTES.

    The limit also applies if Content-Length is wrong.
    """
    length = request.headers.get("content-length", "0")
    if length.isascii() and length.isdigit() and (len(length) > 12 or int(length) > MOST_BYTES):
        raise WebhookError(413)
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise WebhookError(413)
    return body


def _refused(status: int) -> Response:
    headers = public_page_headers() | ({"Connection": "close"} if status == 413 else {})
    return PlainTextResponse(_MESSAGES[status], status, headers)
