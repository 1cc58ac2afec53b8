"""Texts of any length that repeat one pattern, to distinguish linear expressions and parsers from quadratic ones."""

from __future__ import annotations

from collections.abc import Callable

# Every special character of Markdown, HTML, Liquid, YAML and TOML: alone, doubled, followed by a space or a letter, on
# lines.
_SIGNS = "*_`~#>-+=|[]()!<&\\:;\"'{}%$^@/.,?\t"
_DOUBLED = "*_`~[]()!<>{}$^=|"
_SPACED = "*_`~#>-+[(!<&|\\"
_LETTERED = "*_`~#>[(<&|:@"
_ON_LINES = "*#>-[<|=`"

_UNITS = {
    **{f"sign {sign!r}": sign for sign in _SIGNS},
    **{f"doubled {sign!r}": sign * 2 for sign in _DOUBLED},
    **{f"spaced {sign!r}": f"{sign} " for sign in _SPACED},
    **{f"lettered {sign!r}": f"{sign}a" for sign in _LETTERED},
    **{f"line {sign!r}": f"{sign}\n" for sign in _ON_LINES},
    # text
    "blanks": " ", "newlines": "\n", "lines with blanks": " \n", "letters": "a", "words": "word ", "digits": "0",
    "ideographs": "語", "brackets of Japanese": "「", "combining signs": "a\u0301\u0301", "no width": "\u200b",
    "right to left": "א\u202e", "emoji": "👩\u200d👩\u200d👧", "control signs": "\x01", "mojibake": "Ã©", "dots": "a.",
    # links, images, email addresses
    "link": "[a](b) ", "opened link": "[a](", "opened link <": "[a](<b", "nested picture": "![",
    "picture": "![a](b.png) ",
    "reference": "[a]: b\n", "used reference": "[a][b]", "autolink": "<http://a.b>", "bare link": "http://a.b/ ",
    "scheme": "http://", "email": "a@b.c ", "ats": "a@", "path up": "a/../", "slashes": "//", "encoded": "%2e%2f",
    # HTML
    "opened comment": "<!--", "closed comment": "-->", "CDATA": "<![CDATA[", "instruction": "<?a ", "opened tag": "<a ",
    "tags": "<b>", "closed tags": "</b>", "pairs": "<b>x</b>", "divs": "<div>", "quotes in tags": "<a b='c' d=\"e\" ",
    "unclosed quote": "<img alt='", "pictures": "<img src=a>", "frames": '<iframe src="a">', "paragraphs": "<p>",
    "lists": "<ul><li>", "tables of HTML": "<table><tr><td>", "pre": "<pre>", "anchors": "<a href=x>", "svg": "<svg>",
    "inputs": "<input type=checkbox>", "details": "<details>\n", "unknown tags": "<Card ", "entities": "&amp;",
    "unclosed entities": "&am", "numbers of characters": "&#65;", "raised": "<sup class='footnote'>1",
    "styles": "<style>",
    # Liquid and other tools
    "tag of Liquid": "{% a %}", "opened Liquid": "{% ", "value": "{{ a }}", "opened value": "{{ ", "raw": "{% raw %}",
    "highlight": "{% highlight a %}", "comments of Liquid": "{% comment %}", "shortcode": "{{< a >}}",
    "opened shortcode": "{{< ", "import": "import a from 'b'\n", "attribute list": "{: .a}\n", "opened list": "{:a",
    "ids": "# a {#b", "comments of kramdown": "{::comment}",
    # Markdown
    "footnotes": "[^1] ", "tight footnotes": "[^1]", "definitions of footnotes": "[^1]: x\n\n", "nested quotes": "> ",
    "nested lists": "- ", "numbers": "1. ", "tasks": "- [ ] a\n", "fences": "```\n", "spans of code": "`a` ",
    "uneven ticks": "`` ` ", "rows": "|a|b|\n", "headings": "# a\n", "underlined": "a\n=\n", "rules": "---\n",
    "terms": "a\n: b\n", "quotation marks": "\"a\" 'b' ", "emphasis": "*a **b ", "mixed emphasis": "*a_",
    "strong": "**a ",
    # YAML, TOML, JSON, CSV, CSS
    "keys": "a: b\n", "flow": "{a: ", "settings": "a = 1\n", "JSON": '{"a":', "quoted cells": '"a,"",',
    "cells": "a,b\n",
    "declarations": "color:red;", "functions": "url(", "escaped quotes": "\\'", "bearer": "=?utf-8?q?a?= ",
}  # fmt: skip

_LANGUAGES = (
    "python javascript typescript bash json yaml html xml css sql ruby go rust java c cpp php perl kotlin swift"
)
_CODE = ("<", "{", "(", "'", '"', "/", "a<b ", "s{")

Text = Callable[[int], str]


def _repeated(unit: str) -> Text:
    return lambda length: (unit * (length // len(unit) + 1))[:length]


def _code(language: str, unit: str) -> Text:
    return lambda length: f"```{language}\n{_repeated(unit)(length)}\n```\n"


def _table(length: int) -> str:
    """Return a table that grows in both directions."""
    width = int((length / 3) ** 0.5)
    return f"{'|a' * width}|\n{'|-' * width}|\n" + f"{'|a' * width}|\n" * width


def _short_rows(length: int) -> str:
    """Return a table with many columns, whose rows are empty."""
    width = length // 6
    return f"{'|a' * width}|\n{'|-' * width}|\n" + "|\n" * (width // 2)


def _nested_parts(length: int) -> str:
    """Return nested parts, each with its own boundary, followed by blank lines."""
    begin = "".join(f"--b{n}\nContent-Type: multipart/x; boundary=b{n + 1}\n\n" for n in range(1, length // 90))
    return begin + "\n" * (length - len(begin))


def _columns(length: int, name: str, cell: str = "a") -> str:
    """Return a CSV file with many columns, whose rows have one cell."""
    head = "email," + f"{name}," * (length // 2 // (len(name) + 1))
    return f"{head}x\n" + f"{cell}\n" * ((length - len(head)) // (len(cell) + 1))


def _distinct_footnotes(length: int) -> str:
    count = length // 14
    marks = "".join(f"[^{number}]" for number in range(count))
    return f"As many have shown{marks} the sea is wide.\n\n" + "\n".join(f"[^{number}]: x" for number in range(count))


SHAPES: dict[str, Text] = {
    **{name: _repeated(unit) for name, unit in _UNITS.items()},
    "table": _table,
    "table of short rows": _short_rows,
    "distinct footnotes": _distinct_footnotes,
    "one footnote": lambda length: f"Text. {'[^1] ' * (length // 5)}\n\n[^1]: x",
    "distinct links": lambda length: " ".join(f"[a](b{number}.md)" for number in range(length // 14)),
    "distinct references": lambda length: "".join(f"[a{n}]: /b\n[a{n}] " for n in range(length // 20)),
    "quotes of lines": lambda length: "\n".join(">" * depth + " a" for depth in range(int((2 * length) ** 0.5))),
    "stairs of lists": lambda length: "\n".join("  " * depth + "- a" for depth in range(int(length**0.5))),
    "srcset": lambda length: f"<img src=a srcset='{'a 1x, ' * (length // 6)}'>",
    "commas in srcset": lambda length: f"<img srcset='{' ,' * (length // 2)}'>",
    "style": lambda length: f"<p style='{'color:red;' * (length // 10)}'>a</p>",
    "brackets of YAML": lambda length: f"title: {'[' * length}",
    "dotted keys": lambda length: f"{'a.' * (length // 2)}b = 1",
    "merges of YAML": lambda length: (
        "a0: &a0 {x: 1}\n"
        + "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, max(2, length // 60)))
    ),
    "indented keys": lambda length: "\n".join(" " * depth + "a:" for depth in range(int((2 * length) ** 0.5))),
    "paired brackets": lambda length: "[" * (length // 2) + "]" * (length // 2),
    "parts of MIME": lambda length: "--b1\n\n" * (length // 6),
    "nested parts of MIME": _nested_parts,
    "columns": lambda length: _columns(length, "a"),
    "columns of statuses": lambda length: _columns(length, "unsubscribed", "a@b.example"),
    "columns of dates": lambda length: _columns(length, "subscribed at", "2026-11-20"),
    "cells of columns": lambda length: "email,x\n" + 'x","z\n' * (length // 6),
    "parameters of MIME": lambda length: f'--b1\nContent-Disposition: x; name="{";" * 250}\n\n' * (length // 290 + 1),
}
"""Name of a pattern -> a function from a length in characters to a text."""

CODE: dict[str, Text] = {
    f"code in {language}: {unit}": _code(language, unit) for language in _LANGUAGES.split() for unit in _CODE
}
"""The same for fenced code, whose lexers are third-party patterns."""
