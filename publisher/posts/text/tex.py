r"""Finding TeX in a Markdown body. It is taken out before the Markdown is rendered, and put back afterwards.

Markdown would change it: a backslash before a brace, an underscore, an asterisk, a line that begins with a minus sign.
It understands $...$, $$...$$, $`...`$, \(...\), \[...\], the last two also with two backslashes, and the environments
of AMS mathematics on lines of their own. Prices, shell variables, escaped brackets and prose between such delimiters
stay text.

In the result, TeX is <code class="math"> in a line, or <pre><code class="language-math"> as a block of its own, the
same as Markdown produces for a fence named "math". Feeds and emails show that; pages show MathML (see mathml).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import field
from html import escape, unescape

from publisher.core import patterns
from publisher.core.frozen import dataclass
from publisher.posts.text.prose import masked
from publisher.posts.text.signs import Signs

# The longest formula, in characters.
LONGEST = 20_000
# How much of a line in front of a formula is looked at.
_LONGEST_LINE = 2_000

INLINE, DISPLAY = "math", "math-display"

# A formula's place in the body: its number, written in control characters, which no body otherwise contains. They are
# neither space nor punctuation, and are left out of headings' ids. Each further line of the formula keeps a line.
_BEGIN, _END, _LINE = "\x04", "\x05", "\x06"
_DIGITS = {ord(str(digit)): chr(0x0E + digit) for digit in range(10)}
_NUMBERS = {0x0E + digit: str(digit) for digit in range(10)}
_PLACE = patterns.compile(f"{_BEGIN}([\x0e-\x17]++){_END}((?:\n[ ]*+{_LINE})*+)")

_ENVIRONMENTS = (
    "align|alignat|aligned|array|cases|displaymath|eqnarray|equation|flalign|gather|gathered|math|multline|split"
)
_ENVIRONMENT = patterns.compile(rf"\\begin\{{((?:{_ENVIRONMENTS}|[bpvBV]?matrix)\*?)\}}")
# HTML, URLs and the targets of links are skipped, since a dollar sign in them is part of them.
_TOKEN = patterns.compile(
    r"</?[a-zA-Z][\w-]*+(?:\s++[\w:@.-]++(?:\s*+=\s*+(?:\"[^\"\n]*+\"|'[^'\n]*+'|[^\s\"'<>=`]++))?)*+\s*+/?>"
    r"|(?:https?://|www\.)[^\s<>)\]]++"
    r"|\]\([^()\s]*+"
    r"|\$(?P<ticks>`++)[ \n]*+(?P=ticks)\$"
    r"|\$++"
    r"|\\{1,2}[()\[\]]"
    r"|\\(?:begin|end)\{[a-zA-Z]{1,20}\*?\}"
    r"|\\."
    r"|(?P<blank>\n[ \t>]*+(?=\n))"
)
_CLOSES = {r"\(": r"\)", r"\[": r"\]", r"\\(": r"\\)", r"\\[": r"\\]"}
# The text that may precede a block on its line: the markers of quotes and lists.
_PREFIX = patterns.compile(r"[ \t]*+(?:(?:>|[-*+]|\d{1,9}[.)])[ \t]*+)*+")
_QUOTED = patterns.compile(r"^[ \t]*+>[ \t]?(?:>[ \t]?)*+", re.MULTILINE)
_NEW_BLOCK = patterns.compile(r"\n[ \t]*+(?:[-*+>#|]|\d{1,9}[.)])[ \t]")
_RAW_TAG = patterns.compile(r"\{%-?\s*+(?:end)?raw\s*+-?%\}")


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula in a body.

    start, end  its place in the body, with its delimiters
    written     the text of that place in the body
    tex         the text between the delimiters
    display     whether it is shown large
    block       whether it has lines of its own
    """

    start: int
    end: int
    written: str
    tex: str
    display: bool
    block: bool


@dataclass
class TakenOut:
    """A body without its formulas.

    body      the body, with as many lines as before
    formulas  the formulas that were taken out
    """

    body: str
    formulas: list[Formula] = field(default_factory=list)

    def as_written(self, text: str) -> str:
        """Return a part of the body with its formulas as they were written."""
        if not self.formulas or _BEGIN not in text:
            return text
        return _PLACE.sub(lambda found: self._formula(found).written, text)

    def put_back(self, html: str) -> str:
        """Return the HTML of the body with its formulas, as code."""
        if not self.formulas or _BEGIN not in html:
            return html
        html = _TAG_WITH.sub(lambda found: self._escaped(found[0]), html)
        html = _CODE_WITH.sub(lambda found: self._escaped(found[0]), html)
        html = self._with_ids(html)
        html = _PARAGRAPH.sub(self._paragraph, html)
        return _PLACE.sub(lambda found: self._html(self._formula(found)), html)

    def _formula(self, found: re.Match[str]) -> Formula:
        number = int(found[1].translate(_NUMBERS))
        return self.formulas[number] if number < len(self.formulas) else Formula(0, 0, "", "", False, False)

    def _escaped(self, html: str) -> str:
        return _PLACE.sub(lambda found: escape(self._formula(found).written), html)

    def _with_ids(self, html: str) -> str:
        """Give headings with formulas the ids that GitHub gives them, which contain the letters of the TeX."""
        headings = [found for found in _HEADING_WITH_ID.finditer(html) if _BEGIN in found[3]]
        if not headings:
            return html
        taken = Counter(re.findall(r'<h[1-6] id="([^"]*+)"', html))
        pieces, last = [], 0
        for found in headings:
            words = unescape(self.as_written(_TAG.sub("", found[3]))).lower()
            name = _NOT_IN_AN_ID.sub("", words).strip().replace(" ", "-")
            unique, number = name, 0
            while taken[unique] and unique != found[2] and number < _MOST_EQUAL:
                number += 1
                unique = f"{name}-{number}"
            taken[unique] += 1
            pieces += [html[last : found.start(2)], escape(unique)]
            last = found.end(2)
        return "".join([*pieces, html[last:]])

    def _paragraph(self, found: re.Match[str]) -> str:
        """Return a paragraph that is split at each block in it."""
        paragraph = found[0]
        if _BEGIN not in paragraph:
            return paragraph
        parted = _AT_BREAK.sub("", _PLACE.sub(self._parting, paragraph))
        return _EMPTY_PARAGRAPH.sub("", parted)

    def _parting(self, found: re.Match[str]) -> str:
        formula = self._formula(found)
        return f"{_BREAK}</p>\n{self._html(formula)}\n<p>{_BREAK}" if formula.block else found[0]

    @staticmethod
    def _html(formula: Formula) -> str:
        tex = escape(formula.tex, quote=False)
        if formula.block:
            return f'<pre><code class="language-math">{tex}\n</code></pre>'
        return f'<code class="{DISPLAY if formula.display else INLINE}">{tex}</code>'


_TAG_WITH = patterns.compile(rf"<[a-zA-Z][^<>{_BEGIN}]*+{_BEGIN}[^<>]*+>")
_HEADING_WITH_ID = patterns.compile(r'<h([1-6]) id="([^"]*+)">([^<]*+(?:<(?!/?h[1-6])[^<]*+)*+)</h')
_TAG = patterns.compile(r"<[^<>]*+>")
_NOT_IN_AN_ID = patterns.compile(r"[^\w -]")
# How many headings with the same words get ids of their own, each of which has to be found.
_MOST_EQUAL = 1_000
_CODE_WITH = patterns.compile(rf"<(code|pre)\b[^<>]*+>[^<{_BEGIN}]*+{_BEGIN}[^<]*+</\1>")
_PARAGRAPH = patterns.compile(r"<p>[^<]*+(?:<(?!/?p>)[^<]*+)*+</p>")
_BREAK = "\x07"
_AT_BREAK = patterns.compile(rf"\n?{_BREAK}\n?")
_BEGINNINGS = Signs("$", r"\(", r"\[", r"\begin{")
_EMPTY_PARAGRAPH = patterns.compile(r"<p>\s*+</p>\n?")


def take_out(body: str) -> TakenOut:
    """Take the formulas out of a Markdown body."""
    if not _BEGINNINGS.are_in(body):
        return TakenOut(body)
    formulas = list(_formulas(body))
    pieces, last = [], 0
    for number, formula in enumerate(formulas):
        lines = f"\n{_LINE}" * formula.written.count("\n")
        pieces += [body[last : formula.start], _BEGIN, str(number).translate(_DIGITS), _END, lines]
        last = formula.end
    return TakenOut("".join([*pieces, body[last:]]), formulas)


def without_formulas(body: str) -> str:
    """Return a Markdown body with spaces instead of its formulas, so that offsets and lines stay as they are."""
    pieces, last = [], 0
    for formula in take_out(body).formulas:
        pieces += [body[last : formula.start], re.sub(r"[^\n]", " ", formula.written)]
        last = formula.end
    return "".join([*pieces, body[last:]])


def _formulas(body: str) -> Iterator[Formula]:
    view = masked(body)
    tokens = list(_TOKEN.finditer(view))
    closers, blanks = _closers(tokens)
    index = 0
    while index < len(tokens):
        token, end = tokens[index], closers.get(index)
        formula = None
        if token["ticks"]:
            ticks = len(token["ticks"]) + 1
            tex = body[token.start() + ticks : token.end() - ticks]
            formula = Formula(token.start(), token.end(), body[token.start() : token.end()], tex, False, False)
        elif end is not None and tokens[end].end() - token.start() <= LONGEST:
            formula = _formula(body, token, tokens[end], crosses_blank=blanks.get(index, end) < end)
        if formula is not None:
            yield formula
            index = end if end is not None else index
        index += 1


def _closers(tokens: list[re.Match[str]]) -> tuple[dict[int, int], dict[int, int]]:
    """Return, by the index of each opening token, the indices of its closing token, and of the next blank line."""
    closers: dict[int, int] = {}
    blanks: dict[int, int] = {}
    following: dict[str, int] = {}  # the nearest token of each spelling, going from the last to the first
    blank = len(tokens)
    for index in range(len(tokens) - 1, -1, -1):
        token = tokens[index]
        text = token[0]
        if token["blank"] is not None:
            blank = index
            continue
        closing = _CLOSES.get(text, text if text in ("$", "$$") else "")
        if text.startswith(r"\begin"):
            closing = rf"\end{text[6:]}"
        if closing in following:
            closers[index], blanks[index] = following[closing], blank
        if text.startswith("$") and not token["ticks"]:
            following.pop("$", None)  # $ ends at the next dollar sign, whether that can close it or not
            if len(text) > 1:
                following.pop("$$", None)
        following[text] = index
    return closers, blanks


def _formula(body: str, opening: re.Match[str], closing: re.Match[str], *, crosses_blank: bool) -> Formula | None:
    """Return the formula between two delimiters; None if the text between them is not TeX."""
    start, end = opening.start(), closing.end()
    tex = body[opening.end() : closing.start()]
    prefix, own_lines = _own_lines(body, start, end)
    sign = opening[0].lstrip("\\")
    if opening[0].startswith(r"\begin"):
        if prefix is None or not _ENVIRONMENT.match(opening[0]):
            return None
        tex = body[start:end]
    elif sign == "$$" or sign == "[":
        alone = prefix is not None and tex[:1] == "\n" and own_lines
        if (crosses_blank and not alone) or not _is_display(body, start, end, tex, sign, own_lines):
            return None
    elif crosses_blank or _NEW_BLOCK.search(tex) or not _is_inline(body, start, end, tex, sign):
        return None
    display = sign not in ("$", "(")
    return Formula(start, end, body[start:end], _unprefixed(tex, prefix or ""), display, display and own_lines)


def _own_lines(body: str, start: int, end: int) -> tuple[str | None, bool]:
    """Return the characters before a formula on its line, or None if they are text; and whether it is alone there."""
    found = _PREFIX.fullmatch(_line_before(body, start))
    rest = body[end : end + 200].partition("\n")[0]
    return (found[0] if found else None), found is not None and not rest.strip()


def _line_before(body: str, start: int) -> str:
    """Return the text before an offset on its line, cut to the longest length that markers of a block may have."""
    nearest = max(0, start - _LONGEST_LINE)
    return body[max(nearest, body.rfind("\n", nearest, start) + 1) : start]


def _unprefixed(tex: str, prefix: str) -> str:
    """Return TeX without the markers of quotes, the indentation of the list that it is in, and Liquid's raw."""
    if "\n" in tex and prefix:
        if ">" in prefix:
            tex = _QUOTED.sub("", tex)
        tex = re.sub(rf"\n[ \t]{{1,{len(prefix)}}}", "\n", tex)
    return _RAW_TAG.sub("", tex).strip("\n") if "\n" in tex or "{%" in tex else tex


# Characters that prose does not contain.
_TEX_SIGN = patterns.compile(r"\\[a-zA-Z{}|,;!\\]|(?<!\\)[\^_=]|[{}]")
_WORD_OF_PROSE = patterns.compile(
    r"(?<![^\W_])(?!(?:sin|cos|tan|log|exp|lim|max|min|mod|gcd|det)\b)[^\W\d_]{3,}(?![^\W_])"
)
_SHORT_WORD = patterns.compile(r"(?:^|[\s,(])[^\W\d_]{2,}(?=[\s,)]|$)")
# $[FIRSTNAME|there]$, a merge tag.
_BRACKETED_WORDS = patterns.compile(r"\[\w{3,}(?:\|[\w ]*+)?\]")
_NUMBER = patterns.compile(r"[\d.,]+(?![\d^_])")
_OPERATOR = patterns.compile(r"[-+*/<>|]")
_END_OF_SENTENCE = patterns.compile(r"[.;!?]\s")
# ${HOME}, $(pwd), $@ and $_ of a shell or a Makefile.
_VARIABLE = patterns.compile(r"\{[A-Za-z_]\w*[}:#%/^,@!+-]|\((?![^()]*\\)|[@?!#]|[_^](?![\w{\\(*+-])")
# Keywords that CVS, Subversion and RCS replace: $Id$, $Revision: 1.1 $.
_KEYWORD = patterns.compile(
    r"(?:Author|CVSHeader|Date|(?:Free|Net|Open)BSD|Header|HeadURL|Id|LastChanged(?:By|Date|Revision)|Locker|Log|Mdocdate"
    r"|Name|RCSfile|Rev|Revision|Source|State|URL)(?:::?[^$\n]{0,300})?"
)
_OTHER_MONEY = patterns.compile("[€£¥¢₹₽₩₿]")
_AMOUNT_BEFORE = patterns.compile(r"\$\w[\w.]{0,12}[,/|;:&]\Z")
# In front of a group, and inside it.
_CODE_BEFORE = patterns.compile(r"(?:[A-Za-z]|\b[A-Za-z]:|(?<!\))/)\Z", re.ASCII)
_CODE_IN = patterns.compile(r"\.[*+]|\[\^[^\[\]\n]{1,40}\][*+\\]|\[[a-z0]-[z9]|\[\[:[a-z]")
_BACK_REFERENCE = patterns.compile(r"\\[1-9]")
# The symbols that a writer, or the tool that exported the text, means by \(c\), \(r\) and \(tm\).
_SIGNS = {"c": "©", "p": "℗", "r": "®", "tm": "™", "sm": "℠"}
_YEAR = patterns.compile(r"\s{0,3}©?\s{0,3}(?:19|20)\d\d(?!\d)|\s{1,3}(?:[Cc]opyright\b|[Bb]y\b)")


def _is_prose(tex: str) -> bool:
    return not _TEX_SIGN.search(tex) and _WORD_OF_PROSE.search(tex) is not None and len(tex.split()) > 1


def _is_display(body: str, start: int, end: int, tex: str, sign: str, own_lines: bool) -> bool:
    if not tex.strip(" \t\n>") or _is_prose(tex):
        return False
    if sign == "$$":
        near = body[max(0, start - 1) : start] + body[end : end + 1]
        return own_lines or not ((near.isascii() and any(map(str.isalnum, near))) or _is_word(tex))
    # Exporters escape the brackets of text: \[caption id="a\_1"\], \[1\].
    return (own_lines and "\n" in tex) or ('"' not in tex and _TEX_SIGN.search(tex) is not None)


def _is_inline(body: str, start: int, end: int, tex: str, sign: str) -> bool:
    if not tex.strip() or _is_prose(tex):
        return False
    if sign == "(":
        return not (_is_aside(body, start, end, tex) or _is_group(body, start, end, tex))
    if _KEYWORD.fullmatch(tex) or _BRACKETED_WORDS.fullmatch(tex) or _is_second_amount(body, start, tex):
        return False
    before, after = body[start - 1 : start], body[end : end + 1]
    if tex[0].isspace() or tex[-1].isspace() or (before.isascii() and before.isalnum()) or after.isdigit():
        return False
    if after.isascii() and after.isalpha() and (re.search(r"[A-Za-z]{2}", tex) or not re.search(r"[\w)}\]']$", tex)):
        return False  # $PATH:$HOME
    if _VARIABLE.match(tex) and ((after.isascii() and after.isalpha()) or after in ("{", "(", "_", "@", "*")):
        return False  # ${HOME}/${USER}
    if tex[0].isdigit() and not _TEX_SIGN.search(tex) and _is_price(tex, after):
        return False  # $5, or 10$
    return not _is_cell(body, start, tex)


def _is_price(tex: str, after: str) -> bool:
    """Return whether TeX that begins with a digit is an amount of money, with words up to another dollar sign."""
    if not _NUMBER.match(tex):
        return False
    is_name = after.isascii() and after.isalpha() and len(tex.split()) > 1  # $20 for A$AP
    return is_name or _SHORT_WORD.search(tex) is not None or _END_OF_SENTENCE.search(tex) is not None


def _is_second_amount(body: str, start: int, tex: str) -> bool:
    """Return whether a dollar sign is one of several amounts or variables: $5/$6 and 7$, awk $1,$2; 1€ = 1.1$."""
    if _OTHER_MONEY.search(tex) and tex[0].isdigit() and "\\" not in tex:
        return True
    return " " in tex and _AMOUNT_BEFORE.search(body, max(0, start - 20), start) is not None


def _is_group(body: str, start: int, end: int, tex: str) -> bool:
    r"""Return whether \(...\) is a group of a regular expression, as in s/\(a\|b\)/\1/, or a part of a path."""
    before = body[max(0, start - 3) : start]
    if _CODE_BEFORE.search(before) or _CODE_IN.search(tex):
        return True
    return _BACK_REFERENCE.search(body[end : end + 200].partition("\n")[0]) is not None


def _is_word(tex: str) -> bool:
    """Return whether the text between two pairs of dollar signs in a sentence is only a word, as in "$$ or $$"."""
    if re.search(r"[^\W_]|\\", tex) is None:
        return True
    is_apart = tex[0].isspace() and not _TEX_SIGN.search(tex) and not _OPERATOR.search(tex)
    return is_apart and _SHORT_WORD.search(tex) is not None


def _is_aside(body: str, start: int, end: int, tex: str) -> bool:
    """Return whether parentheses with backslashes are part of text, as in Foo\\(tm\\), \\(c\\) 2026 or \\(PDF\\)."""
    if _TEX_SIGN.search(tex) or _OPERATOR.search(tex):
        return False
    if _WORD_OF_PROSE.fullmatch(tex):
        return True
    before, after = body[max(0, start - 12) : start], body[end : end + 20]
    if tex.lower() not in _SIGNS:
        return False
    return _YEAR.match(after) is not None or before[-1:].isalnum() or before.rstrip().lower().endswith("copyright")


def _is_cell(body: str, start: int, tex: str) -> bool:
    """Return whether text that looks like TeX contains a border between table cells."""
    return _line_before(body, start).lstrip().startswith("|") and len(re.findall(r"(?<!\\)\|", tex)) % 2 == 1
