"""SQL for the values of custom fields, and for text in lower case. Results are the same on SQLite and PostgreSQL.

The column contains a JSON object. A row with any other text, for example after an edit by hand, has no values: reading
it must not raise an error, because a single row would then stop an edition. PostgreSQL before version 16 cannot check
whether a text is JSON, so a pattern checks for what `encode_fields` writes.
"""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from publisher.core.segment_conditions import fold, other_cases

# A flat JSON object without what PostgreSQL refuses: NUL, and numbers that no double can represent.
_TEXT = r'"(?:[^"\\\u0001-\u001f]|\\["\\/bfnrt]|\\u00(?:0[1-9a-f]|1[0-9a-f]))*"'
_NUMBER = r"-?(?:0|[1-9][0-9]{0,39})(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,2})?"
_PAIR = f"{_TEXT}:(?:{_TEXT}|{_NUMBER}|true|false)"
_OBJECT = rf"^\{{{_PAIR}(?:,{_PAIR})*\}}$"
_RARE = r"\\u|[0-9][eE]|[0-9]{41}"
_DAY = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"

_Column = sa.ColumnElement[Any]


class _ByDialect(FunctionElement[Any]):
    """An expression that is compiled to its first argument on SQLite, and to its second one on PostgreSQL."""

    name = "by_dialect"
    inherit_cache = True


@compiles(_ByDialect, "sqlite")
def _for_sqlite(element: _ByDialect, compiler: SQLCompiler, **options: Any) -> str:
    return f"({compiler.process(next(iter(element.clauses)), **options)})"


@compiles(_ByDialect, "postgresql")
def _for_postgresql(element: _ByDialect, compiler: SQLCompiler, **options: Any) -> str:
    return f"({compiler.process(list(element.clauses)[1], **options)})"


def _by_dialect(sqlite: _Column, postgresql: _Column, kind: sa.types.TypeEngine[Any]) -> _Column:
    return sa.type_coerce(_ByDialect(sqlite, postgresql), kind)


def ascii_lower(column: _Column) -> _Column:
    """Return a text with A to Z in lower case, whatever the collation of the database."""
    return _by_dialect(sa.func.lower(column), sa.func.lower(sa.collate(column, "C")), sa.Text())


def field_text(column: _Column, name: str) -> _Column:
    """Return the text of a field; NULL if it has no value, or a value of another kind."""
    sqlite, postgresql = _Sqlite(column, name), _Postgresql(column, name)
    return _by_dialect(sqlite.of_kind("text"), postgresql.of_kind("string"), sa.Text())


def field_number(column: _Column, name: str) -> _Column:
    """Return the number of a field, or NULL."""
    sqlite, postgresql = _Sqlite(column, name), _Postgresql(column, name)
    return _by_dialect(
        sa.cast(sqlite.of_kind("integer", "real"), sa.REAL),
        sa.cast(postgresql.of_kind("number"), sa.Double),
        sa.Double(),
    )


def field_truth(column: _Column, name: str) -> _Column:
    """Return 'true' or 'false' if a field is a truth value, or NULL."""
    sqlite = _Sqlite(column, name)
    truth = sa.case((sqlite.kind.in_(("true", "false")), sqlite.kind))
    return _by_dialect(truth, _Postgresql(column, name).of_kind("boolean"), sa.Text())


def field_date(column: _Column, name: str) -> _Column:
    """Return the text of a field if it looks like 2026-11-29, or NULL."""
    sqlite, postgresql = _Sqlite(column, name).of_kind("text"), _Postgresql(column, name).of_kind("string")
    return _by_dialect(
        sa.case((sqlite.op("GLOB")(_DAY), sqlite)),
        sa.collate(sa.case((postgresql.op("~")(f"^{_DAY}$"), postgresql)), "C"),
        sa.Text(),
    )


def has_field(column: _Column, name: str) -> sa.ColumnElement[bool]:
    """Return the SQL condition that a field has a value."""
    sqlite, postgresql = _Sqlite(column, name).kind, _Postgresql(column, name).kind
    return _by_dialect(
        sa.func.coalesce(sqlite.in_(("text", "integer", "real", "true", "false")), sa.false()),
        sa.func.coalesce(postgresql.in_(("string", "number", "boolean")), sa.false()),
        sa.Boolean(),
    )


def _as_jsonb(column: _Column) -> _Column:
    from sqlalchemy.dialects.postgresql import JSONB  # not at the top, for the same reason as in store.database

    return sa.cast(column, JSONB)


def any_value_contains(column: _Column, text: str) -> sa.ColumnElement[bool]:
    """Return the SQL condition that the value of any field contains a text, whatever the case of its letters."""
    written = json.dumps(fold(text), ensure_ascii=False)[1:-1]
    has_it = folded(column, written).contains(written, autoescape=True)  # also finds names; then values are read
    sqlite = sa.func.json_each(sa.case((sa.func.json_valid(column) == 1, column), else_="{}")).table_valued("value")
    postgresql = sa.func.jsonb_each_text(sa.case((column.op("~")(_OBJECT), _as_jsonb(column)))).table_valued(
        "key", "value"
    )

    def some(values: sa.TableValuedAlias) -> _Column:
        """Return the condition that one of a person's values contains the text."""
        value = folded(values.c.value, fold(text))
        return sa.select(sa.literal(1)).where(value.contains(fold(text), autoescape=True)).exists()

    return has_it & _by_dialect(some(sqlite), some(postgresql), sa.Boolean())


def folded(column: _Column, text: str) -> _Column:
    """Return a column in lower case, as far as a comparison with a folded text needs it; see `fold`."""
    found = ascii_lower(column)
    for capital, small in other_cases(text).items():
        found = sa.func.replace(found, capital, small, type_=sa.Text)
    return found


class _Sqlite:
    """A field as SQLite reads it."""

    def __init__(self, column: _Column, name: str) -> None:
        self._member = column, f"$.{name}"
        self.kind: _Column = sa.case((sa.func.json_valid(column) == 1, sa.func.json_type(*self._member)))

    def of_kind(self, *kinds: str) -> _Column:
        """Return the value as an SQLite value, or NULL if it is of another kind."""
        return sa.case((self.kind.in_(kinds), sa.func.json_extract(*self._member)))


class _IsObject(FunctionElement[bool]):
    """Whether a text is a JSON object that PostgreSQL can read without an error."""

    name = "is_object"
    inherit_cache = True


@compiles(_IsObject, "postgresql")
def _is_object(element: _IsObject, compiler: SQLCompiler, **options: Any) -> str:
    column = compiler.process(next(iter(element.clauses)), **options)
    whole, small = (compiler.render_literal_value(pattern, sa.String()) for pattern in (_OBJECT, _RARE))
    if (compiler.dialect.server_version_info or (0,)) < (16,):
        return f"({column} ~ {whole})"
    # The long pattern takes ten times as long. Without escapes and exponents, all JSON can be read.
    return f"(CASE WHEN {column} !~ {small} THEN {column} IS JSON OBJECT ELSE {column} ~ {whole} END)"


class _Postgresql:
    """A field as PostgreSQL reads it."""

    def __init__(self, column: _Column, name: str) -> None:
        self._member = _as_jsonb(column), name
        kind: _Column = sa.func.jsonb_typeof(sa.func.jsonb_extract_path(*self._member))
        self.kind: _Column = sa.case((_IsObject(column), kind))

    def of_kind(self, kind: str) -> _Column:
        """Return the value as text, or NULL if it is of another kind."""
        return sa.case((self.kind == kind, sa.func.jsonb_extract_path_text(*self._member)))
