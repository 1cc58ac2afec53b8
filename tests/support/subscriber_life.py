"""Every way to unsubscribe from a newsletter and to subscribe again, as methods of one person."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress as suppress_error
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

from publisher.bounces.apply import take_report
from publisher.core.bounce_report import Addressee, Report, Verdict
from publisher.core.errors import SubscriberError
from publisher.core.newsletter_models import Subscriber, Subscription, SuppressionReason
from publisher.store import Store
from publisher.store.subscriber_records import Evidence
from publisher.subscribers.address_change import confirm_address_change, request_address_change
from publisher.subscribers.csv_import import ImportReport
from publisher.subscribers.double_opt_in import confirm, request_subscription
from publisher.subscribers.manage import lift_suppression, subscribe, suppress
from publisher.subscribers.manage import unsubscribe as unsubscribe_by_owner
from publisher.subscribers.self_service import Preferences, come_back, decline_all, set_preferences, unsubscribe
from tests.support.consent_samples import FORM, TERMS
from tests.support.csv_samples import Imported, bring
from tests.support.store_samples import NOW

BOTH = ("weekly", "daily")
_KEYS = count()


@dataclass
class Life:
    """One person: their store, address, clock, and the links in their inbox.

    kept  an unused token from a confirmation email
    used  a token from a confirmation email, which has been used
    """

    store: Store
    folder: Path
    address: str
    newsletters: tuple[str, ...] = BOTH
    now: datetime = NOW
    kept: str = ""
    used: str = ""
    addresses: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.addresses.append(self.address)

    @property
    def person(self) -> Subscriber | None:
        return self.store.subscribers.get(self.address)

    @property
    def uid(self) -> str:
        found = self.person
        return found.uid if found else "nobody"

    @property
    def weekly(self) -> str:
        return self.newsletters[0]

    def wait(self, **delta: float) -> None:
        self.now += timedelta(**delta)

    def may_be_mailed(self, address: str = "") -> tuple[str, ...]:
        """Return the newsletters whose next edition will be sent to an address."""
        found = self.store.subscribers.get(address or self.address)
        return tuple(name for name in self.newsletters if found and found.status_in(name) == "active")

    def why(self) -> str:
        """Return what the database stores about the person and the weekly newsletter."""
        found = self.person
        if found is None:
            reason = self.store.suppressions.reason(self.address)
            return f"not stored; suppressed: {reason}" if reason else "not stored"
        record = found.record(self.weekly)
        said = f"{record.status} ({record.cause})" if record else "never asked"
        return said if found.status == "active" else f"{found.status}; {said}"

    # ----------------------------------------------------------------------------- what the person does

    def ask(self, *names: str) -> str:
        """Enter the address into the form; return the token that is sent."""
        wanted = [Subscription(name) for name in names or (self.weekly,)]
        email = request_subscription(
            self.store, TERMS, self.address, wanted, known=self.newsletters, now=self.now, evidence=FORM
        )
        return email.token if email else ""

    def confirm(self, token: str) -> bool:
        return bool(token) and confirm(self.store, TERMS, token, now=self.now, evidence=FORM) is not None

    def sign_up(self, *names: str) -> bool:
        """Fill in the form, and press the button on the page linked in the email."""
        return self.confirm(self.ask(*names))

    def leave(self, newsletter: str | None) -> bool:
        evidence = Evidence("one-click /unsubscribe")
        return unsubscribe(self.store, TERMS, self.uid, newsletter, now=self.now, evidence=evidence)

    def undo(self, newsletter: str | None) -> bool:
        return come_back(self.store, TERMS, self.uid, newsletter, now=self.now, evidence=FORM)

    def prefer(self, *names: str) -> bool:
        """Save the preferences page with these newsletters ticked."""
        wanted = Preferences(tuple(Subscription(name) for name in names))
        known = self.newsletters
        saved = set_preferences(self.store, TERMS, self.uid, wanted, known=known, now=self.now, evidence=FORM)
        return saved is not None and not saved.waiting

    def move(self, address: str) -> None:
        """Change the address, and press the button on the page linked in the email to the new one."""
        request = request_address_change(self.store, TERMS, self.uid, address, now=self.now, evidence=FORM)
        if request.email is None:
            return
        token = request.email.token
        moved = confirm_address_change(self.store, TERMS, token, now=self.now, evidence=FORM)
        if moved == "moved":
            self.address = address
            self.addresses.append(address)

    # ------------------------------------------------------------------------------ what happens to them

    def bounce(self, verdict: Verdict = Verdict.PERMANENT) -> None:
        report = Report(verdict, Addressee(uid=self.uid), "5.1.1", keys=(f"way {next(_KEYS)}",))
        take_report(self.store, TERMS, report, now=self.now, source="test")

    def decline(self) -> None:
        decline_all(self.store, self.address, now=self.now, source="link /never")

    # ------------------------------------------------------------------------------- what the owner does

    def add(self, again: str = "", *names: str) -> str:
        """Add the person as `subscribers add` does; return the reason if it is refused."""
        try:
            done = subscribe(self.store, self.address, newsletters=names or [self.weekly], at=self.now, again=again)
        except SubscriberError as error:
            return error.message.removeprefix(self.address).strip()
        return done.reason

    def unsubscribe_by_owner(self, newsletter: str | None) -> None:
        if self.person:
            unsubscribe_by_owner(self.store, self.address, newsletter, at=self.now)

    def suppress(self) -> None:
        suppress(self.store, self.address, now=self.now, source="command line")

    def lift(self) -> None:
        with suppress_error(SubscriberError):  # they have reported an email as spam
            lift_suppression(self.store, self.address, now=self.now, source="command line")

    def erase(self) -> None:
        """Do the same as privacy.erase, without rewriting the database file each time."""
        with self.store.subscribers.transaction(self.now, alone=True) as transaction:
            transaction.suppress(self.address, SuppressionReason.ERASED, "command line")
            transaction.erase(transaction.find(self.address), self.address)


# -------------------------------------------------------------------------------------------------------- files

Row = Callable[[str], str]
# What each tool exports about subscribed people: the heading, and the row for an address.
FILES: dict[str, tuple[str, Row]] = {
    "Mailchimp": (
        '"Email Address","First Name",MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME,LEID,EUID,TAGS',
        lambda a: f'{a},Ann,4,"2024-05-01 10:00:00","2027-05-02 11:00:00",1,a1,""',
    ),
    "Substack": (
        "email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at",
        lambda a: f"{a},false,,other,false,2027-05-02,",
    ),
    "Ghost": (
        "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,tiers",
        lambda a: f"1,{a},Ann,,true,false,,2027-05-02T11:00:00.000Z,,,",
    ),
    "Buttondown": (
        "email_address,notes,metadata,tags,creation_date,subscriber_type",
        lambda a: f"{a},,{{}},,2027-05-02,regular",
    ),
    "listmonk": (
        "uuid,email,name,attributes,status,created_at,updated_at",
        lambda a: f"f00,{a},Ann,{{}},enabled,2027-05-02,2027-05-03",
    ),
    "a file with newsletters": ("email,newsletters", lambda a: f"{a},weekly daily"),
    "a file with topics": ("email,topics,status", lambda a: f"{a},ruby,active"),
}


def bring_all(
    store: Store, folder: Path, addresses: Iterable[str], kind: str, *, now: datetime, newsletters: Sequence[str] = BOTH
) -> dict[str, str]:
    """Import these addresses as one file from another tool; return the reasons for refusals, by address.

    A dry run must have the same result.
    """
    heading, row = FILES[kind]
    text = "\n".join([heading, *map(row, addresses), ""]).replace("weekly daily", " ".join(newsletters))
    told: list[tuple[list[str], ImportReport]] = []
    done = Imported()
    for dry_run in (True, False):
        done = bring(
            store,
            folder / f"{kind}.csv",
            text,
            newsletters=newsletters[:1],
            known=newsletters,
            at=now,
            dry_run=dry_run,
        )
        told.append((done.refused, replace(done.report, number=0)))
    assert told[0] == told[1], (told[0], told[1])
    return {refusal.address: refusal.reason.removeprefix(refusal.address).strip() for refusal in done.refusals}
