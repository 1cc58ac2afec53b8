"""All texts of the pages for subscribers, and the choice of the language in which a visitor sees them."""

from __future__ import annotations

from types import SimpleNamespace

from publisher.core.i18n import ENGLISH as ENGLISH_TAG
from publisher.core.i18n import LOCALE_FOLDER, Plural, direction, translate
from publisher.core.templates import Templates
from publisher.site.pages.signup import form_words

ENGLISH: dict[str, str | Plural] = {
    "subscribe": "Subscribe to {title}",
    "sent_title": "Check your inbox",
    "sent": "If {address} can receive email from us, we’ve sent it a confirmation link. Click it to start receiving "
    "the newsletter. If it doesn’t arrive, check your spam folder, or try again in an hour.",
    "step": "One more click",
    "step_asked": "Press the button to sign up {address}. It keeps robots out.",
    "working": "One moment…",
    "needs_script": "To keep robots out, this form needs JavaScript. If yours is off, turn it on or write to "
    "{address}, and we’ll sign you up.",
    "confirm": "Confirm your subscription",
    "confirm_asked": "{address} will receive:",
    "confirm_button": "Confirm subscription",
    "confirm_not_me": "If you didn’t ask for this, just close the page. We won’t send you anything.",
    "confirmed_title": "You’re subscribed",
    "confirmed": "{address} is confirmed. The next edition will arrive in your inbox.",
    "preferences": "Email preferences",
    "preferences_of": "Your subscriptions ({address})",
    "saved": "Saved.",
    "saved_waiting": "Saved. You unsubscribed from {newsletters} some time ago. To receive it again, use the link that "
    "we’ve sent to {address}.",
    "not_saved": "This can’t be changed here for your address. Reply to any of our emails and we’ll do it for you.",
    "which_language": "Language of these pages and of emails about your subscription",
    "language_default": "Same as the site",
    "how_often": "How often",
    "pause": "Pause",
    "pause_hint": "A pause applies to all newsletters. Emails that are sent during a pause don’t arrive later.",
    "pause_keep": "No change",
    "pause_end": "Resume now",
    "weeks": Plural("Pause for {count} week", "Pause for {count} weeks"),
    "paused_until": "Paused until {date}.",
    "save_button": "Save",
    "move": "Change email address",
    "move_hint": "We’ll send a link to the new address. The change takes effect once you confirm it there.",
    "move_button": "Change address",
    "move_sent": "If {address} can be used, we’ve sent it a confirmation link.",
    "move_limited": "We haven’t sent another link to {address}: you’ve had as many as we send in an hour. Earlier "
    "links to other addresses no longer work. Please try again in an hour.",
    "move_confirm": "Confirm your new address",
    "move_asked": "Email for {old} will go to {address} instead.",
    "move_confirm_button": "Confirm",
    "moved_title": "Your address has been changed",
    "moved": "Your newsletters will now be sent to {address}.",
    "move_taken": "{address} is already subscribed. Nothing has changed.",
    "account": "Your data and your address",
    "account_hint": "To change your address, or to download or delete your data, you need a link, which we’ll "
    "send to {address}. It works once.",
    "account_button": "Email me the link",
    "account_sent": "We’ve sent a link to {address}. It works once, within 24 hours. If it doesn’t arrive, check your "
    "spam folder, use the link in an earlier email, or try again later.",
    "account_once": "This link works once. For anything else, ask for another one on the preferences page.",
    "account_over": "It has already been used, has expired, or was copied incompletely. You can ask for another one on "
    "the preferences page.",
    "data": "Your data",
    "data_hint": "Everything we store about you, as a file.",
    "data_button": "Download my data",
    "erase": "Delete my data",
    "erase_hint": "This permanently deletes everything we store about you and blocks this address from being signed "
    "up again. It can’t be undone.",
    "erase_link": "Delete my data",
    "erase_button": "Delete my data permanently",
    "erase_back": "Cancel",
    "erased_title": "Your data has been deleted",
    "erased": "Everything we stored about {address} has been deleted. You won’t hear from us again. If the address is "
    "ever signed up again, we’ll only send it an email saying that it’s on our suppression list.",
    "never": "Never write to me again",
    "never_asked": "{address} will be put on our suppression list: we’ll never write to it again, and nobody can sign "
    "it up.",
    "never_button": "Never write to me again",
    "never_title": "We won’t write to you again",
    "never_done": "{address} is on our suppression list.",
    "leave": "Unsubscribe",
    "leave_asked": "Do you want to unsubscribe from {title}?",
    "leave_reason": "If you like, tell us why",
    "leave_button": "Unsubscribe from {title}",
    "leave_all_button": "Unsubscribe from everything",
    "left_title": "You’ve been unsubscribed",
    "left": "You won’t receive {title} any more.",
    "left_all": "You won’t receive any more emails from us.",
    "back_button": "Undo",
    "back_title": "Welcome back",
    "back": "You’re subscribed again.",
    "not_back": "We can’t restore this subscription. Please sign up again.",
    "draft_line": "This is a draft, shown to you before it is published. The link works until {date}.",
    "draft_over": "This link has ended",
    "draft_over_hint": "Ask the person who sent it to you for a new one.",
    "draft_gone": "This draft is no longer here",
    "draft_gone_hint": "It has been moved or deleted. Ask the person who sent you the link.",
    "draft_broken": "This draft can’t be shown right now",
    "draft_broken_hint": "Something in it must be corrected first. Please try again later.",
    "test_copy": "This is a test copy",
    "test_copy_hint": "The links of a test email work, but they change nothing.",
    "bad_link": "This link doesn’t work",
    "bad_link_hint": "It has already been used, has expired, or was copied incompletely. If you have already "
    "confirmed, there is nothing more to do. Otherwise use the link in your latest email.",
    "bad_form": "Something went wrong with the form",
    "bad_address": "Please enter a valid email address.",
    "bad_choice": "Choose at least one newsletter.",
    "stale_choice": "The options have changed since you opened this page. Please choose again.",
    "bad_form_hint": "Please go back and try again.",
    "too_long": "The form is too long.",
    "too_slow": "The form took too long to arrive.",
    "too_many": "Too many attempts from your network",
    "too_many_hint": "Please try again in an hour.",
    "busy": "We can’t do this right now",
    "busy_hint": "Nothing has changed. Please try again in a few minutes.",
    "busy_hour": "Nothing has changed. Please try again in an hour.",
    "nothing": "Page not found",
    "nothing_hint": "The address may be mistyped.",
}


def speech(language: str, templates: Templates) -> SimpleNamespace:
    """Return the texts in a language (a BCP 47 tag), including those of the sign-up form.

    Templates use the texts as attributes, such as `say.leave`. `say.language` is the language that the texts are in.
    """
    spoken = translate("web", ENGLISH, language, templates.folders)
    form = vars(form_words(language, templates))
    tongue = {"language": spoken.language, "direction": direction(spoken.language)}
    return SimpleNamespace(**form | tongue, **spoken.phrases, **spoken.counted)


def spoken_languages(templates: Templates) -> tuple[str, ...]:
    """Return the sorted tags of the languages that have a catalog, and of English."""
    found = {path.stem for folder in templates.folders for path in (folder / LOCALE_FOLDER).glob("*.po")}
    return tuple(sorted({ENGLISH_TAG, *(tag.replace("_", "-") for tag in found)}))


def preferred(accept: str, spoken: tuple[str, ...], default: str) -> str:
    """Return the best available language for an Accept-Language header (RFC 9110, 12.5.4).

    accept   the header; parts that cannot be parsed are ignored
    spoken   the tags of the available languages; "pt" also serves a visitor who asks for "pt-BR"
    default  the language to return if none of the requested languages is available
    """
    known = {tag.casefold(): tag for tag in spoken}
    wanted: list[tuple[float, int, str]] = []
    for position, part in enumerate(accept[:500].split(",")):
        tag, _, weight = part.strip().partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        if 0 < quality <= 1:
            wanted.append((-quality, position, tag.strip()))
    for _, _, tag in sorted(wanted):
        for candidate in (tag.casefold(), tag.casefold().partition("-")[0]):
            if candidate in known:
                return tag if candidate == tag.casefold() else known[candidate]
    return default
