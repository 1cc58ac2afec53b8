r"""TeX is kept byte for byte in every place of a body, and nothing else is mistaken for it."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as lxml_html

from publisher.newsletters.letter.note import rendered_note
from publisher.posts.rendering.mathml import DEEPEST, LONGEST, maths_of, words_of
from publisher.posts.text.tex import take_out
from publisher.site.feeds.feed_text import feed_html
from publisher.site.pages.post_body import page_body
from tests.support.posts_samples import html_of, rendered, said

ROWS = "a_1 &= b_1 \\\\\n- c_1 < e*f*g\n+ \\{x\\}"
PLACES = {
    "a sentence": "Let {} be it.",
    "Chinese": "设{}为实数，",
    "emphasis": "*Let {} be* **{}**",
    "a list": "- one\n- {} two\n  - {}",
    "a table": "| a | b |\n|---|---|\n| {} | x {} y |",
    "a quote": "> Let {} be\n> it",
    "a heading": "## The {} axis",
    "a footnote": "Text[^1].\n\n[^1]: See {}.",
    "a link": "[the {}](https://a.example)",
    "HTML": "<div>\n\n{}\n\n</div>",
    "a definition": "Term\n: It is {}",
}
FORMULAS = (
    r"x_1", r"\{x\}", r"a*b", r"a*b*c", r"x < y", r"a & b", r"x_i^2 + y_i^2",
    r"\text{if } x", r"\frac{{a}}{{b}}", r"\|x\|",
    r"f'(x)", r"\langle a, b \rangle", r"2x + 1", r"5", r"a\ b", r"|x|", r"x \\ y", r"[a](b)", r"~x~", r"\alpha",
)  # fmt: skip


def formulas_in(html: str) -> list[str]:
    tree = lxml_html.fromstring(f"<div>{html}</div>")
    return [code.text_content().removesuffix("\n") for code in tree.iter("code") if "math" in code.get("class", "")]


@pytest.mark.parametrize("around", ["${}$", "$`{}`$", r"\({}\)", r"\\({}\\)", "$${}$$"])
def test_tex_is_kept_byte_for_byte_in_every_place(around: str) -> None:
    """One post has all places for a pair of delimiters, because each post needs another call to the child process."""
    body, wanted = "", []
    for place in PLACES.values():
        for tex in FORMULAS:
            if "`" in around and "|" in tex and place.startswith("|"):
                continue  # GitHub's dialect splits a row at any | in code
            body += place.replace("{}", around.format(tex).replace("{}", "")) + "\n\n<hr>\n\n"
            wanted += [tex] * place.count("{}")
    body = body.replace("[^1]", "")  # footnotes are moved to the end
    assert formulas_in(html_of(body)) == wanted


def test_a_footnote_keeps_its_tex() -> None:
    assert formulas_in(html_of(PLACES["a footnote"].format("$a*b*c_1$"))) == ["a*b*c_1"]


@pytest.mark.parametrize(
    ("body", "tex"),
    [
        (f"$$\n{ROWS}\n$$", ROWS),
        (f"Text:\n$$\n{ROWS}\n$$\nwhere x", ROWS),
        (f"\\[\n{ROWS}\n\\]", ROWS),
        (f"\\\\[\n{ROWS}\n\\\\]", ROWS),
        (f"```math\n{ROWS}\n```", ROWS),
        (f"~~~ math\n{ROWS}\n~~~", ROWS),
        ("- one\n\n  $$\n  a \\\\\n  = b\n  $$\n\n  more", "a \\\\\n= b"),
        ("1. $$\n   a \\\\\n   - b\n   $$", "a \\\\\n- b"),
        ("> $$\n> a \\\\\n> - b\n> $$\n> more", "a \\\\\n- b"),
        ("$$\na\n---\n= b\n\n1. c\n$$", "a\n---\n= b\n\n1. c"),
        (
            "\\begin{align*}\na &= b \\\\\n- c &= d\n\\end{align*}",
            "\\begin{align*}\na &= b \\\\\n- c &= d\n\\end{align*}",
        ),
        ("$$ x = \\begin{pmatrix} 1 \\\\\n2 \\end{pmatrix} $$", " x = \\begin{pmatrix} 1 \\\\\n2 \\end{pmatrix} "),
        ("$$ {% raw %}{{a}}{% endraw %} $$", " {{a}} "),
    ],
)
def test_a_block_of_tex_is_kept_byte_for_byte(body: str, tex: str) -> None:
    result = rendered(body)
    assert formulas_in(result.html) == [tex]
    assert "<pre>" in result.html
    assert "<ul>\n<li>c" not in result.html
    assert result.problems == ()


@pytest.mark.parametrize(
    "text",
    [
        "It costs $5 and $6, or 5$ and 6$.",
        "US$5 and US$6, $100k vs $200k, $20-$30, $20/$30.",
        "It costs $5, or 10$ more; $5 (or 4$).",
        "echo $PATH:$HOME; $a/$b; $HOME and $USER",
        "Ramen $$, Sushi $$ today, Fish $$$.",
        "他有$5和$6, $5$6",
        "a $ b $ c",
        "see www.a.example/$a$b",
        "not $a\n\nand b$ at all",
        "$$$a$$$ and $$",
        "Tickets are $20. A$AP Rocky plays at nine, $5 A$AP.",
        "Copy ${HOME}/${USER} and ${x}-${y}, $(pwd)/$(date), $@/$*, ${x}.$y.",
        "Say $$ or $$, $$ and $$, $$ - $$, $$, $$.",
        "$5 (Ke$ha), 7$; 8$. A 9$",
        "$5.00/$6 ; ¢50 ; 1€=1.1$",
        "1€=1.1$ and 2€=2.2$, $5/$6 and 7$",
        "awk $1,$2; regex ^a$|^b$",
        "$Id$ $Date$ and $Rev$",
        "$Revision: 1.1 $ and ($Id: a.c,v 1.1 $)",
    ],
)
def test_prices_and_variables_stay_text(text: str) -> None:
    html = html_of(text)
    assert "<code" not in html
    words = " ".join(lxml_html.fromstring(f"<div>{html}</div>").text_content().split())
    assert words == " ".join(text.split())


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (r"\(see above\), \[1\], \[Update\]", "(see above), [1], [Update]"),
        (r'\[caption id="a\_1"\]x\[/caption\]', "[caption id=“a_1”]x[/caption]"),
        (r"\$x\$", "$x$"),
        (
            r"\(c\) 2026 Ann, Copyright \(c\) Ann, Foo\(tm\), Bar\(R\)",
            "(c) 2026 Ann, Copyright (c) Ann, Foo(tm), Bar(R)",
        ),
        (r"See \(PDF\), \(laughs\), \(sic\).", "See (PDF), (laughs), (sic)."),
        (r"s/\(a\|b\)/\1/ and s/^\(.*\)$/\1/", r"s/(a|b)/\1/ and s/^(.*)$/\1/"),
        (r"C:\(x86\), /\(foo\)/d, f\(x\), \([0-9]\)", "C:(x86), /(foo)/d, f(x), ([0-9])"),
        (r"\begin{quote} \end{quote}", r"\begin{quote} \end{quote}"),
        ("| a | b |\n|--|--|\n| $5 | $6 |\n|$a|$b|", "a b $5 $6 $a $b"),
        ("- a: $x\n- b: y$", "a: $x b: y$"),
    ],
)
def test_escaped_dollar_signs_stay_text(body: str, words: str) -> None:
    html = html_of(body)
    assert "<code" not in html
    assert lxml_html.fromstring(f"<div>{html}</div>").text_content().split() == words.split()


def test_adjacent_formulas_are_formulas() -> None:
    body = r"$x$,$y$ and $a, b$/$c d$; \(p\)/\(q\), have:\(x^2\), $20/$n$, $Date_1$, $5 \text{€}$"
    expected = ["x", "y", "a, b", "c d", "p", "q", "x^2", "n", "Date_1", r"5 \text{€}"]
    assert [formula.tex for formula in take_out(body).formulas] == expected


def test_a_formula_that_looks_like_prose_is_a_formula() -> None:
    formulas = ["n", "c", "2n", "2 n + 1", "{}^{14}C", r"{n \choose k}", "_2F_1", "1, 2, 3", "a.b", "AB", r"\sin"]
    body = "\n\n".join(f"Let ${tex}$ be, or \\({tex}\\): $${tex}$$ it." for tex in formulas)
    assert formulas_in(html_of(body + "\n\nThe $n$th, $2k$th; $f$(x), $${a}$$.")) == [
        *(tex for tex in formulas for _ in range(3)), "n", "2k", "f", "{a}",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("`$a_1$` and `` $`x`$ ``", "<code>$a_1$</code> and <code>$`x`$</code>"),
        ("```sh\necho $a $b$\n```", "echo $a $b$\n"),
        ("{% highlight sh %}\necho $a$ b\n{% endhighlight %}", "echo $a$ b\n"),
        ("x {% highlight sh %}echo $a$ b{% endhighlight %}", "echo $a$ b"),
        ("<pre>$a$ $b$</pre>", "<pre>$a$ $b$</pre>"),
        ('[x](https://a.example/$a$b "$c$")', '<a href="https://a.example/$a$b" title="$c$">'),
        ("![The $x$](https://a.example/a.png)", 'alt="The $x$"'),
        ('<b title="$x$">y</b>', '<b title="$x$">'),
    ],
)
def test_code_and_attributes_keep_their_dollar_signs(body: str, expected: str) -> None:
    html = html_of(body)
    assert expected in html
    assert 'class="math' not in html


def test_a_heading_that_repeats_the_title_with_tex_is_not_shown_twice() -> None:
    assert html_of("# The $x_1$ axis\n\nText", head="title: The $x_1$ axis\ndate: 2024-07-06") == "<p>Text</p>"
    titled = rendered("# The *long* $x_1$ axis\n\nText", head="date: 2024-07-06")
    assert titled.post.title == "The long $x_1$ axis"
    assert titled.html.strip() == "<p>Text</p>"


def test_a_heading_with_tex_keeps_the_id_that_github_gives_it() -> None:
    headings = ("# The $x_1$ axis", "## The $x_1$ *axis*", r"## $\frac{a}{b}$ & more", "## Plain", "## $x$", "## $x$")
    ids = ["the-x_1-axis", "the-x_1-axis-1", "fracab--more", "plain", "x", "x-1"]
    result = rendered("\n\n".join([*headings, "[a](#the-x_1-axis)"]))
    assert re.findall('<h. id="([^"]+)"', result.html) == ids
    assert result.problems == ()


def test_nothing_in_tex_is_reported_as_a_slip_of_markdown() -> None:
    texs = ("a == b == c", "x^[ab] + [[A B]]", "f](( x", "{{a}} {% b %}", "[^1]", "%% x y %%", "*|NAME|*")
    result = rendered("\n\n".join(f"$`{tex}`$ and \\({tex}\\)\n\n$$\n{tex}\n$$" for tex in texs))
    assert [message for _, message in said(result) if "the formula" not in message] == []
    assert len(formulas_in(result.html)) == 3 * len(texs)


def test_a_page_has_mathml_and_a_feed_has_tex() -> None:
    result = rendered("Let $x_1 < y$ be.\n\n$$\na &= b \\\\\nc &= d\n$$\n\n```math\nx\n```\n\nin $$y$$ it")
    page = page_body(
        result.html, title="", url="https://a.example/p/", site_url="https://a.example", root="../", table_label="",
        maths=result.maths,
    )  # fmt: skip
    assert page.count("<math") == 4
    assert "<code" not in page
    assert "<msub><mi>x</mi><mn>1</mn></msub><mo>&lt;</mo><mi>y</mi>" in page
    assert '<annotation encoding="application/x-tex">x_1 &lt; y</annotation>' in page
    assert page.count("<mtr>") == 2
    assert page.count('<math display="block">') == 3
    feed = feed_html(result.html)
    assert "<math" not in feed
    assert "x_1 &lt; y" in feed
    assert result.excerpt == "Let x_1 < y be. in y it"


def test_sizes_are_set_where_validators_allow_it() -> None:
    """Only <mstyle> may have scriptlevel, and only <mstyle> and <mtable> may have displaystyle (MathML 3)."""
    texs = (
        r"\dfrac12",
        r"\displaystyle x",
        r"\tfrac{\dfrac12}{3}",
        r"\scriptstyle\begin{matrix}a\end{matrix}",
        r"\dbinom nk",
        "x",
    )
    for display in ("math", "math-display"):
        for tex in texs:
            (mathml,) = maths_of(f'<code class="{display}">{tex}</code>', 10_000).mathml.values()
            for element in lxml_html.etree.fromstring(mathml).iter():
                assert element.tag == "mstyle" or "scriptlevel" not in element.attrib
                assert element.tag in ("mstyle", "mtable") or "displaystyle" not in element.attrib
    environments = (
        "alignat{2}",
        "eqnarray",
        "split",
        "smallmatrix",
        "flalign*",
        "gather",
        "multline",
        "equation*",
        "subequations",
    )
    for name in environments:
        tex = rf"\begin{{{name.replace('{', '}{')}}} a \end{{{name.partition('{')[0]}}}".replace("}}", "}")
        assert maths_of(f'<code class="math-display">{tex}</code>', 10_000).failed == []


def test_a_formula_that_cannot_be_displayed_is_shown_as_tex_with_its_line() -> None:
    result = rendered("Text\n\nLet $\\nosuch{x}$ be, $$\\frac{a$$ too.")
    assert formulas_in(result.html) == ["\\nosuch{x}", "\\frac{a"]
    assert result.maths == {}
    (line, first), (_, second) = said(result)
    assert line == 6
    assert first.startswith('the formula \\nosuch{x} can\'t be displayed: unknown command "\\nosuch"')
    assert second.startswith("the formula \\frac{a can't be displayed: expected")


def test_handwritten_mathml_stays_in_pages_and_is_text_elsewhere() -> None:
    mathml = '<math display="block"><mfrac><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow><mn>2</mn></mfrac></math>'
    for name in ("2024-07-06-hello.md", "2024-07-06-hello.html"):
        result = rendered(f"<p>It is {mathml}.</p>", name=name)
        assert formulas_in(result.html) == ["(a + b)/2"]
        assert list(result.maths.values()) == [mathml]
        assert result.problems == ()
    hostile = rendered(
        '<math href="javascript:x" onclick="x"><mi>x<script>y</script></mi><mtext><style>z</style>t</mtext></math>'
    )
    assert list(hostile.maths.values()) == ["<math><mi>x</mi><mtext>t</mtext></math>"]


@pytest.mark.parametrize(
    ("mathml", "words"),
    [
        ("<mi>x</mi><msup><mi>a</mi><mn>2</mn></msup>", "xa^2"),
        ("<msub><mi>x</mi><mrow><mi>i</mi><mo>+</mo><mn>1</mn></mrow></msub>", "x_(i + 1)"),
        ("<msqrt><mi>x</mi></msqrt><mo>=</mo><mn>3</mn>", "√x = 3"),
        ("<munderover><mo>∑</mo><mn>1</mn><mi>n</mi></munderover><mi>k</mi>", "∑_1^nk"),
        ("<mtable><mtr><mtd>1</mtd><mtd>2</mtd></mtr><mtr><mtd>3</mtd><mtd>4</mtd></mtr></mtable>", "1, 2; 3, 4"),
        ("<mi>x</mi> loose words", "x loose words"),
        ("<mi>a</mi></mrow></mfrac>", "a"),
    ],
)
def test_mathml_has_a_text_form(mathml: str, words: str) -> None:
    assert words_of(mathml).strip() == words


def test_a_note_keeps_its_tex() -> None:
    html = rendered_note("Dear $a*b*c$ and\n\n$$\na \\\\\n- b\n$$", "https://a.example")
    assert formulas_in(html) == ["a*b*c", "a \\\\\n- b"]
    assert "x^2" in rendered_note("<math><msup><mi>x</mi><mn>2</mn></msup></math>", "https://a.example")


@pytest.mark.parametrize(
    "tex",
    [
        "{" * 5000, "{" * 2000 + "}" * 2000, "\\sqrt" * 990 + " x", "\\left(" * 300, "x^" * 2400, "a" * (LONGEST + 1),
        "\\begin{matrix}" * 300, "\\frac{" * 60 + "a" + "}{b}" * 60, "\\not" * 1000,
        "\\newcommand{\\q}{xxxxxxxxxx}" + "\\q" * 1500, "\\def\\x{\\x\\x}\\x",
    ],
)  # fmt: skip
def test_no_formula_is_too_deep_or_too_large_for_the_converter(tex: str) -> None:
    assert [found for found, _ in maths_of(f'<code class="math">{tex}</code>', 1000).failed] == [tex]


def test_a_formula_of_usual_depth_is_displayed() -> None:
    tex = "{" * (DEEPEST - 1) + "x" + "}" * (DEEPEST - 1)
    assert maths_of(f'<code class="math">{tex}</code>', 1000).failed == []


def test_mathml_beyond_the_limit_of_a_post_is_left_out() -> None:
    html = "".join(f'<code class="math">x_{number}</code>' for number in range(100))
    found = maths_of(html, 1000)
    assert 2 < len(found.mathml) < 50
    assert found.failed[-1] == ("x_99", "there are too many")


@given(st.text("$\\()[]{}`|<> \n\t>-#*_^&=ax15,.:{%}中é\x07", max_size=80))
def test_masked_formulas_are_put_back(body: str) -> None:
    body = body.replace("\x07", "$$\n")
    taken = take_out(body)
    assert taken.as_written(taken.body) == body
    assert taken.body.count("\n") == body.count("\n")
    put_back = unescape(taken.put_back(taken.body))
    assert not set(put_back) & set(map(chr, (4, 5, 6, 7)))
    for formula in taken.formulas:
        assert formula.written == body[formula.start : formula.end]


@given(st.text("\\{}^_&abc1<>\"'%#~ frcsqtex[]()|=+-\n", max_size=60), st.booleans())
def test_mathml_of_any_tex_is_well_formed(tex: str, display: bool) -> None:
    from html import escape

    kind = "math-display" if display else "math"
    for mathml in maths_of(f'<code class="{kind}">{escape(tex, quote=False)}</code>', 100_000).mathml.values():
        assert lxml_html.etree.fromstring(mathml).tag == "math"
