"""The standard library's frozen dataclasses, defined in a tenth of the time.

The standard library examines each annotation and compiles six functions for each class, which took a fifth of a command
that defines two hundred of them. Here, a class gets its fields and its functions when the first object is made: most
classes that a command loads, it never uses. Classes share the functions that are the same for all.
"""

# ruff: noqa: N807 - the functions here become methods

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # to a type checker they are the same
else:

    def dataclass(plain: type | None = None, /, *, kw_only: bool = False, **options: bool) -> Any:
        """Return the decorator that does what dataclasses.dataclass does with these options.

        All others than frozen and slots are left to that, and so are classes that are not simple. A mistake in the
        fields of a simple class, such as a list as a default, is found when its first object is made.
        """

        def decorate(cls: type) -> type:
            """Return the class that replaces this one."""
            if options != {"frozen": True, "slots": True} or not _is_simple(cls):
                return dataclasses.dataclass(kw_only=kw_only, **options)(cls)
            return _frozen(cls, kw_only=kw_only)

        return decorate(plain) if plain else decorate


# What a class gets that depends on its fields, and what else a simple class does not have itself.
_OF_FIELDS = ("__init__", "__repr__", "__eq__", "__hash__", "__getstate__", "__setstate__")
_OWN = {*_OF_FIELDS, "__setattr__", "__delattr__", "__slots__", "__match_args__"}

# What the library looks for in annotations, because these are not usual fields: ClassVar, InitVar and KW_ONLY.
_NO_FIELD = ("Var", "KW_ONLY")

_set = object.__setattr__

# The default of a field whose value is made for each object.
_NEW = object()


# Without a docstring, the library would write the signature into it, which takes 2 ms to find out.
_DOC = "It has the fields of a class."
_PARAMS = vars(dataclasses.dataclass(frozen=True, slots=True)(type("Any", (), {"__doc__": _DOC})))[
    "__dataclass_params__"
]


def _is_simple(cls: type) -> bool:
    """Return whether a class has no base, none of the functions, and only usual fields."""
    body = vars(cls)
    annotations = body.get("__annotations__", {})
    special = [field for name in annotations if isinstance(field := body.get(name), dataclasses.Field)]
    return (
        cls.__bases__ == (object,)
        and _OWN.isdisjoint(body)
        and not any(each in str(text) for text in annotations.values() for each in _NO_FIELD)
        and all(each.init and each.kw_only is dataclasses.MISSING for each in special)
    )


def _frozen(cls: type, *, kw_only: bool) -> type:
    """Return the class with slots, and with all that the standard library would add."""
    body = dict(vars(cls))
    names = tuple(body.get("__annotations__", ()))
    written = {name: body.pop(name) for name in names if name in body}
    fields = _Fields(written, body.get("__annotations__", {}), kw_only=kw_only)
    for name in ("__dict__", "__weakref__"):
        body.pop(name, None)
    body |= {"__slots__": names, "__match_args__": () if kw_only else names, "__dataclass_fields__": fields}
    body |= {name: _first(fields, name) for name in _OF_FIELDS}
    body |= {each.__name__: each for each in (__setattr__, __delattr__)}
    made = type(cls.__name__, (), body | {"__dataclass_params__": _PARAMS})
    made.__qualname__ = cls.__qualname__
    return made


class _Fields:
    """The fields of a class, which the standard library makes when they are first asked for."""

    owner: type

    def __init__(self, written: dict[str, Any], types: dict[str, Any], *, kw_only: bool) -> None:
        self._written, self._types, self._kw_only = written, types, kw_only

    def __set_name__(self, owner: type, name: str) -> None:
        self.owner, self._name = owner, name

    def __get__(self, instance: object, owner: type) -> Any:
        # The library does not get the annotations, so that it need not parse them.
        body = {**self._written, "__annotations__": dict.fromkeys(self._types, object), "__doc__": _DOC}
        plain = dataclasses.dataclass(init=False, repr=False, eq=False, kw_only=self._kw_only)
        found = vars(plain(type(self.owner.__name__, (), body)))[self._name]
        for name, field in found.items():
            field.type = self._types[name]
        setattr(self.owner, self._name, found)
        return found


def _first(fields: _Fields, name: str) -> Callable[..., Any]:
    """Return a function that makes the function of this name for a class, in its own place, and calls it."""

    def first(self: Any, *arguments: Any, **named: Any) -> Any:
        """Make the function that replaces this one."""
        made = _MAKERS[name](fields.owner)
        setattr(fields.owner, name, made)
        return made(self, *arguments, **named)

    return first


def _repr(cls: type) -> Callable[[Any], str]:
    shown = [each.name for each in dataclasses.fields(cls) if each.repr]

    def __repr__(self: Any) -> str:
        """Return the name of the class and its fields, as Python writes them."""
        return f"{self.__class__.__qualname__}({', '.join([f'{name}={getattr(self, name)!r}' for name in shown])})"

    return __repr__


def _eq(cls: type) -> Callable[[Any, Any], bool]:
    compared = _values([each.name for each in dataclasses.fields(cls) if each.compare])

    def __eq__(self: Any, other: Any) -> bool:
        """Return whether both are of one class and all their fields are equal."""
        return compared(self) == compared(other) if other.__class__ is self.__class__ else NotImplemented

    return __eq__


def _hash(cls: type) -> Callable[[Any], int]:
    every = dataclasses.fields(cls)
    hashed = _values([each.name for each in every if (each.compare if each.hash is None else each.hash)])

    def __hash__(self: Any) -> int:
        """Return a hash of all fields."""
        return hash(hashed(self))

    return __hash__


def _getstate(cls: type) -> Callable[[Any], tuple[Any, ...]]:
    values = _values([each.name for each in dataclasses.fields(cls)])

    def __getstate__(self: Any) -> tuple[Any, ...]:
        """Return the values of all fields, for pickle."""
        return values(self)  # type: ignore[no-any-return]

    return __getstate__


def _setstate(cls: type) -> Callable[[Any, Sequence[Any]], None]:
    names = [each.name for each in dataclasses.fields(cls)]

    def __setstate__(self: Any, state: Sequence[Any]) -> None:
        """Set all fields to what __getstate__ returned."""
        for name, value in zip(names, state, strict=True):
            _set(self, name, value)

    return __setstate__


def __setattr__(self: Any, name: str, value: Any) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def __delattr__(self: Any, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _values(names: Sequence[str]) -> Callable[[Any], Any]:
    """Return a function that returns the values of these fields of an object, as a tuple."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda item: tuple([getattr(item, name) for name in names])


def _init(cls: type) -> Callable[..., None]:
    """Return the function `__init__` of a class with fields."""
    names: dict[str, Any] = {"__name__": cls.__module__, "_set": _set, "_NEW": _NEW}
    parameters, lines = ["self"], list[str]()
    every = dataclasses.fields(cls)
    if any(each.kw_only for each in every):  # then all are
        parameters.append("*")
    for each in every:
        name, default, value = each.name, "", each.name
        if each.default is not dataclasses.MISSING:
            names[f"_of_{name}"], default = each.default, f"=_of_{name}"
        elif each.default_factory is not dataclasses.MISSING:
            names[f"_of_{name}"], default = each.default_factory, "=_NEW"
            value = f"_of_{name}() if {name} is _NEW else {name}"
        parameters.append(f"{name}{default}")
        lines.append(f"  _set(self, {name!r}, {value})\n")
    if hasattr(cls, "__post_init__"):
        lines.append("  self.__post_init__()\n")
    exec(f"def __init__({', '.join(parameters)}):\n{''.join(lines) or '  pass'}", names)  # noqa: S102 - names of fields
    made: Callable[..., None] = names["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    return made


_MAKERS: dict[str, Callable[[type], Callable[..., Any]]] = {
    "__init__": _init,
    "__repr__": _repr,
    "__eq__": _eq,
    "__hash__": _hash,
    "__getstate__": _getstate,
    "__setstate__": _setstate,
}
