"""The tables about newsletters and their subscribers: [[newsletters]] and [subscribers]."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Literal

from publisher.config import checks, subscriber_checks
from publisher.config.keys import Check, Doc
from publisher.config.schedule import parse_duration, parse_schedule
from publisher.config.theme import Theme
from publisher.core.frozen import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsletterConfig:
    """[[newsletters]]: what one newsletter sends, and when."""

    name: Annotated[
        str, Check(checks.short_name), Doc("Short and permanent: used in commands, URLs and the List-Id header.")
    ]
    title: Annotated[str, Doc("Name that subscribers see. Default: the title of the site.")] = ""
    description: Annotated[str, Doc("One sentence that says what subscribers get.")] = ""
    schedule: Annotated[str, Check(checks.schedule), Doc("When an edition is due.")] = "manual"
    frequencies: Annotated[
        tuple[str, ...],
        Check(subscriber_checks.frequencies),
        Doc("Further schedules that subscribers can choose instead, such as a weekly or a monthly one."),
    ] = ()
    segment: Annotated[
        str,
        Check(subscriber_checks.segment),
        Doc("Send it only to these of its subscribers: the name of a segment, or a condition. Empty for all."),
    ] = ""
    max_lateness: Annotated[
        str,
        Check(parse_duration),
        Doc(
            "How late a missed edition may still be sent automatically, such as 90m, 12h or 2d; "
            "a later one is put on hold."
        ),
    ] = "12h"
    settle_minutes: Annotated[
        int,
        Check(checks.between(0, 10_080)),
        Doc(
            "For `each post`, and for the items of sources: minutes to wait after a post is published or changed, "
            "so that it can still be fixed."
        ),
    ] = 10
    max_settle: Annotated[
        str,
        Check(parse_duration),
        Doc("How long an item of a source waits, at most, while it keeps changing, such as 90m, 6h or 1d."),
    ] = "6h"
    priority: Annotated[
        int,
        Check(checks.between(1, 10)),
        Doc("How many messages this newsletter sends in its turn while several newsletters are sent at the same time."),
    ] = 1
    approve: Annotated[bool, Doc("Whether each edition waits for the owner's approval.")] = False
    approve_hours: Annotated[
        int,
        Check(checks.between(0, 168)),
        Doc("Hours before its scheduled time at which an edition is created for approval."),
    ] = 24
    hold_on_errors: Annotated[bool, Doc("Put an edition on hold if it has a finding of level error.")] = True
    tags: Annotated[
        tuple[str, ...], Doc("Take only posts with at least one of these tags; empty takes all posts.")
    ] = ()
    sources: Annotated[
        tuple[str, ...],
        Doc(
            "Names of the [[sources]] whose items it takes; `posts` stands for your own posts. "
            "Empty takes only your own posts."
        ),
    ] = ()
    wait_minutes: Annotated[
        int,
        Check(checks.between(0, 1_440)),
        Doc("How long a due edition waits for a source that can't be fetched before it is sent without it."),
    ] = 60
    topics: Annotated[
        tuple[str, ...], Doc("Tags that subscribers can choose from when they sign up; empty offers no choice.")
    ] = ()
    welcome: Annotated[
        bool,
        Doc(
            "Send the newest edition to new subscribers as soon as they confirm, unless letters/NAME/welcome.md exists."
        ),
    ] = False
    template: Annotated[str, Check(checks.short_name), Doc("Template of the email: templates/email/NAME.html.")] = (
        "digest"
    )
    content: Annotated[Literal["full", "excerpt"], Doc("Whether the email contains whole posts or excerpts.")] = (
        "excerpt"
    )
    subject: Annotated[
        str, Doc("Subject, with {title} {number} {date} {first} {count}. Default: the first post's title.")
    ] = ""
    link_parameters: Annotated[
        str,
        Check(subscriber_checks.link_parameters),
        Doc(
            "Parameters added to links to your own site, so that its statistics tell them apart; may contain "
            "{newsletter} and {slot}: utm_source={newsletter}&utm_medium=email."
        ),
    ] = ""
    text_links: Annotated[
        Literal["end", "inline"],
        Doc("In plain text: show links in a numbered list below each post, or where they occur."),
    ] = "end"
    theme: Annotated[Theme, Doc("What differs from [theme] in this newsletter's emails.")] = field(
        default_factory=Theme
    )
    intro: Annotated[str, Doc("A note above the posts, in Markdown.")] = ""
    minimum: Annotated[int, Check(checks.between(1, 1_000)), Doc("Minimum number of new posts for an edition.")] = 1
    maximum: Annotated[
        int,
        Check(checks.between(1, 1_000)),
        Doc("Maximum number of posts per edition, oldest first; the rest wait for the next."),
    ] = 50
    first: Annotated[
        int,
        Check(checks.between(0, 1_000)),
        Doc(
            "How many of the newest posts the first edition takes; older ones are never sent. "
            "0 takes up to 5, none of them more than 60 days old."
        ),
    ] = 0
    since: Annotated[
        str, Check(checks.civil_date), Doc("Instead of `first`: the first edition takes posts from this day on.")
    ] = ""
    sender: Annotated[str, Check(checks.mail_address), Doc("From address. Default: mail.sender.")] = ""
    reply_to: Annotated[str, Check(checks.mail_address), Doc("Where replies go. Default: mail.reply_to.")] = ""
    language: Annotated[
        str,
        Check(checks.language_tag),
        Doc(
            "Language of the email's fixed texts, and of its posts if `site.languages` is set. Default: site.language."
        ),
    ] = ""
    timezone: Annotated[
        str, Check(checks.time_zone_or_none), Doc("Time zone of the schedule. Default: site.timezone.")
    ] = ""


def frequency_schedules(newsletter: NewsletterConfig) -> dict[str, str]:
    """Return the further schedules that subscribers of a newsletter can choose, by "daily", "weekly" or "monthly"."""
    return {subscriber_checks.FREQUENCIES[parse_schedule(each).kind]: each for each in newsletter.frequencies}


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldConfig:
    """[[fields]]: a field of your own that subscribers have in addition to name and address."""

    name: Annotated[
        str, Check(subscriber_checks.field_name), Doc("Short and permanent, such as city; for emails and files.")
    ]
    kind: Annotated[
        Literal["text", "number", "date", "yes-no"], Doc("What its values are: text, number, date or yes-no.")
    ] = "text"
    label: Annotated[str, Doc("What the admin page calls it. Default: its name.")] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscribersConfig:
    """[subscribers]: how people confirm, and what is stored about them."""

    confirm_days: Annotated[int, Check(checks.between(1, 90)), Doc("Days until a confirmation link expires.")] = 7
    confirm: Annotated[
        Literal["button", "click"],
        Doc(
            "Whether a subscription is confirmed by a button on the page, or by opening the page in a browser. Some "
            "mail scanners open links as a browser does: with `click`, they may confirm for a person."
        ),
    ] = "button"
    farewell: Annotated[
        bool, Doc("Whether to email people who unsubscribed, with a link to come back in case it wasn't them.")
    ] = False
    notify: Annotated[
        Literal["never", "daily", "at once"],
        Doc("Whether to email mail.owner when people subscribe or unsubscribe."),
    ] = "never"
    each_post_once: Annotated[
        bool,
        Doc("Leave out of an email the posts that another newsletter of this project already sent to its recipient."),
    ] = False
    forget_days: Annotated[
        int,
        Check(checks.between(1, 3_650)),
        Doc("Days after which an email address that was entered in a form but never confirmed is deleted."),
    ] = 30
    keep_ip: Annotated[bool, Doc("Whether to store the IP address with each consent event.")] = False
    keep_user_agent: Annotated[bool, Doc("Whether to store the browser's name with each consent event.")] = False
    bounce_limit: Annotated[
        int, Check(checks.between(1, 100)), Doc("Stop sending to an address after this many bounces in a row.")
    ] = 5
