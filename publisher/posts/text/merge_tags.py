"""The code of other tools that readers should not see: Liquid, shortcodes, PHP, and the merge tags of mail services.

A merge tag, such as *|FNAME|*, is code that a mail service replaces with a subscriber's own name or link. Tags with
delimiters that prose does not contain are found whatever their name; in other brackets they need a name from the list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from publisher.core import patterns
from publisher.posts.text.prose import masked, without_inline_code
from publisher.posts.text.tex import without_formulas

# Not the value of an attribute in JSX: style={{margin: 0}}
LIQUID = patterns.compile(
    r"(?<!\{)\{%-?\s*+\w++(?:(?!\{%|%\}).){0,2000}+%\}|\{\{(?![<%]|(?<==\{\{)\s*+[\"']?[\w$-]++[\"']?\s*+:)[^{}\n]*\}\}",
    re.DOTALL,
)
SHORTCODE = patterns.compile(r"\{\{[<%]\s*+/?\s*+[\w./-]++(?:(?!\{\{|[%>]\}\}).){0,2000}+[%>]\}\}", re.DOTALL)

# The names of fields, which all services have in common.
_FIELD = (
    r"(?:(?:subscriber|contact|recipient|member|user|person|customer|list|data|var|profile|account)[._:/ -])?"
    r"(?:f|l|(?:first|last|full|middle|nick|user|sur|display|company|list|sender)[_.-]?)name"
    r"|(?:subscriber|contact|recipient|member|user|person|customer)[._:][a-z_.]+"
    r"|(?:un|re)subscribe(?:[ _-]?(?:url|link|text|me))?|update[ _-]?profile"
    r"|(?:web|browser)[ _-]?(?:version|copy|view)|view[ _-]?in[ _-]?browser"
    r"|e-?mail[ _-]?address|(?:sender|list)[ _-]?address|current[ _-]?(?:year|day|month)"
)
# What else a tag may contain: a value for subscribers who have none, or a filter.
_ELSE = r"(?:[ \t]*+(?:\||,|=|\bOR\b|:)[^\[\]{}<>%\n]{0,80})?"

MERGE_TAG = patterns.compile(
    r"\*\|[A-Z][\w:.,= -]{0,80}\|\*"  # Mailchimp, Mandrill
    r"|%%(?:=[^%\n]{1,200}=|[A-Z][\w.-]{1,60})%%"  # Salesforce, Pardot, Substack
    r"|<%(?:(?!<%|%>)[^\n]){1,200}%>"  # Adobe Campaign, SendGrid, Klaviyo
    r"|\[%[^%\n]{1,200}%\]"  # Emma, SendGrid
    r"|\{\{?\{?\$\{[^{}\n]{1,100}\}\}"  # Braze
    r"|\{![A-Z][\w.]{1,60}\}"  # AWeber, Salesforce
    r"|\{\$[A-Z][\w.>-]{1,60}\}"  # MailerLite
    r"|\{(?:contactfield|ownerfield|leadfield)=[\w.-]{1,60}\}"  # Mautic
    # GetResponse, Mailjet
    rf"|\[\[(?:data:|var:)?(?:{_FIELD}|e?mail|name|first|last|city|country|company){_ELSE}\]\]"
    rf"|%(?:{_FIELD}|(?:mailing_list|tag)_[a-z_]+)%"  # Mailgun, ActiveCampaign
    rf"|(?<!\{{)\{{(?:{_FIELD}){_ELSE}\}}"  # Brevo, Elastic Email
    rf"|\[(?:{_FIELD}){_ELSE}\](?![(\[])"  # Sendy, MailPoet, phpList, Campaign Monitor
    r"|\[\w{1,40},[ ]?fallback=[^\]\n]{0,80}\]"
    rf"|\$\[(?:{_FIELD}){_ELSE}\]\$"  # Zoho
    rf"|##(?:{_FIELD})##"
    r"|\{!![^{}\n]{1,200}!!\}"  # Laravel's templates
    r"|</?#(?:if|else|elseif|list|assign|include|macro|import)\b[^<>\n]{0,200}>",  # FreeMarker
    re.IGNORECASE,
)

# WordPress's shortcodes, and the tags of forums: a name with a quoted value, or one that everybody knows. Others, such
# as [video] in a sentence, are prose. Typography has changed the quotes in a text for readers.
_PLUGIN = r"(?:(?:vc|et_pb|su|fusion|av|mc4wp|mailpoet)_|wpforms|ninja_forms?|gravityforms?|contact-form-7)[\w-]{0,40}"
_MEDIA = "gallery|caption|wp_caption|embed|audio|video|playlist|wpvideo"
_SERVICE = (
    "youtube|vimeo|gist|tweet|dailymotion|soundcloud|spotify|ted|slideshare|googlemaps|instagram|flickr|polldaddy"
)
WORDPRESS = patterns.compile(
    r"\[(?<![\w\\]\[)(?:"
    r"[a-z][\w-]{0,40}[ \t]+[\w-]{1,40}=[\"'\u201c\u201d\u2018\u2019\u201e\xab\xbb][^\[\]\n]{0,400}"
    rf"|(?:{_MEDIA})[ \t]+[\w-]{{1,40}}=[^\[\]\n]{{0,300}}"
    rf"|(?:{_SERVICE})[ =](?:https?:|\d|[\w-]{{1,40}}=)[^\[\]\n]{{0,300}}"
    rf"|/?{_PLUGIN}(?:[ \t][^\[\]\n]{{0,300}})?"
    rf"|/(?:{_MEDIA}|{_SERVICE}|sourcecode|code|quote|url|img|color|size|list|center|spoiler|b|i|u|button|columns?|row|tabs?"
    r"|toggle|accordion|highlight|pullquote|dropcap|(?:one|two|three)_\w{1,20})"
    r"|/?[a-z]{3,20}(?:_[a-z]{3,20}){1,4}"
    r"|(?:(?<=\n\[)|(?<=\A\[))(?:gallery|playlist|audio|video|contact[-_]form|archives|sitemap)(?=\][ \t]*(?:\n|\Z))"
    r")\](?![(\[:])",
    re.IGNORECASE,
)
PHP = patterns.compile(r"<\?(?!xml\b)(?:(?!<\?|\?>).){0,2000}+\?>", re.DOTALL)
# Without one of these or a character such as {, there is no merge tag in a text. Searching for them is much faster.
MAYBE_FIELD = patterns.compile(rf"[%[#](?:{_FIELD}|(?:mailing_list|tag)_|\w{{1,40}},[ ]?fallback=)", re.IGNORECASE)
_RAW = patterns.compile(r"\{%-?\s*+raw\s*+-?%\}(?:(?!\{%-?\s*+endraw).)*+", re.DOTALL)
# Shortcodes that Hugo, Zola and Quarto show, or that are comments.
_ESCAPED = patterns.compile(
    r"\{[{%][<%]?/\*(?:(?!\*/|\{[{%]).){0,2000}+\*/[>%]?[%}]\}|\{\{\{[<%](?:(?!\}\}\}|\{\{).){0,2000}+\}\}\}", re.DOTALL
)
_ESCAPES = patterns.compile(r"(\{[{%][<%]?)/\*|\*/([>%]?[%}]\})")
_CODE = patterns.compile(r"<(code|kbd|samp)\b[^<>]*+>[^<]*+</\1>", re.IGNORECASE)


def foreign_code(text: str) -> Iterator[str]:
    """Yield the code of other tools in a text for readers, each as it is written there."""
    if any(sign in text for sign in ("{", "%", "[", "*|", "#", "<?")):
        for pattern in (LIQUID, SHORTCODE, MERGE_TAG, WORDPRESS, PHP):
            yield from (found[0] for found in pattern.finditer(text))


def shown_prose(text: str, body: str) -> str:
    """Return a file without text that only looks like other tools' code: real code, formulas, and Liquid's raw blocks.

    Shortcodes that are escaped, as in {{</* name */>}}, are meant for readers too. Offsets and lines stay as in
    the text. body: the part after the front matter
    """
    head = text[: len(text) - len(body)]
    if "{{" in body or "{%/*" in body:
        body = _ESCAPED.sub(lambda found: _blank(found[0]), body)
    return without_inline_code(head) + masked(without_formulas(without_shown_code(body)))


def with_escapes_shown(text: str) -> str:
    """Return a file with its escaped shortcodes as readers see them."""
    return _ESCAPES.sub(lambda found: found[1] or found[2], text) if "/*" in text else text


def without_shown_code(text: str) -> str:
    """Return a text in which code elements and Liquid's raw blocks are replaced by blanks."""
    for pattern in (_RAW, _CODE):
        text = pattern.sub(lambda found: _blank(found[0]), text)
    return text


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)
