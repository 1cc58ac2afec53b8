"""The command line. Each command parses its arguments, calls one function of another room, and prints the result.

Begin with `main`: the table of commands, and how an error becomes a line and an exit code. `app` has what all commands
share. A file is a command or a group of commands and is loaded when it is run (see `lazy`), because
`publisher --help` must answer at once. So each file imports at its top whatever it needs.

main  run a command line
"""

__all__ = ["main"]
