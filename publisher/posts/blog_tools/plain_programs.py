"""What the programs of other tools set, as far as that can be read without running them.

Eleventy's data files and Pelican's settings are programs. Most only hold a table, which is read as data; nothing else
of them is.
"""

from __future__ import annotations

import ast
import re

from publisher.core import patterns
from publisher.posts.blog_tools.data_files import Data, DataError
from publisher.posts.blog_tools.script_values import ScriptError, script_values

SCRIPTS = (".js", ".cjs", ".mjs")


_EXPORT = patterns.compile(r"(?:export\s+default|module\.exports\s*=)\s*(?=\{)")
_LINE_COMMENT = patterns.compile(r"^[ \t]*+//.*$", re.MULTILINE)


def exported(text: str) -> Data:
    """Return the table that a file of JavaScript exports; raise ScriptError if it is more than a plain table."""
    text = _LINE_COMMENT.sub("", _without_comments(text)).strip()
    found = _EXPORT.match(text)
    if found is None:
        raise ScriptError("is a program")
    return script_values(text[found.end() :]).fields


def _without_comments(text: str) -> str:
    """Return a program without what is between /* and */."""
    first, *rest = text.split("/*")
    return first + "".join(part.partition("*/")[2] for part in rest)


def metadata_in(text: str) -> Data:
    """Return DEFAULT_METADATA of a program that is not run."""
    try:
        assigned = [node for node in ast.parse(text).body if isinstance(node, ast.Assign)]
        named = [
            node.value
            for node in assigned
            if any(getattr(each, "id", "") == "DEFAULT_METADATA" for each in node.targets)
        ]
        found = dict(ast.literal_eval(named[-1])) if named else {}
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError) as error:
        raise DataError("DEFAULT_METADATA is not a plain table", hint="write it as {'status': 'draft'}") from error
    return {str(key): str(value) for key, value in found.items()}
