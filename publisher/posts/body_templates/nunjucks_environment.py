"""Jinja2, set up for the Nunjucks in bodies: a sandbox in which only data can be reached, and everything is bounded."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.runtime import Context, LoopContext, Macro
from jinja2.sandbox import SandboxedEnvironment
from jinja2.utils import missing

from publisher.posts.body_templates.nunjucks_source import END_OUT, END_TAG, OUT, TAG

# The filters that Nunjucks has as well.
_FILTERS = frozenset(
    (
        "abs",
        "batch",
        "capitalize",
        "d",
        "default",
        "dictsort",
        "e",
        "escape",
        "first",
        "float",
        "forceescape",
        "groupby",
        "indent",
        "int",
        "join",
        "last",
        "length",
        "list",
        "lower",
        "map",
        "max",
        "min",
        "random",
        "reject",
        "rejectattr",
        "replace",
        "reverse",
        "round",
        "safe",
        "select",
        "selectattr",
        "slice",
        "sort",
        "string",
        "striptags",
        "sum",
        "title",
        "trim",
        "truncate",
        "unique",
        "upper",
        "urlencode",
        "wordcount",
    )
)
MOST_REPEATS = 100_000
_LARGEST, _MOST_BASE, _MOST_POWER = 10**15, 1_000, 5


class TooMuchError(Exception):
    """A body needs more than is allowed."""


class UnknownName(jinja2.ChainableUndefined):
    """A missing value. If the reason is that its name is unknown, that is recorded when the value is shown as text."""

    note: Callable[[str], None]

    def _noted(self, *_: Any, **__: Any) -> Any:
        if self._undefined_obj is missing:
            type(self).note(str(self._undefined_name))
        return ""

    def __str__(self) -> str:
        return str(self._noted())

    def __html__(self) -> str:
        return str(self._noted())

    def __call__(self, *_: Any, **__: Any) -> Any:
        type(self).note(str(self._undefined_name))
        return ""

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _noted
    __mod__ = __rmod__ = __floordiv__ = __rfloordiv__ = __pow__ = __rpow__ = __pos__ = __neg__ = _noted
    __int__ = __float__ = __complex__ = _noted

    def _never(self, *_: Any) -> Any:
        return False

    __lt__ = __le__ = __gt__ = __ge__ = _never


class NunjucksEnvironment(SandboxedEnvironment):
    """The environment of one body.

    names  the values that the tool gives to its bodies, each made when it is needed
    load   returns the source of an include by its name; None if there is none
    """

    def __init__(
        self,
        names: Mapping[str, Any],
        load: Callable[[str], str | None],
        note: Callable[[str], None],
        *,
        escapes: bool,
    ) -> None:
        class NamedContext(Context):
            """A context that also contains the names of the site."""

            def resolve_or_missing(self, key: str) -> Any:
                """Return the value of a name in the template, or else the value of that name in the site."""
                found = super().resolve_or_missing(key)
                if found is missing:
                    try:
                        found = names[key]
                    except KeyError:
                        return missing
                return found

        super().__init__(
            block_start_string=TAG, block_end_string=END_TAG, variable_start_string=OUT, variable_end_string=END_OUT,
            comment_start_string="\x0e#", comment_end_string="#\x0f", keep_trailing_newline=True, autoescape=escapes,
            undefined=type("Unknown", (UnknownName,), {"note": staticmethod(note)}),
            loader=jinja2.FunctionLoader(load), cache_size=50, auto_reload=False,
        )  # fmt: skip
        self.context_class = NamedContext
        self.filters = {name: self.filters[name] for name in _FILTERS} | {"dump": dumped, "each_": self._each}
        self.globals = {"range": self._range}
        self._rounds = 0

    def forget(self) -> None:
        """Forget the includes that were loaded."""
        if self.cache is not None:
            self.cache.clear()

    intercepted_binops = frozenset(("+", "-", "/", "//", "*", "**", "%"))
    intercepted_unops = frozenset(("+", "-"))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Return the result of an operator on two numbers, or of + on texts; "" for anything else, like NaN."""
        if operator == "+" and not (_is_number(left) and _is_number(right)):
            return f"{shown(left)}{shown(right)}"
        if not (_is_number(left) and _is_number(right)) or (operator in ("/", "//", "%") and not right):
            return ""
        if operator == "**" and (abs(left) > _MOST_BASE or not 0 <= right <= _MOST_POWER):
            return ""
        return self.binop_table[operator](left, right)

    def call_unop(self, context: Context, operator: str, arg: Any) -> Any:
        """Return a number with a sign in front of it."""
        return "" if not _is_number(arg) else -arg if operator == "-" else arg

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return a value in a table, or an attribute of a loop or an imported file, but of no other Python object."""
        if isinstance(obj, LoopContext | Macro) or type(obj).__name__ == "TemplateModule":
            return super().getattr(obj, attribute)
        if attribute == "length" and isinstance(obj, Sequence | Mapping) and not isinstance(obj, jinja2.Undefined):
            return len(obj)
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return a value in a table or a list."""
        if isinstance(obj, jinja2.Undefined):
            return obj
        if isinstance(obj, Mapping | Sequence):
            try:
                return obj[argument]
            except (KeyError, IndexError, TypeError, ValueError):
                pass
        return self.undefined(obj=obj, name=argument)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        """Parse a template; its loops are counted, and loop over the pairs of a table as in JavaScript."""
        template = super()._parse(source, name, filename)
        for loop in template.find_all(nodes.For):
            pairs = nodes.Const(isinstance(loop.target, nodes.Tuple))
            loop.iter = nodes.Filter(loop.iter, "each_", [pairs], [], None, None, lineno=loop.lineno)
        return template

    def spend(self, rounds: int) -> None:
        """Count iterations of loops; raise TooMuchError if there are too many."""
        self._rounds += rounds
        if self._rounds > MOST_REPEATS:
            raise TooMuchError(f"loops run more than {MOST_REPEATS:,} times")

    def _each(self, value: Any, pairs: bool) -> Sequence[Any]:
        if isinstance(value, jinja2.Undefined) or value is None:
            return []
        if isinstance(value, Mapping):
            found: Sequence[Any] = list(value.items()) if pairs else list(value)
        else:
            found = value if isinstance(value, Sequence) else list(value)
        self.spend(len(found))
        return found

    def _range(self, *bounds: Any) -> list[int]:
        found = range(*(int(bound) for bound in bounds))
        if len(found) > MOST_REPEATS:
            raise TooMuchError(f"loops run more than {MOST_REPEATS:,} times")
        return list(found)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and abs(value) < _LARGEST


def shown(value: Any) -> Any:
    """Return a value as JavaScript shows it."""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 10**15:
        return int(value)
    return ",".join(str(shown(each)) for each in value) if isinstance(value, list | tuple) else value


def dumped(value: Any, indent: Any = None) -> str:
    """Return a value as JSON."""
    return json.dumps(value, ensure_ascii=False, default=str, separators=(",", ":"))
