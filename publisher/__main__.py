"""The program's start: runs the command line and turns every end into a line and an exit code."""

from __future__ import annotations

import sys


def main() -> None:
    """Run `publisher`. Exit codes: 0 done, 1 a problem said in one line, 2 wrong usage, 130 interrupted."""
    import gc

    # A run makes many small objects that live until its end; looking for cycles among them takes a tenth of it.
    gc.set_threshold(100_000, 20, 20)
    from publisher.cli.main import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
