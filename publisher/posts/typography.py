"""The small signs of a Markdown text that CommonMark's parser reads differently from the writer.

prepared() changes a body before it is parsed, and finished() completes the HTML. Code is never changed. All functions
are pure, and take linear time.
"""

from __future__ import annotations

import re

from publisher.posts.prose import masked

# East Asian and full-width punctuation, and the quotation marks and dashes that are full-width in East Asian fonts.
# Letters and numerals of the same blocks, such as 々 and 〇, belong to words.
_SIGN = (
    "\u2014\u2015\u2018-\u201f\u2026\u3000-\u3003\u3008-\u3011\u3014-\u301f\u3030\u303d"
    "\ufe10-\ufe19\ufe30-\ufe6b\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\uffe0-\uffe6"
)
# Between letters, the middle dot is a part of a name, as in ジョン・レノン.
_END = rf"(?:[{_SIGN}]|(?<=[\x21-\x7e])\u30fb|\u30fb(?=[\x00-\x7f]|\Z))"
_ADDRESS = rf"(?:(?!{_END})[^\s<>])*+"
# An address that Markdown or HTML delimits. It may contain one level of brackets.
_DELIMITED = r"(?:\]\([ \t]*+<?|\]:[ \t]*+<?|<)(?:https?|ftp)://[^\s<>()]*+(?:\([^\s<>()]*+\)[^\s<>()]*+)*+"
_ADDRESSES = re.compile(
    rf"{_DELIMITED}"
    rf"|(?<=[{_SIGN}\u30fb])(?P<www>www\.(?:(?!{_END})[^\s<>()\[\]*_~\\])++)"
    rf"|(?P<bare>(?:(?:https?|ftp)://|www\.){_ADDRESS})",
    re.IGNORECASE,
)
_MAYBE_ADDRESS = re.compile(rf"(?:://|(?P<www>(?<=[{_SIGN}\u30fb])www\.)|www\.)[^\s<>{_SIGN}\u30fb]*+", re.IGNORECASE)
_ENDS = re.compile(_END)
_DELIMITERS = "*_~"

# A tag that nobody writes, because an address ends only at a tag or a space. It must be neither a space, which would
# change what emphasis is next to, nor a comment, which would end a comment that contains the address.
_STOP = "<end-of-address>"
_STOPS = re.compile(r"(?:<|&lt;)end-of-address(?:>|&gt;)")


def prepared(body: str) -> str:
    """Return a Markdown body in which every bare address ends before East Asian punctuation.

    The HTML that is made of it must go through finished().
    """
    if body.isascii() or not any(
        found["www"] or body[found.end() : found.end() + 1] > "~" for found in _MAYBE_ADDRESS.finditer(body)
    ):
        return body
    pieces, last = [], 0
    for found in _ADDRESSES.finditer(masked(body)):
        if found["www"]:  # in CommonMark's extension, only a space may precede www.
            pieces += [body[last : found.start()], f"[{found[0]}](http://{found[0]})"]
            last = found.end()
        elif found["bare"] and _ENDS.match(body, found.end()):
            end = found.start() + len(found[0].rstrip(_DELIMITERS))
            pieces += [body[last:end], _STOP]
            last = end
    return "".join([*pieces, body[last:]])


def finished(fragment: str) -> str:
    """Return the HTML of a prepared body without the marks that prepared() left in it."""
    return _STOPS.sub("", fragment) if "end-of-address" in fragment else fragment
