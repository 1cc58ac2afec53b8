"""Renders the pages for subscribers in the style of the site and the visitor's language, and reads choices in forms."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from markupsafe import Markup, escape
from starlette.responses import Response

from publisher.core.errors import StoreError, SubscriberError
from publisher.core.i18n import own_name
from publisher.core.newsletter_models import Subscription
from publisher.posts.page_heads import public_pages
from publisher.posts.urls import quoted
from publisher.site.pages.frame import Page, SiteView
from publisher.site.pages.look import icons_of, look_of, stylesheet
from publisher.site.pages.signup import newsletter_offers
from publisher.site.pages.words import words_for
from publisher.web.public.strings import preferred, speech, spoken_languages
from publisher.web.responses import public_page_headers

if TYPE_CHECKING:
    from starlette.requests import Request

    from publisher.config import Config
    from publisher.web.context import WebContext
    from publisher.web.forms import Form

TOPIC_FIELD = "topic."  # followed by the name of the newsletter
SHOWN_FIELD = "shown"  # the newsletters that a form offers, whether ticked or not


class PublicPages:
    """Renders the public pages of one project.

    prefix  the path at which the application is served, such as "/letters", or ""
    home    the URL of the site
    """

    def __init__(self, context: WebContext) -> None:
        self._context = context
        self.prefix = urlsplit(context.links.public_url).path.rstrip("/")
        self._looks = look_of(context.config)
        self.style = stylesheet(context.templates, self._looks)
        self.style_path = f"{self.prefix}/readers.{_short_hash(self.style)}.css"
        self.script = context.templates.source("web/readers.js")
        self.script_path = f"{self.prefix}/readers.{_short_hash(self.script)}.js"
        config = context.config
        self.home = _home(config.site_url, context.links.public_url)
        self._site = SiteView(
            title=config.site.title,
            url=config.site_url,
            base=self.home,
            description=config.site.description,
            language=config.site.language,
            image="",
            feeds=(),
            has_tags=False,
            has_editions=False,
            icons=icons_of(config),
        )

    def page(
        self, request: Request, template: str, title: str, *, status: int = 200, language: str = "", **variables: Any
    ) -> Response:
        """Return a page made from templates/web/<template>.

        title     the key of a text in the catalog; its placeholders are filled from `values`
        language  the visitor's language; by default the one that the browser prefers
        script    among the variables: the path of the script that the page needs; without it, no script may run
        """
        say = speech(language or self.language(request), self._context.templates)
        values = variables.pop("values", {})
        isolated = {name: Markup("<bdi>{}</bdi>").format(value) for name, value in values.items()}
        heading = escape(getattr(say, title)).format(**isolated)
        text = str(getattr(say, title)).format(**values)
        return self._render(f"web/{template}", text, heading, say, status, values=values, **variables)

    def message(
        self,
        request: Request,
        title: str,
        hint: str = "",
        *,
        status: int = 200,
        language: str = "",
        ways: Sequence[tuple[str, str, str]] = (),
        **values: str,
    ) -> Response:
        """Return a page with one message. title, hint: keys of texts in the catalog; ways: see ways_on."""
        variables = {"hint": hint, "ways": ways, "values": values}
        return self.page(request, "message.html", title, status=status, language=language, **variables)

    def ways_on(self, *, with_newest: bool = True) -> list[tuple[str, str, str]]:
        """Return links for a page without links of its own, each as (URL, key of its text, text of its own).

        with_newest  whether to look up the newest edition; False for a page that says that we are busy
        """
        config, ways = self._context.config, []
        try:
            newest = (
                self._context.store.editions.public(self._context.now(), limit=1, listed=True) if with_newest else ()
            )
        except StoreError:  # the page itself may need no database
            newest = ()
        for edition in newest:
            base = self.home.rstrip("/") if config.pages.enabled else config.editions_url
            ways.append((f"{base}{quote(edition.path)}", "newest", edition.subject))
        if config.pages.enabled:
            ways.append((f"{self.home}archive/", "all_posts", ""))
            ways += [(f"{self.home}feeds/", "all_feeds", "")] if config.feeds.formats else []
        return ways

    def test_copy(self, request: Request) -> Response:
        """Return the page for the personal links of a test email, which belong to no one."""
        return self.message(request, "test_copy", "test_copy_hint")

    def bad_link(self, request: Request) -> Response:
        """Return the page for a token that is forged, truncated, expired, already used, or meant for another page."""
        return self.message(request, "bad_link", "bad_link_hint", status=404, ways=self.ways_on())

    def nothing(self, request: Request) -> Response:
        """Return the page for a URL that does not exist, which is also shown for the admin page while it is closed."""
        ways = self.ways_on(with_newest=False)
        return self.message(request, "nothing", "nothing_hint", status=404, ways=ways)

    def bad_form(self, request: Request) -> Response:
        """Return the page for a form that was not sent with one of the buttons on the page."""
        return self.message(request, "bad_form", "bad_form_hint", status=400, ways=self.ways_on())

    def too_many(self, request: Request) -> Response:
        """Return the page for a client that has sent too many forms within the hour."""
        ways = self.ways_on(with_newest=False)
        page = self.message(request, "too_many", "too_many_hint", status=429, ways=ways)
        client = self._context.clients.address(request.scope)
        page.headers["retry-after"] = str(self._context.rate_limits.seconds_until_reset(client))
        return page

    def owner_page(self, request: Request, template: str, heading: str, **variables: Any) -> Response:
        """Return a page for the owner made from templates/admin/<template>, in English and in the style of the site."""
        say = speech("en", self._context.templates)
        return self._render(f"admin/{template}", heading, escape(heading), say, 200, **variables)

    def language(self, request: Request, known: str = "") -> str:
        """Return the language for a visitor.

        It is the language that the visitor chose (`known`), or else the one that the browser prefers, or the site's.
        """
        wanted = known or request.headers.get("accept-language", "")
        return preferred(wanted, spoken_languages(self._context.templates), self._context.config.site.language)

    def languages(self, held: str) -> Sequence[tuple[str, str]]:
        """Return the languages that a visitor can choose, as pairs of a tag and the language's own name.

        held  the tag of the subscriber's current language, which is always included
        """
        tags = dict.fromkeys([*spoken_languages(self._context.templates), *([held] if held else [])])
        return [(tag, own_name(tag)) for tag in tags]

    def _render(
        self, template: str, title: str, heading: Markup, say: SimpleNamespace, status: int, **variables: Any
    ) -> Response:
        text = self._context.templates.render(
            template,
            site=self._site,
            words=words_for(say.language, self._context.templates),
            say=say,
            page=Page(title=title, url="", root=self._site.base, language=say.language),
            heading=heading,
            looks=self._looks,
            style=self.style_path,
            prefix=self.prefix,
            own_pages=self._own_pages(),
            **variables,
        )
        headers = public_page_headers(
            script=bool(variables.get("script")), pictures=_origins(self._looks.logo, self._site.icons[0].url)
        )
        return Response(text.encode("utf-8", "replace"), status, headers, "text/html; charset=utf-8")

    def _own_pages(self) -> list[tuple[str, str, str]]:
        """Return the standalone pages, such as an imprint, each as (title, URL, language)."""
        config = self._context.config
        pages = [page for page in public_pages(config, self._context.now()) if "/" not in page.source]
        base = self.home.rstrip("/")
        return [(page.title, f"{base}{quoted(page.permalink)}", page.language) for page in pages]


def token_of(request: Request) -> str:
    """Return the token in the URL of a request."""
    return str(request.path_params["token"])


def chosen(config: Config, form: Form, *, held: Sequence[Subscription] = ()) -> tuple[Subscription, ...]:
    """Return the newsletters and topics chosen in a form.

    If the project has only one newsletter, a new subscriber's form need not name it.

    held  the subscriber's current subscriptions; topics in them may be kept even if they are no longer offered

    Raises SubscriberError for a newsletter or topic that does not exist.
    """
    offered = {offer.name: {topic.name for topic in offer.topics} for offer in newsletter_offers(config, held)}
    names = form.all("newsletter") or (tuple(offered) if len(offered) == 1 and not held else ())
    subscriptions = []
    for name in dict.fromkeys(names):
        topics = form.all(f"{TOPIC_FIELD}{name}")
        if name not in offered or not offered[name].issuperset(topics):
            raise SubscriberError("there is no such newsletter or topic")
        subscriptions.append(Subscription(name, topics))
    return tuple(subscriptions)


def title_of(config: Config, name: str) -> str:
    """Return the title of a newsletter, or its name if the newsletter is no longer configured."""
    newsletter = config.newsletter(name)
    return config.newsletter_title(newsletter) if newsletter else name


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def _origins(*urls: str) -> str:
    """Return the origins of URLs, in the form for a Content-Security-Policy."""
    parts = [urlsplit(url) for url in urls if url]
    return " ".join(dict.fromkeys(f"{part.scheme}://{part.netloc}" for part in parts))


def _home(site_url: str, public_url: str) -> str:
    """Return the link to the site. If both URLs have the same origin, it is just a path, which also works locally."""
    site, public = urlsplit(site_url), urlsplit(public_url)
    if (site.scheme, site.netloc) == (public.scheme, public.netloc):
        return f"{site.path.rstrip('/')}/"
    return f"{site_url}/"
