"""Merge tags of mail services are found in any spelling; prose, links and variables are not mistaken for them."""

from __future__ import annotations

import pytest

from publisher.posts.text.merge_tags import foreign_code, shown_prose, with_escapes_shown
from tests.support.posts_samples import rendered, said

TAGS = {
    "Mailchimp": ("*|FNAME|*", "*|EMAIL|*", "*|IF:FNAME|*", "*|LIST:ADDRESS|*", "*|date:Y|*"),
    "Brevo": ("{{ contact.FIRSTNAME }}", "{{ unsubscribe }}", "{FIRSTNAME}", "[UNSUBSCRIBE]"),
    "Mailgun": (
        "%recipient.name%",
        "%recipient_name%",
        "%unsubscribe_url%",
        "%mailing_list_unsubscribe_url%",
        "%tag_unsubscribe_url%",
    ),
    "SendGrid": ("{{first_name}}", "<%asm_group_unsubscribe_raw_url%>", "[%first_name | there%]", "%first_name%"),
    "Salesforce": ("%%FirstName%%", "%%=v(@name)=%%", "{!Contact.FirstName}"),
    "MailerLite": ("{$name}", "{$unsubscribe}"),
    "GetResponse": ("[[firstname]]", "[[email]]"),
    "Mailjet": ('[[data:firstname:"you"]]', "{{var:firstname}}"),
    "ActiveCampaign": ("%FIRSTNAME%", "%LASTNAME%"),
    "Constant Contact": ('[[FIRSTNAME OR "Friend"]]',),
    "Campaign Monitor": ("[firstname,fallback=there]", "[unsubscribe]"),
    "Sendy": ("[Name,fallback=]", "[webversion]"),
    "MailPoet": ("[subscriber:firstname | default:reader]",),
    "AWeber": ("{!firstname_fix}",),
    "Mautic": ("{contactfield=firstname}", "{unsubscribe_text}"),
    "Adobe": (
        "<%= recipient.firstName %>",
        "<% if (a > b) { %>",
    ),
    "Emma": ("[% member:first_name %]",),
    "Braze": ("{{${first_name}}}",),
    "Klaviyo": ("{{ first_name|default:'friend' }}", "{% unsubscribe %}"),
    "listmonk": ("{{ .Subscriber.FirstName }}", "{{ UnsubscribeURL }}"),
    "Zoho": ("$[FIRSTNAME|there]$",),
    "WordPress": (
        '[gallery ids="1,2"]',
        "[gallery ids=1,2]",
        "[/caption]",
        "[youtube https://a.example]",
        '[contact-form-7 id="1"]',
        "[vc_row]",
        "[latest_posts]",
        "[my-table id='3' size=2]",
        "[gallery ids=\u201c1\u201d]",
    ),
    "PHP": ("<?= $name ?>", "<?php echo $name; ?>", "<? name() ?>"),
    "Laravel": ("{!! $name !!}",),
    "FreeMarker": ("<#if name??>", "</#if>"),
}
PROSE = (
    "100% sure, 50% off, 5%% and %d of %s",
    "[a link](https://a.example) and [unsubscribe](https://a.example), [email protected], [1], [x] done",
    "%APPDATA%, %PATH% and %USERPROFILE%",
    "[[A page]] of a wiki, array[first] and {a, b}",
    "*bold* |a|b| ** | **",
    "I {like} it, {name} and [name], [email]",
    "a < b % c > d, <b>x</b> 5% <i>y</i> 6%",
    "## A heading ## and #first",
    "It is 5% of the name, 6% of the unsubscribe rate",
    "A talk [video], [x_i], [see_this](x), photos [gallery], array[i j=\"x\"], [n p=2]",
    "[/s], [see \"this\"](x), [gallery]: x, <?xml ?>",
)  # fmt: skip


@pytest.mark.parametrize("service", TAGS)
def test_the_tags_of_each_service_are_found(service: str) -> None:
    for tag in TAGS[service]:
        assert [found.rstrip("}") for found in foreign_code(f"Dear {tag}, hello")] == [tag.rstrip("}")], tag


@pytest.mark.parametrize("text", PROSE)
def test_prose_has_no_merge_tags(text: str) -> None:
    assert list(foreign_code(text)) == []


def test_a_post_with_merge_tags_has_a_warning_with_their_lines() -> None:
    for tags in TAGS.values():
        for tag in tags:
            messages = said(rendered(f"Text\n\nDear {tag}, hello\n"))
            assert [line for line, message in messages if "shown as is" in message] == [6], (tag, messages)
    assert said(rendered("\n\n".join(f"`{tag}`" for tags in TAGS.values() for tag in tags))) == []


def test_a_shortcode_on_a_line_of_its_own_needs_no_value() -> None:
    assert list(foreign_code("A\n[gallery]\nb [gallery]")) == ["[gallery]"]
    assert [line for line, _ in said(rendered("A [playlist]\n\n[playlist]"))] == [6]


def test_php_in_a_block_is_shown_if_it_has_words_for_readers() -> None:
    result = rendered("<?= $price ?>\n\n<?php f() ?>\n\nB")
    assert result.html.split() == ["<p>&lt;?=", "$price", "?&gt;</p>", "<p>B</p>"]
    assert (
        4,
        "PHP is not run, and is removed or shown as is: <?= $price ?>, <?php f() ?>, on 2 lines up to line 6",
    ) in said(result)


def test_an_escaped_shortcode_is_meant_for_readers() -> None:
    shown = {
        "{{</* cup size=1 */>}}": "{{< cup size=1 >}}",
        "{{%/* note */%}}": "{{% note %}}",
        "{{/* youtube(id=1) */}}": "{{ youtube(id=1) }}",
        "{%/* quote() */%}": "{% quote() %}",
        "{{{< video x >}}}": "{{{< video x >}}}",
    }
    for written, seen in shown.items():
        text = f"title: A\n---\na {written} b {{{{< real >}}}}"
        assert shown_prose(text, text.partition("---")[2]).split() == [
            "title:",
            "A",
            "---",
            "a",
            "b",
            "{{<",
            "real",
            ">}}",
        ]
        assert with_escapes_shown(written).replace("  ", " ") == seen.replace("  ", " ")


def test_a_value_in_jsx_is_not_a_merge_tag() -> None:
    for text in ('<div style={{margin: "auto"}}>', "style={{ 'a': 1, b: 2 }}"):
        assert list(foreign_code(text)) == []
        assert said(rendered(f"{text}x</div>" if text[0] == "<" else f"`{text}`")) == []
    for text in ("<a href={{ site.url }}>", "{{ a | b: c }}"):
        assert list(foreign_code(text)), text
