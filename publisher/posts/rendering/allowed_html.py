"""The HTML that a post may contain: no scripts, and only absolute URLs. No other module uses nh3."""

from __future__ import annotations

import re
from collections.abc import Callable, Container
from urllib.parse import urlsplit

import nh3

from publisher.core import patterns
from publisher.posts.rendering.missing_pictures import alt_as_words

TAGS = frozenset(
    """
    a abbr article aside audio b bdi bdo blockquote br caption cite code col colgroup data dd del
    details dfn div dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 header hgroup hr i iframe img
    input ins kbd li main mark math ol p picture pre q rp rt ruby s samp section small source span strike
    strong sub summary sup table tbody td tfoot th thead time tr track tt u ul var video wbr center
    """.split()  # noqa: SIM905 - a list of 80 quoted words is 80 lines
)

# MathML Core, and what Presentation MathML adds. Outside of <math> these are unknown tags like any other.
MATHML = frozenset(
    """
    annotation menclose mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot mrow ms mspace
    msqrt mstyle msub msubsup msup mtable mtd mtext mtr munder munderover semantics
    """.split()  # noqa: SIM905
)

# These elements are removed together with their content.
CONTENT_GOES = frozenset(("script", "style", "template", "noscript", "title", "textarea", "select", "object", "svg"))

_MATHML_ATTRIBUTES = set(
    """
    accent accentunder columnspan depth displaystyle fence form height largeop linethickness lspace mathvariant maxsize
    minsize movablelimits notation rowspan rspace scriptlevel separator stretchy symmetric voffset width
    """.split()  # noqa: SIM905
)
_ATTRIBUTES = {
    "*": {"id", "title", "lang", "dir", "class"},
    "a": {"href", "name", "hreflang"},
    "audio": {"src", "controls", "preload"},
    "blockquote": {"cite"},
    "q": {"cite"},
    "col": {"span"},
    "colgroup": {"span"},
    "data": {"value"},
    "del": {"cite", "datetime"},
    "ins": {"cite", "datetime"},
    "details": {"open"},
    "iframe": {"src", "width", "height", "allowfullscreen", "loading"},
    "img": {"src", "srcset", "sizes", "alt", "width", "height", "loading", "style"},  # of a style, the width is kept
    "input": {"type", "checked", "disabled"},
    "li": {"value"},
    "math": {"display"},
    **dict.fromkeys(MATHML, _MATHML_ATTRIBUTES),
    "annotation": {"encoding"},
    "ol": {"start", "type", "reversed"},
    "source": {"src", "srcset", "sizes", "media", "type"},
    "td": {"colspan", "rowspan", "headers", "align"},
    "th": {"colspan", "rowspan", "headers", "scope", "align", "abbr"},
    "time": {"datetime"},
    "track": {"src", "kind", "srclang", "label", "default"},
    "video": {"src", "poster", "controls", "width", "height", "preload", "loop", "muted"},
}

# What a frame may do. Players need scripts and their own storage, links that open a page of the player, forms, and
# casting to a screen. Without the other tokens, it cannot lead the page away, start downloads or open dialogs.
FRAME_SANDBOX = (
    "allow-forms allow-popups allow-popups-to-escape-sandbox allow-presentation allow-same-origin allow-scripts"
)

# The classes that the templates style. Any other class belongs to another site's stylesheet.
_CLASSES = patterns.compile(
    r"language-[\w+#.-]+|footnote(?:s|-ref|-backref)?|markdown-alert(?:-\w+)?|contains-task-list|task-list-item(?:-checkbox)?"
    r"|(?<![\w-])math(?:-display)?(?![\w-])"
)

_NO_CHECKBOX = patterns.compile(r"<input(?![^<>]* type=\"checkbox\")[^<>]*>")
_NO_FRAME = patterns.compile(r"<iframe(?![^<>]* src=\")[^<>]*>.*?(?:</iframe>|\Z)", re.DOTALL)
_URL_ATTRIBUTES = {"href", "src", "poster", "cite"}
SCHEMES = {
    "http",
    "https",
    "mailto",
    "tel",
    "sms",
    "ftp",
    "sftp",
    "irc",
    "ircs",
    "xmpp",
    "geo",
    "magnet",
    "gemini",
    "gopher",
    "matrix",
    "news",
    "rsync",
    "git",
    "svn",
    "data",
}

# Takes a tag and a reference as written; returns the absolute URL, or None to remove the attribute.
Absolutise = Callable[[str, str], str | None]


def sanitise(fragment: str, absolutise: Absolutise, sanitiser: Sanitiser | None = None) -> str:
    """Return the fragment without active content, and with every URL passed through `absolutise`.

    sanitiser  a sanitiser that has been set up already (see Sanitiser)
    """
    return alt_as_words((sanitiser or Sanitiser()).clean(fragment, absolutise))


class Sanitiser:
    """A sanitiser for many fragments, which sets up nh3 only once. Threads must not share an instance."""

    def __init__(self) -> None:
        self._filter = _Filter()
        self._cleaner = nh3.Cleaner(
            tags=set(TAGS | MATHML),
            clean_content_tags=set(CONTENT_GOES),
            attributes=_ATTRIBUTES,
            attribute_filter=self._filter.attribute,
            set_tag_attribute_values={"iframe": {"sandbox": FRAME_SANDBOX}},
            link_rel=None,
            url_schemes=SCHEMES,
        )

    def clean(self, fragment: str, absolutise: Absolutise) -> str:
        """Return the sanitised fragment, in which pictures that are left out have no address (see `alt_as_words`)."""
        is_usual = _USUAL.issuperset(_OPENING.findall(fragment))
        if not is_usual:
            fragment = _with_known_tags(fragment)
        self._filter.absolutise = absolutise
        try:
            clean = self._cleaner.clean(fragment)
        finally:
            self._filter.absolutise = _nowhere
        if is_usual:
            return clean
        clean = _NO_CHECKBOX.sub("", clean) if "<input" in clean else clean
        clean = _NO_FRAME.sub("", clean) if "<iframe" in clean else clean
        return _STYLED.sub(_with_width, clean) if ' style="width:' in clean else clean


def _nowhere(tag: str, reference: str) -> str | None:
    return None


class _Filter:
    """The callback with which nh3 filters attributes.

    It has no reference to the cleaner, and refers to a post only while a fragment is cleaned. The garbage collector
    cannot see into a cleaner, so a reference cycle through it would never be freed.
    """

    def __init__(self) -> None:
        self.absolutise: Absolutise = _nowhere

    def attribute(self, tag: str, name: str, value: str) -> str | None:
        """Return the value that an attribute keeps, or None to drop it."""
        if name in _URL_ATTRIBUTES:
            return self.absolutise(tag, value)
        if name == "class":
            return " ".join(_CLASSES.findall(value)) or None
        if name == "srcset":
            return _srcset(tag, value, self.absolutise)
        if name == "style":
            return _width_in(value)
        if tag == "input" and name == "type":
            return "checkbox" if value == "checkbox" else None
        return value


_WIDTH = patterns.compile(r"(?:^|;)\s*width\s*:\s*(\d{1,4})(?:\.\d{1,9})?\s*(px|%|r?em)\s*(?:!|;|$)", re.IGNORECASE)
_STYLED = patterns.compile(r'<img\b[^<>]*? style="width:[^<>]*+>')
_SIZE = patterns.compile(r' (?:width|height)="[^"]*"| style="width:([^"]*)"')


def _width_in(style: str) -> str | None:
    """Return the width in a style as `width:40` for pixels or `width:50%`; None if there is none."""
    found = _WIDTH.search(style)
    if not found:
        return None
    number, unit = int(found[1]), found[2].lower()
    return f"width:{number}%" if unit == "%" else f"width:{number * 16 if unit.endswith('em') else number}"


def _with_width(tag: re.Match[str]) -> str:
    """Return the tag of a picture with the width of its style as an attribute, which emails and feeds need."""
    width = next((found[1] for found in _SIZE.finditer(tag[0]) if found[1]), "")
    return f'<img width="{width}"{_SIZE.sub("", tag[0])[4:]}'


# WHATWG HTML, "srcset attribute": a URL is a run without spaces. Commas inside it belong to it; a comma at its end ends
# the candidate, else a descriptor follows, up to the next comma that is not between brackets.
_URL = patterns.compile(r"[\s,]*+(\S++)")
_DESCRIPTOR = patterns.compile(r"(?:[^,()]++|\([^()]*+\)?+|\))*+")


def _srcset(tag: str, value: str, absolutise: Absolutise) -> str | None:
    found, place = [], 0
    while match := _URL.match(value, place):
        place, descriptor = match.end(), ""
        if not match[1].endswith(","):
            rest = _DESCRIPTOR.match(value, place)
            place, descriptor = (rest.end(), rest[0].strip()) if rest else (place, "")
        url = absolutise(tag, match[1].rstrip(","))
        if url and not url.startswith("data:"):  # its comma would end the candidate
            # A comma inside a URL is escaped, since some feed readers simply split at commas.
            found.append(url.replace(",", "%2C") + (f" {descriptor}" if descriptor else ""))
    return ", ".join(found) or None


def has_safe_scheme(reference: str, tag: str) -> bool:
    """Return whether a reference is relative or has an allowed scheme; data: is allowed only in pictures."""
    if ":" not in reference:
        return True
    try:
        scheme = urlsplit(re.sub(r"[\x00-\x20]", "", reference)).scheme.lower()
    except ValueError:
        return False
    if scheme == "data":
        return tag in ("img", "source") and re.match(r"data:image/(?:png|gif|jpe?g|webp|avif);", reference) is not None
    return not scheme or scheme in SCHEMES


_OPENING = patterns.compile(r"<([a-zA-Z][\w:.@-]*)")


# Quoted attributes are matched as a whole, since they may contain a ">". A tag that does not end is matched too, up to
# the character that breaks it, so that what follows its name is read only once.
_TAG = patterns.compile(r"""</?([a-zA-Z][\w:.@-]*+)(?:[^<>"']++|"[^"]*+"|'[^']*+')*+(>?)""")
_KNOWN = TAGS | CONTENT_GOES
# Words before and after one of these do not touch, so they stay separated.
_BLOCKS = frozenset("address dialog fieldset form legend menu nav search".split())  # noqa: SIM905


# Only the attributes of these tags are changed, each on its own.
_USUAL = TAGS - {"img", "input", "iframe", "math"}


def _with_known_tags(fragment: str) -> str:
    known = _KNOWN | MATHML if "<math" in fragment else _KNOWN
    return fragment if known.issuperset(_OPENING.findall(fragment)) else _without_unknown_tags(fragment, known)


def _without_unknown_tags(fragment: str, known: Container[str]) -> str:
    """Remove unknown tags, but keep the text between them.

    nh3 does so too, except for tags that are named as in MathML or SVG, such as <Card> or <List>. With such a tag, it
    removes everything up to the closing tag or, if there is none, the rest of the post.
    """

    def kept(tag: re.Match[str]) -> str:
        """Return a tag that HTML has, or the replacement for any other."""
        name = tag[1].lower()
        return tag[0] if not tag[2] or name in known else "\n" if name in _BLOCKS else ""

    return _TAG.sub(kept, fragment)


def dropped_tags(fragment: str) -> list[str]:
    """Return the names of the tags in unsanitised HTML that the sanitiser will remove, without duplicates."""
    if "<" not in fragment:
        return []
    names = dict.fromkeys(_OPENING.findall(re.sub(r"<!--.*?(?:-->|\Z)", "", fragment, flags=re.DOTALL)))
    known = TAGS | MATHML if "math" in names else TAGS
    return [name for name in names if name.lower() not in known]
