"""The form as a piece of HTML for any page: a blog made by another tool, a landing page."""

from __future__ import annotations

from publisher.config import Config
from publisher.core.templates import Templates
from publisher.mail.addresses import wire_url
from publisher.site.pages.signup import newsletter_offers
from publisher.web.public.strings import speech


def snippet(config: Config) -> str:
    """Return the form in the site's language. It needs no script and no stylesheet."""
    templates = Templates(config.root / "templates")
    return templates.render(
        "web/snippet.html",
        action=f"{wire_url(config.public_url)}/subscribe",
        offers=newsletter_offers(config),
        say=speech(config.site.language, templates),
    )
