"""The text after the opening characters of a fence: its title, which is shown above its code, or words, which are kept.

"```SELECT name" begins a block of code in the language "SELECT" for the Markdown parser, which drops "name". A fence
that is never closed turns all text below it into code. All functions are pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from html import escape, unescape

from publisher.config import Tool
from publisher.core import patterns
from publisher.posts.rendering.lost_words import LostWords, Placed
from publisher.posts.text.prose import ends_in_fence

# As comrak writes a fence with its language, and what follows that on its line.
_FENCE = patterns.compile(r'<pre><code((?: (?:class|data-meta)="[^"]*+")++)>([^<]*+)</code></pre>')
_PLACED = patterns.compile(r'<pre data-sourcepos="(\d+):(\d+)-(\d+):\d+"><code((?: (?:class|data-meta)="[^"]*+")*+)>')
_LANGUAGE, _META = patterns.compile(r'class="language-([^"]*+)"'), patterns.compile(r'data-meta="([^"]*+)"')
# ```js title="app.js", ```js:app.js, ```js [app.js] and ```js app.js
_CAPTION = patterns.compile(
    r"(?:^|[\s{,])(?:title|filename|file|caption)\s?=\s?(?:\"([^\"]+)\"|'([^']+)'|([^\s{}\"',]+))"
    r"|(?<!\S)[\w+#-]*:([\w/-][\w./-]*\.\w+)(?!\S)"
    r"|^[\w+#-]+ \[([^\[\]]+)\]"
    r"|^[\w+#-]+ (\.?[\w/-][\w./-]*\.[a-z]\w*)$"
)
_INFO = patterns.compile(
    r"^[ \t>]*+(?:(?:[-*+]|\d{1,9}[.)])[ \t]++[ \t>]*+)*+(?:```+[ \t]*+([^\s`][^`\n]*+)$|~~~+[ \t]*+([^\s~].*+)$)",
    re.MULTILINE,
)
# {1,3}, key=value, "a marked text" and /a marked text/
_ATTRIBUTE = patterns.compile(
    r"\{\{[^{}]*+\}\}|\{[^{}]*+\}|(?<![\w:.-])[\w:.-]++=(?:\"[^\"]*+\"|'[^']*+'|[^\s,{}\"']++)"
    r"|(?<=\s)(?:\"[^\"]*+\"|'[^']*+'|/[^/\s]++/\w*+)(?!\S)"
)
_JSON = patterns.compile(r"\{\s*+[\"'][^\"']*+[\"']\s*:")
_DIRECTIVE = patterns.compile(r"\{(?!code|sourcecode)[\w-]++\}\s*+\S")
_LANGUAGE_NAME = patterns.compile(r"\.?[a-z0-9](?:[\w+#.:/@*-]*[\w+#*-])?", re.IGNORECASE | re.ASCII)
_ASSIGNMENT = patterns.compile(
    r"(?!(?:title|filename|file|caption|lang|language|line\w*|start\w*|hl_\w+|name|id|class|label|[a-z]+:\w+) ?=)"
    r"[\w.:-]++=(?![\"'])",
    re.ASCII,
)
# js= and js=101: lines with numbers, in HackMD
_NUMBERED = patterns.compile(r"([\w+#.-]++)=(?:\d*+|\+)(?=\s|$)")
# After a language: a prompt, a call, an operator, an option, an SQL statement, or a command with arguments.
_CODE = patterns.compile(
    r"[$%>] |.*(?:\w\(|[;|&]|<\w|\w>| [=<>] | --?[a-z])"
    r"|(?:SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|WITH) "
    r"|(?:sudo|npm|npx|yarn|pnpm|pip3?|uv|apt|apt-get|brew|git|cd|echo|cat|ls|mkdir|rm|cp|mv|curl|wget|docker|cargo|gem"
    r"|bundle|python3?|node|ssh|export|source|import|from|def|class|const|let|var|return) \S"
)
_REMARK = ("//", "#", "/*", "<!--", "-- ")
# Languages that Pygments knows and most code is in: asking Pygments takes longer than rendering ten posts.
_USUAL_LANGUAGES = frozenset((
    "bash", "c", "c++", "console", "cpp", "css", "diff", "docker", "dockerfile", "go", "html", "ini", "java",
    "javascript", "js", "json", "kotlin", "make", "markdown", "md", "nginx", "php", "powershell", "py", "python", "rb",
    "ruby", "rust", "scss", "sh", "sql", "swift", "text", "toml", "ts", "typescript", "xml", "yaml", "zsh",
))  # fmt: skip
# Languages that Pygments does not know.
_MORE_LANGUAGES = frozenset((
    "astro", "csv", "d2", "dotenv", "env", "goat", "http", "jsonc", "jsx", "katex", "latex", "liquid", "math", "mdx",
    "mermaid", "njk", "nunjucks", "plain", "plaintext", "plantuml", "postcss", "sass", "shell", "svelte", "svg",
    "terminal", "tsx", "txt", "vue", "vue-html",
))  # fmt: skip
_FLAG = patterns.compile(
    r"\d+(?:-\d+)?|ignore(?:-\w+)?|should_panic|no_run|norun|compile_fail|edition\d+|noplay(?:ground|pen)|hidelines"
    r"|editable|(?:no)?live|noinline|(?:show|no|no-)?line-?(?:nos?|nums?|numbers)|number-?lines|(?:no)?-?copy"
    r"|(?:no)?-?wrap|collapsed?|expand(?:ed)?|fold(?:ed)?|run|runnable|exec|eval|hide|hidden|diff|twoslash|render|skip"
    r"|test|static|preview|playground|silent|frame|prettier",
    re.IGNORECASE,
)


def with_fence_lines(html: str, body: str, placed: Placed, *, is_whole: bool = False) -> tuple[str, list[LostWords]]:
    """Return a body's HTML with each fence's title above its code, or its words in the code; and the LostWords.

    placed    renders the body with the place of each element in an attribute
    is_whole  whether the HTML was made from the unchanged body, in which no tag was turned into text
    """
    if "```" not in body and "~~~" not in body:
        return html, []
    begins = (_INFO.match(body, start) for sign in ("```", "~~~") for start in _lines_with(sign, body))
    has_wordy = any(has_words((each[1] or each[2]).strip()) for each in begins if each)
    is_wordy = has_wordy or ((not is_whole or _may_end_in_code(html)) and ends_in_fence(body.split("\n")))
    found = list(_lost_at_fences(body, placed(body))) if is_wordy else []
    return (_FENCE.sub(_with_line, html) if 'data-meta="' in html or "language-" in html else html), found


def _lines_with(sign: str, body: str) -> Iterator[int]:
    """Yield the beginning of each line of a body that contains `sign`."""
    place = body.find(sign)
    while place >= 0:
        yield body.rfind("\n", 0, place) + 1
        end = body.find("\n", place)
        place = body.find(sign, end) if end >= 0 else -1


def _may_end_in_code(html: str) -> bool:
    """Return whether a text may end in code, apart from its footnotes."""
    behind = html[html.rfind("</pre>") + 1 :]
    return "<p>" not in behind or "footnotes" in behind


@lru_cache(maxsize=1024)
def has_words(info: str) -> bool:
    """Return whether words or code follow the opening characters of a fence, instead of a language with attributes."""
    first, *behind = re.split(r"[\s,]", info, maxsplit=1)
    rest = behind[0] if behind else ""
    numbered = _NUMBERED.match(info)
    if _is_language(numbered[1] if numbered else first, rest):
        rest = _ATTRIBUTE.sub(" ", f" {rest}").strip()
        return not rest.startswith(_REMARK) and _CODE.match(rest) is not None
    if _JSON.match(info) or _DIRECTIVE.match(info) or _ASSIGNMENT.match(info):
        return True
    caption = _CAPTION.search(info)
    if caption and not caption.group().startswith(("{", ",")):
        first = caption.group().split("[")[0].split()[0] if caption.start() == 0 and "=" not in caption.group() else ""
        info = f"{info[: caption.start()]} {first} {info[caption.end() :]}"
    words = [each for each in re.split(r"[\s,]+", _ATTRIBUTE.sub(" ", info)) if each and not _FLAG.fullmatch(each)]
    if not words:
        return False
    return _LANGUAGE_NAME.fullmatch(words[0]) is None or len(words) > 1 + (words[0] == "diff")


def _is_language(word: str, rest: str) -> bool:
    """Return whether a word is the name of a language, so that the rest is for the tool that shows the code.

    A word with a capital may begin a sentence, such as "Go to", unless at most one word follows.
    """
    plain = word.lower()
    return (word == plain or " " not in rest.strip()) and (
        plain in _USUAL_LANGUAGES or plain in _MORE_LANGUAGES or plain in _languages()
    )


@cache
def _languages() -> frozenset[str]:
    # Not at the top: Pygments takes long to load, and a post that has not changed does without it.
    from pygments.lexers import get_all_lexers

    return frozenset(alias for _, aliases, _, _ in get_all_lexers(plugins=False) for alias in aliases)


def _info(attributes: str) -> str:
    return unescape(" ".join(_LANGUAGE.findall(attributes) + _META.findall(attributes)))


def _with_line(fence: re.Match[str]) -> str:
    instead = _instead(fence[1])
    return f"{instead[0]}{fence[2]}{instead[1]}" if instead else fence[0]


@lru_cache(maxsize=1024)
def _instead(attributes: str) -> tuple[str, str] | None:
    """Return the HTML to put before and after the code of a fence with these attributes; None to change nothing."""
    info = _info(attributes)
    if has_words(info):
        return f"<pre><code>{escape(info, quote=False)}\n", "</code></pre>"
    if numbered := _NUMBERED.match(info):
        return f'<pre><code class="language-{escape(numbered[1])}">', "</code></pre>"
    found = _CAPTION.search(info)
    if not found:
        return None
    caption = escape(next(filter(None, found.groups())), quote=False)
    return f"<figure><figcaption>{caption}</figcaption>\n<pre><code{attributes}>", "</code></pre></figure>"


def _lost_at_fences(body: str, placed: str) -> list[LostWords]:
    lines, found = body.rstrip().split("\n"), []
    for tag in _PLACED.finditer(placed):
        first, last, info = int(tag[1]), int(tag[3]), _info(tag[4])
        sign = lines[first - 1][int(tag[2]) - 1 :][:3] if first <= len(lines) else ""
        if sign not in ("```", "~~~"):
            continue
        wordy = bool(info) and has_words(info)
        if first < len(lines) <= last and (lines[-1].strip(" \t>")[:3] != sign or lines[-1].strip(" \t>" + sign[0])):
            meant = wordy or any(line.rstrip().endswith(sign) for line in lines[first:])
            message = f"nothing closes the fence {sign}{info[:40]}, so all text below it is code"
            found.append(LostWords(first, message, f"write a line with only {sign} where the code ends", meant))
        elif wordy:
            message = f"{info[:60]} is not a language, and is shown as the first line of the code"
            found.append(LostWords(first, message, f"begin the code on the line below {sign}", False))
    return found


# How Python-Markdown names the language of indented code (CodeHilite), on a line of its own that is not shown.
_NAMED_CODE = patterns.compile(r"(<pre[^<>]*><code)>(?::::|#!)([\w+#-]{1,40}+)(?:[ \t][^<\n]*+)?\n")


def with_named_code(html: str, tool: Tool) -> str:
    """Return the HTML in which a block's first line gives its language, for tools that read it that way."""
    if tool not in ("pelican", "mkdocs") or not (">:::" in html or ">#!" in html):
        return html
    return _NAMED_CODE.sub(r'\1 class="language-\2">', html)
