"""The mistakes in a configuration, each with its place and how to fix it.

First, each key is checked by itself: it must be known, have the right type and pass its checks, and required keys must
be present. Then, keys are checked in combination.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING
from pathlib import Path, PurePosixPath
from typing import Any, Literal, get_args, get_origin

from publisher.config.checks import OWN_POSTS, output_path, project_path
from publisher.config.environment import CONFIG_FILE, variables
from publisher.config.keys import keys_of, table_in
from publisher.config.mail import Mail
from publisher.config.newsletters import NewsletterConfig
from publisher.config.origins import KeyPath, Origins
from publisher.config.project import Config
from publisher.config.site import FEED_FILES, Feeds, PagesConfig, Posts
from publisher.config.theme import Theme, unreadable
from publisher.core.errors import ProjectError, PublisherError
from publisher.core.signing import SECRET_VARIABLE, SHORTEST_SECRET

Wrong = tuple[KeyPath, str, str]
"""The path of a key, what is wrong with it, and how to fix it ("" if the message says that)."""

_WANTED = {str: "must be text in quotes", int: "must be a whole number", bool: "must be true or false"}

# Keys whose values must not appear in messages.
_SECRETS = (
    ("mail", "smtp", "password"),
    ("mail", "relays", "password"),
    ("database", "url"),
    ("bounces", "password"),
    ("bounces", "postmark", "secret"),
    ("bounces", "mailgun", "signing_key"),
    ("bounces", "generic", "secret"),
)

# Pairs of folders that must not overlap, and what would happen if they did.
_APART = (
    (("pages", "output"), ("posts", "folder"), "pages would become posts, or drafts would be public"),
    (("pages", "output"), ("pages", "static"), "the output would be copied into itself"),
    (("pages", "output"), ("mail", "outbox"), "emails and addresses would become public"),
    (("pages", "static"), ("mail", "outbox"), "emails and addresses would become public"),
)
# What pages.copy must not copy: drafts would become public, and settings that may contain keys. All in lower case.
_OF_POSTS = frozenset(("_posts", "_drafts"))
_SETTINGS = frozenset((
    "_config.yml", "_config.yaml", "_config.toml", "_quarto.yml", "hugo.toml", "hugo.yaml", "hugo.json", "mkdocs.yml",
    "pelicanconf.py", "publishconf.py", "zola.toml",
))  # fmt: skip

_LONGER = "`openssl rand -hex 32` generates one; links in emails that were already sent stop working"
_ELSEWHERE = "choose a different folder"
_DEFAULTS = {"pages": PagesConfig(), "posts": Posts(), "mail": Mail()}


def find_mistakes(
    raw: dict[str, Any], text: str, env: Mapping[str, str], unknown_variables: list[str]
) -> list[PublisherError]:
    """Return all mistakes: first those in variables, then those in the file, by line.

    raw                the table that results from `text` and `env`
    text               the text of publisher.toml
    env                the PUBLISHER_* variables
    unknown_variables  the names of variables that set no key
    """
    origins = Origins(text, env)
    found = [(0, _unknown_variable(name)) for name in unknown_variables]
    garbled = (name for name in sorted(env) if re.search("[\ud800-\udfff]", env[name]))
    found += [(0, PublisherError("not UTF-8 text", where=name)) for name in garbled]
    if 0 < len(env.get(SECRET_VARIABLE, "").strip()) < SHORTEST_SECRET:
        found.append(
            (0, PublisherError(f"must be {SHORTEST_SECRET} or more characters", where=SECRET_VARIABLE, hint=_LONGER))
        )
    for path, message, hint in (*_wrong_keys(Config, raw), *_wrong_together(raw)):
        line, where = origins.of(path)
        found.append((line, PublisherError(message, where=where, hint=hint)))
    found.extend((*_folders_inside_each_other(raw, origins), *_copied_into_itself(raw, origins)))
    found.extend(_copied_by_mistake(raw, origins))
    return [mistake for _, mistake in sorted(found, key=lambda pair: pair[0])]


def require_output(config: Config, out: Path) -> None:
    """Raise ProjectError for a folder that a build must not write to, by the same rules as for pages.output.

    out  a folder that need not be in the project; a relative path is relative to the current folder
    """
    root, real = config.root.resolve(), out.resolve()
    if root.is_relative_to(real):
        raise ProjectError("--out contains the project", where=str(out), hint=_ELSEWHERE)
    path = "/".join(part for part in PurePosixPath(os.path.relpath(real, root)).parts if part != "..")
    try:
        (output_path if real.is_relative_to(root) else project_path)(path)
    except ValueError as error:
        what = str(error).removeprefix(f"{path!r} ").removesuffix(f"; {_ELSEWHERE}")
        raise ProjectError(what, where=str(out), hint=_ELSEWHERE) from error
    folders = {"posts": config.posts.folder, "pages": config.pages.static, "mail": config.outbox}
    first = _folded(str(real))
    for one, other, why in _APART:
        second = _folded(str((root / folders[other[0]]).resolve()))
        if one == ("pages", "output") and (first[: len(second)] == second or second[: len(first)] == first):
            what = f"--out and {_dotted(other)} must not overlap: {why}"
            raise ProjectError(what, where=str(out), hint=_ELSEWHERE)


def _unknown_variable(name: str) -> PublisherError:
    import difflib  # 2 ms, and only a mistake needs it

    near = difflib.get_close_matches(name, variables(), n=1, cutoff=0.8)
    hint = f"did you mean {near[0]}?" if near else "docs/configuration.md lists them"
    return PublisherError("sets no known key", where=name, hint=hint)


def _wrong_keys(cls: type, table: Mapping[str, Any], above: KeyPath = ()) -> Iterator[Wrong]:
    """Yield the mistakes in the keys of one table, each checked by itself."""
    keys = keys_of(cls)
    unknown = [name for name in table if name not in keys]
    misspelled = {_nearest(name, keys, 0.7) for name in unknown}
    for name, key in keys.items():
        path = (*above, name)
        if name in table:
            found = list(_wrong_value(key.type, table[name], path))
            yield from found or _refused(key.checks, table[name], path)
        elif key.default is MISSING and name not in misspelled:
            yield path, f"{_dotted(path)} is missing", f"add {_example(path)}"
    for name in unknown:
        near = _nearest(name, keys, 0.5)
        hint = f"did you mean {near}?" if near else f"known here: {', '.join(keys)}"
        yield (*above, name), f"{_dotted((*above, name))}: unknown key", hint


def _nearest(name: str, keys: Iterable[str], least: float) -> str:
    """Return the key whose name is most like this one; "" if no similarity reaches `least` (0 to 1)."""
    import difflib  # 2 ms, and only a mistake needs it

    return next(iter(difflib.get_close_matches(name, list(keys), n=1, cutoff=least)), "")


def _wrong_value(kind: Any, value: Any, path: KeyPath) -> Iterator[Wrong]:
    """Yield the mistakes in the type of a value, or in the keys of a value that is a table."""
    if get_origin(kind) is tuple:
        if type(value) is not list:
            path, message, _ = _mistyped(path, "must be a list", value)
            yield path, message, _as_list(get_args(kind)[0], value, path)
            return
        for number, item in enumerate(value):
            yield from _wrong_value(get_args(kind)[0], item, (*path, number))
    elif table := table_in(kind):
        if type(value) is dict:
            yield from _wrong_keys(table, value, path)
        else:
            yield _mistyped(path, "must be a table", value)
    elif message := _objection(kind, value):
        yield _mistyped(path, message, value)
    elif kind is str and "\0" in value:  # no name of a file or host can contain it
        yield path, f"{_dotted(path)}: must not contain the character U+0000", ""


def _objection(kind: Any, value: Any) -> str:
    """Return what a single value must be instead, or "" if its type is right. A bool doesn't pass as an int."""
    if get_origin(kind) is Literal:
        *most, last = map(repr, get_args(kind))
        return "" if type(value) is str and value in get_args(kind) else f"must be {', '.join(most)} or {last}"
    return "" if type(value) is kind else _WANTED[kind]


def _mistyped(path: KeyPath, message: str, value: Any) -> Wrong:
    keys = tuple(part for part in path if isinstance(part, str))
    hidden = isinstance(value, dict) or any(keys == secret[: len(keys)] for secret in _SECRETS)
    shown = "" if hidden else f", not {str(value).lower() if isinstance(value, bool) else repr(value)}"
    return path, f"{_dotted(path)}: {message}{shown}", ""


def _as_list(item: Any, value: Any, path: KeyPath) -> str:
    """Return how to write a list of such items, given the `value` that was written instead."""
    if table_in(item):
        return f"write [[{'.'.join(part for part in path if isinstance(part, str))}]]"
    if not (isinstance(value, str) and value.isprintable()):
        return ""
    parts = (part.strip() for part in value.split(","))
    return f"write {json.dumps([part for part in parts if part], ensure_ascii=False)}"


def _refused(checks: Sequence[Callable[[Any], object]], value: Any, path: KeyPath) -> Iterator[Wrong]:
    """Yield the error of the first check that rejects the value."""
    for check in checks:
        try:
            check(value)
        except ValueError as error:
            yield path, f"{_dotted(path)}: {error}", ""
            return


def _example(path: KeyPath) -> str:
    examples = {
        ("site",): 'a [site] table with title = "My newsletter" and url = "https://example.org"',
        ("site", "title"): 'title = "My newsletter" under [site]',
        ("site", "url"): 'url = "https://example.org" under [site]',
    }
    if path in examples:
        return examples[path]  # type: ignore[index]
    table = ".".join(part for part in path[:-1] if isinstance(part, str))
    values = {"name": "weekly", "domain": "example.org", "selector": "newsletter", "key": "keys/newsletter.pem"}
    if table == "sources":
        values = {"name": "blog", "url": "https://example.org/feed.xml"}
    if table == "authors":
        values = {"id": "ada", "name": "Ada Lovelace"}
    value = values.get(str(path[-1]), "...")
    return f'{path[-1]} = "{value}" under {f"[[{table}]]" if isinstance(path[-2], int) else f"[{table}]"}'


def _dotted(path: KeyPath) -> str:
    """Return a path as it appears in messages, such as "newsletters[2].name"."""
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _wrong_together(raw: dict[str, Any]) -> Iterator[Wrong]:
    """Yield the mistakes in combinations of keys."""
    yield from _names_taken(raw, "newsletters")
    yield from _names_taken(raw, "sources")
    yield from _names_taken(raw, "fields")
    yield from _unknown_sources(raw)
    yield from _limits_crossed(raw)
    yield from _unreadable_themes(raw)
    yield from _feed_names_taken(raw)
    mail = raw.get("mail")
    if not isinstance(mail, dict):
        return
    if "smtp" in mail and "relays" in mail:
        message = "mail.relays: [mail.smtp] also names a server, which would be ignored"
        yield ("mail", "relays"), message, "write it as one of the [[mail.relays]]"
    if mail.get("transport") == "smtp" and not _has_sender(raw, mail):
        hint = 'add sender = "Ada <ada@example.org>" under [mail]'
        yield ("mail", "transport"), "mail.sender is missing: smtp needs a From address", hint


def _has_sender(raw: dict[str, Any], mail: dict[str, Any]) -> bool:
    newsletters = raw.get("newsletters")
    own = isinstance(newsletters, list) and all(isinstance(n, dict) and n.get("sender") for n in newsletters)
    return bool(mail.get("sender") or (newsletters and own))


def _names_taken(raw: dict[str, Any], tables: str) -> Iterator[Wrong]:
    seen: dict[str, int] = {}
    for number, item in _tables(raw, tables):
        name = item.get("name")
        if isinstance(name, str) and name in seen:
            message = f"{tables}[{number + 1}].name: {name!r} is also the name of {tables}[{seen[name] + 1}]"
            yield (tables, number, "name"), message, "rename one"
        elif isinstance(name, str):
            seen[name] = number


def _unknown_sources(raw: dict[str, Any]) -> Iterator[Wrong]:
    """Yield the sources that a newsletter names and no table defines."""
    known = {OWN_POSTS, *(name for _, item in _tables(raw, "sources") if isinstance(name := item.get("name"), str))}
    for number, item in _tables(raw, "newsletters"):
        wanted = item.get("sources")
        for name in wanted if isinstance(wanted, list) else ():
            if isinstance(name, str) and name not in known:
                message = f"newsletters[{number + 1}].sources: there is no source {name!r}"
                yield ("newsletters", number, "sources"), message, f"known here: {', '.join(sorted(known))}"


def _tables(raw: dict[str, Any], name: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each table of a list of tables with its index. Other values have been reported already."""
    found = raw.get(name)
    for number, item in enumerate(found if isinstance(found, list) else []):
        if isinstance(item, dict):
            yield number, item


def _feed_names_taken(raw: dict[str, Any]) -> Iterator[Wrong]:
    """Yield the names in feeds.also that the main feed already has in one of its formats."""
    table = raw.get("feeds")
    feeds = table if isinstance(table, dict) else {}
    also, formats = feeds.get("also"), feeds.get("formats", Feeds().formats)
    if isinstance(also, list) and isinstance(formats, list | tuple) and all(isinstance(item, str) for item in also):
        usual = {file: kind for kind, file in FEED_FILES.items() if kind in formats}
        for name in Feeds(also=tuple(also)).other_names:
            if name.file in usual:
                message = f"feeds.also: {name.file} is already the name of the {usual[name.file]} feed"
                yield ("feeds", "also"), message, f"leave it out, or leave {usual[name.file]} out of feeds.formats"


def _limits_crossed(raw: dict[str, Any]) -> Iterator[Wrong]:
    """Yield the newsletters that would never have enough posts, because the maximum is below the minimum."""
    keys = keys_of(NewsletterConfig)
    newsletters = raw.get("newsletters")
    for number, item in enumerate(newsletters if isinstance(newsletters, list) else []):
        table = item if isinstance(item, dict) else {}
        least, most = (table.get(name, keys[name].default) for name in ("minimum", "maximum"))
        if type(least) is type(most) is int and 0 < most < least:
            path = ("newsletters", number, "minimum" if "minimum" in table else "maximum")
            message = f"newsletters[{number + 1}]: minimum ({least}) is more than maximum ({most})"
            yield path, message, "no edition would ever have enough posts"


def _unreadable_themes(raw: Mapping[str, Any]) -> Iterator[Wrong]:
    """Yield the unreadable colours of each theme. Themes with other mistakes are skipped."""
    site = (_theme(raw["theme"]) if "theme" in raw else None) or Theme()
    found: list[tuple[KeyPath, Theme]] = [(("theme",), site)] if site != Theme() else []
    newsletters = raw.get("newsletters")
    for number, newsletter in enumerate(newsletters if isinstance(newsletters, list) else []):
        own = _theme(newsletter["theme"]) if isinstance(newsletter, dict) and "theme" in newsletter else None
        if own and own != Theme():
            found.append((("newsletters", number, "theme"), own.over(site)))
    for path, theme in found:
        for key, message, hint in unreadable(theme):
            yield (*path, key), f"{_dotted((*path, key))}: {message}", hint


def _theme(table: Any) -> Theme | None:
    return Theme(**table) if isinstance(table, dict) and not any(_wrong_keys(Theme, table)) else None


def _folders_inside_each_other(raw: dict[str, Any], origins: Origins) -> Iterator[tuple[int, PublisherError]]:
    for one, other, why in _APART:
        first, second = _folder(raw, one), _folder(raw, other)
        if first and second and (first[: len(second)] == second or second[: len(first)] == first):
            written = [origin for origin in (origins.of(one), origins.of(other)) if origin[1] != CONFIG_FILE]
            line, where = max(written, key=lambda origin: (origin[0] == 0, origin[0]))  # a variable, or the later line
            message = f"{_dotted(one)} and {_dotted(other)} must not overlap: {why}"
            yield line, PublisherError(message, where=where, hint=_ELSEWHERE)


def _copied_into_itself(raw: dict[str, Any], origins: Origins) -> Iterator[tuple[int, PublisherError]]:
    """Yield the folders of pages.copy that a build writes itself, or that contain emails."""
    table = raw.get("pages")
    copies = table.get("copy") if isinstance(table, dict) else None
    for text in copies if isinstance(copies, list) else ():
        first = _folded(str(text).partition("=")[0].strip())
        for other, why in ((("pages", "output"), _APART[1][2]), (("mail", "outbox"), _APART[3][2])):
            second = _folder(raw, other)
            if first and second and (first[: len(second)] == second or second[: len(first)] == first):
                line, where = origins.of(("pages", "copy"))
                message = f"pages.copy: {text!r} and {_dotted(other)} must not overlap: {why}"
                yield line, PublisherError(message, where=where, hint=_ELSEWHERE)


def _copied_by_mistake(raw: dict[str, Any], origins: Origins) -> Iterator[tuple[int, PublisherError]]:
    """Yield paths in pages.copy that are not meant for readers. posts.folder is copied without its posts."""
    table = raw.get("pages")
    copies = table.get("copy") if isinstance(table, dict) else None
    posts, settings = _folder(raw, ("posts", "folder")), raw.get("posts")
    tool = settings.get("tool") if isinstance(settings, dict) else ""
    for text in copies if isinstance(copies, list) else ():
        folder = str(text).partition("=")[0].strip()
        parts = _folded(folder)
        what = ""
        if _OF_POSTS.intersection(parts) and not (posts and parts[: len(posts)] == posts):
            what = "is a folder of posts" if parts[-1] in _OF_POSTS else "is in a folder of posts"
        elif parts[-1:] == ("_data",) and tool in ("jekyll", "hexo"):
            what = "contains data that belongs to posts"
        elif parts and parts[-1] in _SETTINGS:
            what = "contains the settings of the tool"
        if what:
            line, where = origins.of(("pages", "copy"))
            message = f"pages.copy: {folder!r} {what}, which would become public"
            yield line, PublisherError(message, where=where, hint="remove it from pages.copy")


def _folder(raw: dict[str, Any], path: tuple[str, str]) -> tuple[str, ...]:
    """Return the parts of a folder's path, with their case folded; empty if the value isn't a usable path."""
    section, name = path
    default = getattr(_DEFAULTS[section], name)
    table = raw.get(section, {})
    value = table.get(name, default) if isinstance(table, dict) else default
    parts = _folded(value) if isinstance(value, str) else ()
    return parts if ".." not in parts else ()


def _folded(path: str) -> tuple[str, ...]:
    return PurePosixPath(path.replace("\\", "/").casefold()).parts
