"""The process of one build. Its memory is limited, and it notes what it is doing, in case it has to be killed.

Python's audit events show what it is doing, so the build itself does not need to know about the note.
"""

from __future__ import annotations

import gc
import os
import resource
import sys
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from publisher.core.errors import PublisherError
from publisher.core.logging import configure
from publisher.daemon.child_processes import BuildNote, BuildOrder
from publisher.daemon.reporting import log_defect
from publisher.publishing.wiring import run_build

LEAST_MEMORY = 2 * 1024**3
"""The memory that a build may use, in bytes; on a larger machine, half of the machine's memory."""

OUT_OF_MEMORY = 75
"""The exit code of a build that reached its memory limit."""


def run_one_build(connection: Connection[Any, Any], note: BuildNote) -> int:
    """Run the build that the parent asks for, send its report or its error, and return the exit code.

    note  where the build notes what it is doing
    """
    # Most objects live until the end, and looking for cycles among them takes a tenth of the build.
    gc.set_threshold(100_000, 20, 20)
    with suppress(EOFError, BrokenPipeError):
        order: BuildOrder = connection.recv()
        configure(order.config.run.log)
        _limit_memory()
        _note_progress(note, f"{order.config.root / order.config.posts.folder}{os.sep}")
        try:
            answer: object = run_build(order.config, order.now)
        except PublisherError as error:
            answer = error
        except MemoryError:
            return OUT_OF_MEMORY
        except Exception as error:  # noqa: BLE001 - a defect in one build must not end the others
            log_defect(error)
            return 1
        connection.send(answer)
        return 0
    return 1


def _limit_memory() -> None:
    """Limit the memory of this process and of those that it starts, as far as the kernel allows."""
    with suppress(OSError, ValueError):
        limit = max(LEAST_MEMORY, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2)
        _, most = resource.getrlimit(resource.RLIMIT_DATA)
        wanted = limit if most == resource.RLIM_INFINITY else min(limit, most)
        resource.setrlimit(resource.RLIMIT_DATA, (wanted, wanted))


def _note_progress(note: BuildNote, folder: str) -> None:
    """From now on, note which post is read and which file of the site is made, and count other files that are opened.

    folder  the folder of posts, with a separator at the end
    """
    own = os.getpid()

    def hear(event: str, args: Sequence[Any]) -> None:
        """Note which post is opened or which file is made; for any other file, only increase the count."""
        if event not in ("open", "os.scandir", "publisher.make") or os.getpid() != own:
            return  # in a process that this one has started, the same numbers belong to other files
        path = args[0]
        is_post = event == "open" and isinstance(path, str) and path.startswith(folder)
        note.write(str(path) if is_post or event == "publisher.make" else "")

    sys.addaudithook(hear)
