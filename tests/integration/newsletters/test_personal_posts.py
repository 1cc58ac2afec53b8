"""Posts that are only sent by email can address each subscriber; posts with a page cannot."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from publisher.config import load_config
from publisher.core.errors import PublisherError
from publisher.core.newsletter_models import Letter
from publisher.core.personal_marks import filled
from publisher.posts.archive import open_archive
from publisher.publishing.project_check import check_project
from publisher.publishing.render import EditionRenderer
from publisher.publishing.sample_editions import sample_edition
from tests.support.project import WEEKLY, Project

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
BODY = """\
Hello {{ subscriber.name | default("friend") }}, this is a letter. `{{ subscriber.code }}` stays.

{% if subscriber.plan == "pro" %}

## Pro

{% else %}

Join us. @@publisher-address@@

{% endif %}
"""


def letter_of(project: Project, body: str = BODY, keys: str = "page: false") -> Letter:
    project.write("posts/only.md", f"---\ntitle: Only by email\ndate: 2026-11-29\n{keys}\n---\n{body}")
    config = load_config(project.root, {})
    newsletter = config.newsletters[0]
    archive = open_archive(config, NOW)
    planned = sample_edition(config, newsletter, archive, NOW)
    return EditionRenderer(config, archive).letter(planned, NOW)


def test_a_post_by_email_only_addresses_each_subscriber(project: Project) -> None:
    project.configure('\n[[fields]]\nname = "plan"\n')
    letter = letter_of(project)
    ada, other = (filled(letter.text, person) for person in ({"name": "Ada", "plan": "Pro"}, {}))
    assert "Hello Ada, this is a letter. `{{ subscriber.code }}` stays.\n\nPro\n---\n" in ada
    assert "Join us" not in ada
    assert "Hello friend, this" in other
    assert "Join us. @\u2060@publisher-address@@" in other
    assert filled(letter.preheader, {"name": "Ada"}).startswith("Hello Ada, this is a letter.")
    assert "@@publisher-tag" not in letter.html + letter.text + letter.preheader


PRO = '{% if subscriber.plan == "pro" %}\n\nOnly for pros like {{ subscriber.name | default("you") }}.\n\n'
NOT_PRO = "{% else %}\n\nNot for pros.\n\n{% endif %}\n\n"


def test_the_preheader_of_a_personal_post_reveals_no_values_of_others(project: Project) -> None:
    project.configure('\n[[fields]]\nname = "plan"\n')
    pro, other = {"name": "Ada", "plan": "pro"}, {"name": "Bo"}
    long = "word " * 60
    for body, for_pro, for_other in (
        (f"Intro.\n\n{PRO}{NOT_PRO}", "Intro.", "Intro."),
        (f"Intro.\n\n{PRO}{NOT_PRO}The end.", "Intro. The end.", "Intro. The end."),
        (f"{PRO}{NOT_PRO}The end.", "Only for pros like Ada.", "Not for pros."),
        (f"{PRO}{{% endif %}}\n\nThe end.", "Only for pros like Ada.", "The end."),
        (f"{PRO}{PRO}{NOT_PRO}{{% endif %}}\n\nThe end.", "Only for pros like Ada.", "The end."),
        (f"{PRO}{{% endif %}}", "Only for pros like Ada.", ""),
        ('Hi {% if subscriber.plan == "pro" %}pro{% else %}you{% endif %}.', "Hi pro.", "Hi you."),
    ):
        letter = letter_of(project, body)
        assert [filled(letter.preheader, person) for person in (pro, other)] == [for_pro, for_other], body
        assert f">{for_pro}" in filled(letter.html, pro), body
    letter = letter_of(project, f"{PRO}{long}\n\n{{% else %}}\n\n{long}\n\n{{% endif %}}")
    shown = [filled(letter.preheader, person) for person in (pro, other)]
    assert all(100 < len(each) <= 151 and each.endswith("word…") for each in shown), shown
    for person, begin in zip((pro, other), ("Only for pros like Ada. word", "word word"), strict=True):
        assert filled(letter.preheader, person).startswith(begin)


def test_a_wrong_tag_in_a_personal_post_is_an_error_with_its_line(project: Project) -> None:
    with pytest.raises(PublisherError, match=r"^posts/only\.md:8: there is no field 'nme'"):
        letter_of(project, "One.\n\n{{ subscriber.nme }}\n")


def test_a_wrong_tag_is_reported_once_for_all_newsletters(project: Project) -> None:
    second = WEEKLY.replace('"weekly"', '"other"')
    project.configure(newsletters=WEEKLY + second)
    for name in ("weekly", "other"):
        project.ok("subscribers", "add", "ada@example.org", "--newsletter", name)
    project.write("posts/only.md", "---\ntitle: T\ndate: 2026-11-15\npage: false\n---\n{{ subscriber.nme }}\n")
    for command in (("check",), ("publish", "--dry-run"), ("publish", "--yes")):
        said = project.run(*command).said
        assert said.count("there is no field 'nme'") == said.count("posts/only.md:6") == 1, said


def test_the_title_and_summary_of_a_personal_post_cannot_address_anyone(project: Project) -> None:
    for keys, line, what in (
        ("title: 'For {{ subscriber.name | default(\"you\") }}'\nsummary: For all.", 2, "title"),
        ("title: For all.\nsummary: 'For {{ subscriber.name | default(\"you\") }}.'", 3, "summary"),
        ("title: 'T {% if subscriber.vip %}vip{% endif %}'", 2, "title"),
    ):
        project.write("posts/only.md", f"---\n{keys}\ndate: 2026-11-15\npage: false\n---\nHello.\n")
        problems = check_project(load_config(project.root, {}), NOW, None).problems
        (found,) = [each for each in problems if each.path == "posts/only.md" and each.severity == "error"]
        said = project.run("check").said
        assert said.count("posts/only.md:") == said.count(f"posts/only.md:{line}: ") == 1, said
        assert (found.line, found.message.startswith(f"the {what} of a post can't contain a tag")) == (line, True), (
            found
        )


def test_check_says_where_tags_about_subscribers_work(project: Project) -> None:
    body = "Hello {{ subscriber.name }}.\n\nOn {{ page.title }}\n"
    project.write("posts/only.md", f"---\ntitle: T\ndate: 2026-11-29\n---\n{body}")
    problems = check_project(load_config(project.root, {}), NOW, None).problems
    said = {each.message: each.hint for each in problems if each.path == "posts/only.md"}
    personal, liquid = list(said)
    assert personal.startswith("tags about the subscriber have no effect here, and are shown as they are: {{ subscr")
    assert "only in emails, notes and posts with `page: false`" in said[personal]
    assert liquid == "Liquid is not supported and will be shown as is: {{ page.title }}"


def test_check_warns_about_a_post_that_is_empty_for_some_subscribers(project: Project) -> None:
    project.configure('\n[[fields]]\nname = "plan"\n')
    only, other = '{% if subscriber.plan == "pro" %}', '{% if subscriber.plan != "pro" %}'
    for body, is_empty in (
        (f"{only}\n\nFor pros.\n\n{{% endif %}}", True),
        (f"{only}\n\nFor pros.\n\n{{% else %}}\n\n{{% endif %}}", True),
        (f"{other}\n\nFor others.\n\n{{% endif %}}", True),
        (f"{only}\n\nFor pros.\n\n{{% else %}}\n\nFor others.\n\n{{% endif %}}", False),
        (f"{only}\n\nFor pros.\n\n{{% endif %}}\n\n{other}\n\nFor others.\n\n{{% endif %}}", False),
        (f"All.\n\n{only}\n\nFor pros.\n\n{{% endif %}}", False),
    ):
        project.write("posts/only.md", f"---\ntitle: T\ndate: 2026-11-29\npage: false\n---\n{body}\n")
        letters = check_project(load_config(project.root, {}), NOW, None).letters
        (finding, *more) = [each for each in letters[0].findings if each.code == "post-empty"] or [None]
        assert not more
        if finding:
            assert (finding.where, finding.level) == ("posts/only.md:6", "warning")
        assert (finding is not None) is is_empty, body


def test_a_post_with_a_page_stays_as_typed(project: Project) -> None:
    project.configure(newsletters=WEEKLY + 'content = "full"\n')
    letter = letter_of(project, 'Hello {{ subscriber.name | default("friend") }}.', "tags: [a]")
    assert filled(letter.html, {"name": "Zoe"}) == letter.html
    assert "Hello {{ subscriber.name | default(“friend”) }}." in letter.html
