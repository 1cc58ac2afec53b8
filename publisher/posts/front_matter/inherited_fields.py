"""Fields that a post inherits from its tool's files unless it has them itself."""

from __future__ import annotations

from dataclasses import replace

from publisher.posts.blog_tools.data_files import Data
from publisher.posts.blog_tools.defaults import NOTHING, Inherited, merged
from publisher.posts.front_matter.field_names import SPELLINGS, fields_of, fold
from publisher.posts.front_matter.switches import SWITCHES
from publisher.posts.post_file import Head, Tree


def with_inherited(head: Head, inherited: Inherited) -> Head:
    """Return the front matter of a post with the fields that it inherits from its tool's files.

    A key of the post itself replaces the same inherited key, and so does another spelling of the same field, unless the
    field may hide the post.
    """
    if inherited is NOTHING:
        return head
    own = {fold(key): key for key in head.fields}
    named = {field for key, value in head.fields.items() if value for field in fields_of(key) if field in SPELLINGS}
    fields = dict(head.fields)
    for key in filter(None, map(own.get, inherited.whole)):
        if isinstance(text := fields[key], str) and text.strip():
            fields[key] = [text]
    for key, value in inherited.fields.items():
        written = own.get(fold(key))
        if written is not None:
            fields[written] = _tree(merged(value, _data(fields[written]), adds=inherited.adds))
        elif value is not None and not _is_named(key, named):
            fields[key] = _tree(value)
    if inherited.is_hidden:
        fields[own.get("draft", "draft")] = "true"
    return replace(head, fields=fields)


def _is_named(key: str, named: set[str]) -> bool:
    """Return whether the post has the field of a key in another spelling, and the field cannot hide it."""
    fields = fields_of(key)
    return not fields.isdisjoint(named) and fields.isdisjoint(SWITCHES)


def _tree(value: Data) -> Tree:
    """Return a value of a data file in the form of front matter, in which all scalars are text."""
    if isinstance(value, dict):
        return {key: _tree(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_tree(item) for item in value]
    return value if value is None or isinstance(value, str) else str(value)


def _data(value: Tree) -> Data:
    """Return a value of front matter in the form of a data file."""
    if isinstance(value, dict):
        return {key: _data(item) for key, item in value.items()}
    return [_data(item) for item in value] if isinstance(value, list) else value
