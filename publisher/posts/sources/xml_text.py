"""The text of an XML feed in a form that a strict parser accepts, from the bytes that a server sent.

Many feeds are not quite XML. Obvious faults are repaired here: a wrong declared encoding, characters that XML forbids,
entities of HTML, a lone "&", a prefix without a namespace, and words before the first tag. The result never has a DTD,
so that no parser can expand or fetch an entity.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from contextlib import suppress
from html import unescape
from html.entities import html5
from xml.parsers.expat import ErrorString, ExpatError, ParserCreate

from publisher.core.errors import FeedError

_BOMS = (
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
)
_WITHOUT_BOM = ((b"\0<\0", "utf-16-be"), (b"<\0?\0", "utf-16-le"), (b"<\0r\0", "utf-16-le"), (b"<\0f\0", "utf-16-le"))
_DECLARED = re.compile(rb"<\?xml\b[^<>]{0,200}?\bencoding\s{0,9}=\s{0,9}[\"']([A-Za-z0-9._:-]{1,40})[\"']")
_CHARSET = re.compile(r"charset\s{0,9}=\s{0,9}[\"']?([A-Za-z0-9._:-]{1,40})", re.IGNORECASE)
# A document that declares one of these is written in the larger encoding.
_MEANT = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
}
# Encodings whose bytes are all ASCII, so that they would pass for UTF-8.
_IN_ASCII = re.compile(r"iso2022|hz")
# Python codecs that are not the encoding of any document, or whose documents would begin with other bytes.
_NOT_MEANT = re.compile(r"utf-(?:7|16|32).*|idna|punycode|.*unicode_escape|undefined|mbcs|oem|palmos")
_BEYOND_ASCII = bytes(range(0x80, 0x100))
# Decodes bytes that are not UTF-8 as Windows shows them.
_AS_WINDOWS = "publisher.windows"

# A comment, or the first tag.
_ROOT = re.compile(r"<!--(?s:.*?)(?:-->|\Z)|<(?:[\w.-]{1,30}:)?(rss|feed|rdf|html)(?=[\s/>])", re.IGNORECASE)
# How far into a document its first tag is looked for. Some servers write warnings before it.
_MOST_BEFORE = 100_000

# The characters that XML 1.0 section 2.2 forbids, and the C1 controls, which only ever mean those of Windows-1252.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]")
_WINDOWS = {code: bytes([code]).decode("cp1252", "ignore") for code in range(0x80, 0xA0)}
# Sections in which nothing is markup, comments, and what is written like a reference but is not one in XML.
_REFERENCE = re.compile(
    r"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)"
    r"|&#(5[5-6]\d{3});&#(5[6-7]\d{3});"  # half a character each, as JavaScript counts them
    r"|&(?!(?:lt|gt|amp|quot|apos|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});)(?:(#?[A-Za-z0-9]{1,32});)?"
    r"|&#([0-9]{1,7});|&#x([0-9a-fA-F]{1,6});",
    re.DOTALL,
)
# Sections, and texts after a tag.
_BETWEEN = re.compile(
    r"""<!\[CDATA\[.*?(?:\]\]>|\Z)|(<(?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+>)([^<]+)""",
    re.DOTALL,
)
_SIGNS = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&"))
_PREFIXES = re.compile(r"</?([A-Za-z_][\w.-]{0,30}):[A-Za-z]")
_DECLARATIONS = re.compile(r"\bxmlns:([A-Za-z_][\w.-]{0,30})\s{0,9}=")
_MOST_PREFIXES = 40
# The most that a document may have. XHTML in an entry is nested the deepest.
_MOST_DEPTH, _MOST_CHILDREN, _MOST_ATTRIBUTES, _MOST_DECLARED = 250, 1_000, 200, 100

# The namespaces of the prefixes that feeds use most, for those that forget to declare them.
NAMESPACES = {
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "feedburner": "http://rssnamespace.org/feedburner/ext/1.0",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "media": "http://search.yahoo.com/mrss/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "sy": "http://purl.org/rss/1.0/modules/syndication/",
    "xhtml": "http://www.w3.org/1999/xhtml",
}


def decoded_text(body: bytes, headers: Mapping[str, str]) -> tuple[str, str]:
    """Return the text of a document, and the fault in its declared encoding, in one line; "" if there is none.

    headers  the headers of the answer, by name in lower case; the document's own declaration overrules the charset of
             content-type
    Valid UTF-8 is decoded as such, whatever is declared. If neither UTF-8 nor a declared encoding fits, the invalid
    bytes are decoded as Windows-1252.
    """
    if marked := _marked(body):
        return marked, ""
    found, charset = _DECLARED.search(body[:1000]), _CHARSET.search(headers.get("content-type", ""))
    names = [found[1].decode() if found else "", charset[1] if charset else ""]
    known = [codec for name in names if (codec := _codec(name))]
    if not (known and _IN_ASCII.match(known[0])):
        with suppress(UnicodeDecodeError):
            text = body.decode()
            lies = names[0] and known[:1] != ["utf-8"] and not body.isascii()
            return text, f"says that its encoding is {names[0]}, but it is UTF-8" if lies else ""
    for codec in known:
        if codec != "utf-8":
            with suppress(UnicodeDecodeError):
                return body.decode(codec), ""
    return _nearly_utf8(body), f"has bytes that are not {names[0] or 'UTF-8'}"


def _nearly_utf8(body: bytes) -> str:
    """Decode bytes that are UTF-8 with some flaws, or else Windows-1252 with some parts that look like UTF-8."""
    right = body.decode("utf-8", "ignore")
    flaws = len(body) - len(right.encode())
    beyond_ascii = len(right) - len(body.translate(None, _BEYOND_ASCII))
    return body.decode("utf-8", _AS_WINDOWS) if beyond_ascii > flaws else body.decode("cp1252", "replace")


def _marked(body: bytes) -> str:
    """Return the text of a document whose first bytes say what its encoding is; "" if they don't."""
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, _AS_WINDOWS if encoding == "utf-8" else "replace")
    return next((body.decode(encoding, "replace") for sign, encoding in _WITHOUT_BOM if body.startswith(sign)), "")


def _codec(name: str) -> str:
    """Return Python's name for a declared encoding; "" if there is none."""
    try:
        codec = codecs.lookup(name).name if name else ""
    except LookupError:
        return ""
    return "" if _NOT_MEANT.fullmatch(codec) else _MEANT.get(codec, codec)


def _as_windows(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    wrong = error.object[error.start : error.end]
    return wrong.decode("cp1252", "replace"), error.end


codecs.register_error(_AS_WINDOWS, _as_windows)


def xml_text(text: str) -> str:
    """Return the text of a feed from its first tag on, as XML that does not depend on anything else.

    Raises FeedError if there is no feed in it.
    """
    root = next((found for found in _ROOT.finditer(text, 0, _MOST_BEFORE) if found[1]), None)
    if root is None or root[1].lower() == "html":
        raise no_feed(text)
    text = without_forbidden(text[root.start() :])
    if "&" in text or "<!" in text:
        text = _REFERENCE.sub(_as_xml, text)
        text = _BETWEEN.sub(_in_section, text)
    return _with_namespaces(text)


def require_tame(text: str, most_items: int) -> str:
    """Return why a document is not well-formed XML, with the line; "" if it is.

    Raises FeedError for more items, levels, attributes or prefixes than any tool writes, since a parser that keeps them
    all would need time and memory out of proportion to the document.
    """
    parser, counter = ParserCreate(), _Counter(most_items)
    parser.ordered_attributes = True
    parser.StartElementHandler, parser.EndElementHandler = counter.start, counter.end
    try:
        parser.Parse(text, True)
    except ExpatError as error:
        return f"{ErrorString(error.code)}, line {error.lineno}"
    finally:
        parser.StartElementHandler = parser.EndElementHandler = None  # or it would be part of a reference cycle
    return ""


class _Counter:
    """The counts of a document while its tags are read."""

    def __init__(self, most_items: int) -> None:
        self._most, self._items, self._depth = most_items, 0, 0
        self._item_depth, self._children = 0, 0
        self._prefixes: set[str] = set()

    def start(self, name: str, attributes: list[str]) -> None:
        """Count an element and its prefixes. Raises FeedError if they are too many or too deep."""
        self._depth += 1
        if attributes:
            self._prefixes.update(each for each in attributes[::2] if each.startswith("xmlns:"))
        if name.rpartition(":")[2].lower() in ("item", "entry"):
            self._items, self._item_depth, self._children = self._items + 1, self._depth, 0
            if self._items > self._most:
                raise too_many(self._most)
        self._children += self._depth == self._item_depth + 1
        for what, number, most in (
            ("levels of elements", self._depth, _MOST_DEPTH),
            ("elements in one item", self._children, _MOST_CHILDREN),
            ("attributes in one element", len(attributes) // 2, _MOST_ATTRIBUTES),
            ("prefixes of namespaces", len(self._prefixes), _MOST_DECLARED),
        ):
            if number > most:
                raise FeedError(
                    f"has more than {most:,} {what}", hint="report it to the site: no tool writes such a feed"
                )

    def end(self, name: str) -> None:
        """Note that an element has ended."""
        self._depth -= 1


def no_feed(text: str) -> FeedError:
    """Return the error for a document that is not a feed; it says which kind of document it seems to be."""
    beginning = text[:_MOST_BEFORE].lstrip("\ufeff \t\r\n")
    if not beginning:
        return FeedError("is empty", hint="open the address in a browser to see what the site has there")
    if re.match(r"<(?:!doctype html|html|head|body)\b", beginning, re.IGNORECASE) or "<html" in beginning.lower():
        return FeedError(
            "is a web page, not a feed", hint="`publisher sources try` with its address finds the feeds of a page"
        )
    return FeedError(
        "is not a feed: it is neither RSS nor Atom nor JSON Feed", hint="look for the address of the site's RSS feed"
    )


def too_many(most: int) -> FeedError:
    """Return the error for a feed with more items than are read."""
    return FeedError(f"has more than {most:,} items", hint="ask the site for a feed with fewer posts")


def without_forbidden(text: str) -> str:
    """Return a text without the characters that XML forbids."""
    if not _FORBIDDEN.search(text):
        return text
    return _FORBIDDEN.sub(lambda found: _WINDOWS.get(ord(found[0]), ""), text)


def _as_xml(found: re.Match[str]) -> str:
    written = found[0]
    if written.startswith("<!["):
        return written if written.endswith("]]>") else f"{written}]]>"
    if written.startswith("<!"):
        return ""
    high, low, name, decimal, hexadecimal = found.groups()
    if high:
        pair = chr(int(high)) + chr(int(low))
        return without_forbidden(pair.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
    if decimal or hexadecimal:
        return _character(int(decimal) if decimal else int(hexadecimal, 16), written)
    if name and name[0] != "#" and (known := html5.get(f"{name};")):
        return known.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"&amp;{written[1:]}"


def _in_section(found: re.Match[str]) -> str:
    """Return a text with references as a CDATA section, which feedparser reads in one piece."""
    if not found[2] or "&" not in found[2]:
        return found[0]
    text = unescape(found[2]) if "&#" in found[2] else without_references(found[2])
    return f"{found[1]}<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"


def without_references(text: str) -> str:
    """Return a text in which the references to XML's five special characters are replaced by the characters."""
    for reference, sign in _SIGNS:
        text = text.replace(reference, sign)
    return text


def _character(code: int, written: str) -> str:
    """Return a character reference if XML allows it; for 128 to 159, the character of Windows-1252; else ""."""
    if 0x80 <= code < 0xA0:
        return _WINDOWS[code]
    allowed = code in (9, 10, 13) or 0x20 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or 0x10000 <= code < 0x110000
    return written if allowed else ""


def _with_namespaces(text: str) -> str:
    """Declare the prefixes that the document uses without declaring them."""
    declared = {"xml", "xmlns", *_DECLARATIONS.findall(text)}
    missing = [prefix for prefix in dict.fromkeys(_PREFIXES.findall(text)) if prefix not in declared]
    if not missing:
        return text
    words = "".join(
        f' xmlns:{prefix}="{NAMESPACES.get(prefix, f"urn:undeclared:{prefix}")}"' for prefix in missing[:_MOST_PREFIXES]
    )
    end = _ROOT.match(text)
    return f"{text[: end.end()]}{words}{text[end.end() :]}" if end else text
