"""A version of an edition for each selection of topics, from the command line to the outbox."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import combinations
from typing import Any

import pytest

from publisher.core.newsletter_models import Edition, Subscription
from publisher.publishing.edition_plan import PlannedEdition
from publisher.publishing.publish import RENDERED_AGAIN, compose_plan, create_editions
from publisher.publishing.wiring import Project as OpenProject
from publisher.publishing.wiring import open_project_store
from publisher.store import Store
from publisher.store.audience import ChoicesChangedError
from publisher.store.subscriber_records import NewSubscriber
from tests.support.project import MONDAY, Project

NOW = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)


def join(project: Project, name: str, *topics: str) -> None:
    """Add a subscriber with these topics."""
    words = [word for topic in topics for word in ("--topic", topic)]
    project.ok("subscribers", "add", f"{name}@example.org", "--newsletter", "weekly", *words)


def subjects(project: Project) -> dict[str, list[str]]:
    """Return the subjects of each subscriber's messages."""
    mail = project.mail()
    return {address.partition("@")[0]: [str(m["Subject"]) for m in mail[address]] for address in sorted(mail)}


def titles_in(message: Any, titles: list[str]) -> tuple[list[str], list[str]]:
    """Return which of the titles are in a message's text and HTML, in the order found."""
    found = []
    for kind in ("plain", "html"):
        content = message.get_body((kind,)).get_content().replace("\n", " ")
        found.append(list(dict.fromkeys(re.findall("|".join(titles), content))))
    return found[0], found[1]


def test_fifty_selections_become_fifty_versions(
    project: Project,
) -> None:
    newsletter = '\n[[newsletters]]\nname = "weekly"\nschedule = "weekly monday 08:00"\nfirst = 20\nmaximum = 20\n'
    project.configure(newsletters=newsletter)
    for name in ("first", "second", "third"):
        (project.root / f"posts/{name}.md").unlink()
    tags = {f"Story{n:02}x": {f"t{n % 12}", f"t{(n * 5 + 1) % 12}"} for n in range(20)}
    for n, (title, names) in enumerate(tags.items()):
        project.post(title.lower(), f"2026-10-{n + 1:02}", title=title, tags=f"[{', '.join(sorted(names))}]")
    choices = list(combinations([f"t{n}" for n in range(12)], 2))[:50]
    people = {f"reader{n}@example.org": choices[n % 50] for n in range(200)} | {"all@example.org": ()}
    with open_project_store(project.config()) as store:
        new = [NewSubscriber(a, subscriptions=(Subscription("weekly", topics),)) for a, topics in people.items()]
        store.subscribers.add_many(new, at=NOW, source="test")

    (edition,) = project.ok("publish", "--json").json["editions"]
    assert edition["deliveries"] == {"sent": 201}
    facts = project.ok("editions", "show", "1", "--json").json
    assert len(facts["letters"]) == 51
    assert sorted(each["messages"] for each in facts["letters"]) == [1] + [4] * 50

    mail = project.mail()
    assert mail.keys() == people.keys()
    newest_first = list(reversed(tags))
    for address, topics in people.items():
        due = [title for title in newest_first if not topics or tags[title] & set(topics)]
        (message,) = mail[address]
        text, html = titles_in(message, newest_first)
        assert text == html == due
        assert message["Subject"] == f"{due[0]} and {len(due) - 1} more"


def test_a_dry_run_shows_every_version(project: Project) -> None:
    join(project, "ada")
    join(project, "bob", "Reading")
    join(project, "cem", "reading", "fish")
    join(project, "dee", "fish")
    said = project.ok("publish", "--dry-run")
    assert said.out.splitlines()[1:] == [
        "weekly 2026-W47, no. 1: 'Third and 2 more' would go to 3 subscribers (.publisher/outbox/)",
        "  2026-11-15  Third",
        "  2026-11-09  Second",
        "  2026-11-02  First",
        "  the first edition; its oldest post is from 2026-11-02 (see `since`)",
        "Topics\tPosts\tSubscribers\tSubject",
        "all topics\t3\t1\tThird and 2 more",
        "fish\t0\t1\tnot sent",
        "fish, reading\t2\t1\tSecond and 1 more",
        "reading\t2\t1\tSecond and 1 more",
    ]
    (facts,) = project.ok("publish", "--dry-run", "--json").json
    assert (facts["recipients"], facts["unmatched"]) == (3, 1)
    assert [(each["topics"], len(each["posts"]), each["subscribers"]) for each in facts["letters"]] == [
        ([], 3, 1),
        (["fish"], 0, 1),
        (["fish", "reading"], 2, 1),
        (["reading"], 2, 1),
    ]
    assert "today: 3 posts to 3 subscribers; no post matches the topics of the others" in project.ok("status").out
    assert project.ok("status", "--json").json["newsletters"][0]["would_reach"] == 3

    done = project.ok("publish")
    assert "  3 posts; 3 messages sent, skipped 1 subscriber: no post matches their topics\n" in done.out
    assert subjects(project) == {
        "ada": ["Third and 2 more"],
        "bob": ["Second and 1 more"],
        "cem": ["Second and 1 more"],
    }
    shown = project.ok("editions", "show", "1").out
    assert "all topics\t1\tThird and 2 more\nfish,reading\t1\tSecond and 1 more\nreading\t1\tSecond" in shown
    text = project.ok("editions", "show", "1", "--variant", "reading", "--text").out
    assert "All about second" in text
    assert "All about third" not in text
    assert project.run("editions", "show", "1", "--variant", "fish").err == (
        "error: edition 1 has no version for 'fish' (`publisher editions show 1` lists its versions)\n"
    )


def test_a_sent_post_is_not_sent_later(project: Project) -> None:
    join(project, "ada")
    join(project, "bob", "reading")
    project.ok("publish")
    project.post("fourth", "2026-11-17", tags="[Reading, R&D]")
    project.ok("publish", now="2026-11-23T10:00")
    assert subjects(project) == {"ada": ["Third and 2 more", "Fourth"], "bob": ["Second and 1 more", "Fourth"]}


def test_the_web_version_has_all_topics(project: Project) -> None:
    join(project, "bob", "reading")
    project.ok("publish")
    assert subjects(project) == {"bob": ["Second and 1 more"]}
    (edition,) = project.ok("editions", "--json").json
    assert (edition["subject"], len(edition["posts"])) == ("Third and 2 more", 3)
    (copy,) = [path for path in project.files() if re.fullmatch(r"editions/weekly/2[^/]+/index\.html", path)]
    page = project.read(f"public/{copy}")
    assert all(f"All about {name}" in page for name in ("first", "second", "third"))


def test_an_edition_can_match_no_one(project: Project) -> None:
    join(project, "dee", "fish")
    assert "'Third and 2 more' would go to 0 subscribers" in project.ok("publish", "--dry-run").out
    ran = project.ok("publish")
    assert "3 posts; 0 messages sent, skipped 1 subscriber: no post matches their topics" in ran.out
    assert project.mail() == {}
    assert "weekly: no new posts" in project.ok("publish").out
    project.subscribe("ada")
    assert project.ok("publish", "--json").json["editions"] == []


def test_the_subject_of_a_note_is_used_in_every_version(project: Project) -> None:
    join(project, "ada")
    join(project, "bob", "reading")
    note = "---\nsubject: '{first} leads {count}'\n---\nDear readers, *hello*.\n"
    project.write("letters/weekly/2026-W47.md", note)
    project.ok("publish")
    assert subjects(project) == {"ada": ["Third leads 3"], "bob": ["Second leads 2"]}
    for message in (messages[0] for messages in project.mail().values()):
        assert "Dear readers," in message.get_body(("plain",)).get_content()


def test_the_preheader_follows_the_first_post(project: Project) -> None:
    join(project, "ada")
    join(project, "bob", "reading")
    project.ok("publish")
    with open_project_store(project.config()) as store:
        preheaders = {letter.variant: letter.preheader for letter in store.editions.letters(1)}
    assert preheaders.keys() == {"", "reading"}
    assert "third" in preheaders[""]
    assert "second" in preheaders["reading"]


def test_each_post_goes_to_matching_topics(project: Project) -> None:
    project.configure(newsletters='\n[[newsletters]]\nname = "weekly"\nschedule = "each post"\nfirst = 3\n')
    join(project, "ada")
    join(project, "bob", "reading")
    join(project, "cem", "r_and_d", "日本語")
    join(project, "dee", "fish")
    made = project.ok("publish", "--json").json["editions"]
    assert [(e["subject"], e["deliveries"], e["unmatched"]) for e in made] == [
        ("First", {"sent": 2}, 2),
        ("Second", {"sent": 3}, 1),
        ("Third", {"sent": 2}, 2),
    ]
    assert {name: sorted(found) for name, found in subjects(project).items()} == {
        "ada": ["First", "Second", "Third"],
        "bob": ["First", "Second"],
        "cem": ["Second", "Third"],
    }
    for number in (1, 2, 3):  # its recipients get the whole edition, so one version is enough
        assert [x["variant"] for x in project.ok("editions", "show", str(number), "--json").json["letters"]] == [""]


def test_a_test_email_can_have_topics(project: Project) -> None:
    project.ok("publish", "--to", "me@example.net", "--topic", "READING")
    (message,) = project.mail()["me@example.net"]
    text = message.get_body(("plain",)).get_content()
    assert message["Subject"].startswith("[Test] ")
    assert "All about second" in text
    assert "All about third" not in text
    ran = project.run("publish", "--to", "me@example.net", "--topic", "fish", "--topic", "sea")
    assert ran.code == 1
    assert ran.err.startswith("error: no post of weekly's next edition has any of these topics: fish, sea")
    assert project.run("publish", "--topic", "fish").code == 2


@pytest.mark.parametrize("variant", ["fish,reading", "reading,fish", "READING, Fish", " reading ,fish,"])
def test_topics_can_be_given_in_any_order(project: Project, variant: str) -> None:
    join(project, "cem", "reading", "fish")
    project.ok("publish")
    ran = project.ok("editions", "show", "1", "--variant", variant, "--json")
    assert (ran.err, ran.json["variant"]) == ("", "fish,reading")
    assert "All about third" not in ran.json["text"]


def test_matching_every_post_means_all_topics(project: Project) -> None:
    for name, tag in (("first", "maps"), ("second", "birds"), ("third", "Maps")):
        project.post(name, "2026-11-02", title=name.title(), tags=f"[{tag}]")
    join(project, "ada", "birds", "maps")
    project.ok("publish")
    ran = project.ok("editions", "show", "1", "--variant", "Maps,birds", "--json")
    assert ran.err == "every post has one of these topics: birds, maps; this is the version for all topics\n"
    assert (ran.json["variant"], ran.json["letters"][0]["messages"]) == ("", 1)
    assert project.run("editions", "show", "1", "--variant", "maps").code == 1


def test_two_test_emails_are_two_messages(project: Project) -> None:
    for topic in ("reading", "READING", "fish"):
        project.ok("publish", "--to", "me@example.net", "--topic", "reading", "--topic", topic)
    copies = project.mail()["me@example.net"]
    assert len({str(message["Message-ID"]) for message in copies}) == len(copies) == 3


def test_spellings_of_a_topic_share_a_version(project: Project) -> None:
    rows = ["email,newsletters,topics", "a@example.org,weekly,READING", "b@example.org,weekly,reading"]
    project.write("people.csv", "\n".join(rows) + "\n")
    project.ok("subscribers", "import", str(project.root / "people.csv"))
    project.ok("publish")
    letters = project.ok("editions", "show", "1", "--json").json["letters"]
    assert [(each["variant"], each["messages"]) for each in letters] == [("", 0), ("reading", 2)]


def add(store: Store, name: str, *topics: str) -> None:
    wish = Subscription("weekly", topics)
    store.subscribers.add(NewSubscriber(f"{name}@example.org", subscriptions=(wish,)), at=NOW, source="test")


def test_topics_chosen_meanwhile_are_rendered(project: Project) -> None:
    join(project, "ada")
    config = project.config()
    with open_project_store(config) as store:
        plan, drafts = compose_plan(config, store, (), NOW)
        add(store, "bob", "reading")
        add(store, "dee", "fish")
        ((planned, edition),) = create_editions(OpenProject(config, store, lambda: NOW), plan, drafts, NOW)
        assert store.deliveries.by_variant(edition.id) == {"": 1, "reading": 1}
        assert (planned.recipients, planned.unmatched) == (2, 1)
    project.ok("publish", now=MONDAY)
    assert subjects(project) == {"ada": ["Third and 2 more"], "bob": ["Second and 1 more"]}


class Restless:
    """A store in which someone changes topics whenever an edition is about to be written."""

    def __init__(self, store: Store, times: int) -> None:
        self.store, self.left, self.subscribers, self.editions = store, times, store.subscribers, self

    def create(self, draft: Any) -> Any:
        """Add one more subscriber, then write the edition."""
        if self.left:
            self.left -= 1
            add(self.store, f"reader{self.left}", f"topic-{self.left}")
        return self.store.editions.create(draft)

    def __getattr__(self, name: str) -> Any:
        """Return any other attribute of the store or of its editions."""
        return getattr(self.store if hasattr(self.store, name) else self.store.editions, name)


def restless(project: Project, times: int) -> list[tuple[PlannedEdition, Edition]]:
    """Create the edition of a project while subscribers change their topics this many times."""
    config = project.config()
    with open_project_store(config) as store:
        plan, drafts = compose_plan(config, store, (), NOW)
        restless: Any = Restless(store, times)
        return create_editions(OpenProject(config, restless, lambda: NOW), plan, drafts, NOW)


def test_an_edition_is_rendered_again_as_allowed(project: Project) -> None:
    join(project, "ada")
    ((planned, _),) = restless(project, RENDERED_AGAIN)
    assert planned.unmatched == RENDERED_AGAIN


def test_ever_changing_topics_stop_the_edition(project: Project) -> None:
    join(project, "ada")
    with pytest.raises(ChoicesChangedError, match="weekly 2026-W47"):
        restless(project, RENDERED_AGAIN + 1)
    assert project.ok("editions", "--json").json == []
    project.ok("publish")
    assert subjects(project) == {"ada": ["Third and 2 more"]}
