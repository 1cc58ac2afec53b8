"""What subscribers do with their own link, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from publisher.core.bounce_report import Verdict
from publisher.core.errors import SubscriberError
from publisher.core.newsletter_models import Subscriber, Subscription
from publisher.core.subscriber_status import SubscriberEvent
from publisher.mail.lifecycle import DeliveryEvent, moves
from publisher.mail.links import LinkPurpose, Links
from publisher.store import Store
from publisher.store.subscriber_records import AddOptions as ImportTerms
from publisher.store.subscriber_records import address_key
from publisher.subscribers.account import request_account_link, use_account_link
from publisher.subscribers.address_change import (
    Moved,
    MoveRequest,
    confirm_address_change,
    look_at_address_change,
    moved_email,
    request_address_change,
)
from publisher.subscribers.double_opt_in import confirm
from publisher.subscribers.manage import lift_suppression, subscribe, suppress
from publisher.subscribers.policy import SubscriptionEmailKind
from publisher.subscribers.privacy import erase
from publisher.subscribers.self_service import (
    UNDO_WITHIN,
    Preferences,
    Saved,
    come_back,
    farewell,
    set_preferences,
    unsubscribe,
)
from tests.support.consent_samples import (
    FORM,
    KNOWN,
    TERMS,
    ask,
    bounce,
    everything,
    happened,
    known,
    people,
    subscribed,
    wishes,
)
from tests.support.store_samples import NOW, draft, later, person

__all__ = ["people"]


def save(store: Store, uid: str, *chosen: Subscription, now: datetime = NOW, **rest: Any) -> Saved | None:
    return set_preferences(store, TERMS, uid, Preferences(chosen, **rest), known=KNOWN, now=now, evidence=FORM)


def prefer(store: Store, uid: str, *chosen: Subscription, **rest: Any) -> Subscriber | None:
    saved = save(store, uid, *chosen, **rest)
    return saved.subscriber if saved else None


def leave(store: Store, uid: str, newsletter: str | None = None, reason: str = "") -> bool:
    return unsubscribe(store, TERMS, uid, newsletter, now=NOW, evidence=FORM, reason=reason)


def back(store: Store, uid: str, newsletter: str | None = None) -> bool:
    return come_back(store, TERMS, uid, newsletter, now=NOW, evidence=FORM)


def test_preferences_follow_the_form(people: Store) -> None:
    ada = subscribed(people, "ada@example.org", "weekly", "daily", topics=("ai",))
    form = (Subscription("weekly", ("ml", "ai")),)

    after = prefer(people, ada.uid, *form, language="de", name="Ada")
    assert after == known(people)
    assert known(people).subscriptions == (Subscription("weekly", ("ai", "ml")),)
    assert (known(people).language, known(people).name) == ("de", "Ada")
    assert happened(people, ada)[-2:] == [("left", "daily"), ("subscribed", 'weekly ["ai","ml"]')]
    before = everything(people)
    prefer(people, ada.uid, *form, language="de")
    assert everything(people) == before


def test_a_subscription_not_on_the_form_stays(people: Store) -> None:
    ada = subscribed(people, "ada@example.org", "weekly", "daily")

    def submit(known: tuple[str, ...], shown: tuple[str, ...] | None) -> None:
        wanted = Preferences((), shown=shown)
        set_preferences(people, TERMS, ada.uid, wanted, known=known, now=NOW, evidence=FORM)

    submit(("weekly",), None)  # the daily newsletter is missing from the configuration
    assert known(people).subscriptions == wishes("daily")
    submit(("weekly", "daily"), ("weekly",))  # and is there again before the form is submitted
    assert known(people).subscriptions == wishes("daily")
    assert happened(people, ada)[-1] == ("left", "weekly")


def test_a_name_is_changed_removed_or_kept(people: Store) -> None:
    ada = subscribed(people)
    for name, after in (("Ada\nL.", "Ada L."), (None, "Ada L."), ("", "")):
        prefer(people, ada.uid, *wishes(), name=name)
        assert known(people).name == after


def test_a_pause_excludes_from_editions(people: Store) -> None:
    ada = subscribed(people)
    subscribed(people, "bob@example.org")
    prefer(people, ada.uid, *wishes(), pause_weeks=2)

    assert people.subscribers.count("weekly", mailable_at=NOW) == 1
    assert people.deliveries.counts(people.editions.create(draft("2026-W47")).id).total == 1
    over = draft("2026-W49", made_at=later(weeks=2), number=2)
    assert people.deliveries.counts(people.editions.create(over).id).total == 2
    prefer(people, ada.uid, *wishes(), pause_weeks=0)
    assert people.subscribers.count("weekly", mailable_at=NOW) == 2
    assert [what for what, _ in happened(people, ada)][-2:] == ["paused", "unpaused"]


def test_a_late_pause_excludes_from_an_edition(people: Store) -> None:
    ada = subscribed(people)
    edition = people.editions.create(draft())
    prefer(people, ada.uid, *wishes(), pause_weeks=1)
    claimed = people.deliveries.claim(
        edition.id,
        "worker",
        now=NOW,
        lease_until=later(minutes=2),
        limit=10,
        claimed=moves(DeliveryEvent.CLAIMED),
        left=moves(DeliveryEvent.LEFT),
    )
    assert list(claimed) == []


def test_a_pause_has_an_end(people: Store) -> None:
    for weeks in (-1, 53, 10**9):
        with pytest.raises(SubscriberError, match="a pause is 0 to 52 weeks long"):
            Preferences((), pause_weeks=weeks)


def test_unsubscribing_twice_keeps_the_reason(people: Store) -> None:
    ada = subscribed(people, "ada@example.org", "weekly", "daily")

    assert leave(people, ada.uid, "daily", reason="too\r\noften")
    assert not leave(people, ada.uid, "daily")
    assert leave(people, ada.uid, None, reason="x" * 10_000)
    before = everything(people)
    assert not leave(people, ada.uid)
    assert not leave(people, "no such uid")
    assert everything(people) == before
    assert known(people).status == "unsubscribed"
    assert happened(people, ada)[-2:] == [("left", "daily too often"), ("unsubscribed", "x" * 500)]


def test_subscribing_again_restores_topics(people: Store) -> None:
    ada = subscribed(people, "ada@example.org", "weekly", topics=("ai", "ml"))

    leave(people, ada.uid, "weekly", reason="a scanner pressed it")
    assert back(people, ada.uid, "weekly")
    assert known(people).subscriptions == (Subscription("weekly", ("ai", "ml")),)
    leave(people, ada.uid)
    assert back(people, ada.uid)
    assert back(people, ada.uid)
    assert known(people).status == "active"
    assert [what for what, _ in happened(people, ada)].count("returned") == 2


def test_subscribing_again_adds_nothing_new(people: Store) -> None:
    ada = subscribed(people)
    waiting = ask(people, "bob@example.org")
    assert waiting is not None
    leave(people, waiting.uid)
    gone = bounce(people, subscribed(people, "eve@example.org").uid, Verdict.COMPLAINT)
    before = everything(people)

    assert not back(people, ada.uid, "daily")
    assert not back(people, waiting.uid)
    assert not back(people, known(people, "eve@example.org").uid)
    assert not back(people, "no such uid")
    assert prefer(people, waiting.uid, *wishes()) is None
    assert prefer(people, known(people, "eve@example.org").uid, *wishes()) is None
    assert gone == "complained"
    assert everything(people) == before


@pytest.mark.parametrize("left_before", [False, True])
def test_old_links_do_not_undo_a_removal(people: Store, left_before: bool) -> None:
    ada = subscribed(people)
    if left_before:
        leave(people, ada.uid)
    assert people.subscribers.remove("ada@example.org", at=NOW, source="command line")
    assert not people.subscribers.remove("ada@example.org", at=NOW, source="command line")
    leave(people, ada.uid)
    before = everything(people)
    assert not back(people, ada.uid)
    assert not back(people, ada.uid, "weekly")
    assert prefer(people, ada.uid, *wishes("daily")) is None
    assert everything(people) == before

    anew = ask(people, now=later(hours=2))
    assert anew is not None
    assert confirm(people, TERMS, anew.token, now=later(hours=2), evidence=FORM) is not None
    leave(people, ada.uid)
    assert back(people, ada.uid)  # they unsubscribed themselves this time


def test_a_removed_newsletter_returns_only_by_choice(people: Store) -> None:
    ada = subscribed(people, "ada@example.org", "weekly", "daily")
    people.subscribers.remove("ada@example.org", "daily", at=NOW, source="command line")
    assert not back(people, ada.uid, "daily")
    assert prefer(people, ada.uid, *wishes("weekly", "daily")) == known(people)
    leave(people, ada.uid, "daily")
    assert back(people, ada.uid, "daily")


def test_choosing_a_newsletter_subscribes_again(people: Store) -> None:
    ada = subscribed(people)
    leave(people, ada.uid)
    prefer(people, ada.uid)
    assert (known(people).status, known(people).subscriptions) == ("unsubscribed", ())
    prefer(people, ada.uid, *wishes("daily"))
    assert (known(people).status, known(people).subscriptions) == ("active", wishes("daily"))


DAY = UNDO_WITHIN - timedelta(seconds=1)


@pytest.mark.parametrize("newsletter", ["daily", None])
def test_undo_works_for_a_day(people: Store, newsletter: str | None) -> None:
    for address, moment, restored in (
        ("one@example.org", NOW + DAY, True),
        ("two@example.org", NOW + UNDO_WITHIN, False),
    ):
        ada = subscribed(people, address, "weekly", "daily")
        leave(people, ada.uid, newsletter)
        left = known(people, address)
        assert come_back(people, TERMS, ada.uid, newsletter, now=moment, evidence=FORM) is restored
        now, then = known(people, address), ada if restored else left
        assert (now.status, now.subscriptions) == (then.status, then.subscriptions)


def test_an_old_link_to_the_preferences_asks_by_email_first(people: Store) -> None:
    ada = subscribed(people, "ada@example.org", "weekly", "daily")
    leave(people, ada.uid, "daily")
    saved = save(people, ada.uid, *wishes("weekly", "daily"), now=NOW + UNDO_WITHIN, name="Ada")
    assert saved is not None
    assert (saved.subscriber.subscriptions, saved.subscriber.name) == (wishes(), "Ada")
    assert saved.waiting == ("daily",)
    assert saved.email is not None
    assert (saved.email.kind, saved.email.newsletters) == (SubscriptionEmailKind.CONFIRM, ("daily",))
    again = save(people, ada.uid, *wishes("weekly", "daily"), now=NOW + UNDO_WITHIN)
    assert again is not None
    assert (again.waiting, again.email) == (("daily",), None)
    assert confirm(people, TERMS, saved.email.token, now=NOW + UNDO_WITHIN, evidence=FORM) is not None
    assert known(people).subscriptions == wishes("daily", "weekly")


def test_an_old_link_does_not_subscribe_someone_who_left_everything(people: Store) -> None:
    ada = subscribed(people)
    leave(people, ada.uid)
    saved = save(people, ada.uid, *wishes("weekly", "daily"), now=later(days=700))
    assert saved is not None
    assert (saved.subscriber.status, saved.waiting) == ("unsubscribed", ("weekly", "daily"))


def test_a_farewell_link_subscribes_again_until_it_expires(people: Store) -> None:
    polite = replace(TERMS, farewell=True)
    ada = subscribed(people, "ada@example.org", "weekly", "daily", topics=("ai",))
    leave(people, ada.uid, "daily")
    assert farewell(people, TERMS, ada.uid, ["daily"], now=NOW) is None  # the switch is off
    email = farewell(people, polite, ada.uid, ["daily"], now=NOW)
    assert email is not None
    assert (email.kind, email.newsletters, email.expires_at) == ("farewell", ("daily",), NOW + TERMS.confirm_within)
    assert farewell(people, polite, ada.uid, ["daily"], now=later(minutes=59)) is None
    assert confirm(people, TERMS, email.token, now=later(days=7), evidence=FORM) is None
    assert confirm(people, TERMS, email.token, now=later(days=6), evidence=FORM) is not None
    assert known(people).subscriptions == ada.subscriptions


def test_no_one_gets_a_farewell_after_any_other_end(people: Store) -> None:
    polite = replace(TERMS, farewell=True)
    ends: dict[str, Callable[[str], object]] = {
        "complained": lambda uid: bounce(people, uid, Verdict.COMPLAINT),
        "bounced": lambda uid: bounce(people, uid),
        "suppressed": lambda uid: suppress(people, "suppressed@example.org", now=NOW, source="test"),
        "erased": lambda uid: erase(people, "erased@example.org", now=NOW, source="test"),
    }
    for name, end in ends.items():
        uid = subscribed(people, f"{name}@example.org").uid
        end(uid)
        assert farewell(people, polite, uid, ["weekly"], now=NOW) is None, name


@pytest.mark.parametrize("end", ["moved", "removed", "complained"])
def test_an_emailed_link_ends_with_certain_events(people: Store, end: str) -> None:
    ada = subscribed(people)
    leave(people, ada.uid)
    email = farewell(people, replace(TERMS, farewell=True), ada.uid, None, now=NOW)
    account = request_account_link(people, TERMS, ada.uid, now=NOW).email
    assert email is not None
    assert account is not None
    if end == "moved":
        assert press(people, move(people, ada.uid, "new@example.org")) is Moved.MOVED
        assert use_account_link(people, TERMS, account.token, now=NOW) is None
    elif end == "removed":
        people.subscribers.remove("ada@example.org", at=NOW, source="test")
    else:
        bounce(people, ada.uid, Verdict.COMPLAINT)
    assert confirm(people, TERMS, email.token, now=NOW, evidence=FORM) is None


def test_the_old_address_can_revert_a_move(people: Store) -> None:
    ada = subscribed(people)
    assert press(people, move(people, ada.uid, "new@example.org")) is Moved.MOVED
    told = moved_email(people, TERMS, ada, now=NOW)
    assert (told.kind, told.address) == (SubscriptionEmailKind.MOVED, "ada@example.org")
    assert confirm_address_change(people, TERMS, told.token, now=later(days=1), evidence=FORM) is Moved.MOVED
    assert known(people).id == ada.id


def move(store: Store, uid: str, address: str, now: datetime = NOW) -> MoveRequest:
    return request_address_change(store, TERMS, uid, address, now=now, evidence=FORM)


def press(store: Store, request: MoveRequest, now: datetime = NOW) -> Moved:
    """Press the button on the page linked in the email for a request."""
    assert request.email is not None
    return confirm_address_change(store, TERMS, request.email.token, now=now, evidence=FORM)


def test_a_confirmed_address_replaces_the_old_one(people: Store) -> None:
    ada = subscribed(people)
    links = Links("https://letters.example", "x" * 40)
    _, _, sent_before = links.unsubscribe(ada.uid, "weekly").rpartition("/")

    request = move(people, ada.uid, "Ada@New.example.org")
    notice = request.email
    assert notice is not None
    assert (notice.kind, notice.address) == (SubscriptionEmailKind.ADDRESS, "Ada@new.example.org")
    assert known(people).address == "ada@example.org"
    seen = look_at_address_change(people, TERMS, notice.token, now=NOW)
    assert seen == (known(people), "Ada@new.example.org")
    assert confirm(people, TERMS, notice.token, now=NOW, evidence=FORM) is None

    assert (press(people, request), press(people, request)) == (Moved.MOVED, Moved.REFUSED)
    assert people.subscribers.get("ada@example.org") is None
    assert known(people, "ada@NEW.example.org").subscriptions == wishes()
    uid, newsletter = links.read(LinkPurpose.UNSUBSCRIBE, sent_before) or ("", "")
    assert leave(people, uid, newsletter)


def test_a_request_does_not_reveal_known_addresses(people: Store) -> None:
    ada = subscribed(people)
    subscribed(people, "bob@example.org")
    suppress(people, "never@example.org", now=NOW, source="test")

    assert move(people, ada.uid, "ADA@example.org") == MoveRequest()
    assert move(people, "no such uid", "new@example.org") == MoveRequest()
    for address, mailed in (("never@example.org", False), ("bob@example.org", True)):
        first = move(people, ada.uid, address)
        assert (first.email is not None, first.limited) == (mailed, False)
        assert move(people, ada.uid, address) == MoveRequest()
        move(people, ada.uid, "ada@example.org")  # reverts it
        assert move(people, ada.uid, address) == MoveRequest(limited=True)
    assert "never@" not in str(everything(people))


def test_an_address_with_a_subscription_stays(people: Store) -> None:
    ada, bob = subscribed(people), subscribed(people, "bob@example.org")
    to_bob = move(people, ada.uid, "bob@example.org")
    before = everything(people)
    assert press(people, to_bob) is Moved.TAKEN
    assert everything(people) == before
    erase(people, bob.address, now=NOW, source="test")
    lift_suppression(people, bob.address, now=NOW, source="test")
    assert press(people, move(people, ada.uid, "bob@example.org", later(hours=1)), later(hours=1)) is Moved.MOVED


def test_an_unconfirmed_subscriber_gives_way(people: Store) -> None:
    ada = subscribed(people)
    waiting = ask(people, "new@example.org", "daily", name="Mallory")
    assert waiting is not None
    request = move(people, ada.uid, "new@example.org", later(hours=1))
    assert press(people, request, later(hours=1)) is Moved.MOVED
    moved = known(people, "new@example.org")
    assert (moved.id, moved.name, moved.subscriptions) == (ada.id, "", wishes())
    assert people.subscribers.count() == 1
    assert confirm(people, TERMS, waiting.token, now=NOW, evidence=FORM) is None


def test_the_newest_request_voids_earlier_ones(people: Store) -> None:
    ada = subscribed(people)
    typo, right = move(people, ada.uid, "typo@example.org"), move(people, ada.uid, "right@example.org")
    assert press(people, typo) is Moved.REFUSED
    assert press(people, right) is Moved.MOVED
    assert known(people, "right@example.org").id == ada.id


def test_address_changes_are_limited(people: Store) -> None:
    ada, bob = subscribed(people), subscribed(people, "bob@example.org")
    requests = [move(people, ada.uid, f"{n}@example.org") for n in range(5)]
    assert [request.limited for request in requests] == [False, False, False, True, True]
    assert press(people, requests[2]) is Moved.REFUSED  # voided by the request that caused no email
    assert move(people, bob.uid, "0@example.org").limited
    assert not move(people, bob.uid, "0@example.org", later(hours=1)).limited
    assert not move(people, ada.uid, "4@example.org", later(hours=1)).limited


def imported(store: Store, *addresses: str) -> list[str]:
    """Return the result of importing addresses in a file."""
    terms = ImportTerms(NOW, "import old.csv", SubscriberEvent.IMPORTED)
    return [
        added.result.value for added in store.subscribers.add_all([person(address) for address in addresses], terms)
    ]


def test_no_import_restores_a_moved_address(people: Store) -> None:
    ada = subscribed(people)
    for number, address in enumerate(("two@example.org", "three@example.org")):
        assert press(people, move(people, ada.uid, address)) is Moved.MOVED, number
    olds = ("ada@example.org", "TWO@example.org")
    assert imported(people, *olds) == ["moved", "moved"]
    with pytest.raises(SubscriberError, match=r"ada@example\.org moved to another address \(only with .* --again .*\)"):
        subscribe(people, "ada@example.org", newsletters=["weekly"], at=NOW)

    erase(people, "three@example.org", now=NOW, source="test")
    assert imported(people, *olds, "three@example.org") == ["moved", "moved", "suppressed"]
    assert not [word for word in ("ada@", "two@", "three@") if word in str(everything(people)).lower()]


def test_a_moved_address_may_subscribe_again(people: Store) -> None:
    ada = subscribed(people)
    assert press(people, move(people, ada.uid, "new@example.org")) is Moved.MOVED
    subscribed_again = ask(people, now=later(hours=2))
    assert subscribed_again is not None
    assert imported(people, "ada@example.org") == ["moved"]  # asked, and not confirmed
    assert confirm(people, TERMS, subscribed_again.token, now=later(hours=2), evidence=FORM) is not None
    assert imported(people, "ada@example.org") == ["unchanged"]

    bob = subscribed(people, "bob@example.org")
    assert press(people, move(people, bob.uid, "bob2@example.org")) is Moved.MOVED
    assert press(people, move(people, bob.uid, "bob@example.org")) is Moved.MOVED
    assert imported(people, "bob@example.org", "bob2@example.org") == ["unchanged", "moved"]
    assert subscribe(people, "bob2@example.org", newsletters=["weekly"], at=NOW, again="by phone").result == "added"


def test_a_suppression_replaces_a_move(people: Store) -> None:
    ada = subscribed(people)
    assert press(people, move(people, ada.uid, "new@example.org")) is Moved.MOVED
    assert suppress(people, "ada@example.org", now=NOW, source="test")
    assert people.suppressions.reason("ada@example.org") == "suppressed"
    told = ask(people, now=later(hours=2))
    assert told is not None
    assert told.kind is SubscriptionEmailKind.SUPPRESSED
    assert imported(people, "ada@example.org") == ["suppressed"]


def test_bounces_stop_email_at_the_limit_or_immediately(people: Store) -> None:
    ada, bob = subscribed(people), subscribed(people, "bob@example.org")
    assert [bounce(people, ada.uid, Verdict.TEMPORARY) for _ in range(5)] == ["active"] * 4 + ["bounced"]
    assert bounce(people, bob.uid) == "bounced"
    assert bounce(people, "no such uid") is None
    assert people.subscribers.add(person("ada@example.org"), at=NOW, source="import").value == "bounced"


def test_a_complaint_survives_every_attempt_to_subscribe_again(people: Store) -> None:
    ada = subscribed(people)
    assert bounce(people, ada.uid, Verdict.COMPLAINT) == "complained"

    leave(people, ada.uid)
    assert not back(people, ada.uid)
    assert ask(people, now=later(days=30)) is None
    assert people.subscribers.add(person(), at=NOW, source="by hand", again=True).refused
    assert known(people).status == "complained"
    assert people.suppressions.is_listed("ADA@example.org")


def test_lookalike_characters_are_one_address(people: Store) -> None:
    subscribed(people, "a.fi@example.org")
    for spelling in ("\uff41.fi@example.org", "A.\ufb01@example.org", "a.\uff26\uff29@EXAMPLE.org"):
        assert address_key(spelling) == "a.fi@example.org"
        assert known(people, spelling).address == "a.fi@example.org"


def test_the_key_of_an_ascii_address_is_stable() -> None:
    assert address_key("Ada.Lovelace+X@Example.ORG") == "Ada.Lovelace+X@Example.ORG".casefold()
