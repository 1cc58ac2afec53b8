"""The keys of newsletters, and of the mail that carries them."""

from dataclasses import dataclass, field, fields
from typing import Annotated, Literal

from publisher.config import checks
from publisher.config.checks import STRICT, Check, Doc
from publisher.config.durations import parse_duration
from publisher.config.mail import Dkim, Relay, Smtp, bounce_address, dns_server
from publisher.config.theme import Theme


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsletterConfig:
    """[[newsletters]]: one standing promise to readers."""

    __pydantic_config__ = STRICT

    name: Annotated[
        str, Check(checks.short_name), Doc("Short and permanent: it stands in commands, paths and List-Id.")
    ]
    title: Annotated[str, Doc("What readers see. Default: the title of the site.")] = ""
    description: Annotated[str, Doc("One sentence that says what readers get.")] = ""
    schedule: Annotated[str, Check(checks.schedule), Doc("When an edition is due.")] = "manual"
    max_lateness: Annotated[
        str,
        Check(parse_duration),
        Doc("How late a missed edition still goes by itself, like 90m, 12h, 2d; a later one waits for a person."),
    ] = "12h"
    settle_minutes: Annotated[
        int,
        Check(checks.between(0, 10_080)),
        Doc("Of `each post`: minutes that a post rests after it is published or changed, so that it can be mended."),
    ] = 10
    approve: Annotated[bool, Doc("Whether each edition waits until the owner approves it.")] = False
    approve_hours: Annotated[
        int, Check(checks.between(0, 168)), Doc("Hours before its time at which an edition is made for approval.")
    ] = 24
    hold_on_errors: Annotated[bool, Doc("Whether an edition with a finding of level error waits for a person.")] = True
    tags: Annotated[tuple[str, ...], Doc("Takes posts with any of these tags; none means all posts.")] = ()
    topics: Annotated[
        tuple[str, ...], Doc("Tags that readers may choose among when they subscribe; none offers no choice.")
    ] = ()
    welcome: Annotated[bool, Doc("Whether the newest edition is mailed to who just confirmed.")] = False
    template: Annotated[str, Check(checks.short_name), Doc("Template of the letter: templates/email/NAME.html.")] = (
        "digest"
    )
    content: Annotated[Literal["full", "excerpt"], Doc("Whole posts in the letter, or their excerpts.")] = "excerpt"
    subject: Annotated[
        str, Doc("Subject, of {title} {number} {date} {first} {count}. Default: the first post's title.")
    ] = ""
    text_links: Annotated[
        Literal["end", "inline"], Doc("In the plain text: links numbered below each post, or where they are.")
    ] = "end"
    theme: Annotated[Theme, Doc("What looks different from [theme] in this newsletter's letters.")] = field(
        default_factory=Theme
    )
    intro: Annotated[str, Doc("A few words above the posts, in Markdown.")] = ""
    minimum: Annotated[int, Check(checks.between(1, 1_000)), Doc("No edition before so many new posts wait.")] = 1
    maximum: Annotated[
        int,
        Check(checks.between(1, 1_000)),
        Doc("Most posts in one edition, oldest first; the rest wait for the next."),
    ] = 50
    first: Annotated[
        int,
        Check(checks.between(1, 1_000)),
        Doc("How many of the newest posts the first edition takes; older ones never go."),
    ] = 5
    since: Annotated[
        str, Check(checks.civil_date), Doc("Instead of `first`: the first edition starts from this day.")
    ] = ""
    sender: Annotated[str, Check(checks.mail_address), Doc("From address. Default: mail.sender.")] = ""
    reply_to: Annotated[str, Check(checks.mail_address), Doc("Where answers go. Default: mail.reply_to.")] = ""
    language: Annotated[
        str, Check(checks.language_tag), Doc("Language of the letter's own words. Default: site.language.")
    ] = ""
    timezone: Annotated[
        str, Check(lambda v: v and checks.time_zone(v)), Doc("Zone of the schedule. Default: site.timezone.")
    ] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """[mail]: who sends, and by which way."""

    __pydantic_config__ = STRICT

    sender: Annotated[
        str, Check(checks.mail_address), Doc("From address of letters, with a name: Ada <ada@example.org>.")
    ] = ""
    reply_to: Annotated[str, Check(checks.mail_address), Doc("Where answers go, if not to the sender.")] = ""
    owner: Annotated[
        str,
        Check(checks.mail_address),
        Doc("Who is told of editions that wait for a person, and of broken posts. Without it, nobody is."),
    ] = ""
    transport: Annotated[
        Literal["outbox", "smtp"], Doc("outbox writes .eml files into a Maildir; smtp really sends.")
    ] = "outbox"
    outbox: Annotated[str, Check(checks.project_path), Doc("Folder of the outbox.")] = "outbox"
    bounces: Annotated[
        str,
        Check(bounce_address),
        Doc("Bare address to which failures come back; each message gets its own: name+TOKEN@domain."),
    ] = ""
    resolver: Annotated[
        str,
        Check(dns_server),
        Doc("DNS server that `publisher mail doctor` asks: 192.0.2.53, 127.0.0.1:5353. Default: the system's."),
    ] = ""
    smtp: Annotated[Smtp, Doc("The mail server.")] = field(default_factory=Smtp)
    relays: Annotated[
        tuple[Relay, ...], Doc("Several mail servers instead of [mail.smtp]; they share the work and stand in.")
    ] = ()
    dkim: Annotated[tuple[Dkim, ...], Doc("The keys that sign messages; one RSA and one Ed25519 key may be used.")] = ()

    @property
    def servers(self) -> tuple[Relay, ...]:
        """The mail servers there are: the relays, or else the one of [mail.smtp]."""
        if self.relays:
            return self.relays
        return (Relay(**{item.name: getattr(self.smtp, item.name) for item in fields(Smtp)}),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivering:
    """[delivery]: what happens between the ledger and the mail server."""

    __pydantic_config__ = STRICT

    on_uncertain: Annotated[
        Literal["resend", "hold"],
        Doc("A message that was handed over and never acknowledged: send the same again, or wait for a person."),
    ] = "resend"
    lease_seconds: Annotated[
        int,
        Check(checks.between(10, 3_600)),
        Doc("How long a worker may keep a batch before another takes it over."),
    ] = 120
    keep_days: Annotated[
        int,
        Check(checks.between(30, 36_500)),
        Doc("How long it is kept who got which edition; then only how many did."),
    ] = 400
