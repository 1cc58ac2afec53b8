"""Where the program starts: it runs the command line and exits with its code."""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """Run `publisher`. Exit codes: 0 success, 1 a problem, 2 wrong usage, 130 interrupted."""
    try:
        code = _run()
    except KeyboardInterrupt:  # before anything began, or after everything was done
        code = 130
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run a command line and return its exit code. A build with nothing to do is answered immediately."""
    # Neither is at the top: loading them makes many objects (see _run).
    from publisher.cli.unchanged_build import report_unchanged

    if report_unchanged(arguments):
        return 0
    from publisher.cli.main import run as run_command

    return run_command(arguments)


def _run() -> int:
    # A run creates many small objects that live until its end; looking for cycles among them takes a tenth of it.
    gc.set_threshold(100_000, 20, 20)
    gc.disable()  # until the modules of the command are loaded (see LazyGroup)
    code = run(sys.argv[1:])
    # The system frees the memory. Without this, Python looks through all of it once more, which takes a tenth of a
    # build with nothing to do.
    gc.freeze()
    return code


if __name__ == "__main__":
    main()
