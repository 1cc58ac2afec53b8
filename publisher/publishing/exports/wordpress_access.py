"""Who could read a post on WordPress: the marks with which its plug-ins hide a post, or a part of one.

Blocks and shortcodes hide what is in them, or everything after them; fields of a post (postmeta) hide the post. Each
plug-in has names of its own, and most of them say what they are for. A name that only seems to hide something makes a
draft, which its author can publish; one that is missed would publish what someone else has paid for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from publisher.core import patterns
from publisher.posts.text.paid_parts import paid_part

# The mark that stays in the text of the file, for which `publisher check` refuses it.
MARK = "<!-- members only -->"
PART = "a part of it was for members only"

# Names of blocks, shortcodes and fields that hide something.
_HIDES = (
    r"(?:paywall|premium[-_]?(?:content|view|part|post|only)|restrict|member(?!_?(?:count|number|name|title))|subscriber"
    r"|patreon|patron|paid|gated|protect|private|hidden|secret|logged_?-?in|login_?-?only|loggedin|registered"
    r"|content[-_]?control|access(?!ib|or)|locker|passster|ppwp?_|pmpro|mepr|rcp_|wcm_|wlm_|wishlist|s2if|s2member|swpm"
    r"|ihc[-_]|arm_(?:restrict|if)|um_(?:show|logged)|leaky|llms_visib|groups_can|is_paid|ifuser|user_?role|visitor)"
)
# Names that contain such a word but hide nothing: members of a team, sign-in forms.
_SHOWS = (
    r"team|board|login[-_]?form|register(?!ed)|registration|sign[-_]?up|checkout|button|account|profile|logout|pricing"
)

_BLOCK = patterns.compile(r"<!--\s{0,3}wp:([a-z][a-z0-9/-]{0,80})\s([^<>]{0,20000}?)(/?)-->")
_ATTRIBUTES = patterns.compile(
    r"\"(?:userRoles?|restrictedUserRoles|restrictToRoles|requiredMembership\w{0,20}|pmpro_?[Ll]evels?|wcMemberships?\w{0,20})\""
    r"\s{0,3}:\s{0,3}(?:\[\s{0,3}[^\]\s]|\"[^\"]|\{\s{0,3}\"|\d)"
    r"|\"llms_visibility\"\s{0,3}:\s{0,3}\"(?!all\")|\"contentControls\"\s{0,3}:\s{0,3}\{[^{}]{0,300}\"enabled\"\s{0,3}:\s{0,3}true"
    r"|\"hideBlock\"\s{0,3}:\s{0,3}true"
)
_SHORTCODE = patterns.compile(r"(?<!\[)\[([a-z][a-z0-9_-]{1,60})((?:\s[^\[\]<>]{0,1000})?)\]", re.IGNORECASE)
_SHOWN = patterns.compile(r"\[\[(/?([a-z][a-z0-9_-]{1,60})(?:\s[^\[\]<>]{0,1000})?)\]\]", re.IGNORECASE)
_END = patterns.compile(r"\[/([a-z][a-z0-9_-]{1,60})\]", re.IGNORECASE)
_NAME = patterns.compile(_HIDES, re.IGNORECASE)
_HARMLESS = patterns.compile(_SHOWS, re.IGNORECASE)

_FIELD = patterns.compile(
    r"(?:^|[_-])(?:paywall|restrict|members?|membership|memberships|subscriber|subscription|patreon|memberful|premium|paid|rcp"
    r"|wpmem|llms|groups[-_](?:groups[-_])?read|ihc|arm_access|leaky|swpm|wlm|s2member|mepr|pmpro|pms|um_content|access_(?:role|level|plan)s?"
    r"|visibility|ppwp?|passster|protected)(?:$|[_-])|newsletter_access",
    re.IGNORECASE,
)
# Fields with such a word that say how something looks or what is shown instead.
_NO_FIELD = patterns.compile(
    r"message|template|title|count|text|redirect|hide_from_feed|force_public|team|excerpt|css|style|seo|date|email_sent"
    r"|tier_id|dont_email|version|error|mb_type",
    re.IGNORECASE,
)
# What a field contains if everyone may read the post.
_OPEN = patterns.compile(
    r"|0|-1|no|none|off|false|null|all|any|any[ _]?one|every(?:body|one)|public|default|open|unrestricted"
    r"|unblock(?:ed)?|visible|guest|a:0:\{\}|\[\]|\{\}|s:0:\"\";|b:0;|i:0;|N;",
    re.IGNORECASE,
)
_SERIALISED = patterns.compile(r"(?:s:\d{1,9}:\"([^\"]{0,300})\"|[ib]:(\d{1,9}));")
_AUDIENCES = {
    "paid_subscribers": "for paying subscribers only",
    "paid_subscribers_all_tiers": "for paying subscribers only",
    "subscribers": "for subscribers only",
}


class Rules:
    """The rules of MemberPress, which are items of the export and name the posts that they hide."""

    KIND = "memberpressrule"

    def __init__(self) -> None:
        self._hidden: set[tuple[str, str]] = set()

    def add(self, fields: Mapping[str, str]) -> None:
        """Add a rule, given by its fields: the kind of content that it hides, and its number or short name."""
        kind = fields.get("_mepr_rules_type", "").strip()
        content = fields.get("_mepr_rules_content", "").strip() if not kind.startswith("all") else ""
        self._hidden.add((kind, content))

    def hide(self, kind: str, number: str, terms: Iterable[str]) -> bool:
        """Return whether a rule hides a post or page of that number, in these categories and with these tags."""
        if not self._hidden:
            return False
        names = {(each, term) for term in terms for each in ("category", "tag")}
        names |= {("all", ""), (f"all_{kind}", ""), (f"all_{kind}s", ""), (f"single_{kind}", number)}
        return not names.isdisjoint(self._hidden)


def is_about_access(key: str) -> bool:
    """Return whether a field of a post may say who can read it."""
    return _FIELD.search(key) is not None and _NO_FIELD.search(key) is None


def whom_for(fields: Mapping[str, str]) -> str:
    """Return why the fields of a post hide it from some readers; "" if they don't."""
    if "yes" in fields.get("_wc_memberships_force_public", ""):
        return ""
    for key, value in fields.items():
        value = value.strip()
        if not is_about_access(key) or all(map(_OPEN.fullmatch, value.split("\n"))) or not _is_closed(key, value):
            continue
        return _AUDIENCES.get(value, f"for some readers only ({key[:60]})")
    return ""


def _is_closed(key: str, value: str) -> bool:
    """Return whether the value of a field, which may be serialised by PHP, hides the post."""
    if not value.startswith(("a:", "O:")):
        return True
    texts = [text or number for text, number in _SERIALISED.findall(value[:20_000])]
    if "um_content" in key.lower():  # Ultimate Member keeps the whole form: 0 and 1 are for everyone
        at = texts.index("_um_accessible") + 1 if "_um_accessible" in texts else len(texts)
        return at < len(texts) and texts[at] == "2"
    if "leaky" in key.lower():
        return any(text in ("only", "always", "onlyalways") for text in texts)
    return any(not _OPEN.fullmatch(text) for text in texts)


def with_marks(written: str) -> str:
    """Return a text with MARK in front of each block and shortcode that hides something.

    The comments of blocks are removed later; this one stays. Shortcodes in double brackets are only shown.
    """
    written = _SHOWN.sub(lambda found: f"&#91;{found[1]}&#93;" if _hides(found[2]) else found[0], written)
    marked = _BLOCK.sub(lambda found: f"{MARK}{found[0]}" if _is_gate(found) else found[0], written)
    names = {name.lower() for name in _END.findall(marked)}
    gates = {name for name in names if _hides(name)}
    if not gates:
        return marked
    return _SHORTCODE.sub(lambda found: f"{MARK}{found[0]}" if found[1].lower() in gates else found[0], marked)


def has_hidden_part(html: str) -> bool:
    """Return whether a text, after with_marks, has a part that wasn't for everyone."""
    return MARK in html or paid_part(html, is_markdown=False) is not None


def _is_gate(block: re.Match[str]) -> bool:
    """Return whether a block hides something. A block without an end hides something only if it is a wall."""
    name, is_lone = block[1], bool(block[3])
    if "paywall" in name:
        return True
    if _ATTRIBUTES.search(block[2]):
        return True
    return not is_lone and "logged-out-view" not in name and _hides(name)


def _hides(name: str) -> bool:
    return _NAME.search(name) is not None and _HARMLESS.search(name) is None
