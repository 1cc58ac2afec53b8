"""The language that the path of a file names: hello.fr.md, hello/index.fr.md, or a file in a folder fr/.

Hugo, Nikola and most plugins of other tools use these forms. If site.languages is set, each of its languages is
recognised as an ending and as a folder. Other languages are recognised only as an ending, and only if the same text
exists without it or in another language: release.v2.md stays a name, and so does what.is.md alone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import NamedTuple

from publisher.config import Tool
from publisher.core import patterns
from publisher.posts.permalinks import name_of

# Codes of ISO 639-1, and those of three letters for which the Common Locale Data Repository has texts.
_CODES = frozenset(
    """
    aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo
    es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg
    ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn
    no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta
    te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
    ast bal ceb chr ckb dsb fil frr fur gez gsw haw hsb kab kok lij lmo mai mni mus nds nso pap pcm sah sat scn shi sid
    sma smj smn sms syr szl tok tpi tzm vec wae yue zgh
    """.split()  # noqa: SIM905
)
_TAG = patterns.compile(r"[a-z]{2,3}(?:-[a-z]{4})?(?:-(?:[a-z]{2}|\d{3}))?")


class PathLanguage(NamedTuple):
    """The language that the path of a file names.

    language  its tag, as BCP 47 or site.languages spells it
    part      the tag as it appears in addresses
    source    the path without the ending that names it
    folder    the folder that names it; "" if the ending does
    """

    language: str
    part: str
    source: str
    folder: str


# Where Docusaurus has the translations of its blog, without and with the folder of their language.
_TRANSLATED = patterns.compile(r"^i18n/docusaurus-plugin-content-blog/")
_OF_BLOG = patterns.compile(r"^(?:i18n/[^/]+/docusaurus-plugin-content-blog|blog)/")
# The parts of a pattern that contain the folder of a language.
_OF_FOLDER = ("{folder}", "{section}", "{categories}")


def path_language(source: str, languages: tuple[str, ...], translated: Collection[str]) -> PathLanguage | None:
    """Return the language that the path of a file names; None if it names none.

    languages   the languages of the site; () if they are not set
    translated  the result of translated_sources
    """
    if not languages and source not in translated:
        return None
    folder, slash, name = source.rpartition("/")
    plain, tag, ending = _divided(name)
    known = _known(languages)
    if plain and (tag in known or (source in translated and _spelled(tag))):
        language = known.get(tag, _spelled(tag))
        return PathLanguage(language, known.get(tag, tag), f"{folder}{slash}{plain}.{ending}", "")
    for part in folder.split("/") if languages else ():
        if _folded(part) in known:
            return PathLanguage(known[_folded(part)], known[_folded(part)], source, part)
    return None


def language_of_folder(name: str) -> str:
    """Return the language whose code is the name of a folder, as BCP 47 spells it; "" if there is none."""
    return _spelled(_folded(name))


def translated_sources(sources: Collection[str], endings: Sequence[str]) -> frozenset[str]:
    """Return the files whose ending names a language, if the same text exists without it or in another language.

    sources  all post files
    endings  the extensions of post files
    """
    found: dict[str, list[str]] = {}
    for source in [each for each in sources if each.count(".") > 1]:
        folder, slash, name = source.rpartition("/")
        plain, tag, _ = _divided(name)
        if plain and _spelled(tag):
            found.setdefault(f"{folder}{slash}{plain}", []).append(source)
    return frozenset(
        source
        for plain, group in found.items()
        if len(group) > 1 or any(f"{plain}{ending}" in sources for ending in endings)
        for source in group
    )


def group_of(source: str, languages: tuple[str, ...], translated: Collection[str]) -> str:
    """Return a key that is the same for the files of one text in all languages."""
    spoken = path_language(source, languages, translated)
    parts = (spoken.source if spoken else source).split("/")
    if spoken and spoken.folder:
        parts.remove(spoken.folder)
    name = "/".join(name_of("/".join(parts)))
    return _TRANSLATED.sub("blog/", name) if spoken and spoken.folder else name


def blog_folder(folder: str) -> str:
    """Return the folder of a Docusaurus post in its blog, given its folder in the project.

    The blog is blog/, and its translations are in i18n/fr/docusaurus-plugin-content-blog/.
    """
    return _OF_BLOG.sub("", f"{folder}/").rstrip("/")


def in_address(spoken: PathLanguage, pattern: str, folder: str, site_language: str, tool: Tool = "") -> tuple[str, str]:
    """Return the permalink pattern and the folder for a file whose path names its language.

    If the pattern has no place for the language, the address begins with it, except for the site's own language. Hugo
    takes the folder of a language out of the address in any case.
    """
    if "{lang}" in pattern or tool == "hugo":
        kept = list(folder.split("/"))
        if spoken.folder in kept:
            kept.remove(spoken.folder)
        folder = "/".join(kept)
    has_folder = spoken.folder and tool != "hugo" and any(part in pattern for part in _OF_FOLDER)
    if has_folder or "{lang}" in pattern or _folded(spoken.language) == _folded(site_language):
        return pattern, folder
    return f"/{spoken.part}{pattern}", folder


def _divided(name: str) -> tuple[str, str, str]:
    """Split a file name such as hello.fr.md into name, tag and extension; without a tag, name and tag are ""."""
    stem, _, ending = name.rpartition(".")
    plain, _, tag = stem.rpartition(".")
    return plain, _folded(tag) if plain else "", ending


def _folded(tag: str) -> str:
    return tag.lower().replace("_", "-")


@lru_cache(maxsize=16)
def _known(languages: tuple[str, ...]) -> dict[str, str]:
    return {_folded(each): each for each in languages}


@lru_cache(maxsize=1024)
def _spelled(tag: str) -> str:
    """Return a tag as BCP 47 spells it, such as zh-Hant-TW; "" if it is not the tag of a language."""
    first, *rest = tag.split("-")
    if not _TAG.fullmatch(tag) or first not in _CODES:
        return ""
    return "-".join([first, *(part.title() if len(part) == 4 else part.upper() for part in rest)])
