"""A newsletter with a new name: no subscriber is lost silently, and one command moves everything."""

from __future__ import annotations

from publisher.store import Store
from tests.support.project import WEEKLY, Project
from tests.support.store_samples import NOW, add_people, draft, later, person
from tests.support.web_client import link_in, web_client

NEWS = WEEKLY.replace('"weekly"', '"news"', 1)
CHOICES = {("ruby",): "", ("go",): ""}


def test_everything_moves_to_the_new_name(store: Store) -> None:
    add_people(store, 3)
    store.subscribers.add_many([person("both@example.org", "weekly", topics=("ruby",))], at=NOW, source="test")
    store.subscribers.add_many([person("both@example.org", "news", topics=("go",))], at=NOW, source="test")
    store.subscribers.add_many([person("other@example.org", "daily")], at=NOW, source="test")
    for slot, number in (("2026-W46", 1), ("2026-W47", 2)):
        assert store.editions.create(draft(slot, number=number, variants=CHOICES))
    store.editions.pass_over("weekly", ["old"])
    assert store.editions.create(draft("2026-W47", newsletter="news", posts=(), variants=CHOICES))
    store.newsletters.see("weekly", "monday", NOW)
    handled = store.editions.handled_posts("weekly")
    for dry_run in (True, False):
        done = store.newsletters.rename("weekly", "news", later(days=1), "test", dry_run=dry_run)
        assert (done.readers, done.both, done.editions, done.clashes) == (4, 1, 1, 1)
        left = {"daily": 1, "weekly": 4, "news": 1} if dry_run else {"daily": 1, "news": 4}
        assert store.statistics.by_newsletter() == left
    assert store.editions.slots("news") == {"2026-W46", "2026-W47"}
    assert (store.editions.handled_posts("news"), store.editions.handled_posts("weekly")) == (handled, frozenset())
    assert (store.newsletters.find("weekly"), store.newsletters.find("news").since) == (None, NOW)
    both = store.subscribers.get("both@example.org")
    assert [(wish.newsletter, wish.topics) for wish in both.subscriptions] == [("news", ("go",))]
    events = store.subscribers.consent(store.subscribers.get("reader0@example.org").id)
    assert [(each.what, each.detail, each.at) for each in events][-1:] == [("renamed", "weekly news", later(days=1))]
    others = store.subscribers.consent(store.subscribers.get("other@example.org").id)
    assert "renamed" not in [each.what for each in others]
    again = store.newsletters.rename("weekly", "news", later(days=1), "test")
    assert (again.readers, again.editions, again.clashes) == (0, 0, 1)


def test_status_reports_subscribers_left_behind(
    project: Project,
) -> None:
    project.configure(newsletters=WEEKLY)
    project.subscribe("ada", "ben")
    project.ok("publish", "--yes")
    project.configure(newsletters=NEWS)
    told = "2 subscribers of weekly, which is not a newsletter in publisher.toml"
    command = "publisher subscribers rename-newsletter weekly news"
    for asked in ("check", "status"):
        said = project.run(asked).out
        assert told in said
        assert command in said
    assert project.ok("status", "--json").json["orphaned"][0]["readers"] == 2
    assert "still a newsletter" in project.run("subscribers", "rename-newsletter", "news", "news").err
    assert project.run("subscribers", "rename-newsletter", "weekly", "wekly").code == 1
    assert project.run("subscribers", "rename-newsletter", "none", "news").code == 1
    words = ("subscribers", "rename-newsletter", "weekly", "news")
    assert project.ok(*words, "--dry-run").out == "2 subscribers and 1 edition would be moved from weekly to news\n"
    assert told in project.ok("status").out
    assert project.ok(*words).out == "2 subscribers and 1 edition moved from weekly to news\n"
    assert "subscribed to weekly" not in project.ok("status").out + project.run("check").out
    before = {name: len(mails) for name, mails in project.mail().items()}
    project.ok("publish", "--yes", "--extra")
    assert {name: len(mails) for name, mails in project.mail().items()} == before


def test_an_old_unsubscribe_link_still_works(project: Project) -> None:
    with web_client(project, newsletters=WEEKLY) as web:
        project.subscribe("ada", "ben")
        project.ok("publish", "--yes")
        link = link_in(project.mail()["ada@example.org"][0], "unsubscribe")
    project.configure(newsletters=NEWS)
    project.ok("subscribers", "rename-newsletter", "weekly", "news")
    with web_client(project, newsletters=NEWS) as web:
        moved = web.url + "/unsubscribe/" + link.rpartition("/")[2]
        assert web.client.post(moved, data={"List-Unsubscribe": "One-Click"}).status_code == 200
        names = {who: web.show(f"{who}@example.org")["subscriptions"] for who in ("ada", "ben")}
        assert [len(names[who]) for who in ("ada", "ben")] == [0, 1]


def test_an_old_confirmation_link_still_works(project: Project) -> None:
    with web_client(project, newsletters=WEEKLY) as web:
        assert web.ask("eve@example.org").status_code == 200
        (mail,) = web.mails("eve@example.org")
        token = link_in(mail, "confirm").rpartition("/")[2]
        project.subscribe("ada")
    project.configure(newsletters=NEWS)
    project.ok("subscribers", "rename-newsletter", "weekly", "news")
    with web_client(project, newsletters=NEWS) as web:
        page = web.get(f"/confirm/{token}")
        assert page.status_code == 200
        assert 'value="news"' in page.text


def test_renaming_a_newsletter_subscribes_no_one_again(store: Store) -> None:
    """Renaming subscribes no one again who unsubscribed under the old name or under the new name."""
    people = [person(f"{who}@example.org", "weekly", "news") for who in ("new", "old")]
    store.subscribers.add_many([*people, person("both@example.org", "weekly", "daily")], at=NOW, source="test")
    store.subscribers.remove("new@example.org", "news", at=later(days=1), source="test")
    store.subscribers.remove("old@example.org", "weekly", at=later(days=1), source="test")
    store.subscribers.remove("both@example.org", "weekly", at=later(days=1), source="test")
    for dry_run in (True, False):
        done = store.newsletters.rename("weekly", "news", later(days=2), "test", dry_run=dry_run)
        assert (done.readers, done.both, done.left, done.ended) == (0, 0, 1, 1)
    statuses = {one.address.partition("@")[0]: one for one in store.subscribers.list()}
    assert {who: (one.status, one.status_in("news")) for who, one in statuses.items()} == {
        "new": ("unsubscribed", "unsubscribed"),
        "old": ("active", "active"),
        "both": ("active", "unsubscribed"),
    }
    assert store.statistics.by_newsletter() == {"news": 1, "daily": 1}
    assert store.subscribers.add(person("both@example.org", "news"), at=later(days=3), source="x") == "unsubscribed"
