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


def _run() -> int:
    # A run creates many small objects that live until its end; looking for cycles among them takes a tenth of it.
    gc.set_threshold(100_000, 20, 20)
    # Not at the top, but after the threshold is set: loading it makes many objects.
    from publisher.cli.main import run

    code = run(sys.argv[1:])
    # The system frees the memory. Without this, Python looks through all of it once more, which takes a tenth of a
    # build with nothing to do.
    gc.freeze()
    return code


if __name__ == "__main__":
    main()
