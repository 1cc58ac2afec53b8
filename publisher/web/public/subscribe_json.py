"""/subscribe.json: the sign-up form for front ends that other people write, in JSON.

GET returns what a form should show, with a token; POST takes what a person has filled in. The rules and limits are
those of the page /subscribe (see sign_up_requests), and the answer is the same whether or not an address is known.
Scripts of other sites may use it if web.form_origins names them (CORS).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from publisher.core.errors import PublisherError
from publisher.core.logging import log
from publisher.site.pages.signup import newsletter_offers
from publisher.subscribers.tokens import SOONEST
from publisher.web.forms import Form, FormError, parse_sign_up, read_body
from publisher.web.public.sign_up_requests import SignUpOutcome, SignUpRequests
from publisher.web.public.strings import ENGLISH, speech
from publisher.web.responses import public_page_headers
from publisher.web.worker_threads import run_in_thread

if TYPE_CHECKING:
    from types import SimpleNamespace

    from starlette.types import Receive, Scope, Send

    from publisher.web.context import WebContext
    from publisher.web.public.public_pages import PublicPages

SOURCE = "form /subscribe.json"
_LONGEST_ORIGIN = 100
_STATUS = {
    SignUpOutcome.SENT: 202,
    SignUpOutcome.UNPROVED: 409,
    SignUpOutcome.TOO_MANY: 429,
    SignUpOutcome.BUSY: 503,
    SignUpOutcome.BUSY_HOUR: 503,
}
# The field that a front end should mark and give the focus to, and the phrase that says what is wrong.
_FIELDS = {
    SignUpOutcome.BAD_ADDRESS: "email",
    SignUpOutcome.BAD_CHOICE: "newsletters",
    SignUpOutcome.STALE_CHOICE: "newsletters",
}
_PHRASES = {SignUpOutcome.TOO_MANY: "too_many_hint", SignUpOutcome.BUSY: "busy_hint", SignUpOutcome.UNPROVED: "step"}
_FORM_PHRASES = {413: "too_long", 408: "too_slow"}


class SubscribeJson:
    """The handler of /subscribe.json, for all methods."""

    def __init__(self, context: WebContext, pages: PublicPages, requests: SignUpRequests) -> None:
        self._context, self._pages, self._requests = context, pages, requests
        urls = (context.config.site_url, context.config.public_url)
        own = {f"{parts.scheme}://{parts.netloc}".lower() for parts in map(urlsplit, urls)}
        self._origins = frozenset(own | set(context.config.web.form_origins))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        request = Request(scope, receive, send)
        try:
            response = await self._answer(request)
        except FormError as error:
            phrase = _FORM_PHRASES.get(error.status, "bad_form_hint")
            response = await run_in_threadpool(self._refusal, request, error.status, "bad_form", phrase)
            if error.status in _FORM_PHRASES:
                response.headers["connection"] = "close"  # the rest of the body is not read
        except ClientDisconnect:
            response = Response(status_code=400)
        except PublisherError as error:  # the database is unavailable; the message may contain an address
            log("busy", level="warning", error=type(error).__name__)
            response = self._json({"error": "busy", "message": ENGLISH["busy_hint"]}, 503)
        response.headers.update(self._cors(request))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if request.method in ("GET", "HEAD"):
            return await run_in_threadpool(self._offer, request)
        if request.method not in ("POST", "OPTIONS"):
            return self._json({"error": "method"}, 405, Allow="GET, HEAD, POST, OPTIONS")
        if not self._may_ask(request):
            return self._json({"error": "origin"}, 403)
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=public_page_headers() | {"Allow": "GET, HEAD, POST, OPTIONS"})
        # A form on a page of any site can send the other types without a preflight request (Fetch, "CORS-safelisted").
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return self._json({"error": "type"}, 415)
        form = parse_sign_up(await read_body(request, self._context.form_seconds))
        return await run_in_thread("form", self._take, request, form)

    def _offer(self, request: Request) -> Response:
        """Return what a form should show, and the token to send with it."""
        say = self._say(request, request.query_params.get("language", ""))
        offers = newsletter_offers(self._context.config)
        return self._json(
            {
                "title": self._context.config.site.title,
                "language": say.language,
                "consent": say.consent,
                "newsletters": [
                    {
                        "name": offer.name,
                        "title": offer.title,
                        "description": offer.description,
                        "how_often": getattr(say, offer.often).format(count=offer.times) if offer.often else "",
                        "topics": [topic.name for topic in offer.topics],
                        "is_chosen": offer.is_chosen,
                    }
                    for offer in offers
                ],
                **self._token(self._requests.tokens.make()),
            }
        )

    def _take(self, request: Request, form: Form) -> Response:
        origin = request.headers.get("origin", "")
        source = f"{SOURCE} on {origin}" if origin and len(origin) <= _LONGEST_ORIGIN else SOURCE
        outcome = self._requests.take(request, form, source, self._pages.language(request))
        say = self._say(request, form.one("language"))
        status = _STATUS.get(outcome, 400)
        if outcome is SignUpOutcome.SENT:
            message = say.sent.format(address=form.one("email")[:254])
            return self._json({"status": "sent", "title": say.sent_title, "message": message}, status)
        message = getattr(say, _PHRASES.get(outcome, outcome.value))
        content = {"error": outcome.value, "message": message}
        if outcome in _FIELDS:
            content["field"] = _FIELDS[outcome]
        if outcome is SignUpOutcome.UNPROVED:
            content |= self._token(self._requests.next_token(form))
        client = self._context.clients.address(request.scope)
        later = {"Retry-After": str(self._context.rate_limits.seconds_until_reset(client))} if status == 429 else {}
        return self._json(content, status, **later)

    def _token(self, token: str) -> dict[str, Any]:
        return {"token": token, "wait_seconds": SOONEST, "proof_bits": self._requests.tokens.proof_bits}

    def _refusal(self, request: Request, status: int, error: str, phrase: str) -> Response:
        return self._json({"error": error, "message": getattr(self._say(request), phrase)}, status)

    def _say(self, request: Request, language: str = "") -> SimpleNamespace:
        return speech(self._pages.language(request, language[:100]), self._context.templates)

    def _may_ask(self, request: Request) -> bool:
        """Return whether the page that sent a request may use this. Programs have no origin, and are allowed to."""
        origin = request.headers.get("origin")
        return origin is None or "*" in self._origins or origin in self._origins

    def _cors(self, request: Request) -> dict[str, str]:
        origin = request.headers.get("origin")
        if origin is None or not self._may_ask(request):
            return {"Vary": "Origin, Accept-Language"}
        return {
            "Access-Control-Allow-Origin": "*" if "*" in self._origins else origin,
            "Access-Control-Allow-Methods": "GET, POST",
            "Access-Control-Allow-Headers": "Content-Type",
            "Access-Control-Expose-Headers": "Retry-After",
            "Access-Control-Max-Age": "7200",
            "Vary": "Origin, Accept-Language",
        }

    def _json(self, content: dict[str, Any], status: int = 200, **headers: str) -> Response:
        return JSONResponse(content, status, public_page_headers() | headers)
