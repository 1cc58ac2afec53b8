"""Changes of one person by the owner: address, name, tags, fields and note."""

from __future__ import annotations

import pytest

from publisher.core.errors import SubscriberError
from publisher.core.newsletter_models import SubscriberStatus, SuppressionReason
from publisher.core.subscriber_fields import FieldKind
from publisher.store import Store
from publisher.subscribers.address_change import Moved, confirm_address_change, request_address_change
from publisher.subscribers.double_opt_in import confirm
from publisher.subscribers.edit import CORRECTED, Change, Edited, edit
from publisher.subscribers.manage import subscribe, suppress, unsubscribe
from tests.support.consent_samples import FORM, TERMS, ask, bounce, everything, happened, known, people, subscribed
from tests.support.store_samples import NOW, later, person

__all__ = ["people"]

ADA, TYPO = "ada@example.org", "ada@exmaple.org"
FIELDS = {"city": FieldKind.TEXT, "points": FieldKind.NUMBER, "member": FieldKind.YES_NO, "born": FieldKind.DATE}


def change(store: Store, who: str = ADA, /, *, dry_run: bool = False, **what: object) -> Edited:
    """Edit the person with this address, as the owner."""
    wanted = Change(**what)  # type: ignore[arg-type]
    return edit(store, known(store, who), wanted, at=NOW, source="test", known=FIELDS, dry_run=dry_run)


def test_tags_fields_and_a_note_are_kept(people: Store) -> None:
    subscribed(people)
    values = {"city": "Oslo", "points": "10", "member": "yes", "born": "1990-05-01"}
    done = change(people, tags=("VIP", "Early birds"), fields=values, note="Met in Oslo.\nLikes maps.", language="nb")

    after = known(people)
    assert after == done.after
    assert after.tags == ("early birds", "vip")
    assert after.fields == {"city": "Oslo", "points": 10, "member": True, "born": "1990-05-01"}
    assert (after.note, after.language) == ("Met in Oslo.\nLikes maps.", "nb")
    assert done.changed == ("language", "note", "+early birds", "+vip", "born", "city", "member", "points")
    assert people.subscribers.tags_in_use() == {"early birds": 1, "vip": 1}
    assert people.subscribers.known_fields() == dict(sorted(FIELDS.items()))

    done = change(people, tags=("new",), untags=("vip", "never had"), fields={"city": "", "points": "10.0"}, note="")
    assert done.changed == ("note", "+new", "-vip", "city")
    assert known(people).tags == ("early birds", "new")
    assert known(people).fields == {"points": 10, "member": True, "born": "1990-05-01"}
    assert happened(people, after)[-1][0] == "subscribed"  # none of this is about consent


def test_an_edit_that_changes_nothing_writes_nothing(people: Store) -> None:
    subscribed(people)
    change(people, tags=("vip",), fields={"city": "Oslo"}, name="Ada")
    before = everything(people)
    same = change(people, tags=("vip",), untags=("x",), fields={"city": "Oslo", "points": ""}, name="Ada", address=ADA)
    assert same.changed == ()
    rehearsed = change(people, address="new@example.org", tags=("new",), dry_run=True)
    assert rehearsed.changed == ("address", "+new")
    assert everything(people) == before


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ({"fields": {"citty": "Oslo"}}, "did you mean city"),
        ({"fields": {"points": "many"}}, "field points: 'many' isn't a number"),
        ({"tags": ("a,b",)}, "can't be a tag"),
        ({"tags": tuple(map(str, range(101)))}, "101 tags"),
        ({"language": "klingon language"}, "isn't a language tag"),
        ({"note": "x" * 5_001}, "longer than 5,000"),
        ({"address": "nobody"}, "not a valid email address"),
        ({"address": "eve@example.org"}, "is a subscriber already"),
        ({"address": "gone@example.org"}, "suppression list"),
    ],
)
def test_a_change_with_a_fault_changes_nothing(people: Store, what: dict[str, object], message: str) -> None:
    subscribed(people)
    people.subscribers.add(person("eve@example.org"), at=NOW, source="test")
    suppress(people, "gone@example.org", now=NOW, source="test")
    before = everything(people)
    with pytest.raises(SubscriberError, match=message):
        change(people, **({"name": "Other"} | what))
    assert everything(people) == before


def test_a_corrected_address_keeps_everything_and_is_recorded(people: Store) -> None:
    before = subscribed(people, TYPO)
    change(people, TYPO, tags=("vip",))
    bounce(people, before.uid)
    assert known(people, TYPO).status is SubscriberStatus.BOUNCED

    done = change(people, TYPO, address=ADA)

    after = known(people)
    assert (after.id, after.uid, after.status, after.tags) == (before.id, before.uid, SubscriberStatus.ACTIVE, ("vip",))
    assert done.changed == ("address",)
    assert after.subscriptions == before.subscriptions
    assert [what for what, _ in happened(people, after)][-1] == CORRECTED
    assert "exmaple" not in str(happened(people, after))
    assert people.suppressions.reason(TYPO) is SuppressionReason.MOVED
    with pytest.raises(SubscriberError):
        subscribe(people, TYPO, newsletters=["weekly"], at=NOW)


def test_a_correction_does_not_confirm_for_the_person(people: Store) -> None:
    asked = ask(people, TYPO)
    assert asked is not None
    change(people, TYPO, address=ADA)
    assert known(people).status is SubscriberStatus.PENDING
    assert confirm(people, TERMS, asked.token, now=NOW, evidence=FORM) is None  # the person with the wrong mailbox
    subscribed(people, "bob@example.org")
    unsubscribe(people, "bob@example.org", at=NOW)
    change(people, "bob@example.org", address="bo@example.org")
    assert known(people, "bo@example.org").status is SubscriberStatus.UNSUBSCRIBED


def test_another_spelling_of_an_address_suppresses_nothing(people: Store) -> None:
    subscribed(people)
    change(people, address="Ada@example.org")
    assert known(people).address == "Ada@example.org"
    assert people.suppressions.counts() == {}


def test_an_address_with_a_complaint_is_not_corrected(people: Store) -> None:
    subscribed(people)
    suppress(people, ADA, now=later(days=1), source="test")
    with pytest.raises(SubscriberError, match="suppression list"):
        change(people, address="new@example.org")


def test_data_of_an_entry_replaced_by_a_new_address_is_kept(people: Store) -> None:
    mover = subscribed(people)
    ask(people, "new@example.org")
    change(people, "new@example.org", tags=("b",), fields={"city": "Bergen", "points": "1"}, note="theirs")
    change(people, tags=("a",), fields={"city": "Oslo"})
    request = request_address_change(people, TERMS, mover.uid, "new@example.org", now=later(days=1), evidence=FORM)
    assert request.email is not None
    moved = confirm_address_change(people, TERMS, request.email.token, now=later(days=1), evidence=FORM)
    assert moved is Moved.MOVED
    after = known(people, "new@example.org")
    assert (after.id, after.tags, after.note) == (mover.id, ("a", "b"), "theirs")
    assert after.fields == {"city": "Oslo", "points": 1}


def test_values_of_another_kind_are_counted(people: Store) -> None:
    subscribed(people)
    subscribed(people, "bob@example.org")
    change(people, fields={"city": '"points":"', "points": "1", "member": "no", "born": "1990-05-01"})
    change(people, "bob@example.org", fields={"city": "2026-01-01 x"})
    counts = {(name, kind): people.subscribers.count_unfit(name, kind) for name in FIELDS for kind in FieldKind}
    assert {name for name, kind in FIELDS.items() if counts[name, kind]} == set()
    assert [counts["city", kind] for kind in (FieldKind.NUMBER, FieldKind.DATE, FieldKind.YES_NO)] == [2, 2, 2]
    assert [counts["points", kind] for kind in (FieldKind.TEXT, FieldKind.DATE, FieldKind.YES_NO)] == [1, 1, 1]
    assert [counts["member", kind] for kind in (FieldKind.TEXT, FieldKind.DATE, FieldKind.NUMBER)] == [1, 1, 1]
    assert [counts["born", kind] for kind in (FieldKind.NUMBER, FieldKind.YES_NO, FieldKind.TEXT)] == [1, 1, 0]
