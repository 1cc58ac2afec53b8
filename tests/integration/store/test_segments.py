"""Segments in the database: who is in them, and the saved ones."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from publisher.core.newsletter_models import Subscriber, SubscriberStatus
from publisher.core.segment_language import parse
from publisher.core.subscriber_fields import encode_fields
from publisher.core.subscription_status import SubscriptionEvent, SubscriptionStatus
from publisher.store import Store
from publisher.store.subscriber_records import address_key, encode_topics
from publisher.store.tables import consent_events, subscriber_tags, subscribers, subscriptions
from tests.support.plain_segments import is_true_of

NOW = datetime(2026, 11, 29, 3, 0, tzinfo=UTC).astimezone(ZoneInfo("America/New_York"))  # a day earlier there

TAGS = ["vip", "VIP 2", "Ärzte", "50%_off", "a\\b", 'q"uote', "x'; DROP TABLE subscribers; --", "ünïcode", ","]
TOPICS = ["ruby", "Ruby on Rails", "Öl", 'a"b', "c,d", "%", "\\", "ж"]
NAMES = [
    "",
    "Ann",
    "ANNA",
    "Öz İ",
    "öz",
    "O'Neill",
    'Bo "the" b',
    "100%",
    "under_score",
    "Straße",
    "STRASSE",
    "Σίσυφος",
]
NOTES = ["", "met in Oslo", "MET ÅGE", "note; -- \\"]
ZONE_EDGES = [datetime(2026, 11, 28, h, m, tzinfo=UTC) for h, m in ((4, 59), (5, 0), (5, 1), (23, 59))]
FIELDS: dict[str, list[Any]] = {
    "city": ["Oslo", "OSLO", "Århus", "2026-11-28", "yes", "10", '"', "\\", "{}", "null", "a\nb"],
    "points": [0, 10, 10.5, -3, 9007199254740993, 1e22, 1.5e-7, True, "10", "ten", 10**30],
    "renews": ["2026-11-28", "2026-11-27", "1999-01-01", "tomorrow", "2026-1-1", 5],
    "vip": [True, False, "yes", 1, 0],
}
CONDITIONS = [
    *[f'tag:"{each}"'.replace("\\", "\\\\") for each in ("vip", "ärzte", "50%_off", "a\\b", "ÜNÏCODE", "nobody", ",")],
    'tag:"q\\"uote"',
    'tag:"x\'; DROP TABLE subscribers; --"',
    "tag has value",
    "tag has no value",
    "tag != vip",
    "topic:ruby",
    'topic:"RUBY ON RAILS"',
    "topic:öl",
    "topic:Ж",
    'topic:"a\\"b"',
    'topic:"%"',
    'topic:"c,d"',
    'topic:","',
    "topic:c",
    'topic:"\\\\"',
    "topic has value",
    "topic has no value",
    "newsletter:weekly",
    "newsletter != weekly",
    "newsletter:WEEKLY",
    "status:active",
    "status:paused",
    "status != active",
    "status:unsubscribed",
    "status:bounced",
    "language:de",
    "language:DE",
    "language:de-at",
    "language:d",
    "language has no value",
    "source:import",
    'source = "command line"',
    'source != "import list.csv"',
    "source:LIST.CSV",
    "source:_",
    'address ~ "@EXAMPLE.org"',
    "address = reader3@example.org",
    "address != reader3@example.org",
    'address ~ "_"',
    'address ~ "grün"',
    "name ~ ann",
    "name = anna",
    'name ~ "öz"',
    "name = öz",
    'name ~ "%"',
    'name ~ "_"',
    'name ~ "\'"',
    "name ~ ss",
    'name ~ "ß"',
    'name ~ "σίς"',
    'name ~ "ΣΊ"',
    "name has value",
    "name has no value",
    'name ~ "\\""',
    "name != Ann",
    "note ~ åge",
    'note ~ ";"',
    'note ~ "\\\\"',
    "note has no value",
    "joined > 2026-11-27",
    "joined >= 2026-11-28",
    "joined = 2026-11-28",
    "joined < 2026-11-28",
    "joined <= 2026-11-27",
    "joined != 2026-11-28",
    "joined = today",
    "joined = yesterday",
    "joined > 2 weeks ago",
    "joined > 1 month ago",
    "joined > 100 years ago",
    "joined < 1900-01-01",
    "left > 2026-11-27",
    "left = 2026-11-28",
    "left < 30 days ago",
    "left has value",
    "left has no value",
    "left != today",
    "bounces >= 2",
    "bounces = 0",
    "bounces != 0",
    "bounces < 1.5",
    "bounces > -1",
    "field.city = oslo",
    'field.city = "århus"',
    "field.city != Oslo",
    "field.city ~ o",
    'field.city ~ "\\""',
    'field.city ~ "\\\\"',
    'field.city ~ "{"',
    "field.city = yes",
    "field.city = 10",
    "field.city > 5",
    "field.city ~ n",
    "field.city > 2026-01-01",
    "field.city has value",
    "field.city has no value",
    "field.city = null",
    "field.points = 10",
    'field.points = "10"',
    "field.points >= 10",
    "field.points < 0",
    "field.points > 9007199254740",
    "field.points != 10",
    "field.points = true",
    "field.points ~ 1",
    "field.points <= 0.001",
    "field.points = 0",
    "field.renews = 2026-11-28",
    "field.renews < today",
    "field.renews >= yesterday",
    "field.renews != 2026-11-28",
    "field.renews > 2026-11-27",
    "field.vip = yes",
    "field.vip = no",
    "field.vip != yes",
    "field.vip = 1",
    "field.vip has no value",
    "field.none = 1",
    "field.none has value",
    "field.none != 1",
]


def random_person(random_: random.Random, number: int) -> dict[str, Any]:
    """Return the rows of a person, by table."""
    pick = random_.choice
    fields = {name: pick(values) for name, values in FIELDS.items() if random_.random() < 0.7}
    address = f"{pick(['reader', 'Reader', 'grün', 'READER_'])}{number}@example.{pick(['org', 'net'])}"
    joined = pick([*ZONE_EDGES, NOW - timedelta(days=random_.randint(0, 60))])
    person = {
        "id": number,
        "uid": f"uid{number}",
        "address": address,
        "address_key": address_key(address),
        "name": pick(NAMES),
        "language": pick(["", "de", "de-AT", "en", "den"]),
        "status": pick([*SubscriberStatus, SubscriberStatus.ACTIVE, SubscriberStatus.ACTIVE]),
        "created_at": joined,
        "confirmed_at": pick([None, *ZONE_EDGES]),
        "paused_until": pick([None, NOW, NOW - timedelta(days=1), NOW + timedelta(days=1)]),
        "bounces": pick([0, 0, 1, 2, 3]),
        "fields": encode_fields(fields),
        "note": pick(NOTES),
    }
    tags = [{"subscriber_id": number, "tag": tag.lower()} for tag in random_.sample(TAGS, random_.randint(0, 3))]
    wishes = [
        {
            "subscriber_id": number,
            "newsletter": newsletter,
            "topics": encode_topics(random_.sample(TOPICS, random_.randint(0, 2))),
            "status": pick(list(SubscriptionStatus)),
            "since": pick([None, *ZONE_EDGES, NOW - timedelta(days=40)]),
            "cause": SubscriptionEvent.ADDED,
            "source": "",
        }
        for newsletter in random_.sample(["weekly", "daily", "WEEKLY"], random_.randint(0, 2))
    ]
    events = [
        {
            "subscriber_id": number,
            "at": joined,
            "what": pick(["added", "imported", "left", "topics"]),
            "source": pick(["import list.csv", "command line", "form /_x/"]),
            "detail": "",
        }
        for _ in range(random_.randint(0, 2))
    ]
    return {"person": person, "tags": tags, "wishes": wishes, "events": events}


def add_random_people(store: Store, number: int, seed: int) -> None:
    random_ = random.Random(seed)
    rows = [random_person(random_, each) for each in range(1, number + 1)]
    with store._database.write() as connection:
        connection.execute(sa.insert(subscribers), [each["person"] for each in rows])
        for table, key in ((subscriber_tags, "tags"), (subscriptions, "wishes"), (consent_events, "events")):
            connection.execute(sa.insert(table), [row for each in rows for row in each[key]])


def random_condition(random_: random.Random, depth: int = 0) -> str:
    kind = random_.random()
    if depth > 3 or kind < 0.4:
        return random_.choice(CONDITIONS)
    parts = [random_condition(random_, depth + 1) for _ in range(random_.randint(1, 3))]
    joined = f" {random_.choice(['and', 'or'])} ".join(parts)
    return f"{'not ' if kind < 0.6 else ''}({joined})"


def test_the_database_agrees_with_plain_python(store: Store) -> None:
    add_random_people(store, 120, seed=19)
    people = [(each, store.subscribers.consent(each.id)) for each in store.subscribers.list()]
    random_ = random.Random(7)
    mixed = [text for _ in range(60) if len(text := random_condition(random_)) <= 1_000]
    seen = set()
    for text in [*CONDITIONS, *mixed]:
        condition = parse(text)
        expected = [each.id for each, history in people if is_true_of(condition, each, NOW, history)]
        assert ids(store.segments.some(condition, NOW, limit=1_000)) == expected, text
        seen.add(len(expected))
        reached = [each for each in people if each[0].id in expected and may_be_mailed(each[0], "weekly")]
        if len(text) % 3 == 0:  # the other two run the same query in other statements
            assert store.segments.count(condition, NOW, "weekly") == len(reached), text
            assert sum(each.subscribers for each in store.subscribers.choices("weekly", NOW, text)) == len(reached), (
                text
            )
    assert store.segments.count(condition, NOW) == len(expected)
    assert len(seen) > 40  # the people differ enough


def may_be_mailed(person: Subscriber, newsletter: str) -> bool:
    is_paused = person.paused_until is not None and person.paused_until > NOW
    return person.status_in(newsletter) is SubscriberStatus.ACTIVE and not is_paused


def ids(people: Any) -> list[int]:
    return [each.id for each in people]


def test_fields_in_an_unknown_format_have_no_value_and_no_error(store: Store) -> None:
    damaged = ["", "x", "[]", "null", '{"points":', '{"points":NaN}', '{"points":1e999999}', '{"points":1e400}']
    damaged += [
        r'{"city":"\u0000"}', r'{"city":"\ud800"}', '{"city":{"a":1}}', '{"city":"a\nb"}', '{"points":null}',
        '{"points":' + "9" * 400 + "}", r'{"city":"\x"}', "{" * 2_000,
    ]  # fmt: skip
    whole = [r'{"city":"C:\\udata \" \u0007","points":1e+22}', '{"city":"5e3","points":-0.5}']
    conditions = ["field.city has value", "field.points has value", "field.points > 0", "field.points < 0"]
    conditions += ['field.city ~ "udata \\""', "field.city = 5e3", "field.city > 2026-01-01", "field.city = yes"]
    random_ = random.Random(1)
    with store._database.write() as connection:
        for number, fields in enumerate([*damaged, *whole], 1):
            row = random_person(random_, number)["person"] | {"fields": fields}
            connection.execute(sa.insert(subscribers), [row])
    first, second = len(damaged) + 1, len(damaged) + 2
    expected = [{first, second}, {first, second}, {first}, {second}, {first}, {second}, set(), set()]
    dialect = store._database._engine.dialect
    known = getattr(dialect, "server_version_info", None)
    for version in {known, (15, 4)}:
        dialect.server_version_info = version
        store._database._engine.clear_compiled_cache()
        found = [set(ids(store.segments.some(parse(text), NOW, limit=100))) for text in conditions]
        readable = (
            set(range(1, 100)) if store._database.is_sqlite else {first, second}
        )  # SQLite accepts some more of them
        assert [group & {first, second} for group in found] == expected, version
        assert {each for group in found for each in group} <= readable
