"""The standard library's frozen dataclasses, defined in a tenth of the time.

The standard library compiles six functions for each class, which took a fifth of a command that defines two hundred of
them. Here, all classes share the functions that can be the same, and `__init__` is compiled when the first object is
made, because a command never uses most of the classes that it loads.
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

        The standard library handles options other than frozen and slots, and classes that define one of these functions
        themselves.
        """

        def decorate(cls: type) -> type:
            """Return the class that replaces this one."""
            if options != {"frozen": True, "slots": True} or not _OWN.isdisjoint(vars(cls)):
                return dataclasses.dataclass(kw_only=kw_only, **options)(cls)
            if not cls.__doc__:
                cls.__doc__ = cls.__name__  # otherwise the library writes the signature, which takes 2 ms to find out
            return _frozen(dataclasses.dataclass(init=False, repr=False, eq=False, slots=True, kw_only=kw_only)(cls))

        return decorate(plain) if plain else decorate


_OWN = {"__init__", "__repr__", "__eq__", "__hash__", "__setattr__", "__delattr__", "__getstate__", "__setstate__"}

_set = object.__setattr__

# The default of a field whose value is made for each object.
_NEW = object()


def _frozen(cls: type) -> type:
    """Return the class for these fields, with all methods that the standard library would add."""
    every = dataclasses.fields(cls)
    compared = _values([each.name for each in every if each.compare])
    hashed = _values([each.name for each in every if (each.compare if each.hash is None else each.hash)])
    shown = [each.name for each in every if each.repr]

    def __init__(self: Any, *arguments: Any, **named: Any) -> None:
        """Make the function that replaces this one, and call it."""
        made = _compiled_init(cls)
        setattr(cls, made.__name__, made)
        made(self, *arguments, **named)

    def __eq__(self: Any, other: Any) -> bool:
        """Return whether both objects have the same class and all their fields are equal."""
        return compared(self) == compared(other) if other.__class__ is self.__class__ else NotImplemented

    def __hash__(self: Any) -> int:
        """Return a hash of all fields."""
        return hash(hashed(self))

    def __repr__(self: Any) -> str:
        """Return the name of the class and its fields, as Python writes them."""
        return f"{self.__class__.__qualname__}({', '.join([f'{name}={getattr(self, name)!r}' for name in shown])})"

    pickled = _pickle_methods([each.name for each in every])
    for method in (__init__, __eq__, __hash__, __repr__, __setattr__, __delattr__, *pickled):
        setattr(cls, method.__name__, method)
    return cls


def __setattr__(self: Any, name: str, value: Any) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def __delattr__(self: Any, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _pickle_methods(names: Sequence[str]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return the two methods of a class with these fields that pickle calls."""
    values = _values(names)

    def __getstate__(self: Any) -> tuple[Any, ...]:
        """Return the values of all fields."""
        return values(self)  # type: ignore[no-any-return]

    def __setstate__(self: Any, state: Sequence[Any]) -> None:
        """Set all fields to what __getstate__ returned."""
        for name, value in zip(names, state, strict=True):
            _set(self, name, value)

    return __getstate__, __setstate__


def _values(names: Sequence[str]) -> Callable[[Any], Any]:
    """Return a function that returns the values of these fields of an object, as a tuple."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda item: tuple([getattr(item, name) for name in names])


def _compiled_init(cls: type) -> Callable[..., None]:
    """Return the function `__init__` of a class with fields."""
    names: dict[str, Any] = {"__name__": cls.__module__, "_set": _set, "_NEW": _NEW}
    usual, named, lines = list[str](), list[str](), list[str]()
    for each in dataclasses.fields(cls):
        name, default, value = each.name, "", each.name
        if each.default is not dataclasses.MISSING:
            names[f"_of_{name}"], default = each.default, f"=_of_{name}"
        elif each.default_factory is not dataclasses.MISSING:
            names[f"_of_{name}"], default = each.default_factory, "=_NEW"
            value = f"_of_{name}() if {name} is _NEW else {name}"
        (named if each.kw_only else usual).append(f"{name}{default}")
        lines.append(f"  _set(self, {name!r}, {value})\n")
    if hasattr(cls, "__post_init__"):
        lines.append("  self.__post_init__()\n")
    parameters = ", ".join(["self", *usual, *(["*", *named] if named else [])])
    exec(f"def __init__({parameters}):\n{''.join(lines) or '  pass'}", names)  # noqa: S102 - names of fields
    made: Callable[..., None] = names["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    return made
