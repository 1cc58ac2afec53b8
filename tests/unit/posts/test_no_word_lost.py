"""Every word, in any script and inline construct, is on the page, in feeds and in emails, or is named by a check."""

from __future__ import annotations

import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html as lxml_html

from publisher.newsletters.letter.email_html import BodyPlace, mail_body
from publisher.newsletters.letter.email_strings import words_of
from publisher.newsletters.letter.plain_text import text_of
from publisher.site.feeds.feed_text import feed_html
from tests.support.posts_samples import rendered

SCRIPTS = (
    "abkwxz",
    "äßéñ",
    "жщыё",
    "αλφω",
    "שלום",
    "سلام",
    "नमसत",
    "กขคง",
    "漢字中文",
    "かなカナ",
    "한국어",
    "ჰაეი",
    "አበገ",
    "0137",
)
INLINE = [
    "{}", "*{}*", "**{}**", "***{}***", "~~{}~~", "`{}`", "``{} `{}``", "[{}](https://a.example/)", "[{}][1]",
    "<b>{}</b>", "<kbd>{}</kbd>", "<q>{}</q>", "<mark>{}</mark>", "<noscript>{}</noscript>", "<object>{}</object>",
    "<ruby>{}<rt>{}</rt></ruby>", "<select><option>{}<option>{}</select>", "<video>{}</video>",
    "<details><summary>{}</summary>{}</details>", "<script>{}</script>", "<style>{}</style>", "<title>{}</title>",
    "<textarea>{}</textarea>", "<math>{}</math>", "<svg>{}</svg>", "<template>{}</template>", "<iframe>{}</iframe>",
    "<noembed>{}</noembed>", "<Card>{}</Card>", "<title> {}", "<script> {}", "<video> {}", "<table> {}", "<td> {}",
    "<rp> {}", "<select> {}", "<svg> {}", "</title> {}", "<!DOCTYPE {}>", "<?php {} ?>", "<![CDATA[{}]]>",
    "<!-- a --> {}", "^[{}]", "=={}==", "%%{} {}%%", "{}[^1]", "\\*{}\\*", "&lt;{}&gt;", "<{}", "{} < {} > {}",
    '"{}"', "'{}'", "{} -- {}", ":{}:", "H<sub>{}</sub>", "$ {} $", "|{}|", "{{{}}}", "{{% {} %}}",
    "[{}]: {}", "[{}]:\n{}", "|{}|\n|-|\n|{}|{}|", "~{}~ ~{}~", "{}~{}, {}~{}", "<ul>{}<li>{}</li></ul>",
    "<dl>{}<dt>{}</dt></dl>", "<table><td rowspan=2>{}<tr>{}<td>{}</table>", "<form><legend>{}</legend>{}</form>",
]  # fmt: skip
BEFORE = ("", "- ", "> ", "## ", "1. ", "<div>", "\n")
NOTES = "\n\n[1]: https://b.example/\n\n[^1]: note\n"
PLACE = BodyPlace("https://example.org/p/", 3, words_of("en"))


@st.composite
def bodies(draw: st.DrawFn) -> tuple[str, list[tuple[str, int]]]:
    """Generate a body, and a list of its words with their line numbers."""
    text, words = "", []
    for _ in range(draw(st.integers(1, 6))):
        construct = draw(st.sampled_from(INLINE))
        text += draw(st.sampled_from((" ", "\n", "  \n", "\n\n"))) + draw(st.sampled_from(BEFORE))
        made = []
        for _ in range(construct.replace("{{", "").count("{}")):
            word = "".join(draw(st.lists(st.sampled_from(draw(st.sampled_from(SCRIPTS))), min_size=1, max_size=4)))
            made.append(f"{word}{len(words) + len(made)}x")
        words += [(word, 0) for word in made]
        text += construct.format(*made)
    lines = text.split("\n")
    return text + NOTES, [(word, next(n for n, line in enumerate(lines) if word in line)) for word, _ in words]


def squeezed(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def shown(html: str) -> str:
    return squeezed(lxml_html.fromstring(f"<div>{html}</div>").text_content())


@settings(max_examples=100, deadline=None)
@given(bodies())
def test_each_word_is_shown_everywhere_or_named(written: tuple[str, list[tuple[str, int]]]) -> None:
    body, words = written
    result = rendered(body)
    letter = mail_body(result.html, PLACE)
    places = (shown(result.html), shown(feed_html(result.html)), shown(letter), squeezed(text_of(letter, PLACE.words)))
    named = {problem.line - 4 for problem in result.problems}
    for word, line in words:
        lost = [number for number, place in enumerate(places) if squeezed(word) not in place]
        assert not lost or line in named, (word, lost, result.html, result.problems)
