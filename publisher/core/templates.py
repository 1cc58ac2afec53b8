"""Jinja2 templates. A project's own template replaces the shipped template of the same name.

A project's template can extend the shipped one and override a single block:

    {% extends "shipped/pages/post.html" %}
    {% block footer %}...{% endblock %}

In a file of the same name, the prefix may be omitted: a template that extends its own name extends the shipped one.
"""

from __future__ import annotations

import hashlib
import os
import re
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from publisher.core.errors import ChangedError, TemplateError
from publisher.core.i18n import civil_date
from publisher.core.listing import shipped_folder as shipped_folder  # many modules import it from here
from publisher.core.private_folder import COPY_IT, LEADS_OUT, LEADS_TO_PRIVATE, STATE_FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import CodeType

    import jinja2
    from jinja2.bccache import Bucket
    from jinja2.ext import Extension

SHIPPED_PREFIX = "shipped"

# The code of templates, for every Templates of this process: a process that rebuilds opens new ones each time, and
# compiling the templates takes longer than rendering a few pages. By Jinja2's key: the source's checksum, and the code.
_compiled: dict[str, tuple[str, CodeType | None]] = {}
_MOST_COMPILED = 256


class Templates:
    """All templates of one project.

    own      the project's templates/ folder, which need not exist
    folders  the folders in which files are looked up, the project's own first
    """

    def __init__(self, own: Path, *, reload: bool = True) -> None:
        """Read nothing yet. reload: whether each use checks if the template has changed."""
        self._own, self._reload = own, reload
        self.folders = tuple(folder for folder in (own, shipped_folder()) if folder.is_dir())

    def require_readable(self) -> None:
        """Raise TemplateError if the project's folder of templates, or a folder in it, exists but cannot be read.

        Otherwise, its templates would seem to be deleted, and the shipped ones would silently replace them. The folder
        need not exist.
        """

        def refuse(error: OSError) -> None:
            """Raise TemplateError for a folder that exists but cannot be read."""
            if not isinstance(error, FileNotFoundError):
                raise _unreadable(os.path.relpath(os.fsdecode(error.filename), self._own), error)

        for each in ("", *(folder.name for folder in shipped_folder().iterdir() if folder.is_dir())):
            _require_folder(self._own / each, os.path.normpath(f"templates/{each}"))
        for _ in os.walk(self._own, onerror=refuse):
            pass

    def render(self, name: str, /, **context: Any) -> str:
        """Render a template such as "pages/post.html".

        Raises TemplateError, with the file and line if they are known.
        """
        try:
            return self._environment.get_template(name).render(context)
        except (TemplateError, ChangedError):
            raise
        except Exception as error:  # a template's own code may raise anything
            raise self._explained(name, error) from error

    def parts(self, name: str, /, **context: Any) -> Iterator[str]:
        """Yield a rendered template in small parts, for a very long page. Raises the same errors as `render`."""
        try:
            yield from self._environment.get_template(name).generate(context)
        except (TemplateError, ChangedError):
            raise
        except Exception as error:  # as above
            raise self._explained(name, error) from error

    def _explained(self, name: str, error: Exception) -> TemplateError:
        import jinja2  # here and below: 29 ms, and a build with nothing to do renders no template

        if isinstance(error, jinja2.TemplateNotFound):
            what, hint = f"there is no template {error.name!r}", f"add templates/{error.name}, or use a different name"
            return TemplateError(what, where=self._line_of(error), hint=hint)
        if isinstance(error, jinja2.TemplateSyntaxError):
            return self._syntax_error(name, error)
        return TemplateError(_message(error), where=self._line_of(error) or f"templates/{name}")

    def require_valid(self, name: str) -> None:
        """Raise TemplateError, with the file and line, if a template cannot be read or its syntax is wrong."""
        import jinja2  # not at the top: a build in which nothing has changed does without Jinja2

        try:
            self._environment.get_template(name)
        except jinja2.TemplateSyntaxError as error:
            raise self._syntax_error(name, error) from error

    def exists(self, name: str) -> bool:
        """Return whether there is a template of this name."""
        return any((folder / name).is_file() for folder in self.folders)

    def source(self, name: str) -> str:
        """Return the text of a file such as "pages/site.css", from the first folder that contains it."""
        for folder in self.folders:
            if (folder / name).is_file():
                _require_inside(folder / name, name, self._own)
                return _read(folder / name, name)
        raise TemplateError(f"there is no template {name!r}", hint=f"add templates/{name}")

    def family(self, name: str) -> dict[str, str]:
        """Return the text of a template and of all templates that it extends, includes or imports, by name.

        The template itself comes first. Templates that are named by a variable or can't be read are left out.
        """
        import jinja2  # not at the top: a build in which nothing has changed does without Jinja2

        texts: dict[str, str] = {}
        waiting = [name]
        while waiting:
            each = waiting.pop(0)
            loader = self._environment.loader
            if each in texts or loader is None:
                continue
            try:
                texts[each] = loader.get_source(self._environment, each)[0]
                named = _referenced(texts[each])
            except (jinja2.TemplateError, TemplateError):
                continue
            waiting += [self._environment.join_path(other, each) for other in named if other]
        return texts

    def needs(self, name: str) -> frozenset[str] | None:
        """Return the names of a template and of all that it extends, includes or imports, whether or not they exist.

        The result is None if a template is named by a variable or cannot be read, because the names are then unknown.
        """
        import jinja2  # not at the top: a build in which nothing has changed does without Jinja2

        texts = self.family(name)
        try:
            named = [other for text in texts.values() for other in _referenced(text)]
        except jinja2.TemplateError:
            return None
        return None if None in named else frozenset((name, *texts, *filter(None, named)))

    def digest(self, *parts: str) -> str:
        """Return a hash of all files, shipped and own, in the given subfolders ("pages", "email", "locale").

        Raises TemplateError if a file cannot be read.
        """
        found = hashlib.sha256()
        for folder in map(os.fspath, self.folders):
            for path in sorted(_files_below(folder, parts), key=_in_order_of_folders):
                name = path[len(folder) + 1 :]
                found.update(f"{name}\0".encode("utf-8", "surrogateescape"))
                try:
                    with open(path, "rb") as file:
                        found.update(file.read())
                except OSError as error:
                    raise _unreadable(name, error) from error
        return found.hexdigest()

    @cached_property
    def _environment(self) -> jinja2.Environment:
        import jinja2  # not at the top: a build in which nothing has changed does without Jinja2

        class _Folders(jinja2.FileSystemLoader):
            def get_source(self, environment: jinja2.Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
                """Return the source as Jinja2 does, but name a file that isn't text or isn't inside the project."""
                try:
                    found = super().get_source(environment, template)
                    if found[1].startswith(below_own):
                        _require_inside(Path(found[1]), template, own)
                    return found
                except UnicodeDecodeError as error:
                    raise _not_text(template) from error
                except jinja2.TemplateNotFound:
                    raise  # it is an OSError
                except OSError as error:
                    raise _unreadable(template, error) from error

        own, below_own = self._own, os.path.join(self._own, "")
        folders = _Folders(self.folders)
        shipped = jinja2.PrefixLoader({SHIPPED_PREFIX: _Folders(shipped_folder())})

        class _Environment(self._kind()):  # type: ignore[misc]  # one of two classes of Jinja2's
            def join_path(self, template: str, parent: str) -> str:
                """Return the name to load; a file that extends or includes its own name gets the shipped file."""
                return f"{SHIPPED_PREFIX}/{template}" if template == parent else template

        environment = _Environment(
            extensions=[_personal_tags()],
            loader=jinja2.ChoiceLoader([folders, shipped]),
            bytecode_cache=self._bytecode_cache(),
            auto_reload=self._reload,
            autoescape=lambda name: name is None or not name.endswith((".txt", ".css")),  # text isn't HTML
            undefined=self._undefined(),
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        environment.filters["civil_date"] = civil_date
        return environment

    def _kind(self) -> type[jinja2.Environment]:
        import jinja2  # not at the top: a build in which nothing has changed does without Jinja2

        return jinja2.Environment

    def _bytecode_cache(self) -> jinja2.BytecodeCache | None:
        return _compiled_before()

    def _undefined(self) -> type[jinja2.Undefined]:
        """Return the object that a template gets in place of a missing value."""
        import jinja2  # not at the top: a build in which nothing has changed does without Jinja2

        return jinja2.StrictUndefined

    def _syntax_error(self, name: str, error: jinja2.TemplateSyntaxError) -> TemplateError:
        place = self._place(error.filename) if error.filename else f"templates/{name}"
        return TemplateError(_plain_words(error.message or "a mistake"), where=f"{place}:{error.lineno}")

    def _line_of(self, error: BaseException) -> str:
        """Return the innermost template line in the traceback of an error; "" if there is none."""
        place, frame = "", error.__traceback__
        while frame is not None:
            filename = frame.tb_frame.f_code.co_filename
            if filename.endswith((".html", ".txt", ".css", ".xml")):
                place = f"{self._place(filename)}:{frame.tb_lineno}"
            frame = frame.tb_next
        return place

    def _place(self, filename: str) -> str:
        """Return the path of a template, shipped or the project's own, as it appears in messages."""
        for folder in (*self.folders, shipped_folder()):
            if Path(filename).is_relative_to(folder):
                return f"templates/{Path(filename).relative_to(folder).as_posix()}"
        return filename


class SandboxedTemplates(Templates):
    """The templates of one project, for values that come from posts.

    They can reach nothing but these values, and a missing value is empty. A post is rendered in a process with limits
    of time and memory, and so are its templates.
    """

    def _kind(self) -> type[jinja2.Environment]:
        # Not at the top: a build in which nothing has changed does without Jinja2.
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        return ImmutableSandboxedEnvironment

    def _bytecode_cache(self) -> jinja2.BytecodeCache | None:
        return None  # code compiled for other templates does not check with the sandbox

    def _undefined(self) -> type[jinja2.Undefined]:
        import jinja2  # not at the top: a build in which nothing has changed does without Jinja2

        return jinja2.ChainableUndefined


def _personal_tags() -> type[Extension]:
    from jinja2.ext import Extension  # not at the top: a build in which nothing has changed does without Jinja2

    class PersonalTags(Extension):
        """An extension that prints tags about the subscriber as marks."""

        def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
            """Return the source with its tags about the subscriber printed, if it is an email template."""
            name = (name or "").removeprefix(f"{SHIPPED_PREFIX}/")
            if not name.startswith("email/"):
                return source
            from publisher.core.personal_templates import with_printed_tags  # a build that sends nothing saves 6 ms

            return with_printed_tags(source, name)

    return PersonalTags


def trusted_html(text: str) -> str:
    """Return a text that a template inserts unescaped, although it may contain HTML."""
    from markupsafe import Markup  # not at the top: a part of Jinja2, which is loaded late

    return Markup(text)  # noqa: S704 - it is cleaned with the rest of its post


def _compiled_before() -> jinja2.BytecodeCache:
    """Return a cache that takes compiled templates from _compiled, and adds new ones to it."""
    import jinja2  # not at the top: a build in which nothing has changed does without Jinja2

    class Compiled(jinja2.BytecodeCache):
        """A cache of compiled templates, shared by the environments of this process."""

        def load_bytecode(self, bucket: Bucket) -> None:
            """Load the code of a template if the same source was compiled before."""
            checksum, code = _compiled.get(bucket.key, ("", None))
            if checksum == bucket.checksum:
                bucket.code = code

        def dump_bytecode(self, bucket: Bucket) -> None:
            """Store the code of a template; only a limited number of templates is stored."""
            if len(_compiled) >= _MOST_COMPILED:
                _compiled.clear()
            _compiled[bucket.key] = bucket.checksum, bucket.code

    return Compiled()


def _files_below(folder: str, parts: Sequence[str]) -> Iterator[str]:
    # Each build looks at all of them, twice; a Path for each would take three times as long.
    for part in parts:
        for where, _, names in os.walk(os.path.join(folder, part)):
            yield from (path for name in names if os.path.isfile(path := os.path.join(where, name)))


def _in_order_of_folders(path: str) -> list[str]:
    return path.split(os.sep)


@lru_cache(maxsize=256)
def _referenced(text: str) -> tuple[str | None, ...]:
    """Return the names in a template's text, which is parsed once for all emails of a run."""
    import jinja2  # not at the top: a build in which nothing has changed does without Jinja2
    from jinja2.meta import find_referenced_templates

    return tuple(find_referenced_templates(jinja2.Environment(autoescape=True).parse(text)))


def _require_inside(path: Path, name: str, own: Path) -> None:
    """Raise TemplateError for a template of the project that links out of the project, or to something private."""
    if not path.is_relative_to(own):
        return
    real, project = path.resolve(), own.parent.resolve()
    if not real.is_relative_to(project):
        raise TemplateError(LEADS_OUT, where=f"templates/{name}", hint=COPY_IT)
    if STATE_FOLDER in real.relative_to(project).parts:
        raise TemplateError(LEADS_TO_PRIVATE, where=f"templates/{name}", hint=COPY_IT)


def _read(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise _not_text(name) from error
    except OSError as error:
        raise _unreadable(name, error) from error


def _require_folder(path: Path, name: str) -> None:
    """Raise TemplateError if the path of a folder of templates is something other than a folder."""
    if os.path.lexists(path) and not path.is_dir():
        what = (
            "is a broken link, not a folder" if path.is_symlink() and not path.exists() else "is a file, not a folder"
        )
        raise TemplateError(what, where=name, hint="restore the folder; or remove it, to use the shipped templates")


def _unreadable(name: str, error: OSError) -> TemplateError:
    where = os.path.normpath(f"templates/{name}")
    return TemplateError(f"cannot be read: {error.strerror}", where=where, hint="fix its permissions")


def _not_text(name: str) -> TemplateError:
    return TemplateError("not UTF-8 text", where=f"templates/{name}", hint="save it as UTF-8")


def _plain_words(message: str) -> str:
    """Return the message of a syntax error as one sentence, without the name of the library."""
    for pattern, words in _PLAIN_WORDS:
        message = re.sub(pattern, words, message)
    return message.rstrip(".")


_PLAIN_WORDS = (
    (r"Encountered unknown tag ('[^']*')\.", r"the tag \1 is unexpected here;"),
    (r"Unexpected end of template\.", "the template ends too early;"),
    (r"You probably made a nesting mistake\. Jinja is expecting this tag, but currently looking for", "expected"),
    (r"Jinja was looking for the following tags: (.*?)\.(?= |$)", r"expected \1"),
    (r" The innermost block that needs to be closed is ('[^']*')\.", r", because \1 is still open"),
    (r"; Did you mean", "; did you mean"),
    (r";$", ""),
)


def _message(error: Exception) -> str:
    """Return the message of an error in a template, without the internal names of the program's classes."""
    if isinstance(error, MemoryError):
        return "needs too much memory"
    return re.sub(
        r"'publisher\.(?:\w+\.)*+(\w+?)(?:View)? object' has no attribute",
        lambda match: f"{match[1].lower()} has no",
        f"{error}",
    )
