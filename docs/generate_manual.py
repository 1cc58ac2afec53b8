"""Write docs/publisher.1, the manual page, from the help texts of all commands.

    make docs

`man` shows it where the package is installed system-wide, and `man docs/publisher.1` in a checkout.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from publisher import __version__
from publisher.cli.main import cli

PAGE = Path(__file__).parent / "publisher.1"
_SHARED = {"project_", "now_", "json_", "verbose_"}  # the options of every command, which are described once


def manual() -> str:
    """Return the manual page in the macros of man(7)."""
    context = click.Context(cli, info_name="publisher", **cli.context_settings)
    lines = [f'.TH PUBLISHER 1 "" "Publisher {__version__}" "User Commands"', ".SH NAME"]
    lines += ["publisher \\- turn a folder of Markdown posts into feeds, pages and newsletters", ".SH SYNOPSIS"]
    lines += [".B publisher", "[\\fIOPTIONS\\fR] \\fICOMMAND\\fR [\\fIARGUMENTS\\fR]", ".SH DESCRIPTION"]
    lines += [*_paragraphs(cli.help or ""), ".SH OPTIONS", *_options(cli, context, shared=True), ".SH COMMANDS"]
    for names, command, inner in _commands(cli, context):
        usage = " ".join(command.collect_usage_pieces(inner))
        lines += [f".SS publisher {_escaped(names)} {_escaped(usage)}", *_paragraphs(command.help or "")]
        lines += [*_options(command, inner, shared=False)]
    lines += [".SH ENVIRONMENT", ".TP", ".B PUBLISHER_PROJECT", "The project folder, if there is no \\-\\-project."]
    lines += [".TP", ".B PUBLISHER_*", "Settings of publisher.toml, such as PUBLISHER_MAIL_SMTP_PASSWORD."]
    lines += [".SH FILES", ".TP", ".B publisher.toml", "The settings of a project.", ".SH EXIT STATUS"]
    lines += ["0 if all is well, 1 if something is wrong, 2 for a mistake in the command line."]
    return "\n".join(lines) + "\n"


def _commands(group: click.Group, context: click.Context) -> Iterator[tuple[str, click.Command, click.Context]]:
    """Yield the full name of each command, the command, and its context."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        inner = click.Context(command, info_name=name, parent=context)
        yield inner.command_path.removeprefix("publisher "), command, inner
        if isinstance(command, click.Group):
            yield from _commands(command, inner)


def _options(command: click.Command, context: click.Context, *, shared: bool) -> Iterator[str]:
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        is_general = parameter.name in _SHARED or "--help" in parameter.opts
        if record and record[1] and (shared or not is_general):
            yield from (".TP", f".B {_escaped(record[0])}", _escaped(" ".join(record[1].split())))


def _paragraphs(text: str) -> Iterator[str]:
    """Yield a help text as lines of the page. Click marks a paragraph whose line breaks are kept with \\b."""
    for paragraph in text.split("\n\n"):
        lines = [line for line in paragraph.split("\n") if line.strip()]
        if not lines:
            continue
        kept = lines[0].strip() == "\b"
        yield ".PP"
        if kept:
            yield from (".nf", *map(_escaped, lines[1:]), ".fi")
        else:
            yield _escaped(" ".join(line.strip() for line in lines))


def _escaped(text: str) -> str:
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "\\(ga")
    return f"\\&{text}" if text.startswith((".", "'")) else text


if __name__ == "__main__":
    PAGE.write_text(manual(), encoding="utf-8")
