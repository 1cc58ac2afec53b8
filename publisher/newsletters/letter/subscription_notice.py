"""Emails about a subscription, such as the confirmation; they have the design of the newsletter's editions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime
from types import SimpleNamespace
from typing import Literal

from publisher.config import Config, NewsletterConfig
from publisher.config.palette import looks_of
from publisher.config.theme import DEFAULT
from publisher.core.frozen import dataclass
from publisher.core.i18n import Plural, Translation, civil_date, translate
from publisher.core.newsletter_models import Letter, Mark
from publisher.core.personal_marks import filled, filled_html, for_everyone
from publisher.core.personal_templates import without_tags
from publisher.core.subscriber_fields import FieldValue
from publisher.core.templates import Templates
from publisher.newsletters.letter.compose import text_view
from publisher.newsletters.letter.css_sources import sources_of
from publisher.newsletters.letter.email_strings import direction, words_of
from publisher.newsletters.letter.inline_css import inline_css
from publisher.newsletters.letter.own_text import OwnText
from publisher.newsletters.letter.personal import finished
from publisher.newsletters.letter.safe_text import one_line
from publisher.newsletters.letter.template_context import LetterView, feed_url, postal_lines, postal_name
from publisher.newsletters.letter.text_lines import WIDTH, underlined, wrap

HTML_TEMPLATE, TEXT_TEMPLATE = "email/notice.html", "email/notice.txt"
NoticeKind = Literal["confirm", "already", "suppressed", "address", "moved", "account", "farewell"]

ENGLISH: dict[str, str | Plural] = {
    "hello": "Hello {name},",
    "confirm_subject": "Confirm your subscription to {title}",
    "confirm_text": "You (we hope) signed up {address} for:",
    "confirm_button": "Confirm my subscription",
    "confirm_not_me": "If this wasn’t you, just ignore this email: you won’t be subscribed. The link expires on "
    "{date}.",
    "already_subject": "You’re already subscribed to {title}",
    "already_text": "Someone, perhaps you, signed up {address} for newsletters it already receives:",
    "already_button": "Manage preferences",
    "already_not_me": "Nothing has changed. If this wasn’t you, you can ignore this email.",
    "suppressed_subject": "{title} can’t be sent to your address",
    "suppressed_text": "Someone, perhaps you, signed up {address}. But this address is on our suppression list, so it "
    "won’t receive:",
    "suppressed_not_me": "Was it you? Then reply to this email, and we’ll take your address off the list. If not, "
    "there’s nothing to do.",
    "address_subject": "Confirm your new address for {title}",
    "address_text": "A subscriber to {title} asked to receive it at {address} from now on.",
    "address_button": "Confirm this address",
    "address_not_me": "If this wasn’t you, ignore this email and nothing will change. The link expires on {date}.",
    "moved_subject": "Your email address for {title} has changed",
    "moved_text": "As requested, {title} will no longer be sent to {address}, but to a new address.",
    "moved_button": "Change it back",
    "moved_not_me": "If this wasn’t you, change the address back with this link. It expires on {date}.",
    "account_subject": "Your data and your address",
    "account_text": "With this link you can change the address {address}, download everything that we store about you, "
    "or delete it. It works once.",
    "account_button": "Open",
    "account_not_me": "If this wasn’t you, someone has an email that we sent you, perhaps because you forwarded it. "
    "They can do none of this without the link above. It expires on {date}.",
    "farewell_subject": "You’ve been unsubscribed from {title}",
    "farewell_text": "As requested, {address} will no longer receive:",
    "farewell_button": "Subscribe again",
    "farewell_not_me": "If this wasn’t you, perhaps someone used a link in an email that you forwarded. You can "
    "subscribe again with this link until {date}.",
    "never": "Never write to me again",
}


@dataclass(frozen=True, slots=True)
class NoticeFacts:
    """The facts of one notice: its kind, and the subscription that it concerns.

    newsletters  the names of newsletters; the first newsletter determines the design and the sender
    name         the subscriber's name, or "" if it is not known
    link         the URL of the button, or "" for a notice without a button
    language     a BCP 47 tag; "" stands for the newsletter's language
    expires      when the link stops working; None if it never does
    never_link   the URL with which the recipient ends all such emails, or ""
    own          the owner's words, in place of the usual ones; None if there are none
    fields       the subscriber's own fields, to fill in the owner's words; None if the words are for no particular
                 subscriber
    """

    kind: NoticeKind
    newsletters: tuple[str, ...]
    name: str
    address: str
    link: str
    language: str
    made_at: datetime
    expires: datetime | None = None
    never_link: str = ""
    own: OwnText | None = None
    fields: Mapping[str, FieldValue] | None = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NoticeView:
    """The texts of a notice for its templates.

    own_html, own_text  the owner's words, which replace `hello` and `text`; "" if there are none
    """

    hello: str
    text: str
    titles: tuple[str, ...]
    button: str
    not_me: str
    link: str
    never_link: str
    own_html: str = ""
    own_text: str = ""
    own_language: str = ""
    own_direction: str = ""


def notice_letter(config: Config, facts: NoticeFacts, templates: Templates) -> Letter:
    """Compose a notice. It is written for one subscriber, so it contains no marks unless its facts contain some.

    Raises TemplateError for a template that cannot be rendered.
    """
    newsletter = _newsletter(config, facts.newsletters)
    title = config.newsletter_title(newsletter) if newsletter else config.site.title
    own = config.newsletter_language(newsletter) if newsletter else config.site.language
    spoken = translate("notice", ENGLISH, facts.language or own, templates.folders)
    subject, view = _in_words(config, facts, spoken)
    name = newsletter.name if newsletter else ""
    preheader = view.text
    if facts.own and newsletter:
        subject, preheader, view = _in_own_words(config, newsletter, facts.own, facts, view, templates)
    letter = _letter_view(config, title, name, subject, facts, preheader, spoken.language)
    theme = config.newsletter_theme(newsletter) if newsletter else config.theme.over(DEFAULT)
    looks = looks_of(theme, config.site_url)
    context = {
        "letter": letter,
        "notice": view,
        "posts": (),
        "words": SimpleNamespace(**spoken.phrases),
        "mark": Mark,
        "looks": looks,
    }
    html = for_everyone(without_tags(templates.render(HTML_TEMPLATE, **context)))
    html = inline_css(html, HTML_TEMPLATE, lambda: sources_of(templates, HTML_TEMPLATE))
    text = templates.render(
        TEXT_TEMPLATE,
        **context,
        wrapped=lambda value, sign="": sign + "\n".join(wrap(value, WIDTH - len(sign))),
        underlined=lambda value, sign="=": "\n".join(underlined(value, sign)),
        rule="-" * WIDTH,
    )
    text = for_everyone(without_tags(text))
    return Letter("", letter.subject, letter.preheader, html, text.strip("\n") + "\n")


def _in_words(config: Config, facts: NoticeFacts, spoken: Translation) -> tuple[str, NoticeView]:
    """Return the subject and the texts of a notice."""
    titles = _titles(config, facts.newsletters)
    values = {
        "title": titles[0] if len(titles) == 1 else one_line(config.site.title),
        "address": facts.address,
        "name": facts.name,
        "date": civil_date(facts.expires.astimezone(config.zone), spoken.language) if facts.expires else "",
    }
    say = {key: phrase.format(**values) for key, phrase in spoken.phrases.items()}
    view = NoticeView(
        hello=say["hello"] if facts.name else "",
        text=_sentence(say[f"{facts.kind}_text"], after_hello=bool(facts.name)),
        titles=() if facts.kind in ("address", "moved", "account") else titles,
        button=say.get(f"{facts.kind}_button", ""),
        not_me=say[f"{facts.kind}_not_me"],
        link=facts.link,
        never_link=facts.never_link,
    )
    return say[f"{facts.kind}_subject"], view


def _in_own_words(
    config: Config,
    newsletter: NewsletterConfig,
    own: OwnText,
    facts: NoticeFacts,
    view: NoticeView,
    templates: Templates,
) -> tuple[str, str, NoticeView]:
    """Return the subject, the preheader and the texts of a notice in the owner's words, for its subscriber."""
    language = config.newsletter_language(newsletter)
    shown = text_view(config, newsletter, own, facts.made_at, words_of(language, templates))
    marked = Letter("", shown.subject, shown.preheader, shown.intro, shown.intro_text)
    letter = finished(marked, own.path, config, newsletter)
    person = {} if facts.fields is None else {**facts.fields, "name": facts.name, "address": facts.address}
    subject, preheader, text = (filled(each, person) for each in (letter.subject, letter.preheader, letter.text))
    parts = {"own_html": filled_html(letter.html, person), "own_text": text.strip("\n")}
    titles = view.titles if len(view.titles) > 1 else ()
    own_view = replace(view, titles=titles, own_language=language, own_direction=direction(language), **parts)
    return subject, preheader, own_view


def _letter_view(
    config: Config, title: str, newsletter: str, subject: str, facts: NoticeFacts, preheader: str, language: str
) -> LetterView:
    return LetterView(
        newsletter=newsletter,
        title=one_line(title),
        subject=subject,
        preheader=preheader,
        number=0,
        slot="",
        date=facts.made_at.astimezone(config.zone),
        language=language,
        direction=direction(language),
        content="titles",
        intro="",
        intro_text="",
        web_copy_url="",
        site_url=f"{config.site_url}/",
        feed_url=feed_url(config, config.newsletter(newsletter)),
        postal=postal_lines(config),
        postal_name=postal_name(config, one_line(title)),
    )


def _newsletter(config: Config, names: Sequence[str]) -> NewsletterConfig | None:
    found = (config.newsletter(name) for name in names)
    return next(filter(None, found), config.newsletters[0] if config.newsletters else None)


def _titles(config: Config, names: Sequence[str]) -> tuple[str, ...]:
    found = [newsletter for name in names if (newsletter := config.newsletter(name))]
    return tuple(dict.fromkeys(one_line(config.newsletter_title(newsletter)) for newsletter in found))


def _sentence(text: str, *, after_hello: bool) -> str:
    """Capitalise a sentence; after a salutation it is left as it is, because languages differ there."""
    return text if after_hello else text[:1].upper() + text[1:]
