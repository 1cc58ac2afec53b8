"""The command line. Each command parses its arguments, calls a function of another package, and prints the result.

Begin with `main`, which has the table of commands and turns an error into a message and an exit code. `app` has the
code that all commands share. Each other file contains a command or a group of commands. It is loaded only when the
command is run (see `lazy`), so that `publisher --help` answers immediately, and can import what it needs at its top.

Public modules:
    main             run a command line
    unchanged_build  answer `publisher build` immediately if there is nothing to do
"""

__all__ = ["main", "unchanged_build"]
