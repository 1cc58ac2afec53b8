"""What is wrong with a front matter that cannot be read, in words for its writer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from publisher.core.errors import PostError

if TYPE_CHECKING:
    import yaml


def misread(language: str, error: Exception, line: int) -> PostError:
    """Return the error of a reader that gave no line, or gave up."""
    if isinstance(error, RecursionError):
        what = f"the front matter is no {language} that can be read: its values nest too deeply, or hold themselves"
        return PostError(what, line=line, hint="take brackets out, and aliases (*name) inside of what they name")
    said = (str(error).splitlines() or [type(error).__name__])[0]
    return PostError(
        f"the front matter is no {language}: {said}", line=line, hint=f"mend it there, as {language} wants"
    )


def yaml_error(error: yaml.MarkedYAMLError, block: str) -> PostError:
    """Return what is wrong with a block of YAML that begins on the second line of its file."""
    # Of an open quote the parser names the end of the text; the writer looks for where it began.
    is_open = "end of stream" in str(error.problem) and "quoted" in str(error.context)
    mark = error.context_mark if is_open else error.problem_mark or error.context_mark
    line = (mark.line if mark else 0) + 2
    lines = block.split("\n")
    written = lines[line - 2] if line - 2 < len(lines) else ""
    hint = ""
    if "mapping values are not allowed" in str(error.problem):
        key, _, value = written.partition(": ")
        hint = f'put the value in quotes: {key.strip()}: "{value.strip()}"' if value else "put the value in quotes"
    elif is_open:
        hint = "close the quotes"
    elif "escape" in str(error.problem):
        hint = "write the character itself (\N{GRINNING FACE}), or its one number: \\U0001F600"
    elif "\t" in written:
        hint = "indent with spaces, not tabs"
    return PostError(f"the front matter is no YAML: {error.problem}", line=line, hint=hint)
