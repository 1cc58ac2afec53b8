"""MathML for the formulas in a post's HTML. No other module uses math_core.

Pages show MathML, which every browser can display. Feed readers and email programs remove it, or show its letters
without their layout, so feeds and emails show the TeX instead, in <code>. MathML that the writer typed is shown there
as words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape, unescape
from typing import NamedTuple

from math_core import LatexError, LatexToMathML

from publisher.core import patterns
from publisher.posts.rendering.allowed_html import MATHML
from publisher.posts.text.tex import DISPLAY, INLINE

# The largest formula that is converted, in characters and levels of nesting. The converter calls itself for each level,
# and 5,000 levels crash its process.
LONGEST = 5_000
DEEPEST = 50

_FORMULA = patterns.compile(
    rf'<pre><code class="language-math">([^<]*+)</code></pre>|<code class="({INLINE}|{DISPLAY})">([^<]*+)</code>'
)
_LEVELS = patterns.compile(r"\\(?:left|right|begin|end)(?![a-zA-Z])|\\.|[{}]", re.DOTALL)
_CHAIN = patterns.compile(rf"(?:\\[a-zA-Z]++\s*+|[_^]\s*+){{{DEEPEST}}}")


def _align(found: re.Match[str]) -> str:
    star = found[1] or found[2] or ""
    return rf"\begin{{align{star}}}" if found[0].startswith(r"\begin") else rf"\end{{align{star}}}"


# Names that the converter does not know, and what it knows instead.
_INSTEAD = (
    (patterns.compile(r"\\(begin|end)\{(?:eqnarray|flalign)(\*?)\}"), r"\\\1{align\2}"),
    (patterns.compile(r"\\(begin|end)\{split\}"), r"\\\1{aligned}"),
    (patterns.compile(r"\\(?:begin\{alignat(\*?)\}\{\d{1,3}\}|end\{alignat(\*?)\})"), _align),
    (patterns.compile(r"\\(begin|end)\{smallmatrix\}"), r"\\\1{matrix}"),
    (patterns.compile(r"\\(?:begin|end)\{(?:displaymath|math|subequations)\}"), ""),
    (patterns.compile(r"\\mbox(?![a-zA-Z])"), r"\\text"),
    (patterns.compile(r"\\(?:label|eqref)\{[^{}]*+\}"), ""),
)

# What the converter may write.
_NAMES = "|".join(("math", "b", "i", *sorted(MATHML)))
_SAFE = patterns.compile(
    r"(?:[^<>&]++|&(?:lt|gt|amp|quot|#x?[0-9a-fA-F]++);"
    rf"|</?(?:{_NAMES})(?: (?!on|href|src)[a-z]++=\"(?:[^\"<>&:]|:(?! *url))*+\")*+ ?/?>)*+"
)


class Maths(NamedTuple):
    """The formulas of a post.

    html    its HTML, without MathML
    mathml  the MathML of each formula, by its element in that HTML
    failed  the formulas that cannot be converted, as (TeX, reason)
    """

    html: str
    mathml: dict[str, str]
    failed: list[tuple[str, str]]


def maths_of(html: str, most: int) -> Maths:
    """Replace MathML in sanitised HTML by words, and convert its TeX to MathML.

    most  how many characters of MathML there may be; formulas beyond that are not converted
    """
    mathml: dict[str, str] = {}
    failed: list[tuple[str, str]] = []
    if "<math" in html:
        html = _MATHML.sub(lambda found: _with_words(found, mathml), html)
    if 'class="math' in html or 'class="language-math"' in html:
        converter, size = _Converter(), 0
        for found in _FORMULA.finditer(html):
            if found[0] in mathml:
                continue
            tex = unescape(found[3] if found[1] is None else found[1]).strip()
            made, why = converter.mathml(tex, display=found[2] != INLINE) if size < most else ("", "there are too many")
            size += len(made)
            if made:
                mathml[found[0]] = made
            elif tex:
                failed.append((tex, why))
    return Maths(html, mathml, failed)


class _Converter:
    """A converter for the formulas of one post, which share their macros and the numbers of their equations."""

    def __init__(self) -> None:
        self._converter = LatexToMathML(
            annotation=True, global_group=True, allow_unreliable_rendering=True, fancy_error=False, id_prefix="eq-"
        )

    def mathml(self, tex: str, *, display: bool) -> tuple[str, str]:
        """Return the MathML of a formula, or "" and the reason why there is none."""
        if len(tex) > LONGEST:
            return "", f"it has more than {LONGEST:,} characters"
        if _depth(tex) > DEEPEST or _CHAIN.search(tex):
            return "", f"it is nested more than {DEEPEST} deep"
        known = tex
        for pattern, instead in _INSTEAD:
            known = pattern.sub(instead, known)
        why = ""
        for attempt in _attempts(known, display=display):
            try:
                made = self._converter.convert_with_global_state(attempt, displaystyle=display)
            except LatexError as error:
                why = why or re.sub(r"^\d+: ", "", str(error)).rstrip(".\n ")
                continue
            made = _ANNOTATION.sub(
                lambda found: found[1] + escape(tex, quote=False) + found[2], _in_styles(made), count=1
            )
            return (made, "") if _SAFE.fullmatch(made) else ("", "its MathML is not safe")
        return "", why[:1].lower() + why[1:] if why[1:2].islower() else why


_ANNOTATION = patterns.compile(r"(<annotation [^<>]*+>)[^<]*+(</annotation>)")


_ELEMENT = patterns.compile(r"<(m[a-z]++)((?: [a-z]++=\"[^\"]*+\")*+)>|</(m[a-z]++)>")
_STYLE = patterns.compile(r" (?:displaystyle|scriptlevel)=\"[^\"]*+\"")


def _in_styles(mathml: str) -> str:
    """Move attributes that set sizes into <mstyle>, and remove them from tables, because the schema requires both."""
    wrapped: list[bool] = []

    def element(found: re.Match[str]) -> str:
        """Return a tag with the style that its attributes set."""
        name, attributes, closed = found.groups()
        if closed:
            return found[0] + "</mstyle>" * (wrapped.pop() if wrapped else False)
        styles = "" if name == "mstyle" else "".join(_STYLE.findall(attributes))
        wrapped.append(bool(styles) and name != "mtable")
        if not styles:
            return found[0]
        rest = _STYLE.sub("", attributes)
        if name == "mtable":
            large = ' displaystyle="true"' * ('displaystyle="true"' in styles)
            return f"<mtable{large}{rest}>"
        return f"<mstyle{styles}><{name}{rest}>"

    return _ELEMENT.sub(element, mathml)


def _attempts(tex: str, *, display: bool) -> Iterator[str]:
    """Yield the texts to try. Rows and their separators need an environment, which writers tend to leave out."""
    if display and r"\begin{" not in tex:
        if r"\tag" in tex:
            yield rf"\begin{{align*}}{tex}\end{{align*}}"
        elif r"\\" in tex or "&" in tex.replace(r"\&", ""):
            yield rf"\begin{{aligned}}{tex}\end{{aligned}}"
    yield tex


def _depth(tex: str) -> int:
    depth = deepest = 0
    for found in _LEVELS.finditer(tex):
        if found[0] in ("{", r"\left", r"\begin"):
            depth += 1
            deepest = max(deepest, depth)
        elif found[0] in ("}", r"\right", r"\end"):
            depth -= 1
    return deepest


_MATHML = patterns.compile(r"<math\b([^<>]*+)>((?:[^<]++|<(?!/?math\b))*+)</math>")
_TEX_IN = patterns.compile(r'<annotation encoding="application/x-tex">([^<]++)</annotation>')
_ANNOTATIONS = patterns.compile(r"<annotation\b[^<>]*+>[^<]*+</annotation>")
_PART = patterns.compile(r"<(/?)([a-z]++)[^<>]*+>|([^<]++)")
# What is between the parts of an element, in words.
_BETWEEN = {
    "mfrac": ("/",),
    "msup": ("^",),
    "msub": ("_",),
    "msubsup": ("_", "^"),
    "munder": ("_",),
    "mover": ("^",),
    "munderover": ("_", "^"),
    "mtr": (", ",),
    "mtable": ("; ",),
}
_BEFORE = {"msqrt": "√", "mroot": "√"}


def _with_words(found: re.Match[str], mathml: dict[str, str]) -> str:
    """Return a formula in words, as code, and keep its MathML."""
    tex = _TEX_IN.search(found[2])
    words = unescape(tex[1]).strip() if tex else words_of(_ANNOTATIONS.sub("", found[2]))
    if not words:
        return ""
    css_class = DISPLAY if 'display="block"' in found[1] else INLINE
    element = f'<code class="{css_class}">{escape(words, quote=False)}</code>'
    if _SAFE.fullmatch(found[0]):
        mathml.setdefault(element, found[0])
    return element


def words_of(mathml: str) -> str:
    """Return MathML as a line of text: x squared is x^2, a fraction is (a + b)/2."""
    stack: list[tuple[str, list[str]]] = [("", [])]
    for found in _PART.finditer(mathml):
        closing, name, text = found.groups()
        if text is not None:
            if text.strip():
                words = " ".join(unescape(text).split())
                stack[-1][1].append(words if stack[-1][0] in _TOKENS else f" {words} ")
        elif not closing:
            stack.append((name, []))
        elif len(stack) > 1:
            name, parts = stack.pop()
            stack[-1][1].append(_joined(name, parts))
    while len(stack) > 1:
        name, parts = stack.pop()
        stack[-1][1].append(_joined(name, parts))
    return _joined("", stack[0][1])


def _joined(name: str, parts: list[str]) -> str:
    if name == "mo":
        sign = "".join(parts)
        return f" {sign} " if sign in _SPACED else sign
    between = _BETWEEN.get(name)
    if between is None:
        text = " ".join("".join(parts).split()) if name != "mtext" else "".join(parts)
        return f"{_BEFORE[name]}{_grouped(text)}" if name in _BEFORE else text
    grouped = parts if name in ("mtr", "mtable") else [_grouped(part) for part in parts]
    text = grouped[0] if grouped else ""
    for number, part in enumerate(grouped[1:]):
        text += between[min(number, len(between) - 1)] + part
    return text


_TOKENS = frozenset(("mi", "mn", "mo", "ms", "mtext"))
_SPACED = frozenset("=+−-<>≤≥≠≈→⇒∈∪∩×·")


def _grouped(text: str) -> str:
    text = text.strip()
    return text if len(text) == 1 or re.fullmatch(r"\w+|\(.*\)", text) else f"({text})"
