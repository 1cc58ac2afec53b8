"""Parameters of links to the owner's site, by which its statistics recognise visitors from an email.

They are added when a message is made, so that the links of an edition's web version, which is a page of the site, have
none.
"""

from __future__ import annotations

import re
from html import escape, unescape
from urllib.parse import quote, unquote_plus

from publisher.core.frozen import dataclass
from publisher.core.newsletter_models import Letter, slot_path

_HREF = re.compile(r'(\shref=")([^"]*)')
_URL = re.compile(r'https?://[^\s<>"]*')
_AFTER_URL = ".,;:!?)]}'*"  # punctuation that belongs to the sentence


@dataclass(frozen=True, slots=True)
class LinkParameters:
    """The parameters added to links in the messages of one edition.

    query  such as "utm_source=weekly&utm_medium=email"; "" for none
    site   the URL of the site, without a slash at its end
    kept   the beginnings of URLs that stay unchanged: those of web versions and of pages for subscribers
    """

    query: str = ""
    site: str = ""
    kept: tuple[str, ...] = ()

    @classmethod
    def of(cls, template: str, newsletter: str, slot: str, *, site: str, kept: tuple[str, ...]) -> LinkParameters:
        """Return the parameters for an edition.

        template: newsletters.link_parameters, in which {newsletter} and {slot} are filled in.
        """
        values = {"newsletter": quote(newsletter, safe=""), "slot": quote(slot_path(slot), safe="")}
        return cls(template.format(**values), site.rstrip("/"), kept)

    def in_letter(self, letter: Letter) -> tuple[str, str]:
        """Return the HTML and the text of a letter with these parameters in its links.

        In the text, only URLs that are links in the HTML get them; other URLs are ordinary words.
        """
        if not self.query:
            return letter.html, letter.text
        links: dict[str, str] = {}

        def in_html(found: re.Match[str]) -> str:
            """Return a link in the HTML with the parameters, and remember its URL."""
            url = unescape(found[2])
            links[url] = self.on(url)
            return found[0] if links[url] == url else found[1] + escape(links[url])

        def in_text(found: re.Match[str]) -> str:
            """Return a URL in the text as it was changed in the HTML."""
            bare = found[0].rstrip(_AFTER_URL)
            url = found[0] if found[0] in links else bare
            return links.get(url, url) + found[0][len(url) :]

        html = _HREF.sub(in_html, letter.html)
        return html, _URL.sub(in_text, letter.text)

    def on(self, url: str) -> str:
        """Return a URL with the parameters that it lacks; a link to another site stays unchanged."""
        if not self._is_own(url) or url.startswith(self.kept):
            return url
        whole, sharp, fragment = url.partition("#")
        path, _, query = whole.partition("?")
        has = {unquote_plus(each.partition("=")[0]) for each in query.split("&")}
        new = [each for each in self.query.split("&") if unquote_plus(each.partition("=")[0]) not in has]
        joined = "&".join([*filter(None, query.split("&")), *new])
        return f"{path}?{joined}{sharp}{fragment}" if new else url

    def _is_own(self, url: str) -> bool:
        """Return whether a URL leads to a page of the site rather than to a file for programs."""
        rest = _without_scheme(url)
        site = _without_scheme(self.site)
        if rest is None or site is None or rest[: len(site)].lower() != site.lower():
            return False
        path = re.split(r"[?#]", rest[len(site) :], maxsplit=1)[0]
        return path[:1] in ("", "/") and not path.endswith((".xml", ".json"))


def _without_scheme(url: str) -> str | None:
    scheme, colon, rest = url.partition("://")
    return rest if colon and scheme.lower() in ("http", "https") else None


NO_PARAMETERS = LinkParameters()
