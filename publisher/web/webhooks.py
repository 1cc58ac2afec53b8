"""Requests from other programs, under /hooks/: mail providers report bounces and complaints, hubs report new items.

A report is only accepted with the sender's signature or our secret. GET requests have no effect, except that a hub uses
one to ask whether we want its reports, as WebSub requires. The URL has a token that only the hub knows.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
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
from publisher.bounces.providers.webhook_request import MOST_BYTES, WebhookError, WebhookRequest
from publisher.core.bounce_report import Report
from publisher.core.errors import PublisherError
from publisher.core.logging import log
from publisher.publishing.read_bounces import apply_reports, signatures_of
from publisher.publishing.source_hubs import is_authentic, lease_of, verify_hub, wake_source
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

# A hub may send the whole feed. It is read, because the whole is signed, but not kept.
_LONGEST_REPORT = 20_000_000

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


class HubCallbacks:
    """The handlers of the URLs that the hubs of sources call (W3C WebSub). They answer 404 if the token is wrong."""

    def __init__(self, context: WebContext) -> None:
        self._context = context

    def verify(self, request: Request) -> Response:
        """Answer a hub that asks whether we want its reports."""
        context = self._context
        token, query = str(request.path_params["token"]), dict(request.query_params)
        challenge = verify_hub(context.store, token, query, context.now())
        if challenge is None:
            raise HTTPException(404)
        return PlainTextResponse(challenge, 200, public_page_headers())

    async def receive(self, request: Request) -> Response:
        """Take a report. As WebSub requires, a report with a wrong signature is ignored without an error."""
        context = self._context
        try:
            name, lease = await run_in_thread("webhook", lease_of, context.store, str(request.path_params["token"]))
            if lease is None:
                return PlainTextResponse("this site no longer wants these reports\n", 410, public_page_headers())
            signature = request.headers.get("x-hub-signature", "")
            async with asyncio.timeout(context.form_seconds):
                if await is_authentic(lease, signature, _limited(request.stream(), _LONGEST_REPORT)):
                    await run_in_thread("webhook", wake_source, context.store, name, context.now())
        except WebhookError as error:
            return _refused(error.status)
        except (ClientDisconnect, TimeoutError):
            return Response(status_code=400)
        except PublisherError as error:
            log("busy", f"busy: {type(error).__name__}", level="warning", error=type(error).__name__)
            return _refused(503)
        return PlainTextResponse("thank you\n", 200, public_page_headers())


async def _limited(stream: AsyncIterator[bytes], most: int) -> AsyncIterator[bytes]:
    """Yield the bytes of a request. Raises WebhookError(413) for more than `most`, whatever Content-Length says."""
    size = 0
    async for part in stream:
        size += len(part)
        if size > most:
            raise WebhookError(413)
        yield part


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
    return b"".join([part async for part in _limited(request.stream(), MOST_BYTES)])


def _refused(status: int) -> Response:
    headers = public_page_headers() | ({"Connection": "close"} if status == 413 else {})
    return PlainTextResponse(_MESSAGES[status], status, headers)
