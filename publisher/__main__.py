"""The program's start: runs the command line and turns every end into a line and an exit code."""

from __future__ import annotations

import sys


def main() -> None:
    """Run `publisher`. Exit codes: 0 done, 1 a problem said in one line, 2 wrong usage, 130 interrupted."""
    try:
        code = _run()
    except KeyboardInterrupt:  # before there was anything to stop, or after everything was done
        code = 130
    sys.exit(code)


def _run() -> int:
    import gc

    # A run makes many small objects that live until its end; looking for cycles among them takes a tenth of it.
    gc.set_threshold(100_000, 20, 20)
    from publisher.cli.main import run

    code = run(sys.argv[1:])
    # The system takes back what is left; without this Python looks through it all once more, a tenth of a build
    # with nothing to do.
    gc.freeze()
    return code


if __name__ == "__main__":
    main()
