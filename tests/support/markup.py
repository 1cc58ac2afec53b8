"""What a feed reader's sanitiser would find in the HTML of an entry."""

from __future__ import annotations

import re
from html.parser import HTMLParser

ACTIVE = re.compile(
    "script|style|iframe|frame|frameset|object|embed|applet|form|input|button|select|textarea|link|meta|base"
    "|svg|math|template|noscript|portal|xml|plaintext"
)
ADDRESSES = re.compile("href|src|poster|cite|action|formaction|background|longdesc|data|ping|usemap|manifest")
SCHEMES = {"http", "https", "mailto", "tel", "ftp", "xmpp", "magnet", "sms", "geo"}
PICTURE = re.compile(r"data:image/(?:png|gif|jpe?g|webp|avif);")


def faults(fragment: str) -> list[str]:
    """Return the faults: relative URLs, schemes that run code, elements and attributes that must not be there."""
    looker = _Looker()
    looker.feed(fragment)
    looker.close()
    return looker.found


def address_fault(address: str, tag: str = "a") -> str:
    """Return what is wrong with one URL, or "". Like a browser, ignore white space and control characters."""
    plain = re.sub(r"[\x00-\x20\x7f-\x9f\u200b]", "", address)
    scheme = re.match(r"([a-zA-Z][a-zA-Z0-9+.-]*):", plain)
    if not scheme:
        return f"relative address {address!r}"
    if scheme[1].lower() == "data":
        return "" if tag in ("img", "source") and PICTURE.match(plain) else f"address {address!r}"
    if scheme[1].lower() not in SCHEMES or re.match(r"https?:(?!//)", plain, re.IGNORECASE):
        return f"address {address!r}"
    return ""


class _Looker(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if ACTIVE.fullmatch(tag):
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            local = name.rpartition(":")[2]
            if local.startswith("on") or local in ("style", "srcdoc", "http-equiv"):
                self.found.append(f"{name}= on <{tag}>")
            addresses = [value or ""] if ADDRESSES.fullmatch(local) else []
            if local in ("srcset", "imagesrcset"):
                addresses = [candidate.split()[0] for candidate in re.split(r",\s+", (value or "").strip(", "))]
            self.found += filter(None, (address_fault(address, tag) for address in addresses))

    def handle_comment(self, data: str) -> None:
        self.found.append(f"a comment {data[:40]!r}")

    def handle_decl(self, decl: str) -> None:
        self.found.append(f"a declaration {decl[:40]!r}")

    def handle_pi(self, data: str) -> None:
        self.found.append(f"a processing instruction {data[:40]!r}")

    def unknown_decl(self, data: str) -> None:
        self.found.append(f"a section {data[:40]!r}")
