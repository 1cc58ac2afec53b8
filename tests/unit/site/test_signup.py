"""The sign-up form: what it offers, how it describes schedules, and which pages show it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from publisher.config import NewsletterConfig, parse_schedule
from publisher.config.server import Web
from publisher.core.newsletter_models import Subscription
from publisher.core.templates import Templates
from publisher.site.pages.signup import form_words, how_often, newsletter_offers, sign_up_form
from tests.support.pages_samples import BASE, CONFIG, EDITIONS, LISTED, OPML, plan

SERVED = replace(CONFIG, web=Web(public_url="https://mail.example/letters/"))
TWO = replace(SERVED, newsletters=(*CONFIG.newsletters, NewsletterConfig(name="daily", schedule="daily 07:00")))
FORM = '<form class="reader-form" method="post" action="https://mail.example/letters/subscribe">'


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ("each post", "One email for each new post."),
        ("daily 07:30", "At most one email a day."),
        ("weekdays 07:30", "At most one email each weekday."),
        ("weekly monday 08:00", "At most one email a week."),
        ("weekly monday, thursday 08:00", "At most 2 emails a week."),
        ("biweekly monday 08:00 from 2026-01-05", "At most one email every two weeks."),
        ("monthly 1 09:00", "At most one email a month."),
        ("monthly last friday 09:00", "At most one email a month."),
        ("manual", "An email now and then."),
        ("0 8 * * 1", "At most 5 emails a month."),
        ("0 8 1-7 * *", "At most 7 emails a month."),
        ("0 8 29 2 *", "At most one email a month."),
        ("* * * * *", ""),
    ],
)
def test_a_schedule_is_described_in_words(schedule: str, said: str) -> None:
    often, times = how_often(parse_schedule(schedule))
    words = form_words("en", Templates(Path("none")))
    assert (getattr(words, often).format(count=times) if often else "") == said


def test_there_is_a_form_only_if_an_application_answers() -> None:
    assert sign_up_form(CONFIG) is None
    assert sign_up_form(replace(SERVED, newsletters=())) is None
    form = sign_up_form(SERVED, {"weekly"})
    assert form and form.action == "https://mail.example/letters/subscribe"
    assert [offer.newest for offer in form.offers] == ["editions/weekly/latest/"]


def test_a_new_subscriber_is_offered_the_first_newsletter() -> None:
    def ticked(*held: str) -> list[bool]:
        return [offer.is_chosen for offer in newsletter_offers(TWO, [Subscription(name) for name in held])]

    assert [offer.is_chosen for offer in newsletter_offers(TWO)] == [True, False]
    assert (ticked(), ticked("daily")) == ([False, False], [False, True])


def test_every_entry_page_leads_to_the_form() -> None:
    made = {path: output.make().decode() for path, output in plan(config=SERVED, listed=LISTED, opml=OPML).items()}
    pages = {path: text for path, text in made.items() if path.endswith(".html")}
    assert [path for path, text in pages.items() if 'subscribe/"' not in text] == []
    with_form = {path for path, text in pages.items() if text.count(FORM) == 1}
    assert {"index.html", "subscribe/index.html", "editions/index.html", "editions/weekly/index.html"} <= with_form
    assert {"tags/python/index.html", "2024/11/20/code/index.html", "old/plain.html"} <= with_form
    assert not {path for path, text in pages.items() if text.count("<form") > 1}
    index = pages["index.html"].partition("<form")[2].partition("</form>")[0]
    shown = [name for kind, name in re.findall(r'<input[^>]*type="(\w+)" name="(\w+)"', index) if kind != "hidden"]
    assert shown == ["email", "website"]  # the second field is for robots; people do not see it
    assert '<input type="hidden" name="newsletter" value="weekly">' in index
    assert "<script" not in pages["subscribe/index.html"]


def test_without_a_form_no_page_mentions_it() -> None:
    made = {path: output.make().decode() for path, output in plan(listed=LISTED, opml=OPML).items()}
    assert [path for path, text in made.items() if "<form" in text] == []
    assert '<a href="./feeds/">Feed</a>' in made["index.html"]
    assert 'href="../feeds/"' in made["subscribe/index.html"]


def test_the_first_of_several_newsletters_is_ticked() -> None:
    index = plan(config=TWO)["index.html"].make().decode()
    assert re.findall(r'name="newsletter" value="(\w+)"( checked)?', index) == [("weekly", " checked"), ("daily", "")]
    assert "At most one email a day." in index
    assert ">Read past editions</a>" in index
    assert ">Read past editions</a>" not in plan(config=TWO)["editions/index.html"].make().decode()  # it leads there
    editions = tuple(replace(each, edition=replace(each.edition, newsletter="daily")) for each in EDITIONS)
    daily = plan(config=TWO, editions=editions)["editions/daily/index.html"].make().decode()
    assert re.findall(r'name="newsletter" value="(\w+)"( checked)?', daily) == [("weekly", ""), ("daily", " checked")]


def test_the_page_of_feeds_is_short() -> None:
    text = plan(listed=LISTED, opml=OPML)["feeds/index.html"].make().decode()
    shown = re.sub(r"<details.*?</details>", "", text, flags=re.DOTALL)
    assert (f"{BASE}/feed.xml" in shown, "editions/weekly/feed.xml" in shown, OPML.rpartition("/")[2] in shown) == (
        (True,) * 3
    )
    assert ("tags/python/feed.xml" in shown, "tags/python/feed.xml" in text) == (False, True)


OLD_PAGES = {
    "pages/subscribe.html": '{% extends "shipped/pages/subscribe.html" %}\n{% block explanation %}<p>Mine: '
    "{{ words.subscribe_how }}{{ opml }}{% for group, feeds in groups.items() %}{{ feeds | length }}{% endfor %}</p>"
    "{% endblock %}\n{% block form %}{% if form %}{{ form.action }}{{ say.by_mail }}{% endif %}"
    "{{ super() }}{% endblock %}",
    "pages/base.html": '{% extends "shipped/pages/base.html" %}\n{% block menu %}{{ super() }}'
    '<li><a href="{{ page.root }}subscribe/">{{ words.feed }}</a></li>{% endblock %}',
    "pages/post.html": '{% extends "shipped/pages/post.html" %}\n{% block follow %}<p>My own</p>{{ super() }}'
    "{% endblock %}",
    "web/parts.html": "{% macro offer_boxes(offers, say, told=false) %}{% endmacro %}"
    "{% macro subscribe_form(action, offers, say, language, email='', name='', trouble=false, token='', proof_bits=0, "
    "contact='') %}<form action=\"{{ action }}\">{{ say.name }}{{ offers[0].title }}</form>{% endmacro %}",
}


@pytest.mark.parametrize("config", [CONFIG, SERVED, TWO], ids=["no form", "one newsletter", "two newsletters"])
def test_templates_written_for_earlier_versions_still_work(tmp_path: Path, config: object) -> None:
    for name, text in OLD_PAGES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    made = plan(config=config, templates=Templates(tmp_path), listed=LISTED, opml=OPML)
    assert all(output.make() for output in made.values())
    assert "My own" in made["2024/11/20/code/index.html"].make().decode()
    assert f"{OPML}1" in made["subscribe/index.html"].make().decode()
