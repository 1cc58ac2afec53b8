"""/hooks/bounce/<provider>: a provider tells of letters that came back. GET does nothing, and nobody is believed
without the provider's signature or our secret."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from publisher.bounces.providers.mailgun import read_mailgun
from publisher.bounces.providers.postmark import read_postmark
from publisher.bounces.providers.sendgrid import read_sendgrid
from publisher.bounces.providers.ses import Fetch, Sns, fetch_from_amazon
from publisher.bounces.providers.webhook import MOST_BYTES, WebhookError, WebhookRequest
from publisher.core.bounce_report import Report
from publisher.core.errors import PublisherError
from publisher.core.logging import log
from publisher.publishing.read_bounces import signatures_of, take_reports
from publisher.web.public.headers import page_headers

if TYPE_CHECKING:
    from publisher.config import Config
    from publisher.web.context import Office

PATH = "/hooks/bounce/{provider}"

_SAID = {
    400: "this cannot be read\n",
    403: "the signature or the secret is not right\n",
    413: "this is too long\n",
    503: "not now; please try again later\n",
}

Reader = Callable[[WebhookRequest], list[Report]]


class BounceHooks:
    """The handler. Providers without configuration are not there."""

    def __init__(self, office: Office, fetch: Fetch = fetch_from_amazon) -> None:
        self._office = office
        self._readers = _readers(office.config, Sns(fetch))

    async def post(self, request: Request) -> Response:
        """Take a call: 200 when all of it is in the record, else a status that says whether to try again."""
        provider = str(request.path_params["provider"])
        reader = self._readers.get(provider)
        if reader is None:
            raise HTTPException(404)
        try:
            body = await _body(request)
            return await run_in_threadpool(self._take, provider, reader, dict(request.headers.items()), body)
        except WebhookError as error:
            return _refused(error.status)
        except ClientDisconnect:
            return Response(status_code=400)
        except PublisherError as error:  # the database is away; its words may hold more than a log may
            log("busy", f"busy: {type(error).__name__}", level="warning", error=type(error).__name__)
            return _refused(503)

    def _take(self, provider: str, reader: Reader, headers: dict[str, str], body: bytes) -> Response:
        office, now = self._office, self._office.now()
        call = WebhookRequest(
            {name.lower(): value for name, value in headers.items()}, body, now, signatures_of(office.config)
        )
        reports = reader(call)
        taken = take_reports(office.config, office.store, reports, now, f"webhook {provider}")
        return PlainTextResponse(f"{taken.summary}\n", 200, page_headers())


def _readers(config: Config, sns: Sns) -> dict[str, Reader]:
    bounces = config.bounces
    ses, postmark = bounces.ses.topic_arn, bounces.postmark.secret
    mailgun, sendgrid = bounces.mailgun.signing_key, bounces.sendgrid.public_key
    found: dict[str, tuple[str, Reader]] = {
        "ses": (ses, lambda call: sns.read(call, ses)),
        "postmark": (postmark, lambda call: read_postmark(call, postmark)),
        "mailgun": (mailgun, lambda call: read_mailgun(call, mailgun)),
        "sendgrid": (sendgrid, lambda call: read_sendgrid(call, sendgrid)),
    }
    return {name: reader for name, (secret, reader) in found.items() if secret}


async def _body(request: Request) -> bytes:
    """Read the body, never beyond MOST_BYTES, whatever its length is said to be. Raises CallError(413)."""
    said = request.headers.get("content-length", "0")
    if said.isascii() and said.isdigit() and (len(said) > 12 or int(said) > MOST_BYTES):
        raise WebhookError(413)
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise WebhookError(413)
    return body


def _refused(status: int) -> Response:
    headers = page_headers() | ({"Connection": "close"} if status == 413 else {})
    return PlainTextResponse(_SAID[status], status, headers)
