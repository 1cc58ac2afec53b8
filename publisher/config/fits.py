"""Whether a table surely is a configuration: pydantic's answer for most files, without pydantic."""

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from publisher.config.checks import Check


def fits(hint: Any, value: Any) -> bool:
    """Return whether a value of TOML is what an annotated type wants, and passes its checks.

    True is certain. False only says that pydantic has to look and to word the mistake: importing it and
    making its schema take 0.12 s, a tenth of a first build of 10,000 posts, and most files hold no mistake.
    """
    kind = get_origin(hint)
    if kind is Annotated:
        inner, *marks = get_args(hint)
        return fits(inner, value) and all(_passes(mark, value) for mark in marks)
    if kind is Literal:
        return type(value) is str and value in get_args(hint)
    if kind is tuple:
        return type(value) is list and all(fits(get_args(hint)[0], item) for item in value)
    if is_dataclass(hint):
        return type(value) is dict and _table_fits(hint, value)
    return hint in (str, int, bool) and type(value) is hint  # true is an int to isinstance, not to TOML


def _table_fits(cls: Any, table: Mapping[str, Any]) -> bool:
    hints = get_type_hints(cls, include_extras=True)
    needed = {item.name for item in fields(cls) if item.default is MISSING and item.default_factory is MISSING}
    return needed <= table.keys() <= hints.keys() and all(fits(hints[key], value) for key, value in table.items())


def _passes(mark: Any, value: Any) -> bool:
    if isinstance(mark, Check):
        try:
            mark.function(value)
        except ValueError:
            return False
    return True
