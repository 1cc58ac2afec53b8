"""Traps: each makes one thing difficult in a post."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trap:
    """The unusual parts of a post; the other parts are ordinary."""

    name: str
    title: str
    body: str = "An ordinary sentence, and another one."
    summary: str = ""
    tags: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    language: str = ""
    image: str = ""
    audio: str = ""
    edited: bool = False
    draft: bool = False
    future: bool = False


_LONG = "\n\n".join(
    f"Paragraph {n}: {'words that go on for a while and then some more, ' * 6}end." for n in range(1, 7)
)

_LINKS = """\
Go [down](#part), to [a neighbour](../neighbour/), [beside](beside.html), [to the root](/about/),
[over there](//cdn.example.org/x), ![a picture](/media/picture.png)

<a id="part"></a>
"""

_HTML = """\
<img src="/media/picture.png" alt="" srcset="/media/w_400,h_300/picture.png 1x, /media/w_800,h_600/picture.png 2x">

<video src="/media/film.mp4" poster="/media/picture.png" controls></video>

<picture><source srcset="/media/wide.webp 800w" type="image/webp"><img src="/media/picture.png" alt=""></picture>
"""

_ACTIVE = """\
<script>alert(1)</script>

<style>p { color: red }</style>

<p onclick="alert(2)">A paragraph that listens.</p>

[A link that runs](javascript:alert(3)) and <a href="javascript:alert(4)">another</a>.

<img src="/media/picture.png" alt="" onerror="alert(5)">
"""

_CODE = """\
A function:

```python
def area(width: int, height: int) -> int:
    return width * height  # square metres
```
"""

_HEADINGS = """\
## First part

Words below the first part.

### A part of it

More words.

## Second part
"""

_TABLE = "| a | b |\n|---|---|\n| 1 | 2 |\n| `x|y` | <b>bold</b> |\n"

TRAPS = (
    Trap("plain", "A plain post", _LONG, summary="In short: a plain post.", tags=("C++",)),
    Trap("long", "A long post without a summary", _LONG),
    Trap("links", "Relative links", _LINKS),
    Trap("html", "Addresses in HTML", _HTML),
    Trap("active", "Active content", _ACTIVE),
    Trap("code", "Highlighted code", _CODE, tags=("C#",)),
    Trap("headings", "Headings with anchors", _HEADINGS),
    Trap("twoauthors", "Two authors", authors=("Zoë Ünal", "王小明")),
    Trap("second", "One of the two authors", authors=("王小明",), tags=("日本語",)),
    Trap("manytags", "Tags of every kind", tags=("日本語", "C++", "R&D", "two words")),
    Trap("sharp", "A sharp post", tags=("C#", "R&D")),
    Trap("language", "日本語の記事", "これは日本語の記事です。短い文章です。", language="ja", tags=("日本語",)),
    Trap("image", "A post with a picture", image="/media/cover.png"),
    Trap("audio", "An episode", audio="/media/episode.mp3"),
    Trap("edited", "Edited later", edited=True),
    Trap("draft", "A draft", draft=True),
    Trap("future", "From the future", future=True),
    Trap("arabic", "عنوان من اليمين إلى اليسار", "نص عربي قصير مع <b>كلمة</b> غامقة."),
    Trap("astral", "Emoji 👩‍👩‍👧 and é combined 𝔘", "Letters beyond the basic plane: 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 👩‍👩‍👧."),
    Trap("quotes", "\"Quoted\" and 'single', back\\slash: colon # hash", "Quotes \" and ' in the text."),
    Trap("entities", "Written &amp; meant: &lt;b&gt;", "Written &amp;amp; meant, AT&T, 1 < 2 && 3 > 2."),
    Trap("returns", "Carriage returns", "First line.\r\nSecond line.\r\n\r\nSecond paragraph."),
    Trap("table", "A table", _TABLE),
    Trap("endless", "A title that goes on " + "and on " * 40 + "to its end"),
    Trap("comment", "A comment in the source", "Seen. <!-- not seen --> Seen again."),
    Trap("picture", "Nothing but a picture", "![only](/media/picture.png)"),
)
