"""A Click group that imports a command's module only when the command is run, so that `--help` is quick."""

from __future__ import annotations

import gc
from importlib import import_module
from typing import Any

import click


class LazyGroup(click.Group):
    """A group of commands that are given as the names of their modules and attributes."""

    def __init__(
        self,
        *args: Any,
        groups: dict[str, dict[str, tuple[str, str]]],
        aliases: dict[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        """Store the names of the commands, without importing them.

        groups   for each heading in the help, the commands by name, each as ("package.module:attribute", line of help)
        aliases  other names of commands, which the help does not show, each with its real name
        """
        super().__init__(*args, **kwargs)
        self._groups, self._aliases = groups, aliases or {}
        self._lazy = {name: found for group in groups.values() for name, found in group.items()}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, in the order of the help."""
        return list(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command by its name or an alias of it; return None if there is no such command."""
        cmd_name = self._aliases.get(cmd_name, cmd_name)
        if cmd_name not in self._lazy:
            return None
        module, _, attribute = self._lazy[cmd_name][0].partition(":")
        command = getattr(import_module(module), attribute)
        if not gc.isenabled():
            gc.freeze()  # loaded objects stay, so the garbage collector need not look at them
            gc.enable()
        assert isinstance(command, click.Command)  # noqa: S101 - the table names commands
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Return the command that the arguments name, as Click does, but suggest the most similar name for a typo."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib  # not at the top: only a typo needs it

            near = difflib.get_close_matches(args[0], self._lazy, n=1)
            if not near:
                raise
            raise click.UsageError(f"No such command {args[0]!r}. Did you mean {near[0]!r}?", ctx) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section for each group of commands into the help."""
        widest = max(map(len, self._lazy))  # align the texts of all groups
        for heading, group in self._groups.items():
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(widest), text) for name, (_, text) in group.items()])
