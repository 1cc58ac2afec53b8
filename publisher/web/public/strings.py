"""The words of the pages for readers, all in one place, and which language a reader gets them in."""

from __future__ import annotations

from types import SimpleNamespace

from publisher.core.i18n import ENGLISH as ENGLISH_TAG
from publisher.core.i18n import LOCALE_FOLDER, Plural, speak
from publisher.core.templates import Templates
from publisher.site.pages.signup import form_words

ENGLISH: dict[str, str | Plural] = {
    "subscribe": "Subscribe to {title}",
    "sent_title": "Look into your mailbox",
    "sent": "If {address} can get letters from us, a mail is on its way. Press the button behind its link, "
    "and the letters begin. If nothing comes, look among the spam, or try again in an hour.",
    "confirm": "Confirm your subscription",
    "confirm_asked": "{address} is to get:",
    "confirm_button": "Yes, send me letters",
    "confirm_not_me": "If you did not ask for this, close the page. Nothing will be sent.",
    "confirmed_title": "Thank you",
    "confirmed": "{address} is confirmed. The next letter will find you.",
    "preferences": "Your letters",
    "preferences_of": "What is sent to {address}",
    "saved": "Saved.",
    "not_saved": "This cannot be changed for your address. Answer one of our letters, and we will see to it.",
    "which_language": "Language of these pages and of our notices",
    "language_default": "As on the site",
    "pause": "Pause",
    "pause_keep": "Change nothing",
    "pause_end": "No pause: go on with letters now",
    "weeks": Plural("{count} week without letters", "{count} weeks without letters"),
    "paused_until": "No letters until {date}.",
    "save_button": "Save",
    "move": "Another address",
    "move_hint": "We send a link to the new address. Letters go there when you have pressed the button behind it.",
    "move_button": "Change the address",
    "move_sent": "If {address} can be used, a mail is on its way there.",
    "move_limited": "No mail went to {address} now: one went there, or several went elsewhere for you, in the last "
    "hour. Links that were mailed for another address before do not work any more. Please try again in an hour.",
    "move_confirm": "Get your letters here",
    "move_asked": "Letters for {old} are to go to {address}.",
    "move_confirm_button": "Yes, send them here",
    "moved": "Your letters go to {address} from now on.",
    "move_taken": "{address} has a subscription of its own already. Nothing was changed.",
    "data": "What we know about you",
    "data_hint": "Everything that is kept about you, as a file.",
    "data_link": "Download my data",
    "erase": "Erase me",
    "erase_hint": "Everything that is kept about you is deleted for good, and this address can never be "
    "subscribed again by mistake. It cannot be undone.",
    "erase_link": "Erase everything about me",
    "erase_button": "Erase everything now",
    "erase_back": "No, go back",
    "erased_title": "You are forgotten",
    "erased": "Everything about {address} was deleted. You will not hear from us again.",
    "leave": "Unsubscribe",
    "leave_asked": "Do you want to stop getting {title}?",
    "leave_reason": "If you like, tell us why",
    "leave_button": "Stop {title}",
    "leave_all_button": "Stop all letters",
    "left_title": "You are unsubscribed",
    "left": "{title} is not sent to you any more.",
    "left_all": "No letters are sent to you any more.",
    "back_button": "I left by mistake: send it again",
    "back_title": "Welcome back",
    "back": "You get letters again, as before.",
    "not_back": "We cannot begin again by ourselves. Please subscribe anew.",
    "bad_link": "This link does not work",
    "bad_link_hint": "It was used already, is too old, or was not copied whole. If you pressed its button before, "
    "all is done. Otherwise take the link from your newest letter.",
    "bad_form": "This form was not understood",
    "bad_address": "This is no e-mail address: {address}",
    "bad_choice": "Choose at least one newsletter.",
    "stale_choice": "What can be chosen has changed since this page was opened. Please choose again.",
    "bad_form_hint": "Go back and send it once more.",
    "too_long": "The form is too long.",
    "too_slow": "The form took too long to arrive.",
    "too_many": "Too many forms came from where you are",
    "too_many_hint": "Please try again in an hour.",
    "busy": "We cannot do this just now",
    "busy_hint": "Nothing was changed. Please try again in a few minutes.",
    "nothing": "There is nothing here",
    "nothing_hint": "The address may be mistyped.",
}


def speech(language: str, templates: Templates) -> SimpleNamespace:
    """Return the words in a language (BCP 47), the form's among them.

    Templates say `say.leave`; `say.language` is what they are in.
    """
    spoken = speak("web", ENGLISH, language, templates.folders)
    form = vars(form_words(language, templates))
    return SimpleNamespace(**form | {"language": spoken.language}, **spoken.phrases, **spoken.counted)


def spoken_languages(templates: Templates) -> tuple[str, ...]:
    """Return the languages that there are catalogs for, English with them, sorted."""
    found = {path.stem for folder in templates.folders for path in (folder / LOCALE_FOLDER).glob("*.po")}
    return tuple(sorted({ENGLISH_TAG, *(tag.replace("_", "-") for tag in found)}))


def preferred(accept: str, spoken: tuple[str, ...], default: str) -> str:
    """Return the language of an Accept-Language header (RFC 9110, 12.5.4) that is spoken here, else the default.

    pt-BR is content with pt. What cannot be read counts for nothing.
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
