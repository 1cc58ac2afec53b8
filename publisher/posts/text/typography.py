"""The characters in a Markdown text that CommonMark's parser reads differently from what the writer means.

A bare address ends before East Asian punctuation; GitHub's emoji codes become emoji; the signs in '90s, 6'2" and
--option are not quotation marks or dashes; a single tilde, as in 10~20, strikes nothing out; a star between digits, as
in 2*3*4, emphasises nothing; and << and >> are not guillemets. prepared() changes a body before it is parsed, and
finished() completes the HTML. Code is never changed. All functions are pure, and take linear time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from html import unescape

from publisher.core import patterns
from publisher.posts.text.prose import masked
from publisher.posts.text.tex import take_out

# East Asian and full-width punctuation, and the quotation marks and dashes that are full-width in East Asian fonts.
# Letters and numerals of the same blocks, such as 々 and 〇, belong to words.
_SIGN = (
    "\u2014\u2015\u2018-\u201f\u2026\u3000-\u3003\u3008-\u3011\u3014-\u301f\u3030\u303d"
    "\ufe10-\ufe19\ufe30-\ufe6b\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\uffe0-\uffe6"
)
# Between letters, the middle dot is a part of a name, as in ジョン・レノン.
_END = rf"(?:[{_SIGN}]|(?<=[\x21-\x7e])\u30fb|\u30fb(?=[\x00-\x7f]|\Z))"
_ENDS = patterns.compile(_END)
_MAYBE_ADDRESS = patterns.compile(
    rf"(?:://|(?P<www>(?<=[{_SIGN}\u30fb])www\.)|www\.)[^\s<>{_SIGN}\u30fb]*+", re.IGNORECASE
)
_DELIMITERS = "*_~"

# Each pattern begins with a character or a set of them, and only then looks back: searching for a set is ten times as
# fast.

# Emoji codes that follow each other. A letter or a digit next to them shows that they are not emoji, as in 10:30:45.
_CODES_REST = r"(?<![A-Za-z0-9_:/\\&{]:)[a-z0-9_+-]{1,60}:(?::[a-z0-9_+-]{1,60}:)*+(?![A-Za-z0-9_:`])"
_CODES = f":{_CODES_REST}"
_EMOJI = patterns.compile(_CODES)
# Words that an apostrophe begins: years ('90s, and '98 unless a quotation of that line ends soon), English and Dutch
# words.
_ELIDED = (
    r"(?:[0-9][0-9](?:s\b|(?![\w'])(?![^'\n]{0,60}'(?!\w)))|[sStT](?=[ -])"
    r"|(?:[nN]'|(?:[tT](?:is|was|were|will|would|il)|[eE]m|[cC]os|[cC]uz|[bB]out|[nN]uff)\b)(?!['\w]))"
)
# A single tilde that might begin struck-out text for the parser, as on GitHub; other tools need two, and people write
# 10~20.
_TILDE_REST = r"(?<![~\\]~)(?![~\s])"
# Stars between two digits (2*3*4), and those of a pattern of paths (src/**/*.js), emphasise nothing.
_STAR_REST = r"(?:(?<=[0-9]\*)(?=\*?[0-9])|(?<=[0-9]\*\*)(?=[0-9])|(?<=/\*)(?=\*?[./])|(?<=/\*\*)(?=[./]))"
_OPTION_REST = r"-(?<![^\s(\[{|>*_\"'“‘]--)(?=[A-Za-z])"
_MAYBE_SIGN = patterns.compile(
    rf"[':0-9<>~*-](?:(?<=<)<|(?<=>)>|(?<=')(?<![\w'\\]')(?={_ELIDED})|(?<=[0-9])(?:'|\"(?<!=\"[0-9]\")(?<!=\"[0-9][0-9]\"))|(?<=-){_OPTION_REST}"
    rf"|(?<=:){_CODES_REST}|(?<=~){_TILDE_REST}|(?<=\*){_STAR_REST})"
)

_TO_BLANK = r"[^\s<>()]*+(?:\([^\s<>()]*+\)[^\s<>()]*+)*+"

# The tokens that are read in a body. Addresses and tags come first, because nothing inside them has a meaning here.
_TOKENS = patterns.compile(
    rf"[\]<>wWhHf:'\"\n~*-](?:(?P<skipped>(?<=\])(?:\([ \t]*+<?|:[ \t]*+<?)(?:https?|ftp)://{_TO_BLANK}|(?<=\])\([^\s()<>]++"
    rf"|(?<=<)(?:https?|ftp)://{_TO_BLANK}|(?<=<)/?[A-Za-z][^<>]*+)"
    rf"|(?P<www>(?<=[{_SIGN}\u30fb]w)ww\.(?:(?!{_END})[^\s<>()\[\]*_~\\])++)"
    rf"|(?P<bare>(?:(?<=[hH])[tT][tT][pP][sS]?://|(?<=f)tp://|(?<=[wW])[wW][wW]\.)(?:(?!{_END})[^\s<>])*+)"
    rf"|(?P<emoji>(?<=:){_CODES_REST})"
    r"|(?P<left>(?<=<)(?<!\\<)(?=<))|(?P<right>(?<=>>))"
    rf"|(?P<elided>(?<=')(?<![\w'\\]')(?={_ELIDED}))"
    rf"|(?P<option>(?<=-){_OPTION_REST})"
    rf"|(?P<star>(?<=\*){_STAR_REST})"
    rf"|(?P<tilde>(?<=~){_TILDE_REST})"
    r"|(?P<quote>(?<=['\"])(?<!\\['\"]))"
    r"|(?P<end>(?<=\n)[ \t]*\n))"
)


# Separates two characters that would become a guillemet. No text contains it, and in code it does no harm.
_APART = "\x02"
_WRITTEN = {"elided": "’", "option": "&#45;&#45;", "tilde": "&#126;", "star": "&#42;", "left": f"<{_APART}"}
# After these, ">>" begins a quotation in a quotation.
_MARKS = patterns.compile(r"[ \t]*+(?:(?:>|[-*+]|\d{1,9}[.)])[ \t]*+)*+")
# How much of a line is looked at to see whether it is only such marks.
_LONGEST_MARKS = 300
# Characters after which a quote ends a quotation; after others, it begins one, and after some it may do either.
_CLOSING = patterns.compile(r"[\w.,;:!?)\]}%°'\"’”…*_~`]")
_EITHER = "'\"*_~`"

# The single characters come first, since searching for them is fast.
_TO_SET = patterns.compile(r"['\".:-](?:(?<=['\"])|(?<=-)-|(?<=\.)\.\.|(?<=:)[a-z0-9_+-]+:)", re.ASCII)
# Characters that may be Markdown in a plain text.
_MARKDOWN = patterns.compile(r"[\\!#$%&()*+,/:;<=>?@\[\]^_`{|}~]")

# A tag that nobody writes; it is needed because an address ends only at a tag or a space. It must be neither a space,
# which would change what emphasis is next to, nor a comment, which would end a comment that contains the address.
_STOP = "<end-of-address>"
_STOPS = patterns.compile(r"(?:<|&lt;)end-of-address(?:>|&gt;)")


def prepared(body: str) -> str:
    """Return a Markdown body in which addresses, emoji codes and quotes are as the writer means them.

    The HTML made from it must go through finished().
    """
    if not _MAYBE_SIGN.search(body) and not _may_have_address(body):
        return body
    pieces, last = [], 0
    for start, end, text in _changes(body, masked(body)):
        pieces += [body[last:start], text]
        last = end
    return "".join([*pieces, body[last:]])


def finished(fragment: str) -> str:
    """Return the HTML of a prepared body without the marks that prepared() left in it."""
    fragment = fragment.replace(_APART, "")
    return _STOPS.sub("", fragment) if "end-of-address" in fragment else fragment


def typeset(text: str) -> str:
    """Return a plain text, such as a title, with the quotes, dashes and emoji that it would have in a body."""
    if not _TO_SET.search(text):
        return text
    import comrak  # not needed for most titles

    parsing = comrak.ParseOptions()
    parsing.smart = True
    # After a no-break space, nothing is a list or a heading.
    taken = take_out(text)
    plain = _MARKDOWN.sub(r"\\\g<0>", _EMOJI.sub(lambda found: _emoji_for(found[0]), taken.body))
    fragment = comrak.render_markdown(f"\xa0{prepared(plain)}", parse_options=parsing)
    return taken.as_written(unescape(fragment.removeprefix("<p>\xa0").removesuffix("</p>\n")))


def unknown_codes(text: str) -> list[str]:
    """Return the apparent emoji codes in a text without code that GitHub does not have, without duplicates."""
    codes = (code for found in _EMOJI.finditer(text) for code in re.findall(r":[a-z][a-z0-9_+-]+:", found[0]))
    return [code for code in dict.fromkeys(codes) if not _emoji(code)]


def _may_have_address(body: str) -> bool:
    if body.isascii():
        return False
    return any(found["www"] or body[found.end() : found.end() + 1] > "~" for found in _MAYBE_ADDRESS.finditer(body))


def _changes(body: str, view: str) -> Iterator[tuple[int, int, str]]:
    """Yield each replacement in a body: its start, its end, and the new text. view: the body without its code."""
    opened: set[str] = set()  # the quotation marks that are open in the paragraph
    for found in _TOKENS.finditer(view):
        start, end, kind = found.start(), found.end(), found.lastgroup
        if kind == "www":  # in CommonMark's extension, only a space may precede www.
            yield start, end, f"[{found[0]}](http://{found[0]})"
        elif kind == "bare" and _ENDS.match(body, end):
            yield (stop := start + len(found[0].rstrip(_DELIMITERS))), stop, _STOP
        elif kind == "emoji":
            yield start, end, _emoji_for(found[0])
        elif kind in _WRITTEN:
            yield start, end, _WRITTEN[kind]
        elif kind == "right" and not _begins_quotation(view, start):
            yield start, end, f"{_APART}>"
        elif kind in ("quote", "end"):
            yield from _quote(view, start, opened)


def _begins_quotation(view: str, end: int) -> bool:
    """Return whether there are only block markers between the beginning of the line and an offset in it."""
    begin = max(end - _LONGEST_MARKS, 0)
    line = view.rfind("\n", begin, end) + 1
    return (line > 0 or begin == 0) and _MARKS.fullmatch(view, line, end) is not None


def _quote(view: str, start: int, opened: set[str]) -> Iterator[tuple[int, int, str]]:
    """Yield the replacement for a mark of feet, inches, minutes or seconds, and keep track of the open quotations."""
    sign, before, after = view[start], view[start - 1 : start], view[start + 1 : start + 2]
    if sign == "\n":
        opened.clear()
    elif not _CLOSING.match(before) or (before in _EITHER and after.isalnum()):
        opened.add(sign)
    elif before.isnumeric() and (_is_feet(view, start) if after.isalnum() else sign not in opened):
        yield start, start + 1, "&#39;" if sign == "'" else "&quot;"
    elif not after.isalnum():
        opened.discard(sign)


def _is_feet(view: str, start: int) -> bool:
    """Return whether a mark between two characters is as in 6'2", and not as in 1'000 or the 1990's."""
    return view[start] == "'" and re.match(r"\d{1,2}(?!\d)", view[start + 1 : start + 4]) is not None


def _emoji_for(codes: str) -> str:
    return re.sub(r":[a-z0-9_+-]+:", lambda code: _emoji(code[0]) or code[0], codes)


@lru_cache(maxsize=1024)
def _emoji(code: str) -> str:
    """Return the emoji for a code such as :tada:, from GitHub's table; "" if there is none."""
    import comrak  # not needed for most titles

    extension = comrak.ExtensionOptions()
    extension.shortcodes = True
    text = comrak.render_markdown(code, extension).strip()
    return "" if code in text else text.removeprefix("<p>").removesuffix("</p>")
