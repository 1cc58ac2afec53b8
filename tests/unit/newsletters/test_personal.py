"""Tags about the subscriber in a text: which are accepted, which are refused, and what each recipient sees."""

from __future__ import annotations

import pytest

from publisher.core.errors import PublisherError
from publisher.core.personal_marks import filled, for_everyone, holds, surely_has, unsealed, without_lone_lines
from publisher.core.subscriber_fields import FieldKind
from publisher.newsletters.letter.personal import line_before, marked, rendered

KNOWN = {
    "plan": FieldKind.TEXT,
    "points": FieldKind.NUMBER,
    "vip": FieldKind.YES_NO,
    "born": FieldKind.DATE,
}
ADA = {"name": "Ada", "address": "ada@example.org", "plan": "Pro", "points": 10.0, "vip": True, "born": "1990-02-03"}
IF_PRO = '{% if subscriber.plan == "pro" %}'

# (text, what Ada sees, what a subscriber with only an address sees)
READ = [
    ('Hello {{ subscriber.name | default("friend") }}!', "Hello Ada!", "Hello friend!"),
    ("Hello {{subscriber.name|default('friend', true)}}!", "Hello Ada!", "Hello friend!"),
    ("Hello {{ subscriber.name | default(“friend”) }}!", "Hello Ada!", "Hello friend!"),
    ('{{- subscriber.name | default("") -}}', "Ada", ""),
    ("{{ subscriber.address }}", "ada@example.org", "someone@example.org"),
    ('{{ subscriber.points | default("no") }} points', "10 points", "no points"),
    ("{{ subscriber.points | default(0) }} points", "10 points", "0 points"),
    ('{{ subscriber.born | default("?") }}', "3 February 1990", "?"),
    (f"{IF_PRO}A{{% else %}}B{{% endif %}}", "A", "B"),
    ('{% if "PRO" == subscriber.plan %}A{% endif %}', "A", ""),
    ('{% if subscriber.plan != "pro" %}A{% endif %}', "", "A"),
    ("{% if subscriber.vip %}A{% endif %}{% if subscriber.vip == false %}B{% endif %}", "A", ""),
    ("{% if not subscriber.vip %}A{% endif %}", "", "A"),
    ("{% if subscriber.points >= 10 and not (subscriber.points > 10) %}A{% endif %}", "A", ""),
    ("{% if 10 < subscriber.points or subscriber.born < '2000-01-01' %}A{% endif %}", "A", ""),
    ("{% if subscriber.points < 5 %}A{% elif subscriber.vip %}B{% else %}C{% endif %}", "B", "C"),
    ("{% if subscriber.name %}Dear {{ subscriber.name }}{% else %}Hello{% endif %}", "Dear Ada", "Hello"),
    ("{% if not subscriber.name %}Hello{% else %}Dear {{ subscriber.name }}{% endif %}", "Dear Ada", "Hello"),
    (f"{IF_PRO}{{{{ subscriber.plan }}}}{{% if subscriber.vip %}}!{{% endif %}}{{% endif %}}", "Pro!", ""),
    ("`{{ subscriber.what }}` and {{ other.name }}", "`{{ subscriber.what }}` and {{ other.name }}", None),
    ("{% if page %}{% endif %} {{ subscribers }}", "{% if page %}{% endif %} {{ subscribers }}", None),
    ("```\n{% if subscriber.x %}\n```", "```\n{% if subscriber.x %}\n```", None),
]

# (text, the error's message, its line)
REFUSED = [
    ("\n{{ subscriber.nme }}", "there is no field 'nme' (did you mean subscriber.name?)", 2),
    ("{{ subscriber.email }}", "did you mean subscriber.address?", 1),
    ("{{ subscriber.zzz }}", "add it to [[fields]] in publisher.toml, or use subscriber.address", 1),
    ("{{ subscriber.name }}", "doesn't say what to show subscribers without name", 1),
    ("{% if subscriber.plan %}{{ subscriber.name }}{% endif %}", "subscribers without name", 1),
    ("{% if subscriber.name %}A{% else %}{{ subscriber.name }}{% endif %}", "subscribers without name", 1),
    ("{{ subscriber.vip }}", "is yes or no, which can't be shown", 1),
    ("{{ subscriber.name | upper }}", "'upper' can't follow |", 1),
    ("{{ subscriber.name | default }}", "default needs a text", 1),
    ('{{ subscriber.name | default("a") }} {{ subscriber.name', "is not closed", 1),
    ("{{ subscriber }}", "is not a field of the subscriber", 1),
    ("{{ subscriber.name + 1 }}", "isn't understood", 1),
    ("{% for x in subscriber.name %}", "{% for %} can't be used here", 1),
    ("a\n\n{% if subscriber.plan %}\n", "{% if %} is not closed", 3),
    ("{% if subscriber.plan %}{% else %}{% else %}{% endif %}", "{% else %} twice", 1),
    ("{% if subscriber.plan %}{% else %}{% elif subscriber.vip %}{% endif %}", "follows {% else %}", 1),
    ('{% if subscriber.plan = "pro" %}{% endif %}', "write ==", 1),
    ('{% if subscriber.plan > "pro" %}{% endif %}', "is text, which has no >", 1),
    ("{% if subscriber.plan == 5 %}{% endif %}", "is text, but is compared with 5", 1),
    ('{% if subscriber.points == "x" %}{% endif %}', "is a number, but is compared with 'x'", 1),
    ('{% if subscriber.born < "1.1.2000" %}{% endif %}', 'such as "2026-11-29"', 1),
    ("{% if subscriber.vip == 1 %}{% endif %}", "compare it with true or false", 1),
    ("{% if subscriber.plan and %}{% endif %}", "is not a field of the subscriber", 1),
    ("{% if (subscriber.plan %}{% endif %}", "a bracket is not closed", 1),
    (f"{{% if {'(' * 20}subscriber.plan{')' * 20} %}}{{% endif %}}", "more than 10 pairs of brackets", 1),
    ("{% if subscriber.vip %}" * 40, "more than 30 conditions are nested", 1),
    ('{{ subscriber.name | default("") }}' * 600, "more than 500 tags", 1),
    (f"{{{{ subscriber.name | default('{'x' * 600}') }}}}", "more than 500 characters", 1),
    ("[x]: {{ subscriber.plan | default('x') }}", "a link can't begin with", 1),
    ("[x]({{ subscriber.plan | default('x') }})", "a link can't begin with", 1),
    ("<a href='{{ subscriber.plan | default(\"x\") }}'>x</a>", "a link can't begin with", 1),
]


def test_each_recipient_sees_their_own_values():
    for typed, ada, other in READ:
        text = unsealed(marked(typed, KNOWN, "note.md", language="en-GB"))
        assert filled(text, ADA) == ada, typed
        assert filled(text, {"address": "someone@example.org"}) == (ada if other is None else other), typed


def test_a_wrong_tag_is_reported_in_one_line_with_its_place():
    for typed, message, line in REFUSED:
        with pytest.raises(PublisherError) as error:
            marked(typed, KNOWN, "letters/weekly/note.md", first_line=10)
        assert message in str(error.value), typed
        assert error.value.where == f"letters/weekly/note.md:{9 + line}", typed
        assert "\n" not in str(error.value)


def test_text_like_a_mark_stays_text():
    forged = unsealed(marked('{{ subscriber.plan | default("x") }}', KNOWN, "a.md"))
    text = unsealed(marked(f"{forged} @@publisher-name@@", KNOWN, "a.md"))
    assert filled(text, ADA) == text != forged
    assert "Pro" not in for_everyone(text)


def test_conditions_on_their_own_lines_enclose_paragraphs_and_keep_the_lines():
    text = unsealed(marked(f"one\n{IF_PRO}\n## Pro\n{{% endif %}}\nlast", KNOWN, "a.md"))
    assert [line_before(text, 1 + text.split("\n").index(line)) for line in ("one", "## Pro", "last")] == [1, 3, 5]
    assert without_lone_lines(filled(text, ADA)).split() == ["one", "##", "Pro", "last"]


def test_a_condition_that_cuts_through_elements_is_refused():
    begin, end = marked(f"{IF_PRO}A{{% endif %}}", KNOWN, "a.md").split("A")
    for html in (f"<p>{begin}a</p>{end}", f"<p>{begin}a</p><p>b{end}</p>", f"<ul>{begin}<li>a{end}</li></ul>", begin):
        with pytest.raises(PublisherError, match=r"^a.md: .* different parts of the text"):
            rendered(html, lambda: "a.md")
    for html in (f"{begin}<p>a</p>{end}", f'<a href="{begin}x{end}">{begin}<b>a</b>{end}</a>', "<p>a</p>"):
        assert rendered(html, lambda: "a.md") == html
    assert rendered(f"<p>{begin}</p>\n<p>a</p>\n<p>{end}</p>", str) == f"{begin}<p>a</p>\n{end}"


def test_rules_compare_values_of_one_kind_only():
    for value in ("10", True, None):
        assert not holds(("is", "points", ">=", 10), {"points": value})
        assert holds(("is", "points", "!=", 10), {"points": value})
    assert holds(("is", "points", "<=", 10), {"points": 10.0})
    assert surely_has(("and", ("has", "a"), ("not", ("is", "b", "!=", 1)))) == {"a", "b"}
    assert surely_has(("or", ("has", "a"), ("has", "b"))) == frozenset()
