"""Pages of our own, in the site's look and the reader's language."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from babel import Locale, UnknownLocaleError
from markupsafe import Markup, escape
from starlette.responses import Response

from publisher.site.pages.frame import Page, SiteView, stylesheet
from publisher.site.pages.words import words_for
from publisher.web.public.headers import page_headers
from publisher.web.public.strings import preferred, speech, spoken_languages

if TYPE_CHECKING:
    from starlette.requests import Request

    from publisher.web.context import Office


class Pages:
    """Makes the pages of one office. prefix: the path under which the application answers, "" or "/letters".

    home: the way to the site
    """

    def __init__(self, office: Office) -> None:
        self._office = office
        self.prefix = urlsplit(office.links.public_url).path.rstrip("/")
        self.style = stylesheet(office.templates)
        self.style_path = f"{self.prefix}/readers.{hashlib.sha256(self.style.encode()).hexdigest()[:10]}.css"
        config = office.config
        self.home = _home(config.site_url, office.links.public_url)
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
        )

    def language(self, request: Request, known: str = "") -> str:
        """Return the language for a reader: what is known of them, what their browser wants, or the site's."""
        spoken = spoken_languages(self._office.templates)
        if known:
            return preferred(known, spoken, self._office.config.site.language)
        return preferred(request.headers.get("accept-language", ""), spoken, self._office.config.site.language)

    def languages(self, held: str) -> Sequence[tuple[str, str]]:
        """Return the languages to choose among, as (tag, its own name for itself)."""
        tags = dict.fromkeys([*spoken_languages(self._office.templates), *([held] if held else [])])
        return [(tag, _own_name(tag)) for tag in tags]

    def page(
        self, request: Request, template: str, title: str, *, status: int = 200, language: str = "", **context: Any
    ) -> Response:
        """Return templates/web/<template> as an answer. title: the key of a word, or of one with places to fill."""
        say = speech(language or self.language(request), self._office.templates)
        values = context.pop("values", {})
        isolated = {name: Markup("<bdi>{}</bdi>").format(value) for name, value in values.items()}
        heading = escape(getattr(say, title)).format(**isolated)
        text = str(getattr(say, title)).format(**values)
        return self._answer(f"web/{template}", text, heading, say, status, values=values, **context)

    def owner_page(self, request: Request, template: str, heading: str, **context: Any) -> Response:
        """Return templates/admin/<template> for the owner, in English, with a heading as it is."""
        return self._answer(
            f"admin/{template}", heading, escape(heading), speech("en", self._office.templates), 200, **context
        )

    def _answer(
        self, template: str, title: str, heading: Markup, say: SimpleNamespace, status: int, **context: Any
    ) -> Response:
        text = self._office.templates.render(
            template,
            site=self._site,
            words=words_for(say.language, self._office.templates),
            say=say,
            page=Page(title=title, url="", root=self._site.base, language=say.language),
            heading=heading,
            style=self.style_path,
            prefix=self.prefix,
            **context,
        )
        return Response(text.encode("utf-8", "replace"), status, page_headers(), "text/html; charset=utf-8")

    def message(
        self, request: Request, title: str, hint: str = "", *, status: int = 200, language: str = "", **values: str
    ) -> Response:
        """Return a page that says one thing. title, hint: keys of words."""
        return self.page(request, "message.html", title, status=status, language=language, hint=hint, values=values)


def _home(site_url: str, public_url: str) -> str:
    """The way from a page of ours to the site: a path where both are in one place, so that it also works locally."""
    site, public = urlsplit(site_url), urlsplit(public_url)
    if (site.scheme, site.netloc) == (public.scheme, public.netloc):
        return f"{site.path.rstrip('/')}/"
    return f"{site_url}/"


def _own_name(tag: str) -> str:
    try:
        return (Locale.parse(tag.replace("-", "_")).get_display_name() or tag).capitalize()
    except (UnknownLocaleError, ValueError):
        return tag
