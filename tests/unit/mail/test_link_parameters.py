"""Links to the owner's site get query parameters, and no other links do."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from publisher.core.newsletter_models import Letter, Mark
from publisher.mail.link_parameters import LinkParameters
from publisher.mail.message import MessageTemplate, NewsletterHeaders, Recipient

SITE = "https://example.org/blog"
KEPT = (f"{SITE}/editions/", "https://example.org/blog/unsubscribe/")
UTM = LinkParameters.of("utm_source={newsletter}&utm_campaign={slot}", "news", "post:tag:a/b", site=SITE, kept=KEPT)
ADDED = "utm_source=news&utm_campaign=post-tag-a-b"


@pytest.mark.parametrize(
    ("url", "becomes"),
    [
        (f"{SITE}/a/", f"{SITE}/a/?{ADDED}"),
        (SITE, f"{SITE}?{ADDED}"),
        ("HTTP://EXAMPLE.org/blog/a/", f"HTTP://EXAMPLE.org/blog/a/?{ADDED}"),
        (f"{SITE}/a/#part", f"{SITE}/a/?{ADDED}#part"),
        (f"{SITE}/a/?", f"{SITE}/a/?{ADDED}"),
        (f"{SITE}/a/?x=1&y#part?z", f"{SITE}/a/?x=1&y&{ADDED}#part?z"),
        (f"{SITE}/a/?utm_source=mine", f"{SITE}/a/?utm_source=mine&utm_campaign=post-tag-a-b"),
        (f"{SITE}/a/?{ADDED}", None),
        (f"{SITE}/editions/news/2026-W47/", None),
        (f"{SITE}/unsubscribe/token", None),
        (f"{SITE}/feed.xml", None),
        ("https://example.org/blogs/a/", None),
        ("https://example.org/", None),
        ("https://example.org.evil.example/blog/", None),
        ("https://elsewhere.example/?u=https://example.org/blog/", None),
        ("mailto:a@example.org", None),
        ("#part", None),
        (Mark.UNSUBSCRIBE, None),
    ],
)
def test_only_links_to_pages_of_the_site_get_parameters(url: str, becomes: str | None) -> None:
    assert UTM.on(url) == (becomes or url)
    assert UTM.on(UTM.on(url)) == UTM.on(url)


def test_links_in_both_parts_get_parameters_and_texts_do_not() -> None:
    html = (
        f'<p><a href="{SITE}/a/?x=1&amp;y=2">A</a> {SITE}/a/?x=1&amp;y=2 <img src="{SITE}/a.png">'
        f'<a href="https://else.example/">B</a> <a href="{Mark.UNSUBSCRIBE}">C</a></p>'
    )
    text = f"A [1], {SITE}/b/\n\n[1] {SITE}/a/?x=1&y=2. (https://else.example/)\n{Mark.UNSUBSCRIBE}\n"
    in_html, in_text = UTM.in_letter(Letter("", "S", "", html, text))
    assert in_html == html.replace('y=2">', f'y=2&amp;{ADDED.replace("&", "&amp;")}">')
    assert in_text == text.replace("y=2.", f"y=2&{ADDED}.")
    assert LinkParameters(site=SITE).in_letter(Letter("", "S", "", html, text)) == (html, text)


def test_a_message_contains_the_parameters() -> None:
    letter = Letter("", "S", "", f'<a href="{SITE}/a/">A</a>', f"{SITE}/a/\n")
    headers = NewsletterHeaders("News", "news@example.org", "news.example.org", links=UTM)
    template = MessageTemplate.of(letter, headers, datetime(2026, 11, 21, tzinfo=UTC))
    message = template.join(Recipient("a@example.org", "", "<1@example.org>", "https://x/u", "https://x/p"))
    body = message.replace(b"=\r\n", b"")
    assert body.count(b"/a/?utm_source=3Dnews&utm_campaign=3Dpost") == 1
    assert body.count(b"/a/?utm_source=3Dnews&amp;utm_campaign=3Dpost") == 1
