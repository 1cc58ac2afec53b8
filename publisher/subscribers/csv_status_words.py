"""The words by which other tools' files say who must not get email, in several languages.

Column names and cells are compared as `plain` returns them: in lower case, without accents and punctuation.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from enum import Enum

from publisher.core import patterns
from publisher.core.frozen import dataclass
from publisher.core.newsletter_models import SubscriberStatus
from publisher.subscribers import csv_status_languages as languages
from publisher.subscribers.csv_status_languages import LANGUAGES

_S = SubscriberStatus


class Reading(Enum):
    """How the cells of a column are read."""

    WORD = "word"  # the name of a status
    AGAINST = "against"  # anything but "no" means that the person must not get email
    FOR = "for"  # "no" means that the person must not get email


def without_accents(text: str) -> str:
    """Return text without accents, with each letter in its simplest form."""
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKD", text)
    return "".join(character for character in text if not unicodedata.combining(character))


def plain(text: str) -> str:
    """Return text in lower case, without accents, with punctuation and changes of case between letters as spaces."""
    text = without_accents(text)
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", text)
    return " ".join(re.sub(r"[\s_\-:()\[\].?!/]+", " ", text).lower().split()) or text.strip().lower()


def _set(text: str) -> frozenset[str]:
    return frozenset(without_accents(text).lower().split("|"))


def _all(kind: str) -> str:
    """Return the combined pattern of all other languages for a kind of word; see Language."""
    return without_accents("|".join(getattr(language, kind) for language in LANGUAGES.values()))


YES = _set(
    "yes|y|true|t|on|x|✓|✔|☑|checked|enabled|true()|ja|j|si|s|oui|o|sim|tak|da|jes|kylla|igen|ano"
    f"|verdadero|vrai|vero|wahr|sand|{languages.YES}"
)
NO = _set(
    "no|n|false|f|off|✗|✘|☐|unchecked|never|false()|not bounced|not unsubscribed|not blocked"
    f"|nein|nee|non|nao|nej|nie|ne|ei|nem|falso|faux|falsch|falsk|nunca|jamais|{languages.NO}"
)
NOTHING = _set("-|--|–|—|none|null|nil|nan|n a|not set|keine|[]|{}|#n a")
# They mean nothing in a column that speaks against sending email, but in others they may mean that permission is
# missing.
NO_STATUS = frozenset({"none", "not set", "keine"})

_WORDS_OF: Mapping[SubscriberStatus, str] = {
    _S.ACTIVE: (
        "active|subscribed|confirmed|enabled|regular|premium|gifted|trialed|free|paid|comped|comp|gift"
        "|opted in|opt in|optin|verified|deliverable|valid|ok|aktiv|angemeldet|bestatigt|abonniert|abonne|inscrit"
        "|actif|activo|suscrito|confirmado|attivo|iscritto|actief|ativo|aktywny|normal|subscriber"
        "|marketing contact|double opt in|single opt in|opted in email|express|implied|explicit|granted|given"
        "|allow|allowed|permitted|available"
    ),
    _S.PENDING: (
        "unconfirmed|pending|unactivated|not confirmed|unverified|not verified|pending confirmation"
        "|not activated|awaiting confirmation|waiting for confirmation|confirmation pending|waiting"
        "|never confirmed|nonsubscribed|non subscribed|never subscribed|transactional|not opted in"
        "|never opted in|unbestatigt|nicht bestatigt|ausstehend|en attente|non confirme|pendiente"
        "|no confirmado|in attesa|invited|requested|never asked|validating|no permissions set|no permission|not set"
        "|no consent"
    ),
    _S.UNSUBSCRIBED: (
        "unsubscribed|unsubscribe|unsub|non marketing contact|unsubbed|opted out|opt out|optout|optedout"
        "|optedout email|left|gone|deleted|archived|geloscht|supprime|eliminado"
        "|cancelled|canceled|inactive|disabled|deactivated|not subscribed"
        "|no longer subscribed|withdrawn|revoked|removed|quit|signed off|resigned|unsubscribed by user"
        "|unsubscribed by admin|unsubscribed by subscriber|manually unsubscribed|removed by the owner"
        "|removed by owner|unsubscribed by the subscriber|abgemeldet|ausgetragen|inaktiv|desinscrit|desabonne"
        "|inactif|baja|dado de baja|cancelado|inactivo|disiscritto|cancellato|inattivo|uitgeschreven|afgemeld"
        "|inactief|wypisany|descadastrado|avregistrerad|denied|declined|refused|withheld|unmarketable|non marketable"
        "|not allowed"
    ),
    _S.BOUNCED: (
        "bounced|bounce|hard bounce|hard bounced|hardbounce|hardbounced|cleaned|undeliverable|unreachable"
        "|invalid|invalid email|invalid address|dead|mailbox not found|permanent|permanent bounce"
        "|permanent failure|hard|unzustellbar|rebotado|rebote|rimbalzato|rejete|gebounced|email bounced"
        "|quarantined|held"
    ),
    _S.COMPLAINED: (
        "complained|complaint|complaining|complainer|spam|spam complaint|spam report|spam reported"
        "|marked as spam|reported spam|reported as spam|abuse|abuse report|abusereport|abuse complaint|junk"
        "|spammy|feedback loop|fbl|beschwerde|plainte|queja|marked spam|marked email as spam|abused"
    ),
    _S.SUPPRESSED: (
        "suppressed|suppression|manual suppression|blocked|block|blocklisted|blacklisted|blacklist|blocklist"
        "|banned|do not contact|do not mail|do not email|donotcontact|dnc|dnd|deleted|archived|erased"
        "|denylisted|disallowed|gesperrt|bloque|bloqueado|bloccato|geblokkeerd"
        "|excluded|never mail|do not allow|do not send"
    ),
}
WORDS = {word: status for status, words in _WORDS_OF.items() for word in words.split("|")}
WORDS |= {plain(word): _S.ACTIVE for each in LANGUAGES.values() for word in each.active.split("|") if word}
WORDS |= {plain(word): _S.UNSUBSCRIBED for each in LANGUAGES.values() for word in each.gone.split("|") if word}
# In a column of opt-outs, these words mean that there was none. "Confirmed" may mean that the opt-out was confirmed.
NOT_AGAINST = frozenset(
    {"active", "subscribed", "ok", "deliverable", "enabled", "aktiv", "angemeldet", "allow", "allowed", "granted"}
)

# Words that say who must not get email in a cell of any column, whatever its name.
TELLING = frozenset(
    word
    for word, status in WORDS.items()
    if status is not _S.ACTIVE
    and re.search("confirmed|un ?sub|opt(ed)? ?out|bounce|complain|suppress|(block|black)list|spam |do not ", word)
)


@dataclass(frozen=True, slots=True)
class NamePattern:
    """A pattern for the words in a column's name, and their meaning.

    sure: whether the words can mean nothing else
    """

    pattern: str
    reading: Reading
    status: SubscriberStatus
    sure: bool = True


# The first match in a name counts. Words that reverse the meaning of others come before them.
NAME_PATTERNS = (
    NamePattern(
        r"un ?confirm|not (yet )?confirm|un ?verif|un ?activat|non ?subscri|never (opted|confirm)"
        r"|(opt ?in|confirm\w*|subscri\w*|activation|verification) (is )?pending"
        r"|pending (opt|confirm|subscri|activation|verif)",
        Reading.AGAINST,
        _S.PENDING,
    ),
    NamePattern(_all("pending"), Reading.AGAINST, _S.PENDING),
    NamePattern(_all("left"), Reading.AGAINST, _S.UNSUBSCRIBED),
    NamePattern(_all("bounced"), Reading.AGAINST, _S.BOUNCED),
    NamePattern(_all("complained"), Reading.AGAINST, _S.COMPLAINED),
    NamePattern(_all("suppressed"), Reading.AGAINST, _S.SUPPRESSED),
    NamePattern(
        r"(not|no longer|non) (an? )?(subscri|activ|mailable|contactable|enabled)|(un|non) ?(market|mail|contact)able"
        r"|stop (time|date|reason)",
        Reading.AGAINST,
        _S.UNSUBSCRIBED,
    ),
    NamePattern(
        r"(not|un) ?deliverab|un ?reachab|not reachab|(in ?valid|bad|wrong|broken|faulty) ((e ?)?mail|address)"
        r"|((e ?)?mail|address) (is )?(in ?valid|bad\b|wrong|broken|faulty)",
        Reading.AGAINST,
        _S.BOUNCED,
    ),
    NamePattern(
        r"(do|does|may|must|can|should) ?not|dont|dnc\b|dnm\b|dnd\b|never (e ?)?mail|no (e ?)?mail(s"
        r"|ing)?\b|not? contact",
        Reading.AGAINST,
        _S.SUPPRESSED,
    ),
    NamePattern(
        r"un ?sub|opt(ed)? ?outs?|(has|have)? ?opted ?out|sign(ed)? ?(out|off)|de ?subscri|un ?enrol",
        Reading.AGAINST,
        _S.UNSUBSCRIBED,
    ),
    NamePattern(
        r"complain|complaint|spam|abuse|fbl\b|feedback loop",
        Reading.AGAINST,
        _S.COMPLAINED,
    ),
    NamePattern(
        r"(hard|soft|permanent)? ?bounc|undeliver|undelivered|clean(ed)? (time|at|date|on|campaign)"
        r"|cleaned|quarantin|hard ?fail|(date|time) held|held (at|on|date|since)",
        Reading.AGAINST,
        _S.BOUNCED,
    ),
    NamePattern(
        r"suppress|block ?list|black ?list|deny ?list|stop ?list|bann?ed|exclu(ded|sion)|robinson"
        r"|((e ?)?mail|marketing|contact|subscri\w*|newsletter|mailing|sending|delivery|account) (is )?suspended",
        Reading.AGAINST,
        _S.SUPPRESSED,
    ),
    NamePattern(
        r"blocked",
        Reading.AGAINST,
        _S.SUPPRESSED,
    ),
    NamePattern(
        r"(e ?)?mails? (is |are |has been )?(disabled|stopped|paused)|disabled|deactivat|de ?activ"
        r"|in ?activ|revoked|withdr[ae]w|cancel(l)?ed|cancell?ation|resigned",
        Reading.AGAINST,
        _S.UNSUBSCRIBED,
    ),
    NamePattern(
        r"deleted|removed|archived|erased|deletion|removal|anonymi[sz]ed|geloscht|eliminad",
        Reading.AGAINST,
        _S.UNSUBSCRIBED,
    ),
    NamePattern(
        r"left\b|leaving|leave date|gone\b|departed|churn|quit\b|cancel|stopped|lapsed|ended|dead\b|junk"
        r"|invalid|block\b|ban\b|clean\b",
        Reading.AGAINST,
        _S.UNSUBSCRIBED,
        sure=False,
    ),
    NamePattern(
        r"double ?opt|doi\b|opt(ed)? ?(in|ins)\b|optin|confirm|verif|activated|bestatigung",
        Reading.FOR,
        _S.PENDING,
    ),
    NamePattern(_all("confirmed"), Reading.FOR, _S.PENDING),
    NamePattern("zustellbar", Reading.FOR, _S.BOUNCED),
    NamePattern(
        r"(may|can|should|ok|okay|allowed|wants?|agree[sd]?|happy|permission|permitted) (to )?(be )?(get "
        r"|receive |send |for |we )?((e ?)?mail|contact|market|newsletter|news)",
        Reading.FOR,
        _S.UNSUBSCRIBED,
    ),
    NamePattern(
        r"mailable|emailable|contactable|reachable|deliverable|accepts? |(e ?)?mail ?(allowed|permitted"
        r"|permission|ok)|allow (e ?)?mail|receives? |marketing (status|contact)|(e ?)?mail subscri(be|ption)\b",
        Reading.FOR,
        _S.UNSUBSCRIBED,
    ),
    NamePattern(
        r"subscribed (to\b(?! e ?mail| all| news)|lists?|via|through|from|at|on|since)",
        Reading.FOR,
        _S.UNSUBSCRIBED,
        sure=False,
    ),
    NamePattern(
        r"(is |has |e ?mail )?(sub?scribed|enabled)|subscribed|enabled|(is|user|member|contact|subscriber|mail"
        r"|e mail) active"
        r"|\A(currently |still )?active\Z|is ?active|active (user|member|contact|subscri)|aktiv\b|actif\b|activo\b"
        r"|attivo\b|ativo\b|actief\b",
        Reading.FOR,
        _S.UNSUBSCRIBED,
    ),
    NamePattern(_all("wants"), Reading.FOR, _S.UNSUBSCRIBED),
    NamePattern(r"(permission|consent) (\w+ )?status", Reading.WORD, _S.UNSUBSCRIBED),
    NamePattern(
        r"active\b|valid\b|opt\b|agreed|gdpr|dsgvo|rgpd|alive|live\b|allowed|erlaubt|consent|permission|contact"
        r"|kontakt|market|newsletter|mailing|digests?\b",
        Reading.FOR,
        _S.UNSUBSCRIBED,
        sure=False,
    ),
    NamePattern(
        r"\A(status|subscriber type)\Z",
        Reading.WORD,
        _S.UNSUBSCRIBED,
    ),
    NamePattern(
        r"((e ?)?mail|subscri\w*|newsletter|list|member(ship)?|contact|opt ?in|deliver\w*|global|user|stop"
        r"|account) ?(\w+ )?(status(es)?|state)|(e ?)?mail availability",
        Reading.WORD,
        _S.UNSUBSCRIBED,
    ),
    NamePattern(
        r"(status|state|standing|condition|subscription|type|kind|reason|statut|zustand)\b",
        Reading.WORD,
        _S.UNSUBSCRIBED,
        sure=False,
    ),
    NamePattern(_all("news"), Reading.FOR, _S.UNSUBSCRIBED, sure=False),
    NamePattern(_all("status"), Reading.WORD, _S.UNSUBSCRIBED, sure=False),
)

# The meaning of a value in a status column, if it is not one of WORDS.
VALUE_PATTERNS = (
    (
        _all("pending") + r"|un ?confirmed|(not|never) (yet )?confirmed|awaiting|no permission|never subscribed",
        _S.PENDING,
    ),
    (_all("complained") + r"|(marked|flagged|reported) (\w+ )?as (spam|junk)|spam (complain|report)", _S.COMPLAINED),
    (_all("suppressed") + r"|\w*suppress|black ?list|block ?list|\w+ blocked\b|do not \w+", _S.SUPPRESSED),
    (_all("bounced") + r"|(hard|permanent)? ?bounc|undeliverab", _S.BOUNCED),
    (_all("left") + r"|un ?subscri|opt(ed)? ?out", _S.UNSUBSCRIBED),
)
LONGEST_VALUE = 60  # characters in a value that can be recognised by a part of it
DENIED = patterns.compile(r"\b(not|never|no|isn t|re) (un ?subscri|bounc|block|suppress|spam|black|complain|opt)")

# Status columns with these words in their names say when, not what.
WHEN = patterns.compile(r"\b(date|datetime|time|timestamp|at|on|since|changed|updated|modified|datum|fecha|data)\b")

# Names that contain such a word but are not about a status: rates, numbers of messages that arrived, other channels.
MEASURES = patterns.compile(
    r"\b(rate|rates|ratio|percent|percentage|score|days?|weeks?|months?|opens?|opened|clicks?|clicked|delivered"
    r"|sent|sends|received|replied|ip|ipv4|ipv6"
    r"|latitude|revenue"
    r"|longitude|url|link|ltv|token|key|hash|id|uid|uuid|host|browser|user agent|ua|page|form|method|text|version"
    r"|times|track|tracking|cookies?|profiling|analytics|orders?|bookings?|payments?|invoices?|tickets?|issue|purchases?)\b|%"
)
OTHER_CHANNEL = patterns.compile(r"\b(sms|phone|call|calls|fax|whatsapp|push|postal|text messages?|mobile|viber)\b")
TOLD = patterns.compile(
    r"\b(reasons?|campaign|comment|comments|notes?|why|source|from|feedback|message|description|title|details?|by|grund"
    r"|motif|motivo|category|error|cause|\w*grund)\b"
)
UNCLEAR = patterns.compile(r"\b(soft|transient|temporary)\b")


# The names of columns that say when somebody agreed, if their values are dates: the consent itself, joining, and being
# added to the tool.
_CONFIRMED = (
    rf"(double )?opt(ed|s)? ?ins?|optin|doi|confirm(ed|ation)|consent(ed)?|{_all('confirmed')}|bestatigung\w*"
    r"|einwilligung\w*|zustimmung\w*"
)
_JOINED = (
    r"subscri(be|bed|ption)|sign(ed|s)? ?ups?|join(ed|ing)?|member|subscriber|enrol\w*"
    rf"|{_all('wants')}|{_all('joined')}"
)
_CREATED = rf"creat(ed|ion)|add(ed)?|regist(er|ered|ration)|{_all('created')}"
_DATED = (
    r"date|datetime|time|timestamp|day|at|on|since|utc|gmt|datum|zeit|zeitpunkt|uhrzeit|am|seit|le|el|il|op|em|den|dato"
    r"|depuis|desde|dal|sinds|od|dne|dnia|pvm|kl|fecha|data|de|del|della|di|da|do|der|van|of|the|la|l|d|heure|hora|дата"
)
_WHOSE = r"(e ?)?mail|newsletter|list|contact|subscriber|user|profile|kontakt|is|has|was|first"
JOINED_PATTERNS = tuple(
    patterns.compile(rf"(({_DATED}|{_WHOSE}) )*({stem})( ({_DATED}))*") for stem in (_CONFIRMED, _JOINED, _CREATED)
)

# What the name of a file says about everybody in it.
FILE_PATTERNS = (
    (patterns.compile(r"non ?subscri|never (opted|confirm)|un ?confirmed|pending|not confirmed"), "unconfirmed"),
    (
        patterns.compile(
            r"un ?sub|opt(ed)? ?outs?|left\b|gone\b|abgemeldet|desinscrit|desabonne|bajas?\b|disiscritti|afgemeld"
        ),
        "unsubscribed",
    ),
    (patterns.compile(r"cleaned|bounc|undeliver|invalid"), "bounced"),
    (patterns.compile(r"complain|spam|abuse"), "complained"),
    (
        patterns.compile(
            r"suppress|block ?(ed|list)|black ?list|deny ?list|do not (mail|email|contact|send)|dnc|banned"
        ),
        "suppressed",
    ),
)
