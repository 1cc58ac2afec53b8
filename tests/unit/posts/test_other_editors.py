"""Syntax that only other editors support is reported with its line; code and look-alikes are unchanged."""

from __future__ import annotations

import random

from publisher.posts.text.other_editors import _FAMILIES, shown_as_typed
from publisher.posts.text.prose import code_lines, masked

WRITTEN = {
    "![x](my pic.png)": "the address has a space",
    "see [the talk](files/my talk.pdf) here": "the address has a space",
    "it was ~bad~ good": "a single tilde",
    "H~2~O": "a single tilde",
    ">! It was him !<": "spoilers",
    "It was ||him||.": "spoilers",
    "<summary>Click **me**</summary>": "Markdown in this HTML element",
    "<details><summary>See [it](a.md)</summary>": "Markdown in this HTML element",
    "+---+---+": "tables drawn with +",
    "see [](https://a.example)": "a link without text",
    "see [it]() and [it](<>)": "a link has no address",
    "| Plan | Price |\n|---|\n| Basic | $5 |": "a table is shown as text",
    "A claim.[^1]": "the footnote [^1] has no text",
}
LOOKALIKES = (
    "[[noreturn]] Box<T> 10:30:45 a == b, c == d a==b ==",
    '![x](a.png "a title.png") ![x](<my pic.png>) [a](b) [x] (see y.png)',
    "x^[1] y^2 [^1]\n\n[^1]: text",
    "> [!NOTE]\n> words\n\n> [!tip] A title",
    "a :::: b !!! warning ??? what",
    "\\[[a b]\\] [[a](b)] [[TOC]] m[[1, 2]]",
    "[[Bug #1]]\n\n[Bug #1]: https://a.example",
    "100%% and 5%% off, %%NAME%%",
    "## A {#id}\n\na || b || c, f[x](y) {x}, [](auto x), [=](int x), [x](){}, 1 + 2 +, ![](a.png)",
    "| a | b |\n|---|---|\n| - | - |\n\na | b\n-|-\n|x\\|y|\n|-|",
    "| | a | b |\n| --- | ---: | ---: |\n| c | 1 | 2 |\n\n|a||\n|-|-|\n\n> | | a |\n> |-|-|",
    "<summary>Click me</summary> <b>**x**</b>\n\n<figcaption>2 * 3</figcaption>",
    "10~20 and 30~40, (~5) and (~6), ~/a and ~/b, 3월~5월, ~~struck~~ and ~~out~~, well~ well~",
)


def test_each_family_is_reported_in_text_and_not_in_code() -> None:
    for written, what in WRITTEN.items():
        (found,) = shown_as_typed(masked(f"Text\n\n{written}\n"))
        assert (found[0], found[1].startswith(what)) == (4 if "\n" in written else 3, True), found
        indented = written.replace("\n", "\n    ")
        for code in (f"Text `{written}`", f"```\n{written}\n```", f"Text\n\n    {indented}\n"):
            assert list(shown_as_typed(masked(code))) == [], code


def test_similar_text_is_not_reported() -> None:
    for text in LOOKALIKES:
        assert list(shown_as_typed(masked(text))) == [], text


def test_a_family_is_reported_once_with_its_lines() -> None:
    (found,) = shown_as_typed("H~2~O b\n\nH~2~O and ~c~\n\n~f~")
    assert found[:2] == (1, "a single tilde is shown as is: ~2~, on 3 lines up to line 5")


def test_a_quick_look_overlooks_no_family() -> None:
    chance = random.Random(4)
    pieces = [*WRITTEN, *LOOKALIKES, "\n", " ", "[", "](", ")", "~", "*", "a", "||", "<", ">!", "/x.y"]
    for _ in range(500):
        text = "".join(chance.choices(pieces, k=6))
        for family in _FAMILIES:
            assert family.may_be(text) or not family.pattern.search(text), text


def test_a_line_that_begins_with_a_letter_or_is_empty_is_read_like_others() -> None:
    chance = random.Random(5)
    pieces = ["```", "~~~", "<pre>", "</pre>", "-", "1.", ">", "a", "b", "\n", "\n", "\n", " ", "    ", "\t"]
    for _ in range(2_000):
        lines = "".join(chance.choices(pieces, k=12)).split("\n")
        others = [f".{line}" if line[:1].isalpha() else line or " " for line in lines]
        assert code_lines(lines) == code_lines(others), lines
