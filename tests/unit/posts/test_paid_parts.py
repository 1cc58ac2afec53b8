"""Text that other tools show only to members or paying readers is an error with its line number, and not published."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from publisher.config import Posts, Tool
from publisher.core.errors import PostError
from publisher.newsletters.letter.note import rendered_note
from publisher.posts.markup import BrokenPost, Renderer
from publisher.posts.text.paid_parts import _BRACKET, _MARKS, _SHAPES, paid_part
from tests.support.posts_samples import HELLO, Folder, read

MARKS = (
    "<!--members-only-->",
    "<!-- members-only -->",
    "<!-- Members only -->",
    "<!-- PAYWALL -->",
    "<!-- paywall starts here -->",
    "<!-- begin paid content -->",
    "<!-- for paid subscribers only -->",
    '<!--kg-gated-block:begin nonMember:false memberSegment:"status:-free" -->',
    "<!-- wp:jetpack/paywall /-->",
    "<!-- premium -->",
    "<!--paywall-break-->",
    "[restrict subscription=1]SECRET[/restrict]",
    "[patreon-content]SECRET[/patreon-content]",
    "<!-- wp:premium-content/container -->",
    "[members]",
    "[members]SECRET[/members]",
    "[paid]SECRET[/paid]",
    "[hidden]SECRET[/hidden] [private]SECRET2[/private]",
    '[members_access role="x"]SECRET[/members_access]',
    '[mepr-active membership="1"]SECRET',
    "[s2If current_user_can(x)]SECRET[/s2If]",
    "[paywall]",
    "{% paywall %}",
    "{%- paywall -%}",
    "{% members %}SECRET{% endmembers %}",
    "{% if subscriber.is_paid %}SECRET{% endif %}",
    "{{ paywall }}",
    "{{< paywall >}}",
    "{{< members >}}SECRET{{< /members >}}",
    "{{% members-only %}}",
    "{{#if @member.paid}}SECRET{{/if}}",
    "<Paywall>",
    "<MembersOnly>SECRET</MembersOnly>",
    '<div class="paywall-jump" data-component-name="PaywallToDOM"></div>',
    '<div class="paywall">',
    "<div class='box members-only'>",
    "::: paywall",
    ":::{.members-only}",
    "--- paywall ---",
    "=== PAYWALL ===",
    "[[paywall]]",
    "[//]: # (paywall)",
    "Free words <!--members-only--> and paid",
)
LOOKALIKES = (
    "<!-- more -->",
    "<!--more-->",
    "<!-- members of the team -->",
    "<!-- we should write about the paywall of the Times -->",
    "The [members](m.md) of the club and [members][m]",
    "[paid] in words",
    "The `<!--members-only-->` mark",
    "Use [members]...[/members] there",
    "{{ subscriber.name }}",
    "{% include members.html %}",
    "{% highlight html %}\n<Paywall>x</Paywall>\n{% endhighlight %}",
    "&member;<member>x</member>",
    "{{< members >}}",
    '<!--kg-gated-block:begin nonMember:true memberSegment:"status:free,status:-free" -->',
    "## Paywall",
    "**Members only**",
    "Members only: paywall",
    "- paywall",
    '<div class="paywall-free">',
    '<p class="membership">We are members only for fun</p>',
    "[private] and [hidden] fields",
    "| members | paid |",
    "{% if page.date %}",
)


@pytest.mark.parametrize("is_markdown", [True, False])
def test_each_mark_is_found_in_its_place(is_markdown: bool) -> None:
    for mark in MARKS:
        found = paid_part(f"Free words.\n\n{mark}\n\nPaid words.\n", is_markdown=is_markdown)
        assert found is not None, mark
        assert mark.startswith("Free words ") or found.place == len("Free words.\n\n"), mark


def test_marks_in_code_and_similar_text_are_not_found() -> None:
    for mark in MARKS:
        for code in (f"```\n{mark}\n```", f"`{mark}`", f"    {mark}"):
            assert paid_part(f"Free.\n\n{code}\n\nMore.\n", is_markdown=True) is None, code
    for text in LOOKALIKES:
        assert paid_part(f"Free.\n\n{text}\n\nMore.\n", is_markdown=True) is None, text


def test_a_mark_with_nothing_after_it_hides_nothing() -> None:
    assert paid_part("Free.\n\n<!--members-only-->\n\n", is_markdown=True) is None
    assert paid_part("[members]\n\nx\n\n[Members]: https://a.example", is_markdown=True) is None


def test_a_note_with_a_paid_part_is_an_error() -> None:
    with pytest.raises(PostError, match="members or paying readers") as caught:
        rendered_note("Dear readers,\n\n<!--members-only-->\n\nSECRET", "https://a.example", 5)
    assert caught.value.line == 7


def test_a_field_for_paying_readers_is_reported() -> None:
    for field in ("paid: true", "premium: true", "members_only: true", "paywall: true", "isPaid: true"):
        (problem,) = read(f"---\ntitle: A\n{field}\n---\nText.\n").problems
        assert "hides nothing here" in problem.message, field
    assert read("---\ntitle: A\npaid: false\naccess: public\n---\nText.\n").problems == ()


def test_a_post_with_a_paid_part_is_an_error_and_is_not_published(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(HELLO, "Free words.\n\n<!--members-only-->\n\nSECRET words.\n")
    folder.write("2024-07-07-other.md", "Everybody's words.\n", head="title: Other")
    (problem,) = folder.check()
    assert (problem.path, problem.line, problem.severity.value) == (f"posts/{HELLO}", 6, "error")
    assert "<!--members-only-->" in problem.message
    folder.build()
    public = folder.public()
    assert any(b"Everybody" in content for content in public.values())
    assert [path for path, content in public.items() if b"SECRET" in content or b"Free words" in content] == []


def test_a_paid_part_is_refused_in_posts_of_each_tool(tmp_path: Path) -> None:
    kinds: list[tuple[str, Tool]] = [("md", ""), ("md", "hugo"), ("md", "zola"), ("md", "docusaurus")]
    kinds += [("mdx", "astro"), ("qmd", "quarto"), ("rst", "pelican"), ("html", "")]
    for ending, tool in kinds:
        folder = Folder(tmp_path / f"{tool}{ending}", posts=Posts(tool=tool))
        for number, mark in enumerate(MARKS):
            title = f"T{number}\n====\n\n:date: 2024-07-06\n" if ending == "rst" else f"---\ntitle: T{number}\n---\n"
            folder.write(f"2024-07-06-t{number}.{ending}", f"{title}\nFree words.\n\n{mark}\n\nSECRET {{# x #}}\n", "")
        archive = folder.archive()
        renderer = Renderer(archive, folder.config)
        assert len(archive.posts) == len(MARKS), tool
        for post in archive.posts:
            with pytest.raises(BrokenPost, match="members or paying"):
                renderer.render(post)


def test_a_published_post_keeps_its_last_version_without_the_paid_part(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(HELLO, "Free words.\n")
    folder.build()
    folder.write(HELLO, "Free words.\n\n[members]SECRET words.[/members]\n")
    folder.build()
    pages = [content for path, content in folder.public().items() if path.endswith("hello/index.html")]
    assert len(pages) == 1
    assert b"Free words" in pages[0]
    assert b"SECRET" not in b"".join(folder.public().values())


def test_a_quick_look_overlooks_no_mark() -> None:
    chance = random.Random(4)
    names = (
        "member",
        "members",
        "only",
        "paid",
        "for",
        "restrict",
        "pmpro_x",
        "um_loggedin",
        "user_loggedin",
        "x",
        "hide",
    )
    pieces = (*names, *(name.upper() for name in names), *"[]{}<>%:-=* _#/!\n", "--", "[", "[", "]", "]", "comment]:")
    seen = 0
    for _ in range(20_000):
        text = "".join(chance.choices(pieces, k=6))
        if _MARKS.search(text):
            seen += 1
            assert _SHAPES.are_in(text) or _BRACKET.search(text), text
    assert seen > 100
