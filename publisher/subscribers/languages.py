"""Subscribers' languages as tags (BCP 47), and the words that files use for them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from publisher.core import patterns

_TAG = patterns.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,4}", re.ASCII)
_WITH_SUFFIX = patterns.compile(r"([^.@]*)[.@][A-Za-z0-9_@.-]*")  # a locale such as de_DE.UTF-8 or sr_RS@latin

# Tag -> the names of the language in English, in the language itself, and in its neighbours' languages.
_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "ar": "arabic|العربية|arabisch|arabe|arabo",
        "bg": "bulgarian|български|bulgarisch|bulgare|bulgaro",
        "bn": "bengali|bangla|বাংলা|bengalisch",
        "ca": "catalan|catala|katalanisch|catalano",
        "cs": "czech|cestina|tschechisch|tcheque|checo|ceco",
        "da": "danish|dansk|danisch|danois|danes|danese",
        "de": "german|deutsch|allemand|aleman|tedesco|duits|alemao|tysk|niemiecki|german (germany)",
        "el": "greek|ελληνικα|griechisch|grec|griego|greco",
        "en": "english|englisch|anglais|ingles|inglese|engels|engelsk|angielski|american english|us english",
        "en-GB": "british english|english uk|uk english",
        "es": "spanish|espanol|spanisch|espagnol|spagnolo|spaans|castellano|castilian|spansk|espanhol",
        "et": "estonian|eesti|estnisch",
        "fa": "persian|farsi|فارسی|persisch",
        "fi": "finnish|suomi|finnisch|finnois|finlandes",
        "fr": "french|francais|franzosisch|frances|francese|frans|fransk|francuski",
        "he": "hebrew|עברית|hebraisch|hebreu|hebreo",
        "hi": "hindi|हिन्दी|हिंदी",
        "hr": "croatian|hrvatski|kroatisch|croate|croata",
        "hu": "hungarian|magyar|ungarisch|hongrois|hungaro|ungherese",
        "id": "indonesian|bahasa indonesia|indonesisch|indonesien",
        "it": "italian|italiano|italienisch|italien|italiaans|italiensk",
        "ja": "japanese|日本語|japanisch|japonais|japones|giapponese",
        "ko": "korean|한국어|koreanisch|coreen|coreano",
        "lt": "lithuanian|lietuviu|litauisch",
        "lv": "latvian|latviesu|lettisch",
        "nb": "norwegian|norsk|norwegisch|norvegien|noruego|norvegese|bokmal|norsk bokmal",
        "nl": "dutch|nederlands|niederlandisch|hollandisch|neerlandais|holandes|neerlandes|olandese|flemish|vlaams",
        "pl": "polish|polski|polnisch|polonais|polaco|polacco",
        "pt": "portuguese|portugues|portugiesisch|portugais|portoghese|portugees",
        "pt-BR": "brazilian portuguese|portuguese brazil|portugues brasil|portugues do brasil|brasilianisch",
        "ro": "romanian|romana|rumanisch|roumain|rumano|rumeno",
        "ru": "russian|русский|russisch|russe|ruso|russo",
        "sk": "slovak|slovencina|slowakisch|slovaque|eslovaco",
        "sl": "slovenian|slovene|slovenscina|slowenisch|slovene|esloveno",
        "sr": "serbian|srpski|српски|serbisch|serbe|serbio",
        "sv": "swedish|svenska|schwedisch|suedois|sueco|svedese|zweeds",
        "th": "thai|ไทย",
        "tr": "turkish|turkce|turkisch|turc|turco",
        "uk": "ukrainian|українська|ukrainisch|ukrainien|ucraniano|ucraino",
        "vi": "vietnamese|tieng viet|vietnamesisch",
        "zh": "chinese|中文|chinesisch|chinois|chino|cinese|mandarin|汉语",
        "zh-Hans": "simplified chinese|chinese simplified|简体中文",
        "zh-Hant": "traditional chinese|chinese traditional|繁體中文",
    }
)


def clean_language(text: str) -> str:
    """Return the language tag (BCP 47) for a text, or "" if it does not name a language.

    A text may be a tag, a locale such as de_DE.UTF-8, or a name such as German, in several languages.
    """
    bare = text.strip()
    if not bare or len(bare) > 60:
        return ""
    from publisher.subscribers.csv_status_words import plain  # not at the top: the words take 2 ms, as in _by_name

    known = _by_name().get(plain(bare))
    suffixed = _WITH_SUFFIX.fullmatch(bare)
    tag = suffixed[1] if suffixed else bare
    if known is not None:
        return known
    return tag.replace("_", "-") if _TAG.fullmatch(tag) else ""


@cache
def _by_name() -> Mapping[str, str]:
    from publisher.subscribers.csv_status_words import plain

    return {plain(name): tag for tag, names in _NAMES.items() for name in names.split("|")}
